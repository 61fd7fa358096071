"""Orders carried out: one request, its answer told, and a line of the audit in every case."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from tests.support import builders

from vp_tui.domain.events import (
    AuditFailed,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
    OrderRefused,
    SessionsArrived,
)
from vp_tui.domain.models import CancelAnswer, Plane
from vp_tui.domain.orders import ActionKind, ActionRecord, CancelRun, Holder
from vp_tui.gateway.errors import TimedOut, Unauthorized
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.locks import HostLock, lock_file
from vp_tui.worker.orders import READ_ONLY, UNSEEN_S, AuditBook, OrderRunner, Tools
from vp_tui.worker.polling import RunsHeard

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Session
    from vp_tui.gateway.errors import GatewayError
    from vp_tui.gateway.orders import Orders
    from vp_tui.worker.actuator import Actuator
    from vp_tui.worker.prober import Prober

ME = "ana@laptop"
START = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)


class FakeOrders:
    """A gateway that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answer: CancelAnswer | GatewayError = CancelAnswer("a", "stuck", True, None, 0.3)

    async def cancel(self, session_id: str, reason: str) -> CancelAnswer:
        self.asked.append((session_id, reason))
        await self.may_answer.wait()
        if isinstance(self.answer, CancelAnswer):
            return self.answer
        raise self.answer


class Desk:
    """An OrderRunner between fakes, and what it told and wrote."""

    def __init__(
        self, audit: Path, *, read_only: bool = False, locks: Path | None = None, me: str = ME
    ) -> None:
        self.orders = FakeOrders()
        self.events: list[Event] = []
        self.runs = RunsHeard(self.events.append)
        self.listed: tuple[Session, ...] = ()
        """What the newest listing says when a cancel looks; nothing: it does not come."""
        self.audit = audit
        self.passed = 0.0
        tools = Tools(
            cast("Orders", self.orders),
            cast("Actuator", None),
            cast("Prober", None),
            lambda what: HostLock(lock_file(locks or audit.parent, "http://gateway", what)),
            self._look,
            self.runs.why_gone,
        )
        book = AuditBook(audit, me, "http://gateway", "vp.x", "http://gateway")
        self.runner = OrderRunner(
            None if read_only else tools, book, self.events.append, lambda: self.passed, self._wall
        )

    async def _look(self) -> None:
        if self.listed:
            self.runs.tell(SessionsArrived(50.0, self.listed, len(self.listed), Plane.OPS))

    async def cancel(self, session_id: str, reason: str) -> None:
        await self.runner.carry_out(CancelRun(session_id, reason))

    def _wall(self) -> datetime:
        """Return a time that is a second later at each look."""
        self.passed += 1.0
        return START + timedelta(seconds=self.passed)

    @property
    def lines(self) -> tuple[ActionRecord, ...]:
        return newest_actions(self.audit, 100).records


def refusals(desk: Desk) -> list[ActionRecord]:
    return [line for line in desk.lines if line.kind is ActionKind.REFUSED]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "state/audit.jsonl")


async def test_a_cancel_is_sent_once_told_and_audited_as_unconfirmed(desk: Desk) -> None:
    await desk.cancel("a", "stuck")
    assert desk.orders.asked == [("a", "stuck")]
    asked, answered = desk.events
    assert asked == CancelRequested(1.0, "a", "stuck", ME)
    assert isinstance(answered, CancelAnswered)
    (line,) = desk.lines
    assert (line.actor, line.action, line.target, line.reason) == (ME, "cancel", "a", "stuck")
    assert line.result == "task_cancelled=true, not recovered yet"
    assert (line.gateway, line.vp_id) == ("http://gateway", "vp.x")
    assert [step.step for step in line.steps] == ["requested", "answered"]
    assert line.at == line.steps[0].at < line.steps[1].at


async def test_however_often_it_is_asked_for_one_request_is_sent(desk: Desk) -> None:
    desk.orders.may_answer.clear()
    async with asyncio.TaskGroup() as tasks:
        for reason in ("first", "second", "third"):
            tasks.create_task(desk.cancel("a", reason))
        tasks.create_task(desk.cancel("b", "another"))
        while len(refusals(desk)) < 2:  # noqa: ASYNC110 - the disk has no event
            await asyncio.sleep(0)
        desk.orders.may_answer.set()
    assert sorted(desk.orders.asked) == [("a", "first"), ("b", "another")]
    assert {line.reason for line in refusals(desk)} == {"second", "third"}
    assert all("on its way" in line.result for line in refusals(desk))


