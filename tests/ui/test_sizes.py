"""The terminal's size: what shares its lines, and what is left of the screen when it is tiny."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.hostile import assert_harmless
from tests.support.rig import LARGE, SMALL, WIDE, running

from vp_tui.domain.events import SnapshotArrived
from vp_tui.domain.text import literal
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.paint import plain, shorten, width_of
from vp_tui.ui.watch.panes import heights
from vp_tui.ui.watch.screen import LEAST, TooSmallScreen, smallest_lines
from vp_tui.views.assessment import assess
from vp_tui.views.view import View

if TYPE_CHECKING:
    from tests.support.rig import Rig

TINY = (39, 12)
HEADER_AND_KEYS = 5


@pytest.mark.parametrize("lines", range(12, 34))
@pytest.mark.parametrize("has_alarm", [False, True])
@pytest.mark.parametrize("is_triage", [False, True])
def test_each_part_has_its_lines_and_none_is_pushed_out(
    lines: int,
    has_alarm: bool,  # noqa: FBT001 - given by the table
    is_triage: bool,  # noqa: FBT001 - given by the table
) -> None:
    shares = heights(lines, foot=int(has_alarm), is_triage=is_triage)
    taken = shares.figures + shares.runs + shares.triage + has_alarm + HEADER_AND_KEYS
    assert lines - taken >= (2 if shares.has_pane else 0)
    assert shares.figures >= 1
    assert shares.runs >= 2
    assert (shares.triage >= 2) is is_triage


@pytest.mark.parametrize("size", [LEAST, (50, 15), (60, 20), SMALL, (100, 30), LARGE, (200, 60)])
async def test_the_cursor_alarm_and_keys_are_in_view_however_the_terminal_is_resized(
    size: tuple[int, int],
) -> None:
    async with running(*scenes.stuck(), size=LARGE) as rig:
        await rig.passes(2.0)
        await rig.press("1", "j", "j", "j")
        await rig.resize(size)
        assert rig.board.selected == scenes.QUIET
        assert "9c0d1e2f" in rig.cursor_line("runs")
        assert rig.lines[-2].startswith("! alarm stuck run")
        assert rig.lines[-1].split()[-1] in {"q", "quit"}


async def test_on_a_very_wide_terminal_the_run_under_the_cursor_is_told_beside_the_runs() -> None:
    async with running(*scenes.stuck(), size=(200, 60)) as rig:
        await rig.passes(2.0)
        assert "RUN d3833624 STUCK" in rig.text
        await rig.press("j")
        assert "RUN 77aa01bc queued" in rig.text
        assert "esc back" not in rig.text  # no key leaves what is no triage
        await rig.press("enter")
        assert "RUN 77aa01bc" not in rig.text
        assert "TRIAGE 77aa01bc" in rig.text


@pytest.mark.parametrize("size", [TINY, (40, 11), (20, 5), (80, 1)])
async def test_below_the_least_size_one_line_says_what_matters(size: tuple[int, int]) -> None:
    async with running(*scenes.stuck(), size=SMALL) as rig:
        await rig.passes(2.0)
        await rig.resize(size)
        told = _told(rig)
        for word in ("LIVE+ALARM", "STUCK", "d3833624", "[c]", "needs 40x12"):
            assert word in told
        await rig.resize(SMALL)
        assert "RUNS 4 (1 stuck, 2 queued)" in rig.title("runs")


async def test_the_line_follows_what_happens_and_no_key_acts_behind_it() -> None:
    async with running(size=TINY) as rig:
        assert _told(rig) == "CONNECTING | needs 40x12"
        painted = rig.app.screen.query_one("#too-small", Lines).visual_style
        assert painted.foreground != painted.background, "painted, but not to be seen"
        await rig.tell(*scenes.ordinary())
        assert "may be recorded READY_FOR_LIMITED_COHORT_PILOT" in _told(rig)
        await rig.press("c", "F", "p")
        await rig.tell(*scenes.lost()[len(scenes.ordinary()) :])
        await rig.passes(75.0)
        assert "gateway lost" in _told(rig)
        await rig.resize(SMALL)
        assert rig.app.screen is rig.watch
        assert rig.board.frozen is None


async def test_a_dialog_is_covered_and_is_there_again_with_its_focus() -> None:
    async with running(*scenes.stuck(), size=SMALL) as rig:
        await rig.passes(2.0)
        await rig.press("c", "tab")
        dialog, focus, asked = rig.app.screen, rig.focus, list(rig.asked)
        assert dialog is not rig.watch
        await rig.resize(TINY)
        assert isinstance(rig.app.screen, TooSmallScreen)
        await rig.press("enter", "escape")
        await rig.resize((50, 15))
        assert rig.app.screen is dialog
        assert rig.focus == focus
        assert rig.asked == asked


async def test_a_storm_of_sizes_and_of_sessions_leaves_the_screen_whole_and_does_nothing() -> None:
    ids = [f"a{number:04}{'b' * 123}" for number in range(1_000)]
    flood = "Z" + "\u0351\u036b\u0343\u0e47" * 400 + "\u202e"
    listed = [
        builders.session(each, description=literal(flood), active_runs=int(each in ids[:2]))
        for each in ids
    ]
    storm = [(8, 3), (1, 1), (2, 50), (300, 2), LEAST, (200, 60), TINY, SMALL]
    async with running(*scenes.stuck(), size=SMALL) as rig:
        await rig.passes(2.0)
        await rig.press("F")
        dialog, asked = rig.app.screen, list(rig.asked)
        for _ in range(3):
            for columns, lines in storm:
                await rig.pilot.resize_terminal(columns, lines)
        for size in storm:
            await rig.resize(size)
            assert_harmless(rig, size)
            if size == (8, 3):
                assert "".join(rig.lines) == "LIVE+ALARM | [c]"
        assert (rig.app.screen, rig.asked) == (dialog, asked)
        await rig.press("escape")
        await rig.tell(builders.listing(*listed, at=3.0))
        await rig.press("1", "end")
        assert_harmless(rig, SMALL)
        assert "a0999…bbbbbb" in rig.text


@pytest.mark.parametrize("width", [1, 7, 20, 39, 200])
@pytest.mark.parametrize("height", [1, 2, 11])
def test_the_line_is_never_larger_than_the_terminal_and_its_key_goes_last(
    width: int, height: int
) -> None:
    view = View(builders.state(*scenes.stuck()), 2.0)
    lines = smallest_lines(view, assess(view).safety, (width, height))
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width
    if width >= len("[c]"):
        assert "[c]" in "".join(text for line in lines for text, _tone in line)


def _told(rig: Rig) -> str:
    assert isinstance(rig.app.screen, TooSmallScreen)
    return " ".join(" ".join(rig.lines).split())


SIZES = ((50, 15), (60, 20), SMALL, (100, 30), WIDE, LARGE, (200, 60))
(TRIPPED,) = (
    event for event in scenes.ordinary_with_fallbacks(5) if isinstance(event, SnapshotArrived)
)
PAIRS = {
    "tripped and stuck": ([*scenes.stuck(), TRIPPED], "[F]", "[c]"),
    "stuck and unauthorized": (
        [*scenes.stuck(), *scenes.refused_ops(dashboard=True)[-5:-1]],
        "[A]",
        "[A]",
    ),
    "deaf and lost": ([*scenes.deaf(), *scenes.lost()[-5:]], "[X]", "[5]"),
    "tripped and blind": (scenes.blind_and_tripped(), "[F]", "[i]"),
    "tripped and unauthorized": (
        [*scenes.ordinary_with_fallbacks(5), *scenes.refused_ops(dashboard=True)[-4:]],
        "[F]",
        "[A]",
    ),
}
"""Two things that are wrong at once, and the key that helps against each."""


@pytest.mark.parametrize("pair", PAIRS)
async def test_of_two_things_that_are_wrong_both_keep_their_cure(pair: str) -> None:
    events, first, second = PAIRS[pair]
    async with running(*events) as rig:
        await rig.passes(75.0 if "lost" in pair else 2.0)
        for size in SIZES:
            await rig.resize(size)
            above, below = rig.lines[2:4]
            assert first in above, size
            assert second in below, size


def test_an_address_gives_way_before_the_cause_is_cut() -> None:
    for address in ("127.0.0.1:8002", "gateway.example:443", "[::1]:8002"):
        lost = plain(f"! SAFETY gateway lost: {address}: connection refused")
        (shortened,) = shorten(lost, 42)
        assert shortened[0] == "! SAFETY gateway lost: connection refused"
        assert shorten(lost, 90) == lost


@pytest.mark.parametrize("size", [WIDE, LARGE, (200, 60)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("fallbacks", [0, 5])
async def test_no_card_cuts_a_word_while_a_line_could_give_way(
    fallbacks: int, size: tuple[int, int]
) -> None:
    events = scenes.ordinary_with_fallbacks(fallbacks, 30)
    async with running(*events, size=size) as rig:
        await rig.passes(2.0)
        assert "GUARDRAILS" in rig.text
        cards = [line for line in rig.lines if line.startswith("│")]
        assert len(cards) > 4
        assert [line for line in cards if "…" in line] == []


def test_a_path_gives_way_before_the_cause_is_cut() -> None:
    told = plain("! the token file /home/ana/secrets/ops/token.txt is readable by all users")
    (shortened,) = shorten(told, 60)
    assert shortened[0] == "! the token file …/token.txt is readable by all users"
    assert shorten(told, 90) == told
