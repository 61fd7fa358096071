"""Lies that were told of the logs."""

from __future__ import annotations

from tests.support import builders

from vp_tui.domain.models import Failure, Source
from vp_tui.views.lookout import badge
from vp_tui.views.sources import SourceWord, log_view
from vp_tui.views.view import View

ODD = "session_20261127_154317_cbf16192"
FAILED = Failure("500 from /api/v1/ops/logs/tail: INTERNAL_ERROR", "see the gateway's own log")


def test_one_session_whose_log_cannot_be_read_was_said_to_impair_the_gateway() -> None:
    now = View(
        builders.state(
            builders.healthy(dialect="G2"),
            builders.polled(builders.snapshot()),
            builders.listing(),
            builders.booted("2026-11-22T19:00:00+00:00"),
            builders.logged("a line"),
            builders.failed(Source.LOG, FAILED, log_id=ODD, at=1.0),
        ),
        1.5,
    )
    assert badge(now, frozen=False) == "LIVE"
    assert log_view(now, ODD).word is SourceWord.DOWN


def test_a_lane_log_that_cannot_be_read_is_still_told() -> None:
    now = View(
        builders.state(
            builders.healthy(),
            builders.polled(builders.snapshot()),
            builders.listing(),
            builders.logged("a line", log_id=ODD),
            builders.failed(Source.LOG, FAILED, log_id="vp_coder_primary", at=1.0),
        ),
        1.5,
    )
    assert badge(now, frozen=False) == "IMPAIRED"
