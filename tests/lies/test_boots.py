"""Lies that were told across restarts of the gateway, each with the right value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, scenes
from tests.support.builders import NOW
from tests.support.rollout import window

from vp_tui.cli.status import status_text
from vp_tui.domain.events import (
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
    Tick,
    WindowsRead,
)
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, CommandRun
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import numbers
from vp_tui.views.handover import rule_lines
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.domain.rollout.verdicts import GateResult

LATER_BOOT = "2026-11-22T20:15:00"  # 02:15 UTC


def missions(marks: str, since_s: float = 0.0) -> list[Mission]:
    """Return finished missions a minute apart, newest first, a letter each: `b` fell back.

    The last one began before NOW, `since_s` later.
    """
    begin = since_s - 60.0 * len(marks)
    listed = [
        builders.mission(
            f"m{since_s:.0f}-{n:03d}", started_s=begin + 60.0 * n, fallback_seen=mark == "b"
        )
        for n, mark in enumerate(marks)
    ]
    return listed[::-1]


def looked(*events: Event, at: float = 3600.0, **watch: Any) -> View:  # noqa: ANN401 - fields of Watch
    return View(builders.state(builders.healthy(), *events, **watch), at)


def restarted(before: str, since: str, *more: Event, **watch: Any) -> View:  # noqa: ANN401 - as above
    """Return a look at a gateway that was restarted between the missions of before and since."""
    listed = [*missions(since, 3600.0), *missions(before)]
    later = NOW + timedelta(hours=1)
    taken = builders.polled(builders.snapshot(*listed, generated_at=later), at=3600.0)
    booted = [builders.booted(), builders.booted(LATER_BOOT, 3600.0)]
    return looked(*booted, taken, *more, **watch)


def gate(view: View, name: str) -> GateResult:
    return assess(view).gates.by_name()[name]


def reasons(view: View) -> Iterable[str]:
    suggestion = assess(view).suggestion
    assert suggestion is not None
    return suggestion.reasons


class TestAWindowThatWasOpenAcrossARestart:
    """Was: its missions of both lives were pooled without a word."""

    SAID = "10 before the restart of 02:15:00Z, 1 since"

    def test_says_so_in_the_reasons(self) -> None:
        assert self.SAID in reasons(restarted("." * 10, "."))

    def test_says_so_in_the_rows_notes(self) -> None:
        draft = draft_row(restarted("." * 10, "."))
        notes = row_of(draft, Choice("HOLD_SHADOW")).notes
        assert "window: +11 missions" in notes
        assert notes.count(self.SAID) >= 2, "beside the window, and in the reasons"

    def test_that_was_opened_after_it_says_nothing(self) -> None:
        told = "; ".join(reasons(restarted("", "." * 3)))
        assert "before the restart" not in told

    def test_counts_in_gate_1_with_its_missions_of_this_epoch_alone(self) -> None:
        """Was: 2 of 5 of before made it FAIL, with `in the window`, for ever."""
        facts = gate(restarted("...bb", "." * 40), "G1")
        assert facts.verdict is Verdict.PASS


class TestTheRolling20AcrossBoots:
    """Was: a lane that crashes every ten missions never came to three fallbacks."""

    def test_make_gate_1_watch_when_they_would_trip(self) -> None:
        view = restarted("......b..b", ".........b")
        rate = gate(view, "G1")
        assert rate.verdict is Verdict.WATCH
        assert not assess(view).wire.tripped

    def test_name_themselves_where_nothing_else_fires(self) -> None:
        rate = gate(restarted(".......bbb", "." * 9), "G1")
        assert rate.verdict is Verdict.WATCH
        assert "across restarts: 3 of the last 19 fell back" in rate.reason
        assert "across restarts" in rate.threshold

    def test_are_shown_beside_those_of_this_epoch(self) -> None:
        told = "\n".join(rule_lines(restarted("........bb", "." * 5)))
        assert (
            "0 of the last 5 fell back: trips at 3 more; across restarts: 2 of the last 15" in told
        )

    def test_are_the_epochs_own_once_it_has_twenty(self) -> None:
        view = restarted("bbb", "." * 20)
        assert assess(view).wire.last_ever is None
        assert "across" not in assess(view).wire.sentence

    def test_do_not_look_at_failures(self) -> None:
        failed = [m._replace(status="failed", result_ref=None) for m in missions("..")]
        taken = builders.snapshot(*missions("." * 5, 3600.0), *failed)
        booted = [builders.booted(), builders.booted(LATER_BOOT, 3600.0)]
        view = looked(*booted, builders.polled(taken, at=3600.0))
        assert not assess(view).wire.would_trip

    def test_leave_out_faults_that_were_injected_before_the_restart(self) -> None:
        faults = window(source=Traffic.FAULT_INJECTED, anchor=frozenset[str]())
        view = restarted("bbb", "." * 5, WindowsRead(0.0, (faults._replace(closed_at=NOW),)))
        assert not assess(view).wire.would_trip
        assert "tripped before" not in "; ".join(reasons(view))


class TestATripBeforeTheRestart:
    def test_is_told_with_its_restart(self) -> None:
        told = "; ".join(reasons(restarted("bbb", "...", stage=Stage.LIMITED)))
        assert "guardrail 3: tripped before the restart of 02:15:00Z: 3 of the last 3" in told


class TestAnEpochWhoseBeginningIsNotListed:
    def full(self, count: int, **fields: Any) -> View:  # noqa: ANN401 - fields of Snapshot
        taken = builders.snapshot(*missions("." * count), mission_limit=30, **fields)
        return looked(builders.booted(), builders.polled(taken))

    def test_says_from_which_mission_on_it_is_known(self) -> None:
        assert "epoch known from mission m0-000 on" in gate(self.full(30), "G3").reason

    def test_says_nothing_where_all_are_known(self) -> None:
        assert "known from" not in gate(self.full(29), "G3").reason

    def test_says_nothing_where_the_list_reaches_back_beyond_the_boot(self) -> None:
        view = restarted("." * 500, "." * 30)
        assert numbers(view) is not None
        assert "known from" not in gate(view, "G3").reason


class TestOrphans:
    """Was: a running row that a restart, or an injected fault, had left was held against gate 2."""

    def test_of_before_the_restart_are_accounted_for_by_it(self) -> None:
        zombie = builders.mission("zombie", "running", started_s=-300.0)
        listed = [*missions("." * 10, 3600.0), zombie]
        taken = builders.snapshot(*listed, generated_at=NOW + timedelta(hours=1))
        booted = [builders.booted(), builders.booted(LATER_BOOT, 3600.0)]
        view = looked(*booted, builders.polled(taken, at=3600.0))
        assert gate(view, "G2").verdict is Verdict.PASS

    def test_of_this_epoch_are_not(self) -> None:
        assert gate(self.orphaned(), "G2").verdict is Verdict.WATCH

    def test_of_a_window_of_faults_do_not_feed_the_gate(self) -> None:
        faults = window(source=Traffic.FAULT_INJECTED, anchor=frozenset[str]())
        ended = frozenset({"zombie"})
        over = faults._replace(closed_at=NOW, closing=ended)
        view = self.orphaned(WindowsRead(0.0, (over,)))
        assert gate(view, "G2").verdict is Verdict.PASS

    @pytest.mark.parametrize(
        ("polls", "told"), [(1, "1 running, not judged, 0 orphaned"), (2, "0 running, 1 orphaned")]
    )
    def test_that_is_the_newest_is_not_judged_in_one_look(self, polls: int, told: str) -> None:
        zombie = builders.mission("zombie", "running", started_s=-100.0)
        taken = builders.snapshot(zombie, *missions("...", -200.0))
        looks = [
            event
            for at in range(polls)
            for event in (
                builders.listing(builders.session(), at=3.0 * at),
                builders.polled(taken, at=3.0 * at),
            )
        ]
        assert told in status_text(looked(builders.booted(), *looks, at=4.0))

    def orphaned(self, *more: Event) -> View:
        zombie = builders.mission("zombie", "running", started_s=-1000.0)
        taken = builders.snapshot(*missions("." * 10), zombie)
        return looked(builders.booted(), builders.polled(taken), *more, at=1.0)


class TestWithoutAKnownBoot:
    """Was: figures of all lives stood under `ALL KNOWN`."""

    def test_the_figures_are_pooled_and_say_that_the_epoch_is_unknown(self) -> None:
        view = looked(builders.polled(builders.snapshot(*missions("." * 12))))
        shown = numbers(view)
        assert shown is not None
        assert words.epoch_title(view, shown) == "EPOCH UNKNOWN, n=12"
        assert "epoch unknown" in gate(view, "G2").reason


BY_COMMAND = Actuation((), command=CommandRun(("restart",), 0, (), 1.0))
ASKED_X = (RestartAsked(2.0, "bo@desk", "stuck"), RestartActed(3.0, BY_COMMAND))
ASKED_F = (SwitchAsked(2.0, FORCE_FALLBACK, "bo@desk"), SwitchActed(3.0, BY_COMMAND))


class TestARestartThatWasOrdered:
    """Was: it rang `gateway lost`."""

    def gone(self, *ordered: Event, now: float = 6.0) -> View:
        sources = (Source.METRICS, Source.SESSIONS, Source.CONTINUITY, Source.HEALTH)
        gone = [builders.failed(source, scenes.GONE, at=4.0) for source in sources]
        taken = builders.polled(builders.snapshot(*missions("...")))
        later = Tick(now, NOW + timedelta(seconds=now))
        return looked(builders.booted(), taken, builders.listing(), *ordered, *gone, later, at=now)

    def alarms(self, view: View) -> list[str]:
        return [entry.alarm for entry in assess(view).safety]

    @pytest.mark.parametrize("ordered", [ASKED_X, ASKED_F])
    def test_is_no_alarm(self, ordered: tuple[Event, ...]) -> None:
        assert self.alarms(self.gone(*ordered)) == []

    @pytest.mark.parametrize("ordered", [ASKED_X, ASKED_F])
    def test_that_lasts_too_long_is_one(self, ordered: tuple[Event, ...]) -> None:
        assert self.alarms(self.gone(*ordered, now=130.0)) == ["gateway lost"]

    def test_that_nobody_ordered_is_one(self) -> None:
        assert self.alarms(self.gone()) == ["gateway lost"]


class TestOurOwnClock:
    """Ten minutes off, all through a watch: no age, window, epoch, word or alarm goes wrong."""

    def night(self, off_s: float) -> View:
        listed = [*missions("." * 5, 1800.0), *missions("...b......")]
        taken = builders.snapshot(*listed, generated_at=NOW + timedelta(seconds=1800))
        opened = window(opened_at=NOW - timedelta(minutes=5), anchor=frozenset[str]())
        events: list[Event] = [
            Tick(0.0, NOW + timedelta(seconds=off_s)),
            builders.healthy(1800.0),
            builders.booted(at=1800.0),
            builders.listing(builders.session(), at=1800.0),
            builders.linked(at=1799.0),
            builders.polled(taken, at=1800.0),
            WindowsRead(1.0, (opened,)),
        ]
        state = builders.state(*events)
        return View(state, 1801.0)

    @pytest.mark.parametrize("off_s", [-600.0, 600.0])
    def test_changes_nothing_that_is_told(self, off_s: float) -> None:
        right, wrong = self.night(0.0), self.night(off_s)
        assert assess(wrong).suggestion == assess(right).suggestion
        assert assess(wrong).gates == assess(right).gates
        assert assess(wrong).safety == assess(right).safety
        assert assess(wrong).numbers == assess(right).numbers
        assert wrong.state.boot_at == right.state.boot_at
        opened = assess(right).window
        assert opened is not None
        assert words.open_for(wrong, opened) == words.open_for(right, opened)
        assert draft_row(wrong).taken_at == draft_row(right).taken_at
