# ruff: noqa: ANN401 - values and annotations of any type

"""Frozen values as JSON and back, by their types alone.

    str, int, bool                      as JSON has them
    float                               as JSON has it; "inf", "-inf", "nan"
    datetime (aware)                    ISO 8601 in UTC
    StrEnum, Literal of texts           its text
    tuple[T, ...]                       list
    frozenset of texts                  list, sorted
    Mapping from texts                  object, in its order
    named tuple, dataclass              object, by its fields
    T | None                            null for None
    union of named tuples, dataclasses  the object, with the class's name as its "kind"

A field whose default is empty (None, False, 0, "", ()) is left out while it is at that default;
every other field is always there. So a value may get such a field later, and what was written
before stays readable. Reading refuses whatever was not written so, and says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from vp_tui.domain.text import clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


KIND: Final = "kind"
"""The key that tells the classes of a union apart."""

_KEY_LIMIT: Final = 60
"""Characters of a foreign key that are told."""
_ABSENT: Final = object()
_REQUIRED: Final = object()
"""In the place of a default: the field is always written. Equal to no value."""
_NOT_FINITE: Final = {repr(value): value for value in map(float, ("inf", "-inf", "nan"))}


class Misshapen(ValueError):  # noqa: N818 - named by what it is, as storage's errors
    """A JSON value that no value of the type was written as: where in it, and why not."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.why = why
        self.where = where

    def within(self, part: str) -> Misshapen:
        """Return the error as of the value that this one is a part of."""
        joint = "." if self.where and not self.where.startswith("[") else ""
        return Misshapen(self.why, f"{part}{joint}{self.where}")


class Codec(NamedTuple):
    """How values of one type are written and read."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    """Raises Misshapen."""


class Codecs:
    """The codecs of types, each built when it is first asked for.

    `names` are what annotations name and their modules do not import when they run.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        self._built: dict[Any, Codec] = dict(_SCALARS)

    def of(self, hint: Any) -> Codec:
        """Return the codec of a type. Raises TypeError for one of which no JSON is known."""
        codec = self._built.get(hint)
        if codec is None:
            codec = self._built[hint] = self._build(hint)
        return codec

    def _build(self, hint: Any) -> Codec:
        origin, inner = get_origin(hint), get_args(hint)
        if origin in {Union, UnionType}:
            codec = self._union(inner)
        elif _is_record(hint):
            codec = self._record(hint)
        elif _is_a(StrEnum, hint):
            codec = _word({member.value: member for member in hint})
        elif origin is Literal:
            codec = _word({word: word for word in inner})
        elif origin is tuple and inner[1:] == (Ellipsis,):
            codec = _tuple(self.of(inner[0]))
        elif origin is frozenset and _is_a(str, inner[0]):
            codec = _frozenset(self.of(inner[0]))
        elif origin is Mapping and _is_a(str, inner[0]):
            codec = _mapping(self.of(inner[0]), self.of(inner[1]))
        else:
            raise TypeError(f"no JSON is known of {hint!r}")
        return codec

    def _union(self, members: tuple[Any, ...]) -> Codec:
        some = tuple(member for member in members if member is not NoneType)
        codec = self.of(some[0]) if len(some) == 1 else self._any_of(some)
        return codec if len(some) == len(members) else _optional(codec)

    def _any_of(self, kinds: tuple[Any, ...]) -> Codec:
        by_name = {kind.__name__: kind for kind in kinds if _is_record(kind)}
        if len(by_name) != len(kinds) or any(KIND in kind.__annotations__ for kind in kinds):
            raise TypeError(f"no JSON tells these apart: {kinds!r}")
        of = self.of

        def encode(value: Any) -> dict[str, Any]:
            kind = type(value)
            if by_name.get(kind.__name__) is not kind:
                raise TypeError(f"{kind.__name__} is none of these")
            return {KIND: kind.__name__, **of(kind).encode(value)}

        def decode(value: object) -> Any:
            if type(value) is not dict:
                raise Misshapen("no object")
            name = value.get(KIND)
            if type(name) is not str or name not in by_name:
                raise Misshapen("none of the kinds there are", KIND)
            told = {key: part for key, part in value.items() if key != KIND}
            return _part(of(by_name[name]).decode, told, name)

        return Codec(encode, decode)

    def _record(self, kind: Any) -> Codec:
        hints = get_type_hints(kind, localns=self._names)
        names, defaults = zip(*_fields_of(kind), strict=True)
        codecs = [self.of(hints[name]) for name in names]
        at_work = [
            (name, codec.encode)
            for name, codec in zip(names, codecs, strict=True)
            if codec.encode is not _as_it_is
        ]
        parts = list(zip(names, defaults, [codec.decode for codec in codecs], strict=True))
        is_tuple = issubclass(kind, tuple)
        cells_of = _as_it_is if is_tuple else lambda value: [getattr(value, name) for name in names]

        def encode(value: Any) -> dict[str, Any]:
            # All that a recording costs is here: one pass over all fields, and only those that
            # JSON has not as they are once more.
            cells = zip(names, cells_of(value), defaults, strict=True)
            told = {name: cell for name, cell, default in cells if cell != default}
            for name, encode_cell in at_work:
                if name in told:
                    told[name] = encode_cell(told[name])
            return told

        def decode(value: object) -> Any:
            return kind(*_cells(value, parts))

        return Codec(encode, decode)


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_field_defaults"))


