"""State + now -> the SAFETY line: what is wrong, the gravest first, each with the key that helps.

No row's word masks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.auto_revert import STOP_KEY, YOU, Phase, in_words
from vp_tui.domain.cancels import CancelState, pending
from vp_tui.domain.durations import age
from vp_tui.selectors import short_id
from vp_tui.summary import BLIND, LOST, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.auto_revert import AutoRevert
    from vp_tui.domain.guardrails import TripWire
    from vp_tui.domain.situation import HungRun
    from vp_tui.domain.stages import RevertMode
    from vp_tui.state import State

GUARDRAIL: Final = "guardrail tripped"
UNCONFIRMED: Final = "cancel unconfirmed"
CONTRADICTED: Final = "brake contradicted"
COUNTDOWN: Final = "auto-revert"
_LINKS_KEY: Final = "5"
_AUDIT_KEY: Final = "u"
_BRAKE_KEY: Final = "F"
_SERIOUS: Final = {LOST: "gateway lost", BLIND: "blind rate"}
"""Troubles that are an alarm of the SAFETY line, and the alarm's name."""


class Alarm(NamedTuple):
    """One entry of the SAFETY line: no row's word masks it."""

    alarm: str
    reason: str
    key: str
    """The key that helps; "" while there is none."""
    cure: str = ""
    trouble: str = ""
    """The trouble that it is too, by name."""
    head: str = ""
    """What the screen says instead of the alarm's name; "" for that."""
    subject: str = ""
    """The session that it is about; "" for the lane and the gateway."""

    @property
    def told(self) -> str:
        """The reason, with whom it is about."""
        return f"{self.head}: {self.reason}" if self.head else self.reason


class Dangers(NamedTuple):
    """What the SAFETY line is made of."""

    wire: TripWire
    hung: tuple[HungRun, ...]
    others: tuple[Alarm, ...]
    """As `state_alarms` has them."""
    mode: RevertMode
    revert: AutoRevert
    can_force: bool
    """This vp-tui may force fallback, and neither did so nor knows it to be forced."""


def state_alarms(state: State, now: float) -> tuple[Alarm, ...]:
    """Return what is wrong besides the trip-wire and the runs that hang."""
    return (*_contradicted(state), *_unconfirmed(state, now), *_troubles(state, now))


def can_force(state: State) -> bool:
    """Tell whether fallback may and need be forced."""
    is_forced = state.lane.is_reverted or state.auto_revert.phase is Phase.REVERTED
    return not is_forced and not state.watch.read_only


def safety_line(found: Dangers) -> tuple[Alarm, ...]:
    """Return the entries of the SAFETY line, the gravest first.

    While fallback is about to be forced that is, and the trip that its line names comes last.
    """
    who = in_words(found.mode, found.revert, tripped=found.wire.tripped)
    tripped = _tripped(found.wire, who, can_force=found.can_force)
    others = (*map(_hanging, found.hung), *found.others)
    if not found.revert.is_counting:
        return (*tripped, *others)
    head = f"AUTO-REVERT in {found.revert.left_s} s"
    stop = f"{STOP_KEY} stops it"
    counting = Alarm(COUNTDOWN, found.revert.trip or "", STOP_KEY, stop, head=head)
    return (counting, *others, *tripped)


def _troubles(state: State, now: float) -> tuple[Alarm, ...]:
    return tuple(
        Alarm(_SERIOUS[trouble.what], trouble.reason, _LINKS_KEY, trouble.cure, trouble.what)
        for trouble in troubles(state, now)
        if trouble.what in _SERIOUS
    )


def _contradicted(state: State) -> Iterator[Alarm]:
    """Yield that missions are dispatched although the last change forbids them."""
    brake = state.lane.brake
    if brake is not None and brake.is_alarming:
        cure = "F shows each step; look at what the gateway was started with"
        yield Alarm(CONTRADICTED, f"{brake.change.words}, and {brake.reason}", _BRAKE_KEY, cure)


def _unconfirmed(state: State, now: float) -> Iterator[Alarm]:
    """Yield the cancels after which no later turn completed for too long, own and others'."""
    for cancel in pending(state.cancels):
        if cancel.state(now) is CancelState.UNCONFIRMED:
            at = state.clock.wall_at(cancel.at)
            yield Alarm(
                UNCONFIRMED,
                f"{short_id(cancel.session_id)}, cancelled {at:%H:%M:%SZ}: no later turn completed",
                _AUDIT_KEY,
                "u shows what was done; drive a turn, or X restarts the gateway",
                subject=cancel.session_id,
            )


def _hanging(run: HungRun) -> Alarm:
    """Return a stuck or deaf run as an alarm; a second cancel of a deaf one is useless."""
    name, key, cure = "stuck", "c", "c cancel it, watch the result, then r record"
    if run.is_deaf:
        name, key, cure = "deaf", "X", "a second cancel is useless: X restarts the gateway"
    wait = f"{run.waiting} turn{'s wait' if run.waiting > 1 else ' waits'} behind it"
    doing = f"in {run.last_tool}, " if run.last_tool else ""
    reason = f"holds the gateway lock, {wait}" if run.waiting else f"{doing}nobody waits behind it"
    head = f"{name.upper()} {age(run.silent_s)} {short_id(run.session_id)}"
    return Alarm(f"{name} run", reason, key, cure, head=head, subject=run.session_id)


def _tripped(wire: TripWire, who: str, *, can_force: bool) -> tuple[Alarm, ...]:
    """Return the trip as an alarm; `who` reverts, in words."""
    if wire.reason is None:
        return ()
    cure = f"{YOU}: nothing reverts by itself" if who == YOU else who
    press = ", press F" if can_force else ""
    return (Alarm(GUARDRAIL, wire.reason, _BRAKE_KEY, f"{cure}{press}"),)
