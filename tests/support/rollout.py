"""Makers of what the rollout's rules judge: finished missions, windows and whole situations."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.builders import NOW, continuity, mission

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.missions import Ledger, LedgerEntry, Signal, Witness, terminal_entries
from vp_tui.domain.rollout.evidence_row import EvidenceRow, parse_log
from vp_tui.domain.rollout.gates import GateFacts, judge_gates
from vp_tui.domain.rollout.guardrails import trip_wire
from vp_tui.domain.rollout.labels import clean_limited_windows
from vp_tui.domain.rollout.situation import Share, Situation
from vp_tui.domain.rollout.verdicts import GateResult, Gates, Verdict
from vp_tui.domain.rollout.windows import Window, WindowNumbers, numbers_of, unreal_missions
from vp_tui.domain.vocabulary import Stage, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GOLDEN_LOG: Final = Path(__file__).parents[1] / "golden" / "evidence_log.md"
PASSED: Final = GateResult(Verdict.PASS, "fine", "none")


def golden_rows() -> list[EvidenceRow]:
    """Return the 16 rows of a real log."""
    return [logged.row for logged in parse_log(GOLDEN_LOG.read_bytes()).rows]


def row(window: str, decision: str = "HOLD_SHADOW", **cells: str) -> EvidenceRow:
    """Return a measured row."""
    values = {
        "date": "2026-11-23T02:00:00Z",
        "scope": "organic coding turns",
        "refs": "GET /api/v1/ops/metrics/coder-vp",
        "fallback_rate": "0.000",
        "p95_latency": "30.000s",
        "notes": "",
    }
    return EvidenceRow(window=window, decision=decision, **(values | cells))


def unmeasured(label: str, decision: str = "BLOCKED_AUTH", **cells: str) -> EvidenceRow:
    return row(label, decision, **{"fallback_rate": "n/a", "p95_latency": "n/a", **cells})


def entry(mission_id: str = "m1", status: str = "completed", **fields: Any) -> LedgerEntry:
    """Return what the ledger has of a clean mission; `fell_back` and `cancelled` say otherwise.

    Its end was seen, unless `is_known` is false.
    """
    is_known = fields.pop("is_known", True)
    signals = frozenset({Signal.EVENT}) if fields.pop("fell_back", False) else frozenset[Signal]()
    cancelled = fields.pop("cancelled", False)
    told = mission(mission_id, status, **fields)
    witness = Witness.EVENTS if told.is_terminal and is_known else None
    return LedgerEntry(told, signals, cancelled=cancelled, witness=witness)


def history(marks: str, durations: Iterable[float] = ()) -> tuple[LedgerEntry, ...]:
    """Return missions, oldest first, a letter each: `.` clean, `b` fell back, `F` failed.

    `durations` are seconds, of the first missions; the others took 30 s.
    """
    lengths = chain(durations, repeat(30.0))
    return tuple(
        entry(
            f"m{index:03d}",
            "failed" if mark == "F" else "completed",
            started_s=(index - len(marks)) * 60.0,
            duration_s=next(lengths),
            fell_back=mark in "bF",
        )
        for index, mark in enumerate(marks)
    )


def lasting(durations: Sequence[float]) -> tuple[LedgerEntry, ...]:
    """Return clean missions, oldest first, that took so many seconds each."""
    return history("." * len(durations), durations)


def window(**fields: Any) -> Window:
    """Return an open window of organic traffic, into which every mission falls."""
    values: dict[str, Any] = {
        "label": "Broadened rollout window #5",
        "scope": "organic coding turns",
        "stage": Stage.BROADENED,
        "source": Traffic.ORGANIC,
        "opened_at": NOW,
        "anchor": frozenset[str](),
    }
    return Window(**(values | fields))


def gate_facts(finished: Sequence[LedgerEntry] = (), **fields: Any) -> GateFacts:
    """Return what the gates look at: fresh sources, and all missions in the window."""
    listed = tuple(finished)
    values: dict[str, Any] = {
        "window": numbers_of(window(), listed),
        "coverage": CoverageState.FULL if listed else CoverageState.NONE,
        "continuity": continuity(),
    }
    return GateFacts(listed, trip_wire(listed), **(values | fields))


def passing() -> Gates:
    return Gates(PASSED, PASSED, PASSED, PASSED)


def situation(**fields: Any) -> Situation:
    """Return a healthy one: three clean missions in an organic broadened window."""
    values: dict[str, Any] = {
        "stage": Stage.BROADENED,
        "source": Traffic.ORGANIC,
        "window": WindowNumbers(new=3, completed=3, p95_s=33.0),
        "trip_wire": trip_wire(history("...")),
        "gates": passing(),
        "coverage": CoverageState.FULL,
        "epoch": Share(0, 3),
    }
    return Situation(**(values | fields))


def observed(
    watched: Window,
    missions: Sequence[LedgerEntry] = (),
    rows: Sequence[EvidenceRow] = (),
    **fields: Any,
) -> Situation:
    """Return the situation that follows from missions and rows, as the watching part derives it."""
    ledger = Ledger({made.mission.mission_id: made for made in missions})
    finished = terminal_entries(ledger, None)
    unreal = unreal_missions([watched], [made.mission for made in missions])
    real = tuple(made for made in finished if made.mission.mission_id not in unreal)
    numbers = numbers_of(watched, missions)
    coverage = CoverageState.FULL if missions else CoverageState.NONE
    wire = trip_wire(real)
    facts = GateFacts(
        real,
        wire,
        window=numbers if watched.source.is_real else None,
        coverage=coverage,
        continuity=continuity(),
    )
    values: dict[str, Any] = {
        "stage": watched.stage,
        "source": watched.source,
        "window": numbers,
        "trip_wire": wire,
        "gates": judge_gates(facts),
        "coverage": coverage,
        "epoch": Share(sum(made.fell_back for made in real), len(real)),
        "clean_limited": clean_limited_windows(rows),
    }
    return Situation(**(values | fields))
