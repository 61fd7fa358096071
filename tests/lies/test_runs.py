"""Lies that were told about runs: who holds the lock, and who hangs; each with the right value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import builders, scenes
from tests.support.builders import NOW

from vp_tui.cli.status import status_text
from vp_tui.domain.events import ClaimsArrived
from vp_tui.domain.models import MissionClaim, MissionClaims, StreamState
from vp_tui.domain.runs.levels import Level, levels
from vp_tui.domain.runs.progress import ListedRun, RunsContext
from vp_tui.domain.runs.run import LISTING_LAG_S, Run, listed
from vp_tui.state.store import Store
from vp_tui.views.assessment import assess
from vp_tui.views.lookout import present_alarms
from vp_tui.views.runs import run_levels, run_rows
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.stuck_runs import stuck_runs_in
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect, Session
    from vp_tui.state.state import State

MOVING: Final = builders.frame("text")


def busy(name: str, **fields: Any) -> Session:  # noqa: ANN401 - fields of Session
    return builders.session(name, active_runs=1, **fields)


def view(*events: Event, at: float) -> View:
    return View(builders.state(builders.healthy(), *events), at)


def shown(looked: View) -> dict[str, str]:
    """Return the level of each run, the holder of the lock marked by a star."""
    return {
        name: f"{told.level}{'*' * told.holds_lock}" for name, told in run_levels(looked).items()
    }


def safety(looked: View) -> list[str]:
    return [entry.told for entry in assess(looked).safety]


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("log_at", [None, 8.0])
def test_the_run_that_began_to_wait_was_called_stuck_and_the_one_that_ran_before_its_victim(
    order: str, log_at: float | None
) -> None:
    # B has a log and a higher sequence, both of an earlier turn; no frame of either was heard.
    runs = {
        "a": ListedRun(listed(Run("a"), seq=5, running=True, at=0.0), is_live=True),
        "b": ListedRun(
            listed(listed(Run("b"), seq=40, running=False, at=0.0), seq=40, running=True, at=9.0),
            is_live=True,
            has_log=True,
            log_at=log_at,
        ),
    }
    found = levels([runs[name] for name in order], RunsContext(130.0, True, 120.0))
    assert (found["a"].level, found["a"].holds_lock) == (Level.STUCK, True)
    assert "a guess: it was first seen running" in found["a"].reason
    assert (found["b"].level, found["b"].blocker) == (Level.QUEUED, "a")


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_of_two_that_ran_before_and_one_that_came_later_the_later_one_was_named(
    order: str,
) -> None:
    runs = {
        name: ListedRun(
            listed(Run(name), seq=seq, running=True, at=at), is_live=True, has_log=name == "c"
        )
        for name, seq, at in (("a", 5, 0.0), ("b", 7, 0.0), ("c", 90, 9.0))
    }
    found = levels([runs[name] for name in order], RunsContext(130.0, True, 120.0))
    assert not found["c"].holds_lock
    assert found["c"].level is Level.QUEUED


LATE = busy("b", has_log=True, last_event_seq=90)
"""A session with a log and many events of an earlier turn."""


class TestTheLocksOwner:
    def test_the_one_that_ran_before_is_the_owner_not_the_one_with_more_events(self) -> None:
        looked = view(
            builders.listing(busy("a", last_event_seq=1)),
            builders.listing(busy("a", last_event_seq=1), LATE, at=3.0),
            at=4.0,
        )
        assert shown(looked)["a"].endswith("*")
        assert shown(looked)["b"] == "queued"
        assert run_levels(looked)["b"].blocker == "a"
        assert [row.session.session_id for row in run_rows(looked)] == ["a", "b"]

    def test_an_alarm_is_not_withdrawn_because_somebody_queues(self) -> None:
        alone = [builders.listing(busy("a"), at=3.0 * n) for n in range(42)]
        queued = [builders.listing(busy("a"), LATE, at=126.0 + 3.0 * n) for n in range(3)]
        for looked in (view(*alone, at=124.0), view(*alone, *queued, at=133.0)):
            assert shown(looked)["a"] == "stuck*"
            assert [one.key.subject for one in present_alarms(looked)] == ["a"]
        looked = view(*alone, *queued, at=133.0)
        assert run_levels(looked)["a"].silent_s == 133.0
        assert safety(looked) == [
            "STUCK 2m13 a: holds the gateway lock (a guess), 1 turn waits behind it"
        ]

    def test_a_victim_that_gives_up_does_not_reset_the_silence(self) -> None:
        alone = [builders.listing(busy("a"), at=3.0 * n) for n in range(30)]
        queued = builders.listing(busy("a"), LATE, at=93.0)
        left = builders.listing(busy("a"), builders.session("b", last_event_seq=90), at=126.0)
        assert run_levels(view(*alone, queued, left, at=127.0))["a"].silent_s == 127.0

    def test_of_two_that_may_be_it_none_is_called_the_stuck_one(self) -> None:
        looked = view(*(builders.listing(busy("a"), LATE, at=3.0 * n) for n in range(50)), at=150.0)
        assert not any(told.holds_lock for told in run_levels(looked).values())
        assert [one.key.subject for one in present_alarms(looked)] == ["a"]
        (told,) = safety(looked)
        assert told == (
            "STUCK 2m30 a or b: one of them holds the gateway lock, which is not known, "
            "1 turn waits behind it"
        )
        assert len([one for one in status_object(looked)["alarms"] if "stuck" in one]) == 1
        (hanging,) = stuck_runs_in(looked)
        assert hanging.line == (
            "stuck: a or b silent 150s, that it holds the lock is a guess, 1 waiting behind it"
        )

    def test_a_heard_end_puts_the_next_turn_at_the_back_of_the_queue(self) -> None:
        looked = view(
            builders.linked(session_id="a", at=-9.0),
            builders.listing(builders.session("a"), at=-3.0),
            *builders.stream(builders.processing(), session_id="a", at=-1.0),
            builders.listing(busy("a"), busy("b"), at=0.0),
            *builders.stream(builders.frame("query_complete"), session_id="a", at=1.0),
            builders.listing(busy("a", last_event_seq=7), busy("b"), at=3.0),
            at=4.0,
        )
        assert shown(looked) == {"a": "queued", "b": "ok*"}

    def test_what_nothing_listed_holds_is_blamed_on_no_run(self) -> None:
        looked = view(
            builders.linked(session_id="a", at=-9.0),
            builders.listing(builders.session("a"), at=-3.0),
            *(builders.listing(busy("a"), at=3.0 * n) for n in range(50)),
            at=150.0,
        )
        assert shown(looked) == {"a": "queued"}
        (entry,) = assess(looked).safety
        assert "something not listed (a session being created or resumed)" in entry.told
        assert "restart" in entry.cure
        assert "cancel it" not in entry.cure
        suggestion = assess(looked).suggestion
        assert suggestion is not None
        assert suggestion.decision == "BLOCKED_EXECUTION_PIPELINE"

    def test_on_g2_no_run_is_a_victim(self) -> None:
        polls = [builders.listing(busy("a"), LATE, at=3.0 * n) for n in range(50)]
        now = builders.state(builders.healthy(dialect="G2"), *polls)
        assert shown(View(now, 150.0)) == {"a": "stuck", "b": "stuck"}


class TestARunThatHungBeforeWeLooked:
    """`status` said "ok: silent for 2s", GO_BROADER, exit 0; the screen two minutes more."""

    @staticmethod
    def looked(*others: Session, mission_s: float | None, at: float = 2.0) -> View:
        at_work = builders.mission("m9", "running", started_s=mission_s or 0.0)
        missions = scenes.done(18) if mission_s is None else [at_work, *scenes.done(18)]
        return view(
            builders.polled(builders.snapshot(*missions)),
            builders.booted(),
            *(
                builders.listing(busy("a"), *others, at=3.0 * n - 1.0)
                for n in range(int(at / 3.0) + 1)
            ),
            at=at,
        )

    @staticmethod
    def decision(looked: View) -> tuple[str, str]:
        suggestion = assess(looked).suggestion
        assert suggestion is not None
        return suggestion.decision, " ".join(suggestion.reasons)

    def test_its_missions_age_tells_that_it_may_hang(self) -> None:
        looked = self.looked(mission_s=-136.0)
        (run,) = status_object(looked)["runs"]
        assert run["level"] == "quiet"
        assert run["reason"].startswith("running since at least 2m18, watched for 3s")
        assert self.decision(looked)[0] == "HOLD_SHADOW"
        assert "runs not watched" in self.decision(looked)[1]
        assert exit_code(looked) == 1

    @pytest.mark.parametrize(
        ("mission_s", "word"),
        [(None, "HOLD_SHADOW"), (-90.0, "READY_FOR_LIMITED_COHORT_PILOT")],
    )
    def test_without_an_age_above_the_limit_it_is_not_judged(
        self, mission_s: float | None, word: str
    ) -> None:
        looked = self.looked(mission_s=mission_s)
        (run,) = status_object(looked)["runs"]
        assert run["level"] is None
        assert "watched for 3s" in run["reason"]
        assert "not judged" in status_text(looked)
        assert self.decision(looked)[0] == word
        assert exit_code(looked) == 0

    def test_behind_which_others_wait_it_is_no_better(self) -> None:
        looked = self.looked(LATE, mission_s=-400.0)
        assert shown(looked) == {"a": "quiet", "b": "quiet"}
        assert {told.rivals for told in run_levels(looked).values()} == {("a", "b")}
        assert exit_code(looked) == 1

    def test_of_several_that_may_hold_the_lock_none_is_ok(self) -> None:
        assert shown(self.looked(LATE, mission_s=-20.0)) == {"a": "None", "b": "None"}
        assert shown(self.looked(mission_s=-20.0)) == {"a": "ok*"}

    def test_watched_for_long_it_is_judged_by_what_was_watched(self) -> None:
        assert shown(self.looked(mission_s=None, at=58.0)) == {"a": "None*"}
        assert shown(self.looked(mission_s=None, at=60.0)) == {"a": "quiet*"}
        assert shown(self.looked(mission_s=-400.0, at=121.0)) == {"a": "stuck*"}

    def test_one_that_moves_is_ok(self) -> None:
        moved = builders.listing(busy("a", last_event_seq=7), at=3.0)
        assert shown(view(builders.listing(busy("a")), moved, at=4.0)) == {"a": "ok*"}

    def test_one_that_began_while_vp_tui_looked_is_watched_since(self) -> None:
        began = [builders.listing(), builders.listing(busy("a"), at=3.0)]
        assert shown(view(*began, at=4.0)) == {"a": "ok*"}

    def test_on_g2_the_session_that_a_mission_names_is_as_old_as_that(self) -> None:
        claims = MissionClaims(builders.NOW, {"m9": MissionClaim("m9", None, "a")})
        missions = builders.snapshot(builders.mission("m9", "running", started_s=-400.0))
        now = builders.state(
            builders.healthy(dialect="G2"),
            builders.polled(missions),
            ClaimsArrived(0.0, claims),
            builders.listing(busy("a"), busy("b")),
        )
        assert shown(View(now, 2.0)) == {"a": "quiet", "b": "None"}


BOOTED: Final = "2026-11-22T20:02:00"
"""Two minutes after NOW, in the gateway's own time."""


