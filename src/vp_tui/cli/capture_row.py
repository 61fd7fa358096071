"""What `vp-tui capture` reads of the metrics, the row it makes of them, and how that is logged.

It replaces the rollout's capture script: same flags, same shape of output, same decisions.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import DEFAULT
from vp_tui.cli.wiring import watch_of
from vp_tui.domain.coverage import CoverageState, coverage_of
from vp_tui.domain.missions import Ledger
from vp_tui.domain.models import Failure, Snapshot
from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.domain.rollout.decisions import script_decision
from vp_tui.domain.rollout.evidence_row import EvidenceRow, cells_from_snapshot, finite
from vp_tui.domain.rollout.labels import next_label, next_stage, numbered_label, places_that_count
from vp_tui.domain.text import age, counted, literal, utc_z
from vp_tui.domain.vocabulary import Profile, Stage, Thresholds, Traffic, is_more_permissive
from vp_tui.gateway.client import METRICS_PATH
from vp_tui.gateway.credentials import host_port
from vp_tui.gateway.errors import Unreadable
from vp_tui.gateway.parsing import parse_metrics
from vp_tui.gateway.payloads import as_utc
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError, EvidenceError, LogDamaged
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.places import actor
from vp_tui.storage.rows import RecordFacts, kept, record_or_keep
from vp_tui.views.evidence_row import counts_note
from vp_tui.worker.evidence import append_waiting, waiting_rows, written_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.rollout.decisions import Suggestion
    from vp_tui.storage.places import Places


_MOST: Final = {"mission_limit": 500, "event_limit": 1000}
UNNAMED_WINDOW: Final = "Shadow window"
"""The script's label where none is given."""
_UNCOVERED: Final = {
    CoverageState.TRUNCATED: "coverage truncated: the rate may miss fallbacks",
    CoverageState.BLIND: "coverage BLIND: the rate is history, not now",
}


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """What the command line asks for; "" where the row has its usual words."""

    window: str = ""
    scope: str = ""
    ref: str = ""
    note: str = ""
    decision: str = ""
    traffic: str | None = None
    """The source of its missions; None: the usual one."""
    stage_rules: str | None = None
    """The stage whose rules decide; None: the script's do."""
    append: Path | None = None
    probes: int = 0
    """Probes to be driven before the look."""
    probed: str = ""
    """What became of them, for the notes."""
    mode: str = "http"
    """The only one: the script's other mode ran inside the gateway."""
    assessment: str = Profile.ROLLOUT
    thresholds: Thresholds = field(default=Thresholds())
    """The limits of the assessment."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> CaptureOptions:
        """Return the options given; as in the script, no missions are never traffic."""
        limits = {name: given[name] for name in Thresholds._fields if name in given}
        limits["min_missions"] = max(limits.get("min_missions", 1), 1)
        others = {name: value for name, value in given.items() if name not in limits}
        return cls(thresholds=Thresholds(**limits), **others)

    @property
    def source(self) -> Traffic:
        """Where the window's missions come from."""
        return Traffic(self.traffic or Traffic.ORGANIC)

    def override_reason(self, suggestion: Suggestion) -> str | None:
        """Return why the decision allows more than the suggestion; None where it does not.

        Raises ConfigError when no note tells (docs/rollout.md, section 6).
        """
        if not self.decision or not is_more_permissive(self.decision, suggestion.decision):
            return None
        if not self.note.strip():
            raise ConfigError(
                f"--decision {self.decision} allows more than {suggestion.decision}, which "
                "follows from the metrics: say why with --note"
            )
        return self.note


def clamped(arguments: Arguments) -> Arguments:
    """Return the arguments with limits that a gateway gives: the script clamped them.

    What is no number is left for the settings to refuse.
    """
    flags = dict(arguments.flags)
    for name, most in _MOST.items():
        with suppress(KeyError, ValueError):
            flags[name] = str(min(max(int(flags[name]), 1), most))
    return arguments._replace(flags=flags)


