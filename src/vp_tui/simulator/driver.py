"""Verbs to drive the embedded gateway with, for scenarios and for tests; and a past for its lane.

With a past, rates and percentiles have substance from the first look.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from vp_tui.simulator.database import LANE_DIRECTORY, lane_directory
from vp_tui.simulator.host import SimHost
from vp_tui.simulator.script import (
    CHATS,
    VP_ERRORS,
    Outcome,
    SimTurnScript,
    chat_steps,
    coding_turn,
)
from vp_tui.simulator.sessions import DEFAULT_OWNER
from vp_tui.simulator.turns import SimGatewayStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vp_tui.simulator.boot import SimGateway
    from vp_tui.simulator.host import SimDoor
    from vp_tui.simulator.options import SimClock, SimOptions
    from vp_tui.simulator.sessions import SimSession, SimTurn


EVERY: Final = timedelta(seconds=75)
"""From the start of one past mission to the next."""
FRAMES_PER_TURN: Final = 22
EXTERNAL_SHARE: Final = 0.5
"""Of a G2's clean missions, those that it leaves to a worker."""
PAST_SESSIONS: Final = 3
"""Sessions that the past missions came from; they are still in memory."""


class SimDriver(SimHost):
    """A gateway, and what its users and operators do to it.

    Seconds are scripted time, divided by the speed. Verbs that take a user's name keep a session
    per user and make a new one after a restart.
    """

    def __init__(
        self, options: SimOptions, *, door: SimDoor | None = None, clock: SimClock | None = None
    ) -> None:
        super().__init__(options, door=door, clock=clock)
        self._sessions: dict[str, tuple[SimGateway, SimSession]] = {}
        self.random = Random(options.seed)  # noqa: S311 - repeatable by design
        self.story = ""
        """What the scenario does now and will do next, for who watches the demo."""
        self.on_story: Callable[[str], None] = lambda _told: None

    def tell(self, told: str) -> None:
        """Say what the scenario does now and will do next."""
        self.story = told
        self.on_story(told)

    def execute(self, session_id: str, prompt: str) -> SimTurn:
        """Start a turn in a session of this boot; its script may be a marker in the prompt."""
        return self.gateway.start_turn(self.gateway.sessions[session_id], prompt)

    async def cancel(self, session_id: str, reason: str) -> bool:
        """Cancel as the ops endpoint does; returns its `task_cancelled`."""
        return await self.gateway.turns.cancel(self.gateway.session(session_id), reason)

    def write_log(self, session_id: str, text: str) -> None:
        """Append `text` as it is to the run.log of a session, made if it is not there."""
        self.gateway.workspaces.path(session_id).mkdir(exist_ok=True)
        self.gateway.workspaces.write(session_id, text)

    def break_lane(self, error: str | None) -> None:
        """Make the lane's engine fail to start with `error`, in later boots too; None mends it."""
        self.bootstrap_error = self.gateway.lane.bootstrap_error = error

    async def seed(self, missions: int) -> None:
        """Give the lane a past of so many clean missions, 20 to 40 s long, the last just over.

        They are of this boot, whose `started_at` is moved back before them.
        """
        gateway, ledger, disk = self.gateway, self.gateway.ledger, self.gateway.workspaces
        lane_dir = disk.lane(lane_directory(self.options.dialect))
        at = self.clock.now() - EVERY * missions
        homes = [await gateway.create(at=at + EVERY * number) for number in range(PAST_SESSIONS)]
        gateway.continuity.started_at = at - EVERY
        for index in range(missions):
            home = homes[index % len(homes)]
            prompt, _ = coding_turn(self.random, seconds=30.0)
            end = at + timedelta(seconds=self.random.uniform(20.0, 40.0))
            if self.options.dialect == "G2":
                ledger.register_workers(lane_dir, DEFAULT_OWNER, at)
                mission = ledger.order(f"Codie, {prompt}", (home.session_id, ""), at)
                ledger.claim(mission, f"worker-{ledger.ids.hex(6)}", at)
            else:
                ledger.open_session(lane_dir, DEFAULT_OWNER, at)
                ledger.adopt_engine_session(at)
                mission = ledger.dispatch(prompt, gateway.lane.run_id, at)
            ledger.complete(mission, lane_dir, ledger.ids.hex(32), end)
            began, ended = (f"[{self.clock.local(stamp):%H:%M:%S}]" for stamp in (at, end))
            told = f"\n{began} 👤 USER: {prompt}\n{ended} 🤖 ASSISTANT: The checks pass.\n\n"
            if self.options.dialect == "G1":
                disk.write(LANE_DIRECTORY, told)
            home.last_event_seq += FRAMES_PER_TURN
            home.last_activity = end
            describes = self.options.dialect == "G1"
            disk.checkpoint(home.session_id, prompt, at=end, describe=describes)
            at += EVERY

    async def pause(self, shortest: float, longest: float | None = None) -> None:
        """Let time pass: `shortest` seconds, or anything up to `longest`."""
        await self.clock.sleep(self.random.uniform(shortest, longest or shortest))

    async def start(
        self, user: str, outcome: Outcome = "mission", *, seconds: Sequence[float] = (8.0, 20.0)
    ) -> SimTurn:
        """Send a coding prompt for `user` that takes about so many seconds, from-to."""
        prompt, steps = coding_turn(self.random, seconds=self.random.uniform(*seconds))
        is_g2 = self.options.dialect == "G2"
        prompt = f"Codie, {prompt[:1].lower()}{prompt[1:]}" if is_g2 else prompt
        script = SimTurnScript(
            outcome=outcome,
            external=is_g2 and outcome == "mission" and self.random.random() < EXTERNAL_SHARE,
            steps=steps,
            thought="I should see how this works today before I change it.",
            fails_after=self.random.uniform(3.0, 6.0),
            error=self.random.choice(VP_ERRORS),
            hold=90.0,
        )
        return await self._start(user, prompt, script)

    async def code(self, user: str, outcome: Outcome = "mission") -> SimTurn:
        """Send a coding prompt for `user` and wait for the turn's end."""
        turn = await self.start(user, outcome)
        await turn.ended.wait()
        return turn

    async def chat(self, user: str) -> SimTurn:
        """Send a prompt without coding intent and wait for the turn's end."""
        seconds = self.random.uniform(4.0, 9.0)
        prompt = f"{self.random.choice(CHATS)} ({self.random.randrange(1000)})"
        script = SimTurnScript(steps=chat_steps(self.random, seconds=seconds))
        turn = await self._start(user, prompt, script)
        await turn.ended.wait()
        return turn

    async def stop(self, user: str, reason: str) -> bool:
        """Cancel what `user` has running; returns whether it unwound in time."""
        gateway, session = self._sessions[user]
        return await gateway.turns.cancel(session, reason)

    async def outage(self, seconds: float) -> None:
        """Be unreachable for a while."""
        await self.stop_listening()
        await self.pause(seconds)
        await self.listen()

    async def enter(self, user: str) -> SimSession:
        """Return the user's session in the present boot, made if need be."""
        while True:
            gateway = self.gateway
            known, session = self._sessions.get(user, (None, None))
            if session is not None and known is gateway and gateway.life.alive:
                return session
            with contextlib.suppress(SimGatewayStoppedError):
                self._sessions[user] = gateway, await gateway.create()
            if not gateway.life.alive:
                await self.up.wait()

    async def _start(self, user: str, prompt: str, script: SimTurnScript) -> SimTurn:
        session = await self.enter(user)
        # A session has one turn at a time; one that a cancel gave up on does not count.
        while session.turn is not None and session.turn.counted:
            await session.turn.ended.wait()
            session = await self.enter(user)
        return self.gateway.start_turn(session, prompt, script)
