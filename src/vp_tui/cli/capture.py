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
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from vp_tui.cli.capture_row import (
    CaptureOptions,
    Reported,
    append,
    as_code,
    clamped,
    reported,
    scripted_row,
    with_script_limits,
)
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import credentials_of, narrate, say, say_of_deed, told_settings
from vp_tui.cli.status import refuse_flags
from vp_tui.cli.wiring import new_store
from vp_tui.cli.workers import client_of, file_feeds, order_runner
from vp_tui.domain.events import (
    AuditFailed,
    ContinuityArrived,
    Event,
    HealthArrived,
    ProbeStepped,
    SessionsArrived,
    SnapshotArrived,
    SourceFailed,
    Tick,
)
from vp_tui.domain.lane.probe import ProbeOutcome, prompt_for
from vp_tui.domain.models import OPS, Failure, Plane, Source
from vp_tui.domain.orders import RunProbe
from vp_tui.domain.rollout.evidence_row import EvidenceRow, format_row
from vp_tui.domain.text import age, counted, took
from vp_tui.domain.vocabulary import Profile, Stage, Thresholds, Traffic
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.transport import TlsContext
from vp_tui.storage.places import actor, places
from vp_tui.storage.rows import RecordFacts
from vp_tui.views.draft import Choice, Draft, draft_row
from vp_tui.views.evidence_row import facts_of, row_of
from vp_tui.views.figures import current_window
from vp_tui.views.sources import source_view
from vp_tui.views.view import View
from vp_tui.worker.polling import RunsHeard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.gateway.parsing import SessionListing
    from vp_tui.storage.places import Places


ONE_LOOK: Final = "runs not watched: one look tells no stuck one"
_GIVEN_UP: Final = frozenset({ProbeOutcome.TIMED_OUT, ProbeOutcome.BROKE})


def capture(arguments: Arguments) -> int:
    """Print the figures and the row, and append that; return the exit code.

    Raises ConfigError without an answer of the metrics, and EvidenceError.
    """
    loaded = told_settings(clamped(arguments))
    options, own = CaptureOptions.of(arguments.options), places(os.environ)
    settings = loaded.settings if options.stage_rules else with_script_limits(loaded)
    if options.probes:
        options = asyncio.run(_drive(settings, options, own))
    try:
        seen, draft = asyncio.run(_look(settings, options, own))
    except GatewayError as error:
        told = f"{error.failure.reason}; {error.failure.cure}"
        if error.unauthorized and OPS not in told:
            told += f" (the token is {OPS})"
        raise ConfigError(told) from error
    for warning in (*seen.doubts(), *(_doubts(draft) if draft else ())):
        narrate(f"WARNING: {warning}")
    row, facts = _staged_row(draft, options) if draft else scripted_row(seen, settings, options)
    told = output(seen, row, facts)
    if options.append is None:
        (say_of_deed if options.probes else say)(told)
        return 0
    try:
        for line in append(own, settings, options.append, row, facts):
            narrate(line)
    finally:
        say_of_deed(told)  # not before: a row is recorded whoever reads of it
    return 0


async def _look(
    settings: Settings, options: CaptureOptions, places: Places
) -> tuple[Reported, Draft | None]:
    """Look once, as much as the decision takes: without a stage there is no draft.

    Raises GatewayError when there are no metrics, and ConfigError for limits of the script's own
    rules, which a stage's rules have not.
    """
    stage = options.stage_rules
    if stage is not None and options.thresholds != Thresholds():
        raise ConfigError("the limits of the assessment have no effect with --stage: leave one out")
    credentials = credentials_of(settings, ambient=True)
    credentials.read()
    client = client_of(settings, credentials, TlsContext(settings.url, settings.ca_file))
    events: list[Event] = []
    try:
        answer = await client.metrics_answer()
        seen = reported(answer.body, settings)
        seen = seen.aged(client.old_s(Plane.OPS, answer, seen.generated_at))
        if stage is not None:
            events += await asyncio.gather(
                _asked(Source.CONTINUITY, client.continuity(), ContinuityArrived),
                _asked(Source.HEALTH, client.health(), HealthArrived),
                _asked(Source.SESSIONS, client.sessions(), _listed),
            )
    finally:
        await client.aclose()
    if stage is None:
        return seen, None
    now = time.monotonic()
    if isinstance(seen.snapshot, Failure):
        events.append(SourceFailed(now, Source.METRICS, seen.snapshot))
    else:
        events.append(SnapshotArrived(now, seen.snapshot, Plane.OPS))
    settings = replace(
        settings,
        evidence=options.append,
        profile=Profile(options.assessment),
        stage=Stage(stage),
        source=options.source,
        window_label=options.window or settings.window_label,
        scope=options.scope or settings.scope,
    )
    store = new_store(settings)
    store.apply(*events)
    for feed in file_feeds(settings, places, store.apply, time.monotonic):
        await feed.look()
    now = time.monotonic()
    store.apply(Tick(now, datetime.now(UTC)))
    view = View(store.state, now)
    refuse_flags(view)
    return seen, _draft(view, options)


async def _asked(
    source: Source, asking: Awaitable[Any], arrived: Callable[[float, Any], Event]
) -> Event:
    try:
        answer = await asking
    except GatewayError as error:
        return SourceFailed(time.monotonic(), source, error.failure)
    return arrived(time.monotonic(), answer)


def _listed(at: float, listing: SessionListing) -> Event:
    sessions, total, odd, old_s = listing
    return SessionsArrived(at, sessions, total, Plane.OPS, odd, old_s)


def _draft(view: View, options: CaptureOptions) -> Draft:
    """Return the draft of the open or proposed window's row, named as asked for."""
    window = current_window(view)
    named = window._replace(
        label=options.window or window.label,
        scope=options.scope or window.scope,
        source=options.source if options.traffic else window.source,
    )
    return draft_row(view.as_if(named))


