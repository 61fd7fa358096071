"""The words of the figures, for layouts to put together: rates, p95, missions, events, guardrails.

`Compared` holds the open or proposed window's figures beside the cumulative ones.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import CoverageState, describe_rank
from vp_tui.domain.rollout.labels import short_label
from vp_tui.domain.rollout.windows import events_of
from vp_tui.domain.vocabulary import P95_WATCH_S
from vp_tui.ui.lines.paint import (
    WORD_SYMBOLS,
    WORD_TONES,
    Line,
    Span,
    age,
    cut,
    join,
    plain,
    sparkline,
    width_of,
)
from vp_tui.views.figures import bounds_of
from vp_tui.views.sources import SourceView, SourceWord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.guardrails import CancelRecovery, EvidenceTarget, Guardrails
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.assessment import Assessment
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


LAST: Final = 20
"""Missions in the strip of the newest."""
TREND_MIN: Final = 4
"""Cells below which a trend says nothing."""
EVENTS: Final = {
    "vp.mission.dispatched": "disp",
    "vp.mission.completed": "done",
    "vp.mission.fallback": "fb",
    "vp.mission.failed": "F",
}
_KNOWN_STATUSES: Final = ("completed", "failed", "running")


def no_figures(source: SourceView, width: int) -> list[Line]:
    """Return what stands where figures would: nothing is known, and why."""
    word = "no data yet" if source.word is SourceWord.IDLE else f"no data: {source.word}"
    reason = source.failure.reason if source.failure else "the metrics have not answered"
    return [cut(((word, WORD_TONES[source.word]),), width), cut(((reason, "dim"),), width)]


def aged(painted: Line, figures: Numbers) -> Line:
    """Dim what is not known to be true now."""
    if figures.source.is_current:
        return painted
    return tuple((text, "dim") for text, _tone in painted)


def doubt(figures: Numbers) -> Line:
    """Say in words that the figures are not current, and how old; nothing while they are."""
    source = figures.source
    is_own = source.is_current and not source.has_substitute
    return () if is_own else state_note(figures, source)


def state_note(figures: Numbers | None, source: SourceView) -> Line:
    """Return the state of all figures, with their age when they are not current."""
    if figures is not None and figures.source.has_substitute:
        return ((f"via dashboard {age(source.age_s)}", "warn"),)
    text = f"{WORD_SYMBOLS[source.word]} {source.word}"
    old = "" if source.is_current or source.age_s is None else f", {age(source.age_s)} old"
    return ((text + old, WORD_TONES[source.word]),)


def reported_words(figures: Numbers) -> Line:
    """Return the gateway's rate, and whether it can be believed."""
    fallback = figures.snapshot.fallback
    if figures.reported_rate is None:
        return join(("n/a ", "strong"), "(no missions)")
    share = f"{figures.reported_rate:.3f} "
    of = f"{fallback.with_fallback}/{fallback.considered}"
    if figures.coverage.state is CoverageState.BLIND:
        return join(("BLIND ", "bad"), (f"says {share}{of}", "dim"))
    tone: Tone = "warn" if fallback.with_fallback else "strong"
    partial = " partial" if figures.coverage.state is CoverageState.TRUNCATED else ""
    return join((share, tone), of, (partial, "warn"))


def reconstructed(figures: Numbers, *, rate: bool = True, bound: bool = False) -> Line:
    """Return the reconstructed share of finished missions.

    `rate` puts it as a fraction too, `bound` its one-sided 95 % upper bound beside it.
    """
    seen = figures.reconstruction
    if seen.rate is None:
        return (("n/a", "strong"),)
    tone: Tone = "warn" if seen.fallbacks else "strong"
    share = f"{seen.rate:.3f} " if rate else ""
    upper = f" <={figures.bounds.upper95:.1%}" if bound and figures.bounds else ""
    count: Tone = "plain" if rate else tone
    return join((share, tone), (f"{seen.fallbacks}/{seen.terminal}", count), (upper, "dim"))


def standing(figures: Numbers) -> list[Line]:
    """Return how the reconstructed rate stands to the reported one, nothing without a rate.

    They agree when both count the same fallbacks: the reported rate is over running missions too.
    """
    seen = figures.reconstruction
    if seen.rate is None:
        return []
    others = figures.snapshot.fallback.with_fallback - seen.fallbacks
    word: Span = ("agrees", "good")
    if figures.unreported:
        word = (f"{figures.unreported:+d} unreported", "bad")
    elif others > 0:  # of missions that run on, were cancelled, or are of an earlier epoch
        word = (f"{others} not counted", "warn")
    elif others < 0:  # of missions that the gateway's list no longer has
        word = (f"{-others} not listed", "warn")
    inferred: Line = ((f"{seen.inferred} inferred", "dim"),)
    return [(word,), inferred] if seen.inferred else [(word,)]


