from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.events import Event, PollRateChanged
from vp_tui.domain.models import Failure, Plane, Source, StreamState
from vp_tui.domain.text import short_id
from vp_tui.state.sources import OFTEN_ASKED
from vp_tui.views.figures import TREND_POINTS, Numbers, numbers
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import (
    SourceWord,
    entries_matching,
    is_reachable,
    log_view,
    source_view,
    streams_view,
)
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.state.state import State


def metrics_word(now_s: float, *events: Event) -> SourceWord:
    return source_view(View(builders.state(*events), now_s), Source.METRICS).word


def figures(*events: Event) -> Numbers:
    shown = numbers(View(builders.state(*events), 1.0))
    assert shown is not None
    return shown


def row_ids(now: State, matching: str = "") -> list[str]:
    return [row.session.session_id for row in run_rows(View(now, 10.0), matching)]


class TestSourceWords:
    def test_nothing_asked_yet(self) -> None:
        view = source_view(View(builders.state(), 99.0), Source.METRICS)
        assert (view.word, view.age_s) == (SourceWord.IDLE, None)

    @pytest.mark.parametrize(
        ("age_s", "word"),
        [(0.0, SourceWord.LIVE), (4.0, SourceWord.LIVE), (4.01, SourceWord.STALE)],
    )
    def test_data_is_stale_after_two_intervals(self, age_s: float, word: SourceWord) -> None:
        assert metrics_word(10.0 + age_s, builders.polled(builders.snapshot(), 10.0)) is word

    def test_polling_slower_makes_stale_later(self) -> None:
        slower = PollRateChanged(0.0, 5.0)
        assert metrics_word(20.0, builders.polled(builders.snapshot()), slower) is SourceWord.LIVE
        assert metrics_word(20.1, builders.polled(builders.snapshot()), slower) is SourceWord.STALE

    def test_each_source_has_its_own_interval(self) -> None:
        now = builders.state(builders.healthy(), intervals={Source.HEALTH: 1.0})
        assert source_view(View(now, 2.5), Source.HEALTH).word is SourceWord.STALE

    def test_a_failure_is_down_though_the_data_is_fresh(self) -> None:
        view = source_view(
            View(
                builders.state(builders.polled(builders.snapshot(), 1.0), builders.failed(at=2.0)),
                2.5,
            ),
            Source.METRICS,
        )
        assert (view.word, view.age_s, view.failure) == (SourceWord.DOWN, 1.5, builders.LOST)

    def test_a_refusal(self) -> None:
        view = source_view(
            View(builders.state(builders.failed(failure=builders.REFUSED)), 0.0), Source.METRICS
        )
        assert (view.word, view.has_substitute) == (SourceWord.UNAUTHORIZED, False)

    def test_a_refusal_with_a_substitute(self) -> None:
        now = builders.state(
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(), 1.0, Plane.DASHBOARD),
        )
        view = source_view(View(now, 2.0), Source.METRICS)
        assert (view.word, view.age_s, view.plane) == (
            SourceWord.UNAUTHORIZED,
            1.0,
            Plane.DASHBOARD,
        )
        assert view.has_substitute
        assert view.is_current

    def test_a_substitute_that_no_longer_answers_is_none(self) -> None:
        now = builders.state(
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(), 1.0, Plane.DASHBOARD),
        )
        view = source_view(View(now, 6.0), Source.METRICS)
        assert view.word is SourceWord.UNAUTHORIZED
        assert not view.has_substitute
        assert not view.is_current

    def test_a_lost_gateway_has_no_substitute(self) -> None:
        now = builders.state(
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(), 1.0, Plane.DASHBOARD),
            builders.failed(at=2.0),
        )
        assert not source_view(View(now, 2.0), Source.METRICS).has_substitute

    def test_an_age_is_never_negative(self) -> None:
        assert (
            source_view(
                View(builders.state(builders.polled(builders.snapshot(), 5.0)), 4.0), Source.METRICS
            ).age_s
            == 0.0
        )

    def test_each_log_has_its_own_word(self) -> None:
        now = builders.state(builders.logged("a"), builders.failed(Source.LOG, log_id="other"))
        assert log_view(View(now, 1.0), "vp_coder_primary").word is SourceWord.LIVE
        assert log_view(View(now, 1.0), "other").word is SourceWord.DOWN
        assert log_view(View(now, 1.0), "never").word is SourceWord.IDLE
        assert source_view(View(now, 1.0), Source.LOG).word is SourceWord.LIVE

    @pytest.mark.parametrize(
        ("events", "reachable"),
        [
            ([], False),
            ([builders.failed()], False),
            ([builders.failed(failure=builders.REFUSED)], True),
            ([builders.failed(), builders.healthy()], True),
        ],
    )
    def test_a_gateway_that_refuses_is_reachable(
        self, events: list[Event], *, reachable: bool
    ) -> None:
        assert is_reachable(View(builders.state(*events), 0.0)) is reachable

    def test_a_gateway_is_lost_once_what_is_asked_all_the_time_gets_no_answer(self) -> None:
        silence = Failure("connection refused", "start it", is_silence=True)
        half = builders.state(builders.healthy(), builders.failed(Source.METRICS, failure=silence))
        assert is_reachable(View(half, 0.0))
        both = builders.state(
            builders.healthy(), *(builders.failed(s, failure=silence) for s in OFTEN_ASKED)
        )
        assert not is_reachable(View(both, 0.0))

    def test_a_gateway_is_not_reachable_by_an_old_answer(self) -> None:
        assert not is_reachable(View(builders.state(builders.healthy()), 31.0))


