"""Lies that were told of runs and of who holds the lock."""

from __future__ import annotations

import pytest

from vp_tui.domain.runs.levels import Level, levels
from vp_tui.domain.runs.progress import ListedRun, RunsContext
from vp_tui.domain.runs.run import Run, listed


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("log_at", [None, 8.0])
def test_the_run_that_began_to_wait_was_called_stuck_and_the_one_that_ran_before_its_victim(
    order: str, log_at: float | None
) -> None:
    # B has a log and a higher sequence, both of an earlier turn; no frame of either was heard.
    runs = {
        "a": ListedRun(listed(Run("a"), seq=5, running=True, at=0.0), is_live=True),
        "b": ListedRun(
            listed(listed(Run("b"), seq=40, running=False, at=0.0), seq=40, running=True, at=9.0),
            is_live=True,
            has_log=True,
            log_at=log_at,
        ),
    }
    found = levels([runs[name] for name in order], RunsContext(130.0, True, 120.0))
    assert (found["a"].level, found["a"].holds_lock) == (Level.STUCK, True)
    assert "a guess: it was first seen running" in found["a"].reason
    assert (found["b"].level, found["b"].blocker) == (Level.QUEUED, "a")


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_of_two_that_ran_before_and_one_that_came_later_the_later_one_was_named(
    order: str,
) -> None:
    runs = {
        name: ListedRun(
            listed(Run(name), seq=seq, running=True, at=at), is_live=True, has_log=name == "c"
        )
        for name, seq, at in (("a", 5, 0.0), ("b", 7, 0.0), ("c", 90, 9.0))
    }
    found = levels([runs[name] for name in order], RunsContext(130.0, True, 120.0))
    assert not found["c"].holds_lock
    assert found["c"].level is Level.QUEUED
