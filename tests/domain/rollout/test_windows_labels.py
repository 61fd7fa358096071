import pytest
from tests.support.rollout import golden_rows, row, unmeasured

from vp_tui.domain.rollout.evidence_row import EvidenceRow
from vp_tui.domain.rollout.labels import (
    clean_limited_windows,
    is_measured,
    last_of_earlier_stage,
    moment,
    next_label,
    next_stage,
)
from vp_tui.domain.vocabulary import Stage

READY = "READY_FOR_LIMITED_COHORT_PILOT"
GO = "GO_BROADER_TRAFFIC_ACTIVE"


def test_the_window_after_the_golden_log() -> None:
    rows = golden_rows()
    assert len(rows) == 16
    assert next_label(rows) == "Broadened rollout window #5"
    assert next_stage(rows) is Stage.BROADENED


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (1, "Shadow window #1"),
        (2, "Shadow window #2"),
        (3, "Shadow window #3"),
        (4, "Limited cohort window #1"),
        (5, "Limited cohort window #1"),
        (7, "Limited cohort window #1"),
        (8, "Limited cohort window #2"),
        (9, "Limited cohort window #2"),
        (10, "Limited cohort window #3"),
        (11, "Limited cohort window #4"),
        (13, "Broadened rollout window #2"),
    ],
)
def test_the_window_after_each_part_of_the_golden_log(rows: int, label: str) -> None:
    assert next_label(golden_rows()[:rows]) == label


@pytest.mark.parametrize(
    ("last", "label"),
    [
        (row("Shadow window #7", READY), "Limited cohort window #1"),
        (row("Shadow window #7", GO), "Shadow window #8"),
        (row("Limited cohort window #4", GO), "Broadened rollout window #1"),
        (row("Limited cohort window #4", READY), "Limited cohort window #5"),
        (row("Broadened rollout window #9", "FORCE_FALLBACK"), "Shadow window #1"),
        (unmeasured("Broadened rollout window #9"), "Broadened rollout window #9"),
        (row("Sustained window #3", "SUSTAINED_WATCH"), "Sustained window #4"),
        (row("Kickoff prep", "START_SHADOW_WINDOW"), "Shadow window #1"),
    ],
)
def test_the_window_after_a_row(last: EvidenceRow, label: str) -> None:
    assert next_label([last]) == label


def test_an_empty_log_begins_in_shadow() -> None:
    assert next_label([]) == "Shadow window #1"
    assert next_stage([]) is None


def test_an_asked_for_stage_has_its_own_numbers() -> None:
    rows = golden_rows()
    assert next_label(rows, Stage.SUSTAINED) == "Sustained window #1"
    assert next_label(rows, Stage.LIMITED) == "Limited cohort window #5"
    assert next_label(rows, Stage.REVERTED) == next_label(rows)


def test_a_stage_entered_again_goes_on_counting() -> None:
    rows = [row("Limited cohort window #2", READY), row("Shadow window #8", READY)]
    assert next_label(rows) == "Limited cohort window #3"


def test_rows_without_a_number_between_change_nothing() -> None:
    assert next_label([*golden_rows(), row("Post-mortem")]) == "Broadened rollout window #5"


@pytest.mark.parametrize(("rows", "expected"), [(7, 0), (8, 1), (9, 1), (12, 4), (16, 4)])
def test_the_clean_limited_windows_of_the_golden_log(rows: int, expected: int) -> None:
    assert clean_limited_windows(golden_rows()[:rows]) == expected


def test_what_is_no_clean_limited_window() -> None:
    rows = [
        row("Limited cohort window #1", READY),
        row("Limited cohort window #1 (again)", READY),
        row("Limited cohort window #2", "HOLD_SHADOW"),
        row("Limited cohort window #3 (clean simulation)", READY),
        row("Limited cohort window #4", READY, scope="vp.coder.primary, prod-gw, synthetic"),
        row("Limited cohort window #5", READY, scope="vp.coder.primary, prod-gw, fault-injected"),
        row("Limited cohort window #6", READY),
        row("Shadow window #7", READY),
    ]
    assert clean_limited_windows(rows, unreal={"Limited cohort window #6"}) == 1
    assert clean_limited_windows(rows) == 2


def test_a_later_row_of_the_same_window_supersedes() -> None:
    first = row("Limited cohort window #1", READY)
    assert clean_limited_windows([first, row("Limited cohort window #1")]) == 0
    assert clean_limited_windows([first, unmeasured("Limited cohort window #1")]) == 1


def test_real_traffic_may_be_called_non_synthetic() -> None:
    said = row("Limited cohort window #1", READY, scope="non-synthetic traffic")
    assert clean_limited_windows([said]) == 1


def test_the_anchor_is_the_last_row_of_an_earlier_stage() -> None:
    rows = golden_rows()
    assert last_of_earlier_stage(rows, Stage.BROADENED) == 11
    assert last_of_earlier_stage(rows, Stage.LIMITED) == 3
    assert last_of_earlier_stage(rows, Stage.SHADOW) is None
    assert last_of_earlier_stage(rows, Stage.REVERTED) is None


def test_either_cell_makes_a_row_measured() -> None:
    assert is_measured(row("x", fallback_rate="n/a"))
    assert is_measured(row("x", p95_latency=" N/A "))
    assert not is_measured(unmeasured("x"))
    assert not is_measured(unmeasured("x", fallback_rate=""))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-02-16T15:29:04Z", "2026-02-16T15:29:04.999999+00:00"),
        ("2026-02-16T10:29:04-05:00", "2026-02-16T15:29:04.999999+00:00"),
        ("2026-02-16T15:29:04.5Z", "2026-02-16T15:29:04.500000+00:00"),
        ("2026-02-16", "2026-02-16T23:59:59.999999+00:00"),
    ],
)
def test_a_date_covers_all_of_its_second_or_day(date: str, expected: str) -> None:
    at = moment(row("x", date=date))
    assert at is not None
    assert at.isoformat() == expected


@pytest.mark.parametrize("date", ["", "yesterday", "16.02.2026"])
def test_what_is_no_date(date: str) -> None:
    assert moment(row("x", date=date)) is None
