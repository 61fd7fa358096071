from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import builders
from tests.support.recorded import transcript
from tests.support.rollout import row

from vp_tui.domain.events import (
    Event,
    EvidenceRead,
    GapFound,
    LinkDropped,
    LogDropped,
    PollRateChanged,
    Tick,
    TokensRead,
)
from vp_tui.domain.missions import Signal
from vp_tui.domain.models import Failure, Plane, Source, StreamEvent, StreamState, TokenPresence
from vp_tui.state.reducer import reduce, reduce_all
from vp_tui.state.state import (
    LOG_LIMIT,
    LOGS_LIMIT,
    Clock,
    Epoch,
    Growth,
    SourceStatus,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

LANE = "vp_coder_primary"


def told(now: State) -> list[tuple[str | None, str, str]]:
    """Return session, kind and tone of the event list."""
    return [(entry.session_id, entry.kind, entry.tone) for entry in now.entries]


def texts(now: State) -> list[str]:
    return [entry.text for entry in now.entries]


def one_by_one(before: State, events: Iterable[Event]) -> State:
    for event in events:
        before = reduce(before, event)
    return before


class TestSources:
    def test_a_tick_moves_the_clock(self) -> None:
        assert builders.state(Tick(7.0, builders.NOW)).clock == Clock(7.0, builders.NOW)

    def test_the_poll_rate(self) -> None:
        assert builders.state(PollRateChanged(0.0, 2.0)).poll_factor == 2.0

    def test_the_tokens(self) -> None:
        presence = TokenPresence(ops="environment")
        assert builders.state(TokensRead(0.0, presence)).tokens == presence

    def test_each_answer_is_kept_with_its_source(self) -> None:
        taken = builders.snapshot(builders.mission())
        now = builders.state(
            builders.healthy(1.0),
            builders.polled(taken, 2.0),
            builders.listing(builders.session(), at=3.0),
            builders.booted(at=4.0),
        )
        assert now.dialect == "G1"
        assert now.snapshot is taken
        assert now.sessions == {"session_a": builders.session()}
        assert now.sessions_total == 1
        assert now.continuity is not None
        assert {source: status.answered_at for source, status in now.sources.items()} == {
            Source.HEALTH: 1.0,
            Source.METRICS: 2.0,
            Source.SESSIONS: 3.0,
            Source.CONTINUITY: 4.0,
        }
        assert now.entries == ()

    def test_a_failure_is_told_once_and_keeps_the_data(self) -> None:
        now = builders.state(
            builders.polled(builders.snapshot(), 1.0),
            builders.failed(at=2.0),
            builders.failed(at=3.0),
        )
        assert now.sources[Source.METRICS] == SourceStatus(1.0, 3.0, builders.LOST)
        assert now.snapshot is not None
        assert told(now) == [(None, "metrics", "bad")]
        assert texts(now) == ["connection refused"]

    def test_another_reason_is_told_again(self) -> None:
        now = builders.state(
            builders.failed(), builders.failed(failure=Failure("timed out", "wait"))
        )
        assert texts(now) == ["connection refused", "timed out"]

    def test_recovery_is_told(self) -> None:
        now = builders.state(
            builders.failed(),
            builders.polled(builders.snapshot(), 5.0),
            builders.polled(builders.snapshot(), 7.0),
        )
        assert now.sources[Source.METRICS] == SourceStatus(7.0)
        assert told(now)[1:] == [(None, "metrics", "good")]

    def test_a_substitute_brings_numbers_but_the_refusal_stays(self) -> None:
        taken = builders.snapshot(builders.mission())
        now = builders.state(
            builders.failed(failure=builders.REFUSED, at=1.0),
            builders.polled(taken, 2.0, Plane.DASHBOARD),
        )
        assert now.snapshot is taken
        assert now.sources[Source.METRICS] == SourceStatus(
            2.0, 1.0, builders.REFUSED, Plane.DASHBOARD
        )
        assert texts(now) == [builders.REFUSED.reason]

    def test_the_ops_plane_takes_over_from_its_substitute(self) -> None:
        now = builders.state(
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(), 2.0, Plane.DASHBOARD),
            builders.polled(builders.snapshot(), 4.0),
        )
        assert now.sources[Source.METRICS] == SourceStatus(4.0)
        assert texts(now)[-1] == "answers again"

    def test_the_session_plane_may_list_the_sessions(self) -> None:
        now = builders.state(builders.listing(builders.session(), plane=Plane.SESSION))
        assert now.sources[Source.SESSIONS] == SourceStatus(0.0, plane=Plane.SESSION)


