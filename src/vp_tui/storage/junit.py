"""The report of the continuity suites: a JUnit XML file that some other program wrote.

Nothing of it is trusted: it is read in pieces, no tree is built, and a document type, with which
entities could be declared, is refused.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final
from xml.parsers import expat

from vp_tui.domain.models import Failure
from vp_tui.domain.rollout.verdicts import SuitesReport, UnreadReport
from vp_tui.domain.text import clip, later, literal
from vp_tui.storage.atomic import regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SIZE_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of a report; those of thousands of tests with their output are below that."""
DEPTH_LIMIT: Final = 100
_PIECE: Final = 65_536
_COUNT_DIGITS: Final = 9
_NAME_SHOWN: Final = 60
_RERUN: Final = "run the suites again with a JUnit XML report"
_NAME_ANOTHER: Final = "name the suites' JUnit XML report with continuity_report"
_ROOTS: Final = ("testsuites", "testsuite")
_FAILED: Final = ("failure", "error")


class _NoReportError(Exception):
    """The file is not what it should be."""

    def __init__(self, reason: str, cure: str = _RERUN) -> None:
        super().__init__(reason)
        self.failure = Failure(reason, cure)


def read_report(path: Path) -> SuitesReport | UnreadReport:
    """Return what the JUnit XML file `path` says, or why it says nothing."""
    name = clip(literal(path.name), _NAME_SHOWN)
    try:
        counts, written_at = _counted(path)
    except FileNotFoundError:
        return UnreadReport(name, Failure("there is no such file", _NAME_ANOTHER))
    except OSError as error:
        said = error.strerror or str(error)
        return UnreadReport(name, Failure(f"it cannot be read: {said}", _NAME_ANOTHER))
    except _NoReportError as error:
        return UnreadReport(name, error.failure)
    return SuitesReport(name, counts.tests, counts.failures, counts.ran_at or written_at)


@dataclass(slots=True)
class _Counts:
    """What was counted so far, fed by the parser."""

    tests: int = 0
    ran_at: datetime | None = None
    """The oldest stamp of a suite."""
    _bad_cases: int = 0
    _by_suites: int = 0
    """Failures that the innermost suites state."""
    _by_root: int = 0
    """Failures that the root states."""
    _depth: int = 0
    _suites: list[int] = field(default_factory=list)
    """Failures that each open suite states, none once another suite is in it."""
    _case_depth: int | None = None
    _is_skipped: bool = False
    _is_bad: bool = False

    @property
    def failures(self) -> int:
        """Failures and errors: the most that cases, suites or root tell."""
        return max(self._bad_cases, self._by_suites, self._by_root)

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Hear that an element begins."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise _NoReportError("its elements are nested too deep")
        if self._depth == 1 and name not in _ROOTS:
            told = clip(literal(name), _NAME_SHOWN)
            raise _NoReportError(f"it is no JUnit report: its root is <{told}>", _NAME_ANOTHER)
        if name in _ROOTS:
            self._begin_suite(name, attributes)
        elif name == "testcase" and self._case_depth is None:
            self._case_depth, self._is_skipped, self._is_bad = self._depth, False, False
        elif self._case_depth is not None and self._depth == self._case_depth + 1:
            self._is_skipped |= name == "skipped"
            self._is_bad |= name in _FAILED

    def end(self, name: str) -> None:
        """Hear that an element ends."""
        if self._depth == self._case_depth:
            self._case_depth = None
            self._bad_cases += self._is_bad
            self.tests += self._is_bad or not self._is_skipped
        elif name == "testsuite" and self._suites:
            self._by_suites += self._suites.pop()
        self._depth -= 1

    def _begin_suite(self, name: str, attributes: Mapping[str, str]) -> None:
        stated = sum(_count(attributes, word) for word in ("failures", "errors"))
        if self._depth == 1:
            self._by_root = stated
        if (ran_at := _moment(attributes.get("timestamp", ""))) is not None:
            self.ran_at = min(ran_at, self.ran_at or ran_at)
        if name == "testsuite":
            if self._suites:
                self._suites[-1] = 0
            self._suites.append(stated)


def _counted(path: Path) -> tuple[_Counts, datetime]:
    """Return what a report counts, and when it was written. Raises OSError, _NoReportError."""
    with regular(path) as file:
        status = os.fstat(file.fileno())
        if status.st_size > SIZE_LIMIT:
            raise _NoReportError(f"it is larger than {SIZE_LIMIT >> 20} MiB", _NAME_ANOTHER)
        return _parsed(file), later(datetime.fromtimestamp(0, UTC), status.st_mtime)


def _parsed(file: BinaryIO) -> _Counts:
    counts = _Counts()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: counts.begin(_local(name), attributes)
    parser.EndElementHandler = lambda name: counts.end(_local(name))
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        for _ in range(SIZE_LIMIT // _PIECE + 1):
            piece = file.read(_PIECE)
            parser.Parse(piece, not piece)
            if not piece:
                return counts
    except (expat.ExpatError, ValueError, LookupError) as error:
        told = expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else "encoding"
        line = parser.CurrentLineNumber
        raise _NoReportError(f"it is not well-formed XML: {told}, line {line}") from error
    raise _NoReportError("it grows while it is read")


def _refuse_document_type(*_declared: object) -> None:
    raise _NoReportError("it has a document type, which a JUnit report has not", _NAME_ANOTHER)


def _local(name: str) -> str:
    """Return an element's name without its name space."""
    return name.rpartition(" ")[2]


def _count(attributes: Mapping[str, str], word: str) -> int:
    """Return a number that a suite states; none is 0."""
    text = attributes.get(word, "").strip()
    if not text:
        return 0
    if text.isascii() and text.isdecimal() and len(text) <= _COUNT_DIGITS:
        return int(text)
    raise _NoReportError(f"its {word} are no number: {clip(literal(text), _NAME_SHOWN)}")


def _moment(stamp: str) -> datetime | None:
    """Return a stamp in UTC, one without a zone as this machine's; None for what is no stamp."""
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromisoformat(stamp.strip()).astimezone(UTC)
    return None
