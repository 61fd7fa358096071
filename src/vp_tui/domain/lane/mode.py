"""What mode the lane is believed to be in, and on what evidence.

No answer of the gateway says it. The newest effect that was seen in this epoch decides: a lane that
could not start cannot until a later turn is delegated. Without an effect the env file tells what is
to be expected, if this gateway has read it, and proves nothing, least of all that turns are
delegated.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.lane.switch_proof import STAMP_SLACK_S, Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change, Switch
from vp_tui.domain.lane.turn_proof import how_it_went

if TYPE_CHECKING:
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.lane.switches import Switches
    from vp_tui.domain.lane.turn_proof import CompletedTurn


class LaneMode(StrEnum):
    """What the gateway does with turns of coding intent."""

    DELEGATING = "delegating"
    SHADOW = "shadow"
    FORCED_FALLBACK = "forced_fallback"
    DISABLED = "disabled"
    CANNOT_START = "cannot_start"
    """It is meant to get turns, and fails before it makes a mission of one."""
    UNKNOWN = "unknown"


class LaneStart(NamedTuple):
    """A turn that the lane was to have, when its routing was heard."""

    session_id: str
    at: float
    has_started: bool
    """The lane took it, if only to fail; else it could not start."""


class Belief(NamedTuple):
    """A mode, what speaks for it, and what it may be wrong about."""

    mode: LaneMode
    evidence: str
    at: float | None = None
    """When the effect was seen that it rests on; None: it rests on no effect."""
    doubt: str = ""
    """Why it may be otherwise, in words."""


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
    start: LaneStart | None = None
    """The newest turn that the lane was to have, also while it goes on."""


def believed_mode(signs: LaneSigns) -> Belief:
    """Return the mode that the evidence speaks for; what is from before the last change is out."""
    brake, turn, mission = signs.brake, signs.turn, signs.mission
    since = -inf if brake is None or brake.since is None else brake.since
    if turn is not None and (turn.began_at is None or turn.began_at < since):
        turn = None
    if mission is not None and mission[1] - STAMP_SLACK_S < since:
        mission = None
    start = signs.start if signs.start is not None and signs.start.at >= since else None
    if (belief := _by_start(start, mission, turn)) is not None:
        return belief
    if turn is not None and (mission is None or turn.ended_at >= mission[1]):
        return _by_turn(turn, signs)
    if mission is not None:
        named, at = mission
        return Belief(LaneMode.DELEGATING, f"mission {named} was dispatched", at)
    return _by_switches(signs)


def _by_start(
    start: LaneStart | None, mission: tuple[str, float] | None, turn: CompletedTurn | None
) -> Belief | None:
    """Return what the newest try to start the lane says; None: what else was seen is newer.

    A lane that could not start is believed to be able to only by a turn that it got since.
    """
    if start is None:
        return None
    if not start.has_started:
        if mission is not None and mission[1] > start.at:
            return None
        words = f"a coding turn of {start.session_id} was meant for the lane, which could not start"
        doubt = "whether it can by now shows only when a turn is delegated"
        return Belief(LaneMode.CANNOT_START, words, start.at, doubt)
    if start.at < max(mission[1] if mission else -inf, turn.ended_at if turn else -inf):
        return None
    return Belief(
        LaneMode.DELEGATING, f"a coding turn of {start.session_id} was delegated", start.at
    )


def _by_turn(turn: CompletedTurn, signs: LaneSigns) -> Belief:
    words = how_it_went(turn)
    if turn.is_unstartable:
        return Belief(LaneMode.CANNOT_START, words, turn.ended_at)
    if turn.is_delegated:
        return Belief(LaneMode.DELEGATING, words, turn.ended_at)
    if turn.is_shadowed:
        return Belief(LaneMode.SHADOW, words, turn.ended_at)
    mode, why = mode_by_silence(signs)
    doubt = "forced fallback and a lane that is off look alike: neither says a word"
    return Belief(mode, f"{words} without a word; {why}", turn.ended_at, doubt)


def mode_by_silence(signs: LaneSigns) -> tuple[LaneMode, str]:
    """Tell forced fallback from a lane that is off: both are silent."""
    brake, switches = signs.brake, signs.switches
    if brake is not None and brake.since is not None and brake.proof is not Proof.CONTRADICTED:
        if brake.change == FORCE_FALLBACK:
            return LaneMode.FORCED_FALLBACK, "fallback was forced before"
        if brake.change == Change(Switch.LANE, on=False):
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
    brake, switches, is_read = signs.brake, signs.switches, signs.are_switches_read
    if brake is not None and brake.needs_restart and brake.in_force_at is None:
        why = f"no effect seen; {brake.change.line} is written, and the gateway has not restarted"
    elif switches is None:
        why = "no turn of coding intent seen in this epoch"
    elif is_read is None:
        why = "no effect seen, and the env file may be younger than the gateway's boot"
    elif not is_read:
        why = "no effect seen, and the env file was changed since the gateway booted"
    else:
        mode, doubt = _mode_of(switches), "no turn has shown it: an env file is no proof"
        if mode is not LaneMode.UNKNOWN:
            why = "no effect seen; so says the env file that it booted with"
            return Belief(mode, why, doubt=doubt)
        why = "no effect seen; by the env file that it booted with turns may be delegated"
        return Belief(LaneMode.UNKNOWN, why, doubt=doubt)
    return Belief(LaneMode.UNKNOWN, why)


def _mode_of(switches: Switches) -> LaneMode:
    """Return the mode of a gateway that has read these switches, in the order in which it asks.

    That the lane is on says nothing of whether it can start, so that it is no delegating.
    """
    if switches.is_on(Switch.FORCED_FALLBACK):
        return LaneMode.FORCED_FALLBACK
    lane = switches.is_on(Switch.LANE)
    if lane is None:  # the default differs from gateway to gateway
        return LaneMode.UNKNOWN
    if not lane:
        return LaneMode.DISABLED
    return LaneMode.SHADOW if switches.is_on(Switch.SHADOW) else LaneMode.UNKNOWN
