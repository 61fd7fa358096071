"""The top of the screen: what is watched, how old each source is, and what is wrong, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.events import Source
from vp_tui.domain.text import clip
from vp_tui.selectors import numbers, run_rows
from vp_tui.sources import SourceView, SourceWord, StreamsView, source_view, streams_view
from vp_tui.summary import badge, troubles
from vp_tui.ui.paint import Line, age, cut, flow, join, spread

if TYPE_CHECKING:
    from vp_tui.state import State
    from vp_tui.ui.tones import Tone

SHOWN: Final = (
    (Source.METRICS, "metrics"),
    (Source.SESSIONS, "sessions"),
    (Source.LOG, "log"),
    (Source.CONTINUITY, "cont"),
)
WORD_TONES: Final[dict[SourceWord, Tone]] = {
    SourceWord.LIVE: "good",
    SourceWord.STALE: "warn",
    SourceWord.DOWN: "bad",
    SourceWord.UNAUTHORIZED: "bad",
    SourceWord.IDLE: "dim",
}
WORD_SYMBOLS: Final = {
    SourceWord.LIVE: "●",
    SourceWord.STALE: "◌",
    SourceWord.DOWN: "✗",
    SourceWord.UNAUTHORIZED: "✗",
    SourceWord.IDLE: "·",
}
_COVERAGE_TONES: Final[dict[CoverageState, Tone]] = {
    CoverageState.FULL: "good",
    CoverageState.TRUNCATED: "warn",
    CoverageState.BLIND: "bad",
    CoverageState.NONE: "dim",
}


def header_lines(state: State, now: float, width: int, *, frozen_for: float | None) -> list[Line]:
    """Return the two header lines and the two lines of the gravest trouble."""
    return [
        _identity(state, now, width, frozen_for),
        _sources(state, now, width),
        *_troubles(state, now, width),
    ]


def _identity(state: State, now: float, width: int, frozen_for: float | None) -> Line:
    word = badge(state, now, frozen=frozen_for is not None)
    tone: Tone = "live" if word == "LIVE" else "alarm"
    shown = f" {word} " if frozen_for is None else f" {word} {age(frozen_for)} "
    left = join(
        (shown, tone), "  ", (clip(state.watch.name, 32), "strong"), "  ", state.watch.vp_id
    )
    facts: list[str] = []
    if state.health:
        facts.append(state.health.dialect)
    if state.epoch:
        facts.append(f"epoch {state.epoch.number}")
        if state.boot_at:
            up_s = (state.clock.wall_at(now) - state.boot_at).total_seconds()
            facts.append(f"up {age(max(up_s, 0.0))}")
    if state.poll_factor != 1:
        facts.append(
            f"polls x{state.poll_factor:g} slower" if state.poll_factor > 1 else "polls x2"
        )
    clock = f"{state.clock.wall_at(now):%H:%M:%S}Z"
    return spread(join(left, "  ", ("  ".join(facts), "dim")), ((clock, "strong"),), width)


def _sources(state: State, now: float, width: int) -> Line:
    parts = [_source(source_view(state, source, now), name) for source, name in SHOWN]
    streams = streams_view(state, now)
    parts.insert(2, _part("ws", streams.word, _streams(streams)))
    if figures := numbers(state, now):
        coverage = figures.coverage
        text = f"{coverage.state.upper()} {coverage.covered}/{coverage.considered}"
        is_now = figures.source.is_current
        tone: Tone = _COVERAGE_TONES[coverage.state] if is_now else "dim"
        parts.append(join("cov ", (text if is_now else f"was {text}", tone)))
    lines = flow(parts, width)
    if len(lines) == 1:
        return lines[0]
    return spread(flow(parts, width - 2)[0], (("…", "dim"),), width)


def _streams(streams: StreamsView) -> str:
    if not streams.wanted:
        return "0"
    word = "" if streams.word is SourceWord.LIVE else f" {_word(streams.word)}"
    last = f" {age(streams.age_s)}" if streams.age_s is not None else ""
    return f"{streams.live}/{streams.wanted}{word}{last}"


def _source(view: SourceView, name: str) -> Line:
    if view.word is SourceWord.LIVE:
        return _part(name, view.word, age(view.age_s))
    substitute = f" {view.plane} {age(view.age_s)}" if view.has_substitute else ""
    old = f" {age(view.age_s)}" if view.age_s is not None and not substitute else ""
    return _part(name, view.word, f"{_word(view.word)}{old}{substitute}")


def _part(name: str, word: SourceWord, text: str) -> Line:
    return ((WORD_SYMBOLS[word], WORD_TONES[word]), (f"{name} ", "plain"), (text, WORD_TONES[word]))


def _word(word: SourceWord) -> str:
    short = {SourceWord.UNAUTHORIZED: "401", SourceWord.IDLE: "no data"}
    return short.get(word, str(word).upper())


def _troubles(state: State, now: float, width: int) -> list[Line]:
    found = troubles(state, now)
    if not found:
        return [_all_well(state, now, width), cut(_at_work(state, now), width)]
    worst = found[0]
    tone: Tone = "bad" if worst.is_grave else "warn"
    more = f"+{len(found) - 1} more: 5" if len(found) > 1 else ""
    what = join(("! ", tone), (worst.what, tone), f": {worst.reason}" if worst.reason else "")
    return [cut(what, width), spread(join(("  -> ", "dim"), worst.cure), ((more, "warn"),), width)]


def _all_well(state: State, now: float, width: int) -> Line:
    views = [source_view(state, source, now) for source, _name in SHOWN]
    if silent := [view.name for view in views if view.word is SourceWord.IDLE]:
        asked = "" if len(silent) == len(views) else f" for {', '.join(silent)}"
        return cut(join(("· ", "dim"), f"asking {state.watch.url}{asked} …"), width)
    rows = run_rows(state, now)
    running = sum(row.session.is_running for row in rows)
    text = f"every source answers; {running} of {len(rows)} sessions in memory running"
    return cut(join(("> ", "good"), text), width)


def _at_work(state: State, now: float) -> Line:
    """Tell what the lane is doing: its session, and the mission under way with its age."""
    snapshot = state.snapshot
    if snapshot is None:
        return ()
    lane = f"lane session {snapshot.lane.status}" if snapshot.lane else "nothing delegated yet"
    any_running = any(row.session.is_running for row in run_rows(state, now))
    newest = snapshot.missions[0] if snapshot.missions else None
    mission = ""
    if any_running and newest and newest.status == "running" and newest.started_at:
        seconds = (snapshot.generated_at - newest.started_at).total_seconds()
        mission = f"   mission {newest.mission_id[-6:]} running {age(max(seconds, 0.0))}"
    return ((f"  {lane}{mission}", "dim"),)