def _is_a(kind: type, hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, kind)


def _fields_of(kind: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field with its default where that is empty, else with _REQUIRED."""
    if is_dataclass(kind):
        defaults = {field.name: field.default for field in fields(kind)}
    else:
        defaults = {name: kind._field_defaults.get(name, MISSING) for name in kind._fields}
    for name, default in defaults.items():
        yield name, _REQUIRED if default is MISSING or default else default


def _cells(value: object, parts: Iterable[tuple[str, Any, Callable[[Any], Any]]]) -> list[Any]:
    """Return the fields of an object in their order."""
    if type(value) is not dict:
        raise Misshapen("no object")
    cells, absent = [], 0
    for name, default, decode in parts:
        cell = value.get(name, _ABSENT)
        if cell is not _ABSENT:
            cells.append(_part(decode, cell, name))
        elif default is _REQUIRED:
            raise Misshapen("is missing", name)
        else:
            cells.append(default)
            absent += 1
    if len(value) + absent > len(cells):
        known = {name for name, _default, _decode in parts}
        surplus = next(key for key in value if key not in known)
        raise Misshapen(f"there is no field {_shown(surplus)}")
    return cells


def _part(decode: Callable[[Any], Any], value: object, where: str) -> Any:
    try:
        return decode(value)
    except Misshapen as error:
        raise error.within(where) from None


def _shown(key: object) -> str:
    return clip(repr(key), _KEY_LIMIT)


def _as_it_is(value: Any) -> Any:
    return value


def _optional(codec: Codec) -> Codec:
    encode, decode = codec

    def encode_some(value: Any) -> Any:
        return None if value is None else encode(value)

    def decode_some(value: object) -> Any:
        return None if value is None else decode(value)

    return Codec(_as_it_is if encode is _as_it_is else encode_some, decode_some)


def _tuple(codec: Codec) -> Codec:
    encode, decode = codec

    def encode_all(values: Iterable[Any]) -> list[Any]:
        return list(map(encode, values))

    return Codec(
        list if encode is _as_it_is else encode_all,
        lambda value: tuple(_decoded(value, decode)),
    )


def _frozenset(codec: Codec) -> Codec:
    return Codec(
        lambda values: sorted(map(codec.encode, values)),
        lambda value: frozenset(_decoded(value, codec.decode)),
    )


def _decoded(value: object, decode: Callable[[Any], Any]) -> Iterator[Any]:
    if type(value) is not list:
        raise Misshapen("no list")
    for place, cell in enumerate(value):
        yield _part(decode, cell, f"[{place}]")


def _mapping(of_key: Codec, of_value: Codec) -> Codec:
    def encode(values: Mapping[Any, Any]) -> dict[str, Any]:
        return {of_key.encode(key): of_value.encode(value) for key, value in values.items()}

    def decode(value: object) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Misshapen("no object")
        told = {}
        for key, cell in value.items():
            where = f"[{_shown(key)}]"
            told[_part(of_key.decode, key, where)] = _part(of_value.decode, cell, where)
        return told

    return Codec(encode, decode)


def _word(by_text: Mapping[str, str]) -> Codec:
    """Return the codec of some texts, by what they are written as."""

    def decode(value: object) -> str:
        if type(value) is not str or value not in by_text:
            raise Misshapen(f"none of {', '.join(by_text)}")
        return by_text[value]

    return Codec(str, decode)


def _plain(kind: type, why_not: str) -> Codec:
    def decode(value: object) -> Any:
        if type(value) is not kind:
            raise Misshapen(why_not)
        return value

    return Codec(_as_it_is, decode)


def _decode_text(value: object) -> str:
    if isinstance(value, str):  # of an enum too, where a word of one stands for a text
        return value
    raise Misshapen("no text")


def _encode_number(value: float) -> float | str:
    return value if value - value == 0 else repr(value)


def _decode_number(value: object) -> float:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return value
    if type(value) is str and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    raise Misshapen("no number")


def _encode_stamp(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a stamp without a zone")
    return value.astimezone(UTC).isoformat()


def _decode_stamp(value: object) -> datetime:
    try:
        stamp = datetime.fromisoformat(_decode_text(value))
        if stamp.tzinfo is not None:
            return stamp.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Misshapen("no stamp with a zone")


_SCALARS: Final = {
    str: Codec(_as_it_is, _decode_text),
    bool: _plain(bool, "neither true nor false"),
    int: _plain(int, "no whole number"),
    float: Codec(_encode_number, _decode_number),
    datetime: Codec(_encode_stamp, _decode_stamp),
}
