"""The report of the continuity suites."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vp_tui.domain.suites import Attestation, attested
from vp_tui.reducer.entries import with_entry

if TYPE_CHECKING:
    from vp_tui.domain.events import SuitesRead
    from vp_tui.state import State, Tone


def suites_read(event: SuitesRead, state: State) -> State:
    """Take what the report says now, and tell it."""
    said = attested(event.report, state.clock.wall_at(event.at))
    tone: Tone = "good" if said.state is Attestation.PASSED else "warn"
    if said.state is Attestation.FAILED:
        tone = "bad"
    state = replace(state, suites=event.report)
    return with_entry(state, event.at, None, "suites", said.detail, tone)
