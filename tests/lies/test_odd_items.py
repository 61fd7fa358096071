"""Lies that one odd item told of a whole answer, each with the right value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import builders
from tests.support.recorded import WIRE

from vp_tui.domain.events import ClaimsArrived, ContinuityArrived, SessionsArrived, SnapshotArrived
from vp_tui.domain.models import Plane
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.gateway.errors import Unreadable
from vp_tui.gateway.parsing import (
    SessionListing,
    parse_claims,
    parse_continuity,
    parse_dashboard_metrics,
    parse_metrics,
    parse_ops_sessions,
    parse_session_listing,
    parse_tail,
)
from vp_tui.state.reducer import reduce_all
from vp_tui.storage.audit_log import newest_actions
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.lookout import badge
from vp_tui.views.runs import are_runs_judged
from vp_tui.views.status import status_object
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View
from vp_tui.views.words import reported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.models import Snapshot

UNREADABLE: Final[tuple[object, ...]] = (None, 7, "text", [], {})
"""What is no item of any list."""


def metrics() -> dict[str, Any]:
    """Return a recorded answer of the metrics, which lists several missions."""
    for file in sorted(WIRE.glob("b*.json")):
        body = json.loads(file.read_text(encoding="utf-8")).get("body")
        if isinstance(body, dict) and len(body.get("recent_missions", ())) > 1:
            return body
    raise AssertionError("no recording has several missions")


def parsed(body: dict[str, Any]) -> Snapshot:
    return parse_metrics(json.dumps(body).encode(), 50, 200)


def looked(snapshot: Snapshot) -> View:
    arrived = SnapshotArrived(0.0, snapshot, Plane.OPS)
    others = (builders.healthy(), builders.booted(), builders.listing())
    return View(builders.state(*others, arrived), 1.0)


def told(view: View) -> list[str]:
    return [found.told for found in troubles(view)]


class TestMissions:
    @pytest.mark.parametrize(
        ("name", "odd"),
        [
            ("mission_id", None),
            ("status", 7),
            ("started_at", {}),
            ("completed_at", "soon"),
            ("fallback_seen", None),
        ],
    )
    def test_one_that_cannot_be_read_took_the_metrics_down(
        self,
        name: str,
        odd: Any,  # noqa: ANN401 - any JSON
    ) -> None:
        body = metrics()
        body["recent_missions"][1][name] = odd
        snapshot = parsed(body)
        listed = [mission["mission_id"] for mission in body["recent_missions"]]
        assert [m.mission_id for m in snapshot.missions] == [listed[0], *listed[2:]]
        view = looked(snapshot)
        assert any(each.startswith("1 odd mission left out") for each in told(view))
        assert badge(view, frozen=False) == "IMPAIRED"

    @pytest.mark.parametrize("odd", UNREADABLE)
    def test_what_is_no_mission_took_the_metrics_down(self, odd: object) -> None:
        body = metrics()
        body["recent_missions"].append(odd)
        snapshot = parsed(body)
        assert len(snapshot.missions) == len(body["recent_missions"]) - 1
        assert snapshot.odd_missions == 1

    def test_with_one_that_nobody_can_read_the_gates_passed(self) -> None:
        """It may have fallen back."""
        done = [builders.mission(f"m{n}", started_s=-60.0 * n) for n in range(1, 60)]
        before = assess(looked(builders.snapshot(*done)))
        assert before.gates.by_name()["G1"].verdict is Verdict.PASS
        assert before.suggestion is not None
        assert before.suggestion.decision == "READY_FOR_LIMITED_COHORT_PILOT"
        now = assess(looked(builders.snapshot(*done, odd_missions=1)))
        assert now.gates.by_name()["G1"].verdict is Verdict.UNKNOWN
        assert "1 mission cannot be read" in now.gates.by_name()["G1"].reason
        assert not now.is_clean
        assert now.suggestion is not None
        assert now.suggestion.decision == "HOLD_SHADOW"

    @pytest.mark.parametrize("name", ["objective", "result_ref"])
    @pytest.mark.parametrize("odd", [None, 7, {}])
    def test_one_without_words_was_left_out_fallback_and_all(self, name: str, odd: object) -> None:
        body = metrics()
        body["recent_missions"][1] |= {name: odd, "fallback_seen": True}
        snapshot = parsed(body)
        assert snapshot.missions[1].fallback_seen
        assert (snapshot.missions[1].objective == "") is (name == "objective")
        assert (snapshot.odd_missions, snapshot.odd_items) == (0, 0)

    @pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "1e400", '"30"', "true", "[]"])
    def test_one_with_an_odd_duration_was_left_out_fallback_and_all(self, odd: str) -> None:
        body = metrics()
        body["recent_missions"][1] |= {"duration_seconds": "ODD", "fallback_seen": True}
        raw = json.dumps(body).replace('"ODD"', odd)
        snapshot = parse_metrics(raw.encode(), 50, 200)
        assert snapshot.missions[1].fallback_seen
        view = looked(snapshot)
        assert view.state.snapshot is not None
        assert view.state.snapshot.missions[1].duration_s is None
        assert any(each.startswith("1 odd duration") for each in told(view))

    def test_one_listed_twice_counted_twice(self) -> None:
        body = metrics()
        count = len(body["recent_missions"])
        body["recent_missions"].append({**body["recent_missions"][0], "status": "running"})
        snapshot = parsed(body)
        assert len(snapshot.missions) == count
        assert snapshot.missions[0].status == body["recent_missions"][0]["status"]
        assert any(each.startswith("1 odd item left out") for each in told(looked(snapshot)))

    def test_an_only_one_that_is_odd_took_the_metrics_down(self) -> None:
        body = metrics()
        body["recent_missions"] = [{**body["recent_missions"][0], "status": None}]
        snapshot = parsed(body)
        assert (snapshot.missions, snapshot.odd_missions) == ((), 1)

    def test_a_list_of_which_nothing_can_be_read_is_no_empty_one(self) -> None:
        body = metrics()
        for mission in body["recent_missions"]:
            mission["status"] = None
        with pytest.raises(Unreadable, match="recent_missions"):
            parsed(body)

    @pytest.mark.parametrize("name", ["recent_missions", "recent_events", "mission_counts"])
    def test_a_missing_list_is_still_unreadable(self, name: str) -> None:
        body = metrics()
        del body[name]
        with pytest.raises(Unreadable):
            parsed(body)

    def test_the_dashboard_has_the_same_list(self) -> None:
        body = metrics()
        body["recent_missions"].append(None)
        raw = json.dumps({"status": "ok", "metrics": body}).encode()
        assert parse_dashboard_metrics(raw, 50, 200).odd_missions == 1

    def test_a_number_without_an_end_beside_an_odd_one_is_unreadable_and_no_crash(self) -> None:
        body = metrics()
        body["recent_missions"][1]["status"] = "ODD"
        raw = json.dumps(body).replace('"ODD"', "9" * 5_000)
        with pytest.raises(Unreadable):
            parse_metrics(raw.encode(), 50, 200)


class TestTheLanesOwnRow:
    @pytest.mark.parametrize(
        "odd", [7, "text", [], {}, {"session_id": "x", "workspace_dir": None, "status": "active"}]
    )
    def test_one_that_cannot_be_read_took_the_metrics_down(self, odd: object) -> None:
        body = metrics() | {"session": odd}
        snapshot = parsed(body)
        assert len(snapshot.missions) == len(body["recent_missions"])
        assert (snapshot.lane, snapshot.had_session) == (None, None)
        assert any(each.startswith("1 odd item left out") for each in told(looked(snapshot)))
        raw = json.dumps({"status": "ok", "metrics": body}).encode()
        assert parse_dashboard_metrics(raw, 50, 200).is_lane_odd

    def test_what_was_known_of_it_stands(self) -> None:
        before = looked(parsed(metrics()))
        odd = SnapshotArrived(5.0, parsed(metrics() | {"session": 7}), Plane.OPS)
        after = reduce_all(before.state, [odd])
        assert before.state.snapshot is not None
        assert after.snapshot is not None
        assert after.snapshot.lane == before.state.snapshot.lane
        assert after.ledger.entries == before.state.ledger.entries

    def test_a_lane_without_one_has_none(self) -> None:
        assert parsed(metrics() | {"session": None}).had_session is False


class TestTheReportedRate:
    @pytest.mark.parametrize("odd", ["NaN", "Infinity", "1e999", '"0.1"', "null", "true", "{}"])
    def test_one_that_is_no_number_took_the_metrics_down(self, odd: str) -> None:
        body = metrics()
        body["fallback"]["rate"] = "ODD"
        raw = json.dumps(body).replace('"ODD"', odd).encode()
        view = looked(parse_metrics(raw, 50, 200))
        found = numbers(view)
        assert found is not None
        assert found.reported_rate is None
        assert found.reconstruction.terminal
        assert found.cells.is_reconstructed
        assert any("a fallback rate that is no number" in each for each in told(view))
        assert badge(view, frozen=False) == "IMPAIRED"
        assert "NaN" not in json.dumps(status_object(view))
        assert "no missions" not in reported(found)

    def test_a_row_without_one_had_no_p95_though_each_mission_has_its_time(self) -> None:
        body = metrics()
        body["latency_seconds"]["p95_seconds"] = None
        body["fallback"].pop("rate")
        cells = numbers(looked(parsed(body))).cells  # type: ignore[union-attr]
        assert cells.is_reconstructed
        assert cells.p95_s is not None
        body = metrics()
        body["latency_seconds"]["p95_seconds"] = None
        assert numbers(looked(parsed(body))).cells == cells  # type: ignore[union-attr]


class TestEvents:
    @pytest.mark.parametrize("odd", UNREADABLE)
    def test_one_that_cannot_be_read_took_the_metrics_down(self, odd: object) -> None:
        body = metrics()
        body["recent_events"].insert(0, odd)
        snapshot = parsed(body)
        assert len(snapshot.events) == len(body["recent_events"]) - 1
        view = looked(snapshot)
        assert any(each.startswith("1 odd item left out") for each in told(view))
        assert not any(found.is_grave for found in troubles(view) if "odd" in found.what)

    def test_one_that_came_twice_made_a_full_list_look_whole(self) -> None:
        body = metrics()
        body["recent_events"].append(body["recent_events"][0])
        assert len(parsed(body).events) == len(body["recent_events"])

    @pytest.mark.parametrize("name", ["mission_counts", "event_counts"])
    @pytest.mark.parametrize("odd", [None, "3", 1.5, {}])
    def test_one_odd_count_took_the_metrics_down(self, name: str, odd: object) -> None:
        body = metrics()
        counts = dict(body[name])
        body[name]["odd"] = odd
        snapshot = parsed(body)
        found = snapshot.mission_counts if name == "mission_counts" else snapshot.event_counts
        assert found == counts
        assert snapshot.odd_items == 1


GOOD: Final = {"session_id": "session_a", "status": "idle"}


def of_ops(*items: object, total: int | None = None) -> SessionListing:
    body = {"sessions": list(items), **({} if total is None else {"total": total})}
    return parse_ops_sessions(json.dumps(body).encode())


def of_the_session_plane(*items: object) -> SessionListing:
    """Return a listing of the session plane, whose items have the same in `metadata`."""
    sessions = [
        {"session_id": item.get("session_id"), "metadata": item} if isinstance(item, dict) else item
        for item in items
    ]
    return parse_session_listing(json.dumps({"sessions": sessions}).encode())


def listed(listing: SessionListing) -> View:
    sessions, total, odd, _old_s = listing
    arrived = SessionsArrived(0.0, sessions, total, Plane.OPS, odd)
    taken = builders.polled(builders.snapshot())
    return View(builders.state(builders.healthy(), taken, arrived), 1.0)


@pytest.mark.parametrize("listing_of", [of_ops, of_the_session_plane])
class TestSessions:
    @pytest.mark.parametrize(
        "odd",
        [
            *UNREADABLE,
            {"session_id": None, "status": "idle"},
            {"session_id": "session_b", "status": None},
            {"session_id": "session_b", "status": "idle", "active_runs": "1"},
            GOOD,
        ],
    )
    def test_one_that_cannot_be_read_took_the_list_down(
        self, listing_of: Callable[..., SessionListing], odd: object
    ) -> None:
        listing = listing_of(GOOD, odd)
        assert [each.session_id for each in listing.sessions] == ["session_a"]
        assert (listing.total, listing.odd) == (2, 1)
        view = listed(listing)
        (trouble,) = told(view)
        assert trouble.startswith("not all sessions listed: 1 of 2, 1 odd session left out")
        assert badge(view, frozen=False) == "IMPAIRED"
        assert not are_runs_judged(view)

    def test_of_two_with_one_id_the_later_one_hid_the_run(
        self, listing_of: Callable[..., SessionListing]
    ) -> None:
        listing = listing_of({**GOOD, "active_runs": 1}, GOOD)
        assert [each.is_running for each in listing.sessions] == [True]

    def test_a_list_that_ends_early_is_said(
        self, listing_of: Callable[..., SessionListing]
    ) -> None:
        items = [{**GOOD, "session_id": f"session_{n}"} for n in range(1000)]
        view = listed(listing_of(*items)._replace(total=1206))
        (trouble,) = told(view)
        assert trouble == ("not all sessions listed: 1,000 of 1,206: a run may be among the others")
        assert not are_runs_judged(view)
        assert are_runs_judged(listed(listing_of(*items)))


@pytest.mark.parametrize("odd", [*UNREADABLE, {"mission_id": "m2"}])
def test_an_odd_claim_vanished_without_a_word(odd: object) -> None:
    good = {"mission_id": "m1", "vp_id": "vp.coder.primary"}
    claims = parse_claims(
        json.dumps({"missions": [good, odd]}).encode(), "vp.coder.primary", builders.NOW
    )
    assert (set(claims.missions), claims.odd) == ({"m1"}, 1)
    arrived = (builders.polled(builders.snapshot()), ClaimsArrived(0.0, claims))
    view = View(builders.state(builders.healthy(dialect="G2"), *arrived), 1.0)
    assert any(each.startswith("1 odd item left out") for each in told(view))


@pytest.mark.parametrize("odd", UNREADABLE)
def test_an_odd_alert_took_the_continuity_down_and_is_bad_news(odd: object) -> None:
    body = {"started_at": builders.BOOT, "transport_status": "ok", "runtime_status": "ok"}
    raw = json.dumps({"metrics": {**body, "alerts": [odd]}}).encode()
    continuity = parse_continuity(raw)
    assert [alert.code for alert in continuity.alerts] == ["unreadable"]
    arrived = ContinuityArrived(0.0, continuity)
    gates = assess(View(builders.state(builders.healthy(), arrived), 1.0)).gates
    assert gates.by_name()["G4"].verdict is Verdict.FAIL


@pytest.mark.parametrize("odd", [None, 7, [], {}])
def test_a_line_that_is_no_text_took_the_log_down(odd: object) -> None:
    body = {"file": "run.log", "size": 9, "truncated": False, "reset": False}
    tail = parse_tail(json.dumps({**body, "lines": ["one", odd, "two"]}).encode())
    assert tail.lines == ("one", f"-- no text: {odd!r} --", "two")


def test_a_line_of_the_audit_that_is_no_action_costs_itself(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    audit.write_text('null\n7\n{"action": 3}\n[[[\n')
    assert newest_actions(audit, 10).unreadable == 4
