"""Lies that were told of a G2's missions: which of them run, and whose they are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.recorded import WIRE

from vp_tui.domain.events import ClaimsArrived
from vp_tui.domain.models import LaneSession, MissionClaim, MissionClaims
from vp_tui.gateway.parsing import parse_claims
from vp_tui.views.figures import numbers
from vp_tui.views.runs import run_rows
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission

WORKERS = LaneSession(
    "vp.coder.primary.external", "/w/vp_coder_primary_external", "idle", None, None
)
OLD = builders.mission("m1", "running", started_s=-3_000.0)
YOUNG = builders.mission("m1", "running", started_s=-60.0)


def claimed(ends_s: float | None, session_id: str | None = None) -> ClaimsArrived:
    """Return that the claim of m1 ends so many seconds after NOW; None: nobody claimed it."""
    end = None if ends_s is None else builders.NOW + timedelta(seconds=ends_s)
    return ClaimsArrived(
        0.0, MissionClaims(builders.NOW, {"m1": MissionClaim("m1", end, session_id)})
    )


def orphaned(*events: Event) -> frozenset[str]:
    shown = numbers(View(builders.state(builders.healthy(dialect="G2"), *events), 1.0))
    assert shown is not None
    return shown.orphaned


@pytest.mark.parametrize(
    ("mission", "told", "expected"),
    [
        pytest.param(OLD, [claimed(30.0)], set(), id="an old one that a worker has is no orphan"),
        pytest.param(YOUNG, [claimed(-1.0)], {"m1"}, id="one whose claim has ended is one at once"),
        pytest.param(OLD, [claimed(None)], {"m1"}, id="an old one that nobody claimed is one"),
        pytest.param(YOUNG, [claimed(None)], set(), id="a young one that nobody claimed is none"),
        pytest.param(OLD, [], set(), id="of a worker's own nothing is known without the answer"),
        pytest.param(
            OLD,
            [claimed(-1.0), ClaimsArrived(1.0, None)],
            set(),
            id="an answer that ended counts no more",
        ),
    ],
)
def test_what_runs_on_a_lane_of_workers(
    mission: Mission, told: Sequence[Event], expected: set[str]
) -> None:
    taken = builders.snapshot(mission, lane=WORKERS)
    assert orphaned(builders.polled(taken), builders.listing(), *told) == expected


def test_of_a_mission_that_is_newer_than_the_answer_nothing_is_known() -> None:
    newer = OLD._replace(mission_id="m2")
    for lane, expected in ((WORKERS, set()), (builders.snapshot().lane, {"m2"})):
        taken = builders.snapshot(newer, lane=lane)
        assert orphaned(builders.polled(taken), builders.listing(), claimed(30.0)) == expected


def test_a_viewer_that_came_in_mid_turn_was_said_to_have_seen_it_begin() -> None:
    heard = [
        builders.frame("connected"),
        builders.status_frame(status="processing", turn_id="turn_1"),
    ]
    listed = builders.listing(builders.session(active_runs=1, last_event_seq=40))
    now = builders.state(builders.healthy(dialect="G2"), listed, *builders.stream(*heard, at=60.0))
    (row,) = run_rows(View(now, 62.0))
    assert row.turn.started_at is None
    assert row.running_s == 62.0
    assert row.run.progress_at == 0.0


def test_an_ended_claim_is_an_orphan_though_some_session_runs() -> None:
    listed = builders.listing(builders.session(active_runs=1))
    assert orphaned(builders.polled(builders.snapshot(YOUNG)), listed, claimed(-1.0)) == {"m1"}


@pytest.mark.parametrize(("session_id", "expected"), [("session_a", "m1"), ("session_b", None)])
def test_a_run_that_nobody_heard_begin_is_named_by_the_gateways_link(
    session_id: str, expected: str | None
) -> None:
    now = builders.state(
        builders.healthy(dialect="G2"),
        builders.polled(builders.snapshot(YOUNG)),
        builders.listing(builders.session("session_a", active_runs=1)),
        claimed(30.0, session_id),
    )
    (row,) = run_rows(View(now, 1.0))
    assert row.mission.mission_id == expected
    assert row.mission.is_certain is (expected is not None)


def test_one_odd_mission_costs_itself_and_another_lanes_are_not_taken() -> None:
    body = json.loads((WIRE / "g2" / "b04_vp_missions.json").read_text())["body"]
    first, second, third, *rest = body["missions"]
    odd = [
        {**first, "objective": None, "payload": [1]},
        {**second, "claim_expires_at": "soon"},
        {**third, "vp_id": "vp.general.primary"},
        None,
    ]
    claims = parse_claims(
        json.dumps({"missions": [*odd, *rest]}).encode(), "vp.coder.primary", builders.NOW
    )
    assert set(claims.missions) == {first["mission_id"], *(m["mission_id"] for m in rest)}
    assert claims.missions[first["mission_id"]].session_id is None
    assert {c.session_id for c in claims.missions.values()} == {None, "ops.dispatch"}


def test_a_turn_whose_mission_a_worker_got_was_not_seen_to_be_delegated() -> None:
    heard = [
        builders.routed("delegated_to_coder_vp_external", "m1"),
        builders.frame("query_complete"),
        builders.routed("delegated_to_coder_vp", "m2"),
        builders.processing("Codie, write code"),
        builders.frame("query_complete"),
    ]
    now = builders.state(builders.healthy(dialect="G2"), *builders.stream(*heard))
    assert (now.routing.coding_turns, now.routing.delegated) == (2, 2)