async def test_it_is_in_the_audit_as_begun_before_it_is_sent(desk: Desk) -> None:
    desk.orders.may_answer.clear()
    task = asyncio.create_task(desk.cancel("a", "stuck"))
    while not desk.orders.asked:  # noqa: ASYNC110 - the disk has no event
        await asyncio.sleep(0)
    (line,) = desk.lines
    assert (line.kind, line.result, line.target) == (ActionKind.BEGUN, "begun", "a")
    desk.orders.may_answer.set()
    await task
    (line,) = desk.lines
    assert line.kind is ActionKind.DONE


async def test_when_the_answer_came_the_next_may_be_sent(desk: Desk) -> None:
    await desk.cancel("a", "one")
    await desk.cancel("a", "two")
    assert [reason for _, reason in desk.orders.asked] == ["one", "two"]


async def test_a_refusal_of_the_gateway_is_a_failure_that_is_audited(desk: Desk) -> None:
    desk.orders.answer = Unauthorized("401 from the ops plane", "set UA_OPS_TOKEN")
    await desk.cancel("a", "stuck")
    assert isinstance(desk.events[-1], CancelFailed)
    (line,) = desk.lines
    assert (line.kind, line.result) == (ActionKind.FAILED, "failed")
    assert line.steps[-1].detail == "401 from the ops plane"


async def test_a_timeout_leaves_it_unknown(desk: Desk) -> None:
    error = TimedOut("no answer; whether the order was carried out is not known", "look first")
    error.failure = error.failure._replace(is_uncertain=True)
    desk.orders.answer = error
    await desk.cancel("a", "stuck")
    failed = desk.events[-1]
    assert isinstance(failed, CancelFailed)
    assert failed.failure.is_uncertain
    assert (desk.lines[0].kind, desk.lines[0].result) == (ActionKind.UNKNOWN, "unknown")


async def test_read_only_sends_nothing_and_is_audited(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "audit.jsonl", read_only=True)
    await desk.cancel("a", "stuck")
    assert desk.orders.asked == []
    assert [type(event) for event in desk.events] == [CancelFailed]
    assert desk.lines[0].result == f"refused: {READ_ONLY.reason}"


async def test_what_was_refused_before_it_came_here_is_audited(desk: Desk) -> None:
    refused = ActionRecord(
        START, ME, "cancel", "b", "why not", (), "refused: it runs nothing", ActionKind.REFUSED
    )
    await desk.runner.carry_out(refused)
    assert desk.lines == (refused,)
    assert desk.orders.asked == []


async def test_an_audit_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    desk = Desk(tmp_path / "file" / "audit.jsonl")
    await desk.cancel("a", "stuck")
    assert desk.orders.asked == [("a", "stuck")]
    assert isinstance(desk.events[-2], CancelAnswered)
    assert isinstance(desk.events[-1], AuditFailed)


async def test_one_that_is_on_its_way_when_vp_tui_leaves_is_audited_as_unknown(desk: Desk) -> None:
    desk.orders.may_answer.clear()
    task = asyncio.create_task(desk.cancel("a", "stuck"))
    while not desk.orders.asked:  # noqa: ASYNC110 - it is on its way at the next turn of the loop
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (line,) = desk.lines
    assert line.result == "unknown"
    assert line.steps[-1].detail == "vp-tui was left before the answer came"


SHOWN = CancelRun("a", "stuck", alive_at=40.0)
GONE = "it runs nothing now: there is nothing to cancel"
ANOTHER = "the run that was shown has ended, another one runs: look at it first"


def ended(at: float) -> Event:
    return builders.stream(builders.frame("query_complete"), session_id="a", at=at)[0]


@pytest.mark.parametrize(
    ("heard", "now", "why"),
    [
        ([], builders.session("a", active_runs=1), None),
        ([], builders.session("a"), GONE),
        ([], builders.session("b", active_runs=1), "it is not listed any more"),
        ([ended(39.0)], builders.session("a", active_runs=1), None),
        ([ended(41.0)], builders.session("a", active_runs=1), ANOTHER),
        ([builders.listing(builders.session("a"), at=41.0)],
         builders.session("a", active_runs=1), ANOTHER),
        ([ended(41.0)], None, ANOTHER),
        ([], None, None),
    ],
)  # fmt: skip
async def test_right_before_a_cancel_is_sent_its_run_has_to_be_the_one_that_was_shown(
    desk: Desk, heard: list[Event], now: Session | None, why: str | None
) -> None:
    desk.listed = () if now is None else (now,)
    for event in heard:
        desk.runs.tell(event)
    desk.events.clear()
    await desk.runner.carry_out(SHOWN)
    assert len(desk.orders.asked) == (why is None)
    refused = [event.why for event in desk.events if isinstance(event, OrderRefused)]
    assert refused == ([] if why is None else [why])
    (line,) = desk.lines
    assert (line.result == f"refused: {why}") is (why is not None)


