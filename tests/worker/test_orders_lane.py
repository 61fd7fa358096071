"""What is asked of the lane: carried out once, told step by step, and audited whatever comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from vp_tui.domain.events import (
    OrderRefused,
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
)
from vp_tui.domain.lane import probe as probing
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Actuation, CommandRun
from vp_tui.domain.models import ActionStep, Failure
from vp_tui.domain.orders import RestartGateway, RunProbe, SetSwitch
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.locks import HostLock, lock_file
from vp_tui.worker.orders import AuditBook, OrderRunner, Tools

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.models import Dialect
    from vp_tui.domain.orders import ActionRecord
    from vp_tui.gateway.orders import Orders
    from vp_tui.worker.actuator import Actuator
    from vp_tui.worker.prober import Prober

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
URL = "http://gateway"
WRITTEN = ActionStep(NOW, "written", "UA_CODER_VP_FORCE_FALLBACK=1 written in .env")
DONE = Actuation((WRITTEN,), written=True, command=CommandRun(("true",), 0, (), 0.1))
FAILED = Actuation((), Failure("exit code 1", "look at its output"))
ONLY_WRITTEN = Actuation((WRITTEN,), written=True)
BY_HAND = Actuation((), by_hand=("do this",))


class FakeActuator:
    """Does what a test says, once it is let."""

    def __init__(self, done: Actuation = DONE, *, waits: bool = False) -> None:
        self.done = done
        self.asked: list[str] = []
        self.may_end = asyncio.Event()
        if not waits:
            self.may_end.set()

    async def change(self, change: Change) -> Actuation:
        return await self._do(change.words)

    async def restart(self) -> Actuation:
        return await self._do("restart")

    async def _do(self, what: str) -> Actuation:
        self.asked.append(what)
        await self.may_end.wait()
        return self.done


class FakeProber:
    """Goes through three steps of a probe, the last one once it is let."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    async def run(self, prompt: str, dialect: Dialect | None) -> AsyncGenerator[Probe, None]:
        probe = probing.Probe(prompt, dialect, 10.0, awaited_since=10.0)
        yield probe
        probe = probing.step_probe(
            probe, ProofStep(11.0, probing.ProbeStep.CREATED, "session_probe")
        )
        yield probe
        await self.may_end.wait()
        yield probing.step_probe(probe, Failure("closed", "again"))


class Rig:
    """An OrderRunner between fakes, and what it told and wrote; without either it is read-only."""

    def __init__(
        self, actuator: FakeActuator | None, prober: FakeProber | None, path: Path
    ) -> None:
        self.events: list[Event] = []
        self.path = path
        tools = Tools(
            cast("Orders", None),
            cast("Actuator", actuator),
            cast("Prober", prober),
            lambda what: HostLock(lock_file(path.parent / "locks", URL, what)),
            self._look,
            lambda _order: None,
        )
        self.runner = OrderRunner(
            tools if actuator or prober else None,
            AuditBook(path, "ana@laptop", URL, "vp.x", URL),
            self.events.append,
            lambda: 12.0,
            wall=lambda: NOW,
        )

    async def _look(self) -> None:
        """Not for these orders."""

    async def change(self, change: Change, reason: str) -> None:
        await self.runner.carry_out(SetSwitch(change, reason))

    async def restart(self, reason: str) -> None:
        await self.runner.carry_out(RestartGateway(reason))

    async def probe(self) -> None:
        await self.runner.carry_out(RunProbe("write code", "G1"))

    @property
    def audit(self) -> tuple[ActionRecord, ...]:
        return newest_actions(self.path, 100).records


MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path) -> MakeRig:
    def make(actuator: FakeActuator | None = None, prober: FakeProber | None = None) -> Rig:
        return Rig(actuator, prober, tmp_path / "audit.jsonl")

    return make


async def test_a_change_is_told_and_audited(make_rig: MakeRig) -> None:
    rig = make_rig(FakeActuator())
    await rig.change(FORCE_FALLBACK, "3 of 20 fell back")
    assert rig.events == [
        SwitchAsked(12.0, FORCE_FALLBACK, "ana@laptop", "3 of 20 fell back"),
        SwitchActed(12.0, DONE),
    ]
    (record,) = rig.audit
    assert (record.action, record.target, record.reason) == (
        "force fallback", URL, "3 of 20 fell back",
    )  # fmt: skip
    assert record.steps == (WRITTEN,)
    assert record.result == "carried out, effect unconfirmed"


