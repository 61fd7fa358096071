"""State -> what was done to the gateway, by whom, and what came of it.

From the cancels that are followed, others' too, from the lane's orders, and from the audit, which
knows what was done before this vp-tui was started. The audit is of all gateways: only what was done
here is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.domain.rollout.labels import moment
from vp_tui.domain.text import clock_z
from vp_tui.state.state import NO_AUDIT
from vp_tui.views import words
from vp_tui.views.figures import current_window, lane_log
from vp_tui.views.sources import on_its_clock, on_our_clock
from vp_tui.views.view import fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.state.state import Watch
    from vp_tui.views.view import View


LOOK_BACK: Final = timedelta(hours=12)
"""How far what was done is told where no window says it."""
_NO_DEEDS: Final = frozenset({"record", "acknowledge"})
"""What is audited and does nothing to the gateway: the log and the alarms have it."""
_NOT_NAMED: Final = ", on a gateway that its line in the audit does not name"
_SAME: Final = timedelta(seconds=5)
"""A cancel that is followed and its line in the audit are so close together at most."""


def line_of(action: ActionRecord) -> str:
    """Return the deed in a line."""
    reason = f" ({action.reason})" if action.reason else ""
    done = f"{clock_z(action.at)} {action.what} {action.target}"
    return f"{done} by {action.actor}{reason}: {action.result}"


def since(view: View, window: Window) -> datetime:
    """Return from when on something was done in a window.

    One that is not opened begins with the last row, or LOOK_BACK ago.
    """
    if window.opened_at is not None:
        return on_our_clock(view, window.opened_at)
    rows, wall = lane_log(view).rows, view.wall
    if not rows or (dated := moment(rows[-1])) is None:
        return wall - LOOK_BACK
    # The gateway's clock dates rows, ours the audit.
    last = on_our_clock(view, dated)
    return wall - LOOK_BACK if last > wall else last


@fact
def in_window(view: View) -> str:
    """Return how much was done in this window, "" while the audit is not read yet."""
    if (audit := view.state.audit) is None:
        return ""
    if audit.problem is not None:
        return "audit: cannot be read"
    begin = since(view, current_window(view))
    done = len(actions_taken(view, begin))
    later = (record for record in audit.records if record.at >= begin)
    refusals = (record for record in later if record.kind is ActionKind.REFUSED)
    refused = sum(_doubt(record, view) is not None for record in refusals)
    return f"audit: {done or 'none'} this window{f', {refused} refused' if refused else ''}"


def actions_taken(view: View, begin: datetime, *, in_row: bool = False) -> tuple[ActionRecord, ...]:
    """Return what was done from `begin` on, oldest first; what was refused is none of it.

    `begin` is of our own clock, and so are the moments, but for those `in_row`.
    """
    followed = [_of_cancel(cancel, view, in_row=in_row) for cancel in view.state.cancels]
    of_lane = list(_of_lane(view))
    audited = [_as_followed(action, of_lane) for action in _of_audit(view, begin, followed)]
    unaudited = [
        action for action in of_lane if not any(_is_same(action, other) for other in audited)
    ]
    known = [action for action in (*followed, *unaudited) if action.at >= begin]
    done = tuple(sorted((*known, *audited), key=lambda action: action.at))
    return tuple(d._replace(at=on_its_clock(view, d.at)) for d in done) if in_row else done


def _of_cancel(cancel: Cancel, view: View, *, in_row: bool) -> ActionRecord:
    return ActionRecord(
        at=view.wall_at(cancel.at),
        actor=cancel.who,
        what="cancel",
        target=cancel.session_id,
        reason=cancel.reason,
        steps=(),
        result=words.cancel_outcome(view, cancel, in_row=in_row),
    )


def _of_lane(view: View) -> Iterator[ActionRecord]:
    """Yield the change and the restart that are followed, as far as they are proven."""
    lane, url = view.state.lane, view.state.watch.url
    if (brake := lane.brake) is not None:
        at = view.wall_at(brake.asked_at)
        yield ActionRecord(at, lane.brake_by, brake.change.words, url, "", (), brake.outcome)
    if (restart := lane.restart) is not None:
        at = view.wall_at(restart.asked_at)
        yield ActionRecord(at, lane.restart_by, "restart", url, "", (), restart.outcome)


def _as_followed(action: ActionRecord, followed: list[ActionRecord]) -> ActionRecord:
    """Return an audited deed with what is known of it now: its line says what was done."""
    newest = next((other for other in followed if _is_same(action, other)), None)
    return action if newest is None else action._replace(result=newest.result)


def _of_audit(view: View, begin: datetime, followed: list[ActionRecord]) -> Iterator[ActionRecord]:
    """Yield what the audit tells besides."""
    records = (view.state.audit or NO_AUDIT).records
    for place, record in enumerate(records):
        doubt = _doubt(record, view)
        if not _is_action(record) or doubt is None or record.at < begin:
            continue
        if not any(_is_same(record, other) for other in followed):
            yield record._replace(result=f"{_result(record, records[place + 1 :])}{doubt}")


def is_deed(record: ActionRecord, watch: Watch) -> bool:
    """Tell whether it did something to this gateway and lane, by what its line names."""
    return _is_action(record) and _is_here(record, watch)


def _is_here(record: ActionRecord, watch: Watch) -> bool:
    """Tell whether a line names this gateway and lane; lines of before name the gateway's URL."""
    return record.vp_id == watch.vp_id and record.gateway in {watch.id or watch.url, watch.url}


def _is_action(record: ActionRecord) -> bool:
    is_deed = record.what not in _NO_DEEDS and record.kind is not ActionKind.REFUSED
    return is_deed and not record.kind.is_outcome


def _doubt(record: ActionRecord, view: View) -> str | None:
    """Say why an audited action may not be this gateway's and lane's; "": it is, None: it is not.

    A line of before names no gateway: its target has to be the gateway's own.
    """
    watch = view.state.watch
    if _is_here(record, watch):
        return ""
    if record.gateway or record.vp_id:
        return None
    cancelled = (cancel.session_id for cancel in view.state.cancels)
    if record.target in {*view.state.sessions, *view.state.runs, *cancelled, watch.url}:
        return ""
    return _NOT_NAMED if record.target in {watch.name, watch.vp_id} else None


def _result(record: ActionRecord, later: tuple[ActionRecord, ...]) -> str:
    """Return what a record came to: the last outcome before the same is done again."""
    result = record.result
    for other in later:
        if _order_of(other) == _order_of(record):
            if _is_action(other):
                break
            result = other.result if other.kind.is_outcome else result
    return result


def _order_of(record: ActionRecord) -> tuple[str, ...]:
    return record.what, record.target, record.actor, record.gateway, record.vp_id


def _is_same(one: ActionRecord, other: ActionRecord) -> bool:
    is_alike = (one.what, one.target, one.actor) == (other.what, other.target, other.actor)
    return is_alike and abs(one.at - other.at) <= _SAME