def interval(figures: Numbers) -> Line:
    """Return the interval of the reconstructed rate, nothing without finished missions."""
    if figures.bounds is None:
        return ()
    low, high = figures.bounds.interval95
    return ((f"95% {low * 100:.1f}-{high:.1%} <={figures.bounds.upper95:.1%}", "dim"),)


def rolling(figures: Numbers) -> Line:
    """Return how near guardrail 3 is to tripping, nothing without finished missions."""
    wire = figures.wire
    if not wire.terminal:
        return ()
    count = f"rolling {wire.fallbacks}/{wire.terminal}"
    if wire.tripped:
        return ((f"{count} TRIPPED", "bad"),)
    tone: Tone = "warn" if wire.to_trip == 1 else "dim"
    return ((f"{count}, {wire.to_trip} more trip{'s' * (wire.to_trip == 1)}", tone),)


def strip(recent: tuple[LedgerEntry, ...]) -> Line:
    """Return a mark for each of the newest finished missions."""
    newest = recent[-LAST:]
    if not newest:
        return (("none finished", "dim"),)
    return tuple(_mark(entry) for entry in newest)


def _mark(entry: LedgerEntry) -> tuple[str, Tone]:
    if entry.mission.status == "failed":
        return ("X", "bad")
    return ("F", "warn") if entry.fell_back else ("·", "good")


def cancel_recovery_words(guardrail: CancelRecovery) -> Line:
    """Return how guardrail 1 stands."""
    tone: Tone = "dim" if guardrail.is_quiet else "warn"
    if guardrail.unconfirmed:
        tone = "bad"
    return ((f"cancel-rec {guardrail.short_state}", tone),)


def evidence(target: EvidenceTarget | None) -> Line:
    """Return how guardrail 2 stands: missions recorded since the anchor."""
    if target is None:
        return (("evidence: no log read", "dim"),)
    anchor = f" {short_label(target.anchor)}" if target.anchor else ""
    return ((f"evidence {target.count}/{target.of}{anchor}", "dim"),)


def auto_revert(guardrails: Guardrails) -> list[Line]:
    """Return who reverts, the words that matter most last."""
    tone: Tone = "bad" if guardrails.trip_wire.tripped else "dim"
    return [((part, tone),) for part in guardrails.auto_revert.split("; ")]


def unseen(view: View) -> list[Line]:
    """Return the coding turns that made no mission, so that no rate can see them."""
    tally = view.state.routing
    tone: Tone = "warn" if tally.bootstrap else "dim"
    parts: list[Line] = [((f"unseen {tally.bootstrap} boot {tally.shadow} shadow", tone),)]
    others = ((tally.lease_degraded, "lease"), (tally.unexplained, "unexplained"))
    parts += [((f"{number} {name}", "warn"),) for number, name in others if number]
    return parts


def routing(view: View) -> Line:
    """Return how many coding turns were delegated."""
    tally = view.state.routing
    if not tally.coding_turns:
        return (("no coding turn seen yet", "dim"),)
    return plain(f"{tally.delegated}/{tally.coding_turns} coding turns to VP")


def p95(figures: Numbers) -> Line:
    """Return the p95 as in the row, with its rank."""
    latency = figures.snapshot.latency
    if latency.p95_s is None:
        return join(("n/a ", "strong"), "(none finished)")
    tone: Tone = "warn" if latency.p95_s >= P95_WATCH_S else "strong"
    over = f" >= {P95_WATCH_S:.0f}s" if latency.p95_s >= P95_WATCH_S else ""
    return join((f"{latency.p95_s:.3f}s{over} ", tone), describe_rank(latency.count))


def spread_of(figures: Numbers) -> Line:
    """Return median and maximum."""
    latency = figures.snapshot.latency
    if latency.p50_s is None or latency.max_s is None:
        return ()
    return ((f"p50 {latency.p50_s:.1f}s max {latency.max_s:.1f}s", "dim"),)


