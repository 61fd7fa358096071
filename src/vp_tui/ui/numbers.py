"""The figures: dense lines at 80 columns, cards where it is wide; each with its source's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.latency import P95_WATCH_S, describe_rank
from vp_tui.sources import SourceView, SourceWord
from vp_tui.ui.header import WORD_SYMBOLS, WORD_TONES
from vp_tui.ui.paint import Line, age, cut, fit, flow, join, plain, sparkline, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.selectors import Numbers
    from vp_tui.state import State
    from vp_tui.ui.tones import Tone

LAST: Final = 20
"""Missions in the strip of the newest."""
DENSE_TREND: Final = 24
"""Cells of the trend in the dense lines, at most."""
TREND_MIN: Final = 4
"""Cells below which a trend says nothing."""
_KNOWN_STATUSES: Final = ("completed", "failed", "running")
_KNOWN_EVENTS: Final = {
    "vp.mission.dispatched": "dispatched",
    "vp.mission.completed": "completed",
    "vp.mission.fallback": "fallback",
    "vp.mission.failed": "failed",
}


def dense_lines(
    figures: Numbers | None, state: State, source: SourceView, width: int
) -> list[Line]:
    """Return the five lines that 80 columns have room for."""
    if figures is None:
        word, reason = no_figures(source, width - width_of(_label("")))
        return [join(_label("fallback"), word), join(_label(""), reason), (), (), ()]
    p95 = join(_label("p95"), _p95(figures), "  ", _spread_of(figures), "  ")
    trend = _trend("", figures.p95_trend, min(width - width_of(p95), DENSE_TREND))
    note = _doubt(figures)
    newest = _dense_newest(figures, state, width - (width_of(note) + 1 if note else 0))
    lines = (
        _dense_fallback(figures, width),
        spread(newest, note, width) if note else newest,
        join(p95, trend),
        join(_label("missions"), _missions(figures), "  ", _routing(state)),
        join(_label("events"), _events(figures)),
    )
    return [cut(_aged(line, figures), width) for line in lines]


def _dense_fallback(figures: Numbers, width: int) -> Line:
    """Return both rates in one line, with the upper bound where it fits."""
    reported = join(_label("fallback"), _reported(figures))
    bounded, bare = (
        flow((reported, *_reconstructed(figures, bounded=b)), width) for b in (True, False)
    )
    return bounded[0] if len(bounded) == 1 else bare[0]


def _dense_newest(figures: Numbers, state: State, width: int) -> Line:
    """Return the rolling window with its trip-wire and, where it fits, the turns unseen by it.

    Turns that were seen go first, a count of none goes last; a tripped wire is never left out.
    """
    strip = join(_label("last 20"), _strip(figures.recent))
    wire, unseen = _rolling(figures), _spaced(_unseen(state))[:-1]
    whole = join(strip, "  ", wire, "  ", unseen)
    if width_of(whole) <= width:
        return whole
    has_seen = state.routing.bootstrap or state.routing.shadow or len(_unseen(state)) > 1
    return join(strip, "  ", unseen if has_seen and not figures.wire.tripped else wire)


def no_figures(source: SourceView, width: int) -> list[Line]:
    """Return what stands where figures would: nothing is known, and why."""
    word = "no data yet" if source.word is SourceWord.IDLE else f"no data: {source.word}"
    reason = source.failure.reason if source.failure else "the metrics have not answered"
    return [cut(((word, WORD_TONES[source.word]),), width), cut(((reason, "dim"),), width)]


def fallback_card(figures: Numbers, state: State, width: int, height: int) -> list[Line]:
    """Return the fallback card's lines; without room the interval goes, then the strip."""
    rates, unseen = [_reported(figures), *_reconstructed(figures)], flow(_unseen(state), width)
    strip, wire, interval = _strip(figures.recent), _rolling(figures), _interval(figures)
    lines: list[Line] = []
    for head, middle in (
        ([*rates, interval], [strip, wire]),
        (rates, [strip, wire]),
        (rates, [wire]),
    ):
        told = [part for part in head if part]
        lines = [*flow(told, width), *(line for line in middle if line), *unseen]
        if len(lines) <= height:
            break
    return _card(figures, width, *lines)


