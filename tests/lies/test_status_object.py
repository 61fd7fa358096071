"""Lies that `vp-tui status --json` told, each with the right value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support import builders

from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.models import Latency
from vp_tui.views.status import EXIT_ATTENTION, EXIT_HEALTHY, exit_code, status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission


def looked(*missions: Mission, more: tuple[Event, ...] = (), **fields: Any) -> View:  # noqa: ANN401 - fields of Snapshot
    """Return a look at a gateway of which every source has answered."""
    events = [
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot(*missions, **fields)),
        builders.listing(builders.session()),
        builders.logged("a"),
        *more,
    ]
    return View(builders.state(*events), 1.0)


def clean(count: int) -> list[Mission]:
    return [builders.mission(f"m{n}", started_s=-60.0 * (n + 1)) for n in range(count)]


def test_an_odd_duration_was_the_p95() -> None:
    odd = builders.mission("odd", started_s=-30.0, duration_s=-3570.0)
    reported = Latency(5, -690.0, 30.0, -3570.0, 30.0)
    latency = status_object(looked(odd, *clean(4), latency=reported))["latency"]
    assert latency == {
        "n": 4,
        "p50_s": 30.0,
        "p95_s": 30.0,
        "max_s": 30.0,
        "rank_from_top": 1,
        "over_watch": 0,
    }


def test_without_an_odd_one_the_gateways_own_times_are_told() -> None:
    reported = Latency(4, 30.0, 29.5, 31.0, 32.0)
    latency = status_object(looked(*clean(4), latency=reported))["latency"]
    assert (latency["n"], latency["p50_s"], latency["p95_s"], latency["max_s"]) == (
        4, 29.5, 31.0, 32.0,
    )  # fmt: skip


def test_injected_faults_were_in_the_reconstructed_rate() -> None:
    """The gates leave them out, and the bounds were those of another rate than theirs."""
    injected = [builders.mission(f"f{n}", started_s=-5.0 - n, fallback_seen=True) for n in range(2)]
    ids = frozenset(mission.mission_id for mission in injected)
    read = EvidenceRead(0.0, (), ids, unreal_ids=ids)
    fallback = status_object(looked(*injected, *clean(4), more=(read,)))["fallback"]
    assert fallback["reconstructed"] == {
        "rate": 0.0, "fallbacks": 0, "terminal": 4, "inferred": 0,
    }  # fmt: skip
    assert fallback["needed_for_10pct"] == 31, "35 clean ones are proof"
    assert fallback["reported"]["with_fallback"] == 2, "verbatim"


def test_known_and_unknown_missions_are_all_that_are_considered() -> None:
    unknown = builders.mission("unseen", started_s=-5.0, result_ref=None)
    running = builders.mission("run", "running", started_s=-2.0)
    events = [event for m in clean(3) for event in builders.mission_events(m)]
    view = looked(running, unknown, *clean(3), events=[*events, builders.mission_event("run")])
    coverage = status_object(view)["fallback"]["coverage"]
    assert (coverage["known"], coverage["unknown"], coverage["considered"]) == (4, 1, 5)
    assert sum(coverage["by"].values()) == coverage["known"]


def test_a_window_tells_what_ended_in_it_apart_from_what_runs() -> None:
    running = builders.mission("run", "running", started_s=-2.0)
    heard = tuple(builders.stream(builders.routed("coder_vp_fallback", "run"), at=0.5))
    listed = builders.listing(builders.session(active_runs=1))
    missions = status_object(looked(running, *clean(3), more=(listed, *heard)))["window"][
        "missions"
    ]
    assert missions == {
        "new": 3, "completed": 3, "failed": 0, "running": 1, "fallback": 0, "falling_back": 1,
        "unknown": 0,
    }  # fmt: skip


def test_an_alarm_alone_left_the_exit_code_at_0() -> None:
    """An evidence log that cannot be read was among the alarms, and nothing was to be done."""
    unreadable = EvidenceRead(0.5, (), frozenset(), "docs/log.md: it may not be read")
    assert exit_code(looked(*clean(3))) == EXIT_HEALTHY
    alarmed = looked(*clean(3), more=(unreadable,))
    assert status_object(alarmed)["alarms"] == ["evidence log: docs/log.md: it may not be read"]
    assert exit_code(alarmed) == EXIT_ATTENTION
