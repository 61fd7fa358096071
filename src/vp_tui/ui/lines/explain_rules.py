"""The explanation's rules: gates, promotion, guardrails, and the window with its figures.

Each gate and guardrail is told with how it stands, why, and by which rule; the window's figures
stand beside the cumulative ones; and each word that changed is told with its cause.
"""

from __future__ import annotations

from itertools import chain, starmap
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.domain.models import Source
from vp_tui.domain.rollout import gates as rules
from vp_tui.domain.rollout.guardrails import (
    EVIDENCE_TARGET,
    FAILURES_IN_A_ROW,
    FAILURES_OF_LAST,
    ROLLING,
    TRIPS_AT,
)
from vp_tui.domain.rollout.verdicts import GATE_TITLES, SUITES_MAX_AGE_S, Verdict
from vp_tui.domain.runs.cancels import UNCONFIRMED_AFTER_S
from vp_tui.domain.statistics import CLAIM_FROM
from vp_tui.domain.text import clock_z, counted, figure, literal
from vp_tui.domain.vocabulary import (
    FALLBACK_CRITICAL,
    FALLBACK_WATCH,
    GUARDRAIL_RATE,
    NOT_AVAILABLE,
    P95_CRITICAL_S,
    P95_WATCH_S,
    RevertMode,
    Stage,
    percent,
    rate_cell,
)
from vp_tui.ui.lines.figures import unknown
from vp_tui.ui.lines.paint import (
    EMPTY,
    NAMES,
    VERDICT_TONES,
    Line,
    fact,
    facts,
    fit,
    heading,
    join,
    paragraph,
)
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.sources import source_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.rollout.situation import Cause
    from vp_tui.domain.rollout.verdicts import GateResult
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.domain.runs.alarms import LastChange
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


_G1: Final = (
    f"FAIL: guardrail 3 is tripped, or a rate from {percent(FALLBACK_CRITICAL)} on with at least"
    f" {rules.CRITICAL_FALLBACKS} fallbacks, in the window, the last {ROLLING} or the epoch. WATCH:"
    f" from {percent(FALLBACK_WATCH)} on in any of the three. PASS: the always-valid test claims a"
    f" rate below {percent(GUARDRAIL_RATE)} (E >= {CLAIM_FROM:g}), and the last {ROLLING} hold no"
    " fallback."
)
_G2: Final = (
    f"FAIL: {FAILURES_IN_A_ROW} failed in a row, or {FAILURES_OF_LAST[0]} of the last"
    f" {FAILURES_OF_LAST[1]}. WATCH: 1 of the last {ROLLING}, or one orphaned. PASS:"
    f" {rules.FAILURES_CLEAR} finished and none of these. A failed mission failed on the VP and on"
    " the primary path: users saw it."
)
_G3: Final = (
    f"FAIL: p95 from {P95_CRITICAL_S:g} s on with at least {rules.P95_CRITICAL_FROM} missions,"
    f" {rules.CRITICAL_MISSIONS} of them that slow; or {rules.CRITICAL_MISSIONS} of a full last"
    f" {ROLLING}; or the alarm that more than {percent(rules.SLOW_FRACTION)} reach"
    f" {P95_WATCH_S:g} s (E >= {CLAIM_FROM:g}). WATCH: p95 from {P95_WATCH_S:g} s on; or, looked at"
    f" when {rules.LOOKS[0]} are timed and after each {rules.LOOKS[1]} more,"
    f" {rules.SLOW_OF_LAST} of the last {ROLLING} reach it, or the last {rules.COMPARED[0]} are"
    f" slower than the {rules.COMPARED[1]} before (p < {rules.SLOWER_P:g} and more than"
    f" {rules.SLOWER_SHIFT_S:g} s). PASS: none of these, from {rules.P95_JUDGED_FROM} missions on."
)
_G4: Final = (
    "FAIL: session-continuity has an alert or a status that is not ok, or the continuity suites"
    " failed. UNKNOWN: it does not answer. PASS: neither, and the suites passed within"
    f" {SUITES_MAX_AGE_S / 86_400:g} days."
)
_GATES: Final = {
    "G1": ("fallback rate below target", _G1, "more clean {}"),
    "G2": ("no sustained vp.mission.failed", _G2, "more finished {}, none failed"),
    "G3": ("p95 stable and in range", _G3, "more {} with a duration"),
    "G4": ("no continuity regression", _G4, ""),
}
"""Each gate's name, its rule in a sentence, and what its `+n` counts."""
_TRIP_RULE: Final = (
    f"trips above {percent(GUARDRAIL_RATE)} of the rolling {ROLLING} finished missions: at"
    f" {TRIPS_AT} fallbacks, also while there are fewer than {ROLLING}; and at"
    f" {FAILURES_IN_A_ROW} failed missions in a row, or {FAILURES_OF_LAST[0]} of the last"
    f" {FAILURES_OF_LAST[1]}"
)
_NO_NUMBER: Final = {
    Verdict.PASS: "nothing",
    Verdict.WAIVED: "the proof itself",
    Verdict.UNKNOWN: "a source that can be trusted",
}
"""What is missing where no number of missions says it."""
_MODES: Final = {
    RevertMode.OFF: "vp-tui does nothing",
    RevertMode.DRY_RUN: "vp-tui says when fallback would be forced, and does nothing",
    RevertMode.ARMED: (
        f"vp-tui forces fallback, once, after a countdown that {STOP_KEY} stops; one vp-tui at a"
        " time on this host"
    ),
}

