"""`vp-tui capture --stage S`: the decision that the screen would suggest, from one look.

The same events, state and rules as the screen's; what takes longer than one look to know, such as
a stuck run, is unknown and said so.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.cli.capture.reported import Reported, new_client, reported
from vp_tui.cli.capture.row import Captured, as_code
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.wiring import watch_of
from vp_tui.cli.workers import file_feeds
from vp_tui.domain.events import (
    ContinuityArrived,
    Event,
    HealthArrived,
    SnapshotArrived,
    SourceFailed,
    Tick,
)
from vp_tui.domain.models import Plane, Source
from vp_tui.domain.vocabulary import Profile, Thresholds
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.parsing import parse_metrics
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import initial_state
from vp_tui.storage.places import actor
from vp_tui.storage.rows import RecordFacts
from vp_tui.views.draft import Choice, Draft, draft_row
from vp_tui.views.evidence_row import facts_of, row_of
from vp_tui.views.figures import current_window
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.cli.capture.row import CaptureOptions
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.vocabulary import Stage
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.storage.places import Places


ONE_LOOK: Final = "runs not watched: one look tells no stuck one"


class StageCapture(NamedTuple):
    """One look, and what the rules of its stage make of it."""

    reported: Reported
    draft: Draft

    def doubts(self) -> Iterator[str]:
        """Tell what makes the figures, or the decision, less than they seem."""
        yield from self.reported.doubts()
        view = self.draft.view
        for source, unknown in (
            (Source.METRICS, "the rules see no figures"),
            (Source.CONTINUITY, "the epoch and G4 are unknown"),
            (Source.HEALTH, "the gateway's generation and clock are unknown"),
        ):
            told = source_view(view, source)
            if told.word is not SourceWord.LIVE and told.failure is not None:
                yield f"{source}: {told.failure.reason}: {unknown}"
        if view.state.evidence is not None and view.state.evidence.problem is not None:
            yield f"evidence log: {view.state.evidence.problem}: no window of it is known"
        if (window := view.state.window) is not None:
            yield f"the row is of the open window, “{window.label}”"

    def captured(self, _settings: Settings, options: CaptureOptions) -> Captured:
        """Return the decision of the stage's rules, the row, and what that was made from.

        Raises ConfigError as `override_reason` does.
        """
        draft, suggestion = self.draft, self.draft.suggestion
        reason = options.override_reason(suggestion)
        note = "" if reason else options.note
        choice = Choice(
            options.decision or suggestion.decision,
            reason=reason or "",
            note="; ".join(part for part in (ONE_LOOK, options.probed, note) if part),
        )
        row = row_of(draft, choice)
        if options.ref:
            row = replace(row, refs=as_code(options.ref))
        return Captured(suggestion, row, RecordFacts(**facts_of(draft, choice, actor())))


async def look_staged(
    settings: Settings, stage: Stage, options: CaptureOptions, places: Places
) -> StageCapture:
    """Ask once for metrics, session continuity and health, and read what was recorded before.

    Raises GatewayError when there are no metrics, and ConfigError for limits of the script's own
    rules, which a stage's rules have not.
    """
    if options.thresholds != Thresholds():
        raise ConfigError("the limits of the assessment have no effect with --stage: leave one out")
    settings = replace(
        settings,
        evidence=options.append,
        profile=Profile(options.assessment),
        stage=stage,
        source=options.source,
    )
    unknowing = initial_state(watch_of(settings), at=time.monotonic(), wall=datetime.now(UTC))
    told, events = await _asked(settings)
    for feed in file_feeds(settings, places, events.append, time.monotonic):
        await feed.look()
    now = time.monotonic()
    state = reduce_all(unknowing, [*events, Tick(now, datetime.now(UTC))])
    view = View(state, now)
    return StageCapture(told, draft_row(view.as_if(_window(view, options))))


def _window(view: View, options: CaptureOptions) -> Window:
    """Return the window that the row is of: the open or proposed one, named as asked for."""
    window = current_window(view)
    return window._replace(
        label=options.window or window.label,
        scope=options.scope or window.scope,
        source=options.source if options.traffic else window.source,
    )


async def _asked(settings: Settings) -> tuple[Reported, list[Event]]:
    """Return the metrics as the script saw them, and all answers as events. Raises GatewayError."""
    client, problems = new_client(settings)
    try:
        raw = await client.metrics_body()
        rest = await asyncio.gather(_continuity(client), _health(client))
    finally:
        await client.aclose()
    return reported(raw, settings, problems), [*rest, _snapshot(raw, settings)]


async def _continuity(client: GatewayClient) -> Event:
    try:
        answer = await client.continuity()
    except GatewayError as error:
        return SourceFailed(time.monotonic(), Source.CONTINUITY, error.failure)
    return ContinuityArrived(time.monotonic(), answer)


async def _health(client: GatewayClient) -> Event:
    try:
        answer = await client.health()
    except GatewayError as error:
        return SourceFailed(time.monotonic(), Source.HEALTH, error.failure)
    return HealthArrived(time.monotonic(), answer)


def _snapshot(raw: bytes, settings: Settings) -> Event:
    try:
        snapshot = parse_metrics(raw, settings.mission_limit, settings.event_limit)
    except GatewayError as error:
        return SourceFailed(time.monotonic(), Source.METRICS, error.failure)
    return SnapshotArrived(time.monotonic(), snapshot, Plane.OPS)