def with_script_limits(loaded: Loaded) -> Settings:
    """Return the settings with the script's limits where nobody gave others.

    The rate is over the missions that are asked for, so that more of them is another word.
    """
    settings, origins = loaded.settings, loaded.origins
    if origins["mission_limit"] == DEFAULT:
        settings = replace(settings, mission_limit=100)
    if origins["event_limit"] == DEFAULT:
        settings = replace(settings, event_limit=500)
    return settings


def scripted_row(
    reported: Reported, settings: Settings, options: CaptureOptions
) -> tuple[EvidenceRow, RecordFacts]:
    """Return the row with the script's decision, and what that was made from.

    Raises ConfigError as `override_reason` does.
    """
    suggestion = script_decision(
        Profile(options.assessment),
        reported.considered,
        finite(reported.body["fallback"].get("rate")),
        finite(reported.body["latency_seconds"].get("p95_seconds")),
        options.thresholds,
    )
    logged = _logged(options.append, settings.vp_id)
    limits = {"mission_limit": settings.mission_limit, "event_limit": settings.event_limit}
    where = settings.gateway_name or host_port(settings.url)
    endpoint = f"GET {METRICS_PATH}?" + "&".join(f"{name}={n}" for name, n in limits.items())
    rate, p95 = cells_from_snapshot(reported.body)
    row = EvidenceRow(
        date=utc_z(reported.generated_at),
        window=options.window or (UNNAMED_WINDOW if logged is None else next_label(logged)),
        scope=options.scope or f"`{settings.vp_id}` on {where}, {options.source} traffic",
        refs=as_code(options.ref or endpoint),
        fallback_rate=rate,
        p95_latency=p95,
        decision=options.decision or suggestion.decision,
        notes="; ".join(filter(None, _notes(reported, suggestion, options))),
    )
    label = numbered_label(row.window)
    facts = RecordFacts(
        window=row.window,
        snapshot=reported.body,
        limits=limits,
        thresholds={"profile": str(options.assessment), **options.thresholds._asdict()},
        epoch=None,  # one look at the metrics does not tell it
        actor=actor(),
        stage=label[0] if label else str(next_stage(logged or ()) or Stage.SHADOW),
        source=str(options.source),
        gates={},
        suggestion={"decision": suggestion.decision, "reasons": list(suggestion.reasons)},
        override_reason=options.override_reason(suggestion),
    )
    return row, facts


def append(
    places: Places, settings: Settings, log: Path, row: EvidenceRow, facts: RecordFacts
) -> Iterator[str]:
    """Record `row` in `log` behind those that wait for it, and audit that; tell what was done.

    Raises EvidenceError when it could not be written: it then waits in the spool itself, or the
    error says that it could not even be kept.
    """
    spool = places.spool
    found = waiting_rows(spool, log)
    yield from (f"WARNING: {warning}" for warning in found.warnings)
    ours = [waiting.row for waiting in found.rows if waiting.is_missed]
    for lost in found.rows:
        if not lost.is_missed:  # not ours to put back
            yield f"WARNING: {_told(lost.row)} was recorded and is not in the log"
    for settled in append_waiting(spool, log, ours, places.heads):
        if settled.problem is None:
            yield f"{_told(settled.row)} had waited: it is line {settled.line} now"
        else:
            failure = settled.problem
            yield f"WARNING: {_told(settled.row)} still waits: {failure.reason}; {failure.cure}"
    try:
        appended = record_or_keep(spool, log, row, facts, heads=places.heads)
    except LogDamaged as error:  # nobody is here to say whether it is to be written all the same
        raise kept(spool, log, row, facts, error) from error
    yield f"recorded as line {appended.line} of {literal(str(appended.path))}"
    told = written_words(row, appended.line, appended.path.name)
    reason, who = facts.override_reason or "", (watch_of(settings).id, settings.vp_id)
    done = (datetime.now(UTC), facts.actor, "record", row.window, reason, (), told)
    try:
        append_action(places.audit, ActionRecord(*done, ActionKind.DONE, *who))
    except AuditError as error:
        yield f"WARNING: not in the audit: {error.failure.reason}; {error.failure.cure}"


def _told(row: EvidenceRow) -> str:
    return f"the row of {literal(row.date)}, “{literal(row.window)}”,"