@pytest.mark.parametrize(
    ("done", "result"),
    [
        (FAILED, "failed: exit code 1"),
        (ONLY_WRITTEN, "written, not in force until the gateway restarts"),
        (BY_HAND, "by hand: nothing was done"),
    ],
)
async def test_the_audit_claims_no_more_than_was_done(
    make_rig: MakeRig, done: Actuation, result: str
) -> None:
    rig = make_rig(FakeActuator(done))
    await rig.change(RELEASE, "")
    assert rig.audit[0].result == result


async def test_a_restart_is_told_and_audited(make_rig: MakeRig) -> None:
    rig = make_rig(FakeActuator())
    await rig.restart("deaf run")
    assert rig.events == [
        RestartAsked(12.0, "ana@laptop", "deaf run"),
        RestartActed(12.0, DONE),
    ]
    assert (rig.audit[0].action, rig.audit[0].reason) == ("restart", "deaf run")


async def test_what_is_asked_for_twice_is_done_once(make_rig: MakeRig) -> None:
    actuator = FakeActuator(waits=True)
    rig = make_rig(actuator)
    first = asyncio.create_task(rig.change(FORCE_FALLBACK, "first"))
    while not actuator.asked:  # noqa: ASYNC110 - the host's lock has no event
        await asyncio.sleep(0)
    await rig.change(FORCE_FALLBACK, "second")
    await rig.restart("third")
    assert [record.result for record in rig.audit] == ["refused: force fallback is under way"] * 2
    actuator.may_end.set()
    await first
    assert actuator.asked == ["force fallback"]
    told = [type(event) for event in rig.events]
    assert told == [SwitchAsked, OrderRefused, OrderRefused, SwitchActed]
    await rig.restart("now it may")
    assert actuator.asked == ["force fallback", "restart"]


async def test_a_probe_is_told_step_by_step(make_rig: MakeRig) -> None:
    prober = FakeProber()
    prober.may_end.set()
    rig = make_rig(prober=prober)
    await rig.probe()
    told = [event.probe for event in rig.events if isinstance(event, ProbeStepped)]
    assert [probe.line for probe in told] == [
        "probe: waits for: session created",
        "probe: waits for: attached",
        "probe: broke off: closed; again",
    ]
    (record,) = rig.audit
    assert (record.action, record.target, record.result) == ("probe", "session_probe", "broke off")
    created, given_up = record.steps
    assert (created.step, created.at) == ("session created", NOW - timedelta(seconds=1.0))
    assert (given_up.step, given_up.detail) == ("given up", "closed; again")


async def test_there_is_never_a_second_probe(make_rig: MakeRig) -> None:
    prober = FakeProber()
    rig = make_rig(prober=prober)
    first = asyncio.create_task(rig.probe())
    await asyncio.sleep(0)
    await rig.probe()
    assert [record.result for record in rig.audit] == ["refused: another probe is under way"]
    (told,) = (event for event in rig.events if isinstance(event, OrderRefused))
    assert told[1:] == ("probe", URL, "another probe is under way")
    prober.may_end.set()
    await first
    assert len(rig.audit) == 2


async def test_in_read_only_mode_nothing_is_done_and_all_is_audited(make_rig: MakeRig) -> None:
    rig = make_rig()
    await rig.change(FORCE_FALLBACK, "please")
    await rig.restart("please")
    await rig.probe()
    assert rig.events == []
    assert [record.action for record in rig.audit] == ["force fallback", "restart", "probe"]
    assert all(record.result.startswith("refused: read-only") for record in rig.audit)


async def test_what_vp_tui_is_left_in_the_middle_of_is_audited(make_rig: MakeRig) -> None:
    rig = make_rig(FakeActuator(waits=True), FakeProber())
    tasks = [
        asyncio.create_task(rig.change(FORCE_FALLBACK, "")),
        asyncio.create_task(rig.probe()),
    ]
    while len(rig.events) < 3:  # noqa: ASYNC110 - the host's locks have no event
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    change, probe = sorted(rig.audit, key=lambda record: record.action)
    assert (change.result, change.steps[0].step) == ("unknown", "left")
    assert probe.result == "vp-tui was left before it ended"
    assert probe.target == "session_probe"
