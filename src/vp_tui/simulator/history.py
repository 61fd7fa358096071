"""A past for the lane, so that rates and percentiles have substance from the first look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vp_tui.simulator.content import coding_turn
from vp_tui.simulator.ledger import LANE_DIRECTORY
from vp_tui.simulator.workspace import DEFAULT_OWNER

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from vp_tui.simulator.gateway import Gateway

EVERY: Final = timedelta(seconds=75)
"""From the start of one past mission to the next."""
FRAMES_PER_TURN: Final = 22
PAST_SESSIONS: Final = 3
"""Sessions that the past missions came from; they are still in memory."""


async def seed_history(gateway: Gateway, random: Random, missions: int) -> None:
    """Write clean past missions of this boot, the last one just over, 20 to 40 s long each.

    The boot's `started_at` is moved back before them.
    """
    clock, ledger, lane_dir = gateway.clock, gateway.ledger, _lane_directory(gateway)
    at = clock.now() - EVERY * missions
    homes = [await gateway.create(at=at + EVERY * number) for number in range(PAST_SESSIONS)]
    gateway.continuity.started_at = at - EVERY
    for index in range(missions):
        home = homes[index % len(homes)]
        prompt, _ = coding_turn(random, seconds=30.0)
        end = at + timedelta(seconds=random.uniform(20.0, 40.0))
        ledger.open_session(lane_dir, DEFAULT_OWNER, at)
        ledger.adopt_engine_session(at)
        mission = ledger.dispatch(prompt, gateway.lane.run_id, at)
        ledger.complete(mission, lane_dir, ledger.ids.hex(32), end)
        _log_past_turn(gateway, prompt, at, end)
        home.last_event_seq += FRAMES_PER_TURN
        home.last_activity = end
        gateway.workspaces.checkpoint(home.session_id, prompt, at=end)
        at += EVERY


def _lane_directory(gateway: Gateway) -> str:
    gateway.workspaces.ensure_lane(LANE_DIRECTORY)
    return str(gateway.workspaces.path(LANE_DIRECTORY))


def _log_past_turn(gateway: Gateway, prompt: str, began: datetime, ended: datetime) -> None:
    start, end = (f"[{gateway.clock.local(at):%H:%M:%S}]" for at in (began, ended))
    lines = f"\n{start} 👤 USER: {prompt}\n{end} 🤖 ASSISTANT: The checks pass.\n\n"
    gateway.workspaces.write(LANE_DIRECTORY, lines)
