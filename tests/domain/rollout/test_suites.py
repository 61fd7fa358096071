"""What the continuity suites' report attests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.builders import NOW

from vp_tui.domain.models import Failure
from vp_tui.domain.rollout.verdicts import Attestation, SuitesReport, UnreadReport, attested

PASSED, FAILED = Attestation.PASSED, Attestation.FAILED
ABSENT, TOO_OLD = Attestation.ABSENT, Attestation.TOO_OLD
DAY_S = 86_400.0


def report(age_s: float = 0.0, tests: int = 40, failures: int = 0) -> SuitesReport:
    return SuitesReport("junit.xml", tests, failures, NOW - timedelta(seconds=age_s))


@pytest.mark.parametrize(
    ("read", "expected", "detail"),
    [
        (report(), PASSED, "junit.xml, just run: 40 passed"),
        (report(150.0), PASSED, "junit.xml, 2 min old: 40 passed"),
        (report(7 * DAY_S - 1), PASSED, "junit.xml, 6 days old: 40 passed"),
        (report(7 * DAY_S), TOO_OLD, "junit.xml, 7 days old"),
        (report(7200.0, failures=2), FAILED, "junit.xml, 2 h old: 2 failed"),
        (report(8 * DAY_S, failures=2), FAILED, "junit.xml, 8 days old: 2 failed"),
        (report(tests=0, failures=1), FAILED, "junit.xml, just run: 1 failed"),
        (report(tests=0), ABSENT, "junit.xml has no test that ran"),
        (report(-6 * 3600.0), PASSED, "junit.xml, just run: 40 passed"),
        (report(-DAY_S - 1), ABSENT, "junit.xml is dated in the future"),
    ],
)
def test_what_a_report_attests(read: SuitesReport, expected: Attestation, detail: str) -> None:
    assert attested(read, NOW) == (expected, detail)


def test_without_a_report_nothing_is_attested() -> None:
    assert attested(None, NOW) == (ABSENT, "no report")


def test_a_report_that_cannot_be_read_attests_nothing_and_says_what_helps() -> None:
    read = UnreadReport("junit.xml", Failure("it is no XML", "run the suites again"))
    assert attested(read, NOW) == (ABSENT, "junit.xml: it is no XML; run the suites again")
