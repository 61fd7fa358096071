"""What asks no gateway: `config show` and `schema`, `evidence show` and `verify`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from vp_tui.cli.config.kinds import Setting
from vp_tui.cli.config.load import value_of
from vp_tui.cli.config.settings import GATEWAY_KEYS, SETTINGS, TOP_KEYS, Settings
from vp_tui.cli.console import aligned, narrate, say, told_file, told_settings
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import Secret
from vp_tui.storage.evidence_log import read_log, resolve
from vp_tui.storage.places import places
from vp_tui.storage.records import records_path
from vp_tui.storage.verification import not_vouched_for, verify

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.config.settings import Keys
    from vp_tui.storage.verification import RowCheck


def config_show(arguments: Arguments) -> int:
    """Print every setting with where it came from; return the exit code."""
    loaded = told_settings(arguments)
    say("\n".join(aligned(shown_settings(loaded))))
    narrate(told_file(loaded))
    return 0


def config_schema(_arguments: Arguments) -> int:
    """Print what the configuration file may say; return the exit code."""
    say(json.dumps(schema(), indent=2))
    return 0


def shown_settings(loaded: Loaded) -> list[tuple[str, str, str]]:
    """Return each setting's name, value in words and origin; a token is never shown."""
    return [
        (name, _shown(value_of(loaded.settings, name)), loaded.origins[name]) for name in SETTINGS
    ]


def _shown(value: object) -> str:
    if value in {None, "", ()}:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = ", ".join(f'"{each}"' for each in value)
        return literal(f"[{value}]")
    return "(hidden)" if isinstance(value, Secret) else literal(str(value))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file."""
    gateway = {**_schema(GATEWAY_KEYS), "required": ["url"]}
    del gateway["properties"]["url"]["default"]  # each has its own
    top = _schema(TOP_KEYS)
    top["properties"] = {
        "default_gateway": {"type": "string", "description": "the gateway that is watched"},
        "gateways": {"type": "object", "additionalProperties": gateway},
        **top["properties"],
    }
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "title": "vp-tui's configuration file", **top}


def _schema(keys: Keys) -> dict[str, Any]:
    properties = {
        key: _property(inner) if isinstance(inner, Setting) else _schema(inner)
        for key, inner in keys.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(setting: Setting) -> dict[str, Any]:
    unit = "seconds " if setting.metavar == "SECONDS" else ""  # begins the sentence in the help
    told = {**setting.kind.schema, "description": f"{unit}{setting.help}"}
    default = value_of(Settings(), setting.name)
    has_one = isinstance(default, bool | int | float | str) and default != ""
    return told | {"default": default} if has_one else told


_SHOWN: Final = {
    "line": "line",
    "date": "date (UTC)",
    "fallback_rate": "rate",
    "p95_latency": "p95",
    "decision": "decision",
    "window": "window",
}
"""The cells that `evidence show` shows, with their headings."""
_STATES: Final = ("ok", "unverified", "MISMATCH")


def evidence_show(arguments: Arguments) -> int:
    """Print the rows of a log; return the exit code. Raises EvidenceError."""
    shown = show(arguments.options["log"])
    if arguments.options["json"]:
        say(json.dumps(shown, indent=2))
    else:
        rows = [[literal(str(row[name])) for name in _SHOWN] for row in shown["rows"]]
        say("\n".join(aligned([list(_SHOWN.values()), *rows])))
        for warning in shown["warnings"]:
            narrate(f"WARNING: {literal(warning)}")
    return 0


def evidence_verify(arguments: Arguments) -> int:
    """Print whether each row is as recorded; return the exit code. Raises EvidenceError."""
    log, heads = arguments.options["log"], places(os.environ).heads
    lines, code = verify_report(log, heads)
    say("\n".join(lines))
    for warning in filter(None, (*read_log(log)[0].warnings, not_vouched_for(log, heads))):
        narrate(f"WARNING: {warning}")
    return code


def show(log: Path) -> dict[str, Any]:
    """Return the rows of `log`, cells unescaped, and what is odd in it, as an object for JSON.

    Raises EvidenceError when there is no such file or it cannot be read.
    """
    table, _ = read_log(log, must_exist=True, is_whole=True)
    rows = [asdict(row.row) | {"line": row.line} for row in table.rows]
    return {"rows": rows, "warnings": list(table.warnings)}


def verify_report(log: Path, heads: Path | None = None) -> tuple[list[str], int]:
    """Return a line per row of `log` and a summary, and the exit code: 1 on any MISMATCH.

    Raises EvidenceError when there is neither log nor records, or they cannot be read.
    """
    read_log(log, must_exist=not records_path(resolve(log)).exists())
    checks = verify(log, cells_from_snapshot, heads)
    counts = {state: sum(found.state == state for found in checks) for state in _STATES}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines = [*map(_line, checks), f"{len(checks)} checked: {told}"]
    return lines, int(counts["MISMATCH"] > 0)


def _line(found: RowCheck) -> str:
    where = "not in log" if found.line is None else f"line {found.line}"
    reason = f": {found.reason}" if found.reason else ""
    return f"{found.state:<10}  {where:<10}  {literal(found.window)}{literal(reason)}"
