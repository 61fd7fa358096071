"""Runs that hang: what an engineer on call sees at 80x24, does, and gets into the evidence log."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from tests.support.desk import NEXT, STUCK_AFTER_S, Desk, golden_log, watching
from tests.support.users import user_of

from vp_tui.cli.config.settings import AlarmSettings
from vp_tui.domain.models import StreamState
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import short_id
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.users import User

    from vp_tui.views.runs import RunRow

HEARD: Final = "import sys; print(sys.argv[2], file=open(sys.argv[1], 'a'))"
"""An operator's command for alarms: it adds what it is told to a file."""


async def the_stuck_run(desk: Desk) -> RunRow:
    """Wait for the alarm, which nobody asked for; return the run that it is about."""
    await desk.sees("+ALARM ", "! STUCK ", "! alarm stuck run ", "─TRIAGE ", "ladder: c cancel")
    (run,) = desk.runs(Level.STUCK)
    assert desk.bells == 1
    return run


async def cancel(desk: Desk, run: RunRow) -> None:
    """Go to the alarm and stop its run; keeping it is what the dialog offers first."""
    await desk.press("g", "c")
    await desk.sees("STOP A RUN", f"{short_id(run.session.session_id)} STUCK", ">[ Keep running ]")
    await desk.press("right", "enter")


class TestStuck:
    async def test_it_is_told_recorded_cancelled_and_followed_to_recovery(
        self, tmp_path: Path
    ) -> None:
        heard = tmp_path / "heard"
        command = (sys.executable, "-c", HEARD, str(heard))
        async with watching(tmp_path, "stuck", 4.0, alarm=AlarmSettings(command)) as desk:
            run = await the_stuck_run(desk)
            stuck = run.session.session_id
            assert desk.has("2 turns wait behind it", f"TRIAGE {short_id(stuck)}")
            row = await desk.records("R")
            assert (row.decision, row.window) == ("BLOCKED_EXECUTION_PIPELINE", NEXT)
            for fact in (f"stuck: {stuck} silent ", "2 waiting behind it", "last log line "):
                assert fact in row.notes
            await cancel(desk, run)
            await desk.sees("answered                task_cancelled=true, the run unwound")
            await desk.sees("a later turn completes  a later turn of ", "recovered: a later turn")
            assert "UNCONFIRMED" not in desk.text
            await desk.until(lambda: len(desk.audit) == 2)
            sent, followed = desk.audit
            assert (sent.action, sent.target) == ("cancel", stuck)
            assert (followed.action, followed.result) == ("cancel recovery", "recovered")
            assert desk.bells == 1
            (told,) = heard.read_text().splitlines()
            assert told.startswith("stuck run: no progress for ")
            await desk.press("escape", "u")
            await desk.sees("AUDIT", "task_cancelled=true", "recovered")

    async def test_a_row_tells_the_cancel_and_then_it_holds_until_the_recovery_is_proven(
        self, tmp_path: Path
    ) -> None:
        async with AsyncExitStack() as stack:
            gateway = stack.enter_context(spawn_gateway(SimOptions(scenario="idle", speed=20.0)))
            cleo, ana = [await stack.enter_async_context(user_of(gateway.url)) for _ in range(2)]
            desk = Desk(gateway.url, golden_log(tmp_path), tmp_path / "own")
            await stack.enter_async_context(desk.at_work())
            await desk.until(lambda: self.listens_to(desk, cleo, ana))
            await cleo.ask("Fix this in code @fake:hang")
            run = await the_stuck_run(desk)
            assert run.session.session_id == cleo.session_id
            await cancel(desk, run)
            await desk.sees("the run ended, not recovered yet")
            await desk.press("escape")
            row = await desk.records("R")
            assert row.decision == "PARTIAL_TIMEOUT_RECOVERED"
            cleared = f"{cleo.session_id} was cancelled, active_runs 0: recovery unconfirmed"
            for fact in (f" cancel {cleo.session_id} by ", f"as suggested: {cleared}"):
                assert fact in row.notes
            await desk.press("r")
            await desk.sees("> 3 HOLD_SHADOW                     suggested")
            await desk.press("escape")
            await ana.ask("Fix this in code @fake:mission secs=10")
            await desk.until(lambda: len(desk.audit) == 2)
            assert desk.audit[-1].result == "recovered"

    def listens_to(self, desk: Desk, *users: User) -> bool:
        links = desk.state.links
        return all(
            user.session_id in links and links[user.session_id].state is StreamState.LIVE
            for user in users
        )