class TestStreams:
    @pytest.mark.parametrize(
        ("states", "word", "live", "wanted"),
        [
            ([], SourceWord.IDLE, 0, 0),
            (["live", "live"], SourceWord.LIVE, 2, 2),
            (["live", "waiting"], SourceWord.STALE, 1, 2),
            (["live", "connecting"], SourceWord.LIVE, 1, 2),
            (["connecting"], SourceWord.IDLE, 0, 1),
            (["connecting", "waiting"], SourceWord.DOWN, 0, 2),
            (["waiting"], SourceWord.DOWN, 0, 1),
            (["live", "unauthorized"], SourceWord.UNAUTHORIZED, 1, 2),
            (["live", "gone"], SourceWord.LIVE, 1, 1),
            (["gone"], SourceWord.IDLE, 0, 0),
        ],
    )
    def test_words(self, states: list[str], word: SourceWord, live: int, wanted: int) -> None:
        events = [builders.linked(StreamState(s), session_id=f"s{n}") for n, s in enumerate(states)]
        view = streams_view(View(builders.state(*events), 0.0))
        assert (view.word, view.live, view.wanted) == (word, live, wanted)

    def test_the_age_is_that_of_the_newest_frame(self) -> None:
        now = builders.state(
            builders.linked(),
            builders.linked(session_id="two"),
            *builders.stream(builders.frame(), at=3.0),
            *builders.stream(builders.frame(), session_id="two", at=5.0),
        )
        assert streams_view(View(now, 7.0)).age_s == 2.0
        assert streams_view(View(builders.state(builders.linked()), 7.0)).age_s is None

    def test_the_reason_of_a_loss(self) -> None:
        now = builders.state(
            builders.linked(), builders.linked(StreamState.WAITING, "refused", session_id="two")
        )
        assert streams_view(View(now, 0.0)).reason == "refused"


