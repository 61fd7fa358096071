"""Rows, facts and processes that append, for the tests of the evidence log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.rollout.evidence_row import EvidenceRow
from vp_tui.storage.rows import RecordFacts, record_row

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN: Final = (Path(__file__).parents[1] / "golden" / "evidence_log.md").read_bytes()
WINDOW: Final = "Broadened rollout window #5 (real traffic)"
SNAPSHOT: Final[dict[str, Any]] = {
    "generated_at": "2026-02-17T08:00:00Z",
    "fallback": {"missions_considered": 18, "missions_with_fallback": 0, "rate": 0.0},
    "latency_seconds": {"count": 18, "p95_seconds": 35.964},
}


def row(notes: str = "clean", **cells: str) -> EvidenceRow:
    """Return a row whose numbers follow from SNAPSHOT."""
    usual = {
        "date": "2026-02-17T08:00:00Z",
        "window": WINDOW,
        "scope": "organic turns",
        "refs": "`GET /api/v1/ops/metrics/coder-vp?mission_limit=500&event_limit=1000`",
        "fallback_rate": "0.000",
        "p95_latency": "35.964s",
        "decision": "GO_BROADER_TRAFFIC_ACTIVE",
    }
    return EvidenceRow(**(usual | cells), notes=notes)


def facts(snapshot: dict[str, Any] | None = SNAPSHOT, window: str = WINDOW) -> RecordFacts:
    """Return the facts of such a row."""
    return RecordFacts(
        window=window,
        snapshot=snapshot,
        limits={"mission_limit": 500, "event_limit": 1000},
        thresholds={"p95_watch_s": 45.0},
        epoch="2026-02-17T01:00:00",
        actor="ann@host",
        stage="broadened",
        source="organic",
        gates={"G1": {"verdict": "INCONCLUSIVE", "reason": "+17 clean missions"}},
        suggestion={"decision": "GO_BROADER_TRAFFIC_ACTIVE", "reasons": ["clean"]},
    )


def append_many(log: Path, worker: int, count: int) -> None:
    """Append and record `count` rows as process number `worker`."""
    for number in range(count):
        record_row(log, row(f"worker {worker} row {number}"), facts(), wait_s=60)


def save_often(log: Path, count: int) -> None:
    """Save the log `count` times as editors do, by replacing it, each time with one more line."""
    for number in range(count):
        copy = log.with_name("editor")
        copy.write_bytes(log.read_bytes() + f"edit {number}\n".encode())
        copy.replace(log)


def on_call(number: int, function: Callable[..., Any], action: Callable[[], None]) -> Any:  # noqa: ANN401 - a stand-in for any function
    """Return `function`, except that its call `number`, counted from 1, is preceded by `action`."""
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        nonlocal calls
        calls += 1
        if calls == number:
            action()
        return function(*args, **kwargs)

    return counted


def names(directory: Path) -> list[str]:
    """Return what is in a directory."""
    return sorted(os.listdir(directory))  # noqa: PTH208 - names
