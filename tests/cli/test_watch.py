"""What a watch keeps as it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.cli import watch
from vp_tui.cli.config.settings import Settings
from vp_tui.domain.events import CancelRequested
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from vp_tui.worker.lane_watch import LaneWatch


def test_a_cancel_that_is_awaited_is_audited_once_also_where_the_end_is_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    places = Places(tmp_path)

    def app(lane: LaneWatch, _network: object, at_end: Callable[[], None]) -> int:
        lane.store.apply(CancelRequested(lane.store.state.clock.at, "a", "why", "ana@laptop"))
        at_end()
        done.extend(told.target for told in newest_actions(places.audit, 9).records)
        return 0

    monkeypatch.setattr(watch, "run_app", app)
    settings = Settings(url="http://127.0.0.1:9", record=False)
    assert watch.run_tui(settings, places, ambient=False, at_end=lambda: done.append("end")) == 0
    assert done == ["end", "a"]
    assert len(newest_actions(places.audit, 9).records) == 1
