"""Any text makes one cell of one line, and reads back as it was."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vp_tui.domain.rollout.evidence_row import (
    COLUMNS,
    NOTES_LIMIT,
    EvidenceRow,
    format_row,
    read_row,
)
from vp_tui.domain.rollout.markdown_table import escape_cell, split_row, unescape_cell

HARD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "|\\`\n\r\tnrtuU0a \x00\x0b\x0c\x1b\x7f\x85\x9b\xa0\xad\u200b\u200d\u2028\u2029\u202e"
            "\u2066\u3000\u3164\ufe0f\ufeff\ud800\udcff\U000e0041\U0010ffff"
        ),
    )
)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HUGE = "| \\ \n \u202e \x00 é " * 9000


@given(HARD)
@example("\\")
@example("\\|")
@example("a\\\\n")
@example("  two  ")
@example("\\u000a")
def test_a_cell_reads_back(text: str) -> None:
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    assert not {unicodedata.category(char) for char in cell} & UNSEEN
    assert cell == cell.strip()


@given(st.tuples(*[HARD] * len(COLUMNS)))
def test_a_row_is_one_line_of_eight_cells_and_reads_back(cells: tuple[str, ...]) -> None:
    line = format_row(EvidenceRow(*cells))
    assert len(line.splitlines()) == 1
    assert len(split_row(line)) == len(COLUMNS)
    read = read_row(line.encode("utf-8"), 7)
    assert (read.row, read.line, read.warning) == (EvidenceRow(*cells), 7, None)
    assert format_row(read.row) == line


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\|")))
def test_plain_ascii_stays_as_it_is(text: str) -> None:
    assert escape_cell(text) == text == unescape_cell(text)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a|b", r"a\|b"),
        ("a\\b", r"a\\b"),
        ("one\ntwo\r\n", r"one\ntwo\r\n"),
        ("a\tb", r"a\tb"),
        ("\x1b[2J", r"\u001b[2J"),
        ("rm\u202e txt", r"rm\u202e txt"),
        ("\U000e0041", r"\U000e0041"),
        (" edge ", r"\u0020edge\u0020"),
        (" ", r"\u0020"),
        ("", ""),
        ("naïve 日本 👤 a\xa0b", "naïve 日本 👤 a\xa0b"),
        ("`missions_considered=3`, [x](y) <b>", "`missions_considered=3`, [x](y) <b>"),
    ],
)
def test_escapes(text: str, cell: str) -> None:
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text


@pytest.mark.parametrize(
    "cell", [r"\d+", r"\_", r"C:\Users", r"\u12", r"\U99999999", "\\", r"\x1b"]
)
def test_an_unknown_escape_stands_for_itself(cell: str) -> None:
    assert unescape_cell(cell) == cell


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("a | b", ["a", "b"]),
        ("|a|b|\r\n", ["a", "b"]),
        ("| a |  | b |", ["a", "", "b"]),
        ("||a||", ["", "a", ""]),
        (r"| a\|b | c |", [r"a\|b", "c"]),
        (r"| a\\| b |", [r"a\\", "b"]),
        ("| `a|b` | c |", ["`a", "b`", "c"]),
        (r"| a \|", ["a \\|"]),
    ],
)
def test_splitting_as_markdown_readers_do(line: str, cells: list[str]) -> None:
    assert split_row(line) == cells


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| `a|b` | c |", ["`a|b`", "c"]),
        ("| ``a|`|b`` | c |", ["``a|`|b``", "c"]),
        ("| `a | b |", ["`a", "b"]),
        (r"| \`a | b` |", [r"\`a", "b`"]),
    ],
)
def test_splitting_around_code_spans(line: str, cells: list[str]) -> None:
    assert split_row(line, code_spans=True) == cells


def test_overlong_notes_are_cut_with_a_mark() -> None:
    row = EvidenceRow("d", "w", "s", "r", "0.000", "n/a", "GO", HUGE)
    read = read_row(format_row(row).encode()).row
    assert len(HUGE) > 100_000
    assert len(read.notes) == NOTES_LIMIT
    assert read.notes.endswith(f"… [cut: {len(HUGE)} characters, the record has them all]")
    assert HUGE.startswith(read.notes.rpartition("…")[0])
    assert read == replace(row, notes=read.notes)
    assert format_row(read) == format_row(row)
