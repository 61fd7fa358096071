"""What happens on the embedded gateway by itself: one short script per scenario.

Seconds are those of speed 1. A turn ends for whatever reason: an operator may cancel it or restart
the gateway at any time, and the script goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import age

if TYPE_CHECKING:
    from vp_tui.simulator.driver import SimDriver
    from vp_tui.simulator.script import Outcome
    from vp_tui.simulator.sessions import SimSession, SimTurn


Scenario = Callable[["SimDriver"], Awaitable[None]]

STUCK_FOR_S: Final = 180.0
"""How long the tour leaves its stuck run to the operator."""
LEAD_S: Final = 5.0
"""For a look at the lane before a run hangs: who watches sees it begin."""
CHAT_SHARE: Final = 0.15
"""Of organic prompts, those without coding intent."""
FLOOD_TICK_S: Final = 0.02
_HELD_UP: Final[dict[Outcome, str]] = {
    "hang": "hangs in a tool",
    "hang_swallow": "hangs, will not hear a cancel",
    "drip": "takes long",
}
_HELD_UP_BY: Final[dict[Outcome, str]] = {
    "hang": "a run hangs until you cancel it or restart; next: a clean turn, then another one",
    "hang_swallow": "a run hangs: a cancel is not heard for a while, a restart ends it",
    "drip": "a slow run makes progress; next: those that wait, then another slow one",
}


async def tour(driver: SimDriver) -> None:
    """Tell the story of a rollout, then go on with organic traffic for ever."""
    await driver.seed(9)
    driver.tell("a clean coding turn; next: one that the lane fails and the primary path answers")
    await driver.code("ana")
    driver.tell("a turn falls back to the primary path; next: three clean ones")
    await driver.code("ana", "vp_exc")
    driver.tell("three clean turns; next: two users, code and chat")
    for _ in range(3):
        await driver.code("ana")
    driver.tell("two users, code and chat; next: a run hangs, and two turns wait for it")
    for user in ("ana", "ben", "ben", "ana"):
        await driver.code(user)
        await driver.pause(1, 3)
        await driver.chat(user)
    turn, _ = await _hang(driver, "hang")
    patience = age(STUCK_FOR_S / driver.options.speed)
    driver.tell(f"a run hangs in a tool; next: you cancel it, or somebody does after {patience}")
    try:
        await asyncio.wait_for(turn.ended.wait(), STUCK_FOR_S / driver.options.speed)
    except TimeoutError:
        # Somebody on call has mercy.
        await driver.stop("cleo", "Stuck in pytest, cleared by the night shift")
    driver.tell("traffic of two users for ever, with a fallback now and then")
    await _organic(driver, "vp_error", fault_rate=0.03)


async def clean(driver: SimDriver) -> None:
    """Let nothing go wrong, for an hour at least.

    A G2 notes more events of each mission: were it as busy, an answer would not hold them all.
    """
    await driver.seed(18)
    driver.tell("clean traffic of two users, for ever")
    await _organic(driver, break_s=(1, 4) if driver.options.dialect == "G1" else (2, 7))


async def faulty(driver: SimDriver, faults: tuple[Outcome, ...], *, rate: float) -> None:
    """Let the lane err, at first for once and then at `rate`, a fraction of the prompts."""
    await driver.seed(9)
    driver.tell("a turn goes wrong; next: traffic of two users that goes wrong time and again")
    await driver.code("ana", faults[0])
    await _organic(driver, *faults, fault_rate=rate)


async def held_up(driver: SimDriver, outcome: Outcome, *, codes_between: bool = True) -> None:
    """Let a run keep the others waiting, again and again."""
    await driver.seed(9)
    while True:
        driver.tell(f"next: a run starts, {_HELD_UP[outcome]}, and two turns wait for it")
        await driver.pause(LEAD_S)
        turn, victims = await _hang(driver, outcome)
        driver.tell(_HELD_UP_BY[outcome])
        for waiting in (turn, *victims):
            await waiting.ended.wait()
        if codes_between:
            await driver.code("ana")


async def blind(driver: SimDriver) -> None:
    """Fall back behind an event window that is full for ever."""
    await driver.seed(520)
    driver.tell("every other turn falls back, and the reported rate does not show it")
    while True:
        await driver.code("ana", "vp_error")
        await driver.pause(1, 3)
        await driver.code("ben")


async def bootstrap(driver: SimDriver) -> None:
    """Keep the lane from starting: turns are answered, missions are not made."""
    await driver.seed(9)
    driver.break_lane("vp adapter initialize failure")
    driver.tell("the lane cannot start: coding turns are answered, and no mission is made")
    await _organic(driver)


async def idle(driver: SimDriver) -> None:
    """Let nothing happen at all."""
    driver.tell("nothing happens by itself: a probe makes a turn")


async def auth(driver: SimDriver) -> None:
    """Do as `clean`, behind tokens; tell when the right one opened the ops plane."""
    await driver.seed(18)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_organic(driver))
        while not driver.gateway.is_opened:
            await driver.pause(0.5)
        driver.tell("the token is accepted; clean traffic of two users, for ever")


async def outage(driver: SimDriver) -> None:
    """Go away for a while and come back, again and again."""
    await driver.seed(9)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_organic(driver))
        while True:
            driver.tell("two users work; next: the gateway goes away for a while")
            await driver.pause(20)
            driver.tell("the gateway is away; next: it comes back, the same boot")
            await driver.outage(8)


async def flood(driver: SimDriver) -> None:
    """Send so many events a second, to all sessions in turn."""
    driver.tell("events in all sessions, as fast as --rate says")
    while True:
        sessions = [await driver.enter(f"user{n}") for n in range(driver.options.sessions)]
        for session in sessions:
            session.active_runs += 1
        await _pour(driver, sessions)


async def _pour(driver: SimDriver, sessions: list[SimSession]) -> None:
    """Send events until the gateway restarts; they need neither a turn nor the lock."""
    loop, gateway = asyncio.get_running_loop(), driver.gateway
    began, sent = loop.time(), 0
    while driver.gateway is gateway:
        await asyncio.sleep(FLOOD_TICK_S)
        due = int((loop.time() - began) * driver.options.rate)
        for number in range(sent, due):
            text = {"text": f"event {number}\n", "author": "Primary Agent", "time_offset": None}
            await sessions[number % len(sessions)].emit("text", text)
        sent = due


async def _organic(
    driver: SimDriver,
    *faults: Outcome,
    fault_rate: float = 0.0,
    break_s: tuple[float, float] = (1, 4),
) -> None:
    """Let two users work side by side: one mostly codes, the other comes by at times."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_work(driver, "ana", break_s, faults, fault_rate))
        tasks.create_task(_work(driver, "ben", (15, 40), faults, fault_rate))


