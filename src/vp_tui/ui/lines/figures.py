"""The figures as lines: the words of `views/words` with their tones, as wide as there is room.

Rates, p95, missions, events, turns and guardrails, for layouts to put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.missions import CoverageState
from vp_tui.domain.rollout.windows import events_of
from vp_tui.domain.vocabulary import P95_WATCH_S
from vp_tui.ui.lines.header import assessment_of
from vp_tui.ui.lines.paint import (
    WORD_SYMBOLS,
    WORD_TONES,
    Line,
    cut,
    in_a_row,
    join,
    plain,
    sparkline,
    width_of,
)
from vp_tui.views import words
from vp_tui.views.sources import SourceView, SourceWord, listened

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.guardrails import (
        CancelRecovery,
        EvidenceTarget,
        Guardrails,
        TripWire,
    )
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.ui.lines.paint import Span, Tone
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


LAST: Final = 20
"""Missions in the strip of the newest."""
TREND_MIN: Final = 4
"""Cells below which a trend says nothing."""


def no_figures(source: SourceView, width: int) -> list[Line]:
    """Return what stands where figures would: nothing is known, and why."""
    word = "no data yet" if source.word is SourceWord.IDLE else f"no data: {source.word}"
    reason = source.failure.reason if source.failure else words.no_metrics(source)
    return [cut(((word, WORD_TONES[source.word]),), width), cut(((reason, "dim"),), width)]


def aged(painted: Line, figures: Numbers) -> Line:
    """Dim what is not known to be true now."""
    if figures.source.is_current:
        return painted
    return tuple((text, "dim") for text, _tone in painted)


def doubt(figures: Numbers) -> Line:
    """Say in words that the figures are not current, and how old; nothing while they are."""
    source = figures.source
    return () if source.word is SourceWord.LIVE else state_note(source)


def state_note(source: SourceView) -> Line:
    """Return the state of all figures, with their age when they are not current."""
    if source.has_substitute:
        return ((words.source_state(source), "warn"),)
    text = f"{WORD_SYMBOLS[source.word]} {words.source_state(source)}"
    return ((text, WORD_TONES[source.word]),)


def reported(figures: Numbers) -> Line:
    """Return the gateway's rate, and whether it can be believed."""
    is_blind = figures.coverage.state is CoverageState.BLIND
    tone: Tone = "warn" if figures.snapshot.fallback.with_fallback else "strong"
    return ((words.reported(figures), "bad" if is_blind else tone),)


def share_in(fallbacks: int, n: int, room: int, *others: Line) -> Line:
    """Return a share of finished missions, its upper bound and `others`, in `room` cells.

    Where they are too few, the bound becomes a sign, then goes, then the last of the others does.
    """
    share: Line = ((words.share(fallbacks, n), "warn" if fallbacks else "strong"),)
    bounds = [words.at_most(fallbacks, n), words.at_most(fallbacks, n, short=True)] if n else []
    forms = [join(share, (f" {bound}", "dim")) for bound in bounds] + [share]
    fewer = (others[:number] for number in range(len(others), -1, -1))
    told = (in_a_row((form, *some), " ") for some in fewer for form in forms)
    return next((line for line in told if width_of(line) <= room), share)


def agreement(figures: Numbers) -> list[Line]:
    """Return how the reconstructed rate stands to the reported one, nothing without a rate."""
    if figures.bounds is None:
        return []
    tone: Tone = "bad" if figures.unreported else "warn" if figures.uncounted else "good"
    first, *others = words.agreement(figures)
    return [((first, tone),), *(((other, "dim"),) for other in others)]


def rolling(wire: TripWire) -> Line:
    """Return how near guardrail 3 is to tripping, nothing without finished missions."""
    if not wire.terminal:
        return ()
    tone: Tone = "bad" if wire.tripped else "warn" if wire.to_trip == 1 else "dim"
    near = "" if wire.tripped else f", {wire.near}"
    return ((f"{words.rolling(wire)}{near}", tone),)


