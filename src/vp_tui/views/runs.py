"""State + now -> the runs: a level and its reason for each session, and the rows they are shown in.

`now` is the monotonic clock in seconds. Shared by the screen, the assessment and `status`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.models import Source, StreamState
from vp_tui.domain.runs.levels import Level, RunLevel, began_at, levels
from vp_tui.domain.runs.progress import ListedRun, RunsContext
from vp_tui.domain.runs.run import Run, or_never
from vp_tui.domain.text import clock_z, figure
from vp_tui.state.operator import stuck_after_s
from vp_tui.state.sources import is_lost
from vp_tui.state.state import SourceStatus
from vp_tui.views.sources import sessions_listed, source_view
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from vp_tui.domain.missions import Ledger
    from vp_tui.domain.models import Mission, Session, Snapshot
    from vp_tui.domain.runs.turns import Turn
    from vp_tui.state.state import Link
    from vp_tui.views.sources import SourceView


RUNNING: Final = frozenset({Level.OK, Level.LONG, Level.QUIET, Level.QUEUED, Level.ORPHAN})
"""Levels of runs under way that are no alarm."""
_ON_DISK: Final = RunLevel(Level.IDLE, "only on disk")


class BelievedMission(NamedTuple):
    """The mission that a run is believed to be, and why."""

    mission_id: str | None
    why: str
    is_certain: bool = False


class RunRow(NamedTuple):
    """One session in the runs table. Durations in seconds."""

    session: Session
    run: Run
    level: RunLevel
    mission: BelievedMission
    link: Link | None
    running_s: float | None
    """Since it began, as `began_at` has it; of a run that went before, what is known at least."""
    tool_s: float | None
    ended: datetime | None
    other_viewers: int
    is_probe: bool = False
    """It was made by a probe of ours."""

    @property
    def turn(self) -> Turn:
        """The turn under way, or the last one seen."""
        return self.run.turn

    @property
    def silent_s(self) -> float | None:
        """Since the run was last seen to move."""
        return self.level.silent_s

    @property
    def is_alarm(self) -> bool:
        """Whether somebody has to look at it."""
        return self.level.level is not None and self.level.level.is_alarm

    @property
    def is_running(self) -> bool:
        """Whether a run is under way or hangs; one that nothing tells counts by the old listing."""
        if self.level.level is None:
            return self.session.is_running
        return self.is_alarm or self.level.level in RUNNING


def is_told_by_rival(told: RunLevel, session_id: str, levels: Mapping[str, RunLevel]) -> bool:
    """Tell whether a run that hangs is told with another, of which only one holds the lock."""
    hanging = [one for one in told.rivals if (level := levels[one].level) and level.is_stuck]
    return session_id in hanging[1:]


@fact
def are_runs_judged(view: View) -> bool:
    """Tell whether it is known that no run hung before vp-tui began to look, and all are listed."""
    is_current = source_view(view, Source.SESSIONS).is_current
    is_listed = is_current and not sessions_listed(view.state)
    return is_listed and not any(told.hinders_clean for told in run_levels(view).values())


@fact
def run_levels(view: View) -> Mapping[str, RunLevel]:
    """Return the level of each session that is listed, or was lost; the lane is none of them."""
    return levels(_seen(view), _scene(view))


def _seen(view: View) -> Iterator[ListedRun]:
    # A socket that seems open tells nothing while the gateway answers nothing at all.
    is_heard = not is_lost(view.state)
    for session_id, session in _sessions(view).items():
        if (run := view.state.runs.get(session_id)) is None:
            continue
        link, log = view.state.links.get(session_id), view.state.logs.get(session_id)
        is_live = is_heard and link is not None and link.is_live
        yield ListedRun(
            run,
            is_live=is_live,
            is_whole=is_live and link is not None and _is_whole(link, run),
            has_log=session.has_log or (log is not None and log.size > 0),
            log_at=view.state.logs_grown.get(session_id),
            mission_at=_linked_mission_at(view, session_id),
        )


def _is_whole(link: Link, run: Run) -> bool:
    """Tell whether each frame of the turn under way was heard: attached before it, none lost."""
    idle_at = or_never(run.idle_at)
    return link.since <= idle_at and or_never(link.gap_at) <= idle_at


def _sessions(view: View) -> dict[str, Session]:
    known = {**view.state.lost, **view.state.sessions}
    known.pop(view.state.lane_log_id, None)
    return known


def _scene(view: View) -> RunsContext:
    return RunsContext(
        now=view.now,
        has_lock=view.state.dialect == "G1",
        is_heard=not view.state.watch.no_streams,
        stuck_after_s=stuck_after_s(view.state),
        lane_log_at=view.state.logs_grown.get(view.state.lane_log_id),
        finished_at=on_our_clock(view, view.same(_last_end, view.state.snapshot)),
        has_mission=_running_mission(view) is not None,
        mission_at=_mission_began_at(view),
        listed_at=view.state.sources.get(Source.SESSIONS, SourceStatus()).answered_at,
        doubt=_doubt(source_view(view, Source.SESSIONS), view),
    )


def _doubt(listing: SourceView, view: View) -> str | None:
    """Say how old the listing is, when it is not current."""
    if listing.is_current:
        return None
    if listing.age_s is None:
        return "no list of sessions yet"
    status = view.state.sources[Source.SESSIONS]
    seen = view.wall_at(status.answered_at or 0.0)
    return f"the list of sessions is {listing.word}, last seen {clock_z(seen)}"


@fact
def finished_at(view: View) -> float | None:
    """Return when a mission last finished that nobody cancelled, on the monotonic clock."""
    return on_our_clock(view, view.same(_last_finish, view.state.snapshot, view.state.ledger))


def on_our_clock(view: View, at: datetime | None) -> float | None:
    """Return when a moment of the newest metrics was on the monotonic clock."""
    told_at = view.state.sources.get(Source.METRICS, SourceStatus()).answered_at
    if at is None or told_at is None or view.state.snapshot is None:
        return None
    return told_at - (view.state.snapshot.generated_at - at).total_seconds()


def _last_end(snapshot: Snapshot | None) -> datetime | None:
    """Return when a mission last ended, by the gateway's clock."""
    return _newest(snapshot.missions if snapshot else ())


