"""What a watch tells while a scenario plays: each change, and whether something happened for it.

A happening of the gateway is news once, whoever tells it first: what a poll says of a fallback that
a frame told already is none. So a word that a frame brings and the next poll takes back flickers.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.virtual_watch import virtual_watch

from vp_tui.domain import events
from vp_tui.domain.models import StreamEvent
from vp_tui.domain.runs.turns import FALLBACKS, is_aside
from vp_tui.gateway.credentials import Secret
from vp_tui.simulator.options import SimOptions
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.lane import lane_mode
from vp_tui.views.lookout import present_alarms
from vp_tui.views.runs import run_rows
from vp_tui.views.troubles import badge, troubles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.virtual_watch import VirtualWatch

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect
    from vp_tui.views.view import View

BRIEF_S: Final = 5.0
"""What changes and changes back within it is a flicker, unless something happened for each."""
MERCY_S: Final = 200.0
"""After so long somebody cancels a run that hangs."""
_ANSWERS: Final[dict[type[object], str]] = {
    events.SnapshotArrived: "metrics",
    events.SessionsArrived: "sessions",
    events.HealthArrived: "health",
    events.ContinuityArrived: "continuity",
}
HELD_UP: Final = frozenset({"stuck", "deaf"})
"""Scenarios whose runs hang until somebody cancels them."""


class Happening(NamedTuple):
    """Something that happened at the gateway."""

    what: str
    is_outcome: bool = True
    """A mission or turn ended or fell back, a source failed or answered: not only that a run began
    or goes on, which is a cause for its own row and alarms alone."""


class Change(NamedTuple):
    """A value that was told otherwise than at the look before."""

    at: float
    name: str
    before: str
    after: str
    news: tuple[Happening, ...]
    """What was first heard between the two looks."""

    @property
    def has_cause(self) -> bool:
        """Whether something happened that may change such a value."""
        is_of_run = self.name.startswith(("run ", "alarm ", "SAFETY "))
        return any(is_of_run or one.is_outcome for one in self.news)


class Flicker(NamedTuple):
    """A value that changed and changed back, though nothing happened for one of the two."""

    there: Change
    back: Change


def told(view: View) -> dict[str, str]:
    """Return what the screen tells at a look, without what only counts or grows older."""
    found, figures, mode = assess(view), numbers(view), lane_mode(view)
    values = {
        "badge": badge(view, frozen=False),
        "lane": str(mode.mode),
        "word": found.suggestion.decision if found.suggestion else "",
        "window": found.window.label if found.window else "",
        **{f"gate {name}": str(gate.verdict) for name, gate in found.gates.by_name().items()},
        **{f"alarm {a.key.kind} {a.key.subject}": "on" for a in present_alarms(view)},
        **{f"SAFETY {entry.alarm} {entry.subject}": "on" for entry in found.safety},
        **{f"trouble {trouble.what}": "on" for trouble in troubles(view)},
        **{f"run {row.session.session_id}": str(row.level.level) for row in run_rows(view)},
    }
    if figures is not None:
        values |= {"coverage": str(figures.coverage.state), "orphans": str(figures.orphans)}
    return values


@dataclass
class News:
    """What has happened at the gateway, each thing once, by whatever told it first."""

    missions: dict[str, str] = field(default_factory=dict)
    fallen: set[str] = field(default_factory=set)
    running: dict[str, bool] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def of(self, told: Iterable[Event]) -> tuple[Happening, ...]:
        """Return what these events are the first to tell."""
        return tuple(what for event in told for what in self._of(event))

    def _of(self, event: Event) -> Iterator[Happening]:
        if (source := _ANSWERS.get(type(event))) is not None:
            yield from self._answered(source)
        match event:
            case events.SnapshotArrived():
                yield from self._missions(event)
            case events.SessionsArrived():
                yield from self._listed(event)
            case StreamEvent():
                yield from self._frame(event)
            case events.ContinuityArrived(continuity=told):
                yield from self._once("boot", f"{told.started_at} {told.alerts}")
            case events.LogArrived():
                yield from self._answered(event.log_id)
                if event.chunk.lines:
                    yield Happening(f"{event.log_id} wrote", is_outcome=False)
            case events.SourceFailed():
                yield from self._once(event.log_id or str(event.source), event.failure.reason)
            case events.LinkChanged():
                yield from self._once(f"stream {event.session_id}", str(event.state))

    def _answered(self, source: str) -> Iterator[Happening]:
        return self._once(source, "answers")

    def _once(self, what: str, state: str) -> Iterator[Happening]:
        if self.sources.get(what) != state:
            self.sources[what] = state
            yield Happening(f"{what}: {state}")

    def _missions(self, event: events.SnapshotArrived) -> Iterator[Happening]:
        for mission in event.snapshot.missions:
            if self.missions.get(mission.mission_id) != mission.status:
                self.missions[mission.mission_id] = mission.status
                is_over = mission.status != "running"
                yield Happening(f"{mission.mission_id} {mission.status}", is_outcome=is_over)

    def _listed(self, event: events.SessionsArrived) -> Iterator[Happening]:
        for session in event.sessions:
            session_id, is_running = session.session_id, session.is_running
            if self.running.get(session_id, False) != is_running:
                self.running[session_id] = is_running
                word = "runs" if is_running else "rests"
                yield Happening(f"{session_id} {word}", is_outcome=not is_running)

    def _frame(self, event: StreamEvent) -> Iterator[Happening]:
        frame, session_id = event.frame, event.session_id
        if frame.routing in FALLBACKS and session_id not in self.fallen:
            self.fallen.add(session_id)
            yield Happening(f"{session_id} fell back")
        if frame.kind == "query_complete":
            self.fallen.discard(session_id)
            self.running[session_id] = False
            yield Happening(f"{session_id} ended")
        elif frame.kind == "cancelled" or frame.cancelled:
            yield Happening(f"{session_id} cancelled")
        elif not is_aside(frame):
            if not self.running.get(session_id, False):
                self.running[session_id] = True
                yield Happening(f"{session_id} runs", is_outcome=False)
            yield Happening(f"{session_id} moved", is_outcome=False)


async def changes(
    scenario: str,
    minutes: float,
    *,
    dialect: Dialect = "G1",
    seed: int = 7,
    slow_s: float = 0.0,
) -> list[Change]:
    """Play a scenario, look once a second, and return what changed.

    Each answer of the gateway takes up to `slow_s`.
    """
    options = SimOptions(scenario, dialect, seed=seed).with_default_tokens()
    tokens = {
        name: Secret(token)
        for name in ("ops_token", "internal_token")
        if (token := getattr(options, name)) is not None
    }
    chance = random.Random(seed)  # noqa: S311 - repeatable by design
    async with virtual_watch(options, **tokens) as watch:
        if slow_s:
            watch.door.slows = lambda _: chance.uniform(0.0, slow_s)
        cancels = asyncio.create_task(_cancel(watch)) if scenario in HELD_UP else None
        found = await _look(watch, minutes * 60.0)
        if cancels is not None:
            cancels.cancel()
        return found


async def _cancel(watch: VirtualWatch) -> None:
    while True:
        await watch.passes(MERCY_S)
        await watch.driver.stop("cleo", "enough")


async def _look(watch: VirtualWatch, seconds: float) -> list[Change]:
    heard: list[Event] = []
    found, news = list[Change](), News()
    apply = watch.store.apply

    def listened(*applied: Event) -> None:
        heard.extend(applied)
        apply(*applied)

    watch.store.apply = listened  # type: ignore[method-assign]
    before: dict[str, str] = {}
    until = watch.now + seconds
    while watch.now < until:
        await watch.passes(1.0)
        now, happened = told(watch.view), news.of(heard)
        heard.clear()
        for name in sorted(before.keys() | now.keys()):
            was, is_now = before.get(name, ""), now.get(name, "")
            if was != is_now:
                found.append(Change(watch.now, name, was, is_now, happened))
        before = now
    return found


def flickers(found: Iterable[Change]) -> list[Flicker]:
    """Return what changed and changed back within BRIEF_S without something new for each."""
    last, seen = dict[str, Change](), list[Flicker]()
    for change in found:
        there = last.get(change.name)
        last[change.name] = change
        if there is None or change.after != there.before or change.at - there.at > BRIEF_S:
            continue
        if not (there.has_cause and change.has_cause):
            seen.append(Flicker(there, change))
    return seen