class TestKilledByARestart:
    """Runs that a restart ended were never mentioned again."""

    BEFORE: ClassVar[tuple[Event, ...]] = (
        builders.booted(at=-6.0),
        builders.listing(builders.session("a"), builders.session("b"), at=-3.0),
        builders.listing(busy("a"), busy("b"), at=0.0),
        builders.listing(busy("a"), busy("b"), at=117.0),
    )

    @pytest.mark.parametrize("first", ["listing", "continuity"])
    def test_each_is_lost_with_an_alarm_of_its_own(self, first: str) -> None:
        after: list[Event] = [
            builders.listing(builders.on_disk("a"), builders.on_disk("b"), at=126.0),
            builders.booted(BOOTED, at=127.0),
        ]
        looked = view(*self.BEFORE, *(after if first == "listing" else reversed(after)), at=128.0)
        assert shown(looked) == {"a": "lost", "b": "lost"}
        assert "a restart of the gateway ended it" in run_levels(looked)["a"].reason
        rung = [one.key for one in present_alarms(looked)]
        assert rung == [("a", "lost run"), ("b", "lost run")]

    def test_it_is_over_when_another_turn_of_it_runs_and_in_time(self) -> None:
        after: list[Event] = [
            builders.listing(builders.on_disk("a"), at=126.0),
            builders.booted(BOOTED, at=127.0),
        ]
        again = builders.listing(busy("a", last_event_seq=2), at=129.0)
        assert shown(view(*self.BEFORE, *after, again, at=130.0))["a"] == "ok*"
        late = builders.listing(builders.on_disk("a"), at=3000.0)
        assert shown(view(*self.BEFORE, *after, late, at=3001.0)) == {"a": "idle"}

    def test_a_run_that_began_after_the_boot_was_not_killed_by_it(self) -> None:
        looked = view(
            *self.BEFORE,
            builders.listing(builders.on_disk("a"), builders.on_disk("b"), at=123.0),
            builders.polled(builders.snapshot(generated_at=NOW + timedelta(seconds=125)), at=125.0),
            builders.listing(busy("a", last_event_seq=2), builders.on_disk("b"), at=126.0),
            builders.booted(BOOTED, at=131.0),
            at=131.5,
        )
        assert shown(looked) == {"a": "ok*", "b": "lost"}

    def test_who_was_lost_before_stays_so(self) -> None:
        looked = view(
            *self.BEFORE, builders.listing(at=126.0), builders.booted(BOOTED, at=127.0), at=128.0
        )
        assert shown(looked) == {"a": "lost", "b": "lost"}


