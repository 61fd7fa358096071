"""How turns of coding intent were routed, as far as the streams show it.

Forced fallback, shadow mode and bootstrap failures make no mission, so the fallback rate cannot see
them. The streams can, for sessions that vp-tui is attached to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.intent import is_coding_intent

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect, Frame

DELEGATED: Final = frozenset({"delegated_to_coder_vp", "delegated_to_coder_vp_external"})
BOOTSTRAP: Final = "coder_vp_bootstrap_fallback"
SHADOW: Final = "coder_vp_shadow_mode"
LEASE_DEGRADED: Final = "coder_vp_lease_degraded"
FALLBACKS: Final = frozenset({"coder_vp_fallback", "coder_vp_exception", LEASE_DEGRADED})
"""Routings that, with a mission id, say that this mission fell back."""


class RoutingTally(NamedTuple):
    """Turns of coding intent seen on attached streams: `coding_turns == delegated + primary`."""

    coding_turns: int = 0
    delegated: int = 0
    primary: int = 0
    bootstrap: int = 0
    """Of the primary ones, those whose lane could not start."""
    shadow: int = 0
    """Of the primary ones, those that shadow mode kept."""
    unexplained: int = 0
    """Of the primary ones, those that no frame explains: forced fallback or a lane that is off."""
    lease_degraded: int = 0


def count_turn(
    tally: RoutingTally, processing: Frame, routing: str | None, dialect: Dialect | None
) -> RoutingTally:
    """Return the tally after a turn's first `processing` frame; `routing` came before it, if any.

    A turn that is first seen when it falls back had been delegated.
    """
    if processing.query is None or not is_coding_intent(processing.query, dialect or "G1"):
        return tally
    tally = tally._replace(coding_turns=tally.coding_turns + 1)
    if routing in DELEGATED or routing in FALLBACKS:
        return tally._replace(delegated=tally.delegated + 1)
    tally = tally._replace(primary=tally.primary + 1)
    if routing == BOOTSTRAP:
        return tally._replace(bootstrap=tally.bootstrap + 1)
    if routing == SHADOW:
        return tally._replace(shadow=tally.shadow + 1)
    return tally._replace(unexplained=tally.unexplained + 1)
