"""Lies that were told about windows and the row's word, each with the right value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, evidence
from tests.support.builders import NOW
from tests.support.rig import running as running_rig
from tests.support.rollout import row, unmeasured, window

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.status import refuse_flags
from vp_tui.domain.events import (
    CancelRequested,
    EvidenceRead,
    WindowsRead,
)
from vp_tui.domain.rollout.labels import clean_limited_windows, next_label
from vp_tui.domain.rollout.windows import CANCEL, Anchor, RecordedEnd, Told, closed, opened
from vp_tui.domain.vocabulary import Stage, Traffic, Word
from vp_tui.state.store import Store
from vp_tui.storage.windows import read_windows
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import anchor_now, current_window, numbers
from vp_tui.views.view import View
from vp_tui.worker.evidence import Recorder, Written

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.domain.rollout.evidence_row import EvidenceRow


READY, HOLD = Choice("READY_FOR_LIMITED_COHORT_PILOT"), Choice("HOLD_SHADOW")


def clean(count: int, first: int = 0) -> list[Mission]:
    """Return finished missions, newest first, a minute apart, all before NOW."""
    return [
        builders.mission(f"m{number}", started_s=-3000.0 + 60.0 * number)
        for number in reversed(range(first, first + count))
    ]


def fell(number: int) -> Mission:
    return builders.mission(f"m{number}", started_s=-3000.0 + 60.0 * number, fallback_seen=True)


def running(number: int) -> Mission:
    return builders.mission(f"m{number}", "running", started_s=-3000.0 + 60.0 * number)


def seen(*missions: Mission, at: float = 0.0) -> list[Event]:
    """Return a look at a gateway that is up, with a session that runs."""
    return [
        builders.healthy(at),
        builders.booted(at=at),
        builders.linked(at=at),
        builders.listing(builders.session(), at=at - 3.0),
        builders.listing(builders.session(active_runs=1), at=at),
        builders.polled(builders.snapshot(*missions), at=at),
    ]


def view(*events: Event, at: float = 1.0, **watch: Any) -> View:  # noqa: ANN401 - fields of Watch
    return View(builders.state(*events, **watch), at)


def word(looked: View) -> str:
    suggestion = assess(looked).suggestion
    assert suggestion is not None
    return suggestion.decision


def reasons(looked: View) -> str:
    suggestion = assess(looked).suggestion
    assert suggestion is not None
    return "; ".join(suggestion.reasons)


def log_of(*rows: EvidenceRow, **told: Any) -> EvidenceRead:  # noqa: ANN401 - fields of EvidenceRead
    names = tuple(None for _ in rows)
    values = {"recorded_ids": frozenset[str](), "authors": names} | told
    return EvidenceRead(at=0.0, rows=rows, **values)


class Desk:
    """A vp-tui with real files: an empty evidence log and its windows."""

    def __init__(self, directory: Path, *events: Event) -> None:
        self.files = evidence.evidence_files(directory)
        log = evidence.log_of(self.files)
        self.store = Store(builders.state(*events, evidence=str(log)))
        self.recorder = Recorder(self.files, self.store, "ana@laptop", clock=lambda: 5.0)
        self.reread()

    def reread(self) -> None:
        self.store.apply(evidence.read(self.files))
        self.store.apply(WindowsRead(0.0, read_windows(self.files.windows)))

    def poll(self, *missions: Mission, at: float) -> None:
        for event in seen(*missions, at=at):
            self.store.apply(event)

    def view(self, at: float) -> View:
        return View(self.store.state, at)

    async def write(self, choice: Choice, at: float) -> Written:
        outcome = await self.recorder.record(draft_row(self.view(at)), choice)
        assert isinstance(outcome, Written), outcome
        self.reread()
        return outcome


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, *seen(running(9), *clean(9)))


class TestAFallbackThatWasSeen:
    """Was: 9 clean, the tenth still runs with its fallback heard: clean, READY."""

    HEARD = builders.stream(builders.routed("coder_vp_fallback", "m9"), at=0.5)

    def test_of_a_mission_that_still_runs_holds(self) -> None:
        looked = view(*seen(running(9), *clean(9)), *self.HEARD)
        assert word(looked) == Word.HOLD_SHADOW
        assert "1 still running fell back already" in reasons(looked)
        assert assess(looked).is_clean is False

    def test_of_a_mission_that_no_poll_has_listed_yet_holds(self) -> None:
        looked = view(*seen(*clean(9)), *self.HEARD)
        assert word(looked) == Word.HOLD_SHADOW

    def test_without_it_the_window_is_clean(self) -> None:
        assert word(view(*seen(running(9), *clean(9)))) == READY.decision

    async def test_is_counted_in_the_row_of_the_window_in_which_it_ends(self, desk: Desk) -> None:
        """Was: promoted meanwhile, it was in no row for ever."""
        await desk.write(READY, 1.0)
        desk.poll(fell(9), *clean(9), at=6.0)
        own = assess(desk.view(6.5)).numbers
        assert own is not None
        assert (own.new, own.fallback) == (1, 1)
        assert word(desk.view(6.5)) == Word.HOLD_SHADOW


class TestEachMissionIsInOneWindow:
    """Was: what ran at the opening was in none, what a record listed running too."""

    async def test_one_that_ran_over_two_rows(self, desk: Desk) -> None:
        await desk.write(READY, 1.0)
        desk.poll(running(10), *clean(10), at=6.0)
        own = assess(desk.view(6.5)).numbers
        assert own is not None
        assert (own.new, own.running) == (1, 1)
        written = await desk.write(READY, 6.5)
        assert "window: +1 mission: 1 completed" in written.row.notes
        own = assess(desk.view(6.5)).numbers
        assert own is not None
        assert (own.new, own.running) == (0, 1)

    def test_one_that_ran_when_the_window_was_opened(self) -> None:
        before = view(*seen(running(9), *clean(9)))
        window = opened(current_window(before), anchor_now(before), NOW)
        after = view(*seen(*clean(10)), WindowsRead(0.0, (window,)))
        own = assess(after).numbers
        assert own is not None
        assert (own.new, own.completed) == (1, 1)

    @pytest.mark.parametrize("hours", [-5, 0, 5])
    def test_clocks_that_are_hours_apart_decide_nothing(self, hours: int) -> None:
        before = view(*seen(*clean(9)))
        window = opened(current_window(before), anchor_now(before), NOW + timedelta(hours=hours))
        after = view(*seen(*clean(11)), WindowsRead(0.0, (window,)))
        own = assess(after).numbers
        assert own is not None
        assert own.new == 2

    def test_one_that_ran_when_a_window_of_faults_was_closed_is_real_again(self) -> None:
        before = view(*seen(running(9), *clean(9)))
        faults = opened(current_window(before), Anchor(), NOW)._replace(source=Traffic.SYNTHETIC)
        over = closed(faults, NOW, anchor_now(before))
        after = view(*seen(*clean(10)), WindowsRead(0.0, (over,)))
        figures = numbers(after)
        assert figures is not None
        assert [entry.mission.mission_id for entry in figures.real] == ["m9"]

    def test_one_that_is_listed_late_but_older_is_of_before(self) -> None:
        before = view(*seen(*clean(5, first=5)))
        window = opened(current_window(before), anchor_now(before), NOW)
        log = log_of()
        after = view(*seen(*clean(10)), WindowsRead(0.0, (window,)), log)
        own = assess(after).numbers
        assert own is not None
        assert own.new == 0

    async def test_those_that_ended_in_none_are_told_in_the_next_row_once(self, desk: Desk) -> None:
        looked = desk.view(1.0)
        window = opened(current_window(looked), anchor_now(looked), NOW)
        assert await desk.recorder.change_window(window, None) is None
        desk.poll(*clean(10), at=2.0)
        first = await desk.write(HOLD, 2.5)
        assert "9 in no window, 0 fell back" in first.row.notes
        second = await desk.write(HOLD, 3.0)
        assert "in no window" not in second.row.notes

    async def test_a_further_row_of_a_window_says_what_is_new_in_it(self, desk: Desk) -> None:
        first = await desk.write(HOLD, 1.0)
        assert "since the row before" not in first.row.notes
        desk.poll(*clean(11), at=6.0)
        second = await desk.write(HOLD, 6.5)
        assert "window: +11 missions" in second.row.notes
        assert "+2 since the row before" in second.row.notes


class TestAnOutcomeThatChanges:
    """Was: what fell back after its row was told nowhere again."""

    ENDS = (RecordedEnd("m1", "Limited cohort window #4", "completed"),)
    LOG = log_of(row("Limited cohort window #4"), recorded_ids=frozenset({"m1"}), ends=ENDS)

    def test_makes_the_open_window_not_clean_and_stands_in_its_row(self) -> None:
        looked = view(*seen(*clean(3, first=2), fell(1)), self.LOG, evidence="log.md")
        assert "1 of limited 4 fell back after all" in reasons(looked)
        told = row_of(draft_row(looked), HOLD).notes
        assert "1 of limited 4 fell back after all" in told

    def test_is_settled_by_the_row_that_tells_it(self) -> None:
        told = self.LOG._replace(ends=(self.ENDS[0]._replace(outcome="fell back"),))
        looked = view(*seen(*clean(3, first=2), fell(1)), told, evidence="log.md")
        assert "after all" not in reasons(looked)


STUCK = [
    *builders.stream(
        builders.routed("delegated_to_coder_vp", "m9"), builders.processing(), session_id="a"
    ),
    *(
        event
        for second in range(0, 301, 3)
        for event in (
            builders.listing(builders.session("a", active_runs=1), at=float(second)),
            builders.polled(builders.snapshot(running(9), *clean(9)), at=float(second)),
        )
    ),
]
RECOVERED = [
    builders.healthy(),
    builders.booted(),
    builders.linked(session_id="a"),
    builders.linked(session_id="b"),
    *STUCK,
    CancelRequested(301.0, "a", "stuck", "bo"),
    *builders.stream(
        builders.frame("cancelled"), builders.frame("query_complete"), session_id="a", at=301.5
    ),
    builders.listing(builders.session("a"), builders.session("b"), at=304.0),
    *builders.stream(
        builders.processing("next"), builders.frame("query_complete"), session_id="b", at=310.0
    ),
    builders.listing(builders.session("a"), builders.session("b"), at=314.0),
    builders.polled(
        builders.snapshot(builders.mission("m9", "cancelled", started_s=-2460.0), *clean(9)),
        at=314.0,
    ),
]


class TestACancelledStuckRun:
    """Was: READY the moment the recovery was proven, though no row told of the run."""

    def test_is_told_before_anything_is_promoted(self) -> None:
        looked = view(*RECOVERED, at=315.0)
        assert word(looked) == Word.PARTIAL_TIMEOUT_RECOVERED
        assert "a later turn completed" in reasons(looked)

    def test_is_told_by_a_row_whose_record_lists_it(self) -> None:
        told = Told(CANCEL, "a", view(*RECOVERED).wall_at(301.0))
        log = log_of(row("Shadow window #1"), told=(told,))
        looked = view(*RECOVERED, log, at=315.0, evidence="log.md")
        assert word(looked) == READY.decision

    def test_is_not_told_by_the_row_of_another_run(self) -> None:
        told = Told(CANCEL, "z", view(*RECOVERED).wall_at(301.0))
        looked = view(*RECOVERED, log_of(told=(told,)), at=315.0, evidence="log.md")
        assert word(looked) == Word.PARTIAL_TIMEOUT_RECOVERED

    def test_that_only_blocks_is_not_told_until_it_is_recovered(self) -> None:
        looked = view(*RECOVERED[:-4], at=305.0)
        draft = draft_row(looked)
        assert draft.tells(Choice("BLOCKED_EXECUTION_PIPELINE")) == ()
        assert [told.target for told in draft.tells(HOLD)] == ["a"]


TRIPPED = [fell(number) for number in (12, 11, 10)] + clean(10)
LATER_BOOT = "2026-11-22T20:30:00"  # 02:30 UTC


class TestAfterARestart:
    """Was: the trip was gone with the epoch that the brake's restart ended: HOLD, then READY."""

    def test_a_trip_that_no_row_tells_forces_fallback(self) -> None:
        looked = view(*seen(*TRIPPED), builders.booted(LATER_BOOT, 2.0), stage=Stage.LIMITED)
        assert word(looked) == Word.FORCE_FALLBACK
        assert "tripped before the restart of " in reasons(looked)

    def test_one_that_a_row_tells_does_not(self) -> None:
        told = row("Limited cohort window #2", "FORCE_FALLBACK", date="2026-11-23T02:10:00Z")
        events = [*seen(*TRIPPED), builders.booted(LATER_BOOT, 2.0), log_of(told)]
        looked = view(*events, stage=Stage.LIMITED, evidence="log.md")
        assert word(looked) != Word.FORCE_FALLBACK

    def test_after_the_row_the_next_window_is_shadow(self) -> None:
        told = row("Broadened rollout window #2", "FORCE_FALLBACK", date="2026-11-23T02:10:00Z")
        looked = view(*seen(*clean(3)), log_of(told), evidence="log.md")
        window = current_window(looked)
        assert (window.label, window.stage) == ("Shadow window #1", Stage.SHADOW)


