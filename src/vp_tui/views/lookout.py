"""What the lookout judges: alarms, what nothing can be told of now, and what the auto-revert sees.

The auto-revert sees whether guardrail 3 is tripped, and what stands in its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import Looked
from vp_tui.domain.lane.auto_revert import UNREAD, Circumstances
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Switch
from vp_tui.domain.runs.alarms import OF_NO_SESSION, AlarmKey, PresentAlarm
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.state.sources import is_lost
from vp_tui.views.assessment import assess
from vp_tui.views.runs import is_told_by_rival, run_levels
from vp_tui.views.troubles import UNKNOWN
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.switches import Switches


_LANE_ALARMS: Final = ("guardrail tripped", UNKNOWN, "lane cannot start")

GATEWAY_LOST: Final = "gateway lost"
_ORDER: Final = (
    ("guardrail tripped",),
    ("brake contradicted",),
    ("lane cannot start",),
    ("stuck run", "deaf run", "lock held"),
    (GATEWAY_LOST,),
    (UNKNOWN,),
    ("lost run",),
)
"""Kinds of alarms, the gravest first, as the SAFETY line has them."""


@fact
def present_alarms(view: View) -> tuple[PresentAlarm, ...]:
    """Return what is wrong: stuck, deaf and lost runs, and what the SAFETY line has else."""
    return tuple(_present(view))


def _present(view: View) -> Iterator[PresentAlarm]:
    for alarm in assess(view).safety:
        if not alarm.head:
            key = AlarmKey(alarm.subject or f"{OF_NO_SESSION}{alarm.alarm}", alarm.alarm)
            yield PresentAlarm(key, alarm.reason, None)
    levels = run_levels(view)
    for session_id, told in levels.items():
        if is_told_by_rival(told, session_id, levels):
            continue
        if told.level is not None and told.level.is_alarm:
            yield PresentAlarm(AlarmKey(session_id, f"{told.level} run"), told.reason, told.since)


def unknown_subjects(view: View) -> frozenset[str]:
    """Return the subjects of which nothing can be told: of the lane, while the gateway is lost."""
    unknown = {session_id for session_id, told in run_levels(view).items() if told.level is None}
    if is_lost(view.state):
        unknown |= {f"{OF_NO_SESSION}{name}" for name in _LANE_ALARMS}
    return frozenset(unknown)


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


def circumstances(view: View) -> Circumstances:
    """Return what decides about the next step."""
    trip, mode = assess(view).wire.reason, view.state.watch.auto_revert
    if mode is RevertMode.OFF:
        return Circumstances(mode, trip)
    return Circumstances(mode, trip, _already(view), _obstacle(view))


def _already(view: View) -> str | None:
    """Say why there is nothing to force."""
    switches, brake = _switches(view), view.state.lane.brake
    if switches is not None and switches.is_on(Switch.FORCED_FALLBACK):
        return f"{Switch.FORCED_FALLBACK} is on already"
    if brake is not None and brake.change == FORCE_FALLBACK and brake.proof is not Proof.FAILED:
        return "fallback was forced already"
    return None


def _obstacle(view: View) -> str | None:
    """Say why this vp-tui cannot or must not force fallback."""
    watch = view.state.watch
    if watch.read_only:
        return "vp-tui is read-only"
    if watch.means is None or watch.means.is_manual(FORCE_FALLBACK):
        return "no actuator is configured"
    if watch.means.env_file is not None and (why := _why_no_effect(view)) is not None:
        return why
    if watch.auto_revert is not RevertMode.ARMED:
        return None
    return view.state.auto_revert.bar or _under_way(view)


def _why_no_effect(view: View) -> str | None:
    seen, switches = view.state.lane.switches, _switches(view)
    if seen is None:
        return UNREAD
    if switches is None:
        return f"the env file cannot be read: {seen.problem}"
    if Switch.FORCED_FALLBACK in switches.masked:
        return f"{Switch.FORCED_FALLBACK.mask} is on there"
    return None


def _under_way(view: View) -> str | None:
    """Say which order keeps another one from being carried out."""
    lane = view.state.lane
    if lane.brake is not None and lane.acted is None:
        return f"{lane.brake.change.words}: under way"
    if lane.restart is not None and lane.restarted is None:
        return "a restart is under way"
    return None


def _switches(view: View) -> Switches | None:
    return None if view.state.lane.switches is None else view.state.lane.switches.switches


def judged(view: View, *, reverts: bool = False) -> tuple[Event, ...]:
    """Return what a look judges; nothing before any source has answered or failed.

    `reverts` tells whether the auto-revert is stepped.
    """
    if not view.state.sources:
        return ()
    decides = circumstances(view) if reverts else None
    return (Looked(view.now, present_alarms(view), unknown_subjects(view), decides),)