def _logged(log: Path | None, vp_id: str) -> Sequence[EvidenceRow] | None:
    """Return the lane's rows of the log; None without one, or where it cannot be read."""
    if log is not None:
        with suppress(EvidenceError):  # told when the row is appended
            rows = [logged.row for logged in read_log(log)[0].rows]
            return [rows[place] for place in places_that_count(rows, vp_id)]
    return None


def _notes(reported: Reported, suggestion: Suggestion, options: CaptureOptions) -> Iterator[str]:
    body = reported.body
    yield counts_note(
        reported.considered,
        body["fallback"].get("missions_with_fallback"),
        _counts(body.get("mission_counts")),
        _counts(body.get("event_counts")),
    )
    yield from reported.doubts()
    yield f"assessment: {suggestion.decision}: {', '.join(suggestion.reasons)}"
    yield options.probed
    yield options.note


def _counts(counts: object) -> dict[str, int] | None:
    """Return what may be any JSON if it is a table of counts."""
    return counts if isinstance(counts, dict) else None


def as_code(text: str) -> str:
    """Return `text` as a code span, unless there is one in it."""
    return text if "`" in text else f"`{text}`"


class Reported(NamedTuple):
    """What the gateway answered."""

    body: dict[str, Any]
    """The whole answer; `fallback` and `latency_seconds` are objects."""
    generated_at: datetime
    """In UTC; our own clock's where the answer has no such stamp."""
    snapshot: Snapshot | Failure
    """The same as the rules read it, or why they cannot: the script has a decision all the same."""

    @property
    def considered(self) -> int:
        """How many missions the figures are about."""
        return int(finite(self.body["fallback"].get("missions_considered")) or 0)

    @property
    def stamp(self) -> str:
        """When the figures are of, whole: as it was sent, our own clock's where it was not."""
        sent, own = str(self.body.get("generated_at")), self.generated_at
        with suppress(ValueError):
            if as_utc(datetime.fromisoformat(sent)) == own:
                return sent
        return own.isoformat().replace("+00:00", "Z")

    def aged(self, old_s: float) -> Reported:
        """Return the same as of an answer whose content was `old_s` old."""
        if isinstance(self.snapshot, Snapshot):
            return self._replace(snapshot=self.snapshot._replace(old_s=old_s))
        return self

    def doubts(self) -> Iterator[str]:
        """Tell what makes the figures less than they seem."""
        if isinstance(self.snapshot, Snapshot):
            if self.snapshot.old_s:
                old = age(self.snapshot.old_s)
                yield f"the figures are {old} old, not of now: ask the gateway's owner for a cache"
            seen = coverage_of(self.snapshot, Ledger())
            if told := _UNCOVERED.get(seen.state):
                yield f"{told} (events of {seen.covered} of {counted(seen.considered, 'mission')})"


def reported(raw: bytes, settings: Settings) -> Reported:
    """Return an answer of the metrics as the script saw it. Raises Unreadable."""
    body = _metrics(raw)
    try:
        generated_at = as_utc(datetime.fromisoformat(body["generated_at"]))
    except (KeyError, TypeError, ValueError):
        generated_at = datetime.now(UTC)
    snapshot: Snapshot | Failure
    try:
        snapshot = parse_metrics(raw, settings.mission_limit, settings.event_limit)
    except Unreadable as error:  # a rate of null, say
        snapshot = error.failure
    return Reported(body, generated_at, snapshot)


def _metrics(raw: bytes) -> dict[str, Any]:
    """Return an answer as far as the script looked at it. Raises Unreadable."""
    try:
        answer = from_json(raw, allow_inf_nan=False)
    except ValueError:
        what = "a web page, not JSON" if raw.lstrip()[:1] == b"<" else "not JSON"
        raise _unreadable(what) from None
    body: dict[str, Any] = answer if isinstance(answer, dict) else {}
    for key in ("fallback", "latency_seconds"):
        if not isinstance(body.get(key), dict):
            raise _unreadable(f"{key}: an object is wanted")
    return body


def _unreadable(fault: str) -> Unreadable:
    return Unreadable(
        f"unreadable metrics answer: {fault}", "is this the gateway's URL and version?"
    )
