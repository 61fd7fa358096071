"""`vp-tui watch` with its store counted: what was reduced, what was missed, how late it was.

Used as `counted_watch.py REPORT ARGUMENTS...`; at its end it writes the counts to REPORT.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from vp_tui.cli import main as cli
from vp_tui.domain.models import StreamEvent
from vp_tui.state.store import Store

if TYPE_CHECKING:
    from vp_tui.domain.events import Event


@dataclass
class _Numbers:
    """The numbers that one session's events carried."""

    first: int
    last: int
    count: int = 0


@dataclass
class Counts:
    """What passed the store. The flood numbers its events and sends them to all in turn."""

    sessions: dict[str, _Numbers] = field(default_factory=dict)
    lags: array[float] = field(default_factory=lambda: array("d"))
    began: float = 0.0
    ended: float = 0.0

    def add(self, events: tuple[Event, ...]) -> None:
        """Count a batch that was just reduced and handed to the screen."""
        now = time.monotonic()
        flood = [e for e in events if isinstance(e, StreamEvent) and e.frame.kind == "text"]
        for event in flood:
            number = int(event.frame.text.partition(" ")[2])
            seen = self.sessions.setdefault(event.session_id, _Numbers(number, number))
            seen.last = max(seen.last, number)
            seen.count += 1
        self.lags.extend(now - event.at for event in flood)
        if flood:
            self.began = self.began or now
            self.ended = now

    def report(self) -> dict[str, float]:
        seen, every = self.sessions.values(), len(self.sessions)
        reduced = sum(numbers.count for numbers in seen)
        sent = sum((numbers.last - numbers.first) // every + 1 for numbers in seen)
        lasted_s = self.ended - self.began
        lags = statistics.quantiles(self.lags, n=100)
        return {
            "sockets": every,
            "sent_per_s": round(sent / lasted_s),
            "reduced_per_s": round(reduced / lasted_s),
            "lost": sent - reduced,
            "lag_p50_ms": round(1000 * lags[49], 1),
            "lag_p99_ms": round(1000 * lags[98], 1),
        }


def main() -> int:
    report, arguments = Path(sys.argv[1]), sys.argv[2:]
    counts, apply = Counts(), Store.apply

    def counted(store: Store, *events: Event) -> None:
        apply(store, *events)
        counts.add(events)

    with patch.object(Store, "apply", counted):
        code = cli.main(arguments)
    report.write_text(json.dumps(counts.report()), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