def latency_card(figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the p95 card's lines: the figure, its spread, its trend, and each mission's time."""
    head = flow(
        [_p95(figures), _spread_of(figures), _trend("p95  ", figures.p95_trend, width)], width
    )
    durations = [e.mission.duration_s for e in figures.recent if e.mission.duration_s is not None]
    rows = sparkline(durations, width - 5, max(height - len(head), 1)) if durations else []
    each: list[Line] = [
        (("each " if n == len(rows) - 1 else "     ", "dim"), (row, "dim"))
        for n, row in enumerate(rows)
    ]
    return _card(figures, width, *head, *each)


def missions_card(figures: Numbers, width: int) -> list[Line]:
    """Return the missions card's lines."""
    counts = figures.snapshot.mission_counts
    failed, others = counts.get("failed", 0), _other_statuses(counts)
    return _card(
        figures,
        width,
        _count(counts.get("completed", 0), "completed", "plain"),
        _count(failed, "failed", "bad" if failed else "plain"),
        _count(_really_running(figures), "running", "plain"),
        _count(figures.orphans, "orphaned", "warn" if figures.orphans else "plain"),
        *(_count(number, status, "plain") for status, number in others),
        ((f"{figures.snapshot.fallback.considered:>5} in the rate", "dim"),),
    )


def events_card(figures: Numbers, state: State, width: int) -> list[Line]:
    """Return the events and routing card's lines."""
    counts = figures.snapshot.event_counts
    known = [_count(counts.get(k, 0), name, "plain") for k, name in _KNOWN_EVENTS.items()]
    return _card(figures, width, *known, _routing(state))


def _card(figures: Numbers, width: int, *lines: Line) -> list[Line]:
    return [cut(_aged(line, figures), width) for line in lines]


def _aged(painted: Line, figures: Numbers) -> Line:
    """Dim what is not known to be true now."""
    if figures.source.is_current:
        return painted
    return tuple((text, "dim") for text, _tone in painted)


def _doubt(figures: Numbers) -> Line:
    """Say in words that the figures are not current, and how old they are."""
    source = figures.source
    is_own = source.is_current and not source.has_substitute
    return () if is_own else state_note(figures, source)


def _spaced(parts: list[Line]) -> Line:
    return join(*(join(part, "  ") for part in parts))


def _trend(label: str, values: Sequence[float], width: int) -> Line:
    """Return one row of a trend in `width` cells, nothing where it would say nothing."""
    room = width - len(label)
    if room < TREND_MIN or not values:
        return ()
    return join((label, "dim"), (sparkline(values, room)[0], "accent"))


def state_note(figures: Numbers | None, source: SourceView) -> Line:
    """Return the state of all figures, with their age when they are not current."""
    if figures is not None and figures.source.has_substitute:
        return ((f"via dashboard {age(source.age_s)}", "warn"),)
    text = f"{WORD_SYMBOLS[source.word]} {source.word}"
    old = "" if source.is_current or source.age_s is None else f", {age(source.age_s)} old"
    return ((text + old, WORD_TONES[source.word]),)


def _label(text: str) -> Line:
    return ((fit(text, 10), "dim"),)


def _count(number: int, name: str, tone: Tone) -> Line:
    return ((f"{number:>5} ", "strong"), (name, tone))


def _reported(figures: Numbers) -> Line:
    fallback = figures.snapshot.fallback
    if figures.reported_rate is None:
        return join(("reported ", "dim"), ("n/a ", "strong"), "(no missions)")
    share = f"{figures.reported_rate:.3f} "
    of = f"{fallback.with_fallback}/{fallback.considered}"
    if figures.coverage.state is CoverageState.BLIND:
        return join(("BLIND ", "bad"), (f"says {share}{of}", "dim"))
    tone: Tone = "warn" if fallback.with_fallback else "strong"
    partial = " partial" if figures.coverage.state is CoverageState.TRUNCATED else ""
    return join(("reported ", "dim"), (share, tone), of, (partial, "warn"))


def _reconstructed(figures: Numbers, *, bounded: bool = False) -> list[Line]:
    """Return the reconstructed rate and how it stands to the reported one.

    `bounded` puts its one-sided upper bound beside it.
    """
    seen = figures.reconstruction
    if seen.rate is None:
        return [join(("reconstructed ", "dim"), ("n/a", "strong"))]
    tone: Tone = "warn" if seen.fallbacks else "strong"
    share = join(("reconstructed ", "dim"), (f"{seen.rate:.3f} ", tone))
    bound = f" <={figures.bounds.upper95:.1%}" if bounded and figures.bounds else ""
    parts = [join(share, f"{seen.fallbacks}/{seen.terminal}", (bound, "dim"))]
    if figures.unreported:
        parts.append(((f"{figures.unreported:+d} unreported", "bad"),))
    else:
        parts.append((("agrees", "good"),))
        # Reported fallbacks of missions that run on, were cancelled, or are of an earlier epoch.
        if (others := figures.snapshot.fallback.with_fallback - seen.fallbacks) > 0:
            parts.append(((f"{others} not counted", "dim"),))
    if seen.inferred:
        parts.append(((f"{seen.inferred} inferred", "dim"),))
    return parts


def _interval(figures: Numbers) -> Line:
    """Return the interval of the reconstructed rate, nothing without finished missions."""
    if figures.bounds is None:
        return ()
    low, high = figures.bounds.interval95
    return ((f"95% {low * 100:.1f}-{high:.1%} <={figures.bounds.upper95:.1%}", "dim"),)


def _rolling(figures: Numbers) -> Line:
    """Return how near guardrail 3 is to tripping, nothing without finished missions."""
    wire = figures.wire
    if not wire.terminal:
        return ()
    count = f"rolling {wire.fallbacks}/{wire.terminal}"
    if wire.tripped:
        return ((f"{count} TRIPPED", "bad"),)
    tone: Tone = "warn" if wire.to_trip == 1 else "dim"
    return ((f"{count}, {wire.to_trip} more trip{'s' * (wire.to_trip == 1)}", tone),)


def _strip(recent: tuple[LedgerEntry, ...]) -> Line:
    newest = recent[-LAST:]
    if not newest:
        return (("no finished mission in this epoch", "dim"),)
    return tuple(_mark(entry) for entry in newest)


def _mark(entry: LedgerEntry) -> tuple[str, Tone]:
    if entry.mission.status == "failed":
        return ("X", "bad")
    return ("F", "warn") if entry.fell_back else ("·", "good")


def _unseen(state: State) -> list[Line]:
    """Return the coding turns that made no mission, so that no rate can see them."""
    tally = state.routing
    tone: Tone = "warn" if tally.bootstrap else "dim"
    parts: list[Line] = [((f"unseen {tally.bootstrap} boot {tally.shadow} shadow", tone),)]
    others = ((tally.lease_degraded, "lease"), (tally.unexplained, "unexplained"))
    parts += [((f"{number} {name}", "warn"),) for number, name in others if number]
    return parts


def _p95(figures: Numbers) -> Line:
    latency = figures.snapshot.latency
    if latency.p95_s is None:
        return join(("n/a ", "strong"), "(none finished)")
    tone: Tone = "warn" if latency.p95_s >= P95_WATCH_S else "strong"
    over = f" >= {P95_WATCH_S:.0f}s" if latency.p95_s >= P95_WATCH_S else ""
    return join((f"{latency.p95_s:.3f}s{over} ", tone), describe_rank(latency.count))


def _spread_of(figures: Numbers) -> Line:
    latency = figures.snapshot.latency
    if latency.p50_s is None or latency.max_s is None:
        return ()
    return ((f"p50 {latency.p50_s:.1f}s max {latency.max_s:.1f}s", "dim"),)


def _missions(figures: Numbers) -> Line:
    counts = figures.snapshot.mission_counts
    failed = counts.get("failed", 0)
    others = "".join(f" {number} {status}" for status, number in _other_statuses(counts))
    return join(
        f"{counts.get('completed', 0)} ok ",
        (f"{failed} failed ", "bad" if failed else "plain"),
        f"{_really_running(figures)} running ",
        (f"{figures.orphans} orphaned", "warn" if figures.orphans else "dim"),
        others,
    )


def _really_running(figures: Numbers) -> int:
    return max(figures.snapshot.mission_counts.get("running", 0) - figures.orphans, 0)


def _other_statuses(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(status, number) for status, number in counts.items() if status not in _KNOWN_STATUSES]


def _events(figures: Numbers) -> Line:
    counts = figures.snapshot.event_counts
    known = " ".join(f"{counts.get(kind, 0)} {name}" for kind, name in _KNOWN_EVENTS.items())
    others = sum(number for kind, number in counts.items() if kind not in _KNOWN_EVENTS)
    return plain(known + (f" {others} other" if others else ""))


def _routing(state: State) -> Line:
    tally = state.routing
    if not tally.coding_turns:
        return (("no coding turn seen yet", "dim"),)
    return plain(f"{tally.delegated}/{tally.coding_turns} coding turns to VP")
