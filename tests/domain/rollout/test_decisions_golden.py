"""The golden log: the state that led to each of its rows gives that row's word and cells."""

from typing import NamedTuple

import pytest
from tests.support.rollout import golden_rows, history, lasting, observed, window

from vp_tui.domain.missions import LedgerEntry
from vp_tui.domain.rollout.decisions import suggest
from vp_tui.domain.rollout.labels import next_label, numbered_label
from vp_tui.domain.rollout.situation import CancelledRun, Situation, StuckRun
from vp_tui.domain.statistics import p95_after_each
from vp_tui.domain.vocabulary import Stage, Traffic, p95_cell, rate_cell

DURATIONS = [35.964, 38.305, *[31.0 + i / 10 for i in range(16)]]
"""Of the real missions, in seconds: the two slowest came first."""


class Chapter(NamedTuple):
    """What led to one row: missions so far, and how many of them came in its window."""

    row: int
    stage: Stage
    missions: tuple[LedgerEntry, ...] = ()
    own: int = 0
    source: Traffic = Traffic.ORGANIC
    more: dict[str, object] = {}  # noqa: RUF012 - nothing changes it


def real(row: int, stage: Stage, total: int, own: int) -> Chapter:
    return Chapter(row, stage, lasting(DURATIONS[:total]), own, Traffic.PROBE)


FAULTY = history("..b.", [0.377, 0.4, 0.534, 0.3])
STUCK = StuckRun("session_7", 1500.0, last_tool="Bash npm i", last_log_line="npm WARN retry 1")
RECOVERED = CancelledRun("session_9", active_runs=0)
LIMITED, BROADENED = Stage.LIMITED, Stage.BROADENED

STORY = [
    Chapter(2, Stage.SHADOW),
    Chapter(3, Stage.SHADOW, FAULTY, 4, Traffic.FAULT_INJECTED),
    Chapter(4, Stage.SHADOW, lasting([0.3, 0.3, 0.377, 0.3]), 4, Traffic.SYNTHETIC),
    Chapter(5, LIMITED, more={"refusal": ("UA_OPS_TOKEN is not set",), "coverage": None}),
    Chapter(6, LIMITED),
    Chapter(7, LIMITED, source=Traffic.PROBE, more={"stuck_runs": (STUCK,)}),
    real(8, LIMITED, 1, 1),
    Chapter(9, LIMITED, lasting(DURATIONS[:1]), 0, Traffic.PROBE, {"cancelled": (RECOVERED,)}),
    real(10, LIMITED, 2, 1),
    real(11, LIMITED, 3, 1),
    real(12, LIMITED, 4, 1),
    real(13, BROADENED, 6, 2),
    real(14, BROADENED, 9, 3),
    real(15, BROADENED, 12, 3),
    real(16, BROADENED, 15, 3),
]


def told(chapter: Chapter) -> Situation:
    rows = golden_rows()[: chapter.row - 1]
    known = chapter.missions[: len(chapter.missions) - chapter.own]
    watched = window(
        label=next_label(rows, chapter.stage),
        stage=chapter.stage,
        source=chapter.source,
        anchor=frozenset(entry.mission.mission_id for entry in known),
    )
    return observed(watched, chapter.missions, rows, **chapter.more)


@pytest.mark.parametrize("chapter", STORY, ids=lambda chapter: f"row {chapter.row}")
def test_each_row_of_the_golden_log_comes_out_as_written(chapter: Chapter) -> None:
    row = golden_rows()[chapter.row - 1]
    suggestion = suggest(told(chapter))
    assert suggestion.decision == row.decision
    assert all(suggestion.reasons)


@pytest.mark.parametrize("chapter", STORY, ids=lambda chapter: f"row {chapter.row}")
def test_its_numbers_are_those_of_the_row(chapter: Chapter) -> None:
    row = golden_rows()[chapter.row - 1]
    if row.fallback_rate == "n/a" or not chapter.missions:
        return
    seen = told(chapter)
    durations = [entry.mission.duration_s or 0.0 for entry in chapter.missions]
    assert p95_cell(p95_after_each(durations, 1)[0]) == row.p95_latency
    if seen.source.is_real:
        assert rate_cell(seen.epoch.rate) == row.fallback_rate
    else:
        assert rate_cell(seen.window.fallback / seen.window.terminal) == row.fallback_rate
        assert seen.epoch.terminal == 0


def test_the_story_is_the_whole_log() -> None:
    rows = golden_rows()
    assert [chapter.row for chapter in STORY] == list(range(2, len(rows) + 1))
    for chapter in STORY:
        label = numbered_label(rows[chapter.row - 1].window)
        assert label is not None
        assert label[0] == chapter.stage


def test_one_more_clean_broadened_window_goes_on() -> None:
    suggestion = suggest(told(real(17, BROADENED, 18, 3)))
    assert suggestion.decision == "GO_BROADER_TRAFFIC_ACTIVE"
    assert suggestion.reasons[0] == "3 clean, no gate FAILs, no run hangs"
    assert (
        suggestion.reasons[-1]
        == "not proven: rate needs 17 more, p95 needs 2 more, suites not attested"
    )


def test_a_fifth_clean_limited_window_broadens_too() -> None:
    assert suggest(told(real(13, LIMITED, 6, 2))).decision == "GO_BROADER_TRAFFIC_ACTIVE"


def test_a_fault_that_was_not_injected_is_held_as_well() -> None:
    chapter = Chapter(3, Stage.SHADOW, FAULTY, 4, Traffic.ORGANIC)
    suggestion = suggest(told(chapter))
    assert suggestion.decision == "HOLD_SHADOW"
    assert "1 of 4 fell back" in suggestion.reasons


@pytest.mark.parametrize("row", [5, 7, 9])
def test_what_the_note_has_to_name(row: int) -> None:
    chapter = next(chapter for chapter in STORY if chapter.row == row)
    reason = suggest(told(chapter)).reasons[0]
    named = {
        5: "UA_OPS_TOKEN is not set",
        7: "stuck: session_7 silent 1500s, last tool Bash npm i, last log line npm WARN retry 1",
        9: "session_9 cancelled, not recovered yet",
    }
    assert reason == named[row]