class TestNumbers:
    def test_before_the_first_snapshot_there_are_none(self) -> None:
        assert numbers(View(builders.state(builders.failed()), 0.0)) is None

    def test_no_missions_is_no_rate(self) -> None:
        shown = figures(builders.polled(builders.snapshot()))
        assert (shown.reported_rate, shown.reconstruction.rate) == (None, None)
        assert shown.coverage.state is CoverageState.NONE
        assert shown.p95_trend == ()

    def test_reported_and_reconstructed_may_disagree(self) -> None:
        shown = figures(
            builders.healthy(),
            builders.polled(
                builders.snapshot(
                    builders.mission("m2", result_ref=builders.ELSEWHERE), builders.mission()
                )
            ),
        )
        assert (shown.reported_rate, shown.reconstruction.rate) == (0.0, 0.5)
        assert shown.unreported == 1

    def test_only_this_epochs_missions_are_reconstructed(self) -> None:
        before = builders.mission("before", started_s=-7200.0, fallback_seen=True)
        events: list[Event] = [
            builders.polled(builders.snapshot(builders.mission(), before)),
            builders.healthy(),
        ]
        assert figures(*events).reconstruction.terminal == 2
        assert figures(*events, builders.booted()).reconstruction.terminal == 1
        utc_boot = builders.booted("2026-11-23T01:00:00+00:00")
        assert figures(*events, utc_boot).reconstruction.terminal == 1
        assert figures(*events, builders.booted("last week")).reconstruction.terminal == 2

    def test_slow_missions_are_counted(self) -> None:
        taken = builders.snapshot(
            *(builders.mission(str(n), duration_s=s) for n, s in enumerate((44.9, 45.0, 60.0)))
        )
        assert figures(builders.polled(taken)).over_watch == 2

    def test_the_trend_is_oldest_first_and_bounded(self) -> None:
        missions = [
            builders.mission(str(n), started_s=-200.0, duration_s=float(n))
            for n in range(TREND_POINTS + 5, 0, -1)
        ]
        trend = figures(builders.polled(builders.snapshot(*missions))).p95_trend
        assert len(trend) == TREND_POINTS
        assert trend[0] < trend[-1] == missions[6].duration_s

    def test_figures_are_computed_anew_only_for_new_data(self) -> None:
        now = builders.state(
            builders.healthy(), builders.polled(builders.snapshot(builders.mission()))
        )
        view = View(now, 1.0)
        first, again = numbers(view), numbers(View(now, 2.0, view))
        assert first is not None
        assert again is not None
        assert again.recent is first.recent
        assert again.p95_trend is first.p95_trend
        assert again.source.age_s == 2.0
        other = figures(
            builders.healthy(), builders.polled(builders.snapshot(builders.mission("m2")))
        )
        assert [entry.mission.mission_id for entry in other.recent] == ["m2"]


RUNNING = builders.snapshot(builders.mission("m1", "running", started_s=-60.0))


class TestOrphans:
    def test_a_running_session_may_be_the_missions(self) -> None:
        events: list[Event] = [
            builders.healthy(),
            builders.polled(RUNNING),
            builders.listing(builders.session(active_runs=1)),
        ]
        assert figures(*events).orphans == 0

    def test_a_row_is_an_orphan_when_nothing_runs(self) -> None:
        assert (
            figures(
                builders.healthy(),
                builders.polled(RUNNING),
                builders.listing(builders.session()),
                builders.polled(RUNNING, 2.0),
            ).orphans
            == 1
        )

    @pytest.mark.parametrize(
        "unheard", [(), (builders.listing(), builders.failed(Source.SESSIONS))]
    )
    def test_without_a_listing_no_row_is_given_up(self, unheard: tuple[Event, ...]) -> None:
        assert figures(builders.healthy(), builders.polled(RUNNING), *unheard).orphans == 0

    def test_a_run_that_has_just_ended_explains_an_older_snapshot(self) -> None:
        ran, over = builders.session(active_runs=1), builders.session(last_event_seq=9)
        events: list[Event] = [
            builders.healthy(),
            builders.listing(ran, at=15.0),
            builders.polled(RUNNING, 20.0),
            builders.listing(over, at=21.0),
        ]
        assert figures(*events).orphans == 0
        later: list[Event] = [builders.polled(RUNNING, 32.0), builders.listing(over, at=33.0)]
        assert figures(*events, *later, builders.polled(RUNNING, 34.0)).orphans == 1

    def test_a_turn_heard_to_go_on_is_real_though_the_counter_is_cleared(self) -> None:
        deaf: list[Event] = [builders.linked(), *builders.stream(builders.processing(), at=1.0)]
        events: list[Event] = [
            builders.healthy(),
            *deaf,
            builders.listing(builders.session(), at=2.0),
            builders.polled(RUNNING, 90.0),
        ]
        assert figures(*events).orphans == 0
        broken = builders.linked(StreamState.WAITING, "closed", at=80.0)
        again: list[Event] = [
            builders.listing(builders.session(), at=91.0),
            builders.polled(RUNNING, 92.0),
        ]
        assert figures(*events, broken, builders.linked(at=85.0), *again).orphans == 1

    def test_an_orphan_that_fell_back_is_a_failed_mission(self) -> None:
        zombie = builders.mission("m1", "running", fallback_seen=True)
        shown = figures(
            builders.healthy(),
            builders.polled(builders.snapshot(zombie)),
            builders.listing(),
            builders.polled(builders.snapshot(zombie), 2.0),
        )
        assert (shown.reconstruction.terminal, shown.reconstruction.fallbacks) == (1, 1)


