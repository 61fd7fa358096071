"""The auto-revert: what follows when guardrail 3 trips (docs/rollout.md, section 5).

A machine that is stepped once a second. The trip-wire counts the epoch's real missions only, so a
trip counts in every stage, and from whatever source it was seen; data that is missing trips
nothing. Armed, it forces fallback once, after a countdown that the operator can stop. Times are
vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple

from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.text import age
from vp_tui.domain.vocabulary import RevertMode

COUNTDOWN_S: Final = 10.0
LATE_S: Final = 3.0
"""A step that comes later than this after the one before found a screen that stood still."""
STOP_KEY: Final = "esc"
"""Stops the countdown wherever it is seen: no other key can be given to that."""
YOU: Final = "YOU are the auto-revert"
UNCLAIMED: Final = "its lock is not taken yet"
UNREAD: Final = "the env file is not read yet"


class Phase(StrEnum):
    """How far it has come."""

    OFF = "off"
    """Nobody looks: it is switched off, or not stepped, as in a headless command."""
    WATCHING = "watching"
    """Dry run, and nothing is tripped."""
    DRY_RUN = "dry run"
    """Dry run, and tripped: it says what it would do."""
    ARMED = "armed"
    COUNTING = "counting down"
    HELD = "held back"
    """Tripped, while nobody sees a countdown."""
    STOPPED = "stopped"
    """By the operator, until the trip is over."""
    REVERTED = "reverted"
    """It has ordered fallback, once: it is disarmed for good."""
    IMPOSSIBLE = "impossible"
    """It could not force fallback, or need not."""


class AutoRevert(NamedTuple):
    """The machine's state."""

    phase: Phase = Phase.OFF
    trip: str | None = None
    """Why guardrail 3 is tripped; None while it is not."""
    why: str = ""
    """IMPOSSIBLE, DRY_RUN: what stands in the way, DRY_RUN as the end of a sentence; STOPPED: who
    stopped it; HELD: why nobody sees it, with a place for the verb."""
    until: float = 0.0
    """COUNTING: when fallback is forced."""
    seen_at: float = 0.0
    """COUNTING: when it was stepped last; HELD: since when; after that: when it was over;
    REVERTED: when the order was given."""
    bar: str | None = UNCLAIMED
    """Why another vp-tui on this host is the one that may act; None: this one is."""

    @property
    def is_counting(self) -> bool:
        """Whether fallback is forced unless it is stopped."""
        return self.phase is Phase.COUNTING

    @property
    def left_s(self) -> int:
        """Whole seconds of the countdown that are left, as of the last step."""
        return max(ceil(self.until - self.seen_at), 0)


class AutoRevertBarred(NamedTuple):
    """Whether another vp-tui on this host is the auto-revert, and which; None: this one is."""

    at: float
    why: str | None


class Circumstances(NamedTuple):
    """All that decides about the next step."""

    mode: RevertMode
    trip: str | None = None
    """Why guardrail 3 is tripped; None while it is not, or nothing is known that tripped it."""
    already: str | None = None
    """Why there is nothing to force: the switch reads on already, say."""
    obstacle: str | None = None
    """Why this vp-tui cannot or must not force fallback."""
    unseen: str | None = None
    """Why nobody sees the screen, with a place for the verb; None: it may be seen."""


def step_auto_revert(before: AutoRevert, seen: Circumstances, now: float) -> AutoRevert:
    """Return the state a second later. REVERTED is to be acted on when it is reached."""
    if before.phase is Phase.REVERTED:
        return before
    rest = AutoRevert(trip=seen.trip, bar=before.bar)
    if seen.mode is RevertMode.ARMED:
        return _armed(before, rest, seen, now)
    if seen.mode is RevertMode.OFF:
        return rest
    if seen.trip is None:
        return rest._replace(phase=Phase.WATCHING)
    if seen.already is not None:
        return rest._replace(phase=Phase.IMPOSSIBLE, why=seen.already)
    return rest._replace(phase=Phase.DRY_RUN, why=seen.obstacle or "")


def stopped(before: AutoRevert, who: str) -> AutoRevert:
    """Return the state after the operator stopped the countdown; as before when there is none."""
    if not before.is_counting:
        return before
    return AutoRevert(Phase.STOPPED, before.trip, who, bar=before.bar)


def again(before: AutoRevert, what: str, asked_at: float) -> AutoRevert:
    """Return the state after an order was refused; its own leaves it armed, as nothing was done.

    `what` was refused, and `asked_at` is when a switch was last begun to be set.
    """
    is_done = before.phase is not Phase.REVERTED or asked_at >= before.seen_at
    if is_done or what != FORCE_FALLBACK.words:
        return before
    return AutoRevert(Phase.ARMED, before.trip, bar=before.bar)


