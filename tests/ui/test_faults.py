"""A bug takes down the part that it is in, and no other: it is said, and tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import pytest
from tests.support import scenes
from tests.support.builders import polled, snapshot
from tests.support.rig import LARGE, running
from textual.worker import WorkerFailed

from vp_tui.ui.watch.runs import RunsList

if TYPE_CHECKING:
    from tests.support.rig import Rig

REPORT: Final = "/home/me/.local/state/vp-tui/crash-1.txt"


class BugError(Exception):
    """Stands for a bug in vp-tui."""


def _fail(*_args: object, **_kwargs: object) -> NoReturn:
    raise BugError


def reported(_error: Exception) -> str:
    return REPORT


async def _told(rig: Rig, part: str) -> None:
    """Wait until the screen tells of it, with the report's path."""
    await rig.until(lambda: f"{part} failed" in rig.text and "crash-1.txt" in rig.text)


@pytest.mark.parametrize(
    ("broken", "part", "others"),
    [
        ("header_lines", "the screen's header", ("RUNS", "EVENTS", "fallback")),
        ("run_rows", "the screen's runs", ("stage", "EVENTS", "fallback")),
        ("dense_lines", "the screen's figures", ("stage", "RUNS", "EVENTS")),
    ],
)
async def test_a_part_that_cannot_be_drawn_says_so_and_is_tried_again(
    broken: str, part: str, others: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(*scenes.ordinary(), report=reported) as rig:
        with monkeypatch.context() as patched:
            patched.setattr(f"vp_tui.ui.watch.board.{broken}", _fail)
            await rig.passes(1.0)
            await _told(rig, part)
            assert all(other in rig.text for other in others)
        await rig.passes(100.0)
        assert f"{part} failed" not in "\n".join(rig.lines[:2])
        assert rig.app.is_running


@pytest.mark.parametrize(
    ("broken", "part", "gone"),
    [
        ("board.run_rows", "the screen's runs", "holds the lock, 2 wait"),
        ("board.words.epoch_title", "the screen's figures", "0.000"),
        ("panes.entries_matching", "the screen's panes", "01:55:58"),
    ],
)
async def test_nothing_of_before_is_shown_where_a_part_cannot_be_drawn(
    broken: str, part: str, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(*scenes.stuck(), report=reported, size=LARGE) as rig:
        await rig.press("escape")
        await rig.until(lambda: gone in rig.text)
        with monkeypatch.context() as patched:
            patched.setattr(f"vp_tui.ui.watch.{broken}", _fail)
            await rig.passes(1.0)
            await _told(rig, part)
            below = "\n".join(rig.lines[2:-2])
            assert gone not in below
            if "runs" in part:
                assert rig.board.selected is None
        await rig.passes(100.0)
        assert gone in rig.text


async def test_a_list_that_cannot_be_painted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(*scenes.ordinary(), report=reported, size=LARGE) as rig:
        monkeypatch.setattr(RunsList, "render_line", _fail)
        rig.rows("runs").refresh()
        await _told(rig, "the screen's runs")
        assert "EVENTS" in rig.text


async def test_a_key_with_a_bug_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(*scenes.ordinary(), report=reported) as rig:
        monkeypatch.setattr("vp_tui.ui.watch.board.Board.go_to", _fail)
        await rig.press("3")
        await rig.passes(1.0)
        await rig.until(lambda: "BugError" in rig.text)
        monkeypatch.undo()
        await rig.press("3")
        assert rig.focus == "lane-log"


async def test_a_timer_with_a_bug_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(*scenes.ordinary(), report=reported) as rig:
        rig.app.set_timer(0.001, _fail)
        await rig.until(lambda: rig.store.state.faults)
        assert rig.app.is_running


async def test_what_fails_at_every_draw_is_told_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(*scenes.ordinary(), report=reported) as rig:
        monkeypatch.setattr("vp_tui.ui.watch.board.header_lines", _fail)
        for _ in range(5):
            await rig.passes(1.0)
        await rig.until(lambda: rig.store.state.faults)
        told = [entry for entry in rig.store.state.entries if entry.kind == "vp-tui"]
        assert len(told) == 1


async def test_only_the_stores_own_failure_ends_vp_tui(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hear_of_it() -> None:
        async with running(*scenes.ordinary(), report=reported) as rig:
            monkeypatch.setattr("vp_tui.state.reducer.reduce", _fail)
            rig.mailbox.put(polled(snapshot()))
            await rig.until(lambda: rig.app.crash is not None)
            assert isinstance(rig.app.crash, BugError)

    with pytest.raises(WorkerFailed):
        await hear_of_it()
