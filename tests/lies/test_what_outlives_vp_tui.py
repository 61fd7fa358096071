"""Lies that were told once vp-tui was restarted, each with the right value.

Was: whatever only that vp-tui had heard was gone with it.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.rollout import row, window
from tests.support.virtual_watch import NoHands

from vp_tui.domain.coverage import joined_ledgers
from vp_tui.domain.events import CancelRequested, EvidenceRead, Tick, WindowsRead
from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.missions import Ledger, LedgerEntry
from vp_tui.domain.runs.turns import BOOTSTRAP
from vp_tui.domain.vocabulary import Word
from vp_tui.state.lane import unkept
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import Watch, initial_state
from vp_tui.state.store import Store
from vp_tui.storage.windows import change_windows, keep_heard, keep_window, read_kept
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import numbers, untold_gap
from vp_tui.views.lane import lane_mode, turns_ran, turns_told
from vp_tui.views.view import Live, View
from vp_tui.worker.lookout import Lookout

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event, Heard
    from vp_tui.domain.models import Mission, Snapshot
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.state.state import State

NEXT_BOOT = "2026-11-22T20:10:00"  # 02:10 UTC: ten minutes after NOW
END = builders.frame("query_complete")
OPENED = window(opened_at=builders.NOW - timedelta(hours=1), anchor=frozenset())
URL = "http://127.0.0.1:8002"
UNSTARTED = builders.stream(builders.routed(BOOTSTRAP), builders.processing(), END, at=5.0)
DELEGATED = builders.stream(
    builders.routed("delegated_to_coder_vp", "m9"), builders.processing(), END, at=9.0
)


def clean(count: int) -> list[Mission]:
    return [builders.mission(f"m{n}", started_s=-60.0 - 60.0 * n) for n in range(count)]


def gateway(*missions: Mission, at: float = 0.0, boot: str = builders.BOOT) -> list[Event]:
    return [
        builders.healthy(at),
        builders.booted(boot, at),
        builders.linked(at=at),
        builders.listing(builders.session(), at=at),
        polled(*missions, at=at),
    ]


def polled(*missions: Mission, at: float) -> Event:
    generated_at = builders.NOW + timedelta(seconds=at)
    return builders.polled(builders.snapshot(*missions, generated_at=generated_at), at=at)


class Host:
    """One state directory, and the vp-tui that were started on it one after the other."""

    def __init__(self, directory: Path, opened: Window | None = OPENED) -> None:
        self.file = directory / "windows" / "w.json"
        if opened is not None:
            keep_window(self.file, opened, None)

    def start(self, *events: Event, at: float = 0.0, evidence: str | None = None) -> State:
        """Start a vp-tui at a moment of the clock that all on this host share."""
        watch = Watch(URL, "prod", "vp.coder.primary", evidence=evidence)
        wall = builders.NOW + timedelta(seconds=at)
        return self.reread(initial_state(watch, at=at, wall=wall), *events, at=at)

    def reread(self, state: State, *events: Event, at: float) -> State:
        """Read the file as the feed does, then take up the events."""
        windows, heard = read_kept(self.file)
        return reduce_all(state, [WindowsRead(at, windows, heard=heard), *events])

    def leave(self, state: State, at: float = 100.0) -> None:
        """Keep what was heard, as the lookout does each second."""
        wall = builders.NOW + timedelta(seconds=at)
        state = reduce_all(state, [Tick(at, wall)])
        if (heard := unkept(state)) is not None:
            keep_heard(self.file, heard)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


class KeepingHands(NoHands):
    """Writes what is to be kept, and notes that it did."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept: list[Heard] = []

    def keep_heard(self, heard: Heard) -> None:
        self.kept.append(heard)
        keep_heard(self.file, heard)


def view(state: State, at: float = 201.0) -> View:
    return View(state, at)


