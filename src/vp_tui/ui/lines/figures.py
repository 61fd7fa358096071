"""The figures as lines: the words of `views/words` with their tones, as wide as there is room.

Rates, p95, missions, events, turns and guardrails, for layouts to put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.windows import events_of
from vp_tui.domain.text import age, figure
from vp_tui.domain.vocabulary import P95_WATCH_S
from vp_tui.ui.lines.header import assessment_of
from vp_tui.ui.lines.paint import (
    WORD_SYMBOLS,
    WORD_TONES,
    Line,
    cut,
    flow,
    in_a_row,
    join,
    paragraph,
    plain,
    width_of,
)
from vp_tui.views import words
from vp_tui.views.lane import turns_told, unseen_turns
from vp_tui.views.sources import SourceView, SourceWord, listened, source_view

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
OWN_EVENTS: Final = 3
"""Kinds of a window's events that are told: its missions tell of failures."""
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
BAR: Final = 3
"""Columns of a bar at most, where values are few."""
TREND_MIN: Final = 4
"""Cells below which a trend says nothing."""


def sparkline(values: Sequence[float], width: int, height: int = 1) -> list[str]:
    """Return `height` rows of at most `width` columns that draw the newest values.

    One row draws how they move, from just under the lowest to just over the highest; several rows
    draw how large they are, from zero up. Few values become bars of up to BAR columns.
    """
    shown = values[-width:] if width > 0 else ()
    low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)
    margin = max((high - low) / 4, high / 10) if height == 1 else 0.0
    base = low - margin if height == 1 else 0.0
    reach = (high + margin - base) or 1.0
    bar = min(max(width // max(len(shown), 1), 1), BAR)
    levels = [max(round((value - base) / reach * height * 8), 1) for value in shown]
    return [
        "".join(_BLOCKS[min(max(level - row * 8, 0), 8)] * bar for level in levels)
        for row in range(height - 1, -1, -1)
    ]


def no_figures(source: SourceView, width: int) -> list[Line]:
    """Return what stands where figures would: nothing is known, and why."""
    told = words.source_word(source.word)
    word = told if source.word is SourceWord.IDLE else f"no data: {told}"
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


def fields(told: Sequence[str], room: int, between: str = " ") -> str:
    """Return as many fields as fit into `room` cells, one at least; the last ones go first."""
    kept = (between.join(told[:number]) for number in range(len(told), 1, -1))
    return next((text for text in kept if len(text) <= room), told[0])


def reported(figures: Numbers) -> Line:
    """Return the gateway's rate, and whether it can be believed."""
    return ((words.reported(figures), _rate_tone(figures)),)


def _rate_tone(figures: Numbers) -> Tone:
    if figures.coverage.state is CoverageState.BLIND:
        return "bad"
    return "warn" if figures.snapshot.fallback.with_fallback else "strong"


def compared(figures: Numbers, room: int) -> Line:
    """Return the gateway's rate, of which missions it is, and how the reconstructed one stands.

    Where `room` is little, the missions go first, then what is inferred, then the rate's doubt.
    """
    told = agreement(figures)
    rate = words.reported_rate(figures)
    short = {CoverageState.BLIND: "BLIND", CoverageState.TRUNCATED: f"{rate} partial"}
    tone = _rate_tone(figures)
    doubted: Line = ((short.get(figures.coverage.state, rate), tone),)
    whole = reported(figures)
    if figures.reported_rate is not None:
        whole = join(whole, (" listed", "dim"))
    wanted = [in_a_row((whole, *told), "  ")]
    wanted += [in_a_row((doubted, *told[:number]), " ") for number in (2, 1)]
    return next((line for line in wanted if width_of(line) <= room), cut(doubted, room))


def share_in(fallbacks: int, n: int, room: int) -> Line:
    """Return a share of finished missions with its upper bound, without it where cells are few."""
    share: Line = ((words.share(fallbacks, n), "warn" if fallbacks else "strong"),)
    if not n:
        return share
    line = join(share, (f" {words.at_most(fallbacks, n)}", "dim"))
    return line if width_of(line) <= room else share


def agreement(figures: Numbers) -> list[Line]:
    """Return how the reconstructed rate stands to the reported one, nothing without a rate."""
    if figures.bounds is None:
        return []
    first, *others = words.agreement(figures)
    tone: Tone = "bad" if figures.unreported else "good" if first.startswith("agree") else "warn"
    return [((first, tone),), *(((other, "dim"),) for other in others)]


def rolling(wire: TripWire, room: int) -> Line:
    """Return how near guardrail 3 is to tripping."""
    tone: Tone = "bad" if wire.tripped else "warn" if wire.to_trip == 1 else "dim"
    told = words.rolling(wire)
    parts = words.rolling(wire, short=True).split(", ")
    return ((told if len(told) <= room else fields(parts, room, ", "), tone),)


def strip(recent: tuple[LedgerEntry, ...]) -> Line:
    """Return a mark for each of the newest finished missions."""
    return tuple(_mark(entry) for entry in recent[-LAST:]) or (("none finished", "dim"),)


def _mark(entry: LedgerEntry) -> Span:
    if entry.mission.status == "failed":
        return ("X", "bad")
    if not entry.is_known:
        return ("?", "warn")
    return ("F", "warn") if entry.fell_back else ("·", "good")


def cancel_recovery(guardrail: CancelRecovery) -> Line:
    """Return how guardrail 1 stands."""
    tone: Tone = "bad" if guardrail.unconfirmed else "dim" if guardrail.is_quiet else "warn"
    return ((words.cancel_recovery(guardrail, short=True), tone),)


def evidence(target: EvidenceTarget | None, room: int) -> Line:
    """Return how guardrail 2 stands; without room not since which window."""
    told = words.evidence_target(target, short=True)
    return ((told if len(told) <= room else told.partition(" since ")[0], "dim"),)


def auto_revert(guardrails: Guardrails) -> list[Line]:
    """Return who reverts, the words that matter most last."""
    tone: Tone = "bad" if guardrails.trip_wire.tripped else "dim"
    return [((part, tone),) for part in guardrails.auto_revert.split("; ")]


def turns(view: View, *, short: bool = False, is_brief: bool = False) -> list[Line]:
    """Return how coding turns were routed, and which of them no rate can see."""
    tally, told = view.state.routing, turns_told(view, is_brief=short or is_brief)
    if tally.coding_turns:
        tone: Tone = "plain"
    else:
        tone = "dim" if listened(view) else "warn"
    silent = tally.unexplained > tally.forced + tally.disabled
    lines: list[Line] = [((part, tone),) for part in told]
    if not listened(view) and not tally.coding_turns:
        return lines
    for part in unseen_turns(view, short=short):
        is_start = part.startswith("no mission")
        is_bad = tally.bootstrap if is_start else silent or tally.lease_degraded
        lines.append(((part, "warn" if is_bad else "dim" if is_start else "plain"),))
    return lines


def p95(seconds: float | None, count: int, room: int) -> Line:
    """Return a p95 with its rank; where cells are few, in fewer digits, then without the rank."""
    tone: Tone = "warn" if (seconds or 0.0) >= P95_WATCH_S else "strong"
    short = words.p95(seconds, count, short=True)
    forms = (whole := words.p95(seconds, count), whole.partition(",")[0], short)
    told = next((form for form in forms if len(form) <= room), short.partition(" ")[0])
    return ((told, tone),)


def trend(label: str, values: Sequence[float], width: int) -> Line:
    """Return one row of a trend in `width` cells, nothing where it would say nothing."""
    room = width - len(label)
    if room < TREND_MIN or not values:
        return ()
    return join((label, "dim"), (sparkline(values, room)[0], "accent"))


def missions(figures: Numbers, room: int, *, short: bool) -> Line:
    """Return how the epoch's missions stand; what `room` is too little for goes, the last first."""
    told = _epoch_missions(figures)
    if len(", ".join(told)) > room:
        told = _epoch_missions(figures, with_ages=False)
    text = fields(told, room, ", ")
    if short and text != ", ".join(told):
        text = fields(epoch_in_brief(figures), room)
    return ((text, _missions_tone(figures)),)


def _epoch_missions(figures: Numbers, *, with_ages: bool = True) -> list[str]:
    told = words.mission_counts(figures.completed, figures.failed, figures.running).split(", ")
    if figures.under_way and with_ages:
        up_to = "" if figures.running == 1 else "up to "
        told[-1] = f"{told[-1]} {up_to}{age(figures.under_way[0][1])}"
    return [*told, *words.not_counted(figures)]


def epoch_in_brief(figures: Numbers) -> list[str]:
    """Return how the epoch's missions stand, what is odd before what is usual."""
    ok, bad, *running = _in_few(figures.completed, figures.failed, figures.running)
    return [ok, bad, *words.not_counted(figures)[0 if figures.orphans else 1 :], *running]


def listed_in_brief(figures: Numbers) -> list[str]:
    """Return how the missions that the gateway lists stand, as its row counts them."""
    counts = figures.snapshot.mission_counts
    ok, *others = _in_few(counts.get("completed", 0), counts.get("failed", 0), figures.running)
    return [f"listed: {ok}", *others]


def _in_few(completed: int, failed: int, running: int) -> list[str]:
    runs = [f"{figure(running)} running"] if running else []
    return [f"{figure(completed)} ok", f"{figure(failed)} failed", *runs]


def mission_fields(figures: Numbers, width: int) -> list[Line]:
    """Return how the epoch's missions stand, in as many lines as that takes."""
    *told, last = _epoch_missions(figures)
    tone = _missions_tone(figures)
    return flow([((part, tone),) for part in (*(f"{one}," for one in told), last)], width, " ")


def _missions_tone(figures: Numbers) -> Tone:
    return "bad" if figures.failed else "warn" if figures.orphans else "plain"


def spread_of(figures: Numbers) -> str:
    """Return median and maximum as the gateway has them, and of which missions they are."""
    latency = figures.snapshot.latency
    if latency.p50_s is None or latency.max_s is None:
        return ""
    p50, largest = (figure(one, ".1f", "s") for one in (latency.p50_s, latency.max_s))
    told = f"p50 {p50} max {largest}"
    return told if latency.count == figures.timed else f"listed: {told}"


def listed_events(figures: Numbers, room: int) -> Line:
    """Return the mission events that the gateway lists, as many kinds as fit."""
    first, *others = words.events(figures.snapshot.event_counts)
    return plain(fields([f"listed: {first}", *others], room))


def own_figures(
    view: View, figures: Numbers, room: int, *, short: bool = False
) -> tuple[Line, Line, Line, Line]:
    """Return the window's share with its upper bound, p95 with its rank, missions and events."""
    assessment = assessment_of(view)
    own, window = assessment.numbers, assessment.window
    if own is None or window is None:
        return (("unknown", "warn"),), (), (), ()
    share = share_in(own.fallback, own.known, room)
    if not own.terminal:
        share = join(("n/a ", "strong"), "no missions" if own.is_empty else "0 finished")
    if own.unknown:
        share = join(words.share(own.fallback, own.known), (f" {own.unknown} unknown", "warn"))
    whole = words.mission_counts(own.completed, own.failed, own.running).split(", ")
    counts = fields(whole, room, ", ")
    if short and counts != ", ".join(whole):
        counts = fields(_in_few(own.completed, own.failed, own.running), room)
    events = words.events(own_events(view, figures, window))[:OWN_EVENTS]
    return (
        share,
        p95(own.p95_s, own.timed, room),
        ((counts, "bad" if own.failed else "plain"),),
        plain(fields(events, room)),
    )


def own_events(view: View, figures: Numbers, window: Window) -> Counter[str]:
    """Return how many events of each kind the window's own missions have."""
    return view.same(_events, window, view.state.ledger, figures.snapshot)


def _events(window: Window, ledger: Ledger, snapshot: Snapshot) -> Counter[str]:
    return events_of(window, ledger.entries.values(), snapshot.events)


def unknown(view: View, width: int) -> list[Line]:
    """Say why there are no figures."""
    reason = words.no_metrics(source_view(view, Source.METRICS))
    return paragraph(f"unknown: {reason}", width, tone="warn")
