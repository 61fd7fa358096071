from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.rollout.evidence_row import (
    NEW_LOG,
    EvidenceRow,
    cells_from_snapshot,
    format_row,
    locate,
    parse_log,
)
from vp_tui.domain.rollout.labels import numbered_label

GOLDEN = (Path(__file__).parents[2] / "golden" / "evidence_log.md").read_bytes()
HEAD = b"## Evidence table\n\n"
TABLE = NEW_LOG.partition(HEAD)[2]
ROW = b"| d | w | s | r | 0.000 | n/a | GO | n |"
ONE = EvidenceRow("d", "w", "s", "r", "0.000", "n/a", "GO", "n")


def test_the_golden_log_reads_as_sixteen_rows() -> None:
    table = parse_log(GOLDEN)
    assert (len(table.rows), table.warnings) == (16, ())
    assert [row.line for row in table.rows] == list(range(18, 34))
    last = table.rows[-1].row
    assert last.date == "2026-02-16T15:45:51Z"
    assert last.window == "Broadened rollout window #4 (real traffic)"
    assert (last.fallback_rate, last.p95_latency) == ("0.000", "35.964s")
    assert last.decision == "GO_BROADER_TRAFFIC_ACTIVE"


@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_golden_log_is_emitted_byte_by_byte(eol: bytes, bom: bytes) -> None:
    data = bom + GOLDEN.replace(b"\n", eol)
    table = parse_log(data)
    assert table.span is not None
    rows = b"".join(format_row(row.row).encode() + table.span.eol for row in table.rows)
    assert data[: table.span.start] + rows + data[table.span.end :] == data
    assert [row.raw + eol for row in table.rows] == rows.splitlines(keepends=True)


def test_rows_that_stayed_are_not_read_again() -> None:
    before = parse_log(GOLDEN)
    assert before.span is not None
    after = parse_log(before.span.insert(GOLDEN, ROW), before)
    assert all(new is old for new, old in zip(after.rows, before.rows, strict=False))
    assert after.rows[-1].row == ONE
    changed = GOLDEN.replace(b"| Kickoff prep |", b"| Kickoff |")
    assert parse_log(changed, before) == parse_log(changed)
    assert parse_log(b"text\n" + GOLDEN, before) == parse_log(b"text\n" + GOLDEN)


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"# Title\n",
        b"| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        b"```\n## Evidence table\n" + TABLE + b"```\n",
        b"~~~~\n## Evidence table\n~~~\n" + TABLE + b"~~~~\n",
        b"<!--\n## Evidence table\n\n" + TABLE + b"-->\n",
        b"## Evidence table of last year\n\n" + TABLE,
        b"## Other\n\n" + TABLE + ROW + b"\n",
        b"# Evidence table\n\n" + TABLE,
        b"\xff\xfe not UTF-8\n",
        b"\xef\xbb\xbf",
    ],
)
@pytest.mark.parametrize("heading", [HEAD, b"##  evidence TABLE ##  \nText.\n\n### Notes\n\n"])
@pytest.mark.parametrize(
    "after",
    [
        b"",
        b"\n",
        b"---\n",
        b"\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        b"\n# Archive\n\n" + TABLE + ROW + b"\n",
        b"Text right behind it\nand more.\n\n",
        b"> quoted | text\n",
        b"- a list | item\n",
        b"### More | text\n\n" + ROW.replace(b"|", b"") + b"\n",
        b"```\n| code |\n```\n",
        b"\xff\xfe\x00",
    ],
)
def test_the_table_is_found_whatever_stands_around_it(
    before: bytes, heading: bytes, after: bytes
) -> None:
    data = before + heading + TABLE + ROW + b"\n" + after
    table = parse_log(data)
    assert [row.row for row in table.rows] == [ONE]
    assert table.span is not None
    assert data[table.span.end :] == after
    assert data.splitlines()[table.rows[0].line - 1] == ROW
    assert table.warnings == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        TABLE,
        HEAD,
        HEAD + b"no table\n",
        HEAD + b"| a | b |\n|---|---|\n| 1 | 2 |\n",
        HEAD + b"# Next\n" + TABLE,
        HEAD + b"```\n" + TABLE,
        HEAD + TABLE.replace(b"|---|---|---|---|---:|---:|---|---|", ROW),
        GOLDEN.decode().encode("utf-16"),
    ],
)
def test_no_table_is_told(data: bytes) -> None:
    table = parse_log(data)
    assert (table.rows, table.span) == ((), None)
    assert table.warnings == ("there is no table of 8 columns under `## Evidence table`",)


