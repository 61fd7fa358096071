"""Reports of the continuity suites, as other programs write and break them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.rollout.verdicts import SuitesReport, UnreadReport
from vp_tui.storage import junit as suites
from vp_tui.storage.junit import read_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITTEN_AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CASE = '<testcase classname="t" name="n" time="0.1"/>'
BAD = '<testcase name="n"><failure message="no">trace</failure></testcase>'
BROKEN = '<testcase name="n"><error/></testcase>'
SKIPPED = '<testcase name="n"><skipped type="pytest.skip" message="later"/></testcase>'
BOMB = """\
<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuites><testsuite><testcase name="&b;"/></testsuite></testsuites>
"""
OUTSIDE = """\
<!DOCTYPE testsuite [<!ENTITY passwd SYSTEM "file:///etc/passwd">]>
<testsuite><testcase name="&passwd;"/></testsuite>
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "junit.xml"


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this machine be in Tokyo: stamps without a zone are its own."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def read(path: Path, text: str | bytes) -> SuitesReport | UnreadReport:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (WRITTEN_AT.timestamp(), WRITTEN_AT.timestamp()))
    return read_report(path)


def counted(path: Path, text: str) -> tuple[int, int]:
    """Return the tests that ran, and the failures."""
    told = read(path, text)
    assert isinstance(told, SuitesReport)
    return told.tests, told.failures


def refused(path: Path, text: str | bytes) -> str:
    told = read(path, text)
    assert isinstance(told, UnreadReport)
    assert told.failure.cure
    return told.failure.reason


def suite(*inside: str, **attributes: str) -> str:
    named = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<testsuite{named}>{''.join(inside)}</testsuite>"


def suites_of(*inside: str, failures: str = "") -> str:
    return f'<testsuites failures="{failures}">{"".join(inside)}</testsuites>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (suite(CASE, CASE, CASE), (3, 0)),
        (suites_of(suite(CASE, BAD, BROKEN)), (3, 2)),
        (suites_of(suite(CASE), suite(BAD)), (2, 1)),
        (suite(CASE, SKIPPED), (1, 0)),
        (suite(SKIPPED, SKIPPED), (0, 0)),
        (suite(tests="9"), (0, 0)),
        (suite(CASE, failures="1", errors="2"), (1, 3)),
        (suites_of(suite(CASE, failures="1"), failures="4"), (1, 4)),
        (suite(suite(BAD, failures="2"), suite(CASE, failures="1"), failures="3"), (2, 3)),
        (suite(BAD, xmlns="urn:junit"), (1, 1)),
        (suite("<testcase><failure/><failure/><error/></testcase>"), (1, 1)),
        (suite("<properties><error/></properties>", CASE), (1, 0)),
        (suite(CASE, failures="", errors=" 0 "), (1, 0)),
    ],
)
def test_failures_and_errors_are_counted(path: Path, text: str, expected: tuple[int, int]) -> None:
    assert counted(path, text) == expected


@pytest.mark.parametrize(
    ("stamps", "ran_at"),
    [
        ([], WRITTEN_AT),
        (["2026-11-20T08:00:00+00:00"], datetime(2026, 11, 20, 8, tzinfo=UTC)),
        (["2026-11-20T08:00:00Z", "2026-11-19T08:00:00Z"], datetime(2026, 11, 19, 8, tzinfo=UTC)),
        (["2026-11-20T08:00:00"], datetime(2026, 11, 19, 23, tzinfo=UTC)),
        (["yesterday", ""], WRITTEN_AT),
        (["0001-01-01T00:00:00"], WRITTEN_AT),
    ],
)
def test_a_report_is_as_old_as_its_oldest_suite_or_its_file(
    path: Path, stamps: list[str], ran_at: datetime
) -> None:
    told = read(path, suites_of(suite(CASE), *(suite(CASE, timestamp=stamp) for stamp in stamps)))
    assert isinstance(told, SuitesReport)
    assert told.ran_at == ran_at


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not well-formed XML: no element found, line 1"),
        ("<testsuite>", "it is not well-formed XML: no element found, line 1"),
        ("<testsuite>\n</testcase>", "it is not well-formed XML: mismatched tag, line 2"),
        ("tests passed", "it is not well-formed XML: syntax error, line 1"),
        (b"\x00\xff\xfe", "it is not well-formed XML: "),
        ('<?xml version="1.0" encoding="x"?><testsuite/>', "it is not well-formed XML: "),
        ("<html><testsuite/></html>", "it is no JUnit report: its root is <html>"),
        ("<testcase/>", "it is no JUnit report: its root is <testcase>"),
        (BOMB, "it has a document type"),
        (OUTSIDE, "it has a document type"),
        ("<testsuite>&b;</testsuite>", "it is not well-formed XML: undefined entity, line 1"),
        ("<testsuite>" * 200, "its elements are nested too deep"),
        ('<testsuite failures="-1"/>', "its failures are no number: -1"),
        ('<testsuite errors="many\x7f"/>', "its errors are no number: many␡"),
        ('<testsuite errors="9999999999"/>', "its errors are no number"),
    ],
)
def test_what_is_no_report_is_told(path: Path, text: str | bytes, reason: str) -> None:
    assert refused(path, text).startswith(reason)


def test_a_huge_file_is_not_read(path: Path) -> None:
    path.touch()
    os.truncate(path, suites.SIZE_LIMIT + 1)
    told = read_report(path)
    assert isinstance(told, UnreadReport)
    assert told.failure.reason == "it is larger than 32 MiB"


def test_a_file_that_grows_for_ever_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "_PIECE", 16)
    monkeypatch.setattr(suites, "SIZE_LIMIT", 64)
    monkeypatch.setattr(os, "fstat", lambda _fd: os.stat_result((0o100644, *[0] * 9)))
    assert refused(path, f"<testsuite>{CASE * 9}</testsuite>") == "it grows while it is read"


def test_what_is_no_file_is_told(path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    cases = {
        path: "there is no such file",
        tmp_path: "it cannot be read: it is a directory",
        tmp_path / "pipe": "it cannot be read: it is a pipe, not a file",
        tmp_path / "loop": "it cannot be read: Too many levels of symbolic links",
    }
    for place, reason in cases.items():
        told = read_report(place)
        assert isinstance(told, UnreadReport)
        assert told.failure.reason == reason
        assert told.failure.cure


def test_the_name_is_shown_safely(tmp_path: Path) -> None:
    assert read_report(tmp_path / "a\x1b[2J\n.xml").file == "a␛[2J␊.xml"