def limited(number: int) -> EvidenceRow:
    return row(f"Limited cohort window #{number}", READY.decision)


FORCED = row("Limited cohort window #5", "FORCE_FALLBACK")


@pytest.mark.parametrize(
    ("lie", "rows", "label", "clean_ones"),
    [
        ("the stage stood after a revert", [limited(1), FORCED], "Shadow window #1", 0),
        (
            "windows before a revert broadened the rollout after it",
            [*map(limited, (1, 2, 3, 4)), FORCED, limited(6)],
            "Limited cohort window #7",
            1,
        ),
        (
            "a revert without a number was none",
            [limited(1), row("the night of the 23rd", "SUSTAINED_FORCE_FALLBACK")],
            "Shadow window #1",
            0,
        ),
        (
            "a dash was a measured cell",
            [unmeasured("Shadow window #3", fallback_rate="-", p95_latency="\N{EM DASH}")],
            "Shadow window #3",
            0,
        ),
    ],
)
def test_the_log_is_read_for_what_it_is(
    lie: str, rows: list[EvidenceRow], label: str, clean_ones: int
) -> None:
    assert (next_label(rows), clean_limited_windows(rows)) == (label, clean_ones), lie


def test_a_hold_that_can_never_be_clean_closes_its_window() -> None:
    """Was: the window stayed open, and each later row of it was a HOLD for the same fallback."""
    spoiled = draft_row(view(*seen(fell(9), *clean(9))))
    waiting = draft_row(view(*seen(running(0))))
    assert not spoiled.stays_open(HOLD)
    assert waiting.stays_open(HOLD)
    assert spoiled.stays_open(HOLD._replace(keep=True))


