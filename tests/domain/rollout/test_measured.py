from __future__ import annotations

import pytest
from tests.support.rollout import golden_rows, row, unmeasured

from vp_tui.domain.rollout.evidence_row import RowFigures, figures_of_rows, read_rate, read_seconds


@pytest.mark.parametrize(
    ("cell", "rate"),
    [
        ("0.000", 0.0),
        ("0.250", 0.25),
        ("0.167 (reconstructed)", 0.167),
        (" 1 ", 1.0),
        ("12 %", 0.12),
        ("n/a", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("-0.1", None),
        ("25", None),
        ("0.1 or so", None),
        ("9" * 400, None),
    ],
)
def test_a_rate_is_a_fraction_or_nothing(cell: str, rate: float | None) -> None:
    assert read_rate(cell) == rate


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("38.305s", 38.305),
        ("0.377s (reconstructed)", 0.377),
        ("90 s", 90.0),
        ("350ms", 0.35),
        ("n/a", None),
        ("38.305", None),
        ("1m05s", None),
        ("", None),
    ],
)
def test_a_latency_has_its_unit_or_is_nothing(cell: str, seconds: float | None) -> None:
    assert read_seconds(cell) == seconds


def test_rows_without_a_figure_are_no_points() -> None:
    rows = [unmeasured("a"), row("b", p95_latency="n/a"), unmeasured("c"), row("d")]
    assert figures_of_rows(rows) == (RowFigures(2, "b", 0.0, None), RowFigures(4, "d", 0.0, 30.0))


def test_the_points_of_a_real_log() -> None:
    points = figures_of_rows(golden_rows())
    assert [point.number for point in points] == [2, 3, 4, 6, 8, *range(10, 17)]
    assert max(points, key=lambda point: point.rate or 0.0).number == 3
    assert [point.p95_s for point in points[-2:]] == [35.964, 35.964]
