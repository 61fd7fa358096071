"""How far each source may be trusted now: live, stale, down, unauthorized, or nothing yet.

`now` is the monotonic clock in seconds. A figure is only as good as the source it comes from.
"""

from __future__ import annotations

from typing import Final

from vp_tui.domain.models import Source
from vp_tui.domain.runs.levels import stuck_after
from vp_tui.state.state import SourceStatus, State

OFTEN_ASKED: Final = (Source.METRICS, Source.SESSIONS)


def is_lost(state: State) -> bool:
    """Tell whether the gateway gives no answer at all any more.

    It is lost once both sources that are asked all the time are silent, however new the last answer
    of a source that is seldom asked is.
    """
    often = [state.sources.get(source, SourceStatus()).failure for source in OFTEN_ASKED]
    return all(failure is not None and failure.is_silence for failure in often)


def stuck_after_s(state: State) -> float:
    """Return the seconds of silence from which on a run is stuck now."""
    p95_s = state.snapshot.latency.p95_s if state.snapshot else None
    return stuck_after(state.watch.stuck_after, p95_s)