def test_sessions_that_are_not_listed_promote_nothing() -> None:
    """Was: READY with "runs not watched" among its reasons."""
    events = [event for event in seen(*clean(9)) if not hasattr(event, "sessions")]
    assert word(view(*events)) == Word.HOLD_SHADOW
    assert "runs not watched" in reasons(view(*events))


@pytest.mark.parametrize("source", Traffic)
def test_turns_that_could_not_start_the_lane_promote_nothing(source: Traffic) -> None:
    """Was: READY from nine old missions while no turn could start the lane."""
    turns = builders.stream(
        builders.routed("coder_vp_bootstrap_fallback"),
        builders.processing(),
        builders.frame("query_complete"),
        at=0.5,
    )
    looked = view(*seen(*clean(9)), *turns, source=source)
    assert word(looked) == Word.HOLD_SHADOW
    assert "could not start the lane" in reasons(looked)


async def test_turns_that_a_row_told_of_do_not_hold_the_next_window(desk: Desk) -> None:
    for event in builders.stream(
        builders.routed("coder_vp_bootstrap_fallback"), builders.processing(), at=0.5
    ):
        desk.store.apply(event)
    assert word(desk.view(1.0)) == Word.HOLD_SHADOW
    outcome = await desk.write(HOLD, 1.0)
    assert not outcome.window.is_open, "it could not become clean any more"
    desk.poll(*clean(12), at=6.0)
    assert word(desk.view(6.5)) == Word.HOLD_SHADOW, "the lane cannot start yet"
    for event in builders.stream(builders.routed("delegated_to_coder_vp", "m9"), at=6.5):
        desk.store.apply(event)
    assert word(desk.view(7.0)) == READY.decision


