"""`vp-tui capture`: probes where they are asked for, one look, the row, and the log.

`--probes N` is its own confirmation. A probe is never repeated or cancelled; after one that was
given up no further one is sent, as it would queue behind it. `--stage S` decides as the screen
would, by the same events, state and rules; what takes longer than one look to know, such as a
stuck run, is unknown and said so.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.cli.capture_row import (
    Captured,
    CaptureOptions,
    Reported,
    Unstaged,
    append,
    as_code,
    look_at_metrics,
    new_client,
    reported,
)
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import narrate, say, told_settings
from vp_tui.cli.wiring import credentials_of, watch_of
from vp_tui.cli.workers import file_feeds, order_runner, orders_of
from vp_tui.domain.events import (
    AuditFailed,
    ContinuityArrived,
    Event,
    HealthArrived,
    ProbeStepped,
    SnapshotArrived,
    SourceFailed,
    Tick,
)
from vp_tui.domain.lane.probe import ProbeOutcome, prompt_for
from vp_tui.domain.models import OPS, Plane, Source
from vp_tui.domain.orders import RunProbe
from vp_tui.domain.rollout.evidence_row import EvidenceRow, format_row
from vp_tui.domain.text import counted, took, utc_z
from vp_tui.domain.vocabulary import Profile, Stage, Thresholds, Traffic
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.parsing import parse_metrics
from vp_tui.gateway.transport import TlsContext
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import initial_state
from vp_tui.storage.places import actor, places
from vp_tui.storage.rows import RecordFacts
from vp_tui.views.draft import Choice, Draft, draft_row
from vp_tui.views.evidence_row import facts_of, row_of
from vp_tui.views.figures import current_window
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.models import Dialect
    from vp_tui.domain.rollout.decisions import Suggestion
    from vp_tui.domain.rollout.windows import Window
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


_REASON: Final = "vp-tui capture --probes"
_GIVEN_UP: Final = frozenset({ProbeOutcome.TIMED_OUT, ProbeOutcome.BROKE})


def capture(arguments: Arguments) -> int:
    """Print the figures and the row, and append that; return the exit code.

    Raises ConfigError without an answer of the metrics, and EvidenceError.
    """
    settings = told_settings(arguments).settings
    options, own = CaptureOptions(**arguments.options), places(os.environ)
    if options.probes:
        options = asyncio.run(_drive(settings, options, own, narrate))
    try:
        seen = asyncio.run(_look(settings, options, own))
    except GatewayError as error:
        raise ConfigError(_told(error)) from error
    for warning in (*seen.reported.problems, *seen.doubts()):
        narrate(f"WARNING: {warning}")
    captured = seen.captured(settings, options)
    say(output(seen.reported, captured.suggestion, captured.row))
    if options.append is not None:
        for line in append(own.spool, options.append, captured.row, captured.facts):
            narrate(line)
    return 0


async def _look(
    settings: Settings, options: CaptureOptions, own: Places
) -> Unstaged | StageCapture:
    """Look once, as much as the decision takes. Raises GatewayError, ConfigError."""
    if options.stage_rules is None:
        return Unstaged(await look_at_metrics(settings))
    return await look_staged(settings, Stage(options.stage_rules), options, own)


def _told(error: GatewayError) -> str:
    """Return reason and cure; those of a refusal name the token that the ops plane wants."""
    told = f"{error.failure.reason}; {error.failure.cure}"
    return f"{told} (the token is {OPS})" if error.unauthorized and OPS not in told else told


async def _drive(
    settings: Settings, options: CaptureOptions, places: Places, narrate: Callable[[str], None]
) -> CaptureOptions:
    """Run `options.probes` probes and return the options for what is captured then.

    Raises ConfigError in read-only mode, and when not one of them could be executed.
    """
    credentials = credentials_of(settings, ambient=True)
    for problem in credentials.read().problems:
        narrate(f"WARNING: {problem}")
    tls = TlsContext(settings.url, settings.ca_file)
    orders = orders_of(settings, credentials, tls)
    if orders is None:
        raise ConfigError(
            "read-only: --probes would run turns on the gateway: leave one of them out"
        )
    client = GatewayClient(settings.url, settings.vp_id, credentials, tls=tls)
    narration = _Narration(options.probes, narrate)
    runner = order_runner(settings, client, orders, places, narration.hear)
    try:
        dialect = await _dialect(client)
        prompt = prompt_for(settings.probe.prompt, dialect)
        for left in range(options.probes, 0, -1):
            if narration.was_given_up:
                unsent = counted(left, "further probe is", "further probes are")
                narrate(f"WARNING: {unsent} not sent")
                break
            await runner.carry_out(RunProbe(prompt, dialect, _REASON))
    finally:
        await client.aclose()
    probes = narration.probes
    if not any(probe.was_executed for probe in probes):
        raise ConfigError(f"no probe could be executed: {probes[-1].reason}")
    return replace(options, traffic=options.traffic or Traffic.PROBE, probed=_told_of(probes))


class _Narration:
    """Narrates each step of each probe, with the seconds since it began; and keeps the probes."""

    def __init__(self, count: int, narrate: Callable[[str], None]) -> None:
        self._count = count
        self._narrate = narrate
        self.probes: list[Probe] = []
        """Each as it was told last."""

    @property
    def was_given_up(self) -> bool:
        """Whether the last probe was: a further one would queue behind it."""
        return bool(self.probes) and self.probes[-1].outcome in _GIVEN_UP

    def hear(self, event: Event) -> None:
        """Narrate what is told of a probe; that it cannot be audited is told, and stops nothing."""
        if isinstance(event, ProbeStepped):
            self._stepped(event.probe)
        elif isinstance(event, AuditFailed):
            failure = event.failure
            self._narrate(f"WARNING: not in the audit: {failure.reason}; {failure.cure}")

    def _stepped(self, probe: Probe) -> None:
        is_next = not self.probes or self.probes[-1].is_over
        told = 0 if is_next else len(self.probes.pop().steps)
        self.probes.append(probe)
        name = f"probe {len(self.probes)} of {self._count}"
        for each in probe.steps[told:]:
            detail = f": {each.detail}" if each.detail else ""
            self._narrate(f"{name}: {each.step}{detail} ({took(each.at - probe.began_at)})")
        if probe.is_over:
            warning = "WARNING: " if probe.outcome in _GIVEN_UP else ""
            reason = f": {probe.reason}" if probe.reason else ""
            self._narrate(f"{warning}{name}: {probe.outcome}{reason}")


async def _dialect(client: GatewayClient) -> Dialect | None:
    try:
        return (await client.health()).dialect
    except GatewayError:
        return None


def _told_of(probes: list[Probe]) -> str:
    """Return the probes for the row's notes: how many were delegated, and what became of each."""
    executed = [probe for probe in probes if probe.was_executed]
    delegated = sum(probe.turn is not None and probe.turn.is_delegated for probe in executed)
    fates = ", ".join(sorted({str(probe.outcome) for probe in executed}))
    return f"{delegated} of {counted(len(executed), 'probe')} delegated ({fates})"


def output(reported: Reported, suggestion: Suggestion, row: EvidenceRow) -> str:
    """Return what the command prints: the figures as JSON, an empty line, the row.

    The rate of no missions is null: it is not known, whatever the gateway sends.
    """
    body = reported.body
    unknown = {} if reported.considered else {"rate": None}
    figures = {
        "vp_id": body.get("vp_id"),
        "generated_at": utc_z(reported.generated_at),
        "fallback": body["fallback"] | unknown,
        "latency_seconds": body["latency_seconds"],
        "mission_counts": body.get("mission_counts"),
        "event_counts": body.get("event_counts"),
        "assessment": {"decision": suggestion.decision, "reasons": list(suggestion.reasons)},
    }
    told = json.dumps(figures, indent=2, sort_keys=True)
    return f"{told}\n\nMarkdown row:\n{format_row(row)}"
