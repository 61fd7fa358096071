import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support.rows import GOLDEN, SNAPSHOT, WINDOW, facts, row

from vp_tui.domain.rollout.evidence_row import (
    NOTES_LIMIT,
    EvidenceRow,
    cells_from_snapshot,
    format_row,
    parse_log,
)
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import append_row, unwritten
from vp_tui.storage.records import canonical, encoded, records_path, sealed
from vp_tui.storage.rows import RecordFacts, record_row
from vp_tui.storage.verification import RowCheck, verify

KEYS = {
    "row", "row_sha256", "window", "snapshot", "snapshot_sha256", "prev", "limits", "thresholds",
    "epoch", "actor", "stage", "source", "gates", "suggestion", "override_reason", "record_sha256",
    "ended", "in_no_window", "outcomes", "told",
}  # fmt: skip
ON_ONE_LOG = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WINDOWS = [f"Broadened rollout window #{number}" for number in (5, 6, 7)]


def numbered(number: int) -> EvidenceRow:
    return row(f"row {number}", date=f"2026-02-1{number}T00:00:00Z", window=WINDOWS[number])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the golden log with three recorded rows."""
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    for number, window in enumerate(WINDOWS):
        record_row(path, numbered(number), facts(window=window))
    return path


def lines(log: Path) -> list[bytes]:
    return records_path(log).read_bytes().splitlines()


def check(log: Path) -> list[RowCheck]:
    return verify(log, cells_from_snapshot)


def states(log: Path) -> list[str]:
    return [found.state for found in check(log)[16:]]


def bad(log: Path) -> list[tuple[str, int | None, str]]:
    found = [finding for finding in check(log) if finding.state == "MISMATCH"]
    return [(finding.window, finding.line, finding.reason) for finding in found]


def resealed(line: bytes, **changes: object) -> bytes:
    return sealed(encoded(json.loads(line) | changes))


def test_a_record_is_as_the_interfaces_have_it(log: Path) -> None:
    previous = None
    for number, line in enumerate(lines(log)):
        record: dict[str, Any] = json.loads(line)
        assert set(record) == KEYS
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert text.encode() == line
        assert record["row"] == format_row(numbered(number))
        assert record["row_sha256"] == sha256(record["row"].encode()).hexdigest()
        assert record["snapshot"] == SNAPSHOT
        assert record["snapshot_sha256"] == sha256(canonical(SNAPSHOT)).hexdigest()
        assert record["prev"] == (sha256(previous).hexdigest() if previous else None)
        assert record["window"] == WINDOWS[number]
        assert record["actor"] == "ann@host"
        own = canonical({key: record[key] for key in KEYS - {"record_sha256"}})
        assert record["record_sha256"] == sha256(own).hexdigest()
        previous = line


def test_facts_come_back() -> None:
    assert RecordFacts(**json.loads(canonical(facts()._asdict()))) == facts()


def test_rows_are_verified(log: Path) -> None:
    found = check(log)
    assert [finding.state for finding in found] == ["unverified"] * 16 + ["ok"] * 3
    assert [finding.line for finding in found] == list(range(18, 37))
    assert found[-1] == RowCheck("ok", WINDOWS[2], 36, "")


def test_rows_are_found_wherever_they_are(log: Path) -> None:
    data = log.read_bytes()
    own = [logged.raw + b"\n" for logged in parse_log(data).rows[-3:]]
    log.write_bytes(data.replace(b"".join(own), b"".join(reversed(own))).replace(b"\n", b"\r\n"))
    assert bad(log) == []
    assert [found.window for found in check(log)[16:]] == WINDOWS[::-1]


def test_a_row_without_a_snapshot_is_ok_with_its_cells_na(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    blocked = row(fallback_rate="n/a", p95_latency="n/a", decision="BLOCKED_AUTH")
    record_row(log, blocked, facts(None))
    record: dict[str, Any] = json.loads(lines(log)[0])
    assert (record["snapshot"], record["snapshot_sha256"]) == (None, None)
    record_row(log, row(), facts(None))
    assert [found.state for found in check(log)] == ["ok", "MISMATCH"]


def test_numbers_that_do_not_follow_are_named(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    record_row(log, row(fallback_rate="0.050"), facts())
    record_row(log, row(fallback_rate="0.050 (reconstructed)"), facts())
    own = SNAPSHOT | {"reconstructed": {"rate": 0.05}}
    record_row(log, row(fallback_rate="0.050 (reconstructed)", notes="so"), facts(own))
    assert [(window, line) for window, line, _ in bad(log)] == [(WINDOW, 7), (WINDOW, 8)]
    assert bad(log)[0][2] == (
        "its numbers, 0.050 and 35.964s, do not follow from the snapshot of record 1, "
        "which gives 0.000 and 35.964s"
    )


def test_overlong_notes_are_whole_in_the_record(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    notes = "wörds | \udcff " * 10_000
    record_row(log, row(notes), facts())
    record: dict[str, Any] = json.loads(lines(log)[0])
    assert record["notes"] == notes
    assert len(parse_log(log.read_bytes()).rows[0].row.notes) == NOTES_LIMIT
    assert bad(log) == []


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@example(2, 0.9999, ord("\n") ^ ord(" "))
@example(2, 0.9999, ord("\n") ^ ord("x"))
@example(0, 0.9999, 1)
@example(1, 0, 1)
def test_a_changed_byte_of_a_record_is_found_and_named(
    log: Path, number: int, place: float, change: int
) -> None:
    file = records_path(log)
    sound = file.read_bytes()
    ends = [len(b"".join(sound.splitlines(keepends=True)[:count])) for count in range(4)]
    position = ends[number] + int(place * (ends[number + 1] - ends[number]))
    altered = bytearray(sound)
    altered[position] ^= change
    file.write_bytes(altered)
    try:
        assert WINDOWS[number] in [window for window, _, _ in bad(log)]
    finally:
        file.write_bytes(sound)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_changed_byte_of_a_recorded_row_is_found_and_named(
    log: Path, number: int, place: float, change: int
) -> None:
    sound = log.read_bytes()
    line = format_row(numbered(number)).encode()
    altered = bytearray(sound)
    altered[sound.index(line) + int(place * len(line))] ^= change
    log.write_bytes(altered)
    try:
        assert WINDOWS[number] in [window for window, _, _ in bad(log)]
    finally:
        log.write_bytes(sound)


def test_a_changed_row_is_told_in_its_place(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"| row 1 |", b"| row one |"))
    assert bad(log) == [(WINDOWS[1], 35, "the row was changed after it was recorded")]


def test_a_row_that_is_gone_is_told(log: Path) -> None:
    line = format_row(numbered(1)).encode() + b"\n"
    log.write_bytes(log.read_bytes().replace(line, b""))
    reason = "the row of record 2 is not in the log as it was written"
    assert bad(log) == [(WINDOWS[1], None, reason)]
    assert states(log) == ["ok", "ok", "MISMATCH"]
    log.unlink()
    assert len(bad(log)) == 3


def test_a_record_that_is_gone_breaks_the_chain(log: Path) -> None:
    first, _, last = lines(log)
    records_path(log).write_bytes(first + b"\n" + last + b"\n")
    reason = "the chain is broken before record 2: a record is missing or was replaced"
    assert bad(log) == [(WINDOWS[2], 36, reason)]
    assert states(log) == ["ok", "unverified", "MISMATCH"]


def test_a_record_written_anew_breaks_the_chain(log: Path) -> None:
    first, second, last = lines(log)
    forged = resealed(second, actor="somebody else")
    records_path(log).write_bytes(b"\n".join((first, forged, last, b"")))
    assert [window for window, _, _ in bad(log)] == [WINDOWS[2]]


def test_hashes_that_were_never_right_are_told(log: Path) -> None:
    *others, last = lines(log)
    forged = resealed(last, snapshot=SNAPSHOT | {"vp_id": "other"})
    records_path(log).write_bytes(b"\n".join((*others, forged, b"")))
    reason = "the hashes in record 3 are not those of its row and snapshot"
    assert bad(log) == [(WINDOWS[2], 36, reason)]


@pytest.mark.parametrize("junk", [b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b""])
def test_junk_among_the_records_is_told(log: Path, junk: bytes) -> None:
    *others, last = lines(log)
    records_path(log).write_bytes(b"\n".join((*others, junk, last, b"")))
    assert any("record 3" in reason for _, _, reason in bad(log))
    assert states(log)[:2] == ["ok", "ok"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_a_torn_last_record_is_no_fault_and_is_written_on_from(log: Path, share: float) -> None:
    file, whole = records_path(log), records_path(log).read_bytes()
    torn = lines(log)[2]
    file.write_bytes(whole + torn[: int(len(torn) * share)])
    if share < 1:
        assert bad(log) == []
    assert unwritten(log) is None
    record_row(log, row("the next"), facts())
    after = file.read_bytes()
    assert after.startswith(whole + torn[: int(len(torn) * share)])
    assert after.endswith(b"}\n")
    if share < 1:
        assert bad(log) == []
        assert states(log) == ["ok"] * 4


def test_a_last_record_without_its_newline_counts(log: Path) -> None:
    file = records_path(log)
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))
    assert states(log) == ["ok"] * 3
    record_row(log, row("the next"), facts())
    assert states(log) == ["ok"] * 4


def test_the_row_of_a_last_record_alone_is_given_back(log: Path) -> None:
    assert unwritten(log) is None
    assert unwritten(log.with_name("other.md")) is None
    notes = "long " * 10_000
    copy = log.read_bytes()
    record_row(log, row(notes), facts())
    log.write_bytes(copy)
    assert unwritten(log) == row(notes)
    append_row(log, row(notes))
    assert unwritten(log) is None
    assert bad(log) == []


def test_a_last_row_that_was_changed_by_hand_is_not_given_back(log: Path) -> None:
    record_row(log, row("first"), facts())
    record_row(log, row("second"), facts())
    sound = log.read_bytes()
    log.write_bytes(sound.replace(b"| second |", b"| 2nd |"))
    assert unwritten(log) is None
    log.write_bytes(sound.replace(format_row(row("second")).encode() + b"\n", b""))
    assert unwritten(log) == row("second")


def test_the_records_of_a_private_log_are_private(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.touch(0o600)
    record_row(log, row(), facts())
    assert records_path(log).stat().st_mode & 0o777 == 0o600


def test_whether_the_record_was_written_is_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvidenceError) as early:
        record_row(log.parent / "nowhere" / "log.md", row(), facts())
    assert not early.value.recorded
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(
        "vp_tui.storage.evidence_log.replace_unchanged", lambda staged, expected: False
    )
    with pytest.raises(EvidenceError) as late:
        record_row(log, row(), facts())
    assert late.value.recorded
    assert len(lines(log)) == 4
