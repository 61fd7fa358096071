"""What the gateway answers to what it is told to do."""

from __future__ import annotations

from typing import NamedTuple


class CancelAnswer(NamedTuple):
    """POST /api/v1/ops/sessions/{id}/cancel, answered: requested, which is not yet recovered."""

    session_id: str
    reason: str
    """As the gateway took it: its own words for a blank one."""
    task_cancelled: bool
    """The run unwound while the gateway waited; its engine may write on for all that.

    False says one of two things: nothing ran, or the run did not hear (deaf). The answer is the
    same; only what ran before, and `took_s`, tell them apart.
    """
    run_id: str | None
    """None on G1."""
    took_s: float
    """Seconds until the answer: a deaf run takes the gateway's whole wait (G1 5 s, G2 10 s)."""