def _last_finish(snapshot: Snapshot | None, ledger: Ledger) -> datetime | None:
    """Return when a mission last ended that nobody cancelled, by the gateway's clock."""
    by_hand = {mission_id for mission_id, entry in ledger.entries.items() if entry.cancelled}
    missions = snapshot.missions if snapshot else ()
    return _newest(mission for mission in missions if mission.mission_id not in by_hand)


def _newest(missions: Iterable[Mission]) -> datetime | None:
    return max((m.completed_at for m in missions if m.completed_at is not None), default=None)


@fact
def _running_mission(view: View) -> str | None:
    """Return the mission that may be under way on G1: the newest that reads `running`.

    One that a cancelled or ended turn was, or that was given up, is none: it reads so for ever.
    """
    if view.state.snapshot is None or view.state.dialect != "G1":
        return None
    newest = view.same(_newest_running, view.state.snapshot)
    over = any(
        (run.turn.ended_at is not None and run.turn.mission_id == newest)
        or (run.cancel is not None and run.cancel.turn.mission_id == newest)
        for run in view.state.runs.values()
    )
    return None if over or newest in view.state.ledger.given_up else newest


def _newest_running(snapshot: Snapshot) -> str | None:
    """Return row 0's mission if it reads `running`: an older row that does is none (fact 11)."""
    newest = snapshot.missions[0] if snapshot.missions else None
    return newest.mission_id if newest is not None and newest.status == "running" else None


def _mission_began_at(view: View) -> float | None:
    """Return when the mission that may be under way began, on the monotonic clock."""
    if _running_mission(view) is None or view.state.snapshot is None:
        return None
    return on_our_clock(view, view.state.snapshot.missions[0].started_at)


def believed_mission(view: View, run: Run, level: RunLevel) -> BelievedMission:
    """Return the mission that a run is believed to be, and why.

    The stream names it for certain, at dispatch. On G1 a run whose beginning nobody saw may be the
    only mission that can be under way, while it has the lock: a guess.
    """
    turn = run.turn
    if run.is_open and turn.ended_at is not None:
        return BelievedMission(None, "unknown: its turn has said nothing yet")
    if turn.mission_id is not None:
        return BelievedMission(turn.mission_id, "live frame: certain", is_certain=True)
    if not run.is_open and run.pending is None:
        return BelievedMission(None, "no run")
    if (linked := _linked_mission(view, run.session_id)) is not None:
        return BelievedMission(linked, "the gateway names this session for it", is_certain=True)
    return _guessed(view, turn, level)


def certain_mission(view: View, session_id: str) -> str | None:
    """Return the mission that a session's run certainly is; None where that is a guess."""
    row = next((row for row in run_rows(view) if row.session.session_id == session_id), None)
    if row is None:
        return None
    holds = row.level.holds_lock and not row.level.is_guess and not row.level.rivals
    return row.mission.mission_id if row.mission.is_certain or holds else None