class TestDeaf:
    async def test_blame_stays_on_it_until_a_restart_ends_it(self, tmp_path: Path) -> None:
        options = SimOptions(scenario="deaf", speed=4.0)
        with spawn_gateway(options) as gateway:
            desk = Desk(gateway.url, golden_log(tmp_path), tmp_path / "own")
            async with desk.at_work():
                run = await the_stuck_run(desk)
                await cancel(desk, run)
                await desk.sees("task_cancelled=false, the run did not", "active_runs 0")
                await desk.sees("counter cleared, task unconfirmed: not recovered")
                await self.is_deaf(desk, run.session.session_id)
                await self.cannot_be_cancelled_again(desk)
                row = await desk.records("R")
                assert row.decision == "BLOCKED_EXECUTION_PIPELINE"
                assert f"deaf: {run.session.session_id} silent " in row.notes
                assert "counter cleared, task unconfirmed" in row.notes
                os.kill(gateway.pid, signal.SIGUSR1)
                await desk.until(lambda: len(desk.audit) == 3)
                assert desk.audit[-1].result == "ended by a restart"
                await desk.until(lambda: not desk.runs(Level.DEAF) and " DEAF " not in desk.text)

    async def is_deaf(self, desk: Desk, session_id: str) -> None:
        await desk.sees("! DEAF ", "2 turns wait behind it")
        (deaf,) = desk.runs(Level.DEAF)
        assert deaf.session.session_id == session_id
        assert deaf.session.active_runs == 0
        assert [run.level.blocker for run in desk.runs(Level.QUEUED)] == [session_id] * 2
        await desk.until(lambda: desk.bells == 2)  # once more: stuck has become deaf

    async def cannot_be_cancelled_again(self, desk: Desk) -> None:
        await desk.press("escape", "c")
        await desk.sees("no cancel", "second is useless, only a restart")
        await desk.press("right", "enter", "escape")
        await desk.until(lambda: len(desk.audit) == 2)
        sent, refused = desk.audit
        assert sent.result == "task_cancelled=false, not recovered yet"
        assert refused.result.startswith("refused: it did not hear the first cancel")


class TestQueued:
    async def test_it_is_never_called_stuck_and_names_its_blocker(self, tmp_path: Path) -> None:
        async with watching(tmp_path, "queued", 4.0) as desk:
            called_stuck: list[str] = []
            desk.store.subscribe(
                lambda _state: called_stuck.extend(
                    run.session.session_id for run in desk.runs(Level.STUCK)
                )
            )
            await desk.until(lambda: self.waits_for(desk) > 2 * STUCK_AFTER_S)
            (owner,) = desk.runs(Level.OK)
            blocker = short_id(owner.session.session_id)
            await desk.press("1", "home")
            await desk.sees(f"queued behind {blocker}", "holds the lock, 2 wait")
            await desk.press("1", "home", "j", "c")
            await desk.sees("STOP A RUN", f"it waits behind {blocker}: cancelling it frees nothing")
            await desk.press("enter")
            await desk.until(lambda: not desk.has("STOP A RUN"))
            assert (called_stuck, desk.bells, desk.audit) == ([], 0, [])

    def waits_for(self, desk: Desk) -> float:
        return max((run.running_s or 0.0 for run in desk.runs(Level.QUEUED)), default=0.0)


class TestRestart:
    async def test_in_the_middle_of_a_cancel_it_is_no_recovery(self, tmp_path: Path) -> None:
        env = tmp_path / ".env"
        env.write_text("UA_ENABLE_CODER_VP=1\n")
        options = SimOptions(scenario="deaf", speed=3.0, env_file=env)
        with spawn_gateway(options) as gateway:
            desk = Desk(gateway.url, golden_log(tmp_path), tmp_path / "own")
            async with desk.at_work():
                run = await the_stuck_run(desk)
                before = set(desk.state.links)
                await cancel(desk, run)
                await desk.sees("requested               by ", "· awaited   answered")
                os.kill(gateway.pid, signal.SIGUSR1)
                await desk.sees("ended by a restart: the gateway began anew")
                (cancelled,) = desk.state.cancels
                assert cancelled.recovered_at is None
                await desk.press("escape")
                await desk.until(lambda: self.attached_anew(desk, before))
                hanging = [*desk.runs(Level.STUCK), *desk.runs(Level.DEAF)]
                assert before.isdisjoint(run.session.session_id for run in hanging)
                await desk.until(
                    lambda: before.isdisjoint(
                        alarm.key.subject
                        for alarm in desk.state.alarms
                        if alarm.key.kind != "lost run"  # that they were killed goes on
                    )
                )
                await desk.until(lambda: len(desk.audit) == 2)
                assert desk.audit[-1].result == "ended by a restart"

    def attached_anew(self, desk: Desk, before: set[str]) -> bool:
        links = desk.state.links
        is_live = all(link.state is StreamState.LIVE for link in links.values())
        return bool(links) and is_live and before.isdisjoint(links)
