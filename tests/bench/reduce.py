"""What one stream event costs on its way into the state, without a socket or a screen."""

from __future__ import annotations

import json
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tests.bench.result import Result

from vp_tui.domain.models import StreamEvent
from vp_tui.gateway.frames import parse_frame
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import Watch, initial_state

if TYPE_CHECKING:
    from pathlib import Path

BATCH: Final = 1_000
BATCHES: Final = 200
SESSIONS: Final = 10
_WATCH: Final = Watch("http://127.0.0.1:8002", "bench", "vp.coder.primary")
_KINDS: Final = (
    {"type": "status", "data": {"status": "processing", "turn_id": "turn_1"}},
    {"type": "thinking", "data": {"thinking": "I should see how this works before I change it."}},
    {"type": "tool_call", "data": {"name": "Bash", "id": "t1", "input": {"command": "pytest -q"}}},
    {"type": "tool_result", "data": {"tool_use_id": "t1", "content_size": 4096}},
    {"type": "text", "data": {"text": "All tests pass now.\n", "author": "Primary Agent"}},
    {"type": "query_complete", "data": {"turn_id": "turn_1"}},
)


def run(_home: Path, batches: int = BATCHES) -> Result:
    raw = [json.dumps(_KINDS[number % len(_KINDS)]).encode() for number in range(BATCH)]
    state = initial_state(_WATCH, at=0.0, wall=datetime.now(UTC))
    parsing, reducing = [], []
    for number in range(batches):
        began = time.perf_counter()
        frames = [parse_frame(frame) for frame in raw]
        parsed = time.perf_counter()
        events = [
            StreamEvent(float(number), f"session_{place % SESSIONS}", frame)
            for place, frame in enumerate(frames)
        ]
        built = time.perf_counter()
        state = reduce_all(state, events)
        reducing.append(time.perf_counter() - built)
        parsing.append(parsed - began)
    return Result(
        {
            "batch": BATCH,
            "reduce_us_per_event": _us_per_event(reducing),
            "parse_us_per_event": _us_per_event(parsing),
        }
    )


def _us_per_event(seconds: list[float]) -> float:
    return round(1e6 * statistics.median(seconds) / BATCH, 2)