class TestRunRows:
    def test_running_ones_come_first_then_by_id(self) -> None:
        now = builders.state(
            builders.listing(
                builders.session("c"), builders.session("b", active_runs=1), builders.session("a")
            )
        )
        assert row_ids(now) == ["b", "a", "c"]

    def test_sessions_on_disk_have_no_row_unless_attached(self) -> None:
        assert row_ids(builders.state(builders.listing(builders.on_disk("d")))) == []
        assert row_ids(
            builders.state(builders.listing(builders.on_disk("d")), builders.linked(session_id="d"))
        ) == ["d"]

    @pytest.mark.parametrize("known", [(), (builders.polled(builders.snapshot()),)])
    def test_the_lane_is_not_a_session(self, known: tuple[Event, ...]) -> None:
        lane = builders.LANE_DIR.rpartition("/")[2]
        assert (
            row_ids(builders.state(*known, builders.listing(builders.session(lane, active_runs=1))))
            == []
        )

    @pytest.mark.parametrize("wanted", ["SESSION_A", "repair the", "Implement THE", "pytest"])
    def test_the_filter_looks_at_id_description_query_and_tool(self, wanted: str) -> None:
        frames = builders.stream(
            builders.processing("implement the code"), builders.frame("tool_call", "Bash pytest -q")
        )
        about = builders.session(description="repair the parser")
        now = builders.state(builders.listing(about, builders.session("other")), *frames)
        assert row_ids(now, wanted) == ["session_a"]

    def test_times_and_viewers(self) -> None:
        now = builders.state(
            builders.linked(),
            builders.listing(builders.session(active_runs=1, active_connections=3), at=1.0),
            *builders.stream(builders.processing(), builders.frame("tool_call", "Bash"), at=4.0),
        )
        (row,) = run_rows(View(now, 10.0))
        assert (row.running_s, row.silent_s, row.tool_s) == (6.0, 5.0, 5.0)
        assert row.other_viewers == 2
        assert row.ended is None
        assert row.turn.tool == "Bash"

    def test_the_end_of_a_turn_is_told_in_utc(self) -> None:
        now = builders.state(
            builders.listing(builders.session()),
            *builders.stream(builders.frame("query_complete"), at=0.0),
        )
        (row,) = run_rows(View(now, 10.0))
        assert row.ended == builders.NOW

    def test_what_is_not_known_is_none(self) -> None:
        (row,) = run_rows(View(builders.state(builders.listing(builders.session())), 10.0))
        assert (row.running_s, row.silent_s, row.tool_s, row.link) == (None, None, None, None)


class TestEntries:
    SEEN = builders.state(
        builders.failed(),
        *builders.stream(builders.frame("text", "Hello")),
        *builders.stream(builders.frame("error", "broken"), session_id="two"),
    )

    def shown(self, session_id: str | None, matching: str = "") -> list[int]:
        return [e.number for e in entries_matching(self.SEEN.entries, session_id, matching)]

    def test_all(self) -> None:
        assert entries_matching(self.SEEN.entries, None) is self.SEEN.entries

    def test_of_one_session_and_of_the_gateway(self) -> None:
        assert self.shown("session_a") == [0, 1]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [("hello", [1]), ("ERROR", [2]), ("session_a", [1]), ("refused", [0]), ("none", [])],
    )
    def test_filter(self, wanted: str, found: list[int]) -> None:
        assert self.shown(None, wanted) == found

    def test_filter_and_session(self) -> None:
        assert self.shown("session_a", "broken") == []
        assert self.shown("two", "broken") == [2]


@pytest.mark.parametrize(
    ("session_id", "short"),
    [
        ("session_20261122_193429_4556ec26", "4556ec26"),
        ("a_b", "a_b"),
        ("session_", "session_"),
        ("twelve_chars", "twelve_chars"),
        ("a_rather_long_name_x", "a_rat…name_x"),
        ("a0001" + "b" * 123, "a0001…bbbbbb"),
        ("session_" + "b" * 119 + "1", "bbbbb…bbbbb1"),
    ],
)
def test_short_ids(session_id: str, short: str) -> None:
    assert short_id(session_id) == short