async def _work(
    driver: SimDriver,
    user: str,
    break_s: tuple[float, float],
    faults: tuple[Outcome, ...],
    fault_rate: float,
) -> None:
    while True:
        if driver.random.random() < fault_rate:
            await driver.code(user, driver.random.choice(faults))
        elif driver.random.random() < CHAT_SHARE:
            await driver.chat(user)
        else:
            await driver.code(user)
        await driver.pause(*break_s)


async def _hang(driver: SimDriver, outcome: Outcome) -> tuple[SimTurn, list[SimTurn]]:
    """Start a turn that does not end soon; return it and those that wait for it."""
    users = ("cleo", "ana", "ben")
    for user in users:
        await driver.enter(user)
    turn = await driver.start("cleo", outcome, seconds=(4.0, 6.0))
    await driver.pause(3)
    return turn, [await driver.start(user) for user in users[1:]]


SCENARIOS: Final[dict[str, Scenario]] = {
    "tour": tour,
    "clean": clean,
    # The VP errs about every third time, and the primary path answers.
    "fault": partial(faulty, faults=("vp_error", "vp_exc"), rate=0.35),
    # VP and primary path both fail.
    "failed": partial(faulty, faults=("both_fail", "fallback_exc"), rate=0.5),
    # A run falls silent in a tool until somebody cancels it.
    "stuck": partial(held_up, outcome="hang"),
    # A run does not hear a cancel for a minute and a half.
    "deaf": partial(held_up, outcome="hang_swallow"),
    # A slow run does make progress.
    "queued": partial(held_up, outcome="drip", codes_between=False),
    "blind": blind,
    "bootstrap": bootstrap,
    "idle": idle,
    "auth": auth,
    "outage": outage,
    "flood": flood,
}
"""The scenarios by name."""