class TestDeaf:
    """Cancelled, its counter cleared, its turn not ended: it holds the lock."""

    HIT: ClassVar[tuple[Event, ...]] = (
        builders.linked(session_id="a", at=-9.0),
        builders.linked(session_id="b", at=-9.0),
        builders.listing(builders.session("a"), builders.session("b"), at=-3.0),
        *builders.stream(builders.processing(), MOVING, session_id="a", at=-2.0),
        *(builders.listing(busy("a"), busy("b"), at=3.0 * n) for n in range(50)),
        *builders.stream(builders.frame("cancelled"), session_id="a", at=150.0),
        builders.listing(builders.session("a"), busy("b"), at=156.0),
    )

    def test_its_victim_is_not_stuck_for_a_frame_when_it_ends(self) -> None:
        done = builders.mission("m1", started_s=128.0)
        told = builders.polled(
            builders.snapshot(done, generated_at=NOW + timedelta(seconds=159)), at=159.0
        )
        assert shown(view(*self.HIT, at=158.0)) == {"a": "deaf*", "b": "queued"}
        assert shown(view(*self.HIT, told, at=159.5)) == {"a": "idle", "b": "ok*"}

    def test_its_next_turn_was_idle_until_the_listing_after_its_end(self) -> None:
        """It was counted while the deaf one went on, and waits behind b now."""
        told = (
            *self.HIT,
            builders.listing(busy("a"), busy("b"), at=159.0),
            *builders.stream(
                builders.frame("status", status="turn_cancelled"),
                builders.frame("query_complete", cancelled=True),
                session_id="a",
                at=160.0,
            ),
            *builders.stream(MOVING, session_id="b", at=161.5),
        )
        assert shown(view(*told[:-1], at=161.1))["a"] != "idle"
        assert shown(view(*told, at=161.6))["a"] == "queued"

    def test_what_ended_when_it_was_cancelled_is_no_proof(self) -> None:
        done = builders.mission("m1", started_s=121.0)
        told = builders.polled(
            builders.snapshot(done, generated_at=NOW + timedelta(seconds=159)), at=159.0
        )
        assert shown(view(*self.HIT, told, at=159.5))["a"] == "deaf*"

    def test_on_g2_the_turn_of_another_session_proves_nothing(self) -> None:
        now = builders.state(
            builders.healthy(dialect="G2"),
            *self.HIT,
            *builders.stream(builders.processing(), MOVING, session_id="b", at=157.0),
        )
        assert shown(View(now, 159.0))["a"] == "deaf"
        again = builders.stream(builders.processing("another"), session_id="a", at=160.0)
        now = builders.state(builders.healthy(dialect="G2"), *self.HIT, *again)
        assert shown(View(now, 161.0))["a"] != "deaf"


