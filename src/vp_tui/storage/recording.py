"""Recordings: each event is a line of JSON, `{"kind": …, "at": seconds, …}`.

The kind is the name of the event's class, `at` its moment on the monotonic clock; how the values in
it are written, `typed_json` says. What is written here reads back as an equal event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, get_args

from vp_tui.domain import events, missions, models
from vp_tui.domain import orders as audit
from vp_tui.domain.events import Event
from vp_tui.domain.lane import auto_revert, mode, probe, switch_proof, switches, turn_proof
from vp_tui.domain.rollout import evidence_row, verdicts, windows
from vp_tui.domain.runs import alarms, cancels, turns
from vp_tui.domain.text import clip, literal
from vp_tui.storage.redaction import MAY_LOOK_SECRET, scrubbed_texts
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


class Line(NamedTuple):
    """An event as it is written down."""

    told: dict[str, Any]
    text: str


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
    return as_text(to_json(event))


def as_text(value: object) -> str:
    """Return plain JSON values as a line, without its end."""
    return _WRITER.encode(value)


def from_line(line: str | bytes) -> Event:
    """Return the event that `to_line` gave. Raises UnknownKind and Misshapen as `from_json`."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise Misshapen("no JSON") from None
    return from_json(value)


LEFT_OUT: Final = "(left out)"
_PRIVATE: Final = frozenset({"text", "query", "objective", "description", "prompt", "lines"})
"""Fields of prompts, of what runs and engineers say, and of logs."""


class Writer:
    """Tells events as JSON without the tokens, as they are whenever they are read.

    Where it is to `redact`, prompts, texts and log lines stay out too.
    """

    def __init__(self, secrets: Callable[[], Collection[str]], *, redact: bool = False) -> None:
        self._read = secrets
        self._redact = redact
        self._secrets: Collection[str] = ()
        self._written_so: list[str] = []
        self._read_secrets()

    def written(self, event: Event) -> Line:
        """Return the event as it is written down."""
        if isinstance(event, events.TokensRead):
            self._read_secrets()
        told = to_json(event)
        if self._redact:
            told = _without_texts(told)
        text = as_text(told)
        if MAY_LOOK_SECRET.search(text) or any(each in text for each in self._written_so):
            told = scrubbed_texts(told, self._secrets)
            text = as_text(told)
        return Line(told, text)

    def _read_secrets(self) -> None:
        self._secrets = self._read()
        self._written_so = [as_text(each)[1:-1] for each in self._secrets]


def _without_texts(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {
            key: _blank(each) if key in _PRIVATE else _without_texts(each)
            for key, each in value.items()
        }
    return [_without_texts(each) for each in value] if isinstance(value, list) else value


def _blank(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands for a text, or for each of several."""
    if isinstance(value, list):
        return [_blank(each) for each in value]
    return LEFT_OUT if isinstance(value, str) and value else value


_AGAIN: Final = "again"
"""The key of a run of items that stand in the like line: `{"again": [from, to]}`."""
_SAME: Final = {_AGAIN: True}
"""What stands for a whole list or object that is as it was there."""


def unlike(value: Any, base: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what says `value` to whom knows `base`: runs of the same items are named, not told."""
    if isinstance(value, dict) and isinstance(base, dict):
        return {
            key: _SAME
            if each and isinstance(each, dict | list) and each == base.get(key)
            else unlike(each, base.get(key))
            for key, each in value.items()
        }
    if not (isinstance(value, list) and isinstance(base, list)):
        return value
    places = {key: place for place, each in enumerate(base) if (key := _key(each)) is not None}
    told: list[Any] = []
    for each in value:
        key = _key(each)
        place = None if key is None else places.get(key)
        if place is None:
            told.append(each)
        elif told and type(told[-1]) is _Run and told[-1][_AGAIN][1] == place:
            told[-1][_AGAIN][1] += 1
        else:
            told.append(_Run({_AGAIN: [place, place + 1]}))
    return told


def alike(value: Any, base: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value that `unlike` gave this of. Raises Misshapen."""
    if isinstance(value, dict) and isinstance(base, dict):
        return {
            key: base.get(key) if each == _SAME else alike(each, base.get(key))
            for key, each in value.items()
        }
    if not (isinstance(value, list) and isinstance(base, list)):
        return value
    told: list[Any] = []
    for each in value:
        run = each.get(_AGAIN) if isinstance(each, dict) else None
        if run is None:
            told.append(each)
        elif isinstance(run, list) and [*map(type, run)] == [int, int]:
            told += base[max(run[0], 0) : run[1]]
        else:
            raise Misshapen("no run of items", _AGAIN)
    return told


class _Run(dict[str, list[int]]):
    """Tells a run from an item."""


def _key(item: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what is equal of equal objects, None of what has none."""
    if not isinstance(item, dict):
        return None
    key = tuple(item.items())
    try:
        hash(key)
    except TypeError:
        return None
    return key
