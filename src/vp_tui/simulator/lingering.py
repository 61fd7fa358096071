"""Runs that do not end by themselves, or not soon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.simulator.script import Act, TurnScript
    from vp_tui.simulator.voice import Voice

DRIP_EVERY: Final = 2.0
"""Seconds between two frames of a run that is slow but not stuck."""
_AN_HOUR: Final = 3600.0


async def linger(voice: Voice, act: Act, script: TurnScript) -> None:
    """Play the part of a run that hangs, hears no cancel, drips or waits for an answer."""
    if act == "deaf":
        await _be_deaf(voice, script)
    elif act == "drip":
        await _drip(voice, script.hold)
    elif act == "input_required":
        await _ask(voice)
    else:
        await _hang(voice, script.hold if act == "orphan" else 0.0)


async def _hang(voice: Voice, orphaned_for: float) -> None:
    await voice.say("working on it ...")
    await voice.call("toolu_hang", "Bash", {"command": "pytest -q"})
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        life = voice.around.life
        if orphaned_for and life.alive:
            life.spawn(_go_on_writing(voice, orphaned_for))
        raise


async def _go_on_writing(voice: Voice, seconds: float) -> None:
    for step in range(1, int(seconds) + 1):
        await voice.around.clock.sleep(1.0)
        voice.log(f"orphan engine still working {step}")
        voice.log(f"ℹ️ STATUS: orphan step {step}")  # noqa: RUF001 - the log's own sign


async def _be_deaf(voice: Voice, script: TurnScript) -> None:
    """Wait for a cancel, then go on for `script.hold` seconds whatever is asked."""
    await voice.say("working, and deaf to cancel")
    loop, ends_at = asyncio.get_running_loop(), None
    while ends_at is None or loop.time() < ends_at:
        try:
            await asyncio.sleep(_AN_HOUR if ends_at is None else ends_at - loop.time())
        except asyncio.CancelledError:
            if not voice.around.life.alive:
                raise
            ends_at = ends_at or loop.time() + script.hold / voice.around.clock.speed
    if not script.finishes:
        raise asyncio.CancelledError
    await voice.say("finished in spite of the cancel")


async def _drip(voice: Voice, seconds: float) -> None:
    for part in range(1, max(1, int(seconds / DRIP_EVERY)) + 1):
        await voice.around.clock.sleep(DRIP_EVERY)
        await voice.say(f"still indexing, part {part}")


async def _ask(voice: Voice) -> None:
    """Ask what nobody can answer."""
    await voice.event(
        "input_required",
        {
            "input_id": f"input_{voice.around.ids.hex(8)}",
            "question": "Which database should the migration run against?",
            "category": "clarification",
            "options": ["staging", "production"],
        },
    )
    await asyncio.Event().wait()
