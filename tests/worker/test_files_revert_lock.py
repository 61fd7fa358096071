"""Of several vp-tui on this host one is a gateway's auto-revert, and the others say who."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from vp_tui.cli.config.settings import BrakeSettings, Settings
from vp_tui.cli.workers import connect
from vp_tui.domain.lane.auto_revert import AutoRevertBarred
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.storage.locks import HostLock
from vp_tui.storage.places import Places
from vp_tui.worker.files import RevertLock

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event


def locking(path: Path, actor: str = "ana@laptop") -> tuple[RevertLock, HostLock, list[Event]]:
    heard: list[Event] = []
    lock = HostLock(path)
    return RevertLock(lock, actor, heard.append, lambda: 5.0), lock, heard


async def test_the_first_is_the_one_and_says_so_once(tmp_path: Path) -> None:
    feed, _lock, heard = locking(tmp_path / "lock")
    await feed.look()
    await feed.look()
    assert heard == [AutoRevertBarred(5.0, None)]


async def test_the_second_says_who_and_takes_over_when_that_one_is_gone(tmp_path: Path) -> None:
    first, lock, _heard = locking(tmp_path / "lock")
    second, _lock, heard = locking(tmp_path / "lock", "bo@laptop")
    await first.look()
    for _ in range(3):
        await second.look()
    who = f"another vp-tui on this host has it: pid {os.getpid()} of ana@laptop"
    assert heard == [AutoRevertBarred(5.0, who)]
    lock.release()
    await second.look()
    assert heard[1:] == [AutoRevertBarred(5.0, None)]


async def test_looking_twice_at_once_does_not_lock_itself_out(tmp_path: Path) -> None:
    feed, _lock, heard = locking(tmp_path / "lock")
    await asyncio.gather(*(feed.look() for _ in range(5)))
    assert heard == [AutoRevertBarred(5.0, None)]


async def test_a_lock_that_cannot_be_made_bars_it(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    feed, _lock, heard = locking(blocked / "lock")
    await feed.look()
    why = f"its lock cannot be taken: {blocked}/lock: its directory is a file"
    assert heard == [AutoRevertBarred(5.0, why)]


def _has_lock(settings: Settings, places: Places, *, may_revert: bool) -> bool:
    feeds = connect(settings, lambda _event: None, places=places, may_revert=may_revert)
    return any(isinstance(file, RevertLock) for file in feeds.files)


@pytest.mark.parametrize(
    ("mode", "read_only", "wanted"),
    [
        (RevertMode.ARMED, False, True),
        (RevertMode.ARMED, True, False),
        (RevertMode.DRY_RUN, False, False),
        (RevertMode.OFF, False, False),
    ],
)
async def test_only_what_is_armed_takes_it(
    tmp_path: Path, mode: RevertMode, *, read_only: bool, wanted: bool
) -> None:
    settings = Settings(brake=BrakeSettings(auto_revert=mode), read_only=read_only)
    assert _has_lock(settings, Places(tmp_path), may_revert=True) is wanted


async def test_a_command_without_a_screen_never_does(tmp_path: Path) -> None:
    armed = Settings(brake=BrakeSettings(auto_revert=RevertMode.ARMED))
    assert not _has_lock(armed, Places(tmp_path), may_revert=False)
