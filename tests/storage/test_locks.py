"""One holder at a time on this host, between processes, and none after it is gone."""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.storage.errors import LockError
from vp_tui.storage.locks import HostLock, lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection


def hold(path: Path, told: Connection) -> None:
    """Take the lock, tell what came of it, and keep it until told to go."""
    told.send(HostLock(path).take("the other one"))
    told.recv()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return lock_file(tmp_path / "locks", "http://loopback:8002", "lane")


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


def test_each_gateway_has_its_own_and_so_has_each_deed(tmp_path: Path) -> None:
    names = (("prod", "lane"), ("stage", "lane"), ("prod", "probe"))
    for lock in [HostLock(lock_file(tmp_path, *name)) for name in names]:
        assert lock.take("me") is None


def test_a_child_does_not_keep_it(path: Path) -> None:
    lock = HostLock(path)
    lock.take("me")
    assert lock._fd is not None
    assert not os.get_inheritable(lock._fd)


def test_what_a_holder_says_is_shown_literally(path: Path) -> None:
    lock = HostLock(path)
    lock.take("\x1b[2Jgone")
    assert HostLock(path).take("me") == "␛[2Jgone"


def test_what_the_holder_left_is_found_by_the_next(path: Path) -> None:
    lock, other = HostLock(path), HostLock(path)
    lock.take("me")
    lock.release("I was here")
    assert other.take("you") is None
    assert other.found == "I was here"


def test_whether_it_is_held_is_told_without_taking_it(path: Path) -> None:
    lock = HostLock(path)
    assert not HostLock(path).is_held()
    lock.take("me")
    assert HostLock(path).is_held()
    lock.release()
    assert not HostLock(path).is_held()


def test_every_user_may_lock_it_whatever_the_umask_of_its_maker(path: Path) -> None:
    before = os.umask(0o077)
    try:
        HostLock(path).take("me")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o7777 == 0o666
    assert path.parent.stat().st_mode & 0o7777 == 0o1777


def test_one_that_was_cleared_away_is_taken_anew(path: Path) -> None:
    lock = HostLock(path)
    lock.take("me")
    path.unlink()
    assert HostLock(path).take("quicker") is None
    path.unlink()
    assert lock.take("me") is None
    assert HostLock(path).take("too late") == "me"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize(("first", "second"), [(1, 2), (0, 1), (1, 0)])
def test_another_user_is_kept_out_and_comes_in_after(
    first: int, second: int, public_path: Path
) -> None:
    holding, waiting = (user_at(public_path, uid) for uid in (first, second))
    with holding, waiting:
        assert say(holding, f"uid {first}") == "None"
        assert say(waiting, f"uid {second}") == repr(f"uid {first}")
        say(holding, "go")
        assert say(waiting, f"uid {second}") == "None"


@pytest.fixture
def public_path() -> Iterator[Path]:
    """Return a lock where users of all kinds come by, not made yet."""
    with TemporaryDirectory(prefix="vp-tui-test-") as directory:
        Path(directory).chmod(0o1777)
        yield Path(directory, "locks", "a.lock")


_USER = """
import os, sys
from pathlib import Path
from vp_tui.storage.locks import HostLock
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); os.umask(0o077)
lock = HostLock(Path(sys.argv[1]))
for line in sys.stdin:
    told = lock.release() if line.strip() == "go" else lock.take(line.strip())
    print(repr(told), flush=True)
"""


def user_at(path: Path, uid: int) -> Popen[str]:
    """Start a process of a user that takes the lock, or lets it go, at each line."""
    command = [sys.executable, "-c", _USER, str(path), str(uid)]
    return Popen(command, stdin=PIPE, stdout=PIPE, text=True)  # noqa: S603 - ourselves


def say(process: Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_what_is_no_file_of_ours_is_not_locked(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    link, name = tmp_path / "link.lock", tmp_path / "name.lock"
    link.symlink_to(target)
    name.hardlink_to(target)
    for path in (link, name):
        with pytest.raises(LockError):
            HostLock(path).take("me")
    assert target.read_text() == "precious"


def test_a_link_is_not_followed_to_their_directory(tmp_path: Path) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "locks"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    with pytest.raises(LockError):
        HostLock(link / "a.lock").take("me")
    assert list(elsewhere.iterdir()) == []
