"""The files recorded of one watch as one sequence of events, with the state after any of them.

States share what did not change, so one is kept every STATE_EVERY events, to go on from.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.events import Looked, RowRecorded, Tick, WindowsRead
from vp_tui.domain.rollout.windows import open_window
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import initial_state
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.recording import UnknownKind
from vp_tui.storage.recording_files import OTHER_FILE, Lost, RecordedFile
from vp_tui.storage.typed_json import Misshapen
from vp_tui.worker.recording import WATCH

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from vp_tui.domain.events import Event
    from vp_tui.state.state import State, Watch


STATE_EVERY: Final = 1_000
LOOKS: Final = frozenset({Looked.__name__})
TICKS: Final = frozenset({Tick.__name__})
WINDOWS: Final = frozenset({WindowsRead.__name__, RowRecorded.__name__})
_WARNINGS: Final = 20
"""Odd lines that are told one by one."""


_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,6})?")
_OF_DAY: Final = re.compile(r"\d\d:\d\d(:\d\d)?")
_DAY: Final = timedelta(days=1)


class _Span(NamedTuple):
    """The lines of one file: from `skipped` on they are the tape's from `start` on."""

    start: int
    file: RecordedFile
    skipped: int


class Tape:
    """Files of one watch, in their order."""

    def __init__(self, files: Sequence[RecordedFile], *, is_shown: bool = False) -> None:
        """Take files in any order. Raises RecordingError for those of several watches.

        What `is_shown` says so on its screen: its states are those of a replay then.
        """
        self.files = sorted(files, key=lambda file: file.header.part)
        first = self.files[0].header
        for file in self.files:
            if (file.header.started_at, file.header.at0) != (first.started_at, first.at0):
                raise RecordingError("it is of another watch", "replay it alone", file.path)
        try:
            self.watch: Watch = WATCH.decode(first.settings)
        except Misshapen as error:
            why = f"its header tells no watch ({error})"
            raise RecordingError(why, OTHER_FILE, self.files[0].path) from None
        if is_shown:
            self.watch = self.watch._replace(is_replay=True, read_only=True)
        self.began_at = first.at0
        self._moments = array("d")
        self._spans: list[_Span] = []
        for place, file in enumerate(self.files):
            follows = place > 0 and file.header.part == self.files[place - 1].header.part + 1
            skipped = file.header.repeats if follows else 0
            self._spans.append(_Span(len(self._moments), file, skipped))
            latest = self.ended_at
            self._moments.extend(max(latest, at) for at in file.moments[skipped:])
        self._states = {0: initial_state(self.watch, at=first.at0, wall=first.started_at)}
        self._walls: list[tuple[float, datetime]] = [(first.at0, first.started_at)]
        self.odd: list[str] = []
        """Lines that could not be read, in words."""
        self.lost = 0
        """Events that were not recorded, as far as was read."""
        self._told: set[int] = set()
        self._newest = 0, self._states[0]
        """What was asked for last: the next is often not far from it."""

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def ended_at(self) -> float:
        """The moment of the last event, on the monotonic clock."""
        return self._moments[-1] if self._moments else self.began_at

    def moment(self, count: int) -> float:
        """Return when the last of the first `count` events was."""
        return self._moments[count - 1] if count else self.began_at

    def count_at(self, at: float) -> int:
        """Return how many events there were by a moment on the monotonic clock."""
        return bisect_right(self._moments, at)

    def at_told(self, text: str) -> float | None:
        """Return the moment that an engineer tells; None: it is none.

        Seconds since the beginning, or a UTC time: of day, for its first time since, or in full.
        """
        text = text.strip().upper().removesuffix("Z")
        if _SECONDS.fullmatch(text):
            return self.began_at + float(text)
        began = self._states[0].clock.wall
        try:
            if _OF_DAY.fullmatch(text):
                time = datetime.combine(began, clock_time.fromisoformat(text), UTC)
                return self.at_time(time if time >= began.replace(microsecond=0) else time + _DAY)
            time = datetime.fromisoformat(text)
            return self.at_time(time if time.tzinfo else time.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            return None

    def at_time(self, time: datetime) -> float:
        """Return the moment on the monotonic clock at which it was this time, by vp-tui's clock."""
        walls = self._wall_clock()
        place = bisect_right(walls, time, key=lambda each: each[1]) - 1
        at, wall = walls[max(place, 0)]
        return at + (time - wall).total_seconds()

    def events(self, start: int, end: int) -> Iterator[Event]:
        """Yield the events of these places; what cannot be read is left out, and told once."""
        for place in range(start, min(end, len(self))):
            event = self._event(place)
            if event is not None:
                yield event

    def state_after(self, count: int) -> State:
        """Return the state after the first `count` events."""
        count = min(max(count, 0), len(self))
        start = count - count % STATE_EVERY
        while start not in self._states:
            start -= STATE_EVERY
        state = self._states[start]
        if start < self._newest[0] <= count:
            start, state = self._newest
        while start < count:
            end = min(start - start % STATE_EVERY + STATE_EVERY, count)
            state = reduce_all(state, self.events(start, end))
            if end % STATE_EVERY == 0:
                self._states[end] = state
            start = end
        self._newest = count, state
        return state

    def next_change(self, count: int) -> int | None:
        """Return after how many events a word, gate, alarm or badge next reads otherwise."""
        looks = [*self._places(LOOKS, len(self))]
        newest = max(bisect_left(looks, count) - 1, 0)
        return next(
            (
                place + 1
                for before, place in pairwise(looks[newest:])
                if self._differs(before, place)
            ),
            None,
        )

    def last_change(self, count: int) -> int | None:
        """Return the same of the last change before the newest of the first `count` events."""
        looks = [*pairwise(self._places(LOOKS, max(count - 1, 0)))]
        changes = (place + 1 for before, place in reversed(looks) if self._differs(before, place))
        return next(changes, None)

    def windows(self) -> list[int]:
        """Return after how many events each window began or ended, and each row was written."""
        found, before = [], ""
        for place in self._places(WINDOWS, len(self)):
            event = self._event(place)
            if isinstance(event, WindowsRead):
                window = open_window(event.windows)
                label = f"{window.opened_at} {window.label}" if window else ""
                if label != before:
                    found.append(place + 1)
                before = label
            elif isinstance(event, RowRecorded):
                found.append(place + 1)
        return found

    def _places(self, kinds: Container[str], end: int) -> Iterator[int]:
        for span, after in pairwise([*self._spans, _Span(len(self), self.files[-1], 0)]):
            offset, last = span.skipped - span.start, min(end, after.start)
            yield from (n for n in range(span.start, last) if span.file.kinds[n + offset] in kinds)

    def _differs(self, before: int, place: int) -> bool:
        return self._readings(before) != self._readings(place)

    def _readings(self, place: int) -> object:
        """Return what was read of the words at a look, as JSON: causes are no part of it."""
        file, number = self._line(place)
        told = file.told(number).get("readings", ())
        return {each["name"]: each["value"] for each in told}

    def _line(self, place: int) -> tuple[RecordedFile, int]:
        span = self._spans[bisect_right(self._spans, place, key=attrgetter("start")) - 1]
        return span.file, place - span.start + span.skipped

    def _wall_clock(self) -> list[tuple[float, datetime]]:
        if len(self._walls) == 1:
            ticks = self._places(TICKS, len(self))
            for event in map(self._event, ticks):
                if isinstance(event, Tick) and event.wall >= self._walls[-1][1]:
                    self._walls.append((event.at, event.wall))
        return self._walls

    def _event(self, place: int) -> Event | None:
        file, number = self._line(place)
        try:
            event = file.event(number)
        except (UnknownKind, Misshapen) as error:
            self._note(place, f"line {number + 2} of {file.path.name}: {error}")
            return None
        if isinstance(event, Lost):
            if place not in self._told:
                self.lost += event.events
                self._told.add(place)
            return None
        return event

    def _note(self, place: int, odd: str) -> None:
        if place not in self._told and len(self.odd) < _WARNINGS:
            self.odd.append(odd)
        self._told.add(place)
