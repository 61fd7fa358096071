"""The figures in two lines, where something else needs their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.coverage import CoverageState
from vp_tui.ui import numbers as words
from vp_tui.ui.paint import Line, cut, flow, join
from vp_tui.ui.verdict import gate_words

if TYPE_CHECKING:
    from vp_tui.domain.guardrails import TripWire
    from vp_tui.domain.windows import WindowNumbers
    from vp_tui.sources import SourceView
    from vp_tui.ui.compared import Compared


def brief_lines(shown: Compared | None, source: SourceView, width: int) -> list[Line]:
    """Return two lines; `source` is the metrics' state without figures.

    What is last gives way where the line is full.
    """
    if shown is None:
        word, reason = words.no_figures(source, width)
        return [join(("fallback ", "dim"), word), cut(reason, width)]
    figures, made = shown.figures, shown.made
    is_blind = figures.coverage.state is CoverageState.BLIND
    rates = [
        join(("fallback win ", "dim"), _own(shown.own)),
        join(("epoch ", "dim"), words.reconstructed(figures, rate=False, bound=True)),
        (("reported BLIND", "bad"),) if is_blind else (),
        _rolling(figures.wire),
        words.cancel_recovery(made.guardrails.cancel_recovery),
    ]
    others = [
        join(("p95 ", "dim"), words.p95(figures)),
        join(("missions ", "dim"), words.missions(figures, width)),
        gate_words(made.gates),
    ]
    rates, others = ([words.aged(part, figures) for part in parts] for parts in (rates, others))
    rates.insert(1, words.doubt(figures))
    return [flow([part for part in parts if part], width)[0] for parts in (rates, others)]


def _own(own: WindowNumbers | None) -> Line:
    if own is None:
        return (("unknown", "warn"),)
    return ((f"{own.fallback}/{own.terminal}", "warn" if own.fallback else "strong"),)


def _rolling(wire: TripWire) -> Line:
    count = f"rolling {wire.fallbacks}/{wire.terminal}"
    return ((f"{count} TRIPPED", "bad"),) if wire.tripped else ((count, "dim"),)
