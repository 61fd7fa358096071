"""What a watch tells while a scenario plays: each change, and whether something happened for it.

A happening of the gateway is news once, whoever tells it first: what a poll says of a fallback that
a frame told already is none. So a word that a frame brings and the next poll takes back flickers.
That time goes by is a happening where the rules have a limit: of silence, or after a cancel.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.virtual_watch import virtual_watch

from vp_tui.domain import events
from vp_tui.domain.models import StreamEvent
from vp_tui.domain.runs.cancels import UNCONFIRMED_AFTER_S
from vp_tui.domain.runs.turns import (
    ASSISTANCE_NEEDED,
    BOOTSTRAP,
    DELEGATED,
    FALLBACKS,
    is_aside,
)
from vp_tui.gateway.credentials import Secret
from vp_tui.simulator.options import SimOptions
from vp_tui.state.operator import stuck_after_s
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.lane import lane_word
from vp_tui.views.lookout import badge, present_alarms
from vp_tui.views.runs import run_rows
from vp_tui.views.troubles import troubles

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
OUTRUN: Final = 1
"""Answers that a frame may outrun: they were asked for before it."""
SLACK_S: Final = 5.0
"""By how much a limit may be reached later: what is silent is told by polls too."""
_AGE: Final = re.compile(r" \d.*| unproven")
_FIGURE: Final = re.compile(r"\d+(\.\d+)?")
OF_WHAT_GOES_ON: Final = (
    "run ", "alarm ", "SAFETY ", "coverage", "agreement", "trouble endpoint", "trouble the rates",
)  # fmt: skip
"""What is told of runs under way, and of what an answer of the gateway holds."""
OF_TWO_SOURCES: Final = ("run ", "orphans")
TWO_POLLS_S: Final = 6.0
"""Of the sessions, which are asked every 3 s."""
HELD_UP: Final[dict[str, Dialect]] = {"stuck": "G1", "deaf": "G2"}
"""Scenarios whose runs hang until somebody cancels them, and where each is played for long."""


class Happening(NamedTuple):
    """Something that happened at the gateway."""

    what: str
    is_outcome: bool = True
    """A mission or turn ended or fell back, a source failed or answered, a limit was reached: not
    only that a run began or goes on, which is a cause for its own row and alarms alone."""


class Change(NamedTuple):
    """A value that was told otherwise than at the look before."""

    at: float
    name: str
    before: str
    after: str
    news: tuple[Happening, ...]
    """What was first heard between the two looks."""
    earlier: bool = False
    """Something was heard within two polls before: what two sources tell may wait for both."""

    @property
    def has_news(self) -> bool:
        """Whether something that may change such a value was just heard."""
        is_of_run = self.name.startswith(OF_WHAT_GOES_ON)
        return any(is_of_run or one.is_outcome for one in self.news)

    @property
    def has_cause(self) -> bool:
        """Whether something happened that may change such a value."""
        return self.has_news or (self.earlier and self.name.startswith(OF_TWO_SOURCES))


class Flicker(NamedTuple):
    """A value that changed and changed back, though nothing happened for one of the two."""

    there: Change
    back: Change


def told(view: View) -> dict[str, str]:
    """Return what the screen tells at a look, without what only counts or grows older."""
    found, figures = assess(view), numbers(view)
    values = {
        "badge": badge(view),
        "lane": _AGE.sub("", lane_word(view)),
        "word": found.suggestion.decision if found.suggestion else "",
        "window": found.window.label if found.window else "",
        **{f"gate {name}": str(gate.verdict) for name, gate in found.gates.by_name().items()},
        **{f"alarm {a.key.kind} {a.key.subject}": "on" for a in present_alarms(view)},
        **{f"SAFETY {entry.alarm} {entry.subject}": "on" for entry in found.safety},
        **{f"trouble {trouble.what}": "on" for trouble in troubles(view)},
        **{f"run {row.session.session_id}": str(row.level.level) for row in run_rows(view)},
    }
    if figures is not None:
        values |= {
            "coverage": str(figures.coverage.state),
            "unknown": str(figures.coverage.unknown),
            "orphans": str(figures.orphans),
            "agreement": _FIGURE.sub("n", ", ".join(words.agreement(figures))),
        }
    return values


@dataclass
class News:
    """What has happened at the gateway, each thing once, by whatever told it first."""

    missions: dict[str, str] = field(default_factory=dict)
    fallen: set[str] = field(default_factory=set)
    running: dict[str, bool] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    moved: dict[str, float] = field(default_factory=dict)
    """When a run last gave a sign of life, or the lane's log grew."""
    cancelled: dict[str, float] = field(default_factory=dict)
    looked_at: float = 0.0
    own: dict[str, str] = field(default_factory=dict)
    """The mission of each session's turn."""
    raised: Counter[str] = field(default_factory=Counter)
    """Of missions whose turn raised, how many answers had them running since."""
    untold: Counter[str] = field(default_factory=Counter)
    """How many answers did not tell of a fallback that was heard."""

    def of(self, told: Iterable[Event], view: View) -> tuple[Happening, ...]:
        """Return what these events are the first to tell, and the limits reached by now."""
        found = [what for event in told for what in self._of(event)]
        found += self._limits(view)
        self.looked_at = view.now
        return tuple(found)

    def _limits(self, view: View) -> Iterator[Happening]:
        stuck_s, log_at = stuck_after_s(view.state), self.moved.get(view.state.lane_log_id, 0.0)
        limits = [
            (max(at, since) + share * stuck_s, f"{session_id} is silent")
            for session_id, at in self.moved.items()
            for since in (at, log_at)
            for share in (0.5, 1.0)
        ]
        limits += [(at + UNCONFIRMED_AFTER_S, f"{one} waits") for one, at in self.cancelled.items()]
        for at, what in limits:
            if self.looked_at - SLACK_S < at <= view.now:
                yield Happening(what)

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
                    self.moved[event.log_id] = event.at
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

    def _first(self, what: str, *, is_outcome: bool = True) -> Iterator[Happening]:
        if what not in self.said:
            self.said.add(what)
            yield Happening(what, is_outcome)

    def _missions(self, event: events.SnapshotArrived) -> Iterator[Happening]:
        by_event = {one.mission_id for one in event.snapshot.events if "fallback" in one.event_type}
        for place, mission in enumerate(event.snapshot.missions):
            name = mission.mission_id
            if self.missions.get(name) != mission.status:
                self.missions[name] = mission.status
                is_over = mission.status != "running"
                yield Happening(f"{name} {mission.status}", is_outcome=is_over)
            if mission.status == "running" and name in self.raised:
                self.raised[name] += 1
                if self.raised[name] == OUTRUN + 1:
                    yield Happening(f"{name} is left running, its turn raised")
            if place and mission.status == "running":
                yield from self._first(f"{name} runs, and another one began since")
            if name in by_event:
                yield from self._first(f"the metrics tell that {name} fell", is_outcome=False)
            elif f"{name} fell back" in self.said:
                self.untold[name] += 1
                if self.untold[name] == OUTRUN + 1:
                    yield Happening(f"the metrics do not tell that {name} fell")

    def _listed(self, event: events.SessionsArrived) -> Iterator[Happening]:
        for session in event.sessions:
            session_id, is_running = session.session_id, session.is_running
            if self.running.get(session_id, False) != is_running:
                self.running[session_id] = is_running
                self.moved[session_id] = event.at
                word = "runs" if is_running else "rests"
                yield Happening(f"{session_id} {word}", is_outcome=not is_running)

    def _frame(self, event: StreamEvent) -> Iterator[Happening]:
        frame, session_id = event.frame, event.session_id
        if frame.routing in FALLBACKS and session_id not in self.fallen:
            self.fallen.add(session_id)
            self.said.add(f"{frame.mission_id} fell back")
            yield Happening(f"{session_id} fell back")
        if frame.routing == BOOTSTRAP:
            yield Happening(f"{session_id} could not start the lane")
        elif frame.routing in DELEGATED:
            self.own[session_id] = frame.mission_id or ""
            yield from self._once("lane", "delegates")
        if frame.status == ASSISTANCE_NEEDED:
            self.raised[self.own.get(session_id, "")] = 0
            yield Happening(f"{session_id} raised")
        if frame.kind == "query_complete":
            self.fallen.discard(session_id)
            self.running[session_id] = False
            yield Happening(f"{session_id} ended")
        elif frame.kind == "cancelled" or frame.cancelled:
            self.cancelled[session_id] = event.at
            yield Happening(f"{session_id} cancelled")
        elif not is_aside(frame):
            yield from self._first(f"{session_id} is heard")
            if not self.running.get(session_id, False):
                self.running[session_id] = True
                yield Happening(f"{session_id} runs", is_outcome=False)
            self.moved[session_id] = event.at
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

    Each answer of the gateway takes up to `slow_s`. Raises AssertionError where vp-tui itself names
    no cause of a change.
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
        found = await _look(watch, scenario, minutes * 60.0)
        if cancels is not None:
            cancels.cancel()
        return found