def _guessed(view: View, turn: Turn, level: RunLevel) -> BelievedMission:
    """Return the mission of a run whose beginning nobody saw, if it can be any."""
    if turn.query is not None or turn.routing is not None:
        return BelievedMission(None, "the turn was not delegated")
    mission_id = _running_mission(view) if level.holds_lock else None
    if mission_id is None:
        return BelievedMission(None, "unknown: nobody saw the turn begin")
    return BelievedMission(
        mission_id, "a guess: the only mission that can run, and this run has the lock"
    )


def _linked_mission_at(view: View, session_id: str) -> float | None:
    """Return when the mission began that a G2 links to this session, on the monotonic clock."""
    linked = _linked_mission(view, session_id)
    entry = None if linked is None else view.state.ledger.entries.get(linked)
    return None if entry is None else on_our_clock(view, entry.mission.started_at)


def _linked_mission(view: View, session_id: str) -> str | None:
    """Return the newest running mission that a G2 says this session asked for."""
    claims, snapshot = view.state.claims, view.state.snapshot
    if claims is None or snapshot is None:
        return None
    running = (m.mission_id for m in snapshot.missions if m.status == "running")
    linked = (m for m in running if (c := claims.missions.get(m)) and c.session_id == session_id)
    return next(linked, None)


@fact
def run_rows(view: View, matching: str = "") -> tuple[RunRow, ...]:
    """Return the sessions in memory: those that hang, other alarms, those that run, then by id.

    Victims are the last of those that run: their holder stands above them.
    The lane is not one of them. `matching` keeps the rows whose id, description, query or tool
    contain it, whatever the case.
    """
    found = run_levels(view)
    rows = [
        _run_row(view, session, found.get(session_id, _ON_DISK))
        for session_id, session in _sessions(view).items()
        if session.in_memory or session_id in view.state.links or _is_told(found.get(session_id))
    ]
    wanted = matching.casefold()
    kept = [row for row in rows if not wanted or wanted in _run_text(row)]
    return tuple(sorted(kept, key=_order))


def _order(row: RunRow) -> tuple[bool, bool, bool, bool, str]:
    level = row.level.level
    is_stuck, is_victim = level is not None and level.is_stuck, level is Level.QUEUED
    return not row.is_alarm, not is_stuck, not row.is_running, is_victim, row.session.session_id


@fact
def other_viewers(view: View) -> str:
    """Return how many others watch here, "" while no current list says it.

    Only sockets are counted, session by session: who watches two of them may be one or two.
    """
    if not source_view(view, Source.SESSIONS).is_current:
        return ""
    found = [row.other_viewers for row in run_rows(view)]
    fewest, most = max(found, default=0), sum(found)
    return f"other viewers: {figure(fewest)}{f' to {figure(most)}' if most > fewest else ''}"


def _is_told(level: RunLevel | None) -> bool:
    """Tell whether a session that is no longer in memory is shown all the same."""
    return level is not None and level.level not in {None, Level.IDLE}


def _run_row(view: View, session: Session, level: RunLevel) -> RunRow:
    run = view.state.runs.get(session.session_id) or Run(session.session_id)
    link = view.state.links.get(session.session_id)
    attached = link is not None and link.state is StreamState.LIVE
    ended_at, probe = run.turn.ended_at, view.state.lane.probe
    is_newest_probe = probe is not None and probe.session_id == session.session_id
    if level.silent_s is None and run.progress_at is not None:
        level = level._replace(silent_s=_since(run.progress_at, view.now))
    return RunRow(
        session=session,
        run=run,
        level=level,
        mission=believed_mission(view, run, level),
        link=link,
        running_s=_since(began_at(run), view.now) if level.age_s is None else level.age_s,
        tool_s=_since(run.turn.open_tools[-1].at if run.turn.open_tools else None, view.now),
        ended=None if ended_at is None else view.wall_at(ended_at),
        other_viewers=max(session.active_connections - attached, 0),
        is_probe=is_newest_probe or run.turn.mission_id in view.state.lane.probe_missions,
    )


def _since(at: float | None, now: float) -> float | None:
    return None if at is None else max(now - at, 0.0)


def _run_text(row: RunRow) -> str:
    turn = row.turn
    parts = (row.session.session_id, row.session.description, turn.query, turn.tool)
    return " ".join(part for part in parts if part).casefold()
