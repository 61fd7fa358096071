"""`vp-tui capture`: one look at the reported metrics, and what the capture script decides on them.

It replaces the rollout's capture script: same flags, same shape of output, same decisions.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json

from vp_tui.cli.wiring import credentials_of
from vp_tui.cli.workers import client_of
from vp_tui.domain.missions import Coverage, CoverageState, coverage_of
from vp_tui.domain.rollout.decisions import script_decision
from vp_tui.domain.rollout.evidence_row import EvidenceRow, format_row
from vp_tui.domain.text import utc_z
from vp_tui.gateway.errors import Unreadable
from vp_tui.gateway.parsing import parse_metrics
from vp_tui.gateway.payloads import as_utc
from vp_tui.gateway.transport import TlsContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.rollout.decisions import Suggestion
    from vp_tui.domain.vocabulary import Profile, Thresholds
    from vp_tui.gateway.client import GatewayClient


_UNCOVERED: Final = {
    CoverageState.TRUNCATED: "coverage truncated: the rate may miss fallbacks",
    CoverageState.BLIND: "coverage BLIND: the rate is history, not now",
}


class Reported(NamedTuple):
    """What the gateway answered."""

    body: dict[str, Any]
    """The whole answer; `fallback` and `latency_seconds` are objects."""
    generated_at: datetime
    """In UTC; our own clock's where the answer has no such stamp."""
    coverage: Coverage | None
    """None where missions and events cannot be read."""
    problems: tuple[str, ...]
    """What is wrong with the sources of the token, in words."""

    @property
    def considered(self) -> int:
        """How many missions the figures are about."""
        return int(_number(self.body["fallback"].get("missions_considered")) or 0)

    def suggestion(self, profile: Profile, thresholds: Thresholds) -> Suggestion:
        """Return the script's decision on these figures."""
        rate = _number(self.body["fallback"].get("rate"))
        p95_s = _number(self.body["latency_seconds"].get("p95_seconds"))
        return script_decision(profile, self.considered, rate, p95_s, thresholds)

    def doubts(self) -> Iterator[str]:
        """Tell what makes the figures less than they seem."""
        if self.coverage and (told := _UNCOVERED.get(self.coverage.state)):
            covered, considered = self.coverage.covered, self.coverage.considered
            yield f"{told} (events of {covered} of {considered} missions)"


async def look_at_metrics(settings: Settings) -> Reported:
    """Ask the ops plane once for its metrics. Raises GatewayError."""
    client, problems = new_client(settings)
    try:
        raw = await client.metrics_body()
    finally:
        await client.aclose()
    return reported(raw, settings, problems)


def new_client(settings: Settings) -> tuple[GatewayClient, tuple[str, ...]]:
    """Return what asks the gateway, and what is wrong with the sources of the token, in words."""
    credentials = credentials_of(settings, ambient=True)
    problems = credentials.read().problems
    tls = TlsContext(settings.url, settings.ca_file)
    return client_of(settings, credentials, tls), problems


def reported(raw: bytes, settings: Settings, problems: tuple[str, ...]) -> Reported:
    """Return an answer of the metrics as the script saw it. Raises Unreadable."""
    body, coverage = _metrics(raw), None
    with suppress(Unreadable):  # a rate of null, say: the script has a decision for that
        taken = parse_metrics(raw, settings.mission_limit, settings.event_limit)
        coverage = coverage_of(taken)
    return Reported(body, _generated_at(body), coverage, problems)


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


def _metrics(raw: bytes) -> dict[str, Any]:
    """Return an answer as far as the script looked at it. Raises Unreadable."""
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError:
        what = "a web page, not JSON" if raw.lstrip()[:1] == b"<" else "not JSON"
        raise _unreadable(what) from None
    for key in ("fallback", "latency_seconds"):
        if not isinstance(body, dict) or not isinstance(body.get(key), dict):
            raise _unreadable(f"{key}: an object is wanted")
    metrics: dict[str, Any] = body
    return metrics


def _unreadable(fault: str) -> Unreadable:
    return Unreadable(
        f"unreadable metrics answer: {fault}", "is this the gateway's URL and version?"
    )


def _generated_at(body: dict[str, Any]) -> datetime:
    try:
        return as_utc(datetime.fromisoformat(body["generated_at"]))
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC)


def _number(value: object) -> float | None:
    """Return what the row's cells, too, take for a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):
        number = float(value)
        return number if math.isfinite(number) else None
    return None
