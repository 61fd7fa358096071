"""Recordings: each event is a line of JSON, `{"kind": …, "at": seconds, …}`.

The kind is the name of the event's class, `at` its moment on the monotonic clock; how the values in
it are written, `typed_json` says. What is written here reads back as an equal event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, get_args

from vp_tui.domain import events, missions, models
from vp_tui.domain import orders as audit
from vp_tui.domain.events import Event
from vp_tui.domain.lane import auto_revert, mode, probe, switch_proof, switches, turn_proof
from vp_tui.domain.rollout import evidence_row, verdicts, windows
from vp_tui.domain.runs import alarms, cancels, turns
from vp_tui.domain.text import clip, literal
from vp_tui.storage.typed_json import KIND, Codecs, Misshapen

KINDS: Final = frozenset(kind.__name__ for kind in get_args(Event))

_NAME_LIMIT: Final = 60
"""Characters of a foreign kind's name that are told."""
_DOMAIN: Final = (
    audit, events, missions, models, auto_revert, mode, probe, switch_proof, switches, turn_proof,
    evidence_row, verdicts, windows, alarms, cancels, turns,
)  # fmt: skip
_NAMES: Final[Mapping[str, Any]] = {
    name: value for module in _DOMAIN for name, value in vars(module).items()
} | {"Mapping": Mapping, "datetime": datetime}
"""What the annotations of events and of all that they hold may name."""
_EVENT: Final = Codecs(_NAMES).of(Event)
_WRITER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
)


class UnknownKind(ValueError):  # noqa: N818 - named by what it is, as Misshapen
    """An event of a kind that this vp-tui does not know: another one wrote it."""

    def __init__(self, kind: str) -> None:
        self.kind = clip(literal(kind), _NAME_LIMIT)
        super().__init__(f"no kind of event is called {self.kind}")


def to_json(event: Event) -> dict[str, Any]:
    """Return the event as plain JSON values, its kind first."""
    told: dict[str, Any] = _EVENT.encode(event)
    return told


def from_json(value: object) -> Event:
    """Return the event that `to_json` gave.

    Raises UnknownKind for one of another kind, and Misshapen, which names the place, for whatever
    else was not written so.
    """
    if type(value) is dict and type(kind := value.get(KIND)) is str and kind not in KINDS:
        raise UnknownKind(kind)
    event: Event = _EVENT.decode(value)
    return event


def to_line(event: Event) -> str:
    """Return the event as a line of JSON, without its end; half a surrogate pair stays in it."""
    return _WRITER.encode(_EVENT.encode(event))


def from_line(line: str | bytes) -> Event:
    """Return the event that `to_line` gave. Raises UnknownKind and Misshapen as `from_json`."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise Misshapen("no JSON") from None
    return from_json(value)
