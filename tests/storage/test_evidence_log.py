import errno
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import GOLDEN, names, on_call, row

from vp_tui.domain.rollout.evidence_row import NEW_LOG, format_row, parse_log
from vp_tui.storage import atomic, evidence_log
from vp_tui.storage.errors import EvidenceError, LogChanged
from vp_tui.storage.evidence_log import append_row, read_log
from vp_tui.storage.locks import locked_for_reading

ROW = row()
LINE = format_row(ROW).encode()
END = GOLDEN.index(b"\n\n---\n\n## Promotion gates") + 1
GROWN = GOLDEN[:END] + LINE + b"\n" + GOLDEN[END:]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_renameat2", lambda: None)


def test_a_row_goes_to_the_end_of_the_table(log: Path) -> None:
    appended = append_row(log, ROW)
    assert log.read_bytes() == GROWN
    assert (appended.line, appended.text) == (34, LINE.decode())
    assert GROWN.splitlines()[appended.line - 1] == LINE
    assert append_row(log, ROW).line == 35
    assert log.read_bytes().count(LINE) == 2
    assert names(log.parent) == ["log.md", "log.md.lock"]


def test_a_row_goes_there_without_an_exchange_too(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_exchange(monkeypatch)
    assert append_row(log, ROW).line == 34
    assert log.read_bytes() == GROWN
    assert names(log.parent) == ["log.md", "log.md.lock"]


@pytest.mark.parametrize("old", [None, b"", b"\xef\xbb\xbf", b"\n  \n"])
def test_a_log_is_made(tmp_path: Path, old: bytes | None) -> None:
    log = tmp_path / "log.md"
    if old is not None:
        log.write_bytes(old)
    assert append_row(log, ROW).line == (old or b"").count(b"\n") + 7
    assert log.read_bytes() == (old or b"") + NEW_LOG + LINE + b"\n"
    assert read_log(log)[0].warnings == ()


@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from([b"\n", b"\r\n"]))
def test_every_other_byte_stays(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes, eol: bytes
) -> None:
    log = tmp_path_factory.mktemp("log") / "log.md"
    before = before.replace(b"`", b"'").replace(b"~", b"-").replace(b"<", b"(")
    start = before + eol + GOLDEN[:END].replace(b"\n", eol)
    log.write_bytes(start + eol + after)
    append_row(log, ROW, despite=parse_log(log.read_bytes()).damage)
    assert log.read_bytes() == start + LINE + eol + eol + after


@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
def test_a_file_without_a_final_newline_stays_so(log: Path, eol: bytes) -> None:
    data = GOLDEN[: END - 1].replace(b"\n", eol)
    log.write_bytes(data)
    appended = append_row(log, ROW)
    assert log.read_bytes() == data + eol + LINE
    assert appended.line == 34


def test_mode_times_and_owner_are_kept(log: Path) -> None:
    log.chmod(0o640)
    if os.getuid() == 0:
        os.chown(log, 12345, 12346)
    before = log.stat()
    append_row(log, ROW)
    after = log.stat()
    kept = (before.st_mode, before.st_uid, before.st_gid)
    assert (after.st_mode, after.st_uid, after.st_gid) == kept
    assert after.st_mtime_ns >= before.st_mtime_ns


