"""State + now -> the summary of one run for the incident channel: a dozen lines of plain ASCII.

Somebody reads it without this screen: every line says of itself what it is, how old it is, and
what is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.durations import age
from vp_tui.domain.events import Source
from vp_tui.domain.latency import describe_rank
from vp_tui.domain.text import clip, fold, literal
from vp_tui.selectors import numbers, short_id
from vp_tui.sources import source_view
from vp_tui.triage import triage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.cancels import Cancel
    from vp_tui.state import State
    from vp_tui.triage import Triage

QUERY: Final = 120
"""Characters of the query."""
LINE: Final = 240
"""Characters of a line at most."""
CANCELS: Final = 2
"""Cancels of the session that are told, the newest."""
_PLAIN: Final = str.maketrans({"…": "...", "“": '"', "”": '"', "’": "'", "–": "-"})  # noqa: RUF001 - what is replaced


def incident_text(state: State, now: float, session_id: str) -> str:
    """Return the summary of the session's run as of `now`; it ends with a newline."""
    seen = triage(state, now, session_id)
    lines = list(_gone(state, now, session_id) if seen is None else _lines(seen, state, now))
    return "".join(f"{_ascii(clip(line, LINE))}\n" for line in lines)


def _ascii(text: str) -> str:
    """Return `text` with every other character than ASCII's written as an escape."""
    return literal(text).translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def _gone(state: State, now: float, session_id: str) -> Iterator[str]:
    yield f"{_where(state)} {session_id} is not listed at {_at(state, now)}: nothing is known of it"
    yield _figures(state, now)


def _where(state: State) -> str:
    return f"[{state.watch.name} {state.watch.vp_id}]"


def _lines(seen: Triage, state: State, now: float) -> Iterator[str]:
    row = seen.row
    level = "UNKNOWN" if row.level.level is None else str(row.level.level).upper()
    since = row.level.since
    told = level if since is None else f"{level} for {age(now - since)}"
    short = short_id(row.session.session_id)
    yield f"{_where(state)} run {short} {told}, at {_at(state, now)}"
    yield f"session: {row.session.session_id}"
    yield f"why: {row.level.reason}"
    yield f"since: {_at(state, since)}; running for {_age(row.running_s)}"
    query = row.turn.query or row.session.description
    yield f'query: "{clip(fold(query), QUERY)}"' if query else "query: unknown, nobody saw it"
    yield f"last: {_last(seen, state)}"
    yield f"{seen.mission}; {seen.lane}"
    yield f"{seen.queue}; {seen.viewers}"
    yield seen.blocks
    yield from _cancels(seen, state, now)
    yield _log(seen, state, now)
    yield _figures(state, now)
    yield f"next: {seen.ladder}"


def _at(state: State, at: float | None) -> str:
    return "unknown" if at is None else f"{state.clock.wall_at(at):%Y-%m-%dT%H:%M:%SZ}"


def _age(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else age(seconds)


def _last(seen: Triage, state: State) -> str:
    """Return the newest moment of the turn."""
    moment = seen.course[-1]
    at = "" if moment.at is None else f"{_at(state, moment.at)} "
    return f"{at}{moment.text}"


def _cancels(seen: Triage, state: State, now: float) -> Iterator[str]:
    session_id = seen.row.session.session_id
    own = [cancel for cancel in state.cancels if cancel.session_id == session_id]
    if not own:
        yield "cancels: none seen"
    for cancel in own[-CANCELS:]:
        yield f"cancel: {_cancel(cancel, state, now)}"


def _cancel(cancel: Cancel, state: State, now: float) -> str:
    whose = cancel.actor or "somebody else"
    reason = f' "{fold(cancel.reason)}"' if cancel.reason else ""
    heard = {None: "", True: ", the run unwound", False: ", the run did not hear"}
    told = f"{cancel.state(now)}{heard[cancel.task_cancelled]}"
    return f"{_at(state, cancel.at)} by {whose}{reason}: {told}"


def _log(seen: Triage, state: State, now: float) -> str:
    """Return the last line of the log that is the run's, and how long nothing came after it."""
    log = state.logs.get(seen.log_id)
    name = "lane log" if seen.log_id == state.lane_log_id else "session log"
    if log is None or not log.lines:
        return f"{name}: no line known"
    quiet = "an unknown time" if log.grown_at is None else age(max(now - log.grown_at, 0.0))
    return f"{name}, nothing for {quiet} after: {fold(log.lines[-1])}"


def _figures(state: State, now: float) -> str:
    figures, view = numbers(state, now), source_view(state, Source.METRICS, now)
    if figures is None:
        return f"metrics: none yet ({view.word})"
    seen, latency = figures.reconstruction, figures.snapshot.latency
    rate = "n/a (none finished)" if seen.rate is None else f"{seen.fallbacks}/{seen.terminal}"
    p95 = (
        "n/a" if latency.p95_s is None else f"{latency.p95_s:.3f}s ({describe_rank(latency.count)})"
    )
    word = f"metrics {view.word}, {_age(view.age_s)} old"
    return f"fallback {rate} (reconstructed), p95 {p95}; {word}, coverage {figures.coverage.state}"
