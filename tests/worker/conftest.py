"""What the tests of the room share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
async def commands_are_over(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Wait for every command that a test left running: its loop must not be closed before."""
    start, begun = asyncio.create_subprocess_exec, list[asyncio.subprocess.Process]()

    async def noted(*args: Any, **options: Any) -> asyncio.subprocess.Process:  # noqa: ANN401 - any command
        begun.append(await start(*args, **options))
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    yield
    for process in begun:
        await process.wait()
