"""Lies that were told of the sessions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect


@pytest.mark.parametrize("dialect", ["G1", "G2"])
async def test_a_running_session_at_the_end_of_a_long_list_was_not_there(
    monkeypatch: pytest.MonkeyPatch, dialect: Dialect
) -> None:
    monkeypatch.setattr("vp_tui.gateway.client.SESSIONS_LIMIT", 2)
    async with running_gateway(SimOptions(scenario="idle", dialect=dialect)) as driver:
        oldest, *_ = [await driver.gateway.create() for _ in range(5)]
        driver.execute(oldest.session_id, "Write my diary @fake:hang")
        credentials = Credentials(TokenSources(), base_url=driver.url)
        credentials.read()
        client = GatewayClient(driver.url, "vp.coder.primary", credentials)
        listing = await client.sessions()
        await client.aclose()
    assert (len(listing.sessions), listing.total) == (5, 5)
    assert [s.session_id for s in listing.sessions if s.is_running] == [oldest.session_id]


async def test_a_list_without_an_end_is_cut_and_its_total_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vp_tui.gateway.client.SESSIONS_LIMIT", 2)
    monkeypatch.setattr("vp_tui.gateway.client.SESSIONS_MOST", 3)
    async with running_gateway(SimOptions(scenario="idle")) as driver:
        for _ in range(6):
            await driver.gateway.create()
        credentials = Credentials(TokenSources(), base_url=driver.url)
        credentials.read()
        client = GatewayClient(driver.url, "vp.coder.primary", credentials)
        listing = await client.sessions()
        await client.aclose()
    assert (len(listing.sessions), listing.total) == (4, 6)
