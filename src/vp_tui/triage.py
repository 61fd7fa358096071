"""State + now -> one run looked at closely, in words: shared by screen and incident summary.

What is not known is said to be unknown; what is believed is said to be a belief, and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.durations import age
from vp_tui.domain.events import Source
from vp_tui.domain.levels import Level
from vp_tui.ladder import next_rung, what_it_blocks
from vp_tui.selectors import short_id
from vp_tui.sources import log_view, source_view
from vp_tui.state import GROWTH_LIMIT
from vp_tui.targets import row_of_session
from vp_tui.timeline import course, short_mission

if TYPE_CHECKING:
    from vp_tui.domain.cancels import Cancel
    from vp_tui.fleet import RunRow
    from vp_tui.state import LogTail, State
    from vp_tui.timeline import Moment


class Triage(NamedTuple):
    """One run looked at closely."""

    row: RunRow
    course: tuple[Moment, ...]
    logs: tuple[str, ...]
    """Its own log first, where that is known."""
    log_id: str
    """The log that is the run's, as far as is known."""
    mission: str
    queue: str
    """Who waits behind it, or behind whom it waits."""
    viewers: str
    lane: str
    blocks: str
    cancel: Cancel | None
    """The newest cancel of the session that is not over."""
    ladder: str


def triage(state: State, now: float, session_id: str) -> Triage | None:
    """Return the session's run looked at closely, None when it is not listed."""
    row = row_of_session(state, now, session_id)
    if row is None:
        return None
    cancels = (c for c in reversed(state.cancels) if c.session_id == session_id and not c.is_over)
    return Triage(
        row=row,
        course=course(row, now),
        logs=_logs(state, row, now),
        log_id=log_of(state, row),
        mission=_mission(state, row),
        queue=_queue(state, row),
        viewers=_viewers(state, row, now),
        lane=_lane(state, now),
        blocks=what_it_blocks(state, row),
        cancel=next(cancels, None),
        ladder=next_rung(state, row, now),
    )


def is_on_lane(row: RunRow) -> bool:
    """Tell whether the run is known, or believed, to be the one that the lane works for."""
    return row.level.owns_lane or (row.run.is_open and row.run.is_on_lane)


def log_of(state: State, row: RunRow) -> str:
    """Return the id of the log that the run writes: a delegated one writes the lane's."""
    return state.lane_log_id if is_on_lane(row) else row.session.session_id


def _logs(state: State, row: RunRow, now: float) -> tuple[str, ...]:
    since = _since(row)
    lane = f"lane log {_growth(state, state.lane_log_id, since, now)}"
    own = f"session log {_growth(state, row.session.session_id, since, now)}"
    if is_on_lane(row):
        why = "a delegated run logs to the lane"
        if not row.run.is_on_lane:
            why = "if delegated, it logs to the lane"
        return lane, f"{own} ({why})"
    if row.level.level is Level.QUEUED:
        return own, f"{lane} (not this run's: it waits)"
    if row.run.is_open and row.turn.query is None and row.turn.routing is None:
        return lane, f"{own} (which of them is its own is unknown)"
    return own, f"{lane} (not this run's)"


def _since(row: RunRow) -> float | None:
    """Return since when the growth of a log matters: its silence, its cancel, else its turn."""
    level, run = row.level, row.run
    if level.level in {Level.STUCK, Level.QUIET, Level.DEAF, Level.ORPHAN, Level.LOST}:
        return level.since
    return run.running_since if run.turn.started_at is None else run.turn.started_at


def _growth(state: State, log_id: str, since: float | None, now: float) -> str:
    log, view = state.logs.get(log_id), log_view(state, log_id, now)
    if log is None:
        return f"unknown: {view.failure.reason}" if view.failure else "not read yet"
    if not log.lines and not log.size:
        return "none"
    old = "" if view.is_current else f" ({view.word})"
    return f"{_lines_since(log, since, now)}{old}"


def _lines_since(log: LogTail, since: float | None, now: float) -> str:
    """Return how many lines came, no further back than the log was watched."""
    begun = log.read_since or 0.0
    start = begun if since is None else max(since, begun)
    lines = sum(grown.lines for grown in log.growth if grown.at > start)
    is_all = len(log.growth) < GROWTH_LIMIT or log.growth[0].at <= start
    before = " (before: unknown)" if since is not None and since < begun else ""
    more = "" if is_all else " or more"
    return f"+{lines}{more} lines in {age(max(now - start, 0.0))}{before}"


def _mission(state: State, row: RunRow) -> str:
    belief = row.mission
    if belief.mission_id is None:
        unknown = belief.why.startswith("unknown")
        return f"mission {belief.why}" if unknown else f"mission none: {belief.why}"
    entry = state.ledger.entries.get(belief.mission_id)
    status = f" reads {entry.mission.status}" if entry else " is in no answer yet"
    sure = "" if belief.is_certain else "?"
    return f"mission {short_mission(belief.mission_id)}{sure}{status} ({belief.why})"


def _queue(state: State, row: RunRow) -> str:
    level = row.level
    guess = " (a guess)" if level.is_guess else ""
    if level.level is None:
        return "who waits is unknown"
    if level.blocker is not None:
        hangs = ", which hangs" if level.blocker_hangs else ""
        return f"waits behind {short_id(level.blocker)}{hangs}{guess}"
    if level.waiting:
        names = ", ".join(short_id(session_id) for session_id in level.waiting)
        verb = "waits" if len(level.waiting) == 1 else "wait"
        return f"{len(level.waiting)} {verb} behind it{guess}: {names}"
    if state.dialect is None:
        return "who waits is unknown"
    return "nobody waits behind it"


def _viewers(state: State, row: RunRow, now: float) -> str:
    listing = source_view(state, Source.SESSIONS, now)
    if not listing.is_current:
        return f"other viewers unknown (list {listing.word})"
    number = row.other_viewers
    return f"{number} other viewer{'s' * (number > 1)}" if number else "no other viewer"


def _lane(state: State, now: float) -> str:
    """Say what the metrics tell of the lane's own session."""
    if state.snapshot is None:
        return "lane session unknown"
    view = source_view(state, Source.METRICS, now)
    old = "" if view.is_current else f" ({view.word})"
    lane = state.snapshot.lane
    if lane is None:
        return f"lane session none: nothing was ever delegated{old}"
    error = lane.stale_reason or lane.last_error
    return f"lane session {lane.status}{f': {error}' if error else ''}{old}"
