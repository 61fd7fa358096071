"""What a report of the continuity suites attests (the rollout's rules, section 4).

Ages are seconds; times are UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.models import Failure

SUITES_MAX_AGE_S: Final = 7 * 86_400.0
"""An attestation of the continuity suites holds for less than this."""
AHEAD_S: Final = 86_400.0
"""How far a report may be ahead of our clock: its stamp may lack a zone, as JUnit's do."""
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3_600.0
_DAY_S: Final = 86_400.0


class Attestation(StrEnum):
    """What is known of the continuity suites' last run."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    TOO_OLD = "too old"


class Suites(NamedTuple):
    """The continuity suites' result, with what the report says in words."""

    state: Attestation = Attestation.ABSENT
    detail: str = "no report"


class SuitesReport(NamedTuple):
    """A report as it was read."""

    file: str
    """Its name, without the directory, made literal."""
    tests: int
    """Tests that ran; skipped ones did not."""
    failures: int
    """Failures and errors."""
    ran_at: datetime
    """When the oldest of its suites ran."""


class UnreadReport(NamedTuple):
    """A report that is not there, or that cannot be read as one."""

    file: str
    """As of a `SuitesReport`."""
    failure: Failure


NO_SUITES: Final = Suites()


def attested(report: SuitesReport | UnreadReport | None, now: datetime) -> Suites:
    """Return what a report attests at `now`; None: there is none."""
    if report is None:
        return NO_SUITES
    if isinstance(report, UnreadReport):
        why, cure = report.failure.reason, report.failure.cure
        return Suites(Attestation.ABSENT, f"{report.file}: {why}; {cure}")
    age_s = (now - report.ran_at).total_seconds()
    told = f"{report.file}, {_aged(age_s)}"
    if report.failures:
        return Suites(Attestation.FAILED, f"{told}: {report.failures} failed")
    if not report.tests or age_s < -AHEAD_S:
        why = "is dated in the future" if report.tests else "has no test that ran"
        return Suites(Attestation.ABSENT, f"{report.file} {why}")
    if age_s >= SUITES_MAX_AGE_S:
        return Suites(Attestation.TOO_OLD, told)
    return Suites(Attestation.PASSED, f"{told}: {report.tests} passed")


def _aged(age_s: float) -> str:
    """Return an age in words, cut to whole units: it is not to change every second."""
    for unit_s, name in ((_DAY_S, "days"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if age_s >= 2 * unit_s:
            return f"{int(age_s // unit_s)} {name} old"
    return "just run"
