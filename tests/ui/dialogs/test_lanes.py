"""A dialog is about the lane that it was opened for, whichever lane the screen shows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support import scenes
from tests.support.builders import NOW
from tests.support.rig import Rig, running

from vp_tui.domain.events import CancelRequested
from vp_tui.domain.orders import CancelRun
from vp_tui.storage.windows import read_windows
from vp_tui.ui.dialogs.follow import FollowDialog
from vp_tui.ui.dialogs.orders import CancelQuestion
from vp_tui.ui.dialogs.window import OpenDialog
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.stuck_runs import row_of_session
from vp_tui.worker.evidence import EvidenceFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OWNER = "session_20261122_190000_d3833624"
"""The session that is stuck, on both gateways."""


@asynccontextmanager
async def two_lanes(
    files: EvidenceFiles | None = None, shown_files: EvidenceFiles | None = None
) -> AsyncIterator[tuple[Rig, Rig]]:
    """Return a lane that no screen shows, and the one that is shown; the same happened on both."""
    other = Rig(files, name="other", url="http://other:8002")
    other.store.apply(*scenes.stuck())
    async with running(*scenes.stuck(), files=shown_files, name="shown") as shown:
        yield other, shown


async def test_an_order_goes_to_the_lane_that_it_was_asked_for() -> None:
    async with two_lanes() as (other, shown):
        row = row_of_session(other.lane.live.view, OWNER)
        assert row is not None
        shown.app.push_screen(FollowDialog(other.lane, CancelQuestion(row)))
        await shown.settle()
        assert "other" in shown.lines[0]
        await shown.press("right", "enter")
        assert [order.session_id for order in other.ordered(CancelRun)] == [OWNER]
        assert shown.ordered(CancelRun) == []
        await shown.tell(CancelRequested(0.0, OWNER, "", "ben@desk"))
        assert "sending …" in shown.text
        other.store.apply(CancelRequested(0.0, OWNER, "", "ana@laptop"))
        await shown.settle()
        assert "sending …" not in shown.text


async def test_what_has_changed_is_looked_for_on_that_lane() -> None:
    async with two_lanes() as (other, shown):
        row = row_of_session(other.lane.live.view, OWNER)
        assert row is not None
        shown.app.push_screen(FollowDialog(other.lane, CancelQuestion(row)))
        await shown.tell(*scenes.unheard_cancel())
        await shown.press("right", "enter")
        assert [order.session_id for order in other.ordered(CancelRun)] == [OWNER]
        assert other.refusals == shown.refusals == []


async def test_a_window_is_kept_where_that_lane_has_it(tmp_path: Path) -> None:
    files, shown_files = (
        EvidenceFiles(tmp_path / f"{name}.md", tmp_path / "spool", tmp_path / f"{name}.json")
        for name in ("other", "shown")
    )
    async with two_lanes(files, shown_files) as (other, shown):
        shown.app.push_screen(OpenDialog(other.lane))
        await shown.settle()
        while shown.focus != "label":
            await shown.press("tab")
        await shown.press("home", *"night ", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, WatchScreen))
        (window,) = read_windows(files.windows)
        assert window.label == "night Shadow window #1"
        assert window.opened_at == NOW
        assert other.store.state.window == window
        assert shown.store.state.window is None
        assert read_windows(shown_files.windows) == ()
