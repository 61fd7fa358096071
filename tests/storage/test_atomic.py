"""Replacing a file on systems that lack a call, and with others that meddle."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.rows import names

from vp_tui.storage import atomic
from vp_tui.storage.atomic import replace_unchanged, stage, sync_directory, write_private


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def refusing(number: int) -> Callable[..., None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_system_without_the_exchange(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", refusing(errno.ENOENT))
    assert atomic._renameat2.__wrapped__() is None
    monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    assert replace_unchanged(stage(target, b"new"), b"old")
    assert not replace_unchanged(stage(target, b"newer"), b"old")
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["file"]


def test_a_file_system_that_refuses_the_exchange(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_renameat2", lambda: lambda one, other: errno.EINVAL)
    assert replace_unchanged(stage(target, b"new"), b"old")
    assert target.read_bytes() == b"new"


def test_an_exchange_that_fails(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_renameat2", lambda: lambda one, other: errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        replace_unchanged(stage(target, b"new"), b"old")
    assert target.read_bytes() == b"old"
    assert names(target.parent) == ["file"]


def test_a_target_that_is_gone_is_not_made(target: Path) -> None:
    staged = stage(target, b"new")
    target.unlink()
    assert not replace_unchanged(staged, b"old")
    assert names(target.parent) == []


@pytest.mark.parametrize("saved", [None, b"saved"])
def test_a_target_that_goes_while_the_newer_is_put_back(
    target: Path, monkeypatch: pytest.MonkeyPatch, saved: bytes | None
) -> None:
    real = atomic._renameat2()
    assert real is not None
    calls = 0

    def exchange(one: bytes, other: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            target.write_bytes(b"theirs")
        else:
            target.unlink()
        failed = real(one, other)
        if failed and saved is not None:
            target.write_bytes(saved)
        return failed

    monkeypatch.setattr(atomic, "_renameat2", lambda: exchange)
    assert not replace_unchanged(stage(target, b"new"), b"old")
    assert target.read_bytes() == (saved or b"theirs")
    assert names(target.parent) == ["file"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_file_is_made_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", refusing(number))
    target = tmp_path / "file"
    assert replace_unchanged(stage(target, b"new"), None)
    assert not replace_unchanged(stage(target, b"newer"), None)
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_a_directory_that_cannot_be_synced_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", refusing(errno.EINVAL))
    sync_directory(tmp_path)
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_directory(tmp_path)


def test_a_private_file_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "one", b"1")
    monkeypatch.setattr(os, "rename", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "two", b"2")
    assert names(tmp_path) == ["one"]