class TestFlagsThatNameAnotherWindow:
    """Were: silently ignored while one was open, and injected faults recorded as organic."""

    OPEN = WindowsRead(0.0, (window(label="Shadow window #7", stage=Stage.SHADOW, scope="here"),))

    @pytest.mark.parametrize(
        ("flags", "told"),
        [
            ({"source": Traffic.FAULT_INJECTED}, "--source fault-injected"),
            ({"stage": Stage.LIMITED}, "--stage limited"),
            ({"window_label": "Shadow window #8"}, "--window-label Shadow window #8"),
            ({"window_scope": "the other lane"}, "--scope the other lane"),
        ],
    )
    def test_are_refused_where_nobody_can_be_asked(self, flags: dict[str, Any], told: str) -> None:
        with pytest.raises(ConfigError, match="Shadow window #7") as refused:
            refuse_flags(view(*seen(), self.OPEN, **flags))
        assert told in str(refused.value)

    @pytest.mark.parametrize(
        "flags", [{}, {"stage": Stage.SHADOW}, {"window_label": "Shadow window #7 (again)"}]
    )
    def test_that_name_the_open_one_are_not(self, flags: dict[str, Any]) -> None:
        refuse_flags(view(*seen(), self.OPEN, **flags))

    def test_name_the_one_that_is_proposed_while_none_is_open(self) -> None:
        looked = view(*seen(), source=Traffic.FAULT_INJECTED)
        refuse_flags(looked)
        assert current_window(looked).source is Traffic.FAULT_INJECTED

    async def test_are_asked_about_on_the_screen(self) -> None:
        async with running_rig(*seen(), self.OPEN, source=Traffic.FAULT_INJECTED) as rig:
            await rig.tell(builders.healthy(1.0))
            await rig.until(lambda: "--source fault-injected" in rig.text)
            assert "that is another window" in " ".join(rig.text.split())