_CELL: Final = 20
"""Cells of one column of figures, at most."""


def gates_section(view: View, width: int) -> list[Line]:
    """Return the four gates and the promotion line."""
    gates = assess(view).gates
    note = (
        "The proof that there is so far. Rates are reconstructed, over this epoch's finished"
        " missions of real traffic; those cancelled by hand count nowhere. What is blind, stale,"
        " refused or missing never passes."
    )
    tone: Tone = "good" if not gates.missing else "strong"
    meaning = (
        "Recommended when all four PASS in one window. It is not the word that may be recorded: a"
        " rollout may go on with less than proof, and this line shows how much less."
    )
    return [
        heading("GATES"),
        *paragraph(note, width, tone="dim"),
        *chain(*(gate_lines(name, gate, width) for name, gate in gates.by_name().items())),
        *paragraph(f"Promotion: {words.promotion(gates)}", width, tone=tone),
        *paragraph(meaning, width, tone="dim"),
    ]


def gate_lines(name: str, gate: GateResult, width: int) -> list[Line]:
    """Return one gate: its verdict, why, the limit, what is missing, and its rule."""
    title, rule, _unit = _GATES[name]
    verdict = (str(gate.verdict), VERDICT_TONES[gate.verdict])
    return [
        join((f"  {GATE_TITLES[name]} ", "strong"), verdict, f"  {title}"),
        *fact("  why", literal(gate.reason), width),
        *fact("  limit", gate.threshold, width),
        *fact("  missing", _missing(name, gate), width),
        *fact("  rule", rule, width, "dim"),
    ]


def _missing(name: str, gate: GateResult) -> str:
    missing = gate.missing
    if missing is None:
        return _NO_NUMBER.get(gate.verdict, "what is wrong must pass first")
    if missing.startswith("+"):
        count = missing[1:]
        return f"{count} {_GATES[name][2].format('mission' if count == '1' else 'missions')}"
    return f"the {missing}' result" if missing == "suites" else missing


def guardrails_section(view: View, width: int) -> list[Line]:
    """Return the three guardrails, and who reverts."""
    guardrails = assess(view).guardrails
    recovery = guardrails.cancel_recovery
    meaning = (
        "Every cancel, also one made by somebody else, is followed until a later turn completes:"
        " until then it is no recovery, though active_runs reads 0. After"
        f" {UNCONFIRMED_AFTER_S:g} s it is raised as UNCONFIRMED."
    )
    return [
        heading("GUARDRAILS"),
        *fact("1 cancels", join((literal(recovery.state), "strong"), f". {meaning}"), width),
        *fact("2 evidence", _target(view), width),
        *fact("3 revert", _wire(view), width),
        *fact("  rule", _TRIP_RULE, width, "dim"),
        *fact("  proof", _alarm(view), width),
        *fact("  who", guardrails.auto_revert, width, "strong"),
        *fact("  mode", f"{guardrails.mode}: {_MODES[guardrails.mode]}", width),
        *paragraph("Nothing in the gateway reverts by itself.", width, 13),
    ]


def _target(view: View) -> Line:
    target = assess(view).target
    if target is None:
        return join((words.evidence_target(None), "warn"), "; --evidence LOG names one")
    full = ". The count stops there" if target.count >= EVIDENCE_TARGET else ""
    return join((literal(words.evidence_target(target)), "strong"), full)


def _wire(view: View) -> Line:
    if numbers(view) is None:
        return ((f"unknown: {words.no_metrics(source_view(view, Source.METRICS))}", "warn"),)
    wire = assess(view).wire
    return ((wire.sentence, "bad" if wire.tripped else "good"),)


def _alarm(view: View) -> str:
    wire = assess(view).wire
    if not wire.terminal:
        return "none: no finished mission is known"
    return (
        f"E {wire.evidence:.3g} of {CLAIM_FROM:g} that the rate is above"
        f" {percent(GUARDRAIL_RATE)}: a trip is policy, and proof only from {CLAIM_FROM:g} on"
    )


