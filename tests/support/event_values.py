"""Any value that an event can hold, made by its type: a new kind of event is made without a word.

Types are found as the annotations of the whole domain name them, by a way of its own: what the
codec leaves out is not left out here.
"""

# ruff: noqa: ANN401 - annotations, and values of any type

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from vp_tui import domain
from vp_tui.domain.events import Event

KINDS: Final[tuple[Any, ...]] = get_args(Event)
"""The classes of all events there are."""
FEW: Final = 3
"""Members that a collection has at most."""
_STAMPS: Final = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-6))]),
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
)
_SCALARS: Final[Mapping[Any, st.SearchStrategy[Any]]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    datetime: _STAMPS,
    NoneType: st.none(),
}


def _domain_names() -> dict[str, Any]:
    names: dict[str, Any] = {"Mapping": Mapping, "datetime": datetime}
    for found in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        names.update(vars(importlib.import_module(found.name)))
    return names


_NAMES: Final = _domain_names()


@cache
def fields_of(kind: Any) -> dict[str, Any]:
    """Return the fields of a class with their types."""
    hints = get_type_hints(kind, localns=_NAMES)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
    return {name: hints[name] for name in names}


@cache
def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Return the strategy that makes values of a type."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if (generic := _generic(get_origin(hint), get_args(hint))) is not None:
        return generic
    if issubclass(hint, Enum):
        return st.sampled_from(tuple(hint))
    return st.builds(hint, **{name: values_of(part) for name, part in fields_of(hint).items()})


def _generic(origin: Any, inner: tuple[Any, ...]) -> st.SearchStrategy[Any] | None:
    if origin in {Union, UnionType}:
        return st.one_of(*map(values_of, inner))
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(values_of(inner[0]), max_size=FEW).map(tuple)
    if origin is frozenset:
        return st.frozensets(values_of(inner[0]), max_size=FEW)
    if origin is Mapping:
        return st.dictionaries(*map(values_of, inner), max_size=FEW)
    return None


def typed(value: Any) -> Any:
    """Return the value with the class of each part: equal parts of two classes differ."""
    if isinstance(value, Mapping):
        return "mapping", [(typed(key), typed(part)) for key, part in value.items()]
    if isinstance(value, frozenset):
        return frozenset(map(typed, value))
    if is_dataclass(value):
        return type(value), [typed(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple):
        return type(value), [typed(part) for part in value]
    return datetime if isinstance(value, datetime) else type(value), value
