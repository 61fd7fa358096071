"""What stands between the operator and trusting the screen: badge and troubles, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.events import Source
from vp_tui.selectors import Numbers, numbers
from vp_tui.sources import (
    OFTEN_ASKED,
    SourceView,
    SourceWord,
    is_lost,
    is_reachable,
    source_view,
    streams_view,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.state import State

_GRAVITY: Final = (
    SourceWord.LIVE,
    SourceWord.IDLE,
    SourceWord.STALE,
    SourceWord.DOWN,
    SourceWord.UNAUTHORIZED,
)
LOST: Final = "gateway lost"
BLIND: Final = "the reported rate is BLIND"
LANE_SOURCES: Final = (
    Source.METRICS,
    Source.SESSIONS,
    Source.CONTINUITY,
    Source.LOG,
    Source.HEALTH,
)


class Trouble(NamedTuple):
    """One reason not to take the screen at its word, and what helps."""

    what: str
    reason: str
    cure: str
    is_grave: bool = True


def badge(state: State, now: float, *, frozen: bool) -> str:
    """Return the screen's state in words joined by `+`; only LIVE alone says that all is well."""
    words = ["FROZEN"] if frozen else []
    figures = numbers(state, now)
    worst = max((source_view(state, s, now).word for s in OFTEN_ASKED), key=_GRAVITY.index)
    if figures and figures.coverage.state is CoverageState.BLIND:
        words.append("BLIND")
    if is_lost(state):
        words.append("LOST")
    elif worst is not SourceWord.LIVE:
        words.append("NO DATA" if worst is SourceWord.IDLE else str(worst).upper())
    if not words and any(trouble.is_grave for trouble in troubles(state, now)):
        words.append("IMPAIRED")
    words = words or ["LIVE"]
    if any(alarm.acknowledged is None for alarm in state.alarms):
        words.append("ALARM")
    return "+".join(words)


def troubles(state: State, now: float) -> tuple[Trouble, ...]:
    """Return all troubles, the gravest first."""
    return tuple(sorted(_troubles(state, now), key=lambda trouble: not trouble.is_grave))


def _troubles(state: State, now: float) -> Iterator[Trouble]:
    views = [source_view(state, source, now) for source in LANE_SOURCES]
    down = [view for view in views if view.word is SourceWord.DOWN]
    if down and not is_reachable(state, now):
        yield _failed(LOST if is_lost(state) else "no usable answer", down[0])
        return
    yield from _refused(views)
    figures = numbers(state, now)
    if figures:
        yield from _doubts(figures)
    yield from (_failed(f"{view.name} down", view) for view in down)
    yield from _stale(views)
    yield from _streams(state, now)
    if state.health and state.health.status != "healthy":
        reason = state.health.db_error or f"its database is {state.health.db_status}"
        yield Trouble("gateway unhealthy", reason, "look at the gateway's own log")
    if state.evidence and state.evidence.problem:
        reason, cure = state.evidence.problem, "vp-tui goes by what it read before, and tries again"
        yield Trouble("evidence log", reason, cure, is_grave=False)
    if state.windows_problem:
        cure = "whether a window is open is as it was known before; vp-tui tries again"
        yield Trouble("open window", state.windows_problem, cure, is_grave=False)
    for problem in state.tokens.problems:
        yield Trouble("tokens", problem, "mend it, then press A to read them again", is_grave=False)


def _failed(what: str, view: SourceView) -> Trouble:
    reason = view.failure.reason if view.failure else ""
    return Trouble(what, reason, view.failure.cure if view.failure else "")


def _refused(views: list[SourceView]) -> Iterator[Trouble]:
    refused = [view for view in views if view.word is SourceWord.UNAUTHORIZED]
    if refused:
        names = ", ".join(view.name for view in refused)
        yield _failed(f"unauthorized: {names}", refused[0])


def _doubts(figures: Numbers) -> Iterator[Trouble]:
    coverage = figures.coverage
    uncovered = coverage.considered - coverage.covered
    if coverage.state is CoverageState.BLIND:
        yield Trouble(
            BLIND,
            f"its events miss {uncovered} of {coverage.considered} missions, the newest too",
            "go by the reconstructed rate: the gateway shows oldest events",
        )
    elif coverage.state is CoverageState.TRUNCATED:
        yield Trouble(
            "the reported rate is partial",
            f"its event window is full, {uncovered} of {coverage.considered} uncovered",
            "raise --event-limit (1000 at most), or go by the reconstructed rate",
            is_grave=False,
        )
    if figures.unreported > 0:
        yield Trouble(
            "the rates disagree",
            f"{_fallbacks(figures.unreported)} seen that the gateway does not report",
            "go by the reconstructed rate",
        )


def _fallbacks(number: int) -> str:
    return f"{number} fallback{'s' * (number > 1)}"


def _stale(views: list[SourceView]) -> Iterator[Trouble]:
    for view in views:
        if view.word is SourceWord.STALE:
            reason = f"no answer for {view.age_s or 0.0:.0f} s, and no error either"
            yield Trouble(
                f"{view.name} stale", reason, "the gateway may be blocked; vp-tui keeps asking"
            )


def _streams(state: State, now: float) -> Iterator[Trouble]:
    streams = streams_view(state, now)
    missing = streams.wanted - streams.live
    if streams.word is SourceWord.UNAUTHORIZED:
        cure = "set UA_INTERNAL_API_TOKEN, then press A"
        yield Trouble("unauthorized: streams", streams.reason, cure)
    elif streams.word in {SourceWord.STALE, SourceWord.DOWN}:
        what = f"{missing} of {streams.wanted} streams not attached"
        yield Trouble(what, streams.reason, "vp-tui goes on trying", is_grave=not streams.live)