class TestTurns:
    def test_one_that_could_not_start_the_lane_is_not_forgotten(self, host: Host) -> None:
        host.leave(host.start(*gateway(*clean(9)), *UNSTARTED))
        now = view(host.start(*gateway(*clean(9), at=200.0), at=200.0))
        assert now.state.routing.bootstrap == 1
        assert assess(now).is_clean is False
        assert assess(now).suggestion.decision == Word.HOLD_SHADOW  # type: ignore[union-attr]

    def test_the_lane_still_cannot_start(self, host: Host) -> None:
        host.leave(host.start(*gateway(*clean(9)), *UNSTARTED))
        now = view(host.start(*gateway(*clean(9), at=200.0), at=200.0))
        assert lane_mode(now).mode is LaneMode.CANNOT_START

    def test_before_a_restart_the_lane_could_not_start_and_nothing_is_known_since(
        self, host: Host
    ) -> None:
        host.leave(host.start(*gateway(*clean(9)), *UNSTARTED))
        now = view(host.start(*gateway(*clean(9), at=200.0, boot=NEXT_BOOT), at=200.0))
        assert lane_mode(now).mode is not LaneMode.CANNOT_START

    def test_those_before_and_since_add_up_once(self, host: Host) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED, *DELEGATED))
        then = host.start(*gateway(at=200.0), at=200.0)
        heard = builders.stream(builders.processing(), END, at=210.0)
        then = host.reread(reduce_all(then, heard), at=212.0)
        assert tuple(turns_ran(view(host.reread(then, at=213.0)))) == (3, 3)

    def test_of_the_window_before_they_are_not_this_windows(self, host: Host) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED))
        other = window(label="Broadened rollout window #6", opened_at=builders.NOW, anchor=None)
        change_windows(host.file, lambda _kept: (other,))
        assert host.start(*gateway(at=200.0), at=200.0).routing.bootstrap == 0

    def test_of_a_proposed_window_they_are_its_own_until_a_row_is_written(
        self, tmp_path: Path
    ) -> None:
        host, log = Host(tmp_path, None), EvidenceRead(0.0, (row("Shadow window #1"),), frozenset())
        host.leave(host.start(*gateway(), log, *UNSTARTED, evidence="log.md"))
        again = host.start(log, *gateway(at=200.0), at=200.0, evidence="log.md")
        assert again.routing.bootstrap == 1
        later = log._replace(rows=(*log.rows, row("Shadow window #2", "READY")))
        again = host.start(later, *gateway(at=200.0), at=200.0, evidence="log.md")
        assert again.routing.bootstrap == 0

    def test_across_a_restart_that_nobody_watched_it_is_said_which_were_before(
        self, host: Host
    ) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED))
        then = host.start(*gateway(at=200.0, boot=NEXT_BOOT), at=200.0)
        since = builders.stream(builders.processing(), END, at=210.0)
        told = turns_told(view(reduce_all(then, [*gateway(*clean(4), at=205.0), *since])))
        assert any("(1 before the restart, 1 since)" in part for part in told)

    def test_one_that_goes_on_while_vp_tui_is_restarted_is_one(self, host: Host) -> None:
        running = builders.listing(builders.session(active_runs=1), at=2.0)
        host.leave(host.start(*gateway(), running))
        assert read_kept(host.file).heard is not None
        again = host.start(builders.booted(at=200.0), running._replace(at=200.0), at=200.0)
        assert turns_ran(view(again)).ran == 1


