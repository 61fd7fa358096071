"""Lies that were told of figures that stand beside each other: of which missions each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.builders import mission, snapshot
from tests.support.rollout import golden_rows, row

from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.models import ReportedFallback
from vp_tui.domain.rollout.claims import considered, rank_fall
from vp_tui.domain.statistics import p95_after_each
from vp_tui.domain.text import utc_z
from vp_tui.ui.lines.explain import explanation
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import numbers, untold_gap
from vp_tui.views.troubles import GAP, troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission, Snapshot
    from vp_tui.views.figures import Numbers


def seen(taken: Snapshot, *events: Event) -> View:
    first: list[Event] = [builders.healthy(), builders.booted()]
    first.append(builders.listing(builders.session()))
    busy = builders.listing(builders.session(active_runs=1))
    return View(builders.state(*first, busy, *events, builders.polled(taken)), 2.0)


def figures(view: View) -> Numbers:
    found = numbers(view)
    assert found is not None
    return found


def text(view: View, width: int = 160) -> str:
    return "\n".join("".join(part for part, _tone in line) for line in explanation(view, width))


def ended(count: int, *fallen: int, started_s: float = -100.0) -> list[Mission]:
    """Return finished missions, the newest first; those of the numbers in `fallen` fell back."""
    return [
        mission(f"d{n:02d}", started_s=started_s - 40.0 * n, fallback_seen=n in fallen)
        for n in range(count)
    ]


def test_2_fallbacks_of_4_with_40_running_agreed_with_4_percent() -> None:
    running = [mission(f"r{n:02d}", "running", started_s=-float(n + 1)) for n in range(40)]
    taken = snapshot(*running, *ended(4, 0, 1))
    taken = taken._replace(fallback=ReportedFallback(2, 44, 2 / 44))
    view = View(builders.state(builders.healthy(dialect="G2"), builders.polled(taken)), 2.0)
    assert words.reported(figures(view)) == "0.045 of 44, 40 of them running; 2 of 4 finished"
    assert words.agreement(figures(view)) == ["counts 40 running"]
    assert words.reconstructed(figures(view)) == "0.500 2/4"


def test_a_running_mission_that_changes_no_number_changes_no_word() -> None:
    taken = snapshot(mission("m1", "running", started_s=-5.0), *ended(4))
    view = seen(taken)
    assert words.reported(figures(view)) == "0.000 0/5"
    assert words.agreement(figures(view)) == ["agrees"]


def test_missions_of_before_a_restart_agreed_with_those_since() -> None:
    before = ended(3, started_s=-7_200.0)
    taken = snapshot(*ended(2), *[m._replace(mission_id=f"b{m.mission_id}") for m in before])
    assert words.agreement(figures(seen(taken))) == ["3 more listed"]


def test_missions_that_the_list_no_longer_has_agreed_with_those_that_it_has() -> None:
    older, newer = ended(2), [m._replace(mission_id=f"n{m.mission_id}") for m in ended(2)]
    first = builders.polled(snapshot(*older))
    moved_on = snapshot(newer[0], *older[:1], mission_limit=2)
    assert words.agreement(figures(seen(moved_on, first))) == ["1 no longer listed"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_running_mission_was_a_number_without_an_age(count: int) -> None:
    ages = [30.0, 20.0, 10.0][:count]
    running = [mission(f"r{s:.0f}", "running", started_s=-s) for s in reversed(ages)]
    view = View(
        builders.state(builders.healthy(dialect="G2"), builders.polled(snapshot(*running))), 2.0
    )
    assert [one for one, _age_s in figures(view).under_way] == [f"r{s:.0f}" for s in ages]
    told = ", ".join(f"r{s:.0f} {s + 2.0:.0f}s" for s in ages)
    assert told in text(view)


def test_a_p95_that_fell_by_its_rank_alone_read_as_faster() -> None:
    """In the golden log 38.305 -> 35.964: nothing got faster."""
    times = [38.305, 35.964, *[30.0] * 9]
    trend = p95_after_each(times, 120)
    assert rank_fall(trend, 11) is None, "the maximum of 11"
    times.append(31.0)
    fall = rank_fall(p95_after_each(times, 120), 12)
    assert fall is not None
    assert fall.told == "fell from 38.305s at n = 12 by its rank: nothing got faster"
    times.append(40.0)
    times.append(41.0)
    assert rank_fall(p95_after_each(times, 120), 14) is None, "it rose again"


def test_the_row_says_that_nothing_got_faster() -> None:
    rows = tuple(golden_rows()[:14])
    assert rows[-1].p95_latency == "38.305s"
    timed = [38.305, 35.964, *[30.0] * 10]
    missions = [
        mission(f"m{n:02d}", started_s=-50.0 * (12 - n), duration_s=seconds)
        for n, seconds in enumerate(timed)
    ]
    taken = snapshot(*reversed(missions))
    view = seen(taken, EvidenceRead(0.0, rows, frozenset()))
    told = row_of(draft_row(view), Choice("GO_BROADER_TRAFFIC_ACTIVE")).notes
    wanted = "p95 38.305s -> 35.964s by its rank (2nd of 12) alone: nothing got faster"
    assert wanted in told
    assert "it fell from 38.305s at n = 12 by its rank: nothing got faster" in text(view)
    one_more = seen(taken, EvidenceRead(0.0, tuple(golden_rows()[:15]), frozenset()))
    assert "nothing got faster" not in row_of(draft_row(one_more), Choice("HOLD_SHADOW")).notes


def test_the_time_of_a_fallen_back_mission_was_taken_for_the_lanes() -> None:
    fell = mission("f1", started_s=-95.0, duration_s=90.5, fallback_seen=True)
    view = seen(snapshot(fell, *ended(3, started_s=-200.0)))
    assert "90.500s, with both paths in each" in text(view)
    notes = row_of(draft_row(view), Choice("HOLD_SHADOW")).notes
    assert "fell back after 90.500s (both paths)" in notes


def test_each_p95_says_of_which_missions_it_is() -> None:
    before = [m._replace(mission_id=f"b{m.mission_id}") for m in ended(3, started_s=-7_200.0)]
    shown = text(seen(snapshot(*ended(2), *before)))
    assert "of epoch 1: 30.000s max of 2" in shown
    assert "30.000s max of 5, of all that is listed" in shown


def test_what_the_endpoint_counts_is_told_apart() -> None:
    listed = [mission("r1", "running"), *ended(3, 1)]
    entries = numbers(seen(snapshot(*listed)))
    assert entries is not None
    told = considered(snapshot(*listed), entries.recent)
    assert (told.running, told.finished, told.fallbacks, told.more, told.fewer) == (1, 3, 1, 0, 0)


def beyond_the_list(*, limit: int = 30) -> tuple[Event, Event]:
    """Return two answers of a gateway that did more between them than its list holds."""
    old = [m._replace(mission_id=f"o{m.mission_id}") for m in ended(40, started_s=-1_700.0)]
    first = snapshot(*old[:limit], mission_limit=limit)
    now = snapshot(*ended(limit), mission_limit=limit)
    return builders.polled(first, -60.0), builders.polled(now, 1.0)


def test_missions_that_nobody_saw_were_no_gap_and_all_was_clean() -> None:
    first, second = beyond_the_list()
    listed = builders.listing(builders.session())
    view = View(builders.state(builders.healthy(), builders.booted(), listed, first, second), 2.0)
    gap = "an unknown number of missions between 2026-11-23T01:31:40Z and 2026-11-23T01:39:00Z"
    assert figures(view).reconstruction.terminal == 30, "claims begin anew after it"
    assert not assess(view).is_clean
    suggestion = assess(view).suggestion
    assert suggestion is not None
    assert gap in suggestion.reasons
    recorded = row_of(draft_row(view), Choice("HOLD_SHADOW", with_unknowns=False))
    assert f"{gap}: claims begin anew after them" in recorded.notes
    assert "of epoch 1 since the gap" in text(view)


def test_a_gap_was_held_against_the_window_after_its_row_had_told_it() -> None:
    first, second = beyond_the_list()
    start: list[Event] = [builders.healthy(), builders.booted()]
    start.append(builders.listing(builders.session()))
    rows = (row("Shadow window #1", date=utc_z(builders.NOW)),)
    told: Event = EvidenceRead(1.5, rows, frozenset())
    view = View(builders.state(*start, first, second, told), 2.0)
    assert untold_gap(view) is None
    assert not [trouble for trouble in troubles(view) if trouble.what == GAP]


def test_a_list_that_shares_a_mission_leaves_no_gap() -> None:
    first, _second = beyond_the_list()
    shared = snapshot(*ended(29), mission("od00", started_s=-1_700.0), mission_limit=30)
    view = View(builders.state(builders.healthy(), first, builders.polled(shared, 1.0)), 2.0)
    assert view.state.ledger.gap is None
