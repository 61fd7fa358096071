"""`vp-tui doctor`: whether all is there that watching takes, and what helps where it is not."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.console import aligned, say, settings_of, told_file
from vp_tui.cli.crash import versions
from vp_tui.cli.doctor import machine
from vp_tui.cli.doctor.gateway import Examination, clock_checks, examine
from vp_tui.cli.show import shown_settings
from vp_tui.cli.wiring import credentials_of
from vp_tui.storage.places import places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.doctor.machine import Check, Terminal
    from vp_tui.domain.models import TokenPresence
    from vp_tui.storage.places import Places


SCHEMA: Final = 1
_WORDS: Final = {"ok": "ok", "wrong": "WRONG", "note": "-"}


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
    shown, installed = machine.terminal(environ, stdout), versions()
    checks = (
        *machine.token_checks(presence),
        *found.checks,
        *clock_checks(found),
        *machine.file_checks(settings, places),
        *machine.terminal_checks(shown),
        *machine.version_checks(installed),
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
