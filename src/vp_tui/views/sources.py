"""How far each source may be trusted now: live, stale, down, unauthorized, or nothing yet."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from vp_tui.domain.models import Failure, Plane, Snapshot, Source, StreamState
from vp_tui.domain.text import COUNTABLE, FIGURE_WIDTH, clip, counted, figure, later
from vp_tui.state.sources import is_lost
from vp_tui.state.state import Entry, Link, SourceStatus, State
from vp_tui.state.streams import is_late
from vp_tui.views.actions import key_of
from vp_tui.views.view import View, fact

CLOCKS_AGREE: Final = timedelta(minutes=2)
"""Two clocks that are so near to each other are one."""


class SourceWord(StrEnum):
    """How far a source's data may be trusted now, from good to grave."""

    LIVE = "live"
    IDLE = "idle"
    """Nothing asked yet, or nothing to ask."""
    STALE = "stale"
    DOWN = "down"
    UNAUTHORIZED = "unauthorized"


class SourceView(NamedTuple):
    """One source: its state, and the age of its newest data in seconds (None: no data)."""

    name: str
    word: SourceWord
    age_s: float | None
    is_fresh: bool
    """Whether the newest data is at most two intervals old, wherever it came from.

    Of a source that answers slowly, two of the times between its answers.
    """
    plane: Plane
    failure: Failure | None = None
    is_old: bool = False
    """Whether it answers, but with content that was old already when it arrived."""

    @property
    def has_substitute(self) -> bool:
        """The plane asked first refuses, and another one answers instead."""
        refused = self.word is SourceWord.UNAUTHORIZED
        return refused and self.is_fresh and self.plane is not Plane.OPS

    @property
    def is_current(self) -> bool:
        """Whether the data may be taken for what is so now."""
        return self.word is SourceWord.LIVE or self.has_substitute


class StreamsView(NamedTuple):
    """All sockets together."""

    word: SourceWord
    live: int
    wanted: int
    age_s: float | None
    reason: str


@fact
def source_view(view: View, source: Source) -> SourceView:
    """Return the state of a polled source."""
    return _source_view(view, source, str(source), view.state.sources.get(source))


@fact
def log_view(view: View, log_id: str) -> SourceView:
    """Return the state of one tailed log."""
    return _source_view(view, Source.LOG, log_id, view.state.log_sources.get(log_id))


def _source_view(view: View, source: Source, name: str, known: SourceStatus | None) -> SourceView:
    status, interval_s = known or SourceStatus(), view.state.watch.intervals[source]
    age_s = None if status.answered_at is None else max(view.now - status.answered_at, 0.0)
    was_late = is_late(status, view.now, interval_s * view.state.poll_factor)
    is_old = status.old_s > 0.0
    is_fresh = not (age_s is None or was_late or is_old or is_lost(view.state))
    word = _word(status, is_fresh=is_fresh)
    return SourceView(name, word, age_s, is_fresh, status.plane, status.failure, is_old)


def _word(status: SourceStatus, *, is_fresh: bool) -> SourceWord:
    if status.failure is not None:
        return SourceWord.UNAUTHORIZED if status.failure.unauthorized else SourceWord.DOWN
    if status.answered_at is None:
        return SourceWord.IDLE
    return SourceWord.LIVE if is_fresh else SourceWord.STALE


MOST_TOLD: Final = 3
"""Of what cannot be: what else there is is counted."""


class Trouble(NamedTuple):
    """One reason not to take the screen at its word, and what helps."""

    what: str
    reason: str
    cure: str
    is_grave: bool = True

    @property
    def told(self) -> str:
        """What it is, and why."""
        return f"{self.what}: {self.reason}" if self.reason else self.what