class Pair:
    """Two vp-tui on one host, each with an audit of its own."""

    def __init__(self, home: Path) -> None:
        self.locks = home / "locks"
        self.ana = Desk(home / "ana/audit.jsonl", locks=self.locks, me="ana@laptop")
        self.ben = Desk(home / "ben/audit.jsonl", locks=self.locks, me="ben@laptop")


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


async def test_of_two_vp_tui_one_cancels_and_the_other_says_who(pair: Pair) -> None:
    pair.ana.orders.may_answer.clear()
    first = asyncio.create_task(pair.ana.cancel("a", "stuck"))
    while not pair.ana.orders.asked:  # noqa: ASYNC110 - the host's lock has no event
        await asyncio.sleep(0)
    await pair.ben.cancel("a", "stuck too")
    why = "ana's vp-tui is cancelling a since 03:07:01Z"
    assert pair.ben.orders.asked == []
    assert pair.ben.events == [OrderRefused(1.0, "cancel", "a", why)]
    assert [line.result for line in pair.ben.lines] == [f"refused: {why}"]
    await pair.ben.cancel("b", "another session")
    assert pair.ben.orders.asked == [("b", "another session")]
    pair.ana.orders.may_answer.set()
    await first


async def test_what_another_did_just_now_is_not_done_again_until_it_can_be_seen(pair: Pair) -> None:
    await pair.ana.cancel("a", "stuck")
    await pair.ben.cancel("a", "stuck")
    (told,) = pair.ben.events
    assert isinstance(told, OrderRefused)
    assert told.why == (
        "ana's vp-tui was cancelling a until 03:07:03Z: look at what came of it first"
    )
    pair.ben.passed += UNSEEN_S + 3.0
    await pair.ben.cancel("a", "deaf")
    assert pair.ben.orders.asked == [("a", "deaf")]
    await pair.ben.cancel("a", "deaf still")
    assert len(pair.ben.orders.asked) == 2


async def test_one_that_died_in_the_midst_of_it_is_named(pair: Pair) -> None:
    lock = HostLock(lock_file(pair.locks, "http://gateway", "session a"))
    lock.take(Holder("ana@laptop", "cancelling a", START).to_text())
    assert lock._fd is not None
    os.close(lock._fd)  # as its death would
    await pair.ben.cancel("a", "stuck")
    (told,) = pair.ben.events
    assert isinstance(told, OrderRefused)
    assert told.why.startswith("ana's vp-tui began cancelling a at 03:07:00Z and is gone, its end")
    await pair.ben.cancel("a", "it was looked at")
    assert pair.ben.orders.asked == [("a", "it was looked at")]


async def test_one_that_died_long_ago_is_named_as_well(pair: Pair) -> None:
    lock = HostLock(lock_file(pair.locks, "http://gateway", "session a"))
    lock.take(Holder("ana@laptop", "cancelling a", START - timedelta(days=1)).to_text())
    assert lock._fd is not None
    os.close(lock._fd)  # as its death would
    await pair.ben.cancel("a", "stuck")
    assert [type(event) for event in pair.ben.events] == [OrderRefused]


async def test_what_tells_nothing_in_a_lock_keeps_nobody(pair: Pair) -> None:
    lock = HostLock(lock_file(pair.locks, "http://gateway", "session a"))
    for text in ("", "[1, 2]", '["\\u001b[2J", 3, "x", null]', "[" * 400):
        lock.take(text)
        lock.release(text)
        await pair.ben.cancel("a", "stuck")
    assert len(pair.ben.orders.asked) == 4


async def test_a_lock_that_cannot_be_made_stops_nobody_and_is_audited(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("in the way")
    desk = Desk(tmp_path / "audit.jsonl", locks=tmp_path / "locks")
    await desk.cancel("a", "stuck")
    assert desk.orders.asked == [("a", "stuck")]
    assert [step.step for step in desk.lines[0].steps] == ["not locked", "requested", "answered"]
