"""How far each source may be trusted now: live, stale, down, unauthorized, or nothing yet.

`now` is the monotonic clock in seconds. A figure is only as good as the source it comes from.
`while_same` keeps what was made of a state until an argument is another one.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, TypeVar

from vp_tui.domain.models import Failure, Plane, Source, StreamState
from vp_tui.domain.runs.levels import stuck_after
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.state.state import Link, SourceStatus, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


STALE_AFTER_INTERVALS: Final = 2
OFTEN_ASKED: Final = (Source.METRICS, Source.SESSIONS)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class SourceWord(StrEnum):
    """How far a source's data may be trusted now."""

    LIVE = "live"
    STALE = "stale"
    DOWN = "down"
    UNAUTHORIZED = "unauthorized"
    IDLE = "idle"
    """Nothing asked yet, or nothing to ask."""


class SourceView(NamedTuple):
    """One source: its state, and the age of its newest data in seconds (None: no data)."""

    name: str
    word: SourceWord
    age_s: float | None
    is_fresh: bool
    """Whether the newest data is at most two intervals old, wherever it came from."""
    plane: Plane
    failure: Failure | None = None

    @property
    def has_substitute(self) -> bool:
        """The plane asked first refuses, and another one answers instead."""
        refused = self.word is SourceWord.UNAUTHORIZED
        return refused and self.is_fresh and self.plane is not Plane.OPS

    @property
    def is_current(self) -> bool:
        """Whether the data may be taken for what is so now."""
        return self.word is SourceWord.LIVE or self.has_substitute


class StreamsView(NamedTuple):
    """All sockets together."""

    word: SourceWord
    live: int
    wanted: int
    age_s: float | None
    reason: str


def source_view(state: State, source: Source, now: float) -> SourceView:
    """Return the state of a polled source."""
    status = state.sources.get(source, SourceStatus())
    return _source_view(str(source), status, _interval_s(state, source), now)


def log_view(state: State, log_id: str, now: float) -> SourceView:
    """Return the state of one tailed log."""
    status = state.log_sources.get(log_id, SourceStatus())
    return _source_view(log_id, status, _interval_s(state, Source.LOG), now)


def _interval_s(state: State, source: Source) -> float:
    return state.watch.intervals[source] * state.poll_factor


def _source_view(name: str, status: SourceStatus, interval_s: float, now: float) -> SourceView:
    age_s = None if status.answered_at is None else max(now - status.answered_at, 0.0)
    is_fresh = age_s is not None and age_s <= STALE_AFTER_INTERVALS * interval_s
    word = _word(status, is_fresh=is_fresh)
    return SourceView(name, word, age_s, is_fresh, status.plane, status.failure)


def _word(status: SourceStatus, *, is_fresh: bool) -> SourceWord:
    if status.failure is not None:
        return SourceWord.UNAUTHORIZED if status.failure.unauthorized else SourceWord.DOWN
    if status.answered_at is None:
        return SourceWord.IDLE
    return SourceWord.LIVE if is_fresh else SourceWord.STALE


def streams_view(state: State, now: float) -> StreamsView:
    """Return the state of all sockets together: live only when every wanted one is."""
    links = [link for link in state.links.values() if link.state is not StreamState.GONE]
    live = sum(link.state is StreamState.LIVE for link in links)
    frames = [link.last_frame_at for link in links if link.last_frame_at is not None]
    age_s = max(now - max(frames), 0.0) if frames else None
    reason = next((link.reason for link in links if link.reason), "")
    return StreamsView(_streams_word(links, live), live, len(links), age_s, reason)


def _streams_word(links: Collection[Link], live: int) -> SourceWord:
    """Judge them by the worst; a socket that is just being opened says nothing yet."""
    states = {link.state for link in links} - {StreamState.CONNECTING}
    if states <= {StreamState.LIVE}:
        return SourceWord.LIVE if live else SourceWord.IDLE
    if StreamState.UNAUTHORIZED in states:
        return SourceWord.UNAUTHORIZED
    return SourceWord.STALE if live else SourceWord.DOWN


def is_lost(state: State) -> bool:
    """Tell whether the gateway gives no answer at all any more.

    It is lost once both sources that are asked all the time are silent, however new the last answer
    of a source that is seldom asked is.
    """
    often = [state.sources.get(source, SourceStatus()).failure for source in OFTEN_ASKED]
    return all(failure is not None and failure.is_silence for failure in often)


def is_reachable(state: State, now: float) -> bool:
    """Tell whether any answer of the gateway is fresh and usable, refusals included."""
    if is_lost(state):
        return False
    fresh = (SourceWord.LIVE, SourceWord.UNAUTHORIZED)
    return any(source_view(state, source, now).word in fresh for source in Source)


def listened(state: State, now: float) -> bool:
    """Tell whether the streams could tell anything: unless none that is wanted was ever heard."""
    streams = streams_view(state, now)
    if streams.live or state.routing != RoutingTally():
        return True
    listing = state.sources.get(Source.SESSIONS)
    return listing is not None and listing.answered_at is not None and not streams.wanted


def stuck_after_s(state: State) -> float:
    """Return the seconds of silence from which on a run is stuck now."""
    p95_s = state.snapshot.latency.p95_s if state.snapshot else None
    return stuck_after(state.watch.stuck_after, p95_s)


def while_same(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compute again only when an argument is another one: states share what did not change.

    Two results are kept, for a frozen picture and the state behind it.
    """
    last: list[tuple[tuple[object, ...], _R]] = []

    @wraps(function)
    def remembered(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        key = (*args, *kwargs.values())
        for known, result in last:
            if _is(key, known):
                return result
        result = function(*args, **kwargs)
        last[:] = [(key, result), *last[:1]]
        return result

    return remembered


def _is(one: object, other: object) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is, one, other))
    return isinstance(one, datetime | frozenset | str | int) and one == other