class World:
    """A G1 gateway of three sessions, and what vp-tui hears of it, told as events."""

    def __init__(self) -> None:
        self.at = 0.0
        self.queue: list[str] = []
        """Sessions with a turn, in the order in which they asked for the lock."""
        self.began = dict.fromkeys("abc", 0.0)
        """When the turn of each that is in the queue began to wait."""
        self.looked = list[float]()
        self.rested = dict.fromkeys("abc", 0.0)
        """When each was last known to have no turn: a look showed it, or its end was heard."""
        self.ended = dict.fromkeys("abc", -LISTING_LAG_S)
        """When the end of each was last heard."""
        self.sent = dict.fromkeys("abc", 5)
        self.heard: set[str] = set()
        self.store = Store(builders.state(builders.healthy(), builders.listing()))

    def _say(self, name: str, *kinds: str) -> None:
        for kind in kinds:
            self.sent[name] += 1
            if name in self.heard:
                told = builders.processing() if kind == "processing" else builders.frame(kind)
                self.store.apply(*builders.stream(told, session_id=name, at=self.at))

    def start(self, name: str) -> None:
        if name not in self.queue:
            self.queue.append(name)
            self.began[name] = self.at
            if self.queue[0] == name:
                self._say(name, "processing")

    def speak(self) -> None:
        if self.queue:
            self._say(self.queue[0], "text")

    def end(self) -> None:
        if self.queue:
            name = self.queue.pop(0)
            self._say(name, "query_complete")
            if name in self.heard:
                self.rested[name] = self.ended[name] = self.at
            if self.queue:
                self._say(self.queue[0], "processing")

    def attach(self, name: str) -> None:
        if name not in self.heard:
            self.heard.add(name)
            self.sent[name] += 1
            self.store.apply(builders.linked(session_id=name, at=self.at))

    def is_victim(self, name: str) -> bool:
        """Tell whether another that runs on was seen before this one was last known to rest.

        That a turn ended which nobody heard, and another began before the next look, no look shows.
        """
        ahead = [other for other in self.queue if self.began[other] < self.began[name]]
        return any(self.began[o] <= at <= self.rested[name] for o in ahead for at in self.looked)

    def look(self) -> State:
        self.looked.append(self.at)
        self.rested |= {name: self.at for name in "abc" if name not in self.queue}
        sessions = [
            builders.session(
                name,
                active_runs=int(name in self.queue),
                last_event_seq=self.sent[name],
                active_connections=int(name in self.heard),
                has_log=name == "c",
            )
            for name in "abc"
        ]
        self.store.apply(builders.listing(*sessions, at=self.at))
        return self.store.state


