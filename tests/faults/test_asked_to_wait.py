"""A peer that says wait: it is obeyed, whatever wakes the pollers, and told with its end."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.virtual_time import on_virtual_time
from tests.support.virtual_watch import virtual_watch

from vp_tui.domain.models import Source
from vp_tui.domain.orders import CancelRun
from vp_tui.gateway.errors import NO_WAIT
from vp_tui.gateway.transport import asked_to_wait
from vp_tui.simulator.options import SimOptions
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 23, 3, 20, 40, tzinfo=UTC)
AHEAD = "Mon, 23 Nov 2026 09:00:00 GMT"
"""What a peer's clock says, which is hours before ours."""


@pytest.mark.parametrize(
    ("told", "date", "words"),
    [
        (["60"], None, "asked to wait 60 s, until 03:21:40Z"),
        (["60"], AHEAD, "asked to wait 60 s, until 03:21:40Z"),
        ([" 5 ", "900"], None, "asked to wait 5 s, until 03:20:45Z"),
        (["Mon, 23 Nov 2026 09:01:00 GMT"], AHEAD, "asked to wait 60 s, until 03:21:40Z"),
        (["Mon, 23 Nov 2026 03:21:10 GMT"], None, "asked to wait 30 s, until 03:21:10Z"),
        (["300"], None, "asked to wait 300 s, until 03:25:40Z"),
        (["301"], None, "asked to wait more than 5 min, waits that until 03:25:40Z"),
        (["9" * 4_000], None, "asked to wait more than 5 min, waits that until 03:25:40Z"),
        (["Fri, 31 Dec 9999 23:59:59 GMT"], None, "asked to wait more than 5 min, waits that"),
    ],
)
def test_what_is_asked_is_told_with_its_end(
    told: Sequence[str], date: str | None, words: str
) -> None:
    for status in (429, 503):
        wait = asked_to_wait(status, told, date, NOW)
        assert wait.words.startswith(words)
        assert 0 < wait.seconds <= 300


@pytest.mark.parametrize(
    "told",
    ["0", "-5", "soon", "", "1.5", "\u0665", "Mon, 23 Nov 2026 03:20:40 GMT", "1 Jan 99999 00:00"],
)
def test_what_asks_nothing_is_not_waited_for(told: str) -> None:
    assert asked_to_wait(503, [told], None, NOW) == NO_WAIT
    assert asked_to_wait(500, ["60"], None, NOW) == NO_WAIT
    assert asked_to_wait(503, [], None, NOW) == NO_WAIT


@on_virtual_time
async def test_each_source_waits_as_told_and_an_order_does_not() -> None:
    async with virtual_watch(SimOptions(scenario="stuck")) as watch:
        await watch.passes(20)
        asked = Counter[str]()

        def says_wait(request: httpx.Request) -> httpx.Response | None:
            asked[request.url.path.rpartition("/")[2]] += 1
            if request.method != "GET":
                return None
            status = 429 if request.url.path.endswith("coder-vp") else 503
            return httpx.Response(status, headers={"retry-after": "60"})

        watch.door.breaks = says_wait
        await watch.passes(16)
        began = watch.now
        for _ in range(3):
            await watch.passes(10)
            watch.feeds.read_tokens()
        assert set(asked.values()) == {1}
        told = {one.what: one for one in troubles(watch.view)}
        lost = told["no usable answer"]
        path = "/api/v1/ops/metrics/coder-vp"
        assert lost.reason.startswith(f"429 from {path}: asked to wait 60 s, until 02:01:")
        assert "leave it alone until then" in lost.cure
        run = next(one for one in watch.state.sessions.values() if one.is_running)
        watch.feeds.order(CancelRun(run.session_id, "enough"))
        await watch.passes(5)
        assert asked["cancel"] == 1
        watch.door.breaks = lambda _: None
        await watch.passes(60 - (watch.now - began) + 1)
        words = {source: source_view(watch.view, source).word for source in Source}
        assert set(words.values()) == {SourceWord.LIVE}, words