class TestLedger:
    def test_the_generation_may_be_known_later_than_the_missions(self) -> None:
        taken = builders.polled(builders.snapshot(builders.mission(result_ref=builders.ELSEWHERE)))
        early = builders.state(taken)
        assert not early.ledger.entries["m1"].fell_back
        late = builders.state(taken, builders.healthy())
        assert late.ledger.entries["m1"].signals == {Signal.INFERRED}
        assert late.ledger == builders.state(builders.healthy(), taken).ledger

    def test_g2_infers_nothing(self) -> None:
        now = builders.state(
            builders.healthy(dialect="G2"),
            builders.polled(builders.snapshot(builders.mission(result_ref=builders.ELSEWHERE))),
        )
        assert not now.ledger.entries["m1"].fell_back

    @pytest.mark.parametrize(
        "routing", ["coder_vp_fallback", "coder_vp_exception", "coder_vp_lease_degraded"]
    )
    def test_a_stream_tells_of_fallbacks(self, routing: str) -> None:
        now = builders.state(
            builders.polled(builders.snapshot(builders.mission())),
            *builders.stream(builders.routed(routing, "m1")),
        )
        assert now.ledger.entries["m1"].signals == {Signal.STREAM}

    def test_a_delegation_is_no_fallback(self) -> None:
        now = builders.state(
            builders.polled(builders.snapshot(builders.mission())),
            *builders.stream(builders.routed("delegated_to_coder_vp", "m1")),
        )
        assert not now.ledger.entries["m1"].fell_back

    def test_a_recorded_fallback_reaches_the_ledger(self) -> None:
        now = builders.state(*transcript("c01_ws_fallback"))
        assert now.ledger.stream_fallbacks == ("vp-mission-5dc86f6a3446418680accab9cbbf8ddb",)


class TestEpochs:
    def test_the_first_boot_stamp_is_epoch_one(self) -> None:
        now = builders.state(builders.booted())
        assert now.epoch == Epoch(1, builders.BOOT)
        assert now.entries == ()

    def test_another_boot_stamp_is_another_epoch(self) -> None:
        now = builders.state(
            builders.booted(),
            builders.booted(at=1.0),
            builders.booted("2026-11-22T19:59:00", at=2.0),
        )
        assert now.epoch == Epoch(2, "2026-11-22T19:59:00")
        assert told(now) == [(None, "epoch", "warn")]

    def test_the_windows_routing_survives_a_restart_and_is_told_apart(self) -> None:
        coding = builders.stream(builders.processing("write code"))
        assert (
            builders.state(builders.healthy(), builders.booted(), *coding).routing.coding_turns == 1
        )
        now = builders.state(
            builders.healthy(), builders.booted(), *coding, builders.booted("2026-11-22T19:59:00")
        )
        assert now.routing == now.routing_before
        assert now.routing.coding_turns == 1

    def test_the_ledger_survives_a_restart(self) -> None:
        now = builders.state(
            builders.booted(),
            builders.polled(builders.snapshot(builders.mission())),
            builders.booted("2026-11-22T19:59:00"),
        )
        assert list(now.ledger.entries) == ["m1"]


class TestSessions:
    def test_sessions_in_memory_have_a_run(self) -> None:
        now = builders.state(
            builders.listing(builders.session(), builders.session("session_disk", last_event_seq=0))
        )
        assert list(now.runs) == ["session_a"]
        assert list(now.sessions) == ["session_a", "session_disk"]

    def test_a_known_run_stays_when_its_session_leaves_the_memory(self) -> None:
        now = builders.state(
            builders.listing(builders.session()),
            builders.listing(builders.session(last_event_seq=0), at=3.0),
        )
        assert now.runs["session_a"].last_event_seq == 0

    def test_a_session_that_is_not_listed_has_no_run(self) -> None:
        assert builders.state(builders.listing(builders.session()), builders.listing()).runs == {}

    def test_own_attaches_do_not_look_like_progress(self) -> None:
        running = builders.session(active_runs=1)
        now = builders.state(
            builders.listing(running, at=1.0),
            builders.linked(at=2.0),
            builders.listing(builders.session(active_runs=1, last_event_seq=6), at=4.0),
        )
        assert now.runs["session_a"].own_attaches == 1
        assert now.runs["session_a"].progress_at == 1.0


