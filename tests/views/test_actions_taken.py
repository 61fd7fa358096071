"""What was done here, from the cancels that are followed and from the audit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.rollout import row, window

from vp_tui.domain.events import (
    AuditRead,
    CancelFailed,
    CancelRequested,
    EvidenceRead,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
)
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, CommandRun
from vp_tui.domain.models import Failure
from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.views.actions_taken import LOOK_BACK, actions_taken, is_deed, line_of, since
from vp_tui.views.view import View

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.events import Event

ME = "ana@laptop"
ASKED = CancelRequested(10.0, "a", "stuck in npm", ME)
DONE = Actuation((), command=CommandRun(("true",), 0, (), 0.1))
NOT_NAMED = ", on a gateway that its line in the audit does not name"
LONG_AGO = builders.NOW - timedelta(days=9)


def at(seconds: float) -> datetime:
    return builders.NOW + timedelta(seconds=seconds)


def record(
    seconds: float,
    result: str,
    target: str = "a",
    what: str = "cancel",
    kind: ActionKind = ActionKind.DONE,
) -> ActionRecord:
    return ActionRecord(at(seconds), ME, what, target, "why", (), result, kind)


def audit(*records: ActionRecord) -> AuditRead:
    return AuditRead(0.0, records)


def running() -> list[Event]:
    return [
        builders.healthy(),
        *(builders.linked(session_id=name) for name in "ab"),
        *builders.stream(builders.processing(), session_id="a", at=1.0),
        builders.listing(builders.session("a", active_runs=1), builders.session("b"), at=3.0),
    ]


def lines(*events: Event, now: float = 20.0, begin: datetime = LONG_AGO) -> list[str]:
    view = View(builders.state(*running(), *events), now)
    return [line_of(deed) for deed in actions_taken(view, begin)]


def test_a_followed_cancel_is_told_with_what_it_came_to() -> None:
    asked = "02:00:10Z cancel a by ana@laptop (stuck in npm): "
    assert lines(ASKED) == [asked + "requested, not recovered yet"]
    unwound = builders.stream(
        builders.status_frame(status="turn_cancelled"),
        builders.frame("query_complete", cancelled=True),
        session_id="a",
        at=10.1,
    )
    assert lines(ASKED, *unwound) == [asked + "the run ended, not recovered yet"]
    assert lines(ASKED, *unwound, now=200.0) == [asked + "UNCONFIRMED"]
    later = builders.stream(
        builders.processing("next"), builders.frame("query_complete"), session_id="b", at=30.0
    )
    assert lines(ASKED, *unwound, *later) == [
        asked + "recovered at 02:00:31Z: a later turn of b completed"
    ]


def test_one_that_the_gateway_refused_says_its_answer_and_not_that_nothing_was_sent() -> None:
    refusal = Failure("404 from /cancel: no such session", "list them again")
    (told,) = lines(ASKED, CancelFailed(11.0, "a", refusal))
    assert told.endswith(": not carried out: 404 from /cancel: no such session")
    assert "not sent" not in told


def test_somebody_else_s_is_told_too() -> None:
    (told,) = lines(*builders.stream(builders.frame("cancelled"), session_id="a", at=10.0))
    assert told.startswith("02:00:10Z cancel a by somebody else: ")


def test_what_an_earlier_vp_tui_did_is_in_the_audit_with_what_it_came_to() -> None:
    kept = audit(
        record(-90, "task_cancelled=true, not recovered yet"),
        record(-60, "recovered", kind=ActionKind.RECOVERY),
        record(-30, "ok", "here", "brake"),
    )
    assert lines(kept) == [
        "01:58:30Z cancel a by ana@laptop (why): recovered",
        f"01:59:30Z brake here by ana@laptop (why): ok{NOT_NAMED}",
    ]


def test_the_same_cancel_is_told_once() -> None:
    kept = audit(record(10.2, "task_cancelled=true, not recovered yet"))
    assert len(lines(ASKED, kept)) == 1


@pytest.mark.parametrize(
    "other",
    [
        record(5, "refused: it runs nothing", kind=ActionKind.REFUSED),
        record(5, "task_cancelled=true", target="of another gateway"),
        record(5, "task_cancelled=true")._replace(gateway="http://other", vp_id="vp.x"),
    ],
)
def test_what_was_refused_or_done_elsewhere_is_not_told(other: ActionRecord) -> None:
    assert lines(audit(other)) == []


def test_a_line_names_the_gateway_by_its_id_or_as_before_by_its_url() -> None:
    watch = builders.state(*running()).watch._replace(id="prod")
    for gateway in ("prod", watch.url, "other", ""):
        told = record(5.0, "done")._replace(gateway=gateway, vp_id=watch.vp_id)
        assert is_deed(told, watch) is (gateway in {"prod", watch.url})
        assert not is_deed(told._replace(vp_id="vp.other"), watch)


def test_what_was_before_is_not_told() -> None:
    kept = audit(record(-90, "failed"))
    assert lines(ASKED, kept, begin=at(10.5)) == []
    assert len(lines(ASKED, kept, begin=at(-90))) == 2


class TestSince:
    def test_an_open_window_says_it(self) -> None:
        assert since(View(builders.state(), 0.0), window(opened_at=at(-600))) == at(-600)

    def test_one_that_is_not_open_begins_with_the_last_row(self) -> None:
        last = row("Shadow window #1", date="2026-11-23T01:30:00Z")
        begin = since(
            View(builders.state(EvidenceRead(0.0, (last,), frozenset())), 0.0),
            window(opened_at=None),
        )
        assert begin.replace(microsecond=0) == builders.NOW - timedelta(minutes=30)

    @pytest.mark.parametrize("date", ["2027-01-01T00:00:00Z", "?"])
    def test_without_a_date_that_can_be_it_is_half_a_day(self, date: str) -> None:
        log = EvidenceRead(0.0, (row("Shadow window #1", date=date),), frozenset())
        assert (
            since(View(builders.state(log), 0.0), window(opened_at=None))
            == builders.NOW - LOOK_BACK
        )
        assert (
            since(View(builders.state(), 0.0), window(opened_at=None)) == builders.NOW - LOOK_BACK
        )


class TestLane:
    """Changes of the lane and restarts: what is known of them now stands beside what was done."""

    CHANGE = SwitchAsked(10.0, FORCE_FALLBACK, ME, "3 of 20")
    WRITTEN = SwitchActed(11.0, Actuation((), written=True))
    URL = "http://127.0.0.1:8002"

    def test_one_that_is_not_audited_yet_is_told_all_the_same(self) -> None:
        assert lines(self.CHANGE) == [
            f"02:00:10Z force fallback {self.URL} by ana@laptop: pending: requested"
        ]

    def test_it_is_told_once_with_its_reason_and_how_far_it_is_proven(self) -> None:
        audited = audit(record(10.2, "carried out", self.URL, "force fallback"))
        (line,) = lines(self.CHANGE, self.WRITTEN, audited)
        assert line == (
            f"02:00:10Z force fallback {self.URL} by ana@laptop (why): pending: written, not in "
            "force until the gateway restarts"
        )

    def test_an_older_one_is_told_with_its_proof_of_then(self) -> None:
        older = [
            record(1.0, "carried out", self.URL, "force fallback"),
            record(5.0, "CONFIRMED: a coding turn", self.URL, "force fallback", ActionKind.PROOF),
            record(6.0, "carried out", self.URL, "release the forced fallback"),
        ]
        assert [line.partition(self.URL)[2] for line in lines(audit(*older))] == [
            " by ana@laptop (why): CONFIRMED: a coding turn",
            " by ana@laptop (why): carried out",
        ]

    def test_each_of_two_restarts_has_its_own_outcome(self) -> None:
        done = [
            record(1.0, "carried out", self.URL, "restart"),
            record(5.0, "back in a new epoch", self.URL, "restart", ActionKind.PROOF),
            record(6.0, "carried out", self.URL, "restart"),
            record(9.0, "not back", self.URL, "restart", ActionKind.PROOF),
        ]
        assert [line.partition("): ")[2] for line in lines(audit(*done))] == [
            "back in a new epoch",
            "not back",
        ]

    def test_what_came_of_another_lanes_is_not_this_ones(self) -> None:
        watch = builders.state().watch
        ours = record(1.0, "carried out", self.URL, "force fallback")._replace(
            gateway=watch.url, vp_id=watch.vp_id
        )
        theirs = record(5.0, "CONFIRMED: a turn", self.URL, "force fallback", ActionKind.PROOF)
        theirs = theirs._replace(gateway=watch.url, vp_id="vp.coder.other")
        (line,) = lines(audit(ours, theirs))
        assert line.endswith(": carried out")

    def test_a_restart_is_told_by_whether_the_gateway_is_back(self) -> None:
        events: list[Event] = [
            builders.booted(at=0.0),
            RestartAsked(10.0, ME, ""),
            RestartActed(11.0, DONE),
        ]
        assert lines(*events, builders.booted("2026-11-22T20:00:12", at=12.0)) == [
            f"02:00:10Z restart {self.URL} by ana@laptop: back in a new epoch"
        ]
