from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders

from vp_tui.domain.models import Plane, Source, StreamState
from vp_tui.domain.text import utc_z
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

ALL_WELL: list[Event] = [
    builders.healthy(),
    builders.polled(builders.snapshot(builders.mission("m2", "running"), builders.mission())),
    builders.listing(builders.session(active_runs=1)),
    builders.booted(),
    builders.logged("a"),
    builders.linked(),
]
"""Every source answered at 0.0."""


def shown(*events: Event, now: float = 1.0) -> dict[str, Any]:
    return status_object(View(builders.state(*events), now))


def code(*events: Event, now: float = 1.0) -> int:
    return exit_code(View(builders.state(*events), now))


def numbers_in(value: object) -> list[object]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers_in(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers_in(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


class TestShape:
    def test_the_keys_are_those_that_others_script_against(self) -> None:
        assert list(shown()) == [
            "schema", "generated_at", "gateway", "lane", "sources", "window", "missions",
            "fallback", "latency", "gates", "promotion", "guardrails", "runs", "safety",
            "suggestion", "alarms",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("path", "keys"),
        [
            ("gateway", "url reachable version dialect clock_offset_s started_at epoch"),
            ("lane", "vp_id session_status stage mode"),
            ("sources", "metrics sessions log continuity stream"),
            ("sources.metrics", "state age_s error plane"),
            ("sources.stream", "state age_s error plane"),
            ("missions", "considered completed failed running orphans counts events"),
            (
                "fallback",
                (
                    "reported reconstructed interval95 upper95 needed_for_10pct coverage rolling "
                    "unseen routing"
                ),
            ),
            ("fallback.reported", "rate with_fallback considered"),
            ("fallback.reconstructed", "rate fallbacks terminal inferred"),
            ("fallback.coverage", "state covered considered known unknown by"),
            ("fallback.unseen", "bootstrap shadow lease_degraded"),
            (
                "fallback.routing",
                "turns_ran beginnings_heard coding_turns delegated primary bootstrap unexplained",
            ),
            ("latency", "n p50_s p95_s max_s rank_from_top over_watch"),
        ],
    )
    def test_the_keys_of_each_part(self, path: str, keys: str) -> None:
        part = shown(*ALL_WELL)
        for name in path.split("."):
            part = part[name]
        assert sorted(part) == sorted(keys.split())

    def test_the_keys_of_a_run(self) -> None:
        (run,) = shown(*ALL_WELL)["runs"]
        assert list(run) == [
            "session_id", "level", "active_runs", "silent_s", "last_event", "mission_id", "reason",
        ]  # fmt: skip

    def test_it_is_plain_json(self) -> None:
        value = shown(*ALL_WELL)
        assert json.loads(json.dumps(value)) == value


class TestUnknown:
    def test_before_anything_answered_nothing_is_zero(self) -> None:
        assert numbers_in(shown()) == [1], "the schema alone is a number"

    def test_no_missions_have_no_rate_and_no_latency(self) -> None:
        value = shown(builders.healthy(), builders.polled(builders.snapshot()))
        assert value["fallback"]["reported"] == {"rate": None, "with_fallback": 0, "considered": 0}
        assert value["fallback"]["reconstructed"]["rate"] is None
        assert value["fallback"]["coverage"]["state"] == "none"
        assert value["latency"]["n"] == 0
        assert value["latency"]["p95_s"] is None
        assert value["latency"]["rank_from_top"] is None

    @pytest.mark.parametrize(
        "deaf",
        [
            [],
            [builders.failed(Source.SESSIONS)],
            [
                builders.listing(builders.session()),
                builders.linked(StreamState.UNAUTHORIZED, "403"),
            ],
        ],
    )
    def test_without_a_stream_what_only_streams_tell_is_unknown(self, deaf: list[Event]) -> None:
        fallback = shown(builders.polled(builders.snapshot()), *deaf)["fallback"]
        assert set(fallback["unseen"].values()) == {None}
        assert set(fallback["routing"].values()) == {None}

    @pytest.mark.parametrize(
        "heard", [[builders.listing()], [builders.listing(builders.session()), builders.linked()]]
    )
    def test_with_streams_or_nothing_to_hear_it_is_known(self, heard: list[Event]) -> None:
        fallback = shown(builders.polled(builders.snapshot()), *heard)["fallback"]
        assert set(fallback["unseen"].values()) == {0}

    def test_what_was_heard_stays_known(self) -> None:
        frames = builders.stream(builders.routed("coder_vp_shadow_mode"), builders.processing())
        lost = builders.linked(StreamState.WAITING, "closed")
        fallback = shown(
            builders.healthy(),
            builders.polled(builders.snapshot()),
            builders.linked(),
            *frames,
            lost,
        )["fallback"]
        assert fallback["unseen"] == {"bootstrap": 0, "shadow": 1, "lease_degraded": 0}
        assert fallback["routing"]["primary"] == 1


class TestStatistics:
    def test_the_bounds_are_those_of_the_reconstructed_rate(self) -> None:
        missions = [builders.mission(f"m{n}", started_s=-60.0 * n) for n in range(1, 19)]
        fallback = shown(builders.healthy(), builders.polled(builders.snapshot(*missions)))[
            "fallback"
        ]
        assert fallback["interval95"] == pytest.approx([0.0, 0.17588], abs=1e-4)
        assert fallback["upper95"] == pytest.approx(1 - 0.05 ** (1 / 18))
        assert fallback["needed_for_10pct"] == 17
        assert fallback["rolling"] == {
            "size": 20, "terminal": 18, "fallbacks": 0, "tripped": False, "to_trip": 3,
        }  # fmt: skip

    def test_three_fallbacks_trip(self) -> None:
        missions = [builders.mission(f"m{n}", result_ref=builders.ELSEWHERE) for n in range(3)]
        rolling = shown(builders.healthy(), builders.polled(builders.snapshot(*missions)))[
            "fallback"
        ]["rolling"]
        assert (rolling["tripped"], rolling["to_trip"]) == (True, 0)

    def test_without_a_finished_mission_nothing_is_proven(self) -> None:
        fallback = shown(
            builders.healthy(),
            builders.polled(builders.snapshot(builders.mission("m1", "running"))),
        )["fallback"]
        for name in ("interval95", "upper95", "needed_for_10pct", "rolling"):
            assert fallback[name] is None


class TestValues:
    def test_the_gateway(self) -> None:
        assert shown(*ALL_WELL)["gateway"] == {
            "url": "http://127.0.0.1:8002",
            "reachable": True,
            "version": "1.0.0",
            "dialect": "G1",
            "clock_offset_s": -21600.0,
            "started_at": "2026-11-23T01:00:00Z",
            "epoch": 1,
        }

    def test_the_figures(self) -> None:
        value = shown(
            builders.healthy(),
            builders.polled(
                builders.snapshot(
                    builders.mission("m2", result_ref=builders.ELSEWHERE), builders.mission()
                )
            ),
            builders.booted(),
        )
        assert value["generated_at"] == "2026-11-23T02:00:01Z"
        assert value["missions"]["counts"] == {"completed": 2}
        assert value["missions"]["running"] == 0
        assert value["fallback"]["reported"]["rate"] == 0.0
        assert value["fallback"]["reconstructed"] == {
            "rate": 0.5,
            "fallbacks": 1,
            "terminal": 2,
            "inferred": 1,
        }
        assert value["fallback"]["coverage"] == {
            "state": "full",
            "covered": 2,
            "considered": 2,
            "known": 2,
            "unknown": 0,
            "by": {"events": 2, "witnessed": 0, "inferred": 0},
        }
        assert value["latency"]["rank_from_top"] == 1
        assert value["alarms"] == ["the gateway's fallback count is 1 lower than the ledger's"]

    def test_a_blind_rate_is_an_alarm(self) -> None:
        value = shown(
            builders.healthy(),
            builders.polled(builders.snapshot(builders.mission(result_ref=None), events=[])),
        )
        assert value["alarms"] == [
            "outcomes unknown: 1 in the window, 1 of the last 1 ended unseen"
        ]

    def test_a_substitute_is_labelled(self) -> None:
        value = shown(
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(), 0.5, Plane.DASHBOARD),
        )
        assert value["sources"]["metrics"] == {
            "state": "unauthorized",
            "age_s": 0.5,
            "error": builders.REFUSED.reason,
            "plane": "ops",
        }
        assert value["alarms"][0] == f"metrics unauthorized: {builders.REFUSED.reason}"
        assert "dashboard" in value["alarms"][1]

    def test_a_listing_of_the_session_plane_says_so(self) -> None:
        sources = shown(builders.listing(plane=Plane.SESSION))["sources"]
        assert sources["sessions"] == {
            "state": "live", "age_s": 1.0, "error": None, "plane": "session",
        }  # fmt: skip

    def test_only_running_and_attached_sessions_are_runs(self) -> None:
        value = shown(
            builders.listing(
                builders.session("idle"),
                builders.session("runs", active_runs=1),
                builders.session(),
            ),
            builders.linked(),
        )
        assert [run["session_id"] for run in value["runs"]] == ["runs", "session_a"]

    def test_a_run(self) -> None:
        frames = builders.stream(
            builders.routed("delegated_to_coder_vp", "m1"), builders.frame("text"), at=0.0
        )
        value = shown(
            builders.listing(builders.session(active_runs=1)), builders.linked(), *frames, now=3.26
        )
        assert value["runs"] == [
            {
                "session_id": "session_a",
                "level": "ok",
                "active_runs": 1,
                "silent_s": 2.3,
                "last_event": "text",
                "mission_id": "m1",
                "reason": "silent for 2s",
            }
        ]


class TestExitCode:
    def test_all_well(self) -> None:
        assert code(*ALL_WELL) == 0

    @pytest.mark.parametrize(
        "trouble",
        [
            builders.failed(failure=builders.REFUSED),
            builders.failed(Source.CONTINUITY),
            builders.failed(Source.LOG, log_id="vp_coder_primary"),
            builders.linked(StreamState.WAITING, "refused"),
            builders.linked(StreamState.UNAUTHORIZED, "403"),
            builders.polled(builders.snapshot(builders.mission("new", result_ref=None), events=[])),
            builders.polled(builders.snapshot(builders.mission(result_ref=builders.ELSEWHERE))),
        ],
    )
    def test_attention(self, trouble: Event) -> None:
        assert code(*ALL_WELL, trouble) == 1

    def test_stale_while_others_answer(self) -> None:
        assert code(*ALL_WELL, builders.healthy(9.0), now=9.0) == 1

    @pytest.mark.parametrize(
        "events",
        [[], [builders.failed(), builders.failed(Source.HEALTH), builders.failed(Source.SESSIONS)]],
    )
    def test_could_not_look(self, events: list[Event]) -> None:
        assert code(*events) == 2

    def test_a_refusal_everywhere_is_a_look(self) -> None:
        assert code(builders.failed(failure=builders.REFUSED)) == 1


def test_stamps_are_utc_to_the_second() -> None:
    chicago = timezone(timedelta(hours=-6))
    assert utc_z(datetime(2026, 11, 22, 20, 0, 1, 999, tzinfo=chicago)) == "2026-11-23T02:00:01Z"
    assert utc_z(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
