"""The triage of one run as lines: its turn, its logs, whom it blocks, and the next rung."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.runs.cancels import CancelState, steps
from vp_tui.domain.text import clock_time, short_id
from vp_tui.ui.lines.paint import Line, Span, cut, flow, join, paragraph, spread, width_of
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.triage import triage

if TYPE_CHECKING:
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.views.triage import Moment, Triage
    from vp_tui.views.view import View


ROOMY: Final = 10
"""Lines from which on each moment of the turn has a line of its own."""
MORE: Final = 2
"""Cells that are left for the sign that something is left out."""
COURSE_AT_LEAST: Final = 2
"""Lines of the turn's course that nothing takes from it."""
_SHORT: Final = {"active_runs 0": "runs 0", "a later turn completes": "later turn"}
"""Steps of a cancel where few words fit."""
_NEXT_STEP: Final = "ladder: "
_GAP: Final = "  "


def triage_lines(
    view: View,
    session_id: str,
    width: int,
    height: int,
    *,
    selected: str | None,
    is_beside: bool = False,
) -> list[Line]:
    """Return a title and at most `height` lines of `width` cells; `selected` has the cursor.

    What stands beside the runs is no triage: no key leaves it.
    """
    back = "" if is_beside else f"{key_of(view.state.watch, 'back')} back"
    seen = triage(view, session_id)
    if seen is None:
        gone = f"{session_id} is not listed any more: nothing is known of it now"
        title = _title(((short_id(session_id), "strong"),), back, width)
        return [title, *paragraph(gone, width, 0)[:height]]
    elsewhere, told = "", seen.row.level
    if selected != session_id:
        elsewhere = f" (the cursor is elsewhere: {key_of(view.state.watch, 'alarm')})"
    name: Span = (f"{short_id(session_id)}{elsewhere} ", "strong")
    level: Span = (f"{words.level(told)}: ", "bad" if seen.row.is_alarm else "plain")
    title = _title(join(name, level, told.reason), back, width)
    return [title, *_body(seen, view, width, height)]


def _title(about: Line, back: str, width: int) -> Line:
    name = "─TRIAGE " if back else "─RUN "
    left = cut(join((name, "strong"), about, " "), width - len(back) - 2)
    rule = "─" * max(width - width_of(left) - len(back) - 1, 0)
    return spread(join(left, (rule, "dim")), ((back, "dim"),), width)


def _body(seen: Triage, view: View, width: int, height: int) -> list[Line]:
    """Return the lines that fit: where there are few, what others tell too is left out."""
    is_roomy = height >= ROOMY
    is_told = seen.row.mission.is_certain and not is_roomy  # by the course
    logs = flow([_plain(log) for log in seen.logs], width, _GAP)
    course = [_moment(moment, view, width, is_roomy=is_roomy) for moment in seen.course]
    if not is_roomy:
        course = flow(course, width, _GAP)
    parts = {
        "logs": logs[:1],
        "blocks": [cut(_plain(seen.blocks), width)],
        "cancel": _cancel(seen.cancel, view, width, is_roomy=is_roomy),
        "mission": [] if is_told else [cut(_plain(seen.mission), width)],
        "other logs": logs[1:],
        "facts": flow([*map(_plain, (seen.queue, seen.viewers, seen.lane))], width),
    }
    next_step = [
        join((_NEXT_STEP if place == 0 else " " * len(_NEXT_STEP), "strong"), line)
        for place, line in enumerate(paragraph(seen.next_step, width - len(_NEXT_STEP), 0))
    ]
    at_least = min(len(course), COURSE_AT_LEAST)
    room = height - len(next_step) - at_least
    for name, lines in parts.items():
        parts[name] = lines[: max(room, 0)]
        room -= len(parts[name])
    shown = ("mission", "logs", "other logs", "facts", "blocks", "cancel")
    told = [line for name in shown for line in parts[name]]
    return [*_newest(course, width, at_least + max(room, 0)), *told, *next_step][:height]


def _plain(text: str) -> Line:
    return ((f" {text}", "plain"),)


def _newest(course: list[Line], width: int, room: int) -> list[Line]:
    """Return the turn's beginning and its newest lines, as many as there is room for."""
    if len(course) <= room:
        return course
    return [cut(join(course[0], (" …", "dim")), width), *course[len(course) - room + 1 :]]


def _moment(moment: Moment, view: View, width: int, *, is_roomy: bool) -> Line:
    at = "        " if moment.at is None else clock_time(view.wall_at(moment.at))
    lead = "" if moment.at is None and not is_roomy else f"{at} "
    text: Span = (moment.text, "warn" if moment.is_bad else "plain")
    return cut(join((f" {lead}", "dim"), text), width if is_roomy else width - MORE)


def _cancel(cancel: Cancel | None, view: View, width: int, *, is_roomy: bool) -> list[Line]:
    """Return how far a cancel has come: its steps, done or awaited; in one line where few fit."""
    if cancel is None:
        return []
    how = cancel.state(view.now)
    sent = clock_time(view.wall_at(cancel.at))
    said = str(how) if is_roomy or how is CancelState.UNCONFIRMED else sent
    parts: list[Line] = [join((" cancel ", "strong"), (said, "warn"))]
    for step in steps(cancel, view.now):
        at = "" if step.at is None else f" {clock_time(view.wall_at(step.at))}"
        mark: Span = ("·", "dim") if step.at is None else ("✓", "good")
        if is_roomy:
            parts.append(join(" ", mark, f" {step.name}{at}", (f" {step.detail}", "dim")))
        elif step.at != cancel.at:
            parts.append(join(mark, _SHORT.get(step.name, step.name)))
    return flow(parts, width, " ")[: None if is_roomy else 1]
