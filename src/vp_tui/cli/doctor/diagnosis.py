"""`vp-tui doctor`: whether all is there that watching takes, and what helps where it is not.

What it finds on this machine (terminal, versions, files) is here. Nothing is changed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.console import aligned, credentials_of, say, settings_of, told_file
from vp_tui.cli.crash import versions
from vp_tui.cli.doctor.gateway import Check, Examination, clock_checks, examine, short
from vp_tui.cli.show import shown_settings
from vp_tui.domain.rollout.verdicts import UnreadReport
from vp_tui.domain.text import counted, literal
from vp_tui.gateway.credentials import gateway_id
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import read_log, refuse_unwritable, resolve
from vp_tui.storage.junit import read_report
from vp_tui.storage.places import places
from vp_tui.storage.recording_files import files_of
from vp_tui.storage.rows import spooled_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.config.settings import Settings
    from vp_tui.cli.doctor.gateway import Verdict
    from vp_tui.domain.models import TokenPresence
    from vp_tui.storage.places import Places


SCHEMA: Final = 1
SMALLEST: Final = (80, 24)
"""Columns and lines of the smallest terminal that the screen is made for."""
_WORDS: Final = {"ok": "ok", "wrong": "WRONG", "note": "-"}


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


class Diagnosis(NamedTuple):
    """All that was found."""

    loaded: Loaded
    presence: TokenPresence
    found: Examination
    terminal: Terminal
    versions: Mapping[str, str | None]
    checks: tuple[Check, ...]

    @property
    def wrong(self) -> tuple[Check, ...]:
        """What is wrong."""
        return tuple(check for check in self.checks if check.verdict == "wrong")

    @property
    def exit_code(self) -> int:
        """0 all well, 1 something wrong, 2 the gateway could not be looked at."""
        return int(bool(self.wrong)) if self.found.is_reachable else 2


def doctor(arguments: Arguments) -> int:
    """Print what is wrong and what helps; return the exit code."""
    loaded = settings_of(arguments)
    diagnosis = asyncio.run(diagnose(loaded, places(os.environ), os.environ, sys.stdout))
    as_json = arguments.options["json"]
    say(json.dumps(as_object(diagnosis), indent=2) if as_json else as_text(diagnosis))
    return diagnosis.exit_code


async def diagnose(
    loaded: Loaded, places: Places, environ: Mapping[str, str], stdout: TextIO
) -> Diagnosis:
    """Look at everything once."""
    settings = loaded.settings
    credentials = credentials_of(settings, ambient=True)
    presence = credentials.read()
    found = await examine(settings, credentials)
    shown, installed = terminal(environ, stdout), versions()
    checks = (
        *token_checks(presence),
        *found.checks,
        *clock_checks(found),
        *file_checks(settings, places),
        *terminal_checks(shown),
        *version_checks(installed),
    )
    return Diagnosis(loaded, presence, found, shown, installed, checks)


def as_object(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as plain JSON values."""
    loaded, presence, found = diagnosis.loaded, diagnosis.presence, diagnosis.found
    return {
        "schema": SCHEMA,
        "ok": diagnosis.exit_code == 0,
        "config": {
            "file": None if loaded.config_file is None else str(loaded.config_file),
            "settings": {
                name: {"value": value, "origin": origin}
                for name, value, origin in shown_settings(loaded)
            },
            "notes": list(loaded.notes),
        },
        "tokens": presence._asdict() | {"problems": list(presence.problems)},
        "gateway": {
            "url": loaded.settings.url,
            "reachable": found.is_reachable,
            "version": found.health.version if found.health else None,
            "dialect": found.health.dialect if found.health else None,
            "clock_offset_s": found.health.clock_offset_s if found.health else None,
            "ahead_s": found.ahead_s,
        },
        "terminal": diagnosis.terminal._asdict(),
        "versions": dict(diagnosis.versions),
        "checks": [_check(check) for check in diagnosis.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    took_s = None if check.elapsed_s is None else round(check.elapsed_s, 4)
    return {**check._asdict(), "cure": check.cure or None, "elapsed_s": took_s}


def as_text(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as an aligned table, and what is wrong in a line at the end."""
    loaded, checks = diagnosis.loaded, map(_cells, diagnosis.checks)
    lines = [told_file(loaded), *aligned(shown_settings(loaded))]
    lines += [f"note: {note}" for note in loaded.notes]
    return "\n".join([*lines, "", *aligned(checks), "", _summary(diagnosis)])


def _cells(check: Check) -> tuple[str, ...]:
    took = "" if check.elapsed_s is None else f"{check.elapsed_s * 1000:.0f} ms"
    cure = f"; {check.cure}" if check.cure else ""
    return _WORDS[check.verdict], check.section, check.name, took, f"{check.detail}{cure}"


def _summary(diagnosis: Diagnosis) -> str:
    if not diagnosis.found.is_reachable:
        return f"The gateway at {diagnosis.loaded.settings.url} could not be looked at."
    if not diagnosis.wrong:
        return "All is well."
    return f"{len(diagnosis.wrong)} wrong: {', '.join(check.name for check in diagnosis.wrong)}"


def version_checks(found: Mapping[str, str | None]) -> Iterator[Check]:
    """Tell of each version."""
    for name, number in found.items():
        yield _judged("versions", name, number, number or "not installed", "install vp-tui again")


def _judged(
    section: str, name: str, fits: object, detail: str, cure: str, otherwise: Verdict = "wrong"
) -> Check:
    """Return a check that is `otherwise`, with a cure, unless something fits."""
    if fits:
        return Check(section, name, "ok", detail)
    return Check(section, name, otherwise, detail, cure)


def terminal(environ: Mapping[str, str], stdout: TextIO) -> Terminal:
    """Return what the environment and stdout say of the terminal."""
    columns = lines = None
    is_terminal = stdout.isatty()
    if is_terminal:
        columns, lines = os.get_terminal_size(stdout.fileno())
    return Terminal(
        is_terminal,
        short(environ.get("TERM", "")) or None,
        short(environ.get("COLORTERM", "")) or None,
        columns,
        lines,
        stdout.encoding,
        no_color=bool(environ.get("NO_COLOR")),
        tmux=bool(environ.get("TMUX")),
    )


def terminal_checks(seen: Terminal) -> Iterator[Check]:
    """Tell what the screen needs and what the terminal has; only a terminal can be wrong."""
    judged = partial(_judged, "terminal", otherwise="wrong" if seen.is_terminal else "note")
    cure = "set TERM to what the terminal is, such as xterm-256color"
    yield judged("TERM", seen.term not in {None, "dumb"}, seen.term or "not set", cure)
    yield Check("terminal", "COLORTERM", "note", seen.colorterm or "not set: 256 colours or fewer")
    if seen.columns is None or seen.lines is None:
        yield Check("terminal", "size", "note", "stdout is no terminal")
    else:
        fits = seen.columns >= SMALLEST[0] and seen.lines >= SMALLEST[1]
        cure = "make it {}x{} or larger".format(*SMALLEST)
        yield judged("size", fits, f"{seen.columns}x{seen.lines}", cure)
    is_utf8 = (seen.encoding or "").lower().replace("-", "") == "utf8"
    said = "UTF-8" if is_utf8 else seen.encoding or "unknown"
    yield judged("encoding", is_utf8, said, "use a UTF-8 locale, such as C.UTF-8")
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
        for name, look in (("evidence log", _log_read), ("log writable", _log_written)):
            try:
                yield look(settings.evidence)
            except EvidenceError as error:
                yield Check("files", name, "wrong", error.failure.reason, error.failure.cure)
        yield from _spool(places.spool, settings.evidence)
    if settings.continuity_report is not None:
        report = read_report(settings.continuity_report)
        if isinstance(report, UnreadReport):
            said, cure = report.failure.reason, report.failure.cure
            yield Check("files", "suites' report", "wrong", f"{report.file}: {said}", cure)
        else:
            told = f"{report.file}: {report.tests} ran, {report.failures} failed"
            yield Check("files", "suites' report", "ok", told)
    yield _recordings(settings, places.recordings)
    yield _state(places.state)


def _recordings(settings: Settings, directory: Path) -> Check:
    """Tell what the lane's recordings take on disk."""
    if not settings.record:
        return Check("files", "recordings", "note", "none are made: record = false")
    try:
        files = files_of(directory, gateway_id(settings.url), settings.vp_id)
        size = sum(file.stat().st_size for file in files)
    except OSError as error:
        why = error.strerror or type(error).__name__
        cure = "name a directory of your own with XDG_STATE_HOME, or leave them with --no-record"
        return Check("files", "recordings", "wrong", f"{literal(str(directory))}: {why}", cure)
    told = f"{counted(len(files), 'file')}, {size / 1e6:.1f} MB of at most {settings.record_max_mb}"
    return Check("files", "recordings", "ok", f"{literal(str(directory))}: {told}")


def _log_read(log: Path) -> Check:
    """Tell what is in the log. Raises EvidenceError."""
    shown = literal(str(log))
    table, _ = read_log(log)
    if not resolve(log).exists():
        return Check("files", "evidence log", "note", f"{shown}: not there, the first row makes it")
    if table.span is None and table.warnings:
        cure = "add heading and table, or choose another log"
        return Check("files", "evidence log", "wrong", f"{shown}: {table.warnings[0]}", cure)
    if table.damage is not None:
        cure = "mend it: no row is written into it until then without your word"
        return Check("files", "evidence log", "wrong", f"{shown}: {table.damage}", cure)
    odd = f", {len(table.warnings)} warnings" if table.warnings else ""
    return Check("files", "evidence log", "ok", f"{shown}: {counted(len(table.rows), 'row')}{odd}")


def _log_written(log: Path) -> Check:
    """Tell whether the log may be written. Raises EvidenceError."""
    refuse_unwritable(resolve(log))
    return Check("files", "log writable", "ok", "so it seems: nothing was written to try it")


def _spool(spool: Path, log: Path) -> Iterator[Check]:
    waiting = spooled_rows(spool, log)
    count = sum(row.is_missed for row in waiting.rows)
    told = f"{counted(count, 'row waits', 'rows wait')} for the log" if count else "none waits"
    cure = "the next row into that log takes them along"
    yield _judged("files", "kept rows", not count, told, cure)
    for lost in waiting.rows:
        if not lost.is_missed:
            told = f"{literal(lost.row.window)}, {literal(lost.row.date)}: recorded, not in the log"
            cure = "somebody took it out, perhaps: the rows that wait are shown on the screen"
            yield Check("files", "kept rows", "wrong", told, cure)
    for warning in waiting.warnings:
        yield Check("files", "kept rows", "wrong", warning)


def _state(state: Path) -> Check:
    """Tell whether the state directory can be written to, or made."""
    place = next(path for path in (state, *state.parents) if path.exists())
    shown = literal(str(place))
    if not place.is_dir():
        return Check(
            "files", "state directory", "wrong", f"{shown} is no directory", "move it away"
        )
    if not os.access(place, os.W_OK | os.X_OK):
        told, cure = f"{shown} may not be written to", "make it your own"
        return Check("files", "state directory", "wrong", told, cure)
    more = "" if place == state else ": not there, it is made when needed"
    return Check("files", "state directory", "ok", f"{literal(str(state))}{more}")
