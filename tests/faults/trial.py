"""Lets a watch meet faults one after another, and asserts what must hold in each and after it."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Final

from tests.faults.proxy import proxied
from tests.faults.table import ROWS
from tests.support.virtual_time import run_virtually
from tests.support.virtual_watch import virtual_clock, watching

from vp_tui.domain.models import DEFAULT_INTERVALS, Source
from vp_tui.domain.text import literal
from vp_tui.simulator.driver import SimDriver
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import playing
from vp_tui.views.sources import SourceWord, source_view, streams_view
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from random import Random

    from tests.faults.proxy import Proxy
    from tests.faults.table import Row
    from tests.support.virtual_watch import VirtualWatch

NAMED_S: Final = 2 * DEFAULT_INTERVALS[Source.METRICS] + 0.5
"""What fails is said within two intervals, and a tick of the store."""
STEP_S: Final = 0.25
SLOWEST_S: Final = 3.2
"""A source that fails is asked again at the soonest after this, or after its interval."""
GROWN_MB: Final = 150
"""By how much memory may have grown at its peak, with what the gateway and the proxy take."""
PATHS: Final = {
    "/api/v1/health": Source.HEALTH,
    "/api/v1/ops/metrics/coder-vp": Source.METRICS,
    "/api/v1/ops/sessions": Source.SESSIONS,
    "/api/v1/ops/metrics/session-continuity": Source.CONTINUITY,
}


def run(count: int, chance: Random) -> dict[str, int | float]:
    """Try so many of the faults one after another, in any order; fewer than all: quick ones."""
    names = [name for name, row in ROWS.items() if row.is_quick or count >= len(ROWS)]
    names = chance.sample(names, min(count, len(names)))
    before = getrusage(RUSAGE_SELF).ru_maxrss
    figures = run_virtually(_try_all(names, chance.getrandbits(32)))
    grown_mb = (getrusage(RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown_mb <= GROWN_MB
    return {**figures, "grown_mb": grown_mb}


async def _try_all(names: Sequence[str], seed: int) -> dict[str, int | float]:
    async with met(seed) as (watch, proxy):
        took_s = [await _tried(watch, proxy, name, ROWS[name]) for name in names]
        return {
            "faults": len(names),
            "requests": len(proxy.asked),
            "slowest_s": round(max(took_s), 2),
        }


@asynccontextmanager
async def met(seed: int) -> AsyncIterator[tuple[VirtualWatch, Proxy]]:
    """Watch a gateway of running turns through a proxy, all of it live."""
    options = SimOptions(scenario="clean", seed=seed)
    driver = SimDriver(options, clock=virtual_clock(options))
    async with (
        playing(driver),
        proxied(driver.url) as proxy,
        watching(driver, None, proxy.url) as watch,
    ):
        await watch.passes(10)
        assert not _not_live(watch)
        yield watch, proxy


async def _tried(watch: VirtualWatch, proxy: Proxy, name: str, row: Row) -> float:
    """Do it to them, and return how many seconds after its end all was live again."""
    began, asked, gaps = watch.now, len(proxy.asked), _gaps(watch)
    epoch = watch.state.epoch
    await proxy.begin(row.fault)
    if row.restarts:
        await watch.driver.restart()
    while row.is_told and not _not_live(watch):
        assert watch.now - began <= NAMED_S, f"{name}: nothing is said"
        await watch.passes(STEP_S)
    await watch.passes(row.lasts_s - (watch.now - began))
    for trouble in troubles(watch.view):
        assert trouble.told == literal(trouble.told), name
        assert trouble.cure, name
    is_failing = row.is_told and row.fault.http is not None
    least_s = SLOWEST_S if is_failing else 0.0
    _were_few(name, Counter(path for _, path in proxy.asked[asked:]), watch.now - began, least_s)
    await proxy.end()
    if row.reads_tokens:
        watch.feeds.read_tokens()
    ended = watch.now
    while _not_live(watch):
        assert watch.now - ended <= row.heals_s, f"{name}: {_not_live(watch)}"
        await watch.passes(STEP_S)
    took_s = watch.now - ended
    await watch.passes(10)
    # A restart leaves no session in memory: it is told as another epoch.
    told = watch.state.epoch != epoch if row.restarts else _gaps(watch) > gaps
    assert told, f"{name}: no gap is told"
    assert not _not_live(watch), f"{name}: {_not_live(watch)}"
    return 0.0 if row.heals_s > 5.0 else took_s


def _not_live(watch: VirtualWatch) -> dict[str, str]:
    """Return what is not live, in words."""
    view = watch.view
    found = {str(source): source_view(view, source) for source in Source}
    told = {
        name: f"{one.word} {one.failure.reason if one.failure else ''}"
        for name, one in found.items()
        if one.word is not SourceWord.LIVE
    }
    streams = streams_view(view)
    if streams.word is not SourceWord.LIVE:
        told["streams"] = f"{streams.word} {streams.live}/{streams.wanted} {streams.reason}"
    return told


def _gaps(watch: VirtualWatch) -> int:
    """Return how many gaps were told of the streams."""
    return sum(link.gaps for link in watch.state.links.values())


def _were_few(name: str, asked: Counter[str], lasted_s: float, least_s: float) -> None:
    """Assert that no source was asked more often than once an interval, and no session's socket."""
    for path, count in asked.items():
        source = PATHS.get(path)
        each_s = 1.0
        if source:
            each_s = max(min(DEFAULT_INTERVALS[source] * 0.9, SLOWEST_S), least_s)
        if source or path.endswith("/stream"):
            assert count <= lasted_s / each_s + 2, f"{name}: {path} {count} times"
