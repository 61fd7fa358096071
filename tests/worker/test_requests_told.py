"""How many requests and sockets a watch costs the gateway: the figures of README."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from tests.support.virtual_time import on_virtual_time
from tests.support.virtual_watch import virtual_watch

from vp_tui.simulator.options import SimOptions

if TYPE_CHECKING:
    from tests.support.virtual_watch import VirtualWatch

MINUTES: Final = 3
SETTLES_S: Final = 60.0


async def _per_minute(watch: VirtualWatch, *, is_out: bool = False) -> dict[str, float]:
    """Return the requests a minute by the last words of their path, once the watch has settled."""
    asked: Counter[str] = Counter()

    def breaks(request: httpx.Request) -> Exception | None:
        asked[request.url.path.removeprefix("/api/v1/")] += 1
        return httpx.ConnectError("refused") if is_out else None

    watch.door.breaks = breaks
    await watch.passes(SETTLES_S)
    asked.clear()
    await watch.passes(MINUTES * 60.0)
    return {path: count / MINUTES for path, count in asked.items()}


@pytest.mark.parametrize("sessions", [0, 10])
def test_a_quiet_watch(sessions: int) -> None:
    @on_virtual_time
    async def watched() -> None:
        async with virtual_watch(SimOptions(scenario="idle")) as watch:
            for number in range(sessions):
                (await watch.driver.enter(f"user{number}")).last_event_seq = 1
            assert await _per_minute(watch) == pytest.approx(
                {
                    "health": 4, "ops/metrics/coder-vp": 30, "ops/sessions": 20,
                    "ops/metrics/session-continuity": 4, "ops/logs/tail": 30,
                },
                rel=0.1,
            )  # fmt: skip
            assert watch.door.sockets == sessions

    watched()


@on_virtual_time
async def test_while_the_token_is_refused_the_ops_plane_is_asked_twice_a_minute() -> None:
    async with virtual_watch(SimOptions(scenario="auth")) as watch:
        asked = await _per_minute(watch)
        assert sum(asked.values()) < 50
        assert max(count for path, count in asked.items() if path.startswith("ops/")) <= 2.2
        assert watch.door.sockets == 0


@on_virtual_time
async def test_while_the_gateway_is_away_no_source_is_asked_more_than_every_three_seconds() -> None:
    async with virtual_watch(SimOptions(scenario="idle")) as watch:
        asked = await _per_minute(watch, is_out=True)
        assert max(asked.values()) < 20
        assert sum(asked.values()) < 88, "less than what a gateway that answers is asked"
