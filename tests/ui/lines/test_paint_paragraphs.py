from __future__ import annotations

from vp_tui.ui.lines.explain import beside
from vp_tui.ui.lines.paint import Line, fact, join, paragraph, plain, width_of, wrap_line


def texts(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _tone in line) for line in lines]


def test_lines_are_broken_at_blanks_and_hang_under_their_name() -> None:
    assert texts(fact("name", "one two three four", 25)) == [
        "  name       one two",
        "             three four",
    ]


def test_a_word_longer_than_a_line_is_broken_and_not_lost() -> None:
    lines = texts(paragraph("a " + "x" * 25 + " b", 10, indent=2))
    assert "".join(lines).replace(" ", "") == "a" + "x" * 25 + "b"
    assert max(map(len, lines)) <= 10


def test_wide_characters_take_two_cells() -> None:
    lines = wrap_line(plain("日本語 のログ行"), 7)
    assert texts(lines) == ["日本語", "のログ", "行"]
    assert max(map(width_of, lines)) <= 7


def test_tones_stay_with_their_words() -> None:
    lines = wrap_line(join(("no ", "bad"), "proof of it"), 8)
    assert lines == [(("no", "bad"), (" proof", "plain")), (("of it", "plain"),)]


def test_spans_that_touch_stay_one_word() -> None:
    assert texts(wrap_line(join("aaa ", ("bbb", "bad"), ": c"), 6)) == ["aaa", "bbb: c"]


def test_a_number_stays_with_its_unit_and_its_sign() -> None:
    assert texts(wrap_line(plain("it proves < 10% now"), 13)) == ["it proves", "< 10% now"]
    assert texts(wrap_line(plain("more than 5 s"), 12)) == ["more than", "5 s"]
    assert texts(wrap_line(plain("the 20 since"), 7)) == ["the 20", "since"]


def test_nothing_is_one_empty_line() -> None:
    assert texts(wrap_line((), 10)) == [""]
    assert texts(fact("name", "", 20)) == ["  name       "]


def test_two_columns_stand_beside_each_other() -> None:
    left, right = [plain("one"), plain("two")], [plain("a"), plain("b"), plain("c")]
    assert texts(beside(left, right, 4, 1)) == ["one  a", "two  b", "     c"]
