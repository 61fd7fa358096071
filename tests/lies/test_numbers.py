"""Lies of odd numbers, clocks and lives of the gateway, each with the right value."""

from __future__ import annotations

import json
import math
import re
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import builders
from tests.support.builders import NOW
from tests.support.rollout import lasting, row

from vp_tui.cli.status import status_text
from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.models import Latency, ReportedFallback
from vp_tui.domain.rollout.guardrails import evidence_target
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.domain.vocabulary import Stage
from vp_tui.gateway.parsing import parse_metrics
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.lines.figure_layouts import (
    brief_lines,
    dense_lines,
    epoch_card,
    latency_card,
    window_card,
)
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import numbers
from vp_tui.views.handover import handover, incident_text
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.missions import LedgerEntry


WIRE: Final = Path(__file__).parents[1] / "wire"


def view(*missions: Any, **fields: Any) -> View:  # noqa: ANN401 - missions, and fields of Snapshot
    """Return a look at a gateway that is up, boot and all."""
    taken = builders.snapshot(*missions, **fields)
    return View(builders.state(builders.healthy(), builders.booted(), builders.polled(taken)), 1.0)


def told(looked: View) -> str:
    return " | ".join(trouble.told for trouble in troubles(looked))


def many(count: int, **fields: Any) -> list[Any]:  # noqa: ANN401 - fields of Mission
    return [
        builders.mission(f"m{n:03d}", started_s=-60.0 * (n + 1), **fields) for n in range(count)
    ]


@pytest.mark.parametrize("odd_s", [-3570.0, math.inf, math.nan, 1e9])
def test_durations_that_cannot_be_made_a_p95_and_passed_gate_3(odd_s: float) -> None:
    looked = view(*many(35, duration_s=odd_s))
    shown = numbers(looked)
    assert shown is not None
    assert (shown.p95_s, shown.timed, shown.p95_trend) == (None, 0, ())
    assert assess(looked).gates.by_name()["G3"].verdict is Verdict.INCONCLUSIVE
    assert "35 odd durations" in told(looked)
    draft = draft_row(looked)
    assert draft is not None
    written = row_of(draft, Choice("HOLD_SHADOW"))
    assert written.p95_latency.startswith("n/a")
    assert "35 odd durations" in written.notes


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-5.0", '"soon"', "true"])
def test_an_odd_number_of_seconds_cost_the_whole_answer_or_its_mission(odd: str) -> None:
    wire = json.loads((WIRE / "b04_metrics_clean.json").read_bytes())["body"]
    wire["latency_seconds"]["p95_seconds"] = wire["recent_missions"][0]["duration_seconds"] = "?"
    taken = parse_metrics(json.dumps(wire).replace('"?"', odd).encode(), 500, 1000)
    looked = View(builders.state(builders.healthy(), builders.polled(taken)), 1.0)
    shown = numbers(looked)
    assert shown is not None
    assert len(shown.recent) == len(wire["recent_missions"])
    assert (shown.snapshot.latency.p95_s, shown.snapshot.odd_durations) == (None, 1)
    assert shown.snapshot.latency.p50_s is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"active_runs": -4}, "-4 runs of session_a"),
        ({"active_connections": -1}, "-1 viewers of session_a"),
        ({"last_event_seq": 10**20}, "10000000000… frames of session_a"),
    ],
)
def test_counts_of_a_session_that_cannot_be_were_believed(
    fields: dict[str, Any], words: str
) -> None:
    listed = builders.listing(builders.session(**fields))
    taken = builders.polled(builders.snapshot(*many(1)))
    looked = View(builders.state(builders.healthy(), builders.booted(), taken, listed), 1.0)
    assert f"impossible counts reported: {words}" in told(looked)


def test_one_odd_duration_costs_only_itself() -> None:
    shown = numbers(view(*many(3), builders.mission("odd", started_s=-500.0, duration_s=-1.0)))
    assert shown is not None
    assert (shown.p95_s, shown.timed) == (30.0, 3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fallback": ReportedFallback(7, 3, 7 / 3)}, "7 of 3 fell back"),
        ({"fallback": ReportedFallback(-1, 3, 0.0)}, "-1 of 3 fell back"),
        ({"fallback": ReportedFallback(0, 10**20, 0.0)}, "0 of 10000000000… fell back"),
        ({"fallback": ReportedFallback(0, 3, 7.0)}, "a fallback rate of 7"),
        ({"mission_counts": {"completed": -2}}, "-2 missions completed"),
        ({"event_counts": {"vp.mission.completed": -4}}, "-4 vp.mission.completed"),
        ({"latency": Latency(-4, 30.0, 30.0, 30.0, 30.0)}, "-4 timed"),
        ({"mission_counts": {"completed": 10**20}}, "10000000000… missions completed"),
    ],
)
def test_counts_that_cannot_be_were_shown_as_a_rate(fields: dict[str, Any], words: str) -> None:
    looked = view(*many(3), **fields)
    shown = numbers(looked)
    assert shown is not None
    assert shown.reported_rate is None
    assert shown.cells.is_reconstructed
    assert f"impossible counts reported: {words}" in told(looked)


