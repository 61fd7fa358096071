"""State -> what mode the lane is believed to be in, and on what evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.brake import Dispatched, dispatched_in
from vp_tui.domain.events import Source
from vp_tui.domain.lane_mode import Belief, LaneSigns, believed_mode
from vp_tui.selectors import while_same

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.models import Snapshot
    from vp_tui.state import Lane, State


def lane_mode(state: State) -> Belief:
    """Return the mode that the evidence of this epoch speaks for."""
    metrics = state.sources.get(Source.METRICS)
    told_at = metrics.answered_at if metrics else None
    return _believed(state.lane, state.snapshot, told_at, state.boot_at)


@while_same
def _believed(
    lane: Lane, snapshot: Snapshot | None, told_at: float | None, boot_at: datetime | None
) -> Belief:
    newest = _newest_mission(snapshot, told_at, boot_at)
    seen = lane.switches
    signs = LaneSigns(
        turn=lane.coding,
        mission=None if newest is None else (newest.mission_id, newest.at),
        had_session=None if snapshot is None else snapshot.lane is not None,
        switches=seen.switches if seen else None,
        are_switches_read=_is_before(seen.changed_at if seen else None, boot_at),
        brake=lane.brake,
    )
    return believed_mode(signs)


def _newest_mission(
    snapshot: Snapshot | None, told_at: float | None, boot_at: datetime | None
) -> Dispatched | None:
    """Return the mission of this epoch that began last; None while the epoch is not known."""
    if snapshot is None or told_at is None or boot_at is None:
        return None
    up_s = (snapshot.generated_at - boot_at).total_seconds()
    of_epoch = [m for m in dispatched_in(snapshot, told_at) if m.at >= told_at - up_s]
    return max(of_epoch, key=lambda mission: mission.at, default=None)


def _is_before(at: datetime | None, boot_at: datetime | None) -> bool | None:
    return None if at is None or boot_at is None else at < boot_at
