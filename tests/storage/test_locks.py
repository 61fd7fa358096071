"""One holder at a time on this host, between processes, and none after it is gone."""

from __future__ import annotations

import os
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.storage.errors import LockError
from vp_tui.storage.locks import HostLock, lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path


def hold(path: Path, told: Connection) -> None:
    """Take the lock, tell what came of it, and keep it until told to go."""
    told.send(HostLock(path).take("the other one"))
    told.recv()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return lock_file(tmp_path / "state" / "auto-revert", "http://127.0.0.1:8002")


@pytest.fixture
def end_other(path: Path) -> Iterator[Callable[[], None]]:
    """Have another process hold the lock; return what ends it."""
    context = get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=hold, args=(path, its))
    process.start()

    def end() -> None:
        mine.send("go")
        process.join(PATIENCE_S)
        assert process.exitcode == 0

    try:
        assert mine.poll(PATIENCE_S)
        assert mine.recv() is None
        yield end
    finally:
        process.kill()
        process.join(PATIENCE_S)


def test_it_is_taken_once_and_kept(path: Path) -> None:
    lock = HostLock(path)
    assert lock.take("pid 1 of ana@laptop") is None
    assert lock.take("pid 1 of ana@laptop") is None
    assert HostLock(path).take("somebody else") == "pid 1 of ana@laptop"
    lock.release()
    assert HostLock(path).take("somebody else") is None


def test_another_process_holds_it_until_it_ends(path: Path, end_other: Callable[[], None]) -> None:
    lock = HostLock(path)
    assert lock.take("me") == "the other one"
    assert lock.take("me") == "the other one"
    end_other()
    assert lock.take("me") is None
    assert HostLock(path).take("a third") == "me"


def test_each_gateway_has_its_own(tmp_path: Path) -> None:
    one, two = (HostLock(lock_file(tmp_path, f"http://{name}")) for name in ("prod", "stage"))
    assert one.take("me") is None
    assert two.take("me") is None


def test_a_child_does_not_keep_it(path: Path) -> None:
    lock = HostLock(path)
    lock.take("me")
    assert lock._fd is not None
    assert not os.get_inheritable(lock._fd)


def test_what_a_holder_says_is_shown_literally(path: Path) -> None:
    lock = HostLock(path)
    lock.take("\x1b[2Jgone")
    assert HostLock(path).take("me") == "␛[2Jgone"


def test_only_its_owner_may_read_it(path: Path) -> None:
    HostLock(path).take("me")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_of_ours_is_not_locked(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link.lock"
    link.symlink_to(target)
    with pytest.raises(LockError) as caught:
        HostLock(link).take("me")
    assert "its symbolic links lead in a circle" in caught.value.failure.reason
    assert caught.value.failure.cure == "name a directory of your own with XDG_STATE_HOME"
    assert target.read_text() == "precious"
