"""What `vp-tui doctor` finds on this machine: terminal, versions, files. Nothing is changed."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vp_tui import __version__
from vp_tui.domain.rollout.verdicts import UnreadReport
from vp_tui.domain.text import clip, counted, literal
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import read_log, refuse_read_only, resolve
from vp_tui.storage.junit import read_report
from vp_tui.storage.rows import spooled_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.models import TokenPresence
    from vp_tui.storage.places import Places


LIBRARIES: Final = ("textual", "httpx", "websockets", "pydantic")
SMALLEST: Final = (80, 24)
"""Columns and lines of the smallest terminal that the screen is made for."""
_SHOWN: Final = 60

Verdict = Literal["ok", "wrong", "note"]


class Check(NamedTuple):
    """One thing that was looked at."""

    section: str
    name: str
    verdict: Verdict
    """`note`: nothing is wrong, or it was not looked at; the detail says which."""
    detail: str
    cure: str = ""
    elapsed_s: float | None = None
    """How long it took to find out; None where that says nothing."""


class Terminal(NamedTuple):
    """What the terminal says of itself."""

    is_terminal: bool
    term: str | None
    colorterm: str | None
    columns: int | None
    """None where stdout is no terminal."""
    lines: int | None
    encoding: str | None
    no_color: bool
    tmux: bool


def versions() -> dict[str, str | None]:
    """Return the version of vp-tui, of Python and of each library; None: it is not installed."""
    found: dict[str, str | None] = {"vp-tui": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def version_checks(found: Mapping[str, str | None]) -> Iterator[Check]:
    """Tell of each version."""
    for name, number in found.items():
        if number is None:
            yield Check("versions", name, "wrong", "not installed", "install vp-tui again")
        else:
            yield Check("versions", name, "ok", number)


def terminal(environ: Mapping[str, str], stdout: TextIO) -> Terminal:
    """Return what the environment and stdout say of the terminal."""
    columns = lines = None
    is_terminal = stdout.isatty()
    if is_terminal:
        columns, lines = os.get_terminal_size(stdout.fileno())
    return Terminal(
        is_terminal,
        _named(environ, "TERM"),
        _named(environ, "COLORTERM"),
        columns,
        lines,
        stdout.encoding,
        no_color=bool(environ.get("NO_COLOR")),
        tmux=bool(environ.get("TMUX")),
    )


def terminal_checks(seen: Terminal) -> Iterator[Check]:
    """Tell what the screen needs and what the terminal has; only a terminal can be wrong."""
    poor: Verdict = "wrong" if seen.is_terminal else "note"
    if seen.term in {None, "dumb"}:
        cure = "set TERM to what the terminal is, such as xterm-256color"
        yield Check("terminal", "TERM", poor, seen.term or "not set", cure)
    else:
        yield Check("terminal", "TERM", "ok", seen.term or "")
    yield Check("terminal", "COLORTERM", "note", seen.colorterm or "not set: 256 colours or fewer")
    if seen.columns is None or seen.lines is None:
        yield Check("terminal", "size", "note", "stdout is no terminal")
    else:
        fits = seen.columns >= SMALLEST[0] and seen.lines >= SMALLEST[1]
        size, least = f"{seen.columns}x{seen.lines}", f"{SMALLEST[0]}x{SMALLEST[1]}"
        cure = "" if fits else f"make it {least} or larger"
        yield Check("terminal", "size", "ok" if fits else poor, size, cure)
    encoding = (seen.encoding or "").lower().replace("-", "")
    if encoding == "utf8":
        yield Check("terminal", "encoding", "ok", "UTF-8")
    else:
        said = seen.encoding or "unknown"
        yield Check("terminal", "encoding", poor, said, "use a UTF-8 locale, such as C.UTF-8")
    if seen.no_color:
        yield Check("terminal", "NO_COLOR", "note", "set: symbols and words alone tell the state")
    if seen.tmux:
        yield Check("terminal", "tmux", "note", "inside tmux: what it passes on is its own matter")


def token_checks(presence: TokenPresence) -> Iterator[Check]:
    """Tell which tokens are there and where from; never a value."""
    for name, origin in (("ops", presence.ops), ("internal", presence.internal)):
        found = f"from {origin}" if origin else "none: right for a gateway that wants none"
        yield Check("tokens", name, "ok" if origin else "note", found)
    for problem in presence.problems:
        yield Check("tokens", "source", "wrong", problem, "mend it, then ask again")


def file_checks(settings: Settings, places: Places) -> Iterator[Check]:
    """Tell whether what vp-tui reads and writes can be read and written."""
    if settings.evidence is None:
        yield Check("files", "evidence log", "note", "none is configured")
    else:
        yield _log_read(settings.evidence)
        yield _log_written(settings.evidence)
        yield from _spool(places.spool, settings.evidence)
    if settings.continuity_report is not None:
        report = read_report(settings.continuity_report)
        if isinstance(report, UnreadReport):
            said, cure = report.failure.reason, report.failure.cure
            yield Check("files", "suites' report", "wrong", f"{report.file}: {said}", cure)
        else:
            told = f"{report.file}: {report.tests} ran, {report.failures} failed"
            yield Check("files", "suites' report", "ok", told)
    yield _state(places.state)


def _log_read(log: Path) -> Check:
    shown = literal(str(log))
    try:
        table, _ = read_log(log)
        exists = resolve(log).exists()
    except EvidenceError as error:
        return _failed("evidence log", error)
    if not exists:
        return Check("files", "evidence log", "note", f"{shown}: not there, the first row makes it")
    if table.span is None and table.warnings:
        cure = "add heading and table, or choose another log"
        return Check("files", "evidence log", "wrong", f"{shown}: {table.warnings[0]}", cure)
    odd = f", {len(table.warnings)} warnings" if table.warnings else ""
    return Check("files", "evidence log", "ok", f"{shown}: {counted(len(table.rows), 'row')}{odd}")


def _log_written(log: Path) -> Check:
    try:
        refuse_read_only(resolve(log))
    except EvidenceError as error:
        return _failed("log writable", error)
    return Check("files", "log writable", "ok", "so it seems: nothing was written to try it")


def _spool(spool: Path, log: Path) -> Iterator[Check]:
    waiting = spooled_rows(spool, log)
    cure = "the next row into that log takes them along"
    if waiting.rows:
        detail = f"{counted(len(waiting.rows), 'row waits', 'rows wait')} for the log"
        yield Check("files", "kept rows", "wrong", detail, cure)
    else:
        yield Check("files", "kept rows", "ok", "none waits")
    for warning in waiting.warnings:
        yield Check("files", "kept rows", "wrong", warning)


def _state(state: Path) -> Check:
    """Tell whether the state directory can be written to, or made."""
    place, shown = state, literal(str(state))
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        detail, cure = f"{literal(str(place))} is no directory", "move it away"
    elif not os.access(place, os.W_OK | os.X_OK):
        detail, cure = f"{literal(str(place))} may not be written to", "make it your own"
    else:
        place_text = shown if place == state else f"{shown}: not there, it is made when needed"
        return Check("files", "state directory", "ok", place_text)
    return Check("files", "state directory", "wrong", detail, cure)


def _failed(name: str, error: EvidenceError) -> Check:
    return Check("files", name, "wrong", error.failure.reason, error.failure.cure)


def _named(environ: Mapping[str, str], name: str) -> str | None:
    return clip(literal(environ.get(name, "")), _SHOWN) or None