class TestTwoVpTui:
    def test_that_heard_the_same_count_it_once(self, host: Host) -> None:
        both = [host.start(*gateway(), *UNSTARTED) for _ in range(2)]
        for each in both:
            host.leave(each)
        again = [host.reread(each, at=101.0) for each in both]
        assert [each.routing.bootstrap for each in again] == [1, 1]
        assert [unkept(each) for each in again] == [None, None]

    def test_lose_nothing_that_only_one_of_them_heard(self, host: Host) -> None:
        early, late = host.start(*gateway(), *UNSTARTED), host.start(*gateway())
        host.leave(late)
        host.leave(early)
        host.leave(late)
        assert host.reread(late, at=101.0).routing.bootstrap == 1

    def test_come_to_an_end_of_writing_when_both_follow_one_cancel(self, host: Host) -> None:
        running = builders.listing(builders.session(active_runs=1), at=1.0)
        asked = CancelRequested(3.0, "session_a", "stuck", "bo@desk")
        hit = builders.stream(builders.frame("cancelled"), at=3.2)
        ours = host.start(*gateway(), running, asked, *hit)
        theirs = host.start(*gateway(), running, *[e._replace(at=3.3) for e in hit])
        for _ in range(3):
            host.leave(ours)
            ours, theirs = host.reread(ours, at=101.0), host.reread(theirs, at=101.0)
            host.leave(theirs)
        assert [len(each.cancels) for each in (ours, theirs)] == [1, 1]
        assert (ours.cancels[0].actor, theirs.cancels[0].actor) == ("bo@desk", None)
        written = host.file.read_bytes()
        host.leave(ours)
        host.leave(theirs)
        assert host.file.read_bytes() == written


class TestOutcomes:
    """The end of a mission whose event is behind the gateway's event window."""

    def blind(self, *missions: Mission) -> Snapshot:
        return builders.snapshot(*missions, events=[], event_limit=0)

    @pytest.mark.parametrize(("fallen", "rate"), [(False, 0.0), (True, 1.0)])
    def test_that_was_seen_stays_known(self, host: Host, rate: float, *, fallen: bool) -> None:
        mission = builders.mission("m1", fallback_seen=fallen, result_ref=None)
        host.leave(host.start(*gateway(mission)))
        hidden = mission._replace(fallback_seen=False)
        then = host.start(*gateway(at=200.0), at=200.0)
        now = view(reduce_all(then, [builders.polled(self.blind(hidden), at=201.0)]))
        figures = numbers(now)
        assert figures is not None
        assert figures.reconstruction.rate == rate
        assert figures.coverage.unknown == 0

    def test_that_nobody_saw_stays_unknown(self, host: Host) -> None:
        host.leave(host.start(*gateway(builders.mission("m0"))))
        hidden = builders.mission("m1", result_ref=None)
        then = host.start(builders.polled(self.blind(hidden), at=201.0), at=200.0)
        figures = numbers(view(then))
        assert figures is not None
        assert figures.coverage.unknown == 1

    def test_of_a_fallback_that_was_heard_and_not_listed_yet_stays_known(self, host: Host) -> None:
        told = builders.stream(builders.routed("coder_vp_fallback", "m1"), at=5.0)
        host.leave(host.start(*gateway(builders.mission("m0")), *told))
        hidden = builders.mission("m1", result_ref=None)
        then = host.start(*gateway(at=200.0), at=200.0)
        figures = numbers(view(reduce_all(then, [builders.polled(self.blind(hidden), at=201.0)])))
        assert figures is not None
        assert figures.reconstruction.fallbacks == 1


