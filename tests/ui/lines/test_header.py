"""The top of the screen: badge, sources, the gravest trouble; and that nothing is made up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rig import LARGE, SMALL, WIDE, running
from textual.color import Color

from vp_tui.cli.config.kinds import COLOURS
from vp_tui.domain.events import PollRateChanged, SwitchActed, SwitchAsked
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation
from vp_tui.domain.models import Source, StreamState

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

SIZES = (SMALL, WIDE, LARGE)
CLOCK = re.compile(r"\d\d:\d\d:\d\dZ")
KEYS = re.compile(r"\[?\b[1-5] (RUNS|EVENTS|LANE LOG|SESSION LOG|LINKS)\b", re.IGNORECASE)


@pytest.mark.parametrize("size", SIZES)
async def test_before_any_data_nothing_looks_like_a_figure(size: tuple[int, int]) -> None:
    async with running(size=size, url="http://gateway") as rig:
        said = rig.text
    for words in (
        "CONNECTING",
        "asking http://gateway",
        "fallback",
        "asking",
        "RUNS unknown",
    ):
        assert words in said
    assert "no list of sessions yet" in said
    assert "may be recorded" not in said
    bare = KEYS.sub("", CLOCK.sub("", said)).replace("P95", "").replace("p95", "")
    assert not re.search(r"[1-9]|0\.0|\b0/", bare), bare


@pytest.mark.parametrize(
    ("events", "after_s", "badge"),
    [
        (scenes.ordinary(), 2.0, "LIVE"),
        (scenes.ordinary(), 60.0, "STALE"),
        (scenes.metrics_down(), 9.0, "DOWN"),
        (scenes.refused_ops(dashboard=True), 2.0, "UNAUTHORIZED"),
        (scenes.blind(), 2.0, "BLIND+ALARM"),
        (scenes.lost(), 9.0, "LOST+ALARM"),
        ([builders.healthy()], 1.0, "CONNECTING"),
    ],
)
async def test_the_badge_stands_first(events: list[Event], after_s: float, badge: str) -> None:
    async with running(*events) as rig:
        await rig.passes(after_s)
        assert rig.lines[0].startswith(f" {badge}  ")
        assert rig.lines[0].endswith("Z RW")


async def test_each_source_tells_its_word_and_age() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(2.0)
        assert rig.lines[1] == (
            "●metrics 2s ●sessions 2s ●streams 2/2 17s ●log 2s known 19/19 lane delegating"
        )
        await rig.passes(3.0)
        assert rig.lines[1].startswith(
            "◌metrics STALE 5s ●sessions 5s ◌log STALE 5s was known 19/19"
        )


async def test_the_continuity_has_its_age_where_there_is_room() -> None:
    async with running(*scenes.ordinary(), size=WIDE) as rig:
        await rig.passes(2.0)
        assert rig.lines[1].endswith("outcomes known 19/19  lane delegating  ●continuity 2s")


class TestLane:
    async def test_without_any_effect_the_mode_is_unknown(self) -> None:
        seen = builders.polled(builders.snapshot(lane=None))
        async with running(builders.healthy(), seen, builders.listing(), size=WIDE) as rig:
            assert "lane unknown" in rig.lines[1]

    async def test_while_the_gateway_is_lost_it_is_what_it_was(self) -> None:
        async with running(*scenes.lost(), size=LARGE) as rig:
            await rig.passes(9.0)
            assert "lane was delegating" in rig.lines[1]

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_change_says_how_far_it_is_proven(self, size: tuple[int, int]) -> None:
        asked = SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop")
        written = Actuation((), written=True)
        async with running(*scenes.ordinary(), asked, size=size) as rig:
            await rig.tell(SwitchActed(2.0, written))
            assert "lane FORCED not in force" in rig.lines[1]
            await rig.tell(builders.booted("2026-11-22T20:00:03", 4.0))
            assert "lane FORCED unproven" in rig.lines[1]
            late = builders.mission("vp-mission-late", "running", started_s=8.0)
            taken = builders.snapshot(late, generated_at=builders.NOW + timedelta(seconds=10))
            await rig.tell(builders.polled(taken, at=10.0))
            assert "lane delegating NOT FORCED" in rig.lines[1]
            safety = "! SAFETY brake contradicted: force fallback, and mission vp-mission-late"
            assert rig.lines[2].startswith(safety)


async def test_sources_without_room_leave_a_mark() -> None:
    async with running(*scenes.lost()) as rig:
        await rig.passes(9.0)
        assert rig.lines[1].startswith(
            "✗metrics DOWN 9s ✗sessions DOWN 9s ✗log DOWN 9s ✗continuity DOWN 9s"
        )
        assert rig.lines[1].endswith("…")
        assert len(rig.lines[1]) == SMALL[0]
        await rig.resize(WIDE)
        assert "✗continuity DOWN 9s" in rig.lines[1]
        assert "…" not in rig.lines[1]


async def test_what_coverage_was_is_not_what_it_is() -> None:
    async with running(*scenes.ordinary(), size=WIDE) as rig:
        await rig.passes(60.0)
        assert "was known 19/19" in rig.lines[1]


async def test_a_verdict_is_given_only_when_every_source_has_answered() -> None:
    async with running(builders.healthy(), builders.polled(builders.snapshot())) as rig:
        assert "may be recorded" not in rig.header
        assert "for sessions, log, continuity" in rig.lines[2]
        await rig.tell(*scenes.ordinary())
        assert rig.lines[2].startswith("> may be recorded READY_FOR_LIMITED_COHORT_PILOT [R]")


@pytest.mark.parametrize(
    ("events", "after_s", "cause", "cure"),
    [
        (
            scenes.lost(),
            9.0,
            "! SAFETY gateway lost: 127.0.0.1:8002: connection refused",
            "-> [5] see each source; is the gateway running there?",
        ),
        (
            scenes.metrics_down(),
            9.0,
            "! metrics down: 500: database is locked",
            "-> [5] see each source; look at the gateway's own log",
        ),
        (
            scenes.refused_ops(dashboard=False),
            1.0,
            "! unauthorized: metrics, sessions, continuity, log: 401 from the ops plane",
            "-> [A] read tokens again; first set UA_OPS_TOKEN",
        ),
        (
            scenes.blind(),
            2.0,
            "! SAFETY outcomes unknown: 1 in the window, 1 of the last 19 ended unseen",
            "-> [i] see what is known by what; raise --event-limit",
        ),
    ],
)
async def test_the_gravest_trouble_stands_there_whole_at_80_columns(
    events: list[Event], after_s: float, cause: str, cure: str
) -> None:
    async with running(*events) as rig:
        await rig.passes(after_s)
        assert rig.lines[2] == cause
        assert rig.lines[3].startswith(f"  {cure}")


async def test_more_troubles_are_counted_and_stand_in_the_links() -> None:
    async with running(*scenes.blind(), scenes.down_again()) as rig:
        assert rig.lines[3].endswith("+1 more: [5]")
        await rig.press("5")
        links = rig.pane("links")
    assert "! outcomes unknown" in links
    assert "! sessions down" in links


async def test_streams_are_counted_and_a_lost_one_is_told() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(
            builders.linked(StreamState.WAITING, "the gateway restarts", session_id=scenes.BUSY)
        )
        assert "◌streams 1/2 STALE" in rig.lines[1]
        assert rig.lines[2] == "! 1 of 2 streams not attached: the gateway restarts"
        await rig.tell(builders.linked(session_id=scenes.BUSY))
        assert "●streams 2/2" in rig.lines[1]
        assert rig.lines[2].startswith("> may be recorded ")


async def test_a_changed_poll_rate_stays_in_sight() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(PollRateChanged(0.0, 5.0))
        assert "polls 5x slower" in rig.lines[0]
        await rig.tell(PollRateChanged(0.0, 0.5))
        assert "polls 2x faster" in rig.lines[0]


async def test_trouble_leaves_when_it_is_over() -> None:
    async with running(
        *scenes.ordinary(), builders.failed(Source.METRICS, scenes.GONE, at=1.0)
    ) as rig:
        assert "metrics down" in rig.header
        await rig.tell(*scenes.ordinary())
        assert "down" not in rig.header
        assert rig.lines[0].startswith(" LIVE ")


async def test_long_names_do_not_push_the_clock_out() -> None:
    async with running(name="g" * 300, vp_id="v" * 300) as rig:
        assert len(rig.lines[0]) == SMALL[0]
        assert CLOCK.search(rig.lines[0])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("events", "badge"),
    [
        (scenes.ordinary(), "LIVE"),
        (scenes.refused_ops(dashboard=True), "UNAUTHORIZED"),
        ([], "CONNECTING"),
    ],
)
async def test_a_read_only_watch_says_so_at_every_size(
    size: tuple[int, int], events: list[Event], badge: str
) -> None:
    async with running(*events, size=size, read_only=True, name="prod-gw") as rig:
        await rig.passes(2.0)
        assert re.match(rf" {badge}.* READ-ONLY   prod-gw  ", rig.lines[0])
        assert re.search(r" \d\d:\d\d:\d\dZ RO$", rig.lines[0])
        await rig.press("p")
        assert re.match(r" FROZEN.* READ-ONLY   prod-gw  ", rig.lines[0])
        assert rig.lines[0].endswith("Z RO")


async def test_the_lanes_name_makes_room_for_stage_window_and_epoch() -> None:
    async with running(*scenes.ordinary(), read_only=True, name="prod-gw") as rig:
        await rig.passes(2.0)
        assert re.search(r"  stage shadow  window 1 proposed  v1  ", rig.lines[0])
        await rig.resize(LARGE)
        for words in ("  vp.coder.primary  ", "  epoch 1  ", "v1"):
            assert words in rig.lines[0]


@pytest.mark.parametrize(
    ("colour", "shown"), [("red", "#ff0000"), ("#1a5fb4", "#1a5fb4"), ("", None)]
)
async def test_the_gateways_name_stands_on_its_colour(colour: str, shown: str | None) -> None:
    async with running(*scenes.ordinary(), name="prod", colour=colour) as rig:
        strip = rig.app.screen._compositor.render_strips()[0]
        (name,) = [segment for segment in strip if segment.text == "prod"]
        others = {segment.style.bgcolor for segment in strip if segment.style} - {None}
        assert name.style is not None
        assert name.style.bold
        assert name.style.bgcolor is not None
        assert name.style.color is not None
        found = name.style.bgcolor.get_truecolor().hex
        assert (found == shown) is bool(colour)
        assert name.style.color.get_truecolor().hex != found
        assert len(others) == (3 if colour else 2)  # badge, line, name


def test_every_colour_that_can_be_named_can_be_drawn() -> None:
    for name in COLOURS:
        assert Color.parse(name).get_contrast_text(1.0) != Color.parse(name)
