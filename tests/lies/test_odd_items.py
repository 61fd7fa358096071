"""Lies that one odd item told of a whole answer, each with the right value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support import builders
from tests.support.recorded import WIRE

from vp_tui.domain.events import SnapshotArrived
from vp_tui.domain.models import Plane
from vp_tui.gateway.errors import Unreadable
from vp_tui.gateway.parsing import parse_metrics, parse_ops_sessions
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View


def metrics() -> dict[str, Any]:
    """Return a recorded answer of the metrics, which lists several missions."""
    for file in sorted(WIRE.glob("b*.json")):
        body = json.loads(file.read_text(encoding="utf-8")).get("body")
        if isinstance(body, dict) and len(body.get("recent_missions", ())) > 1:
            return body
    raise AssertionError("no recording has several missions")


@pytest.mark.parametrize(("name", "odd"), [("objective", None), ("status", 7), ("started_at", {})])
def test_one_odd_mission_took_the_metrics_down(name: str, odd: Any) -> None:  # noqa: ANN401 - any JSON
    body = metrics()
    body["recent_missions"][1][name] = odd
    snapshot = parse_metrics(json.dumps(body).encode(), 50, 200)
    listed = [mission["mission_id"] for mission in body["recent_missions"]]
    assert [m.mission_id for m in snapshot.missions] == [listed[0], *listed[2:]]
    assert snapshot.odd_items == 1
    looked = View(builders.state(SnapshotArrived(0.0, snapshot, Plane.OPS)), 1.0)
    assert any("1 mission or event unreadable" in found.told for found in troubles(looked))


def test_a_list_of_which_nothing_can_be_read_is_no_empty_one() -> None:
    body = metrics()
    for mission in body["recent_missions"]:
        mission["objective"] = None
    with pytest.raises(Unreadable, match="recent_missions"):
        parse_metrics(json.dumps(body).encode(), 50, 200)


def test_a_count_as_text_in_one_session_took_the_listing_down() -> None:
    good = {"session_id": "session_a", "status": "idle"}
    odd = {"session_id": "session_b", "status": "idle", "active_runs": "1"}
    listing = parse_ops_sessions(json.dumps({"sessions": [odd, good], "total": 2}).encode())
    assert [each.session_id for each in listing.sessions] == ["session_a"]
    assert (listing.total, listing.odd) == (2, 1)


def test_a_missing_list_is_still_unreadable() -> None:
    body = metrics()
    del body["recent_missions"]
    with pytest.raises(Unreadable):
        parse_metrics(json.dumps(body).encode(), 50, 200)
