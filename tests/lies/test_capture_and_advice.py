"""Lies that were told of limits: more advised than there is, and another word than the script's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import builders, scenes

from vp_tui.cli.capture_row import with_script_limits
from vp_tui.cli.config.load import settle
from vp_tui.cli.config.settings import Given
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View


@pytest.mark.parametrize(
    ("limit", "cure"),
    [
        (1000, "go by the reconstructed rate"),
        (999, "raise --event-limit (1000 at most), or go by the reconstructed rate"),
    ],
)
def test_no_more_events_are_advised_than_a_gateway_gives(limit: int, cure: str) -> None:
    view = View(builders.state(*scenes.truncated(), event_limit=limit), 2.0)
    [partial] = [told for told in troubles(view) if "partial" in told.what]
    assert partial.cure == cure


@pytest.mark.parametrize(
    ("given", "limits"), [({}, (100, 500)), ({"mission_limit": "500"}, (500, 500))]
)
def test_the_script_looks_at_its_own_newest_missions(
    given: dict[str, str], limits: tuple[int, int]
) -> None:
    loaded = settle({name: Given(text, "flag", Path()) for name, text in given.items()})
    settings = with_script_limits(loaded)
    assert (settings.mission_limit, settings.event_limit) == limits