def _armed(before: AutoRevert, rest: AutoRevert, seen: Circumstances, now: float) -> AutoRevert:
    if before.phase is Phase.STOPPED and seen.trip is not None:
        return before._replace(trip=seen.trip)
    why = seen.already or seen.obstacle
    if why is not None:
        return rest._replace(phase=Phase.IMPOSSIBLE, why=why)
    was_held = before.phase is Phase.HELD
    if seen.trip is None:
        return rest._replace(phase=Phase.ARMED, seen_at=now if was_held else 0.0)
    if seen.unseen is None:
        return _counting(before, rest, now)
    return before if was_held else rest._replace(phase=Phase.HELD, why=seen.unseen, seen_at=now)


def _counting(before: AutoRevert, rest: AutoRevert, now: float) -> AutoRevert:
    if not before.is_counting:
        return rest._replace(phase=Phase.COUNTING, until=now + COUNTDOWN_S, seen_at=now)
    # Nobody could see and stop it while the screen stood still: that time does not count.
    until = before.until + max(now - before.seen_at - LATE_S, 0.0)
    if now >= until:
        return rest._replace(phase=Phase.REVERTED, seen_at=now)
    return rest._replace(phase=Phase.COUNTING, until=until, seen_at=now)


def news(before: AutoRevert, after: AutoRevert) -> str | None:
    """Return what is to be told and audited of a step, None where that is nothing.

    Each is told once for a trip.
    """
    if after.phase is Phase.IMPOSSIBLE:
        was_told = before.trip is not None and before.why == after.why
        goes_by_itself = after.why in {UNCLAIMED, UNREAD}
        is_no_news = after.trip is None or was_told or goes_by_itself
        return None if is_no_news else f"fallback is not forced: {after.why}"
    is_dry, is_held = after.phase is Phase.DRY_RUN, after.phase is Phase.HELD
    if after.phase is before.phase or not (after.phase in _NEWS or is_dry or is_held):
        return None
    if is_held:
        return f"no countdown: {after.why.replace('{}', 'is')}. Nothing is forced; {YOU}"
    if before.phase is Phase.HELD:
        held = f"a countdown was held back for {age(after.seen_at - before.seen_at)}"
        goes_on = "the trip is over" if after.phase is Phase.ARMED else _NEWS[after.phase]
        return f"{held}: {before.why.replace('{}', 'was')}; {goes_on.format(why=after.why)}"
    if after.phase is Phase.ARMED and before.phase in _AGAIN:
        return _AGAIN[before.phase]
    return _dry(after.why) if is_dry else _NEWS[after.phase].format(why=after.why)


_AGAIN: Final = {
    Phase.COUNTING: "the trip was over before the countdown: nothing was forced",
    Phase.REVERTED: "fallback was not forced, as its order was refused: it is armed again",
}
"""What armed it again, by what it was before."""
_NEWS: Final = {
    Phase.ARMED: f"armed: a trip forces fallback after {COUNTDOWN_S:g} s",
    Phase.COUNTING: (
        f"countdown: fallback is forced in {COUNTDOWN_S:g} s unless {STOP_KEY} stops it"
    ),
    Phase.STOPPED: f"countdown stopped with {STOP_KEY} by {{why}}: nothing is forced",
    Phase.REVERTED: "the countdown ran out: fallback is forced now, and the auto-revert disarmed",
}


def _dry(obstacle: str) -> str:
    """Return what an armed one would do now, as the screen and the audit say it."""
    return f"dry run: {obstacle or 'fallback would be forced now'}"


def in_words(mode: RevertMode, revert: AutoRevert, *, tripped: bool) -> str:
    """Return who reverts: parts between `; `, what matters most last."""
    if revert.phase is Phase.IMPOSSIBLE:
        how = "armed" if mode is RevertMode.ARMED else "dry run"
        return f"{how}, but {revert.why}; {YOU}"
    if mode is RevertMode.DRY_RUN and tripped:
        return f"{_dry(revert.why)}; {YOU}"
    if revert.is_counting:
        return f"auto-revert in {revert.left_s} s"
    told = {
        Phase.HELD: f"auto-revert held back: {revert.why.replace('{}', 'is')}; {YOU}",
        Phase.STOPPED: f"stopped until the trip is over ({revert.why}); {YOU}",
        Phase.ARMED: "auto-revert ARMED",
        Phase.REVERTED: f"it has acted once and is disarmed; {YOU}",
    }
    return told.get(revert.phase, YOU)
