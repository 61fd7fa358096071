"""State + now -> the alarm to look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.alarms import look
from vp_tui.fleet import run_levels

if TYPE_CHECKING:
    from vp_tui.domain.alarms import Present
    from vp_tui.state import State

GATEWAY_LOST: Final = "gateway lost"
_ORDER: Final = (
    ("guardrail tripped",),
    ("brake contradicted",),
    ("stuck run", "deaf run"),
    (GATEWAY_LOST,),
    ("blind rate",),
    ("lost run",),
)
"""Kinds of alarms, the gravest first, as the SAFETY line has them."""


def gravest(state: State, now: float) -> Present | None:
    """Return what is wrong at `now` and worst; what somebody has seen already comes after that.

    Of runs that hang the one comes first that keeps most others waiting.
    """
    seen = {alarm.key for alarm in state.alarms if alarm.acknowledged is not None}
    levels = run_levels(state, now)

    def order(present: Present) -> tuple[bool, int, int, str]:
        key = present.key
        rank = next((n for n, kinds in enumerate(_ORDER) if key.kind in kinds), len(_ORDER))
        level = levels.get(key.subject)
        return (key in seen, rank, -len(level.waiting) if level else 0, key.subject)

    return min(look(state, now).present, key=order, default=None)
