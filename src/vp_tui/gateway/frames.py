"""WebSocket frames: cut down to what the dashboard uses, and to one line for the event list.

A frame may be 2 MB and thousands may come in a second: fields are picked by hand, texts are cut
before they are cleaned, and nothing of the payload is kept. Any frame yields a Frame; none raises.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from vp_tui.domain.models import Frame
from vp_tui.domain.text import clip, figure, fold, literal, took

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


TEXT_LIMIT: Final = 300
"""Characters of a Frame's `text`."""
QUERY_LIMIT: Final = 4_000
"""Characters of a prompt: enough to find the words that route it."""
UNREADABLE: Final = "unreadable"

_ID_LIMIT: Final = 200
_SHORT_ID: Final = 6
_VALUE_LIMIT: Final = 80
_FIELDS_SHOWN: Final = 12
_HUGE: Final = 10**15
_TOOL_SUBJECTS: Final = ("command", "file_path", "path", "pattern", "url", "query")
"""Inputs of a tool call that say best what it is about, best first."""
_FIELDS: Final = {
    "status": "status",
    "routing": "routing",
    "vp_mission_id": "mission_id",
    "source": "source",
    "turn_id": "turn_id",
    "tool_use_id": "tool_use_id",
}
"""Keys of a frame's data that become fields of a Frame, whatever its type."""

Data = dict[str, Any]


def parse_frame(raw: bytes | str) -> Frame:
    """Return one frame as sent by the gateway (docs/wire.md, section 8)."""
    size = len(raw) if isinstance(raw, bytes) else len(raw.encode(errors="surrogatepass"))
    try:
        message = _decode(raw)
    except (ValueError, RecursionError) as error:
        return _unreadable(size, f"not JSON: {error}")
    if not isinstance(message, dict):
        return _unreadable(size, "not an object")
    kind = literal(_text(message, "type", _ID_LIMIT))
    if not kind:
        return _unreadable(size, "an object without a type")
    data = message.get("data")
    if not isinstance(data, dict):
        data = {} if data is None else {"data": data}
    return _frame(kind, data, size)


def _frame(kind: str, data: Data, size: int) -> Frame:
    fields = _words(data, _FIELDS)
    if query := _text(data, "query", 2 * QUERY_LIMIT):
        fields["query"] = _line(query, QUERY_LIMIT)
    is_error = kind == "error" or data.get("completed") is False
    if kind == "tool_call":
        fields |= _words(data, {"name": "tool", "id": "tool_use_id"})
    elif kind == "tool_result":
        is_error = data.get("is_error") is True
    elif kind == "system_event":
        notice = _notice(data)
        fields |= _words(notice, {"kind": "status"})
        is_error = notice.get("severity") == "error"
    describe = _DESCRIBE.get(kind, _compact)
    return Frame(
        kind,
        _line(describe(data)) or kind,
        size,
        cancelled=data.get("cancelled") is True,
        is_error=is_error,
        **fields,
    )


def _decode(raw: bytes | str) -> object:
    """Decode JSON; the slow decoder takes what the fast one refuses, such as a lone surrogate."""
    try:
        return from_json(raw, cache_strings="keys")
    except ValueError:
        decoded: object = json.loads(raw)
        return decoded


def _unreadable(size: int, why: str) -> Frame:
    return Frame(kind=UNREADABLE, text=_line(why), size=size, is_error=True)


def _words(data: Data, names: Mapping[str, str]) -> dict[str, Any]:
    """Return those texts of `data` that are fields of a Frame, under the names they have there."""
    return {
        names[key]: literal(value[:_ID_LIMIT])
        for key, value in data.items()
        if key in names and isinstance(value, str) and value
    }


def _line(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` on one clean line of at most `limit` characters."""
    return clip(literal(fold(text[: 2 * limit])), limit)


def _text(data: Data, key: str, limit: int = 2 * TEXT_LIMIT) -> str:
    """Return the text under `key`, cut but not yet clean; "" if there is none."""
    value = data.get(key)
    return value[:limit] if isinstance(value, str) else ""


def _number(data: Data, key: str) -> int | float | None:
    value = data.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
        return value
    return None


def _join(*parts: str, by: str = ": ") -> str:
    return by.join(part for part in parts if part)


def _status(data: Data) -> str:
    status = _text(data, "status")
    if routing := _text(data, "routing"):
        mission, error = _text(data, "vp_mission_id")[-_SHORT_ID:], _text(data, "error")
        # An error that names the mission is not to stand beside a copy of the id.
        return _join(_join(routing, "" if mission in error else mission, by=" "), error)
    if query := _text(data, "query"):
        return _join(status, query)
    tools = _number(data, "tool_count")
    counted = status if tools is None else f"{status}, {figure(tools)} tools"
    return _join(counted, _text(data, "message")) or _compact(data)


def _tool_call(data: Data) -> str:
    given = data.get("input")
    subject = next(_texts(given), "") if isinstance(given, dict) else _text(data, "input")
    return _join(_text(data, "name") or "tool", subject, by=" ")


def _texts(given: Data) -> Iterator[str]:
    """Yield the texts of a tool's input, those first that say best what the call is about."""
    keys = (*_TOOL_SUBJECTS, *islice(given, _FIELDS_SHOWN))
    return (text for key in keys if (text := _text(given, key)))


def _tool_result(data: Data) -> str:
    failed = data.get("is_error") is True
    size = _number(data, "content_size")
    told = _text(data, "content_preview") if failed else ""
    return _join(
        "ERROR" if failed else "ok", "" if size is None else figure(size, ",", " B"), told, by=" "
    )


def _iteration_end(data: Data) -> str:
    seconds, tools = _number(data, "duration_seconds"), _number(data, "tool_calls")
    lasted = "" if seconds is None else took(seconds)
    done = _join(_text(data, "status"), lasted, by=" ")
    return _join(done, "" if tools is None else f"{figure(tools)} tools", by=", ")


def _query_complete(data: Data) -> str:
    if data.get("cancelled") is True:
        return "turn cancelled"
    return "turn ended, not completed" if data.get("completed") is False else "turn done"


def _notice(data: Data) -> Data:
    payload = data.get("payload")
    return payload if isinstance(payload, dict) else {}


def _system_event(data: Data) -> str:
    notice = _notice(data)
    return _join(_text(notice, "title"), _text(notice, "message")) or _compact(notice or data)


def _compact(data: Data) -> str:
    """Return the plain values of a frame that is not known, as `key=value key=value`."""
    shown = islice(data.items(), _FIELDS_SHOWN)
    pairs = ((key, _plain(data, key)) for key, _ in shown)
    return " ".join(f"{key[:_VALUE_LIMIT]}={value}" for key, value in pairs if value)


def _plain(data: Data, key: str) -> str:
    value = data[key]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value[:_VALUE_LIMIT]
    number = _number(data, key)
    return "" if number is None else f"{number:g}" if isinstance(number, float) else str(number)


_DESCRIBE: Final[dict[str, Callable[[Data], str]]] = {
    "cancelled": lambda data: _join("run cancelled", _text(data, "reason")),
    "connected": lambda data: _join("attached to", _text(data, "session_id"), by=" "),
    "error": lambda data: _text(data, "message") or _compact(data),
    "input_required": lambda data: _text(data, "question") or _compact(data),
    "iteration_end": _iteration_end,
    "query_complete": _query_complete,
    "session_info": lambda data: _text(data, "session_id"),
    "status": _status,
    "system_event": _system_event,
    "text": lambda data: _text(data, "text"),
    "thinking": lambda data: _text(data, "thinking"),
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "work_product": lambda data: _text(data, "path") or _compact(data),
}
