"""The switches in the gateway's env file on disk: set in place, nothing else touched or told."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

import pytest
from tests.support.rows import names

from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Change, Switch, Switches
from vp_tui.storage import env_switches as fallback_switch
from vp_tui.storage.atomic import stage
from vp_tui.storage.env_switches import SIZE_LIMIT, read_switches, set_switch
from vp_tui.storage.errors import SwitchError, SwitchMasked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRETS = b"# gateway\nUA_OPS_TOKEN=hush-1\nUA_ENABLE_CODER_VP=1\nAPI_KEY='hush 2'\n"
FORCED = SECRETS + b"UA_CODER_VP_FORCE_FALLBACK=1\n"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return written(tmp_path / ".env", SECRETS)


def written(path: Path, data: bytes) -> Path:
    """Write a file as somebody did an hour ago."""
    path.write_bytes(data)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def failure_of(env: Path, change: Change = FORCE_FALLBACK) -> SwitchError:
    """Return why the change was not made; the words never hold anything of the file."""
    with pytest.raises(SwitchError) as caught:
        set_switch(env, change, wait_s=0.0)
    error = caught.value
    assert error.failure.reason
    assert error.failure.cure
    assert "hush" not in str(error)
    return error


def test_it_is_set_once_and_released_again(env: Path) -> None:
    done = set_switch(env, FORCE_FALLBACK)
    assert env.read_bytes() == FORCED
    assert (done.path, done.was_so) == (env, False)
    assert read_switches(env) == Switches(forced_fallback=True, lane=True)
    inode = env.stat().st_ino
    assert set_switch(env, FORCE_FALLBACK).was_so
    assert env.stat().st_ino == inode
    set_switch(env, RELEASE)
    assert env.read_bytes() == SECRETS + b"UA_CODER_VP_FORCE_FALLBACK=0\n"
    assert names(env.parent) == [".env", ".env.lock"]


def test_mode_and_links_are_kept(env: Path, tmp_path: Path) -> None:
    env.chmod(0o640)
    os.setxattr(env, "user.note", b"kept")
    link = tmp_path / "link"
    link.symlink_to(env.name)
    assert set_switch(link, FORCE_FALLBACK).path == env
    assert link.is_symlink()
    assert env.read_bytes() == FORCED
    assert env.stat().st_mode & 0o777 == 0o640
    assert os.getxattr(env, "user.note") == b"kept"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept(env: Path) -> None:
    os.chown(env, 1234, 4321)
    set_switch(env, FORCE_FALLBACK)
    assert (env.stat().st_uid, env.stat().st_gid) == (1234, 4321)


def test_a_masked_switch_is_refused_with_its_reason_and_cure(env: Path) -> None:
    written(env, SECRETS + b"UA_DISABLE_CODER_VP_FORCE_FALLBACK=Yes\n")
    error = failure_of(env)
    assert isinstance(error, SwitchMasked)
    assert "UA_DISABLE_CODER_VP_FORCE_FALLBACK is on there" in error.failure.reason
    assert "take UA_DISABLE_CODER_VP_FORCE_FALLBACK out" in error.failure.cure
    assert names(env.parent) == [".env"]
    set_switch(env, RELEASE)
    set_switch(env, Change(Switch.SHADOW, on=True))
    assert read_switches(env).shadow


def test_a_mask_that_comes_while_it_is_written_is_refused_too(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked = SECRETS + b"UA_DISABLE_CODER_VP_FORCE_FALLBACK=1\n"
    meddling(monkeypatch, lambda: written(env, masked))
    assert isinstance(failure_of(env), SwitchMasked)
    assert env.read_bytes() == masked


def meddling(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object]) -> None:
    """Have somebody else meddle once, when the new file is ready and not in place yet."""
    left = [meddle]

    def staged(target: Path, data: bytes) -> object:
        ready = stage(target, data)
        if left:
            left.pop()()
        return ready

    monkeypatch.setattr(fallback_switch, "stage", staged)


@pytest.mark.parametrize("replaces", [True, False])
def test_an_editor_that_saves_meanwhile_loses_nothing(
    env: Path, monkeypatch: pytest.MonkeyPatch, *, replaces: bool
) -> None:
    def save() -> None:
        if replaces:
            written(env.with_name("new"), SECRETS + b"NEW=1\n").replace(env)
        else:
            written(env, SECRETS + b"NEW=1\n")

    meddling(monkeypatch, save)
    set_switch(env, FORCE_FALLBACK)
    assert env.read_bytes() == SECRETS + b"NEW=1\nUA_CODER_VP_FORCE_FALLBACK=1\n"
    assert names(env.parent) == [".env", ".env.lock"]


def test_an_editor_that_moves_the_file_away_first_is_waited_for(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = env.with_name("aside")
    meddling(monkeypatch, lambda: env.rename(aside))
    monkeypatch.setattr("time.sleep", lambda _: aside.rename(env) if aside.exists() else None)
    set_switch(env, FORCE_FALLBACK)
    assert env.read_bytes() == FORCED


def test_a_file_that_is_just_being_saved_is_left_alone_until_it_is_whole(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.write_bytes(b"")  # an editor has emptied it, and writes in a moment
    monkeypatch.setattr("time.sleep", lambda _: written(env, SECRETS))
    set_switch(env, FORCE_FALLBACK)
    assert env.read_bytes() == FORCED


def test_a_file_that_never_rests_is_left_as_it_is(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback_switch, "_is_quiet", lambda _: False)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert "others keep changing it" in failure_of(env).failure.reason
    assert env.read_bytes() == SECRETS


def test_another_vp_tui_is_waited_for_but_not_for_ever(env: Path) -> None:
    with env.with_name(".env.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        error = failure_of(env)
    assert ".env.lock: held for 0 s" in error.failure.reason
    assert "row" not in str(error)
    assert env.read_bytes() == SECRETS


@pytest.mark.parametrize(
    ("data", "reason"),
    [(None, "no such file"), (b"\0", "no env file"), (b"#" * (SIZE_LIMIT + 1), "no env file")],
)
def test_what_is_no_env_file_is_not_made_one(env: Path, data: bytes | None, reason: str) -> None:
    env.unlink()
    if data is not None:
        written(env, data)
    error = failure_of(env)
    assert reason in error.failure.reason
    assert error.failure.cure == "correct brake.env_file in the configuration"
    with pytest.raises(SwitchError, match=reason):
        read_switches(env)


def test_a_directory_is_told(tmp_path: Path) -> None:
    assert "it is a directory" in failure_of(tmp_path).failure.reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_leaves_the_file_as_it_was(
    env: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fallback_switch, "stage", refuse)
    error = failure_of(env)
    assert str(env) in error.failure.reason
    assert "row" not in str(error)
    assert env.read_bytes() == SECRETS


def test_a_file_that_may_not_be_written_is_refused(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "it is read-only" in failure_of(env).failure.reason
    assert set_switch(env, Change(Switch.LANE, on=True)).was_so
