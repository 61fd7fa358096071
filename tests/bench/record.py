"""What one evidence row with its record costs, into a log of 10,000 rows, until it is on disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from tests.bench.result import Figures, Result, median_ms, milliseconds, percentile

from vp_tui.domain.rollout.evidence_row import NEW_LOG, EvidenceRow, format_row, parse_log
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.records import canonical
from vp_tui.storage.rows import RecordFacts, record_or_keep

if TYPE_CHECKING:
    from pathlib import Path

ROWS: Final = 10_000
MISSIONS: Final = 500
EVENTS: Final = 1_000
RUNS: Final = 60
P95_MS: Final = 50.0
_LANE: Final = "/srv/gateway/workspaces/vp_coder_primary"
_OBJECTIVE: Final = (
    "Please implement the parser code in the module, add tests for the edge cases that the last "
    "review named, and refactor the function that reads the “manifest” while you are there. "
) * 2
_NOTES: Final = (
    "`missions_considered=500`, `missions_with_fallback=0`, `mission_counts={completed:500}`, "
    "`event_counts={vp.mission.dispatched:500,vp.mission.completed:500}`; window: +5 missions; "
    "as suggested: 5 clean, no gate FAILs, no run hangs"
)


def run(home: Path, log_rows: int = ROWS, runs: int = RUNS) -> Result:
    log, spool = home / "record" / "evidence_log.md", home / "record" / "spool"
    log.parent.mkdir()
    log.write_bytes(NEW_LOG + b"".join(_row(n).encode() + b"\n" for n in range(log_rows)))
    facts = _facts()
    seconds = []
    _, seen = read_log(log)
    for number in range(log_rows, log_rows + runs):
        row = _evidence(number)
        began = time.perf_counter()
        appended = record_or_keep(spool, log, row, facts, expected=seen)
        seconds.append(time.perf_counter() - began)
        seen = appended.fingerprint
    if len(parse_log(log.read_bytes()).rows) != log_rows + runs:
        raise RuntimeError("a row was lost")
    p95 = milliseconds(percentile(seconds, 0.95))
    figures: Figures = {
        "log_rows": log_rows,
        "log_bytes": log.stat().st_size,
        "snapshot_bytes": len(canonical(facts.snapshot)),
        "median_ms": median_ms(seconds),
        "p95_ms": p95,
        "max_ms": milliseconds(max(seconds)),
    }
    return Result(figures, f"p95 <= {P95_MS:g} ms", met=p95 <= P95_MS)


def _row(number: int) -> str:
    return format_row(_evidence(number))


def _evidence(number: int) -> EvidenceRow:
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    return EvidenceRow(
        date=f"2026-02-17T{hours % 24:02d}:{minutes:02d}:{seconds:02d}Z",
        window=f"Broadened rollout window #{number} (real traffic)",
        scope="vp.coder.primary on prod, organic traffic",
        refs="`GET /api/v1/ops/metrics/coder-vp?mission_limit=500&event_limit=1000`",
        fallback_rate="0.000",
        p95_latency="35.964s",
        decision="GO_BROADER_TRAFFIC_ACTIVE",
        notes=_NOTES,
    )


def _facts() -> RecordFacts:
    return RecordFacts(
        window="Broadened rollout window #5",
        snapshot={
            "generated_at": "2026-02-17T08:00:00+00:00",
            "fallback": {"missions_considered": MISSIONS, "missions_with_fallback": 0, "rate": 0.0},
            "latency_seconds": {"count": MISSIONS, "p95_seconds": 35.964},
            "recent_missions": [_mission(number) for number in range(MISSIONS)],
            "recent_events": [_event(number) for number in range(EVENTS)],
        },
        limits={"mission_limit": MISSIONS, "event_limit": EVENTS},
        thresholds={"p95_watch_s": 45.0},
        epoch={"number": 1, "boot_stamp": "2026-02-17T01:00:00"},
        actor="ann@host",
        stage="broadened",
        source="organic",
        gates={"G1": {"verdict": "INCONCLUSIVE", "reason": "+17 clean missions"}},
        suggestion={"decision": "GO_BROADER_TRAFFIC_ACTIVE", "reasons": ["clean"]},
    )


def _mission(number: int) -> dict[str, Any]:
    return {
        "mission_id": f"vp-mission-{number:032x}",
        "status": "completed",
        "objective": _OBJECTIVE,
        "run_id": "2f423a27-52ac-41db-9f88-286ea4d43d5f",
        "started_at": "2026-02-17T07:34:34.279164+00:00",
        "completed_at": "2026-02-17T07:35:04.437838+00:00",
        "updated_at": "2026-02-17T07:35:04.437856+00:00",
        "result_ref": f"workspace://{_LANE}",
        "duration_seconds": 30.158674,
        "fallback_seen": False,
    }


def _event(number: int) -> dict[str, Any]:
    return {
        "event_id": f"vp-event-{number:032x}",
        "mission_id": f"vp-mission-{number // 2:032x}",
        "event_type": "vp.mission.completed" if number % 2 else "vp.mission.dispatched",
        "created_at": "2026-02-17T07:35:04.437856+00:00",
    }
