"""What one turn proves about a switch, by how the gateway routes (the wire contract, section 11).

Forced fallback is asked first, then the lane's switch, then shadow mode, and only then is the lane
started. So whatever frame routes a turn proves that fallback is not forced and the lane is on; a
turn that stays on the primary path without a word was kept by one of these two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vp_tui.domain.switches import FORCE_FALLBACK, Change, Switch

if TYPE_CHECKING:
    from vp_tui.domain.completions import CompletedTurn
    from vp_tui.domain.models import Dialect

_SHADOW_ON: Final = Change(Switch.SHADOW, on=True)
_SHADOW_OFF: Final = Change(Switch.SHADOW, on=False)
_SILENCING: Final = frozenset({FORCE_FALLBACK, Change(Switch.LANE, on=False)})
"""Changes after which nothing is routed, and no frame says so."""


class Finding(StrEnum):
    """What a turn says about a change."""

    PROOF = "proof"
    AGAINST = "against"
    CONSISTENT = "consistent, not proof"


def wants_missions(change: Change) -> bool:
    """Tell whether a mission is what the change is made for, and not what it forbids."""
    return change not in _SILENCING and change != _SHADOW_ON


def judge(
    change: Change, turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool = False
) -> tuple[Finding, str]:
    """Return what a turn that began after the change says about it, and why in words.

    A silent turn proves a silencing change only if the metrics name no mission for it: that is for
    the caller to see. On G2 words that the contract does not list veto a delegation, so that of
    silent turns only vp-tui's own probe (`is_probe`) can prove anything.
    """
    words = _words(turn)
    if turn.routing is not None:
        return _judge_routed(change, turn), words
    if (doubt := _doubt(turn, dialect, is_probe=is_probe)) is not None:
        return Finding.CONSISTENT, doubt
    if change in _SILENCING:
        return Finding.PROOF, words
    if change.switch is Switch.SHADOW:
        return Finding.CONSISTENT, f"{words} without a word: forced fallback, or the lane is off"
    return Finding.AGAINST, words


def _judge_routed(change: Change, turn: CompletedTurn) -> Finding:
    if change in _SILENCING:
        return Finding.AGAINST
    if change == _SHADOW_ON:
        return Finding.PROOF if turn.is_shadowed else Finding.AGAINST
    if change == _SHADOW_OFF:
        return Finding.AGAINST if turn.is_shadowed else Finding.PROOF
    return Finding.PROOF


def _doubt(turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool) -> str | None:
    """Return why a silent turn proves nothing, None when it does."""
    whose = f"the turn of {turn.session_id}"
    if turn.query is None:
        return f"the prompt of {whose} was not heard"
    if dialect is None:
        return "the gateway's generation is not known, and so which prompts it delegates"
    if not turn.is_coding(dialect):
        return f"{whose} has no coding intent"
    if not turn.completed:
        return f"{whose} did not complete"
    if dialect == "G2" and not is_probe:
        return f"{whose} names the lane, but other words may have kept it: probe the lane"
    return None


def _words(turn: CompletedTurn) -> str:
    whose = f"a coding turn of {turn.session_id}"
    if turn.is_delegated:
        named = f" as mission {turn.mission_id}" if turn.mission_id else ""
        return f"{whose} was delegated{named}"
    if turn.is_shadowed:
        return f"{whose} was kept by shadow mode"
    if turn.is_unstartable:
        return f"{whose} was meant for the lane, which could not start"
    return f"{whose} stayed on the primary path"