async def _cancel(watch: VirtualWatch) -> None:
    while True:
        await watch.passes(MERCY_S)
        await watch.driver.stop("cleo", "enough")


async def _look(watch: VirtualWatch, scenario: str, seconds: float) -> list[Change]:
    heard: list[Event] = []
    found, news = list[Change](), News()
    apply = watch.store.apply

    def listened(*applied: Event) -> None:
        heard.extend(applied)
        apply(*applied)

    watch.store.apply = listened  # type: ignore[method-assign]
    before: dict[str, str] = {}
    heard_at = 0.0
    until = watch.now + seconds
    while watch.now < until:
        await watch.passes(1.0)
        view = watch.view
        now, happened = told(view), news.of(heard, view)
        heard.clear()
        last = view.state.last_changes
        nameless = {name: one for name, one in last.items() if one.before and not one.cause}
        assert not nameless, (scenario, nameless)
        for name in sorted(before.keys() | now.keys()):
            was, is_now = before.get(name, ""), now.get(name, "")
            if was != is_now:
                earlier = watch.now - heard_at <= TWO_POLLS_S
                found.append(Change(watch.now, name, was, is_now, happened, earlier))
        before, heard_at = now, watch.now if happened else heard_at
    return found


def flickers(found: Iterable[Change]) -> list[Flicker]:
    """Return what changed and changed back within BRIEF_S without something new for each."""
    last, seen = dict[str, Change](), list[Flicker]()
    for change in found:
        there = last.get(change.name)
        last[change.name] = change
        if there is None or change.after != there.before or change.at - there.at > BRIEF_S:
            continue
        if not (there.has_news and change.has_news):
            seen.append(Flicker(there, change))
    return seen