class TestLogs:
    def test_lines_are_appended(self) -> None:
        now = builders.state(
            builders.logged("a", "b", size=4, file="/run.log"), builders.logged("c", size=6, at=2.0)
        )
        log = now.logs[LANE]
        assert (log.lines, log.first, log.size, log.grown_at) == (("a", "b", "c"), 0, 6, 2.0)
        assert now.sources[Source.LOG] == SourceStatus(2.0)

    def test_a_line_may_be_completed_later(self) -> None:
        now = builders.state(
            builders.logged("a", "par"), builders.logged("partial", "c", completes_last=True)
        )
        assert now.logs[LANE].lines == ("a", "partial", "c")

    def test_a_file_that_begins_again_is_marked(self) -> None:
        now = builders.state(builders.logged("a"), builders.logged("b", restarted=True))
        assert now.logs[LANE].lines == ("a", "-- the file begins again --", "b")
        assert builders.state(builders.logged("b", restarted=True)).logs[LANE].lines == ("b",)

    def test_a_note_stands_where_lines_are_missing(self) -> None:
        now = builders.state(builders.logged("a"), builders.logged("z", note="lines are missing"))
        assert now.logs[LANE].lines == ("a", "-- lines are missing --", "z")

    def test_an_empty_answer_is_an_answer_but_no_growth(self) -> None:
        now = builders.state(builders.logged("a", at=1.0), builders.logged(at=5.0))
        assert now.logs[LANE].grown_at == 1.0
        assert now.log_sources[LANE].answered_at == 5.0

    def test_growth_is_what_came_after_the_first_answer(self) -> None:
        first = builders.logged("a", "par", at=1.0)
        completed = builders.logged("partial", "c", completes_last=True, at=4.0)
        now = builders.state(
            first,
            completed,
            builders.logged(at=5.0),
            builders.logged("other", restarted=True, at=6.0),
        )
        log = now.logs[LANE]
        assert (log.read_since, log.growth) == (1.0, (Growth(4.0, 1),))
        assert now.logs_grown[LANE] == 4.0

    def test_a_log_is_bounded_and_its_lines_keep_their_numbers(self) -> None:
        lines = [str(number) for number in range(LOG_LIMIT)]
        now = builders.state(builders.logged(*lines), builders.logged("x", "y"))
        assert now.logs[LANE].first == 2
        assert len(now.logs[LANE].lines) == LOG_LIMIT
        assert now.logs[LANE].lines[0] == "2"

    def test_logs_are_bounded_in_number(self) -> None:
        events = [builders.logged("a", log_id=str(n), at=float(n)) for n in range(LOGS_LIMIT + 2)]
        now = builders.state(*events)
        assert list(now.logs) == [str(n) for n in range(2, LOGS_LIMIT + 2)]
        assert now.log_sources.keys() == now.logs.keys()

    def test_a_log_that_is_dropped_is_forgotten(self) -> None:
        now = builders.state(
            builders.logged("a"), builders.logged("b", log_id="other"), LogDropped(3.0, "other")
        )
        assert list(now.logs) == list(now.log_sources) == [LANE]

    def test_another_logs_failure_is_told_once_and_is_not_the_endpoints(self) -> None:
        poll = [builders.failed(Source.LOG, log_id="other", at=1.0), builders.logged("a", at=2.0)]
        now = builders.state(*poll, *poll, *poll)
        assert now.sources[Source.LOG].failure is None
        assert now.sources[Source.LOG].answered_at == 2.0
        assert now.log_sources[LANE].failure is None
        assert texts(now) == ["other: connection refused"]

    def test_a_logs_recovery_is_told(self) -> None:
        now = builders.state(builders.failed(Source.LOG, log_id=LANE), builders.logged("a"))
        assert texts(now)[1:] == [f"{LANE} answers again"]
        assert now.sources[Source.LOG].failure is None

    def test_a_dropped_log_takes_its_failure_along(self) -> None:
        now = builders.state(
            builders.logged("a"),
            builders.failed(Source.LOG, log_id="other"),
            LogDropped(2.0, "other"),
        )
        assert now.sources[Source.LOG].failure is None