def window_section(view: View, width: int) -> list[Line]:
    """Return what the window is, and its figures beside those of the epoch and the gateway."""
    assessment, figures = assess(view), numbers(view)
    window = assessment.window
    if window is None:
        told = f"unknown: {words.no_log(view)}"
        return [heading("WINDOW"), *paragraph(told, width, tone="warn")]
    title = join(heading("WINDOW "), (literal(window.label), "strong"))
    lines = [title, *facts(_nature(view, window), width)]
    if figures is None or assessment.numbers is None:
        return [*lines, *unknown(view, width)]
    size = min((width - NAMES) // 3, _CELL)
    table = _table(assessment.numbers, figures, words.population(view), size)
    note = (
        "The gateway's figures are cumulative and count running missions too. Gates and guardrails"
        " count the epoch; traffic and clean are the window's."
    )
    return [*lines, EMPTY, *table, *paragraph(note, width, tone="dim")]


def _nature(view: View, window: Window) -> Iterator[tuple[str, str]]:
    watch = view.state.watch
    asked = " (asked for with --stage)" if watch.stage is not None else ""
    if window.stage is Stage.REVERTED and not asked:
        asked = " (the forced fallback is proven)"
    feeds = "feeds gates and guardrails" if window.source.is_real else "feeds no gate or guardrail"
    yield "stage", f"{window.stage}{asked}"
    yield "source", f"{window.source}: {feeds}"
    yield "scope", literal(window.scope)
    yield "state", words.opened(view, window)
    yield "holds", _anchor(window)
    if window.decision is not None:
        yield "last word", literal(window.decision)
    clean = {True: "yes", False: "no", None: "unknown"}
    yield "clean", clean[assess(view).is_clean]


def _anchor(window: Window) -> str:
    """Say which missions are the window's."""
    known = 0 if window.anchor is None else len(window.anchor)
    missions = counted(known, "mission")
    if window.opened_at is None:
        if not known:
            return "all missions known: no record beside the log names one"
        return f"all missions but the {missions} that records beside the log name"
    if window.anchor is None:
        return "missions started after the opening: the gateway did not answer then"
    return f"missions first seen, or started, after the opening: {missions} were known then"


def _table(own: WindowNumbers, figures: Numbers, epoch: str, size: int) -> list[Line]:
    """Return the figures of the window, of the epoch and of the gateway, side by side."""
    seen, counts = figures.reconstruction, figures.snapshot.mission_counts
    reported, latency = figures.snapshot.fallback, figures.snapshot.latency
    fell_back = (
        (own.fallback, own.known),
        (seen.fallbacks, seen.terminal),
        (reported.with_fallback, reported.considered),
    )
    slow = (own.p95_s, own.timed), (figures.p95_s, figures.timed), (latency.p95_s, latency.count)
    rows: tuple[tuple[object, ...], ...] = (
        ("finished", own.terminal, seen.terminal, f"{figure(reported.considered)} listed"),
        ("completed", own.completed, figures.completed, figure(counts.get("completed", 0))),
        ("failed", own.failed, figures.failed, figure(counts.get("failed", 0))),
        ("running", own.running, figures.running, figure(counts.get("running", 0))),
        ("fell back", *starmap(_share, fell_back)),
        ("proven", *starmap(_bound, fell_back[:2]), ""),
        ("p95", *starmap(words.p95, slow)),
    )
    head = join(" " * NAMES, *((fit(name, size), "dim") for name in ("window", epoch, "gateway")))
    return [head, *(_row(size, *row) for row in rows)]


def _row(size: int, name: object, *cells: object) -> Line:
    return join("  ", (fit(str(name), NAMES - 2), "dim"), *(fit(str(cell), size) for cell in cells))


def _share(part: int, whole: int) -> str:
    told = words.share(part, whole)
    return f"{told} ({rate_cell(part / whole)})" if "/" in told and whole else told


def _bound(part: int, whole: int) -> str:
    return words.at_most(part, whole) if whole else NOT_AVAILABLE


def changes_section(view: View, width: int) -> list[Line]:
    """Say of each word that the screen goes by since when it reads so, and what changed it."""
    known = sorted(view.state.last_changes.items(), key=lambda told: -told[1].at)
    if not known:
        return []
    changed = facts(((name, _changed(view, one)) for name, one in known if one.before), width)
    first_at = clock_z(view.wall_at(known[-1][1].at))
    rest = f"the others read as they did at first, {first_at}" if changed else ""
    rest = rest or f"none since the first look, {first_at}"
    is_told = not all(one.before for _name, one in known)
    return [heading("LAST CHANGES"), *changed, *(paragraph(rest, width) if is_told else [])]


def _changed(view: View, change: LastChange) -> Line:
    since = f"{change.after} since {clock_z(view.wall_at(change.at))}"
    return join(f"{since}: {change.cause}", (f", before {change.before}", "dim"))


def no_traffic_section(view: View, width: int) -> list[Line]:
    """Say for each cause of a window without missions what speaks for and against it."""
    own = assess(view).numbers
    if own is None or not own.is_empty:
        return []
    causes = facts(map(_cause, assess(view).causes), width)
    return [heading("WHY NO TRAFFIC: no mission in the window"), *causes]


def _cause(cause: Cause) -> tuple[str, Line]:
    text = literal(cause.line)
    if cause.is_likely:
        return "likely", ((text, "strong"),)
    return ("unlikely", ((text, "dim"),)) if cause.speaks_against else ("open", join(text))
