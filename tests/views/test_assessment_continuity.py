from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders

from vp_tui.domain.events import ContinuityArrived, Event, SuitesRead, Tick
from vp_tui.domain.models import Continuity, ContinuityAlert, Failure, StreamState
from vp_tui.domain.rollout.verdicts import SuitesReport, UnreadReport, Verdict
from vp_tui.state.reducer import reduce_all
from vp_tui.views.assessment import assess
from vp_tui.views.view import View
from vp_tui.worker.files import SuitesFeed

if TYPE_CHECKING:
    from pathlib import Path

PASSING = '<testsuite timestamp="2026-11-23T01:00:00Z"><testcase name="n"/></testsuite>'
FAILING = "<testsuite><testcase name='n'><error/></testcase></testsuite>"


class Reading:
    """A feed of a report, and what it told."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self.events: list[Event] = []
        self.feed = SuitesFeed(report, self.events.append, lambda: 7.0)

    async def look(self) -> SuitesReport | UnreadReport | None:
        """Look once; return what was told."""
        self.events.clear()
        await self.feed.look()
        (told,) = self.events or (None,)
        assert told is None or isinstance(told, SuitesRead)
        return told.report if told else None


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "junit.xml")


async def test_a_report_is_told_once_and_again_when_it_changed(reading: Reading) -> None:
    reading.report.write_text(PASSING)
    assert isinstance(await reading.look(), SuitesReport)
    assert await reading.look() is None
    reading.report.write_text(FAILING)
    told = await reading.look()
    assert isinstance(told, SuitesReport)
    assert told.failures == 1


async def test_a_report_that_is_not_there_is_told_and_its_coming_too(reading: Reading) -> None:
    assert isinstance(await reading.look(), UnreadReport)
    assert await reading.look() is None
    reading.report.write_text(PASSING)
    assert isinstance(await reading.look(), SuitesReport)
    reading.report.unlink()
    assert isinstance(await reading.look(), UnreadReport)


@pytest.mark.parametrize(
    ("report", "verdict", "words"),
    [
        (
            SuitesReport("junit.xml", 9, 0, builders.NOW),
            Verdict.PASS,
            "junit.xml, just run: 9 passed",
        ),
        (
            SuitesReport("junit.xml", 9, 1, builders.NOW),
            Verdict.FAIL,
            "junit.xml, just run: 1 failed",
        ),
        (
            UnreadReport("junit.xml", Failure("it is no XML", "run them again")),
            Verdict.INCONCLUSIVE,
            "suites not attested: junit.xml: it is no XML; run them again",
        ),
    ],
)
def test_the_fourth_gate_goes_by_the_report(
    report: SuitesReport | UnreadReport, verdict: Verdict, words: str
) -> None:
    known = builders.state(
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot(builders.mission())),
        SuitesRead(0.0, report),
    )
    gate = assess(View(known, 0.0)).gates.g4
    assert gate.verdict is verdict
    assert words in gate.reason
    assert known.entries[-1].kind == "suites"
    assert known.entries[-1].text in gate.reason


def test_the_fourth_gate_names_failed_attaches_of_vp_tuis_own() -> None:
    gone = builders.linked(StreamState.GONE)._replace(is_failed_attach=True)
    alert = ContinuityAlert("attach_failures_high", "warning", "")
    told = ContinuityArrived(0.0, Continuity(builders.BOOT, "degraded", "ok", (alert,), 1))
    known = builders.state(
        builders.healthy(), builders.polled(builders.snapshot(builders.mission())), told, gone
    )
    gate = assess(View(known, 0.0)).gates.g4
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert "1 of 1 failed attaches are vp-tui's own" in gate.reason


def test_a_report_grows_old_while_it_is_watched() -> None:
    ran = SuitesReport("junit.xml", 9, 0, builders.NOW - timedelta(days=6, hours=23))
    known = builders.state(
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot(builders.mission())),
        SuitesRead(0.0, ran),
    )
    assert assess(View(known, 0.0)).gates.g4.verdict is Verdict.PASS
    later = reduce_all(
        known, [builders.booted(at=3600.0), Tick(3600.0, builders.NOW + timedelta(hours=1))]
    )
    aged = assess(View(later, 3600.0)).gates.g4
    assert aged.verdict is Verdict.INCONCLUSIVE
    assert aged.reason.endswith("suites not attested: junit.xml, 7 days old")