def _doubts(draft: Draft) -> Iterator[str]:
    """Tell what makes the stage's decision less than it seems."""
    state = draft.state
    for source, unknown in (
        (Source.METRICS, "the rules see no figures of now"),
        (Source.CONTINUITY, "the epoch and gate suites are unknown"),
        (Source.HEALTH, "the gateway's generation and clock are unknown"),
        (Source.SESSIONS, "that no run hangs is not known"),
    ):
        seen = source_view(draft.view, source)
        if seen.failure is not None:
            yield f"{source}: {seen.failure.reason}: {unknown}"
        elif seen.is_old:
            yield f"{source}: what it answers is {age(seen.age_s or 0.0)} old: {unknown}"
    if state.evidence is not None and state.evidence.problem is not None:
        yield f"evidence log: {state.evidence.problem}: no window of it is known"
    if state.window is not None:
        yield f"the row is of the open window, “{state.window.label}”"


def _staged_row(draft: Draft, options: CaptureOptions) -> tuple[EvidenceRow, RecordFacts]:
    """Return the row with the decision of the stage's rules, and what that was made from.

    Raises ConfigError as `override_reason` does.
    """
    suggestion = draft.suggestion
    reason = options.override_reason(suggestion) or ""
    choice = Choice(
        options.decision or suggestion.decision,
        reason,
        "; ".join(filter(None, (ONE_LOOK, options.probed, "" if reason else options.note))),
    )
    row = row_of(draft, choice)
    if options.ref:
        row = replace(row, refs=as_code(options.ref))
    return row, RecordFacts(**facts_of(draft, choice, actor()))


async def _drive(settings: Settings, options: CaptureOptions, places: Places) -> CaptureOptions:
    """Run `options.probes` probes and return the options for what is captured then.

    Raises ConfigError in read-only mode, and when not one of them could be executed.
    """
    credentials = credentials_of(settings, ambient=True)
    credentials.read()
    if settings.read_only:
        raise ConfigError(
            "read-only: --probes would run turns on the gateway: leave one of them out"
        )
    tls = TlsContext(settings.url, settings.ca_file)
    client = GatewayClient(settings.url, settings.vp_id, credentials, tls=tls)
    narration = _Narration(options.probes)
    runs = RunsHeard(narration.hear)
    runner = order_runner(settings, client, credentials, tls, places, runs)
    try:
        dialect = None
        with suppress(GatewayError):
            dialect = (await client.health()).dialect
        prompt = prompt_for(settings.probe.prompt, dialect)
        for left in range(options.probes, 0, -1):
            if any(probe.outcome in _GIVEN_UP for probe in narration.probes):
                unsent = counted(left, "further probe is", "further probes are")
                narrate(f"WARNING: {unsent} not sent")
                break
            await runner.carry_out(RunProbe(prompt, dialect, "vp-tui capture --probes"))
    finally:
        await client.aclose()
    probes = narration.probes
    if not any(probe.was_executed for probe in probes):
        raise ConfigError(f"no probe could be executed: {probes[-1].reason}")
    return replace(options, traffic=options.traffic or Traffic.PROBE, probed=_told_of(probes))


@dataclass
class _Narration:
    """Narrates each step of each probe, with the seconds since it began; and keeps the probes."""

    count: int
    probes: list[Probe] = field(default_factory=list)
    """Each as it was told last."""

    def hear(self, event: Event) -> None:
        """Narrate what is told of a probe; that it cannot be audited is told, and stops nothing."""
        if isinstance(event, ProbeStepped):
            self._stepped(event.probe)
        elif isinstance(event, AuditFailed):
            failure = event.failure
            narrate(f"WARNING: not in the audit: {failure.reason}; {failure.cure}")

    def _stepped(self, probe: Probe) -> None:
        is_next = not self.probes or self.probes[-1].is_over
        told = 0 if is_next else len(self.probes.pop().steps)
        self.probes.append(probe)
        name = f"probe {len(self.probes)} of {self.count}"
        for each in probe.steps[told:]:
            detail = f": {each.detail}" if each.detail else ""
            narrate(f"{name}: {each.step}{detail} ({took(each.at - probe.began_at)})")
        if probe.is_over:
            warning = "WARNING: " if probe.outcome in _GIVEN_UP else ""
            reason = f": {probe.reason}" if probe.reason else ""
            narrate(f"{warning}{name}: {probe.outcome}{reason}")


def _told_of(probes: list[Probe]) -> str:
    """Return the probes for the row's notes: how many were delegated, and what became of each."""
    executed = [probe for probe in probes if probe.was_executed]
    delegated = sum(probe.turn is not None and probe.turn.is_delegated for probe in executed)
    fates = ", ".join(sorted({str(probe.outcome) for probe in executed}))
    return f"{delegated} of {counted(len(executed), 'probe')} delegated ({fates})"


def output(reported: Reported, row: EvidenceRow, facts: RecordFacts) -> str:
    """Return what the command prints: the figures as JSON, an empty line, the row.

    The rate of no missions is null: it is not known, whatever the gateway sends.
    """
    body = reported.body
    unknown = {} if reported.considered else {"rate": None}
    figures = {
        "vp_id": body.get("vp_id"),
        "generated_at": reported.stamp,
        "fallback": body["fallback"] | unknown,
        "latency_seconds": body["latency_seconds"],
        "mission_counts": body.get("mission_counts"),
        "event_counts": body.get("event_counts"),
        "assessment": facts.suggestion,
    }
    told = json.dumps(figures, indent=2, sort_keys=True)
    return f"{told}\n\nMarkdown row:\n{format_row(row)}"
