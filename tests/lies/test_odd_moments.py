"""Moments, durations and counts that cannot be reckoned with: each ended vp-tui, and is told."""

from __future__ import annotations

import json
import os
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.lies.test_odd_items import metrics
from tests.support import builders
from tests.support.recorded import WIRE
from tests.support.rollout import row

from vp_tui.domain.events import ContinuityArrived, HealthArrived, SnapshotArrived, Tick
from vp_tui.domain.models import Plane
from vp_tui.domain.rollout.labels import moment
from vp_tui.domain.text import age, later, utc_of
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.parsing import parse_continuity, parse_health, parse_metrics
from vp_tui.gateway.payloads import date_of
from vp_tui.state.reducer import reduce_all
from vp_tui.storage.junit import read_report
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.lines.figure_layouts import dense_lines
from vp_tui.ui.lines.header import assessment_of, header_lines
from vp_tui.views.handover import handover
from vp_tui.views.lookout import judged
from vp_tui.views.status import status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vp_tui.domain.events import Event

ENDS: Final = (
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
)
ODD: Final[tuple[object, ...]] = (*ENDS, 10**400, -(10**400), 1e308, -1, "\ud800", {"1": {"2": 3}})
"""Of every kind what no gateway should send, and any may."""
DATES: Final = (
    "Fri, 27 Nov 99999999999999999999 10:00:00 GMT",
    "Fri, 27 Nov 2026 10:00:00 +99999999999999",
    "Fri, 31 Dec 9999 23:59:59 -2300",
    "Mon, 01 Jan 0001 00:00:00 +2300",
    "\ud800",
)


def places(value: object, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where each value of an answer is; of a list its first item's only."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*at, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))
    else:
        yield at


def changed(body: Any, place: tuple[Any, ...], odd: object) -> bytes:  # noqa: ANN401 - any JSON
    """Return an answer with `odd` at that place."""
    told = inside = json.loads(json.dumps(body))
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = odd
    return json.dumps(told).encode()


def recorded(name: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))["body"]


def assert_all_is_told(event: Event) -> None:
    """Take it, look, draw and tell, twice: the second look is where its moments are compared."""
    usual = (builders.healthy(), builders.booted(), builders.listing(builders.session()))
    state = builders.state(*usual, builders.polled(builders.snapshot()))
    for at in (1.0, 2.0):
        told = Tick(at, builders.NOW + timedelta(seconds=at))
        state = reduce_all(state, [replace_at(event, at), told])
        view = View(state, at)
        header_lines(view, 80, frozen_for=None, safety=assessment_of(view).safety)
        assert dense_lines(view, 80)
        assert explanation(view, 80)
        assert handover(view, "ana@laptop")
        assert json.dumps(status_object(view))
        state = reduce_all(state, judged(view, None, reverts=True))


def replace_at(event: Any, at: float) -> Event:  # noqa: ANN401 - one of many tuples
    moved: Event = event._replace(at=at)
    return moved


METRICS: Final = metrics()
CONTINUITY: Final = recorded("k01_session_continuity")
HEALTH: Final = recorded("a01_health")


@pytest.mark.parametrize(
    "place", list(places(METRICS)), ids=lambda place: ".".join(map(str, place))
)
def test_odd_values_of_the_metrics_end_nothing(place: tuple[Any, ...]) -> None:
    for odd in ODD:
        try:
            snapshot = parse_metrics(changed(METRICS, place, odd), 50, 200)
        except GatewayError:
            continue
        assert_all_is_told(SnapshotArrived(0.0, snapshot, Plane.OPS))


def test_odd_values_of_the_continuity_end_nothing() -> None:
    for place in places(CONTINUITY):
        for odd in ODD:
            try:
                told = parse_continuity(changed(CONTINUITY, place, odd))
            except GatewayError:
                continue
            assert_all_is_told(ContinuityArrived(0.0, told))


@pytest.mark.parametrize("date", [None, "Fri, 27 Nov 2026 10:00:00 GMT", *DATES])
def test_odd_stamps_of_the_health_end_nothing(date: str | None) -> None:
    for stamp in ENDS:
        try:
            health = parse_health(json.dumps(HEALTH | {"timestamp": stamp}).encode(), date)
        except GatewayError:
            continue
        assert_all_is_told(HealthArrived(0.0, health))


@pytest.mark.parametrize("date", DATES)
def test_a_date_that_cannot_be_ended_vp_tui(date: str) -> None:
    told = date_of(date)
    assert told is None or told.tzinfo is UTC


def test_a_moment_past_the_last_one_ended_vp_tui() -> None:
    assert later(builders.NOW, 1e12).year == 9999
    assert later(builders.NOW, -1e12).year == 1
    assert later(builders.NOW, 1.0) - builders.NOW == timedelta(seconds=1)
    assert [utc_of(stamp, -1e12) for stamp in ("0001-01-01T00:00:00+14:00", "x")] == [None, None]
    assert (age(float("inf")), age(float("nan"))) == ("-", "-")


def test_a_row_by_hand_with_a_moment_outside_of_time_is_not_dated() -> None:
    assert moment(row("Shadow window #1", date="0001-01-01T00:00:00+14:00")) is None


def test_a_report_of_a_far_year_is_read(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuite tests="1" failures="0" errors="0" skipped="0"/>')
    os.utime(report, (2**40, 2**40))
    assert read_report(report) is not None