def strip(recent: tuple[LedgerEntry, ...]) -> Line:
    """Return a mark for each of the newest finished missions."""
    return tuple(_mark(entry) for entry in recent[-LAST:]) or (("none finished", "dim"),)


def _mark(entry: LedgerEntry) -> Span:
    if entry.mission.status == "failed":
        return ("X", "bad")
    return ("F", "warn") if entry.fell_back else ("·", "good")


def cancel_recovery(guardrail: CancelRecovery) -> Line:
    """Return how guardrail 1 stands."""
    tone: Tone = "bad" if guardrail.unconfirmed else "dim" if guardrail.is_quiet else "warn"
    return ((words.cancel_recovery(guardrail, short=True), tone),)


def evidence(target: EvidenceTarget | None) -> Line:
    """Return how guardrail 2 stands."""
    return ((words.evidence_target(target, short=True), "dim"),)


def auto_revert(guardrails: Guardrails) -> list[Line]:
    """Return who reverts, the words that matter most last."""
    tone: Tone = "bad" if guardrails.trip_wire.tripped else "dim"
    return [((part, tone),) for part in guardrails.auto_revert.split("; ")]


def turns(view: View) -> list[Line]:
    """Return how coding turns were routed, and which of them no rate can see."""
    tally, seen = view.state.routing, words.routing(view)
    if not listened(view):
        return [((seen, "warn"),)]
    first, *others = words.unseen(tally, short=True)
    return [
        plain(seen) if tally.coding_turns else ((seen, "dim"),),
        ((first, "warn" if tally.bootstrap else "dim"),),
        *(((other, "warn"),) for other in others),
    ]


def p95(seconds: float | None, count: int, room: int) -> Line:
    """Return a p95 with its rank; nothing else is cut where cells are few."""
    tone: Tone = "warn" if (seconds or 0.0) >= P95_WATCH_S else "strong"
    told = words.p95(seconds, count)
    return ((told if len(told) <= room else words.p95(seconds, count, short=True), tone),)


def trend(label: str, values: Sequence[float], width: int) -> Line:
    """Return one row of a trend in `width` cells, nothing where it would say nothing."""
    room = width - len(label)
    if room < TREND_MIN or not values:
        return ()
    return join((label, "dim"), (sparkline(values, room)[0], "accent"))


def missions(figures: Numbers, room: int) -> Line:
    """Return how the missions of the newest metrics stand.

    Statuses that vp-tui does not know are named, or where `room` is too little, counted.
    """
    failed = figures.snapshot.mission_counts.get("failed")
    tone: Tone = "bad" if failed else "warn" if figures.orphans else "plain"
    told = words.missions(figures, short=True)
    if len(told) > room:
        told = words.missions(figures, short=True, named=False)
    return ((told, tone),)


def own_figures(view: View, figures: Numbers, room: int) -> tuple[Line, Line, Line, Line]:
    """Return the window's share with its upper bound, p95 with its rank, missions and events.

    Where `room` is too little for the events, their words become letters.
    """
    assessment = assessment_of(view)
    own, window = assessment.numbers, assessment.window
    if own is None or window is None:
        return (("unknown", "warn"),), (), (), ()
    share = share_in(own.fallback, own.terminal, room)
    if not own.terminal:
        share = join(("n/a ", "strong"), "no missions" if not own.new else "0 finished")
    counts = words.mission_counts(own.completed, own.failed, own.running, short=True)
    events = view.same(_events, window, view.state.ledger, figures.snapshot)
    told = words.own_events(events)
    return (
        share,
        p95(own.p95_s, own.timed, room),
        ((counts, "bad" if own.failed else "plain"),),
        plain(told if len(told) <= room else words.own_events(events, short=True)),
    )


def _events(window: Window, ledger: Ledger, snapshot: Snapshot) -> Counter[str]:
    return events_of(window, ledger.entries.values(), snapshot.events)
