"""What the window's dialogs say: what a window holds, since when, and what closing it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.events import Source
from vp_tui.domain.windows import missions_of
from vp_tui.selectors import NO_EVIDENCE, is_log_known, numbers
from vp_tui.sources import SourceWord, source_view
from vp_tui.ui.compared import compared
from vp_tui.ui.dense import side_by_side
from vp_tui.ui.numbers import no_figures
from vp_tui.ui.paint import Line, age, join, wrapped

if TYPE_CHECKING:
    from vp_tui.domain.windows import Window
    from vp_tui.state import State


def known_missions(state: State, now: float) -> frozenset[str] | None:
    """Return the ids of all missions; None while the metrics do not tell what is so now."""
    if source_view(state, Source.METRICS, now).word is not SourceWord.LIVE:
        return None
    return frozenset(state.ledger.entries)


def unrecorded(state: State, window: Window) -> int:
    """Return how many missions of the window no record names."""
    recorded = (state.evidence or NO_EVIDENCE).recorded_ids
    return len(missions_of(window, state.ledger.entries.values()) - recorded)


def opening_words(
    state: State, now: float, proposed: Window, *, from_now: bool
) -> list[tuple[str, bool]]:
    """Return what the window would hold, in sentences; True marks those to beware of.

    `from_now` tells whether it would begin empty.
    """
    view, left = source_view(state, Source.METRICS, now), unrecorded(state, proposed)
    is_known = known_missions(state, now) is not None
    some = f"all {left} missions" if left != 1 else "the one mission"
    said = [
        (f"None is open. The one proposed holds {some} that no record names.", False)
        if is_known
        else ("None is open. The one proposed holds what no record names.", False)
    ]
    if not from_now:
        said.append(("Opened so, it holds these and all that follow.", False))
    elif is_known:
        aside = f"; the {left} stay outside it" if left else ""
        said.append((f"Opened so, it holds what is first seen from now on{aside}.", False))
    else:
        reason = f"The metrics are {view.word}: which missions there are is not known."
        said.append((f"{reason} Opened so, it holds what starts from now on.", True))
    return said


def open_words(state: State, now: float, window: Window) -> list[tuple[str, bool]]:
    """Return since when the window is open and what was recorded for it, in sentences."""
    if window.opened_at is None:
        return []
    open_s = max((state.clock.wall_at(now) - window.opened_at).total_seconds(), 0.0)
    word = f"recorded so far: {window.decision}" if window.decision else "no row yet"
    said = [(f"Open since {window.opened_at:%Y-%m-%d %H:%M:%SZ}, {age(open_s)}; {word}.", False)]
    if window.anchor is None:
        unknown = "Which missions there were is not known: it holds what started after that."
        said.append((unknown, True))
    return said


def doubts(state: State, window: Window) -> list[tuple[str, bool]]:
    """Return what to beware of with any window, in sentences."""
    said = []
    if not is_log_known(state):
        problem = state.evidence.problem if state.evidence else "it is not read yet"
        said.append((f"The evidence log is not known ({problem}): nor are label and stage.", True))
    if state.windows_problem:
        said.append((f"Whether one is open is not known: {state.windows_problem}.", True))
    if not window.source.is_real:
        said.append((f"Missions of source {window.source} feed no gate and no guardrail.", True))
    if state.watch.stage is not None and state.watch.stage is not window.stage:
        said.append((f"--stage {state.watch.stage} goes before it on this screen.", True))
    return said


def closing_words(state: State, window: Window) -> str:
    """Return what closing the window without a row means, and how to confirm it."""
    left = unrecorded(state, window)
    some = f"its {left} missions that no record names" if left != 1 else "its one mission"
    then = f" {some} then belong{'s' * (left == 1)} to the window proposed next;" if left else ""
    return f"closing it here writes no row;{then} enter again closes it, esc leaves it open"


def sentences(said: list[tuple[str, bool]], width: int) -> list[Line]:
    """Return sentences as lines of at most `width` cells."""
    lines: list[Line] = []
    for text, is_doubt in said:
        if is_doubt:
            lines += wrapped(f"! {text}", width, "warn")
        else:
            lines += wrapped(text, width)
    return lines


def figure_lines(state: State, now: float, window: Window, width: int) -> list[Line]:
    """Return the window's own figures beside the cumulative ones, and whether they are current."""
    figures, view = numbers(state, now, window), source_view(state, Source.METRICS, now)
    if figures is None:
        return no_figures(view, width)
    lines = side_by_side(compared(state, now, figures, window), width)
    if view.word is SourceWord.LIVE:
        return lines
    old = f"the metrics are {view.word}: these figures are {age(view.age_s)} old"
    return [*lines, join((old, "warn"))]