SENT = st.sampled_from(
    [
        builders.processing("write code"),
        builders.processing("buy milk"),
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.routed("coder_vp_fallback", "m1"),
        builders.routed("coder_vp_shadow_mode"),
        builders.frame("tool_call", tool_use_id="t"),
        builders.frame("tool_result", tool_use_id="t"),
        builders.frame("query_complete"),
        builders.frame("cancelled"),
        builders.status_frame(status="turn_cancelled"),
        builders.frame("system_event", status="assistance_needed"),
    ]
)
IDS = st.sampled_from(["session_a", "session_b"])
EVENTS = st.lists(
    st.one_of(
        st.builds(StreamEvent, st.floats(0, 9), IDS, SENT),
        st.builds(StreamEvent, st.floats(0, 9), IDS, SENT),
        st.sampled_from(
            [
                builders.healthy(),
                builders.healthy(dialect="G2"),
                builders.polled(builders.snapshot(builders.mission(result_ref=builders.ELSEWHERE))),
                builders.polled(
                    builders.snapshot(builders.mission("m2"), builders.mission("m1", "failed")),
                    plane=Plane.DASHBOARD,
                ),
                builders.listing(
                    builders.session(active_runs=1), builders.session("session_b", last_event_seq=1)
                ),
                builders.listing(builders.session(last_event_seq=0)),
                builders.booted(),
                builders.booted("2026-11-22T21:00:00"),
                builders.linked(),
                builders.linked(StreamState.WAITING, "closed"),
                LinkDropped(1.0, "session_a"),
                GapFound(1.0, "session_a", "slow", 2),
                builders.logged("a", "b"),
                builders.logged("c", completes_last=True, note="cut"),
                LogDropped(1.0, LANE),
                builders.failed(),
                builders.failed(Source.LOG, log_id=LANE),
                Tick(1.0, builders.NOW),
                PollRateChanged(1.0, 2.0),
                TokensRead(1.0, TokenPresence(ops="file")),
            ]
        ),
    ),
    max_size=30,
)


def in_time(events: list[Event]) -> list[Event]:
    """Return the events with frames that come one after the other."""
    moments = iter(sorted(e.at for e in events if isinstance(e, StreamEvent)))
    return [e._replace(at=next(moments)) if isinstance(e, StreamEvent) else e for e in events]


@given(EVENTS.map(in_time))
def test_a_batch_gives_the_same_state_as_its_events_one_by_one(events: list[Event]) -> None:
    assert reduce_all(builders.state(), events) == one_by_one(builders.state(), events)


@given(EVENTS, EVENTS)
def test_reducing_is_pure(before: list[Event], events: list[Event]) -> None:
    start = builders.state(*before)
    kept = copy.deepcopy(start)
    first, second = reduce_all(start, events), reduce_all(start, events)
    assert first == second
    assert start == kept


class TestEvidence:
    def test_what_was_read_is_known(self) -> None:
        rows = (row("Shadow window #1"),)
        read = EvidenceRead(0.0, rows, frozenset({"m1"}), None, frozenset({"m1"}), frozenset({"W"}))
        assert builders.state(read).evidence == read
        assert builders.state().evidence is None

    def test_a_problem_leaves_what_was_known_and_is_told(self) -> None:
        rows = (row("Shadow window #1"),)
        broken = EvidenceRead(1.0, (), frozenset(), "log.md: it is a directory")
        after = builders.state(EvidenceRead(0.0, rows, frozenset({"m1"})), broken)
        assert after.evidence is not None
        assert after.evidence.rows == rows
        assert after.evidence.recorded_ids == {"m1"}
        assert after.evidence.problem == "log.md: it is a directory"
        assert after.entries[-1].text == "log.md: it is a directory"
        mended = EvidenceRead(2.0, rows, frozenset())
        assert reduce(after, mended).evidence == mended
