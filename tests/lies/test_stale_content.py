"""Lies that a cache told: answers that arrive, with what was so some time ago."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import builders, scenes
from tests.support.virtual_time import run_virtually
from tests.support.virtual_watch import virtual_watch

from vp_tui.domain.events import SessionsArrived
from vp_tui.domain.models import Plane, Source, StreamState
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.gateway.client import Freshness
from vp_tui.gateway.transport import Answer
from vp_tui.simulator.options import SimOptions
from vp_tui.views.assessment import assess
from vp_tui.views.lookout import badge
from vp_tui.views.runs import run_levels
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.status import status_object
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from tests.support.memory_wire import Kept

    from vp_tui.domain.models import Dialect

    Cache = Callable[[httpx.Request, Kept], Kept]

METRICS: Final = "/api/v1/ops/metrics/coder-vp"
SESSIONS: Final = "/api/v1/ops/sessions"
DATE: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TEN: Final = timedelta(minutes=10)


def honest_cache(path: str) -> Cache:
    """Keep the first answer for ever, and say since when."""
    kept: dict[str, Kept] = {}

    def keep(request: httpx.Request, told: Kept) -> Kept:
        if request.url.path != path:
            return told
        first = kept.setdefault(path, told)
        return first._replace(age=f"{(told.date - first.date).total_seconds():.0f}")

    return keep


def quiet_cache(path: str) -> Cache:
    """Keep the first answer for ever, date and all, without a word."""
    cache = honest_cache(path)
    return lambda request, told: cache(request, told)._replace(age=None)


def dating_cache(path: str) -> Cache:
    """Keep the first answer for ever, and date it anew each time."""
    cache = honest_cache(path)
    return lambda request, told: cache(request, told)._replace(age=None, date=told.date)


def lagging(path: str) -> Cache:
    """Answer with figures that go on, ten minutes behind."""

    def lag(request: httpx.Request, told: Kept) -> Kept:
        if request.url.path != path:
            return told
        body = json.loads(told.body)
        body["generated_at"] = (datetime.fromisoformat(body["generated_at"]) - TEN).isoformat()
        return told._replace(body=json.dumps(body).encode())

    return lag


@pytest.mark.parametrize(
    ("cache", "dialect"),
    [
        (honest_cache(METRICS), "G1"),
        (quiet_cache(METRICS), "G2"),
        (dating_cache(METRICS), "G1"),
        (lagging(METRICS), "G2"),
    ],
)
def test_figures_of_a_cache_were_live_however_old_they_were(cache: Cache, dialect: Dialect) -> None:
    run_virtually(_figures_are_not_of_now(cache, dialect))


async def _figures_are_not_of_now(cache: Cache, dialect: Dialect) -> None:
    options = SimOptions(scenario="clean", dialect=dialect)
    async with virtual_watch(options) as watch:
        await watch.passes(60.0)
        assert badge(watch.view, frozen=False) == "LIVE"
        known = watch.state.snapshot
        watch.door.keeps = cache
        await watch.passes(120.0)
        view = watch.view
        assert badge(view, frozen=False) == "STALE"
        gates = assess(view).gates.by_name()
        assert {gates[name].verdict for name in ("G1", "G2", "G3")} == {Verdict.UNKNOWN}
        told = status_object(view)["sources"]["metrics"]
        assert told["state"] == "stale"
        assert told["age_s"] >= 110.0
        (stale,) = (each for each in troubles(view) if each.what == "metrics stale")
        assert "answers arrive, but tell what was so at 02:0" in stale.reason
        assert watch.state.snapshot is not None
        assert known is not None
        assert watch.state.snapshot.generated_at - known.generated_at < timedelta(seconds=5)
        watch.door.keeps = lambda _, told: told
        await watch.passes(10.0)
        assert badge(watch.view, frozen=False) == "LIVE"
        assert _told_of(Source.METRICS, watch.state.entries) == ["bad", "good"]


def _told_of(source: Source, entries: tuple[object, ...]) -> list[str]:
    return [entry.tone for entry in entries if entry.kind == source]  # type: ignore[attr-defined]


@pytest.mark.parametrize("cache", [honest_cache(SESSIONS), quiet_cache(SESSIONS)])
def test_a_list_of_sessions_from_a_cache_was_live(cache: Cache) -> None:
    run_virtually(_the_list_is_not_of_now(cache))


async def _the_list_is_not_of_now(cache: Cache) -> None:
    async with virtual_watch(SimOptions(scenario="clean")) as watch:
        watch.door.keeps = cache
        await watch.passes(60.0)
        listing = source_view(watch.view, Source.SESSIONS)
        assert listing.word is SourceWord.STALE
        assert listing.age_s is not None
        assert listing.age_s > 50.0
        assert badge(watch.view, frozen=False).startswith("STALE")


def test_a_session_that_only_an_old_list_has_in_memory_was_attached_to() -> None:
    """By now it may be on disk only, and attaching would resume it."""
    run_virtually(_nothing_is_attached_to())


async def _nothing_is_attached_to() -> None:
    cache = honest_cache(SESSIONS)
    async with virtual_watch(SimOptions(scenario="clean")) as watch:
        watch.door.keeps = lambda request, told: cache(request, told)._replace(
            age="300" if request.url.path == SESSIONS else None
        )
        await watch.passes(60.0)
        assert any(session.in_memory for session in watch.state.sessions.values())
        assert not watch.state.links


def test_an_old_list_of_a_restarted_watch_moved_what_is_known_back() -> None:
    """The run was heard to end since; the cache still has it running."""
    ran = builders.session(active_runs=1)
    view = View(
        builders.state(
            builders.healthy(),
            builders.listing(ran, at=0.0),
            builders.listing(builders.session(last_event_seq=9), at=3.0),
            SessionsArrived(6.0, (ran,), 1, Plane.OPS, old_s=6.0),
        ),
        6.5,
    )
    assert not view.state.sessions["session_a"].is_running
    assert source_view(view, Source.SESSIONS).age_s == 3.5


def test_a_fallback_came_and_went_with_the_answers_of_two_caches() -> None:
    clean, *_ = scenes.done(1)
    fell = clean._replace(fallback_seen=True)
    now = builders.snapshot(fell)
    before = builders.snapshot(clean, old_s=30.0)
    view = View(builders.state(builders.polled(now, 10.0), builders.polled(before, 12.0)), 12.5)
    assert view.state.snapshot is not None
    assert view.state.snapshot.missions == (fell,)
    assert source_view(view, Source.METRICS).word is SourceWord.STALE


def answer(date: datetime | None, asked_at: float = 0.0, age_s: float = 0.0) -> Answer:
    told = None if date is None else f"{date:%a, %d %b %Y %H:%M:%S} GMT"
    return Answer(200, b"", told, age_s, asked_at)


@pytest.mark.parametrize(
    ("asked", "old_s"),
    [
        pytest.param([(DATE, 0.0, 0.1, DATE)], 0.0, id="new"),
        pytest.param([(None, 0.0, 0.1, DATE - TEN)], 0.0, id="one without a date is believed"),
        pytest.param([(DATE, 0.0, 0.1, DATE - TEN)], 600.0, id="a stamp behind its date"),
        pytest.param(
            [(DATE, 0.0, 5.1, DATE - timedelta(seconds=5))], 0.0, id="a slow answer is not old"
        ),
        pytest.param([(DATE, 0.0, 0.1, DATE + TEN)], 0.0, id="a clock that is ahead"),
        pytest.param(
            [(None, 0.0, 0.0, DATE), (None, 8.0, 8.0, DATE)], 8.0, id="a stamp that stands still"
        ),
        pytest.param([(DATE, 0.0, 0.0, None), (DATE, 8.0, 8.0, None)], 8.0, id="so does a date"),
        pytest.param(
            [(DATE, 0.0, 0.0, None), (DATE, 1.5, 1.6, None)], 0.0, id="a date is cut to seconds"
        ),
        pytest.param(
            [(DATE, 0.0, 0.0, None), (DATE, 1.0, 9.0, None)],
            0.0,
            id="a server that was blocked dates its answer late",
        ),
        pytest.param(
            [(None, 0.0, 0.0, DATE), (None, 3.0, 3.0, DATE - TEN)], 3.0, id="a stamp that goes back"
        ),
        pytest.param(
            [
                (None, 0.0, 0.0, DATE),
                (None, 3.0, 3.0, DATE - TEN),
                (None, 6.0, 6.0, DATE - TEN + timedelta(seconds=3)),
            ],
            0.0,
            id="a clock that was set back goes on",
        ),
        pytest.param(
            [(None, 0.0, 0.0, "2026-11-01T01:59:59"), (None, 3.0, 3.0, "2026-11-01T01:00:02")],
            0.0,
            id="the end of summer time on a v1",
        ),
    ],
)
def test_what_is_told_is_as_old_as_it_is(
    asked: list[tuple[datetime | None, float, float, datetime | str | None]], old_s: float
) -> None:
    freshness, told = Freshness(), -1.0
    for date, asked_at, at, stamp in asked:
        told = freshness.old_s(answer(date, asked_at), at, stamp)
    assert told == pytest.approx(old_s)


def test_streams_of_an_old_list_stay() -> None:
    """What is heard is of now, whatever the list says."""
    old = SessionsArrived(6.0, (builders.session(),), 1, Plane.OPS, old_s=60.0)
    state = builders.state(builders.linked(StreamState.LIVE), old)
    assert state.links["session_a"].is_live


def test_a_run_of_which_only_an_old_list_tells_was_called_stuck() -> None:
    ran = builders.session(active_runs=1, last_event_seq=5)
    before = builders.listing(builders.session(last_event_seq=4), at=-3.0)
    now = builders.listing(ran, at=0.0)
    ages = [3.0 * number for number in range(1, 61)]
    old = [SessionsArrived(age_s, (ran,), 1, Plane.OPS, old_s=age_s) for age_s in ages]
    view = View(builders.state(builders.healthy(), before, now, *old), 181.0)
    told = run_levels(view)["session_a"]
    assert told.level is None
    assert "the list of sessions is stale, last seen 02:00:00Z" in told.reason