def impossible_counts(snapshot: Snapshot) -> str:
    """Say which of the reported counts cannot be; "" where all can."""
    told, listed = snapshot.fallback, len(snapshot.missions) + snapshot.odd_missions
    found = [
        f"{_cut(count)} missions {status}"
        for status, count in snapshot.mission_counts.items()
        if not 0 <= count <= snapshot.mission_limit
    ]
    found += [
        f"{_cut(count)} {what}"
        for what, count in {"timed": snapshot.latency.count, **snapshot.event_counts}.items()
        if not 0 <= count <= max(snapshot.mission_limit, snapshot.event_limit)
    ]
    if not 0 <= told.with_fallback <= told.considered <= max(snapshot.mission_limit, listed):
        found.append(f"{_cut(told.with_fallback)} of {_cut(told.considered)} fell back")
    elif told.rate is None:
        found.append("a fallback rate that is no number")
    elif not 0.0 <= told.rate <= 1.0:
        found.append(f"a fallback rate of {told.rate:g}")
    return _first_of(found)


def _cut(number: int) -> str:
    """Return a number that cannot be as it was told, its end left out where it is long."""
    return clip(str(number), FIGURE_WIDTH)


def _first_of(found: list[str]) -> str:
    more = [f"{len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    return ", ".join([*found[:MOST_TOLD], *more])


def sessions_listed(state: State) -> str:
    """Return how many of the sessions are listed, `1,000 of 1,206`; "" where all are."""
    listed, total = len(state.sessions), state.sessions_total
    return "" if 0 <= total <= listed else f"{listed:,} of {figure(total, ',')}"


def oddities(view: View) -> Iterator[Trouble]:
    """Yield what was left out of answers, and numbers that cannot be."""
    state, taken, see = view.state, view.state.snapshot, see_sources(view)
    ours = f"{see}; is this the gateway's version?"
    if listed := sessions_listed(state):
        odd = f", {counted(state.sessions_odd, 'odd session')} left out" * bool(state.sessions_odd)
        told = f"{listed}{odd}: a run may be among the others"
        yield Trouble("not all sessions listed", told, ours if odd else see)
    if taken is None:
        return
    if taken.odd_missions:
        what = f"{counted(taken.odd_missions, 'odd mission')} left out"
        yield Trouble(what, "how they did cannot be read", ours)
    if odd_items := taken.odd_items + (state.claims.odd if state.claims else 0):
        what = f"{counted(odd_items, 'odd item')} left out"
        told = "events, counts, claims or the lane's row that cannot be read, or missions twice"
        yield Trouble(what, told, ours, is_grave=False)
    if taken.odd_durations:
        yield Trouble(
            counted(taken.odd_durations, "odd duration"),
            "negative, endless or longer than the lane has lived",
            "left out of every p95; is the gateway's clock right?",
            is_grave=False,
        )
    for impossible in filter(None, (impossible_counts(taken), impossible_sessions(view))):
        yield Trouble("impossible counts reported", impossible, see)


def impossible_sessions(view: View) -> str:
    """Say which of the listed sessions' counts cannot be; "" where all can."""
    found = [
        f"{_cut(number)} {what} of {session.session_id}"
        for session in view.state.sessions.values()
        for what, number in (
            ("runs", session.active_runs),
            ("viewers", session.active_connections),
            ("frames", session.last_event_seq),
        )
        if not 0 <= number < COUNTABLE
    ]
    return _first_of(found)


@fact
def streams_view(view: View) -> StreamsView:
    """Return the state of all sockets together: live only when every wanted one is."""
    links = [link for link in view.state.links.values() if link.state is not StreamState.GONE]
    live = sum(link.state is StreamState.LIVE for link in links)
    frames = [link.last_frame_at for link in links if link.last_frame_at is not None]
    age_s = max(view.now - max(frames), 0.0) if frames else None
    reason = next((link.reason for link in links if link.reason), "")
    return StreamsView(_streams_word(links, live), live, len(links), age_s, reason)


def _streams_word(links: Collection[Link], live: int) -> SourceWord:
    """Judge them by the worst; a socket that is just being opened says nothing yet."""
    states = {link.state for link in links} - {StreamState.CONNECTING}
    if states <= {StreamState.LIVE}:
        return SourceWord.LIVE if live else SourceWord.IDLE
    if StreamState.UNAUTHORIZED in states:
        return SourceWord.UNAUTHORIZED
    return SourceWord.STALE if live else SourceWord.DOWN


def is_cancel_refused(view: View) -> bool:
    """Tell whether a cancel would only be answered by 401: the plane of orders refuses the list."""
    return source_view(view, Source.SESSIONS).word is SourceWord.UNAUTHORIZED


@fact
def is_reachable(view: View) -> bool:
    """Tell whether any answer of the gateway is fresh and usable, refusals included."""
    if is_lost(view.state):
        return False
    fresh = (SourceWord.LIVE, SourceWord.UNAUTHORIZED)
    return any(source_view(view, source).word in fresh for source in Source)


@fact
def listened(view: View) -> bool:
    """Tell whether the streams could tell anything: unless none that is wanted was ever heard."""
    if view.state.watch.no_streams:
        return False
    streams = streams_view(view)
    if streams.live or view.state.routing.has_heard:
        return True
    listing = view.state.sources.get(Source.SESSIONS)
    return listing is not None and listing.answered_at is not None and not streams.wanted


def cure_of(view: View, failure: Failure) -> str:
    """Return what helps against a failure of a source, its key first."""
    if failure.wants_token:
        return f"{read_again(view)}; first {failure.cure}"
    return f"{see_sources(view)}; {failure.cure}"


def read_again(view: View) -> str:
    """Return the cure of a token that is refused, which somebody has to mend first."""
    return f"[{key_of(view.state.watch, 'read-tokens')}] read tokens again"


def see_sources(view: View) -> str:
    """Return the cure that every source has."""
    return f"[{key_of(view.state.watch, 'links')}] see each source"


def gateway_time(view: View) -> datetime:
    """Return the time, UTC, by the gateway's own clock, as far as it is known.

    Where it agrees with ours it is ours.
    """
    told_at = view.state.sources.get(Source.METRICS, SourceStatus()).answered_at
    if view.state.snapshot is None or told_at is None:
        return view.wall
    ahead = view.state.snapshot.generated_at - view.wall_at(told_at)
    return view.wall if abs(ahead) < CLOCKS_AGREE else later(view.wall, ahead.total_seconds())


def on_our_clock(view: View, stamp: datetime) -> datetime:
    """Return a stamp of the gateway's clock as our own has it: they may be hours apart."""
    return later(stamp, (view.wall - gateway_time(view)).total_seconds())


def on_its_clock(view: View, at: datetime) -> datetime:
    """Return a moment of our own clock as the gateway's has it, which dates windows and rows."""
    return later(at, (gateway_time(view) - view.wall).total_seconds())


def why_no_sessions(view: View, source: SourceView) -> str:
    """Return what stands in the table of runs while it has no row; `source` is the listing."""
    if source.age_s is not None:
        return " no session in memory"
    cure = f" -> {cure_of(view, source.failure)}" if source.failure is not None else " yet"
    return f" no list of sessions{cure}"


def why_no_lines(view: View, source: SourceView, *, is_session_log: bool) -> str:
    """Return what stands in place of a log's lines while there are none."""
    if source.failure is not None:
        return f" {source.failure.reason} -> {cure_of(view, source.failure)}"
    if source.word is SourceWord.IDLE:
        return " asking for the log …"
    other, whose = ("session-log", "the session's log: primary-path")
    if is_session_log:
        other, whose = ("lane-log", "the lane's log: delegated")
    return f" empty -> [{key_of(view.state.watch, other)}] see {whose} runs write there"


def entries_matching(
    entries: tuple[Entry, ...], session_id: str | None, matching: str = ""
) -> tuple[Entry, ...]:
    """Return the event list's entries of a session (None: of all) that contain `matching`.

    Entries that belong to no session are about the gateway, and so about every session.
    """
    wanted = matching.casefold()
    if session_id is None and not wanted:
        return entries
    return tuple(
        entry
        for entry in entries
        if (session_id is None or entry.session_id in {None, session_id})
        and wanted in f"{entry.session_id or ''} {entry.kind} {entry.text}".casefold()
    )