def trend(label: str, values: Sequence[float], width: int) -> Line:
    """Return one row of a trend in `width` cells, nothing where it would say nothing."""
    room = width - len(label)
    if room < TREND_MIN or not values:
        return ()
    return join((label, "dim"), (sparkline(values, room)[0], "accent"))


def missions(figures: Numbers, width: int) -> Line:
    """Return how the missions of the newest metrics stand.

    Statuses that vp-tui does not know are named, or where `width` cells are too few, counted.
    """
    counts = figures.snapshot.mission_counts
    running = max(counts.get("running", 0) - figures.orphans, 0)
    known = join(
        _counted(counts.get("completed", 0), counts.get("failed", 0), running),
        (f" {figures.orphans}orphan", "warn" if figures.orphans else "dim"),
    )
    odd = {status: number for status, number in counts.items() if status not in _KNOWN_STATUSES}
    told = join(known, "".join(f" {number} {status}" for status, number in odd.items()))
    return told if width_of(told) <= width else join(known, f" {sum(odd.values())}other")


def events(counts: Mapping[str, int]) -> Line:
    """Return how many mission events of each kind there are."""
    known = " ".join(f"{counts.get(kind, 0)}{name}" for kind, name in EVENTS.items())
    others = sum(number for kind, number in counts.items() if kind not in EVENTS)
    return plain(known + (f" {others}other" if others else ""))


def own_fallback(own: WindowNumbers | None) -> Line:
    """Return the window's share of fallen back missions, with its upper bound."""
    if own is None:
        return (("unknown", "warn"),)
    if not own.terminal:
        return join(("n/a ", "strong"), "no missions" if not own.new else "0 finished")
    bound = bounds_of(own.fallback, own.terminal).upper95
    tone: Tone = "warn" if own.fallback else "strong"
    return join((f"{own.fallback}/{own.terminal}", tone), (f" <={bound:.1%}", "dim"))


def own_p95(own: WindowNumbers | None) -> Line:
    """Return the window's p95 with its rank."""
    if own is None or own.p95_s is None:
        return (("n/a", "strong"),) if own else ()
    tone: Tone = "warn" if own.p95_s >= P95_WATCH_S else "strong"
    return join((f"{own.p95_s:.1f}s ", tone), describe_rank(own.timed))


def own_missions(own: WindowNumbers | None) -> Line:
    """Return how the window's missions stand."""
    return _counted(own.completed, own.failed, own.running) if own else ()


def own_events(counts: Mapping[str, int], width: int) -> Line:
    """Return the window's mission events, without the failures that its missions tell.

    Where `width` cells are too few the words become letters.
    """
    sent, done, fallen = (counts.get(kind, 0) for kind in list(EVENTS)[:3])
    told = f"{sent}disp {done}done {fallen}fb"
    return plain(told if len(told) <= width else f"{sent}d {done}c {fallen}fb")


def _counted(completed: int, failed: int, running: int) -> Line:
    failures: Tone = "bad" if failed else "plain"
    return join(f"{completed}ok ", (f"{failed}F", failures), f" {running}run")


class Compared(NamedTuple):
    """All that the figures are drawn from."""

    view: View
    figures: Numbers
    assessment: Assessment
    events: Counter[str]
    """The window's own, by type; none while the window is unknown."""

    @property
    def own(self) -> WindowNumbers | None:
        """The window's own figures; None while the window is unknown."""
        return None if self.assessment.window is None else self.assessment.numbers

    @property
    def window_title(self) -> str:
        """Which window it is: open, proposed or unknown."""
        window = self.assessment.window
        if window is None:
            return "WINDOW unknown"
        return f"{'WINDOW' if window.is_open else 'PROPOSED'} {short_label(window.label)}"

    @property
    def epoch_title(self) -> str:
        """Which life of the gateway the cumulative figures are of."""
        return f"EPOCH {epoch.number if (epoch := self.view.state.epoch) else 'unknown'}"


def compared(view: View, figures: Numbers) -> Compared:
    """Return the figures with what the rules make of them."""
    from vp_tui.views.assessment import assess  # noqa: PLC0415 - not needed for the first frame

    assessment = assess(view)
    return Compared(
        view,
        figures,
        assessment,
        view.same(_events, assessment.window, view.state.ledger, figures.snapshot),
    )


def _events(window: Window | None, ledger: Ledger, snapshot: Snapshot) -> Counter[str]:
    if window is None:
        return Counter()
    return events_of(window, ledger.entries.values(), snapshot.events)