def test_figures_that_cannot_be_were_shown_as_they_came_and_filled_the_row() -> None:
    """Each is told as impossible, wherever figures are, and none takes more than 12 characters."""
    huge, long_s = 10**20 - 1, 9e12
    counts = {"completed": -4, "running": huge, "paused": huge}
    kinds = {"vp.mission.completed": -4, "vp.mission.fallback": huge, "vp.odd": huge}
    taken = builders.snapshot(
        *many(3),
        builders.mission("long", started_s=-9e9, duration_s=long_s),
        fallback=ReportedFallback(7, 3, 7 / 3),
        mission_counts=counts,
        event_counts=kinds,
        latency=Latency(huge, long_s, 30.0, 30.0, 40.0),
    )
    seen = builders.session(active_connections=huge, last_event_seq=huge)
    listed = builders.listing(seen)._replace(total=huge)
    events = (builders.healthy(), builders.booted(), builders.polled(taken), listed)
    looked = View(builders.state(*events), 1.0)
    draft = draft_row(looked)
    assert draft is not None
    cells = "|".join(astuple(row_of(draft, Choice("HOLD_SHADOW"))))
    shown = numbers(looked)
    assert shown is not None
    told = [status_text(looked), handover(looked, "ben"), cells]
    told.append(incident_text(looked, seen.session_id))
    assert "impossible other viewers" in told[-1]
    for width in (50, 80, 120, 200):
        lines = [*dense_lines(looked, width, 20), *brief_lines(looked, width)]
        lines += [*epoch_card(looked, shown, width, 20)]
        lines += [*latency_card(looked, shown, width, 20)]
        lines += [*window_card(looked, shown, width, 20), *explanation(looked, width)]
        told += ["".join(text for text, _tone in line) for line in lines]
    for text in told:
        assert not re.search(r"\d{12,}|-4\b(?! missions| vp)|7/3|2\.333", text), text
    assert "missions_considered=3`, `missions_with_fallback=impossible`" in cells
    assert "{completed:impossible,running:impossible,paused:impossible}" in cells
    assert "reported of all listed impossible" in told[1]


def test_missions_of_an_unknown_epoch_passed_the_gates() -> None:
    taken = builders.snapshot(*many(40))
    known: list[Event] = [builders.healthy(), builders.polled(taken)]
    unknown = assess(View(builders.state(*known), 1.0)).gates.by_name()
    booted = builders.booted("2026-11-22T10:00:00")
    passed = assess(View(builders.state(*known, booted), 1.0)).gates.by_name()
    for name in ("G1", "G2", "G3"):
        assert passed[name].verdict is Verdict.PASS
        assert unknown[name].verdict is Verdict.INCONCLUSIVE
        assert "epoch unknown" in unknown[name].reason


def test_a_change_to_daylight_saving_time_moved_the_boot() -> None:
    before = builders.state(builders.healthy(), builders.booted())
    after = builders.state(
        builders.healthy(),
        builders.booted(),
        builders.healthy(1.0)._replace(
            health=builders.health(clock_offset_s=builders.CHICAGO_S + 3600.0)
        ),
    )
    assert before.boot_at is not None
    assert after.boot_at == before.boot_at


def test_a_boot_that_was_told_before_the_clock_is_known_once_that_is() -> None:
    early = builders.state(builders.booted())
    assert early.boot_at is None
    later = builders.state(builders.booted(), builders.healthy())
    assert later.boot_at == builders.state(builders.healthy(), builders.booted()).boot_at


def test_a_restart_took_back_what_the_evidence_target_had_counted() -> None:
    log = EvidenceRead(
        at=0.0,
        rows=(row("Shadow window #1", date="2026-11-23T02:00:00Z"),),
        recorded_ids=frozenset(),
        authors=(None,),
    )
    late = builders.booted("2026-11-22T19:59:59")
    for boot in (builders.booted("2026-11-22T10:00:00"), late):
        looked = View(
            builders.state(
                builders.healthy(), boot, builders.polled(builders.snapshot(*many(5))), log
            ),
            1.0,
        )
        target = assess(looked).target
        assert target is not None
        assert target.count == 5


def test_an_anchor_without_a_date_counted_from_the_logs_beginning() -> None:
    rows = [row("Limited cohort window #4", date="some day"), row("Broadened rollout window #1")]
    ended: list[LedgerEntry] = list(lasting([30.0] * 3))
    assert evidence_target(rows, Stage.BROADENED, ended) is None


def test_nothing_reaches_45_s_at_more_than_45_s() -> None:
    looked = view(*many(3, duration_s=45.0), generated_at=NOW + timedelta(minutes=1))
    assert assess(looked).gates.by_name()["G3"].verdict is Verdict.FAIL