ACTS = st.one_of(
    st.tuples(st.just("start"), st.sampled_from("abc")),
    st.tuples(st.just("attach"), st.sampled_from("abc")),
    st.sampled_from([("speak",), ("end",), ("look",), ("look",)]),
)
TWO_AT_ONCE_OF_WHICH_ONE_BEGINS_AGAIN: Final[list[tuple[str, ...]]] = [
    ("start", "a"), ("start", "b"), ("look",), ("end",), ("start", "a"), ("look",)
]  # fmt: skip
"""Nobody heard that end, so that for all that is known the turn of before goes on."""


@given(st.lists(st.tuples(ACTS, st.sampled_from([0.1, 2.0, 200.0])), max_size=40))
@example([(act, 0.1) for act in TWO_AT_ONCE_OF_WHICH_ONE_BEGINS_AGAIN])
def test_whatever_is_seen_in_any_order_no_certain_victim_is_named(
    acts: list[tuple[tuple[str, ...], float]],
) -> None:
    world, stuck = World(), set[str]()
    for (act, *names), passed in acts:
        world.at += passed
        if act != "look":
            getattr(world, act)(*names)
            stuck = stuck if act in {"start", "attach"} else set()
            continue
        found = run_levels(View(world.look(), world.at))
        for name, told in found.items():
            if told.holds_lock and not told.is_guess:
                assert world.queue[0] == name, "named for certain, and it waits"
            if name in world.queue and world.is_victim(name):
                # A listing that comes right after a heard end may be older than that end.
                is_late = world.at - world.ended[name] < LISTING_LAG_S
                waits = {Level.QUEUED, Level.IDLE} if is_late else {Level.QUEUED}
                assert told.level in waits, "a certain victim, and not queued"
                assert name not in told.rivals
            if told.is_behind_unlisted:
                raise AssertionError("everything that can hold the lock is listed")
            if name not in world.queue:
                assert told.level is Level.IDLE
        now_stuck = {name for name, told in found.items() if told.level is Level.STUCK}
        assert stuck <= now_stuck, "an alarm was withdrawn because somebody queued"
        stuck = now_stuck


