"""The recorded answers and transcripts of a real gateway, parsed as vp-tui parses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.models import StreamEvent
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.parsing import parse_metrics

if TYPE_CHECKING:
    from vp_tui.domain.models import Snapshot

WIRE: Final = Path(__file__).parents[1] / "wire"


def recorded_snapshot(name: str, *, event_limit: int = 200) -> Snapshot:
    """Return a recorded metrics answer; the ops endpoint's default limits are 50 and 200."""
    body = json.loads((WIRE / f"{name}.json").read_text())["body"]
    return parse_metrics(json.dumps(body).encode(), 50, event_limit)


def transcript(name: str, *, session_id: str = "session_a") -> list[StreamEvent]:
    """Return a recorded transcript as events, at the seconds since its attach."""
    lines = (WIRE / f"{name}.jsonl").read_text().splitlines()
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        StreamEvent(record["_t"], session_id, parse_frame(json.dumps(record["msg"])))
        for record in records
        if "msg" in record
    ]
