"""Why a window has no traffic: what speaks for and against each cause (the rollout's rules, 6).

No answer of the gateway names the lane's flags. They show only by what turns of coding intent do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.routing import RoutingTally

if TYPE_CHECKING:
    from collections.abc import Iterable


class LaneFacts(NamedTuple):
    """What was seen of the lane."""

    routing: RoutingTally | None = None
    """None: no stream was heard, so that nothing is known of any turn."""
    has_session: bool | None = None
    """Whether the metrics have a row of the lane's session, made by the first delegation; None:
    there are no metrics."""
    last_error: str | None = None
    """Of that row."""
    runs_are_judged: bool = False
    """Whether a stuck run would have been noticed."""
    blocked_by: str | None = None
    """The stuck or deaf session behind which turns wait."""


class Cause(NamedTuple):
    """One possible cause, and the observations on each side."""

    name: str
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]

    @property
    def is_likely(self) -> bool:
        """Whether something speaks for it and nothing against it."""
        return bool(self.speaks_for) and not self.speaks_against

    @property
    def line(self) -> str:
        """The cause with both sides, in one line."""
        sides = (("for", self.speaks_for), ("against", self.speaks_against))
        told = [f"{side}: {', '.join(said)}" for side, said in sides if said]
        return f"{self.name}? {'; '.join(told) or 'nothing seen either way'}"


def diagnose(facts: LaneFacts) -> tuple[Cause, ...]:
    """Return every cause of a lack of missions: likely ones first, then those not ruled out."""
    causes = (*_switches(facts), *_circumstances(facts))
    return tuple(sorted(causes, key=lambda c: (not c.is_likely, bool(c.speaks_against))))


def _switches(facts: LaneFacts) -> tuple[Cause, ...]:
    tally = facts.routing or RoutingTally()
    silent = _count(tally.unexplained, "coding {} stayed on the primary path without a word")
    shadowed = _count(tally.shadow, "{} kept by shadow mode")
    delegated = _count(tally.delegated, "{} delegated")
    works = delegated + shadowed + _count(tally.bootstrap, "{} tried to start the lane")
    never = _said("the lane never had a session", when=facts.has_session is False)
    once = _said("the lane has a session", when=bool(silent and facts.has_session))
    unsaid = _said("no coding turn said so", when=bool(tally.coding_turns and not tally.shadow))
    return (
        Cause("lane off (UA_ENABLE_CODER_VP)", silent + never, works),
        Cause("forced fallback (UA_CODER_VP_FORCE_FALLBACK)", silent + once, works),
        Cause("shadow mode (UA_CODER_VP_SHADOW_MODE)", shadowed, delegated + unsaid),
    )


def _circumstances(facts: LaneFacts) -> tuple[Cause, ...]:
    tally = facts.routing or RoutingTally()
    coding = _count(tally.coding_turns, "{} of coding intent")
    unheard = _said("the streams heard none", when=facts.routing is not None and not coding)
    failed = _count(tally.bootstrap, "{} could not start the lane")
    error = _said(f"the lane's last error: {facts.last_error}", when=facts.last_error is not None)
    unsaid = _said("no coding turn said so", when=bool(coding and not failed))
    waits = _said(f"turns wait behind {facts.blocked_by}", when=facts.blocked_by is not None)
    free = _said("no run is stuck", when=facts.runs_are_judged and not waits)
    return (
        Cause("no coding intent", unheard, coding),
        Cause("queued behind a stuck run", waits, free),
        Cause("bootstrap failures", failed + error, unsaid),
    )


def likely(causes: Iterable[Cause]) -> tuple[str, ...]:
    """Return the lines of the causes that nothing speaks against, and something for."""
    return tuple(cause.line for cause in causes if cause.is_likely)


def _count(count: int, what: str) -> tuple[str, ...]:
    turns = "turn" if count == 1 else "turns"
    return _said(f"{count} {what.format(turns)}", when=count > 0)


def _said(what: str, *, when: bool) -> tuple[str, ...]:
    return (what,) if when else ()