class TestMissionsThatAreListedNoMore:
    """Was: the window had only what the list still had; its fallback before that was gone."""

    MISSIONS = tuple(
        builders.mission(f"m{n}", started_s=-600.0 + 60.0 * n, fallback_seen=n == 0)
        for n in reversed(range(5))
    )

    def left(self, host: Host) -> State:
        host.leave(host.start(*gateway(*self.MISSIONS)))
        listed = builders.snapshot(*self.MISSIONS[:3], mission_limit=3)
        told = builders.polled(listed._replace(generated_at=builders.NOW), at=200.0)
        return host.start(*gateway(at=200.0)[:-1], told, at=200.0)

    def test_are_in_the_windows_figures_its_word_and_its_row(self, host: Host) -> None:
        found = assess(now := view(self.left(host)))
        assert found.numbers is not None
        assert (found.numbers.new, found.numbers.fallback) == (5, 1)
        assert found.is_clean is False
        assert "window: +5 missions: 5 completed" in row_of(draft_row(now), Choice("HOLD")).notes

    def test_count_in_gates_and_guardrails_as_before(self, host: Host) -> None:
        assert assess(view(self.left(host))).wire.fallbacks == 1

    def test_are_kept_without_what_was_asked_for(self, host: Host) -> None:
        self.left(host)
        heard = read_kept(host.file).heard
        assert heard is not None
        assert {entry.mission.objective for entry in heard.ledger.entries.values()} == {""}

    def test_of_another_hosts_window_are_a_gap(self, host: Host) -> None:
        change_windows(host.file, lambda _kept: (OPENED._replace(anchor=frozenset({"old"})),))
        listed = builders.snapshot(*self.MISSIONS, mission_limit=5)
        found = view(host.start(*gateway()[:-1], builders.polled(listed)))
        assert untold_gap(found) is not None
        assert assess(found).is_clean is False

    @pytest.mark.parametrize(("anchor", "limit"), [("m0", 5), ("old", 6)])
    def test_are_none_where_the_list_reaches_back_to_it(
        self, host: Host, anchor: str, limit: int
    ) -> None:
        change_windows(host.file, lambda _kept: (OPENED._replace(anchor=frozenset({anchor})),))
        listed = builders.snapshot(*self.MISSIONS, mission_limit=limit)
        assert untold_gap(view(host.start(*gateway()[:-1], builders.polled(listed)))) is None


class TestCancels:
    RUNS = builders.listing(builders.session(active_runs=1), builders.session("b"), at=1.0)
    ASKED = CancelRequested(60.0, "session_a", "stuck", "bo@desk")
    HIT = builders.stream(builders.frame("cancelled"), at=60.5)

    def test_whose_recovery_is_awaited_are_followed_on(self, host: Host) -> None:
        host.leave(host.start(*gateway(), self.RUNS, self.ASKED, *self.HIT))
        again = host.start(*gateway(at=200.0), at=200.0)
        assert assess(view(again)).guardrails.cancel_recovery.pending == 1
        assert assess(view(again)).is_clean is False

    def test_a_restart_that_nobody_watched_ends_them(self, host: Host) -> None:
        host.leave(host.start(*gateway(), self.RUNS, self.ASKED, *self.HIT))
        again = host.start(*gateway(at=200.0, boot=NEXT_BOOT), at=200.0)
        assert again.cancels[0].restarted_at is not None
        assert again.epoch is not None
        assert again.epoch.number == 2

    def test_are_of_their_own_moment_after_the_host_was_booted(self, host: Host) -> None:
        host.leave(host.start(*gateway(), self.RUNS, self.ASKED, *self.HIT))
        watch = Watch(URL, "prod", "vp.coder.primary")
        begun = initial_state(watch, at=5.0, wall=builders.NOW + timedelta(seconds=200))
        again = host.reread(begun, at=5.0)
        assert again.clock.wall_at(again.cancels[0].at) == builders.NOW + timedelta(seconds=60)


class TestTheBoot:
    def test_is_where_it_was_fixed_although_the_clocks_changed_since(self, host: Host) -> None:
        host.leave(host.start(*gateway(*clean(1))))
        summer = builders.health(clock_offset_s=builders.CHICAGO_S + 3600.0)
        changed = builders.healthy(200.0)._replace(health=summer)
        again = host.start(changed, builders.booted(at=200.0), at=200.0)
        assert again.boot_at == builders.NOW - timedelta(hours=1)


class TestTheLookout:
    def test_keeps_what_is_new_and_that_once(self, host: Host) -> None:
        store, hands = Store(host.start(*gateway(), *UNSTARTED)), KeepingHands(host.file)
        lookout = Lookout(Live(store, lambda: 20.0), hands, lambda: builders.NOW)
        lookout.look()
        store.apply(WindowsRead(20.5, (OPENED,), heard=read_kept(host.file).heard))
        lookout.look()
        assert [heard.turns.bootstrap for heard in hands.kept] == [1]
        store.apply(*DELEGATED)
        lookout.look()
        assert hands.kept[-1].turns.delegated == 1


