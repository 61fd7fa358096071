"""One look at the gateway without a screen: the same feeds, events and store as the TUI."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import say, told_settings
from vp_tui.cli.wiring import events_noted, new_store
from vp_tui.cli.workers import connect
from vp_tui.domain.events import Tick
from vp_tui.domain.models import Source
from vp_tui.domain.text import age, literal
from vp_tui.state.store import Mailbox, pump
from vp_tui.storage.places import places
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.draft import flags_beside
from vp_tui.views.figures import numbers
from vp_tui.views.handover import rule_lines, window_lines
from vp_tui.views.lane import is_newest_judged, turns_told
from vp_tui.views.lookout import judged
from vp_tui.views.runs import run_levels
from vp_tui.views.sources import SourceWord, is_reachable
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.state.state import State


DEADLINE_S: Final = 12.0
"""Longer than any request may take: by then every source has answered or failed."""


def status(arguments: Arguments) -> int:
    """Print one look at the gateway; return the exit code."""
    settings = told_settings(arguments).settings
    given = arguments.options
    view = asyncio.run(look_once(settings, given["settle"], no_streams=given["no_streams"]))
    refuse_flags(view)
    say(json.dumps(status_object(view), indent=2) if given["json"] else status_text(view))
    return exit_code(view)


async def look_once(settings: Settings, settle_s: float, *, no_streams: bool = False) -> View:
    """Ask every source once, listen `settle_s` seconds more to streams and logs, and return.

    With `no_streams` no session is attached to, which would leave traces in it. A gateway of which
    nothing answers is not listened to. Raises what a bug in a feed raises.
    """
    store, mailbox = new_store(settings, no_streams=no_streams), Mailbox()
    asked = asyncio.Event()
    store.subscribe(lambda state: asked.set() if _is_all_told(state, settings) else None)
    feeds = connect(settings, mailbox.put, places=places(os.environ))
    feeds.no_streams = no_streams
    work = (feeds.run(), pump(mailbox, store), asked.wait())
    tasks = [asyncio.create_task(each) for each in work]
    with events_noted(store):
        try:
            await _first_of(tasks, DEADLINE_S)
            if is_reachable(View(store.state, time.monotonic())):
                await _first_of(tasks[:-1], settle_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    now = time.monotonic()
    store.apply(*mailbox.take(), Tick(now, datetime.now(UTC)))
    store.apply(*judged(View(store.state, now)))
    return View(store.state, now)


def refuse_flags(view: View) -> None:
    """Raise ConfigError where the flags name another window than the open one."""
    if (flags := flags_beside(view)) and view.state.window is not None:
        label = view.state.window.label
        raise ConfigError(
            f"{literal(', '.join(flags))}: another window is open, “{label}”: "
            "record or close it first, or leave these out"
        )


def _is_all_told(state: State, settings: Settings) -> bool:
    """Tell whether every source has answered or failed, and the files were read."""
    files = (
        (settings.evidence, state.evidence),
        (settings.continuity_report, state.suites),
        (settings.brake.env_file, state.lane.switches),
    )
    are_read = all(told is not None for file, told in files if file is not None)
    return are_read and state.sources.keys() >= set(Source)


async def _first_of(tasks: Iterable[asyncio.Task[object]], seconds: float) -> None:
    """Wait until a task ends, no longer than `seconds`, and raise what ended it."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def status_text(view: View) -> str:
    """Return what `vp-tui status --json` prints as a few lines to read."""
    return "\n".join(f"{word:<12}{text}" for word, text in _status_lines(view))


def _status_lines(view: View) -> Iterator[tuple[str, str]]:
    status = status_object(view)
    yield "gateway", f"{view.state.watch.url}  {words.gateway(view)}"
    lane = status["lane"]
    session = lane["session_status"] or words.UNKNOWN
    yield "lane", f"{lane['vp_id']}  session {session}, mode {lane['mode']}"
    for name, source in status["sources"].items():
        old = "" if source["age_s"] is None else f", {age(source['age_s'])} old"
        error = f"  {source['error']}" if source["error"] else ""
        state = words.source_word(SourceWord(source["state"]))
        if name == "stream" and source["state"] == SourceWord.IDLE:
            is_asked = not view.state.watch.no_streams
            state = "nothing to attach to" if is_asked else "not looked at"
        yield name, f"{state}{old}{error}"
    if (figures := numbers(view)) is not None:
        yield "missions", words.missions(figures, is_judged=is_newest_judged(view))
    yield "turns", ", ".join(turns_told(view))
    for alarm in assess(view).safety:
        yield "SAFETY", f"{alarm.alarm}: {alarm.told}"
    for name, lines in (("window", window_lines(view)), ("rules", rule_lines(view))):
        yield from ((name, line) for line in lines)
    levels = run_levels(view)
    for run in status["runs"]:
        told = levels.get(run["session_id"])
        level = words.UNKNOWN if told is None else words.level(told)
        yield "run", f"{run['session_id']}  {level}: {run['reason']}"
    for ringing in status["alarms"]:
        yield "alarm", ringing
