"""The figures: what they say, and what they say when they cannot be taken for what is so now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, scenes
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.rollout import golden_rows, window

from vp_tui.domain.events import EvidenceRead, WindowsRead
from vp_tui.domain.models import Latency
from vp_tui.ui.lines.figure_layouts import dense_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.events import Event

SIZES = (SMALL, WIDE, LARGE)
ROLLOUT = window(label="Broadened rollout window #5 (real traffic)")


def opened_with(known: Iterable[int]) -> WindowsRead:
    """Return that a window is open, to which these missions of the scenes do not belong."""
    anchor = frozenset(f"vp-mission-{number:06x}" for number in known)
    return WindowsRead(0.0, (ROLLOUT._replace(anchor=anchor),))


def golden_read() -> EvidenceRead:
    return EvidenceRead(0.0, tuple(golden_rows()), frozenset())


def figures(rig: Rig) -> str:
    """Return the part of the screen between the header and the runs, without room between words."""
    end = next(y for y, line in enumerate(rig.lines) if "1 RUNS" in line)
    return "\n".join(" ".join(line.split()) for line in rig.lines[4:end])


async def shown(*events: Event, size: tuple[int, int] = SMALL, after_s: float = 2.0) -> str:
    async with running(*events, size=size) as rig:
        await rig.passes(after_s)
        return figures(rig)


async def test_the_dense_lines_are_whole_at_80_columns() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(2.0)
        assert rig.lines[4:11] == [
            "          WINDOW 1 PROPOSED  EPOCH 1, n=18            GUARDRAILS",
            "fallback  0/18 at most 15.3% 0/18 at most 15.3%       last 18: 0, trips at 3",
            "reported                     0.000 agrees             ··················",
            "p95       36.000s 2nd of 18  36.000s 2nd of 18 ▄▄▄▄▄▄ cancels: none pending",
            "missions  18 ok 0 failed     18 ok 0 failed 1 running rows not counted",
            "events    19 dispatched      listed: 19 dispatched    YOU are the auto-revert",
            "turns     at least 19 ran, 1 beginning heard  1 of 1 to the VP",
        ]


@pytest.mark.parametrize("size", SIZES)
async def test_the_windows_own_figures_stand_beside_the_cumulative_ones(
    size: tuple[int, int],
) -> None:
    text = await shown(*scenes.ordinary_with_fallbacks(1), opened_with(range(1, 6)), size=size)
    assert "WINDOW 5" in text
    assert "EPOCH 1" in text
    assert "1/13 at most 31.6%" in text or (size == WIDE and "fallback 1/13" in text)
    assert "36.000s 2nd of 13" in text or "36.0s 2nd of 13" in text, "as there is room"
    assert "13 ok 0 failed" in text or "13 completed 0 failed" in text
    assert "13 dispatched" in text
    assert "reported 0.056 1/18 listed" in text or "reported 0.056 agrees" in text
    assert "18 ok 0 failed" in text or "18 completed, 0 failed," in text
    assert "listed: 18 dispatched" in text or size == WIDE, "what the missions tell goes first"


@pytest.mark.parametrize("size", SIZES)
async def test_a_window_that_is_not_known_has_no_figures(size: tuple[int, int]) -> None:
    async with running(*scenes.ordinary(), size=size, evidence="log.md") as rig:
        await rig.passes(2.0)
        text = figures(rig)
    assert "WINDOW unknown" in text
    assert "PROPOSED" not in text
    assert "18 ok 0 failed 1 running" in text or "18 completed, 0 failed," in text
    assert text.count("at most 15.3") == 1


@pytest.mark.parametrize("size", SIZES)
async def test_a_window_without_missions_has_no_rate(size: tuple[int, int]) -> None:
    text = await shown(*scenes.ordinary(), opened_with(range(1, 99)), size=size)
    assert "fallback n/a 0 finished" in text, "the running one is its own"
    assert "0 ok 0 failed" in text or "0 completed 0 failed" in text


@pytest.mark.parametrize("size", SIZES)
async def test_many_events_of_a_window_fit(size: tuple[int, int]) -> None:
    text = await shown(*scenes.ordinary(builders.snapshot(*scenes.done(120))), size=size)
    assert "120 dispatched" in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_guardrails_are_told(size: tuple[int, int]) -> None:
    text = await shown(*scenes.ordinary(), golden_read(), size=size)
    assert "cancels: none pending" in text
    assert "rows 0/10 since limited 4" in text
    assert "YOU are the auto-revert" in text


@pytest.mark.parametrize("size", SIZES)
async def test_no_missions_are_not_a_rate_of_zero(size: tuple[int, int]) -> None:
    text = await shown(*scenes.no_missions(), size=size)
    assert "reported n/a (no missions)" in text
    assert size == SMALL or "reconstructed n/a" in text
    assert "n/a no missions" in text
    assert "p95 n/a" in text or "│ n/a │" in text
    assert "0.000" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_both_rates_stand_side_by_side(size: tuple[int, int]) -> None:
    text = await shown(*scenes.ordinary_with_fallbacks(2), size=size)
    assert "reported 0.111 " in text
    assert "reported 0.111 agrees" in text or "reconstructed 0.111 2/18 agrees" in text
    assert "················FF" in text


@pytest.mark.parametrize("size", SIZES)
async def test_rates_that_disagree_say_so(size: tuple[int, int]) -> None:
    text = await shown(*scenes.disagreeing(), size=size)
    assert "reported 0.000 0/19 listed" in text or "reported 0.000 1 unreported" in text
    assert "1/19 at most 22.6%" in text or "reconstructed 0.053 1/19" in text
    assert "1 unreported" in text
    assert "agrees" not in text
    assert size == SMALL or "1 inferred" in text


@pytest.mark.parametrize("size", SIZES)
async def test_a_blind_rate_is_never_shown_as_the_rate(size: tuple[int, int]) -> None:
    text = await shown(*scenes.blind(), size=size)
    assert "reported BLIND" in text
    assert "0/18 at most 15.3%" in text or "reconstructed 0.000 0/18" in text
    assert "0/19" not in text.replace("BLIND says 0.000 0/19", "").replace("0/19 listed", "")


@pytest.mark.parametrize("size", SIZES)
async def test_a_fallback_that_is_not_counted_yet_explains_why_the_rates_differ(
    size: tuple[int, int],
) -> None:
    running_on = builders.mission(
        "vp-mission-0000ff", "running", started_s=-9.0, fallback_seen=True
    )
    text = await shown(*scenes.ordinary(builders.snapshot(running_on, *scenes.done(10))), size=size)
    assert "reported 0.091" in text
    assert "0/10 at most 25.9%" in text or "reconstructed 0.000 0/10" in text
    assert "1 not counted" in text
    assert "agrees" not in text


async def test_a_partial_rate_is_marked() -> None:
    assert "reported 0.000 partial" in await shown(*scenes.truncated())


@pytest.mark.parametrize("size", SIZES)
async def test_a_substitute_is_named(size: tuple[int, int]) -> None:
    text = await shown(*scenes.refused_ops(dashboard=True), size=size)
    assert "via dashboard 2s" in text
    assert "0.000 0/18 listed" in text or "0.000 agrees" in text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("events", "after_s", "words"),
    [
        (scenes.ordinary(), 200.0, "◌ stale, 3m20 old"),
        (scenes.metrics_down(), 200.0, "✗ down, 3m20 old"),
        (scenes.refused_ops(dashboard=True), 200.0, "✗ unauthorized, 3m20 old"),
        (scenes.lost(), 200.0, "✗ down, 3m20 old"),
    ],
)
async def test_figures_that_are_not_current_say_so(
    size: tuple[int, int], events: list[Event], after_s: float, words: str
) -> None:
    assert words in await shown(*events, size=size, after_s=after_s)


async def test_current_figures_do_not() -> None:
    text = await shown(*scenes.ordinary(), size=WIDE)
    assert " old" not in text
    assert text.count("● live") == 4


@pytest.mark.parametrize("size", SIZES)
async def test_without_figures_the_reason_stands_there(size: tuple[int, int]) -> None:
    text = await shown(*scenes.refused_ops(dashboard=False), size=size)
    assert "no data: unauthorized" in text
    assert "401 from the ops plane" in text
    assert "0.000" not in text


async def test_the_cards_have_their_titles_and_no_others() -> None:
    text = await shown(size=WIDE)
    for title in ("─ WINDOW ─", "─ EPOCH ─", "─ P95 LATENCY ─", "─ GUARDRAILS ─"):
        assert text.count(title) == 1
    assert "fallback  no data" not in text


async def test_slow_p95_names_the_threshold() -> None:
    missions = [mission._replace(duration_s=48.25) for mission in scenes.done(12)]
    slow = builders.snapshot(*missions, latency=Latency(12, 40.0, 38.0, 48.25, 51.0))
    assert "48.250s 2nd of 12" in await shown(*scenes.ordinary(slow))
    text = await shown(*scenes.ordinary(slow), size=(140, 24))
    assert "48.250s 2nd of 12, >= 45 s p50 38.0s max 51.0s" in text


async def test_failures_orphans_and_unknown_statuses_are_counted() -> None:
    missions = [
        builders.mission("m5", "running", started_s=-10.0),
        builders.mission("m4", "running", started_s=-500.0),
        builders.mission("m3", "failed", started_s=-600.0),
        builders.mission("m2", "paused", started_s=-650.0),
        builders.mission("m1", started_s=-700.0),
    ]
    for size in SIZES:
        text = await shown(*scenes.ordinary(builders.snapshot(*missions)), size=size)
        assert (
            "1 ok 1 failed 1 orphaned" in text
            or "1 orphaned, 1 paused" in text
            or "1 running 12s, 1 orphaned," in text
        )
        assert "·X" in text


@pytest.mark.parametrize("size", SIZES)
async def test_turns_that_the_rate_cannot_see_are_counted_whole(size: tuple[int, int]) -> None:
    turns: list[Any] = [
        builders.routed("coder_vp_bootstrap_fallback"),
        builders.processing("implement one"),
        builders.processing("implement two"),
        builders.routed("coder_vp_lease_degraded", "m1"),
        builders.processing("implement three"),
    ]
    polls: list[Event] = [
        builders.healthy(),
        builders.booted(),
        builders.listing(),
        builders.polled(builders.snapshot(*scenes.done(20))),
    ]
    text = await shown(*polls, builders.linked(), *builders.stream(*turns), size=size)
    assert "no mission: 1" in text
    assert "2 unexplained" in text
    assert "3 of 23 heard, 0 to the VP" in text or "23 ran, 3 beginnings heard" in text


@pytest.mark.parametrize("size", [WIDE, LARGE])
async def test_the_cards_tell_the_interval_of_the_rate(size: tuple[int, int]) -> None:
    assert "0% to 17.6%, at most 15.3%" in await shown(*scenes.ordinary(), size=size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("fallbacks", "words"),
    [
        (0, "last 18: 0, trips at 3"),
        (2, "last 18: 2, trips at 3"),
        (3, "last 18: 3, TRIPPED"),
    ],
)
async def test_the_trip_wire_is_told(size: tuple[int, int], fallbacks: int, words: str) -> None:
    assert words in await shown(*scenes.ordinary_with_fallbacks(fallbacks), size=size)


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_finished_mission_nothing_is_proven(size: tuple[int, int]) -> None:
    text = await shown(*scenes.no_missions(), size=size)
    assert "none finished, trips at 3" in text
    assert "at most" not in text


@pytest.mark.parametrize("width", [50, 60])
async def test_a_narrow_screen_keeps_window_and_guardrails(width: int) -> None:
    text = await shown(*scenes.ordinary_with_fallbacks(2), size=(width, 24))
    for words in ("WINDOW 1", "GUARDRAILS", "fallback 2/18", "last 18: 2, trips at 3"):
        assert words in text
    assert "cancels: none pending" in text
    assert "epoch 1, n=18: 2/18 at most 31%" in text


@pytest.mark.parametrize("height", range(3, 8))
async def test_where_lines_are_few_whole_rows_go(height: int) -> None:
    async with running(*scenes.ordinary_with_fallbacks(2)) as rig:
        await rig.passes(2.0)
        lines = dense_lines(rig.lane.live.view, 80, height)
    text = "\n".join("".join(part for part, _tone in line) for line in lines)
    assert len(lines) <= height
    assert "fallback  2/18" in text
    assert "last 18: 2, trips at 3" in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_missions_of_an_earlier_life_are_not_the_epochs(size: tuple[int, int]) -> None:
    taken = builders.snapshot(*scenes.done(120))
    text = await shown(*scenes.ordinary(taken), size=size)
    assert "EPOCH 1, n=60" in text
    assert "of 60" in text, "p95 is the rank among these"
    assert "60 ok 0 failed" in text or "60 completed, 0 failed" in text
    assert "0/120 listed" in text or "0.000 60 more listed" in text
