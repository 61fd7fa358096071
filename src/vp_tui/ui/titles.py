"""What the panes' titles say of what is shown under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.sources import SourceWord, is_lost, streams_view
from vp_tui.ui.paint import Line, age, join
from vp_tui.ui.runs import counted_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.fleet import RunRow
    from vp_tui.sources import SourceView
    from vp_tui.state import State


def runs_facts(
    rows: Sequence[RunRow], state: State, source: SourceView, now: float, matching: str
) -> Line:
    """Return how many runs there are and how they do; `source` is the listing."""
    on_disk = sum(not session.in_memory for session in state.sessions.values())
    number = f"{len(rows)} found" if matching else f"{len(rows)}"
    known = join(f"{number} ({counted_levels(rows)}", _age_of_list(state, source, now), ")")
    if source.age_s is None:
        known = join("unknown")
    facts = join(known, (f", {on_disk} on disk" if on_disk else "", "dim"))
    return join(facts, filtered(matching))


def why_empty(view: SourceView, *, is_session_log: bool) -> str:
    """Return what stands in place of a log's lines while there are none."""
    if view.failure is not None:
        return f" {view.failure.reason} -> {view.failure.cure}"
    if view.word is SourceWord.IDLE:
        return " asking for the log …"
    elsewhere = ": a delegated run writes to the lane's log (3)" if is_session_log else ""
    return f" this log is empty{elsewhere}"


def _age_of_list(state: State, source: SourceView, now: float) -> Line:
    """Say how old the list of sessions is, when it is not current."""
    if source.is_current or source.age_s is None:
        return ()
    streams = "; streams live" if streams_view(state, now).live and not is_lost(state) else ""
    return ((f"; list {source.word}, {age(source.age_s)} old{streams}", "bad"),)


def filtered(text: str) -> Line:
    """Return what a pane is filtered by, or searched for."""
    return ((f" /{text}/", "match"),) if text else ()
