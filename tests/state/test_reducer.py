from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import (
    BOOT,
    ELSEWHERE,
    LOST,
    NOW,
    REFUSED,
    booted,
    failed,
    frame,
    healthy,
    linked,
    listing,
    logged,
    mission,
    polled,
    processing,
    routed,
    session,
    snapshot,
    state,
    status_frame,
    stream,
)
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
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.state.reducer import reduce, reduce_all
from vp_tui.state.state import (
    LOG_LIMIT,
    LOGS_LIMIT,
    Clock,
    Epoch,
    EvidenceLog,
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
        assert state(Tick(7.0, NOW)).clock == Clock(7.0, NOW)

    def test_the_poll_rate(self) -> None:
        assert state(PollRateChanged(0.0, 2.0)).poll_factor == 2.0

    def test_the_tokens(self) -> None:
        presence = TokenPresence(ops="environment")
        assert state(TokensRead(0.0, presence)).tokens == presence

    def test_each_answer_is_kept_with_its_source(self) -> None:
        taken = snapshot(mission())
        now = state(healthy(1.0), polled(taken, 2.0), listing(session(), at=3.0), booted(at=4.0))
        assert now.dialect == "G1"
        assert now.snapshot is taken
        assert now.sessions == {"session_a": session()}
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
        now = state(polled(snapshot(), 1.0), failed(at=2.0), failed(at=3.0))
        assert now.sources[Source.METRICS] == SourceStatus(1.0, 3.0, LOST)
        assert now.snapshot is not None
        assert told(now) == [(None, "metrics", "bad")]
        assert texts(now) == ["connection refused"]

    def test_another_reason_is_told_again(self) -> None:
        now = state(failed(), failed(failure=Failure("timed out", "wait")))
        assert texts(now) == ["connection refused", "timed out"]

    def test_recovery_is_told(self) -> None:
        now = state(failed(), polled(snapshot(), 5.0), polled(snapshot(), 7.0))
        assert now.sources[Source.METRICS] == SourceStatus(7.0)
        assert told(now)[1:] == [(None, "metrics", "good")]

    def test_a_substitute_brings_numbers_but_the_refusal_stays(self) -> None:
        taken = snapshot(mission())
        now = state(failed(failure=REFUSED, at=1.0), polled(taken, 2.0, Plane.DASHBOARD))
        assert now.snapshot is taken
        assert now.sources[Source.METRICS] == SourceStatus(2.0, 1.0, REFUSED, Plane.DASHBOARD)
        assert texts(now) == [REFUSED.reason]

    def test_the_ops_plane_takes_over_from_its_substitute(self) -> None:
        now = state(
            failed(failure=REFUSED),
            polled(snapshot(), 2.0, Plane.DASHBOARD),
            polled(snapshot(), 4.0),
        )
        assert now.sources[Source.METRICS] == SourceStatus(4.0)
        assert texts(now)[-1] == "answers again"

    def test_the_session_plane_may_list_the_sessions(self) -> None:
        now = state(listing(session(), plane=Plane.SESSION))
        assert now.sources[Source.SESSIONS] == SourceStatus(0.0, plane=Plane.SESSION)


class TestLedger:
    def test_the_generation_may_be_known_later_than_the_missions(self) -> None:
        taken = polled(snapshot(mission(result_ref=ELSEWHERE)))
        early = state(taken)
        assert not early.ledger.entries["m1"].fell_back
        late = state(taken, healthy())
        assert late.ledger.entries["m1"].signals == {Signal.INFERRED}
        assert late.ledger == state(healthy(), taken).ledger

    def test_g2_infers_nothing(self) -> None:
        now = state(healthy(dialect="G2"), polled(snapshot(mission(result_ref=ELSEWHERE))))
        assert not now.ledger.entries["m1"].fell_back

    @pytest.mark.parametrize(
        "routing", ["coder_vp_fallback", "coder_vp_exception", "coder_vp_lease_degraded"]
    )
    def test_a_stream_tells_of_fallbacks(self, routing: str) -> None:
        now = state(polled(snapshot(mission())), *stream(routed(routing, "m1")))
        assert now.ledger.entries["m1"].signals == {Signal.STREAM}

    def test_a_delegation_is_no_fallback(self) -> None:
        now = state(polled(snapshot(mission())), *stream(routed("delegated_to_coder_vp", "m1")))
        assert not now.ledger.entries["m1"].fell_back

    def test_a_recorded_fallback_reaches_the_ledger(self) -> None:
        now = state(*transcript("c01_ws_fallback"))
        assert now.ledger.stream_fallbacks == ("vp-mission-5dc86f6a3446418680accab9cbbf8ddb",)


class TestEpochs:
    def test_the_first_boot_stamp_is_epoch_one(self) -> None:
        now = state(booted())
        assert now.epoch == Epoch(1, BOOT)
        assert now.entries == ()

    def test_another_boot_stamp_is_another_epoch(self) -> None:
        now = state(booted(), booted(at=1.0), booted("2026-11-22T19:59:00", at=2.0))
        assert now.epoch == Epoch(2, "2026-11-22T19:59:00")
        assert told(now) == [(None, "epoch", "warn")]

    def test_routing_is_counted_anew_in_another_epoch(self) -> None:
        coding = stream(processing("write code"))
        assert state(healthy(), booted(), *coding).routing.coding_turns == 1
        now = state(healthy(), booted(), *coding, booted("2026-11-22T19:59:00"))
        assert now.routing == RoutingTally()

    def test_the_ledger_survives_a_restart(self) -> None:
        now = state(booted(), polled(snapshot(mission())), booted("2026-11-22T19:59:00"))
        assert list(now.ledger.entries) == ["m1"]


class TestSessions:
    def test_sessions_in_memory_have_a_run(self) -> None:
        now = state(listing(session(), session("session_disk", last_event_seq=0)))
        assert list(now.runs) == ["session_a"]
        assert list(now.sessions) == ["session_a", "session_disk"]

    def test_a_known_run_stays_when_its_session_leaves_the_memory(self) -> None:
        now = state(listing(session()), listing(session(last_event_seq=0), at=3.0))
        assert now.runs["session_a"].last_event_seq == 0

    def test_a_session_that_is_not_listed_has_no_run(self) -> None:
        assert state(listing(session()), listing()).runs == {}

    def test_own_attaches_do_not_look_like_progress(self) -> None:
        running = session(active_runs=1)
        now = state(
            listing(running, at=1.0),
            linked(at=2.0),
            listing(session(active_runs=1, last_event_seq=6), at=4.0),
        )
        assert now.runs["session_a"].own_attaches == 1
        assert now.runs["session_a"].progress_at == 1.0


class TestLogs:
    def test_lines_are_appended(self) -> None:
        now = state(logged("a", "b", size=4, file="/run.log"), logged("c", size=6, at=2.0))
        log = now.logs[LANE]
        assert (log.lines, log.first, log.size, log.grown_at) == (("a", "b", "c"), 0, 6, 2.0)
        assert now.sources[Source.LOG] == SourceStatus(2.0)

    def test_a_line_may_be_completed_later(self) -> None:
        now = state(logged("a", "par"), logged("partial", "c", completes_last=True))
        assert now.logs[LANE].lines == ("a", "partial", "c")

    def test_a_file_that_begins_again_is_marked(self) -> None:
        now = state(logged("a"), logged("b", restarted=True))
        assert now.logs[LANE].lines == ("a", "-- the file begins again --", "b")
        assert state(logged("b", restarted=True)).logs[LANE].lines == ("b",)

    def test_a_note_stands_where_lines_are_missing(self) -> None:
        now = state(logged("a"), logged("z", note="lines are missing"))
        assert now.logs[LANE].lines == ("a", "-- lines are missing --", "z")

    def test_an_empty_answer_is_an_answer_but_no_growth(self) -> None:
        now = state(logged("a", at=1.0), logged(at=5.0))
        assert now.logs[LANE].grown_at == 1.0
        assert now.log_sources[LANE].answered_at == 5.0

    def test_growth_is_what_came_after_the_first_answer(self) -> None:
        first = logged("a", "par", at=1.0)
        completed = logged("partial", "c", completes_last=True, at=4.0)
        now = state(first, completed, logged(at=5.0), logged("other", restarted=True, at=6.0))
        log = now.logs[LANE]
        assert (log.read_since, log.growth) == (1.0, (Growth(4.0, 1),))
        assert now.logs_grown[LANE] == 4.0

    def test_a_log_is_bounded_and_its_lines_keep_their_numbers(self) -> None:
        lines = [str(number) for number in range(LOG_LIMIT)]
        now = state(logged(*lines), logged("x", "y"))
        assert now.logs[LANE].first == 2
        assert len(now.logs[LANE].lines) == LOG_LIMIT
        assert now.logs[LANE].lines[0] == "2"

    def test_logs_are_bounded_in_number(self) -> None:
        events = [logged("a", log_id=str(n), at=float(n)) for n in range(LOGS_LIMIT + 2)]
        now = state(*events)
        assert list(now.logs) == [str(n) for n in range(2, LOGS_LIMIT + 2)]
        assert now.log_sources.keys() == now.logs.keys()

    def test_a_log_that_is_dropped_is_forgotten(self) -> None:
        now = state(logged("a"), logged("b", log_id="other"), LogDropped(3.0, "other"))
        assert list(now.logs) == list(now.log_sources) == [LANE]

    def test_one_logs_failure_outlasts_anothers_answers_and_is_told_once(self) -> None:
        poll = [failed(Source.LOG, log_id="other", at=1.0), logged("a", at=2.0)]
        now = state(*poll, *poll, *poll)
        assert now.sources[Source.LOG].failure == LOST
        assert now.sources[Source.LOG].answered_at == 2.0
        assert now.log_sources[LANE].failure is None
        assert texts(now) == ["other: connection refused"]

    def test_a_logs_recovery_is_told(self) -> None:
        now = state(failed(Source.LOG, log_id=LANE), logged("a"))
        assert texts(now)[1:] == [f"{LANE} answers again"]
        assert now.sources[Source.LOG].failure is None

    def test_a_dropped_log_takes_its_failure_along(self) -> None:
        now = state(logged("a"), failed(Source.LOG, log_id="other"), LogDropped(2.0, "other"))
        assert now.sources[Source.LOG].failure is None


SENT = st.sampled_from(
    [
        processing("write code"),
        processing("buy milk"),
        routed("delegated_to_coder_vp", "m1"),
        routed("coder_vp_fallback", "m1"),
        routed("coder_vp_shadow_mode"),
        frame("tool_call", tool_use_id="t"),
        frame("tool_result", tool_use_id="t"),
        frame("query_complete"),
        frame("cancelled"),
        status_frame(status="turn_cancelled"),
        frame("system_event", status="assistance_needed"),
    ]
)
IDS = st.sampled_from(["session_a", "session_b"])
EVENTS = st.lists(
    st.one_of(
        st.builds(StreamEvent, st.floats(0, 9), IDS, SENT),
        st.builds(StreamEvent, st.floats(0, 9), IDS, SENT),
        st.sampled_from(
            [
                healthy(),
                healthy(dialect="G2"),
                polled(snapshot(mission(result_ref=ELSEWHERE))),
                polled(snapshot(mission("m2"), mission("m1", "failed")), plane=Plane.DASHBOARD),
                listing(session(active_runs=1), session("session_b", last_event_seq=1)),
                listing(session(last_event_seq=0)),
                booted(),
                booted("2026-11-22T21:00:00"),
                linked(),
                linked(StreamState.WAITING, "closed"),
                LinkDropped(1.0, "session_a"),
                GapFound(1.0, "session_a", "slow", 2),
                logged("a", "b"),
                logged("c", completes_last=True, note="cut"),
                LogDropped(1.0, LANE),
                failed(),
                failed(Source.LOG, log_id=LANE),
                Tick(1.0, NOW),
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
    assert reduce_all(state(), events) == one_by_one(state(), events)


@given(EVENTS, EVENTS)
def test_reducing_is_pure(before: list[Event], events: list[Event]) -> None:
    start = state(*before)
    kept = copy.deepcopy(start)
    first, second = reduce_all(start, events), reduce_all(start, events)
    assert first == second
    assert start == kept


class TestEvidence:
    def test_what_was_read_is_known(self) -> None:
        rows = (row("Shadow window #1"),)
        read = EvidenceRead(0.0, rows, frozenset({"m1"}), None, frozenset({"m1"}), frozenset({"W"}))
        assert state(read).evidence == EvidenceLog(
            rows, frozenset({"m1"}), frozenset({"m1"}), frozenset({"W"})
        )
        assert state().evidence is None

    def test_a_problem_leaves_what_was_known_and_is_told(self) -> None:
        rows = (row("Shadow window #1"),)
        broken = EvidenceRead(1.0, (), frozenset(), "log.md: it is a directory")
        after = state(EvidenceRead(0.0, rows, frozenset({"m1"})), broken)
        assert after.evidence is not None
        assert after.evidence.rows == rows
        assert after.evidence.recorded_ids == {"m1"}
        assert after.evidence.problem == "log.md: it is a directory"
        assert after.entries[-1].text == "log.md: it is a directory"
        mended = reduce(after, EvidenceRead(2.0, rows, frozenset()))
        assert mended.evidence == EvidenceLog(rows)