@pytest.mark.parametrize(("dialect", "greeting"), [("G1", 1), ("G2", 2)])
def test_others_who_came_back_after_a_cut_were_taken_for_a_sign_of_life(
    dialect: Dialect, greeting: int
) -> None:
    """A stuck run's alarm was withdrawn for two minutes when the wire to all viewers broke."""

    def listed(seq: int, at: float) -> Event:
        return builders.listing(busy("a", last_event_seq=seq, active_connections=3), at=at)

    events: list[Event] = [
        builders.healthy(dialect=dialect),
        builders.linked(session_id="a"),
        *builders.stream(MOVING, session_id="a", at=1.0),
        *(listed(20, 3.0 * n) for n in range(1, 45)),
        builders.linked(StreamState.WAITING, "cut", session_id="a", at=133.0),
        builders.linked(session_id="a", at=134.0),
        # Our own socket and those of two others came again, each greeted.
        listed(20 + 3 * greeting, 135.0),
    ]
    if dialect == "G2":
        again = builders.frame("status", status="processing", turn_id="t")
        events[-1:-1] = builders.stream(again, session_id="a", at=134.0)
    told = run_levels(View(builders.state(*events), 136.0))["a"]
    assert (told.level, told.silent_s) == (Level.STUCK, 135.0)
    # What it says itself is one, heard or only counted.
    counted = listed(20 + 3 * greeting + 9, 138.0)
    moved = View(
        builders.state(
            *events, builders.linked(StreamState.WAITING, "cut", session_id="a", at=136.0), counted
        ),
        139.0,
    )
    assert run_levels(moved)["a"].silent_s == 1.0


def test_another_viewer_of_a_v2_was_taken_for_a_sign_of_life() -> None:
    """It is told of the turn under way beside its greeting: the sequence rises by two."""
    alone = busy("a", last_event_seq=20)
    joined = busy("a", last_event_seq=22, active_connections=1)
    seen = [builders.listing(alone, at=3.0 * n) for n in range(44)]
    state = builders.state(
        builders.healthy(dialect="G2"), *seen, builders.listing(joined, at=132.0)
    )
    told = run_levels(View(state, 133.0))["a"]
    assert (told.level, told.silent_s) == (Level.STUCK, 133.0)
