"""Text in cells: fitting, cutting, flowing, durations and sparklines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vp_tui.domain.text import age
from vp_tui.ui.lines.figures import sparkline
from vp_tui.ui.lines.paint import (
    cut,
    fit,
    flow,
    join,
    pad,
    plain,
    spread,
    whole_ones,
    width_of,
)

TEXT = st.text(alphabet="ab 日本✅é", max_size=30)
LINES = st.lists(st.tuples(TEXT, st.just("plain")), max_size=5).map(tuple)


def text_of(line: tuple[tuple[str, str], ...]) -> str:
    return "".join(text for text, _tone in line)


@given(TEXT, st.integers(0, 40))
def test_fit_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


@given(LINES, st.integers(0, 60))
def test_cut_never_takes_more(line: tuple[tuple[str, str], ...], width: int) -> None:
    shown = cut(line, width)  # type: ignore[arg-type]
    assert width_of(shown) <= width
    if width_of(line) <= width:  # type: ignore[arg-type]
        assert text_of(shown) == text_of(line)


@given(LINES, st.integers(0, 60))
def test_pad_takes_exactly_its_cells(line: tuple[tuple[str, str], ...], width: int) -> None:
    assert width_of(pad(line, width)) == width  # type: ignore[arg-type]


def test_a_cut_is_marked() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert text_of(cut(join("abc", "def"), 5)) == "abcd…"
    assert fit("日本語", 4) == "日 …"


@pytest.mark.parametrize(
    ("left", "right", "width", "shown"),
    [
        ("left", "right", 12, "left   right"),
        ("left", "right", 10, "left right"),
        ("left", "right", 9, "le… right"),
        ("left", "", 6, "left  "),
    ],
)
def test_spread_cuts_the_left_part(left: str, right: str, width: int, shown: str) -> None:
    assert text_of(spread(plain(left), plain(right), width)) == shown


def test_flow_breaks_only_between_parts() -> None:
    parts = [plain("one"), plain("two"), plain("three"), plain("a very long part")]
    assert [text_of(line) for line in flow(parts, 9)] == ["one  two", "three", "a very l…"]
    assert flow([], 9) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0.0, "0s"),
        (59.9, "59s"),
        (60.0, "1m00"),
        (252.0, "4m12"),
        (3_599.0, "59m59"),
        (7_380.0, "2h03"),
        (86_400.0, "1d"),
        (432_000.0, "5d"),
    ],
)
def test_durations_read_at_a_glance(seconds: float | None, shown: str) -> None:
    assert age(seconds) == shown


def test_a_sparkline_shows_the_newest_values_that_fit() -> None:
    (row,) = sparkline([1.0, 1.0, 1.0, 9.0, 9.0, 9.0], 3)
    assert len(row) == 3
    assert len(set(row)) == 1
    (rising,) = sparkline([1.0, 2.0, 3.0, 4.0], 4)
    assert list(rising) == sorted(rising, key=" ▁▂▃▄▅▆▇█".index)
    assert rising[0] != rising[-1]


def test_tall_bars_stand_on_zero() -> None:
    rows = sparkline([1.0, 2.0, 4.0], 3, height=4)
    assert rows == ["  █", "  █", " ██", "███"]


@given(st.lists(st.floats(0.0, 1e6), max_size=50), st.integers(0, 30), st.integers(1, 5))
def test_a_sparkline_never_takes_more_room(values: list[float], width: int, height: int) -> None:
    rows = sparkline(values, width, height)
    assert len(rows) == height
    assert all(cell_len(row) <= width for row in rows)


def test_a_cut_is_marked_where_a_span_fits_and_more_comes_after_it() -> None:
    cut_off = cut(join("  - ", "it runs one turn", " of the model"), 20)
    assert "".join(text for text, _tone in cut_off) == "  - it runs one tur…"


def test_whole_parts_stand_in_a_row_and_a_sign_for_those_that_have_no_room() -> None:
    parts = (plain("stage shadow"), join("window 1", " proposed"), plain("epoch 1"))
    shown = {
        room: "".join(text for text, _tone in whole_ones(parts, room))
        for room in (40, 39, 33, 30, 24, 23, 13, 12)
    }
    assert shown == {
        40: "stage shadow  window 1 proposed  epoch 1",
        39: "stage shadow  window 1 proposed …",
        33: "stage shadow  window 1 proposed …",
        30: "stage shadow  window 1 …",
        24: "stage shadow  window 1 …",
        23: "stage shadow …",
        13: "",
        12: "",
    }
