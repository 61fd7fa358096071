"""What mode the lane is believed to be in, and on what evidence.

No answer of the gateway says it. The newest effect that was seen in this epoch decides; without one
the env file does, if this gateway has read it; without that nobody knows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switch_proof import STAMP_SLACK_S, Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change, Switch

if TYPE_CHECKING:
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.lane.switches import Switches
    from vp_tui.domain.lane.turn_proof import CompletedTurn


_LANE_OFF: Final = Change(Switch.LANE, on=False)


class LaneMode(StrEnum):
    """What the gateway does with turns of coding intent."""

    DELEGATING = "delegating"
    SHADOW = "shadow"
    FORCED_FALLBACK = "forced_fallback"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


class Belief(NamedTuple):
    """A mode and what speaks for it."""

    mode: LaneMode
    evidence: str
    at: float | None = None
    """When the effect was seen that it rests on; None: it rests on no effect."""


class LaneSigns(NamedTuple):
    """What is known of the lane in this epoch; times on vp-tui's own monotonic clock."""

    turn: CompletedTurn | None = None
    """The newest turn of coding intent that ended (`CompletedTurn.is_coding`)."""
    mission: tuple[str, float] | None = None
    """The newest mission and when it began."""
    had_session: bool | None = None
    """Whether the lane ever had a session, which its first delegation makes; None: not known."""
    switches: Switches | None = None
    """Of the env file; None without one, or when it cannot be read."""
    are_switches_read: bool | None = None
    """The gateway booted after the file was last changed; None when that is not known."""
    brake: Brake | None = None
    """The newest change that was asked for."""


def believed_mode(signs: LaneSigns) -> Belief:
    """Return the mode that the evidence speaks for; what is from before the last change is out."""
    since = signs.brake.since if signs.brake is not None else None
    turn, mission = signs.turn, signs.mission
    if turn is not None and (turn.began_at is None or _is_before(turn.began_at, since)):
        turn = None
    if mission is not None and _is_before(mission[1] - STAMP_SLACK_S, since):
        mission = None
    if turn is not None and (mission is None or turn.ended_at >= mission[1]):
        return _by_turn(turn, signs)
    if mission is not None:
        named, at = mission
        return Belief(LaneMode.DELEGATING, f"mission {named} was dispatched", at)
    return _by_switches(signs)


def _is_before(at: float, since: float | None) -> bool:
    return since is not None and at < since


def _by_turn(turn: CompletedTurn, signs: LaneSigns) -> Belief:
    whose, at = f"a coding turn of {turn.session_id}", turn.ended_at
    if turn.is_delegated:
        return Belief(LaneMode.DELEGATING, f"{whose} was delegated", at)
    if turn.is_unstartable:
        words = f"{whose} was meant for the lane, which could not start"
        return Belief(LaneMode.DELEGATING, words, at)
    if turn.is_shadowed:
        return Belief(LaneMode.SHADOW, f"{whose} was kept by shadow mode", at)
    mode, why = _by_silence(signs)
    return Belief(mode, f"{whose} stayed on the primary path without a word; {why}", at)


def _by_silence(signs: LaneSigns) -> tuple[LaneMode, str]:
    """Tell forced fallback from a lane that is off: both are silent."""
    brake, switches = signs.brake, signs.switches
    if brake is not None and brake.since is not None and brake.proof is not Proof.CONTRADICTED:
        if brake.change == FORCE_FALLBACK:
            return LaneMode.FORCED_FALLBACK, "fallback was forced before"
        if brake.change == _LANE_OFF:
            return LaneMode.DISABLED, "the lane was switched off before"
    if switches is not None and signs.are_switches_read is not False:
        if switches.is_on(Switch.FORCED_FALLBACK):
            return LaneMode.FORCED_FALLBACK, "the env file forces fallback"
        if switches.is_on(Switch.LANE) is False:
            return LaneMode.DISABLED, "the env file has the lane off"
    if signs.had_session is False:
        return LaneMode.DISABLED, "the lane never had a session"
    return LaneMode.UNKNOWN, "forced fallback, or the lane is off"


def _by_switches(signs: LaneSigns) -> Belief:
    brake, switches = signs.brake, signs.switches
    if brake is not None and brake.needs_restart and brake.in_force_at is None:
        words = f"no effect seen; {brake.change.line} is written, and the gateway has not restarted"
        return Belief(LaneMode.UNKNOWN, words)
    if switches is None:
        return Belief(LaneMode.UNKNOWN, "no turn of coding intent seen in this epoch")
    if signs.are_switches_read is not True:
        read = (
            "was changed since the gateway booted"
            if signs.are_switches_read is False
            else ("may be younger than the gateway's boot")
        )
        return Belief(LaneMode.UNKNOWN, f"no effect seen, and the env file {read}")
    return Belief(_mode_of(switches), "no effect seen; so says the env file that it booted with")


def _mode_of(switches: Switches) -> LaneMode:
    """Return the mode of a gateway that has read these switches, in the order in which it asks."""
    if switches.is_on(Switch.FORCED_FALLBACK):
        return LaneMode.FORCED_FALLBACK
    lane = switches.is_on(Switch.LANE)
    if lane is None:  # the default differs from gateway to gateway
        return LaneMode.UNKNOWN
    if not lane:
        return LaneMode.DISABLED
    return LaneMode.SHADOW if switches.is_on(Switch.SHADOW) else LaneMode.DELEGATING
