"""What the auto-revert sees: whether guardrail 3 is tripped, and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.lane.auto_revert import UNREAD, Circumstances
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Switch, plan_for
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.views.assessment import assess

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Switches
    from vp_tui.views.view import View


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
    if watch.means is None or plan_for(FORCE_FALLBACK, watch.means).is_manual:
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
