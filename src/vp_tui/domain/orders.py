"""What the operator can have done: an order each, as the dialog captured it.

What is only to be written into the audit is an order too, with nothing to carry out: an
ActionRecord.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.audit import ActionRecord

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.models import Dialect


class CancelRun(NamedTuple):
    """Cancel what a session runs."""

    session_id: str
    reason: str


class SetSwitch(NamedTuple):
    """Set a switch of the lane by the operator's actuator."""

    change: Change
    reason: str


class RestartGateway(NamedTuple):
    """Restart the gateway by the operator's command."""

    reason: str


class RunProbe(NamedTuple):
    """Run one coding prompt in a session of its own."""

    prompt: str
    dialect: Dialect | None
    reason: str = ""


class RingAlarms(NamedTuple):
    """Run the operator's command for alarms; it is not audited."""

    told: str
    """The command's last argument."""


LaneOrder = SetSwitch | RestartGateway | RunProbe
"""What the sources show the effect of, soon after."""
Work = CancelRun | LaneOrder
"""What is done to the gateway, once, and audited whatever comes of it."""
Order = Work | RingAlarms | ActionRecord
