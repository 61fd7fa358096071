"""The links: every source and socket with its word, its age, its cause and what helps."""

from __future__ import annotations

from tests.support import scenes
from tests.support.builders import failed, health, linked, logged, polled, snapshot, stream
from tests.support.builders import frame as sent
from tests.support.rig import LARGE, Rig, running

from vp_tui.domain.events import GapFound, HealthArrived, TokensRead
from vp_tui.domain.models import Source, StreamState, TokenPresence


async def all_links(rig: Rig) -> str:
    """Return every line of the pane, whatever fits the screen."""
    await rig.press("5")
    links = rig.rows("links")
    return "\n".join("".join(text for text, _ in links.paint(n)) for n in range(links.count))


async def test_before_any_data_nothing_is_claimed() -> None:
    async with running() as rig:
        text = await all_links(rig)
    assert "no list of sessions yet" in text
    assert "  ops token      not looked for yet (UA_OPS_TOKEN)" in text
    assert text.count("no data") == len(Source) - 1
    assert "no session is in the gateway's memory" not in text


async def test_an_ordinary_night() -> None:
    async with running(*scenes.ordinary(), size=LARGE) as rig:
        await rig.passes(2.0)
        text = await all_links(rig)
    for line in (
        "● metrics        live         data 2s old",
        "● continuity     live         data 2s old",
        "● lane log       live         data 2s old",
        "● log a1b2c3d4   live         data 2s old",
        "● ws a1b2c3d4    live         for 32s  6 frames, last 17s",
        "  ops token      UA_OPS_TOKEN",
        "  gateway        healthy, v1, version 1.0.0, database connected, clock offset -21600 s",
    ):
        assert line in text
    assert "!" not in text


async def test_each_trouble_stands_first_with_its_cure_under_it() -> None:
    async with running(*scenes.refused_ops(dashboard=True)) as rig:
        lines = (await all_links(rig)).splitlines()
    assert lines[0].startswith("! unauthorized: metrics, sessions, continuity, log")
    assert lines[1] == "  -> [A] read tokens again; first set UA_OPS_TOKEN"
    (metrics,) = (line for line in lines if line.startswith("✗ metrics"))
    assert "from the dashboard plane" in metrics
    assert "  internal token none (UA_INTERNAL_API_TOKEN)" in lines


async def test_where_few_lines_are_what_the_header_tells_leaves_room_for_the_sources() -> None:
    async with running(*scenes.refused_ops(dashboard=True), size=(50, 15)) as rig:
        lines = (await all_links(rig)).splitlines()
        shown = rig.pane("links")
    assert "unauthorized: metrics" not in shown
    assert "● health" in shown
    assert lines[-2].startswith("! unauthorized: metrics"), "it is there all the same"


async def test_a_stream_tells_its_state_its_reason_and_its_gaps() -> None:
    async with running(
        linked(session_id=scenes.BUSY),
        *stream(sent(), sent(), session_id=scenes.BUSY, at=1.0),
        GapFound(2.0, scenes.BUSY, "the screen could not keep up", 7),
        linked(StreamState.WAITING, "1012: restart", session_id=scenes.BUSY, at=3.0),
    ) as rig:
        await rig.passes(5.0)
        assert "7 frames lost: the screen could not keep up" in rig.text
        text = await all_links(rig)
    assert "◌ ws a1b2c3d4    waiting      for 2s  2 frames, last 3s  1 gap  1012: restart" in text


async def test_a_token_that_cannot_be_read_is_told_without_its_value() -> None:
    async with running(
        TokensRead(0.0, TokenPresence(ops="~/.uatok", problems=("~/.uatok is for all to read",)))
    ) as rig:
        text = await all_links(rig)
    assert "! tokens: ~/.uatok is for all to read" in text
    assert "[A] read tokens again" in text
    assert "ops token      ~/.uatok" in text


async def test_an_unknown_clock_offset_is_not_zero() -> None:
    unknown = HealthArrived(0.0, health(clock_offset_s=None))
    async with running(unknown) as rig:
        assert "clock offset unknown" in await all_links(rig)


async def test_the_pane_keeps_its_place_while_ages_change() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("5", "end")
        line = rig.cursor_line("links")
        for _ in range(3):
            await rig.passes(1.0)
            assert rig.cursor_line("links") == line


async def test_a_failing_log_names_whose_it_is() -> None:
    async with running(
        polled(snapshot()), logged("x"), failed(Source.LOG, scenes.BROKEN, log_id="session_ab")
    ) as rig:
        text = await all_links(rig)
    assert "✗ log " in text
    assert "500: database is locked" in text
    assert "● lane log" in text


async def test_no_answer_passes_for_current_once_the_gateway_is_lost() -> None:
    silent = (Source.METRICS, Source.SESSIONS)
    async with running(
        *scenes.ordinary(), *(failed(source, scenes.GONE, at=8.0) for source in silent), size=LARGE
    ) as rig:
        await rig.passes(9.0)
        header, text = rig.header, await all_links(rig)
    assert "continuity STALE 9s" in header
    assert "● continuity" not in text


async def test_a_pane_s_title_has_one_blank_before_the_word_of_its_log() -> None:
    async with running(*scenes.refused_ops(dashboard=False), size=LARGE) as rig:
        assert "3 LANE LOG unauthorized " in rig.title("lane-log")
