import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.text import age, clip, clock_time, clock_z, counted, fold, literal, took, utc_z

HARD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x00\x1b\x7f\x9b\n\r\t\xad\u200b\u200d\u202e\u2066\ufeff\ue000\u3164\ufe0f"
        ),
    )
)
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(HARD)
def test_nothing_that_acts_or_hides_is_left(text: str) -> None:
    result = literal(text)
    assert result.isprintable()
    assert not [c for c in result if unicodedata.category(c) in INVISIBLE]
    assert not set(result) & set("\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe00\ufe0f\uffa0\U000e0100")


@given(HARD)
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert literal(literal(text)) == literal(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_untouched(text: str) -> None:
    assert literal(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\nb\r", "a␊b␍"),
        ("a\tb", "a    b"),
        ("\x7f", "␡"),
        ("\x9b0m", "\u2039U+009B\u203a0m"),
        ("rm\u202e txt", "rm\u2039U+202E\u203a txt"),
        ("a\u200bb", "a\u2039U+200B\u203ab"),
        ("\U000e0041", "\u2039U+E0041\u203a"),
        ("\ud800", "\u2039U+D800\u203a"),
        ("\u3164", "\u2039U+3164\u203a"),
        ("a\u034fb", "a\u2039U+034F\u203ab"),
        ("a\xa0b\u3000c", "a b c"),
        ("\u2764\ufe0f ok\ufe0e", "\u2764 ok"),
        ("👤 USER: naïve 日本", "👤 USER: naïve 日本"),
        ("[/x] [bold]", "[/x] [bold]"),
    ],
)
def test_stand_ins(text: str, shown: str) -> None:
    assert literal(text) == shown


@pytest.mark.parametrize(
    ("width", "shown"), [(5, "hello"), (9, "hello"), (4, "hel…"), (1, "…"), (0, ""), (-1, "")]
)
def test_clip(width: int, shown: str) -> None:
    assert clip("hello", width) == shown


@given(st.text(), st.integers(-2, 20))
def test_a_clipped_text_fits(text: str, width: int) -> None:
    assert len(clip(text, width)) <= max(width, 0)


def test_fold_makes_one_line() -> None:
    assert fold("  fix\n\tthe   bug ") == "fix the bug"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-"), (-3.0, "0s"), (59.9, "59s"), (252.0, "4m12"), (7_380.0, "2h03"), (5e5, "5d")],
)
def test_an_age_is_read_at_a_glance(seconds: float | None, shown: str) -> None:
    assert age(seconds) == shown


def test_what_something_took_has_tenths() -> None:
    assert took(1.06) == "1.1 s"


def test_stamps_are_of_utc() -> None:
    at = datetime(2026, 11, 23, 2, 0, 8, tzinfo=UTC)
    assert (utc_z(at), clock_z(at), clock_time(at)) == (
        "2026-11-23T02:00:08Z", "02:00:08Z", "02:00:08",
    )  # fmt: skip


def test_one_thing_is_no_more_than_one() -> None:
    assert [counted(n, "turn") for n in (0, 1, 2)] == ["0 turns", "1 turn", "2 turns"]
    assert counted(1, "row waits", "rows wait") == "1 row waits"
    assert counted(2, "row waits", "rows wait") == "2 rows wait"
