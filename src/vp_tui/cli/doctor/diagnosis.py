"""`vp-tui doctor`: whether all is there that watching takes, and what helps where it is not."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.console import say, settings_of
from vp_tui.cli.doctor.gateway import Found, clock_checks, examine
from vp_tui.cli.doctor.machine import (
    Check,
    Terminal,
    file_checks,
    terminal,
    terminal_checks,
    token_checks,
    version_checks,
    versions,
)
from vp_tui.cli.show import ShownSetting, shown_settings
from vp_tui.cli.wiring import credentials_of
from vp_tui.domain.text import literal
from vp_tui.storage.places import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.domain.models import TokenPresence
    from vp_tui.storage.places import Places


SCHEMA: Final = 1
EXIT_WELL: Final = 0
EXIT_WRONG: Final = 1
EXIT_COULD_NOT_LOOK: Final = 2
_WORDS: Final = {"ok": "ok", "wrong": "WRONG", "note": "-"}
_MS: Final = 1000


class Diagnosis(NamedTuple):
    """All that was found."""

    config_file: Path | None
    settings: tuple[ShownSetting, ...]
    notes: tuple[str, ...]
    """What is odd about the configuration."""
    presence: TokenPresence
    url: str
    found: Found
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
        if not self.found.is_reachable:
            return EXIT_COULD_NOT_LOOK
        return EXIT_WRONG if self.wrong else EXIT_WELL


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
    return Diagnosis(
        loaded.config_file,
        tuple(shown_settings(loaded)),
        loaded.notes,
        presence,
        settings.url,
        found,
        shown,
        installed,
        checks,
    )


def as_object(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as plain JSON values."""
    health = diagnosis.found.health
    return {
        "schema": SCHEMA,
        "ok": diagnosis.exit_code == EXIT_WELL,
        "config": {
            "file": None if diagnosis.config_file is None else str(diagnosis.config_file),
            "settings": {
                shown.name: {"value": shown.value, "origin": shown.origin}
                for shown in diagnosis.settings
            },
            "notes": list(diagnosis.notes),
        },
        "tokens": {
            "ops": diagnosis.presence.ops,
            "internal": diagnosis.presence.internal,
            "problems": list(diagnosis.presence.problems),
        },
        "gateway": {
            "url": diagnosis.url,
            "reachable": diagnosis.found.is_reachable,
            "version": health.version if health else None,
            "dialect": health.dialect if health else None,
            "clock_offset_s": health.clock_offset_s if health else None,
            "ahead_s": diagnosis.found.ahead_s,
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
    file = literal(str(diagnosis.config_file)) if diagnosis.config_file else "none"
    settings = [(shown.name, shown.value, shown.origin) for shown in diagnosis.settings]
    lines = [f"configuration file: {file}", *_aligned(settings)]
    lines += [f"note: {note}" for note in diagnosis.notes]
    lines += ["", *_aligned([_cells(check) for check in diagnosis.checks]), "", _summary(diagnosis)]
    return "\n".join(lines)


def _cells(check: Check) -> tuple[str, ...]:
    took = "" if check.elapsed_s is None else f"{check.elapsed_s * _MS:.0f} ms"
    cure = f"; {check.cure}" if check.cure else ""
    return _WORDS[check.verdict], check.section, check.name, took, f"{check.detail}{cure}"


def _summary(diagnosis: Diagnosis) -> str:
    if not diagnosis.found.is_reachable:
        return f"The gateway at {diagnosis.url} could not be looked at."
    if not diagnosis.wrong:
        return "All is well."
    return f"{len(diagnosis.wrong)} wrong: {', '.join(check.name for check in diagnosis.wrong)}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows with their columns under one another, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()