class TestMissionsThatNobodySaw:
    """Was: those between the last look of the one and a full first list of the next were none."""

    @staticmethod
    def full(*missions: Mission, at: float) -> list[Event]:
        told = builders.snapshot(
            *missions, mission_limit=9, generated_at=builders.NOW + timedelta(seconds=at)
        )
        return [*gateway(at=at)[:-1], builders.polled(told, at=at)]

    @pytest.mark.parametrize("is_kept_first", [True, False])
    def test_are_a_gap(self, host: Host, *, is_kept_first: bool) -> None:
        host.leave(host.start(*gateway(*clean(9))))
        later = [builders.mission(f"n{n}", started_s=190.0 - 10.0 * n) for n in range(9)]
        if is_kept_first:
            state = host.start(*self.full(*later, at=200.0), at=200.0)
        else:
            wall = builders.NOW + timedelta(seconds=200.0)
            empty = initial_state(Watch(URL, "prod", "vp.coder.primary"), at=200.0, wall=wall)
            state = host.reread(reduce_all(empty, self.full(*later, at=200.0)), at=200.0)
        found = assess(view(state))
        assert found.is_clean is False
        assert found.suggestion is not None
        assert any("an unknown number of missions" in why for why in found.suggestion.reasons)
        host.leave(state, at=250.0)
        assert untold_gap(view(host.start(*self.full(*later, at=300.0), at=300.0))) is not None

    @pytest.mark.parametrize("shared", [0, 1])
    def test_are_none_where_the_lists_meet(self, host: Host, shared: int) -> None:
        host.leave(host.start(*gateway(*clean(9))))
        later = [builders.mission(f"n{n}", started_s=190.0 - 10.0 * n) for n in range(8)]
        listed = [*later, *clean(shared)]
        assert host.start(*self.full(*listed, at=200.0), at=200.0).ledger.gap is None


class TestTheFile:
    @pytest.mark.parametrize(
        "damage",
        [None, [], "torn", {"at": "soon"}, {"at": 1.0}, {"turns": 3}, {"ledger": ["m1"]}],
    )
    def test_that_is_torn_there_costs_no_window(self, host: Host, damage: object) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED))
        content = json.loads(host.file.read_bytes())
        kept = content["heard"]
        is_part = isinstance(damage, dict) and damage.keys() != {"at"}
        content["heard"] = kept | damage if is_part else damage
        host.file.write_text(json.dumps(content))
        assert read_kept(host.file) == ((OPENED,), None)

    def test_of_before_still_loads(self, host: Host) -> None:
        content = json.loads(host.file.read_bytes())
        assert "heard" not in content
        assert read_kept(host.file) == ((OPENED,), None)

    def test_of_a_newer_vp_tui_is_read_as_far_as_it_is_known(self, host: Host) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED))
        content = json.loads(host.file.read_bytes())
        content["heard"]["mood"] = "fine"
        host.file.write_text(json.dumps(content))
        assert host.start(*gateway(at=200.0), at=200.0).routing.bootstrap == 1

    def test_keeps_what_was_heard_when_the_window_is_edited(self, host: Host) -> None:
        host.leave(host.start(*gateway(), *UNSTARTED))
        keep_window(host.file, OPENED._replace(scope="other"), OPENED)
        assert host.start(*gateway(at=200.0), at=200.0).routing.bootstrap == 1

    @pytest.mark.parametrize(
        ("kept", "is_all", "left"), [(3, True, 5), (4999, True, 2), (3, False, 2)]
    )
    def test_is_bounded(self, kept: int, left: int, *, is_all: bool) -> None:
        entry = LedgerEntry(builders.mission("m"))
        before = Ledger({f"a{n}": entry for n in range(kept)})
        joined = joined_ledgers(before, Ledger({"m1": entry, "m2": entry}), is_all=is_all)
        assert len(joined.entries) == left

    def test_is_not_made_where_nothing_was_heard(self, tmp_path: Path) -> None:
        host = Host(tmp_path, None)
        host.leave(host.start(*gateway()))
        assert not host.file.exists()
