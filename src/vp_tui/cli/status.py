"""One look at the gateway without a screen: the same feeds, events and store as the TUI."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from vp_tui.cli.console import say, told_settings
from vp_tui.cli.wiring import events_noted, new_store
from vp_tui.cli.workers import connect
from vp_tui.domain.events import Tick
from vp_tui.domain.models import Source
from vp_tui.state.store import Mailbox, Store, pump
from vp_tui.storage.places import places
from vp_tui.views.lookout import judged
from vp_tui.views.sources import is_reachable
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.state.state import State


DEADLINE_S: Final = 12.0
"""Longer than any request may take: by then every source has answered or failed."""


def status(arguments: Arguments) -> int:
    """Print one look at the gateway; return the exit code."""
    settings = told_settings(arguments).settings
    view = asyncio.run(look_once(settings, arguments.options["settle"]))
    told = status_object(view)
    say(json.dumps(told, indent=2) if arguments.options["json"] else status_text(told))
    return exit_code(view)


async def look_once(settings: Settings, settle_s: float) -> View:
    """Ask every source once, listen `settle_s` seconds more to streams and logs, and return.

    A gateway of which nothing answers is not listened to. Raises what a bug in a feed raises.
    """
    store, mailbox = new_store(settings), Mailbox()
    feeds = connect(settings, mailbox.put, places=places(os.environ))
    tasks = (
        asyncio.create_task(feeds.run(), name="feeds"),
        asyncio.create_task(pump(mailbox, store), name="pump"),
    )
    with events_noted(store):
        try:
            await _wait(tasks, DEADLINE_S, _all_asked(store, settings))
            if is_reachable(View(store.state, time.monotonic())):
                await _wait(tasks, settle_s)
        finally:
            await _end(tasks)
    now = time.monotonic()
    store.apply(*mailbox.take(), Tick(now, datetime.now(UTC)))
    store.apply(*judged(View(store.state, now)))
    return View(store.state, now)


async def _all_asked(store: Store, settings: Settings) -> None:
    """Wait until every source has answered or failed, and the files were read."""
    asked = asyncio.Event()

    def check(state: State) -> None:
        is_read = settings.evidence is None or state.evidence is not None
        is_attested = settings.continuity_report is None or state.suites is not None
        are_switches_read = settings.brake.env_file is None or state.lane.switches is not None
        if is_read and is_attested and are_switches_read and state.sources.keys() >= set(Source):
            asked.set()

    unsubscribe = store.subscribe(check)
    try:
        await asked.wait()
    finally:
        unsubscribe()


async def _wait(
    tasks: Iterable[asyncio.Task[None]],
    seconds: float,
    until: Coroutine[Any, Any, None] | None = None,
) -> None:
    """Wait `seconds`, or for `until`. The tasks end only by a bug, which is raised."""
    waiting = [asyncio.create_task(until)] if until else []
    await asyncio.wait({*tasks, *waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    await _end(waiting)
    for task in tasks:
        if task.done():
            task.result()


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def status_text(status: Mapping[str, Any]) -> str:
    """Return the object of `vp-tui status --json` as a few lines to read."""
    return "\n".join(f"{word:<12}{text}" for word, text in _status_lines(status))


def _status_lines(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    gateway, lane = status["gateway"], status["lane"]
    reached = "reachable" if gateway["reachable"] else "NOT REACHABLE"
    life = f"version {_or(gateway['version'])}, epoch {_or(gateway['epoch'])}"
    yield "gateway", f"{gateway['url']}  {reached}, {life}"
    yield "lane", f"{lane['vp_id']}  session {_or(lane['session_status'])}, mode {lane['mode']}"
    for name, source in status["sources"].items():
        age = "" if source["age_s"] is None else f"  {source['age_s']:.1f} s ago"
        error = f"  {source['error']}" if source["error"] else ""
        yield name, f"{source['state']}{age}{error}"
    yield from _figures(status)
    yield from _verdict(status)
    for run in status["runs"]:
        yield "run", f"{run['session_id']}  {_or(run['level'])}: {run['reason']}"
    for alarm in status["alarms"]:
        yield "alarm", alarm


def _verdict(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for alarm in status["safety"]:
        yield "SAFETY", f"{alarm['alarm']}: {alarm['reason']}"
    if window := status["window"]:
        yield "window", f"{window['label']} ({window['stage']}, {window['source']})"
    for name, gate in status["gates"].items():
        yield name, f"{gate['verdict']}  {gate['reason']}"
    missing = ", ".join(status["promotion"]["missing"])
    yield "promotion", f"not yet: {missing}" if missing else "recommended"
    if suggestion := status["suggestion"]:
        yield "suggests", f"{suggestion['decision']}: {'; '.join(suggestion['reasons'])}"


def _figures(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    missions, fallback, latency = status["missions"], status["fallback"], status["latency"]
    if missions is None or fallback is None or latency is None:
        yield "missions", "unknown"
        yield "fallback", "unknown"
        return
    counts = ", ".join(f"{missions[word]} {word}" for word in ("completed", "failed", "running"))
    yield (
        "missions",
        f"{missions['considered']} considered: {counts}, {missions['orphans']} orphans",
    )
    reported, own = fallback["reported"], fallback["reconstructed"]
    yield (
        "fallback",
        (
            f"reported {_rate(reported['rate'])} ({reported['with_fallback']} of "
            f"{reported['considered']}), reconstructed {_rate(own['rate'])} ({own['fallbacks']} of "
            f"{own['terminal']}), coverage {fallback['coverage']['state']}"
        ),
    )
    yield (
        "latency",
        (
            f"p50 {_seconds(latency['p50_s'])}, p95 {_seconds(latency['p95_s'])}, "
            f"max {_seconds(latency['max_s'])} of {latency['n']} missions"
        ),
    )


def _or(value: object) -> object:
    return "unknown" if value is None else value


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.1%}"


def _seconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds:.3f}s"