@pytest.mark.parametrize(
    ("line", "row", "warning"),
    [
        (b"d|w|s|r|0.000|n/a|GO|n", ONE, None),
        (b"  |d|w|s|r|0.000|n/a|GO|n|  ", ONE, None),
        (b"| d | w |", EvidenceRow("d", "w", *[""] * 6), "has 2"),
        (ROW + b" more | again |",
         EvidenceRow("d", "w", "s", "r", "0.000", "n/a", "GO", "n | more | again"), "has 10"),
        (b"| d | w | `a|b` | r | 0.000 | n/a | GO | n |",
         EvidenceRow("d", "w", "`a|b`", "r", "0.000", "n/a", "GO", "n"), "code span"),
        (b"a stray remark", EvidenceRow("a stray remark", *[""] * 7), "has 1"),
        (b"| d | w\xff | s | r | 0.000 | n/a | GO | n |",
         EvidenceRow("d", "w\ufffd", "s", "r", "0.000", "n/a", "GO", "n"), None),
    ],
)  # fmt: skip
def test_rows_written_by_hand(line: bytes, row: EvidenceRow, warning: str | None) -> None:
    table = parse_log(HEAD + TABLE + line + b"\n" + ROW + b"\n")
    assert [logged.row for logged in table.rows] == [row, ONE]
    assert len(table.warnings) == (warning is not None)
    assert not warning or (warning in table.warnings[0] and "line 5: " in table.warnings[0])


def test_rows_behind_a_blank_line_are_told() -> None:
    data = HEAD + TABLE + ROW + b"\n\n" + ROW + b"\n" + ROW + b"\n"
    table = parse_log(data)
    assert len(table.rows) == 1
    assert [warning.partition(":")[0] for warning in table.warnings] == ["line 7", "line 8"]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read(before: bytes, after: bytes) -> None:
    for data in (before, before + b"\n" + HEAD + TABLE + ROW + b"\n" + after):
        table = parse_log(data)
        assert table.span == locate(data)
        assert table.span is None or table.span.start <= table.span.end <= len(data)


@given(
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(0, 3),
    st.sampled_from([b"", b"\n", b"\ntext\n", b"\n| a | b |\n|---|---|\n", b"text", b"\n\xff"]),
    st.sampled_from(["", "open"]),
)
def test_an_inserted_row_is_the_last_and_changes_nothing_else(
    eol: bytes, rows: int, after: bytes, end: str
) -> None:
    data = (b"\xff\n" + HEAD + TABLE + (ROW + b"\n") * rows + after).replace(b"\n", eol)
    data = data.removesuffix(eol) if end else data
    old = parse_log(data)
    assert old.span is not None
    grown = old.span.insert(data, b"| new | w | s | r | 0.000 | n/a | GO | n |")
    new = parse_log(grown)
    assert [row.row for row in new.rows[:-1]] == [row.row for row in old.rows]
    assert new.rows[-1].row.date == "new"
    assert new.rows[-1].raw.endswith(b"|")
    assert len(grown) == len(data) + len(eol) + len(new.rows[-1].raw)
    assert grown.startswith(data[: old.span.end])
    assert grown.endswith(data[old.span.end :])


@pytest.mark.parametrize(
    ("window", "label"),
    [
        ("Shadow baseline #1", ("shadow", 1)),
        ("Shadow window #2 (traffic-bearing simulation)", ("shadow", 2)),
        ("Limited cohort window #12 (see #3)", ("limited", 12)),
        ("broadened rollout window #4 (real traffic)", ("broadened", 4)),
        (" Sustained window #7", ("sustained", 7)),
        ("Kickoff prep", None),
        ("Shadowing #1", None),
        ("Limited cohort window", None),
        ("Limited cohort window #x", None),
        ("", None),
    ],
)
def test_numbered_labels(window: str, label: tuple[str, int] | None) -> None:
    assert numbered_label(window) == label


def body(considered: object = 4, rate: object = 0.25, p95: object = 0.5344) -> dict[str, Any]:
    return {
        "fallback": {"missions_considered": considered, "rate": rate},
        "latency_seconds": {"count": considered, "p95_seconds": p95},
    }


@pytest.mark.parametrize(
    ("snapshot", "cells"),
    [
        (None, ("n/a", "n/a")),
        ({}, ("n/a", "n/a")),
        (body(), ("0.250", "0.534s")),
        (body(rate=0), ("0.000", "0.534s")),
        (body(p95=None), ("0.250", "n/a")),
        (body(considered=0, rate=0.0, p95=None), ("n/a", "n/a")),
        (body(rate=None), ("n/a", "0.534s")),
        (body(rate=float("nan"), p95=float("inf")), ("n/a", "n/a")),
        (body(rate=True, p95="1"), ("n/a", "n/a")),
        (body(p95=10**400), ("0.250", "n/a")),
        (body(considered="4"), ("n/a", "n/a")),
        ({"fallback": [], "latency_seconds": None}, ("n/a", "n/a")),
        (body() | {"reconstructed": {"rate": 0.5, "p95_s": 38.305}},
         ("0.500 (reconstructed)", "38.305s (reconstructed)")),
        (body() | {"reconstructed": {"rate": 0.5}}, ("0.500 (reconstructed)", "0.534s")),
        (body() | {"reconstructed": {"rate": None}}, ("n/a", "0.534s")),
        (body() | {"reconstructed": {"p95_s": 1}}, ("0.250", "1.000s (reconstructed)")),
    ],
)  # fmt: skip
def test_cells_follow_from_a_snapshot(
    snapshot: dict[str, Any] | None, cells: tuple[str, str]
) -> None:
    assert cells_from_snapshot(snapshot) == cells