def test_an_owner_that_cannot_be_kept_refuses_the_row(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    others = os.stat_result((0o100644, 0, 0, 1, 54321, 54322, 0, 0, 0, 0))
    with pytest.raises(OSError, match="it belongs to uid 54321, gid 54322, and only they or root"):
        atomic._write_beside(log, b"", others, 0o600)
    assert names(log.parent) == ["log.md"]


def test_a_new_log_has_the_usual_mode(tmp_path: Path) -> None:
    append_row(tmp_path / "log.md", ROW)
    (tmp_path / "usual").touch()
    assert (tmp_path / "log.md").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_symbolic_links_are_followed(log: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.md"
    link.symlink_to("../log.md")
    assert append_row(link, ROW).path == log
    assert link.is_symlink()
    assert log.read_bytes() == GROWN
    assert names(link.parent) == ["link.md"]
    dangling = tmp_path / "elsewhere" / "dangling.md"
    dangling.symlink_to(tmp_path / "new.md")
    append_row(dangling, ROW)
    assert (tmp_path / "new.md").read_bytes() == NEW_LOG + LINE + b"\n"


def save(log: Path, data: bytes) -> Callable[[], None]:
    def replace() -> None:
        copy = log.with_name("editor")
        copy.write_bytes(data)
        copy.replace(log)

    return replace


EDITED = GOLDEN.replace(b"Kickoff prep", b"Kickoff") + b"a word at the end\n"
MERGED = EDITED[: END - 5] + LINE + b"\n" + EDITED[END - 5 :]


@pytest.mark.parametrize("place", ["stage", "replace_unchanged", "holds"])
def test_what_an_editor_saves_in_between_is_kept(
    log: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    hooked = on_call(1, getattr(evidence_log, place), save(log, EDITED))
    monkeypatch.setattr(evidence_log, place, hooked)
    append_row(log, ROW)
    assert log.read_bytes() == MERGED
    assert "editor" not in names(log.parent)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_an_editor_saves_at_the_last_moment_is_kept(
    log: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    swap = atomic._swap
    versions = [EDITED + b"again\n" * number for number in range(times)]
    waiting = list(versions)

    def edited_first(staged: Path, target: Path) -> bool:
        if waiting:
            save(log, waiting.pop(0))()
        return swap(staged, target)

    monkeypatch.setattr(atomic, "_swap", edited_first)
    append_row(log, ROW)
    newest = versions[-1]
    assert log.read_bytes() == newest[: END - 5] + LINE + b"\n" + newest[END - 5 :]
    assert names(log.parent) == ["log.md", "log.md.lock"]


def test_a_log_that_somebody_else_makes_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.md"
    create = on_call(1, atomic._create, save(log, GOLDEN))
    monkeypatch.setattr(atomic, "_create", create)
    append_row(log, ROW)
    assert log.read_bytes() == GROWN


def test_an_editor_that_moves_the_log_away_before_it_saves_is_waited_for(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            save(log, EDITED)()

    monkeypatch.setattr("time.sleep", sleep)
    hooked = on_call(1, atomic.replace_unchanged, log.unlink)
    monkeypatch.setattr(evidence_log, "replace_unchanged", hooked)
    append_row(log, ROW)
    assert log.read_bytes() == MERGED


def test_a_log_that_goes_away_is_not_made_anew(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hooked = on_call(1, atomic.replace_unchanged, log.unlink)
    monkeypatch.setattr(evidence_log, "replace_unchanged", hooked)
    with pytest.raises(EvidenceError, match="somebody removed it"):
        append_row(log, ROW)
    assert names(log.parent) == ["log.md.lock"]


def test_a_log_that_never_stays_the_same_is_told(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(evidence_log, "replace_unchanged", lambda staged, expected: False)
    with pytest.raises(EvidenceError, match="others keep changing it"):
        append_row(log, ROW)


def test_rows_of_somebody_else_are_shown_first(log: Path) -> None:
    _, seen = read_log(log)
    append_row(log, row("of somebody else"))
    with pytest.raises(LogChanged, match="rows were changed"):
        append_row(log, ROW, expected=seen)
    _, seen = read_log(log)
    log.write_bytes(log.read_bytes() + b"text that is no row\n")
    append_row(log, ROW, expected=seen)
    assert len(read_log(log)[0].rows) == 18


@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    "old",
    [
        None,
        b"",
        b"\xef\xbb\xbf",
        NEW_LOG,
        NEW_LOG.rstrip(b"\n"),
        GOLDEN,
        GOLDEN[: END - 1],
        GOLDEN[:END] + b"plain text, then a table of others\n\n| a |\n|---|\n| b |",
    ],
)
def test_line_and_fingerprint_of_the_grown_rows_are_told(
    tmp_path: Path, old: bytes | None, eol: bytes
) -> None:
    log = tmp_path / "log.md"
    if old is not None:
        log.write_bytes(old.replace(b"\n", eol))
    _, seen = read_log(log)
    for _ in range(2):
        told = append_row(log, ROW, expected=seen)
        assert log.read_bytes().splitlines()[told.line - 1] == LINE
        seen = read_log(log)[1]
        assert told.fingerprint == seen


@pytest.mark.parametrize("place", ["stage", "replace_unchanged", "holds"])
def test_the_fingerprint_is_of_what_others_made_of_the_rows(
    log: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    hooked = on_call(1, getattr(evidence_log, place), save(log, EDITED))
    monkeypatch.setattr(evidence_log, place, hooked)
    assert append_row(log, ROW).fingerprint == read_log(log)[1]


def test_the_fingerprint_is_that_of_rows_that_somebody_saved_with_the_new_one(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked = on_call(1, atomic.holds, save(log, MERGED))
    monkeypatch.setattr(evidence_log, "holds", hooked)
    assert append_row(log, ROW).fingerprint == read_log(log)[1]
    assert log.read_bytes() == MERGED


def test_what_was_no_log_when_it_was_read_may_be_made(tmp_path: Path) -> None:
    table, seen = read_log(tmp_path / "log.md")
    assert table.rows == ()
    append_row(tmp_path / "log.md", ROW, expected=seen)
    with pytest.raises(LogChanged):
        append_row(tmp_path / "log.md", ROW, expected=seen)


def test_the_holder_of_the_lock_is_named(log: Path) -> None:
    def append_again(path: Path) -> None:
        append_row(path, ROW, wait_s=0)

    with pytest.raises(EvidenceError, match=rf"held for 0 s by pid {os.getpid()}, uid"):
        append_row(log, ROW, before_commit=append_again)
    assert log.read_bytes() == GOLDEN
    assert log.with_name("log.md.lock").read_bytes() == b""
    with log.with_name("log.md.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(EvidenceError, match="somebody unknown"):
            append_row(log, ROW, wait_s=0)


def test_readers_wait_for_a_writer_and_need_no_lock_of_their_own(log: Path) -> None:
    def read(path: Path) -> None:
        with locked_for_reading(path, 0):
            raise AssertionError("a writer holds the lock")

    with locked_for_reading(log, 0):
        assert names(log.parent) == ["log.md"]
    with pytest.raises(EvidenceError, match="held for 0 s"):
        append_row(log, ROW, before_commit=read)
    with locked_for_reading(log, 0), locked_for_reading(log, 0):
        pass


def test_somebody_elses_lock_file_can_be_held_too(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def not_for_writing(path: Path, flags: int, *mode: int) -> int:
        if str(path).endswith(".lock") and flags & os.O_RDWR:
            raise PermissionError
        return opened(path, flags, *mode)

    log.with_name("log.md.lock").touch()
    monkeypatch.setattr(os, "open", not_for_writing)
    append_row(log, ROW)
    assert log.read_bytes() == GROWN


@pytest.mark.parametrize(
    ("call", "reason"),
    [("os.open", "it may not be written"), ("fcntl.flock", "it cannot be locked")],
)
def test_a_lock_that_cannot_be_made_is_told(
    log: Path, monkeypatch: pytest.MonkeyPatch, call: str, reason: str
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(call, refuse)
    with pytest.raises(EvidenceError, match=reason):
        append_row(log, ROW)


def test_what_is_no_log_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.md").write_bytes(b"just text\n")
    os.mkfifo(tmp_path / "pipe")
    cases = {
        "text.md": "it has no table of 8 columns under `## Evidence table`",
        "pipe": "it is a pipe, not a file",
        "nowhere/log.md": "its directory is not there",
        "text.md/log.md": "its directory is a file",
        ".": "it is a directory",
    }
    for name, reason in cases.items():
        with pytest.raises(EvidenceError, match=reason) as raised:
            append_row(tmp_path / name, ROW)
        assert raised.value.failure.cure
    assert (tmp_path / "text.md").read_bytes() == b"just text\n"


@pytest.mark.parametrize("which", ["log.md", "."])
def test_what_is_marked_read_only_stays_so_for_root_too(log: Path, which: str) -> None:
    place = log.parent / which
    mode = stat.S_IMODE(place.stat().st_mode)
    place.chmod(mode & ~0o222)
    try:
        with pytest.raises(EvidenceError, match="it is read-only; make it writable"):
            append_row(log, ROW)
    finally:
        place.chmod(mode)
    assert log.read_bytes() == GOLDEN
    assert names(log.parent) == ["log.md"]


def test_what_a_killed_process_staged_is_swept(log: Path) -> None:
    log.with_name(".log.md.0123.vp-tui-tmp").write_bytes(b"half")
    log.with_name(".log.md.backup").write_bytes(b"not ours")
    append_row(log, ROW)
    assert names(log.parent) == [".log.md.backup", "log.md", "log.md.lock"]


def test_the_rows_of_a_log_are_read(log: Path) -> None:
    table, seen = read_log(log)
    assert table == parse_log(GOLDEN)
    again, same = read_log(log, table)
    assert (again, same) == (table, seen)
    with pytest.raises(EvidenceError, match="there is no such file"):
        read_log(log.with_name("other.md"), must_exist=True)
    with pytest.raises(EvidenceError, match="it is a directory"):
        read_log(log.parent)
