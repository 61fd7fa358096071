"""The crash report: what a bug needs to be found, without locals and without secrets."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import traceback
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from vp_tui import __version__
from vp_tui.cli.arguments import parse
from vp_tui.cli.console import narrate, settings_of
from vp_tui.domain.text import literal
from vp_tui.storage.atomic import make_private
from vp_tui.storage.places import state_dir
from vp_tui.storage.recording import to_line
from vp_tui.storage.redaction import scrubbed, scrubbed_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vp_tui.domain.events import Event


EVENT_LIMIT: Final = 20_000
"""Characters of an event's line; a longer one is cut to kind and moment."""
LAST_EVENTS: Final = "last events, oldest first:"

LIBRARIES: Final = ("textual", "httpx", "websockets", "pydantic")
_TOKEN_VARIABLES: Final = ("UA_OPS_TOKEN", "UA_INTERNAL_API_TOKEN")


def tell_crash(error: Exception, words: Sequence[str]) -> None:
    """Write the report of a command, and tell on stderr where it is; never raises."""
    name = type(error).__name__
    try:
        path = _written(error, words)
    except OSError as problem:
        narrate(f"ERROR: vp-tui crashed ({name}), and no report could be written: {problem}")
    else:
        narrate(f"ERROR: vp-tui crashed ({name}); the report is {literal(str(path))}")


def kept_report(error: Exception, words: Sequence[str]) -> str:
    """Write the report of a bug that took down a part; return its path, or why there is none."""
    try:
        return literal(str(_written(error, words)))
    except OSError as problem:
        return f"none: it cannot be written, {problem.strerror}"


def _written(error: Exception, words: Sequence[str]) -> Path:
    """Write the report of a command, without its tokens. Raises OSError."""
    now, secrets = datetime.now(UTC), list[str]()
    with contextlib.suppress(Exception):  # the bug may be in here
        from vp_tui.cli.wiring import token_values  # noqa: PLC0415 - it too

        secrets = token_values(settings_of(parse(words)).settings)
    return crash_report(error, argv=words, environ=os.environ, now=now, secrets=secrets)


def crash_report(
    error: BaseException,
    *,
    argv: Sequence[str],
    environ: Mapping[str, str],
    now: datetime,
    secrets: Iterable[str] = (),
) -> Path:
    """Write the report to a file that only its owner can read, and return its path.

    `secrets` are hidden wherever they stand; so are the tokens in `environ`, and what looks like
    one. Raises OSError.
    """
    known = [*secrets, *(environ.get(name, "") for name in _TOKEN_VARIABLES)]
    lines = [scrubbed(line, known) for line in _lines(error, argv, now)]
    recent: tuple[Event, ...] | None = getattr(error, "recent_events", None)
    if recent is not None:
        lines.append(LAST_EVENTS if recent else f"{LAST_EVENTS} none")
        lines += [_event_line(event, known) for event in recent]
    directory = state_dir(environ)
    make_private(directory)
    path = directory / f"crash-{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, no path
        file.write("\n".join([*lines, ""]))
    return path


def _event_line(event: Event, known: Collection[str]) -> str:
    """Return an event as JSON, scrubbed."""
    told: dict[str, Any] = {"kind": type(event).__name__}
    try:
        line = literal(to_line(event))
        if len(line) <= EVENT_LIMIT:
            told = json.loads(line)
        else:
            told |= {"at": event.at, "characters_left_out": len(line)}
    except Exception as error:  # noqa: BLE001 - the crash is what counts, and this may be its cause
        told["unwritable"] = type(error).__name__
    told = scrubbed_texts(told, known)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _lines(error: BaseException, argv: Sequence[str], now: datetime) -> Iterator[str]:
    installed = versions()
    yield f"vp-tui {__version__} crashed at {now.isoformat()}"
    yield f"Python {platform.python_version()} on {platform.platform()}"
    yield ", ".join(f"{name} {installed[name] or 'not installed'}" for name in LIBRARIES)
    yield f"arguments: {literal(' '.join(argv))}"
    yield ""
    trace = traceback.TracebackException.from_exception(error, capture_locals=False)
    for chunk in trace.format():
        yield from map(literal, chunk.splitlines())


def versions() -> dict[str, str | None]:
    """Return the version of vp-tui, of Python and of each library; None: it is not installed."""
    found: dict[str, str | None] = {"vp-tui": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
