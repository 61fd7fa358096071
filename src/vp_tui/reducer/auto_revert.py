"""The auto-revert: where it stands, and whether this vp-tui is the one that may act."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.domain.auto_revert import Phase, news
from vp_tui.reducer.entries import with_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.auto_revert import AutoRevertBarred, AutoRevertStepped
    from vp_tui.state import State, Tone


def auto_revert_barred(event: AutoRevertBarred, state: State) -> State:
    """Note who may act on this host."""
    return replace(state, auto_revert=state.auto_revert._replace(bar=event.why))


def auto_revert_stepped(event: AutoRevertStepped, state: State) -> State:
    """Take the auto-revert as it is now; what is news is told."""
    told = news(state.auto_revert, event.revert)
    state = replace(state, auto_revert=event.revert)
    if told is None:
        return state
    tone = _TONES.get(event.revert.phase, "warn")
    return with_entry(state, event.at, None, "revert", told, tone)


_TONES: Final[Mapping[Phase, Tone]] = {
    Phase.ARMED: "plain",
    Phase.COUNTING: "bad",
    Phase.REVERTED: "bad",
}
