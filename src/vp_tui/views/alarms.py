"""State + now -> what alarms are raised for, of what nothing can be told now, and the gravest.

It is looked for once a second, whatever the screen shows; each alarm rings once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.runs.alarms import OF_NO_SESSION, AlarmKey, PresentAlarm
from vp_tui.state.rules.sources import is_lost
from vp_tui.views.assessment import assess
from vp_tui.views.runs import run_levels
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterator


_LANE_ALARMS: Final = ("guardrail tripped", "blind rate")

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


@fact
def present_alarms(view: View) -> tuple[PresentAlarm, ...]:
    """Return what is wrong: stuck, deaf and lost runs, and what the SAFETY line has else."""
    return (*_of_the_lane(view), *_of_the_runs(view))


def unknown_subjects(view: View) -> frozenset[str]:
    """Return the subjects of which nothing can be told: of the lane, while the gateway is lost."""
    unknown = {session_id for session_id, told in run_levels(view).items() if told.level is None}
    if is_lost(view.state):
        unknown |= {f"{OF_NO_SESSION}{name}" for name in _LANE_ALARMS}
    return frozenset(unknown)


def _of_the_lane(view: View) -> Iterator[PresentAlarm]:
    for alarm in assess(view).safety:
        if not alarm.head:
            key = AlarmKey(alarm.subject or f"{OF_NO_SESSION}{alarm.alarm}", alarm.alarm)
            yield PresentAlarm(key, alarm.reason, None)


def _of_the_runs(view: View) -> Iterator[PresentAlarm]:
    for session_id, told in run_levels(view).items():
        if told.level is not None and told.level.is_alarm:
            yield PresentAlarm(AlarmKey(session_id, f"{told.level} run"), told.reason, told.since)


def worst_alarm(view: View) -> PresentAlarm | None:
    """Return what is wrong at `now` and worst; what somebody has seen already comes after that.

    Of runs that hang the one comes first that keeps most others waiting.
    """
    seen = {alarm.key for alarm in view.state.alarms if alarm.acknowledged is not None}
    levels = run_levels(view)

    def order(present: PresentAlarm) -> tuple[bool, int, int, str]:
        key = present.key
        rank = next((n for n, kinds in enumerate(_ORDER) if key.kind in kinds), len(_ORDER))
        level = levels.get(key.subject)
        return (key in seen, rank, -len(level.waiting) if level else 0, key.subject)

    return min(present_alarms(view), key=order, default=None)
