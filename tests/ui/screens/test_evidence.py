"""The evidence screen: every row, one of them whole, the trend, and what is wrong with the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import scenes
from tests.support.hostile import HOSTILE, assert_harmless
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.rollout import golden_rows, row, unmeasured

from vp_tui.domain.events import EvidenceRead, RowRecorded
from vp_tui.domain.rollout.evidence_row import EvidenceRow, format_row
from vp_tui.ui.screens.evidence import EvidenceList, EvidenceScreen
from vp_tui.ui.watch.screen import WatchScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.ui.lines.paint import Line

LOG = "docs/rollout_log.md"


def read(rows: Sequence[EvidenceRow], **fields: Any) -> EvidenceRead:  # noqa: ANN401 - fields of the event
    return EvidenceRead(0.0, tuple(rows), frozenset(), **fields)


GOLDEN = read(golden_rows())


def screen(rig: Rig) -> EvidenceScreen:
    assert isinstance(rig.app.screen, EvidenceScreen)
    return rig.app.screen


def rows(rig: Rig) -> list[str]:
    """Return the lines of the list that hold a row."""
    first = next(n for n, line in enumerate(rig.lines) if line.startswith("  row "))
    last = next(n for n, line in enumerate(rig.lines) if line.startswith(" ROW "))
    return [line for line in rig.lines[first + 1 : last] if line]


def cells(line: str) -> list[str]:
    return line.removeprefix(">").split()


class TestRows:
    async def test_the_newest_is_at_the_bottom_under_the_cursor(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e")
            assert "16 rows, 12 measured  rollout_log.md" in rig.lines[0]
            assert cells(rows(rig)[-1])[:6] == [
                "16", "02-16", "15:45", "broadened", "4", "0.000",
            ]  # fmt: skip
            assert rows(rig)[-1].startswith(">")
            assert "Broadened rollout window #4 (real traffic)" in rig.text

    async def test_all_columns_stand_there_at_80(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", "home")
            line = rows(rig)[0]
            assert line.startswith(
                ">   1  02-16       Kickoff prep  n/a    n/a      START_SHADOW_WINDOW "
            )
            assert line.endswith(" Playb…")

    async def test_what_was_not_measured_is_n_a_and_not_0(self) -> None:
        log = [unmeasured("Shadow window #1"), replace(row("Shadow window #1"), p95_latency="")]
        async with running(read(log), evidence=LOG) as rig:
            await rig.press("e")
            assert "2 rows, 1 measured" in rig.lines[0]
            assert [cells(line)[5:7] for line in rows(rig)] == [["n/a", "n/a"], ["0.000", "n/a"]]
            assert "rate  0.000" in rig.text
            assert "p95   n/a: none of 2 rows has one" in rig.text

    async def test_the_whole_row_is_below_the_list(self) -> None:
        async with running(GOLDEN, evidence=LOG, size=WIDE) as rig:
            await rig.press("e", "k", "k", "k", "k", "k", "k", "k")
            below = rig.text[rig.text.index(" ROW 9 of 16") :]
            for cell in (
                "2026-02-16T15:19:33Z",
                "Limited cohort window #2 (execution probe)",
                "rate n/a",
                "p95 n/a",
                "PARTIAL_TIMEOUT_RECOVERED",
                "task_cancelled=false",
                "WS execute probe for second real cohort run",
                "/api/v1/ops/sessions/{id}/cancel",
            ):
                assert cell in below

    async def test_who_recorded_it_is_told_where_it_is_known(self) -> None:
        log = read(golden_rows(), authors=(None, "ana@host"))
        async with running(log, evidence=LOG) as rig:
            await rig.press("e")
            assert "recorded by ana@host" in rig.text
            await rig.press("k")
            assert "no record beside the log" in rig.text
            await rig.press("k")
            assert "record" not in rig.text.partition(" ROW ")[2].partition("notes")[0]

    @pytest.mark.parametrize("size", [SMALL, (100, 30), WIDE, LARGE])
    async def test_windows_are_told_apart_at_every_size(self, size: tuple[int, int]) -> None:
        async with running(GOLDEN, evidence=LOG, size=size) as rig:
            await rig.press("e")
            labels = [line for line in rows(rig) if "broadened 4" in line or "window #4" in line]
            assert labels
            assert "GO_BROADER" in labels[-1]
            assert "Real " in labels[-1]


class TestWholeRow:
    async def test_enter_gives_it_the_screen_and_esc_the_list(self) -> None:
        notes = " ".join(f"word{n}" for n in range(400))
        log = [*golden_rows(), row("Broadened rollout window #5", notes=notes)]
        async with running(read(log), evidence=LOG) as rig:
            await rig.press("e")
            assert "word399" not in rig.text
            await rig.press("enter", "G")
            assert "rows, " in rig.lines[0]
            assert "GET /api/v1/ops/metrics/coder-vp" in rig.text
            assert "word399" in rig.text
            await rig.press("k", "k", "k")
            assert "word399" not in rig.text
            await rig.press("escape")
            assert screen(rig).list.display
            assert rows(rig)[-1].startswith(">  17")

    async def test_a_new_row_does_not_push_it_off(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", "enter")
            await rig.tell(read([*golden_rows(), row("Broadened rollout window #5")]))
            assert " ROW 16 of 17" in rig.text
            await rig.press("enter")
            assert rows(rig)[-1].startswith(">  17")

    async def test_an_empty_log_has_none(self) -> None:
        async with running(read([]), evidence=LOG) as rig:
            await rig.press("e", "enter", "y", "k", "home", "G")
            assert "the log has no row yet" in rig.text
            assert " ROW " not in rig.text


class TestLive:
    async def test_a_row_just_recorded_appears_and_is_followed(self) -> None:
        new = row("Broadened rollout window #5", "GO_BROADER_TRAFFIC_ACTIVE")
        recorded = RowRecorded(1.0, new, 40, frozenset(), True, "ana@host", "f")
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e")
            await rig.tell(recorded)
            assert "17 rows, 13 measured" in rig.lines[0]
            assert rows(rig)[-1].startswith(">  17  11-23 02:00 broadened 5")
            assert "30.000s" in next(line for line in rig.lines if line.startswith("p95"))

    async def test_the_reader_s_row_is_kept_and_new_ones_are_counted(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", "k", "k")
            await rig.tell(read([*golden_rows(), row("Broadened rollout window #5")]))
            assert next(line for line in rows(rig) if line.startswith(">")).startswith(">  14")
            assert "+1, End" in rig.lines[0]
            await rig.press("G")
            assert rows(rig)[-1].startswith(">  17")

    async def test_a_frozen_picture_does_not_hold_the_log_still(self) -> None:
        async with running(*scenes.ordinary(), GOLDEN, evidence=LOG) as rig:
            await rig.passes(2.0)
            await rig.press("p", "e")
            await rig.tell(read([*golden_rows(), row("Broadened rollout window #5")]))
            assert rig.lines[0].startswith(" FROZEN")
            assert "not frozen" in rig.lines[0]
            assert rows(rig)[-1].startswith(">  17")

    async def test_safety_is_told_here_too(self) -> None:
        async with running(*scenes.ordinary_with_fallbacks(3), GOLDEN, evidence=LOG) as rig:
            await rig.press("e")
            assert rig.lines[1].startswith("! SAFETY guardrail tripped")


class TestKeys:
    @pytest.mark.parametrize("key", ["escape", "q", "e"])
    async def test_it_leaves_to_the_watch_screen(self, key: str) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", key)
            assert isinstance(rig.app.screen, WatchScreen)

    async def test_a_filter_finds_in_every_cell_and_esc_shows_all(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", "slash", *"coding PROBE THR", "enter")
            assert "1 of 16 rows /coding PROBE THR/" in rig.lines[0]
            assert [line[:5] for line in rows(rig)] == [">   8"]
            assert " ROW 8 of 16" in rig.text
            await rig.press("escape")
            assert "16 rows, 12 measured" in rig.lines[0]
            assert next(line for line in rows(rig) if line.startswith(">")).startswith(">   8")
            await rig.press("slash", *"zebra", "enter")
            assert "no row matches /zebra/: esc shows all" in rig.text

    async def test_y_copies_the_row_as_a_log_has_it(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e", "k", "y")
            assert rig.app.clipboard == format_row(golden_rows()[14])
            assert "clipboard" in rig.text


class TestTrouble:
    async def test_without_a_log_it_says_how_to_name_one(self) -> None:
        async with running() as rig:
            await rig.press("e")
            assert "no evidence log is named: use --evidence LOG" in rig.text

    async def test_a_log_that_is_not_read_yet_is_not_empty(self) -> None:
        async with running(evidence=LOG) as rig:
            await rig.press("e")
            assert "the evidence log is being read" in rig.text
            assert "has no row" not in rig.text

    async def test_what_is_odd_about_rows_is_told(self) -> None:
        odd = tuple(f"line {n}: a row has 8 cells, this one has 7" for n in range(3, 7))
        async with running(read(golden_rows(), warnings=odd), evidence=LOG) as rig:
            await rig.press("e")
            assert rig.lines[1] == "! line 3: a row has 8 cells, this one has 7"
            assert rig.lines[2].startswith("! line 4: a row has")
            assert rig.lines[2].endswith("(+2 more: vp-tui evidence show LOG)")

    async def test_a_log_that_cannot_be_read_says_so_over_what_was_read(self) -> None:
        broken = read([], problem="log.md: it is a directory")
        async with running(GOLDEN, broken, evidence=LOG) as rig:
            await rig.press("e")
            assert rig.lines[1] == "! log.md: it is a directory: the rows are those read before"
            assert len(rows(rig)) > 5

    async def test_a_log_that_never_could_be_read_claims_no_row(self) -> None:
        async with running(read([], problem="log.md: no"), evidence=LOG) as rig:
            await rig.press("e")
            assert rig.lines[1] == "! log.md: no: it is tried again by itself"
            assert "no row is known: the log cannot be read" in rig.text

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
    async def test_cells_are_shown_literally(self, text: str) -> None:
        hostile = EvidenceRow(*[text] * 8)
        log = read([hostile, hostile], warnings=(text,), authors=(text, text))
        async with running(log, evidence=LOG) as rig:
            await rig.press("e")
            assert_harmless(rig, SMALL)
            await rig.resize(LARGE)
            assert_harmless(rig, LARGE)
            await rig.press("enter")
            assert_harmless(rig, LARGE)


class TestTrend:
    async def test_two_lines_draw_rate_and_p95_with_their_range(self) -> None:
        async with running(GOLDEN, evidence=LOG) as rig:
            await rig.press("e")
            rate, p95 = rig.lines[1:3]
            assert rate.startswith("rate  0.000 ▁")
            assert rate.endswith("min 0.000 max 0.250, 12 of 16 rows")
            assert p95.startswith("p95   35.964s ")
            assert p95.endswith("min 0.377s max 38.305s, 10 of 16 rows")

    async def test_a_large_screen_has_charts(self) -> None:
        async with running(GOLDEN, evidence=LOG, size=LARGE) as rig:
            await rig.press("e")
            assert rig.lines[1].startswith("FALLBACK RATE  min 0.000 max 0.250, 12 of 16 rows")
            assert "P95 LATENCY  min 0.377s max 38.305s" in rig.lines[1]
            chart = rig.lines[2:12]
            assert sum(line[:79].count("o") for line in chart[:-1]) == 12
            assert sum(line[80:].count("o") for line in chart[:-1]) == 10
            assert "shadow 1" in chart[-1]
            assert chart[-1].count("broaden") == 2

    async def test_charts_without_a_figure_say_so(self) -> None:
        log = [unmeasured("Limited cohort window #1")] * 3
        async with running(read(log), evidence=LOG, size=LARGE) as rig:
            await rig.press("e")
            assert "FALLBACK RATE  n/a: none of 3 rows has one" in rig.lines[1]


async def test_of_ten_thousand_rows_only_those_in_view_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    painted: list[int] = []
    paint = EvidenceList.paint

    def counted(shown: EvidenceList, index: int) -> Line:
        painted.append(index)
        return paint(shown, index)

    monkeypatch.setattr(EvidenceList, "paint", counted)
    many = [row(f"Broadened rollout window #{n}", notes="words " * 50) for n in range(10_000)]
    async with running(read(many), evidence=LOG) as rig:
        await rig.press("e", "k", "pageup", "home", "G")
        assert rows(rig)[-1].startswith(">10000")
        assert "10000 of 10000 rows" in rig.text
        assert len(painted) < 40 * SMALL[1]
