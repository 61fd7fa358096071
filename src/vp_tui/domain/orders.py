"""What the operator can have done, as the dialog captured it; and what the audit keeps of it.

An audited action says who did what to what, why, step by step, and what came of it. What is only
to be written into the audit is an order too, with nothing to carry out: an ActionRecord.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.domain.models import ActionStep
from vp_tui.domain.text import clip, clock_z, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.models import Dialect


NAME_LIMIT: Final = 200
"""Characters of an actor, action, target, step name or result."""
PROSE_LIMIT: Final = 1_000
"""Characters of a reason or of a step's detail."""
STEPS_LIMIT: Final = 50
_SHORT: Final = 80


class ActionKind(StrEnum):
    """What a line of the audit tells."""

    DONE = "done"
    """An action that was taken; whether it has an effect is another matter."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Whether it was carried out is not known."""
    BEGUN = "begun"
    """Its hands are about to move; another line tells its end."""
    INTERRUPTED = "interrupted"
    """It was begun, and whoever did it was ended in the midst of it."""
    REFUSED = "refused"
    """It was asked for, and nothing was done."""
    RECOVERY = "recovery"
    """What an earlier cancel came to."""
    UNCONFIRMED = "unconfirmed"
    """That no recovery was seen of an earlier cancel."""
    PROOF = "proof"
    """What came of a change of the lane, or of a restart."""

    @property
    def is_outcome(self) -> bool:
        """Whether it tells what came of an action that has a line of its own."""
        return self in _WORDS

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look at it."""
        return self in _BAD


_BAD: Final = frozenset(
    {ActionKind.FAILED, ActionKind.UNKNOWN, ActionKind.UNCONFIRMED, ActionKind.INTERRUPTED}
)


_WORDS: Final = {
    ActionKind.RECOVERY: "{what} recovery",
    ActionKind.UNCONFIRMED: "{what} recovery",
    ActionKind.PROOF: "proof of {what}",
}
"""How a line names the action whose outcome it tells."""


class ActionRecord(NamedTuple):
    """One action, refused and failed ones too; `at` is when it was asked for, aware."""

    at: datetime
    actor: str
    """`user@host`"""
    what: str
    """What was done, or that of which the outcome is told."""
    target: str
    reason: str
    """The operator's words."""
    steps: tuple[ActionStep, ...]
    """In the order in which they happened."""
    result: str
    kind: ActionKind = ActionKind.DONE
    gateway: str = ""
    """What names the gateway that was watched; "" in lines of before it was told."""
    vp_id: str = ""
    """The lane that was watched."""

    @property
    def action(self) -> str:
        """What its line calls it."""
        return _WORDS.get(self.kind, "{what}").replace("{what}", self.what)

    @property
    def subject(self) -> str:
        """Of which one order is under way at a time: a session, the probe, or the lane."""
        if self.what == "cancel":
            return f"session {self.target}"
        return "probe" if self.what == "probe" else "lane"


NOT_KNOWN: Final = "begun, its end is not known"


def settled(records: Sequence[ActionRecord]) -> tuple[ActionRecord, ...]:
    """Return what was done: a line that says that it was begun only where none tells its end."""
    ended = {_begun_as(one) for one in records if one.kind is not ActionKind.BEGUN}
    return tuple(
        one for one in records if one.kind is not ActionKind.BEGUN or _begun_as(one) not in ended
    )


def _begun_as(record: ActionRecord) -> tuple[object, ...]:
    return record.at, record.actor, record.what, record.subject, record.gateway, record.vp_id


def seen(record: ActionRecord, actor: str, at: datetime) -> ActionRecord:
    """Return the end of an interrupted action: somebody knows that nobody knows it."""
    steps, result = (*record.steps, ActionStep(at, "seen", f"by {actor}")), ActionKind.UNKNOWN
    return record._replace(steps=steps, result=f"{result}: {NOT_KNOWN}", kind=result)


class Holder(NamedTuple):
    """Who does what an order asks for, or did it last, as the host's lock tells all others."""

    actor: str
    under_way: str
    since: datetime
    until: datetime | None = None
    """None: it goes on, or whoever did it was ended in the midst of it."""

    @property
    def told(self) -> str:
        """What it does, in words."""
        return f"{self._who} is {self.under_way} since {clock_z(self.since)}"

    @property
    def told_after(self) -> str:
        """What it did, in words, when it does so no more."""
        if self.until is None:
            begun = f"{self._who} began {self.under_way} at {clock_z(self.since)} and is gone"
            return f"{begun}, its end is not known: look at what came of it first"
        until = clock_z(self.until)
        return f"{self._who} was {self.under_way} until {until}: look at what came of it first"

    def interrupted(self, gateway: str, vp_id: str) -> ActionRecord:
        """Return what was begun so, on the gateway and lane that are watched, as an action."""
        told = (self.since, self.actor, self.under_way, gateway, "", (), NOT_KNOWN)
        return ActionRecord(*told, ActionKind.INTERRUPTED, gateway, vp_id)

    @property
    def _who(self) -> str:
        return f"{self.actor.partition('@')[0]}'s vp-tui"

    def to_text(self) -> str:
        """Return it as the lock's file holds it."""
        until = self.until and _stamp(self.until)
        return json.dumps([clip(self.actor, _SHORT), self.under_way, _stamp(self.since), until])

    @classmethod
    def from_text(cls, text: str) -> Holder | None:
        """Return what a lock's file holds; None where that tells nothing: anybody may write it."""
        with suppress(TypeError, ValueError, RecursionError, OverflowError):
            actor, under_way, since, until = json.loads(text)
            until = None if until is None else _read_stamp(until)
            return cls(_text(actor), _text(under_way), _read_stamp(since), until)
        return None


class OrderOutcome(NamedTuple):
    """What an order of ours came to, as the audit is told it, once."""

    kind: ActionKind
    actor: str
    what: str
    target: str
    reason: str
    asked_at: float
    """When the order was given, on vp-tui's own monotonic clock."""
    result: str


def to_json(record: ActionRecord) -> dict[str, Any]:
    """Return the object of an audit line: times in UTC to the millisecond, texts literal.

    Long texts are clipped; of too many steps the first and the last stay, with a count between.
    """
    return {
        "at": _stamp(record.at),
        "actor": _text(record.actor),
        "gateway": _text(record.gateway),
        "vp_id": _text(record.vp_id),
        "action": _text(record.action),
        "target": _text(record.target),
        "reason": _prose(record.reason),
        "steps": [
            {"at": _stamp(step.at), "step": _text(step.step), "detail": _prose(step.detail)}
            for step in _bounded(record.steps)
        ],
        "result": _text(record.result),
    }


def from_json(value: object) -> ActionRecord | None:
    """Return the action that a line's object tells, None where it tells none; keys may be added."""
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        return _record(value)
    return None


def _record(value: Any) -> ActionRecord:  # noqa: ANN401 - any JSON
    result = _text(value["result"])
    kind, what = _read_kind(_text(value["action"]), result)
    steps = tuple(
        ActionStep(_read_stamp(step["at"]), _text(step["step"]), _prose(step["detail"]))
        for step in value["steps"]
    )
    return ActionRecord(
        at=_read_stamp(value["at"]),
        actor=_text(value["actor"]),
        what=what,
        target=_text(value["target"]),
        reason=_prose(value["reason"]),
        steps=_bounded(steps),
        result=result,
        kind=kind,
        gateway=_text(value.get("gateway", "")),
        vp_id=_text(value.get("vp_id", "")),
    )


def _read_kind(action: str, result: str) -> tuple[ActionKind, str]:
    """Return a line's kind, and what was done: its words tell both, here and nowhere else."""
    if action == "cancel recovery":
        is_seen = not result.startswith(ActionKind.UNCONFIRMED)
        return (ActionKind.RECOVERY if is_seen else ActionKind.UNCONFIRMED), "cancel"
    if action.startswith("proof of "):
        return ActionKind.PROOF, action.removeprefix("proof of ")
    if result == ActionKind.BEGUN:
        return ActionKind.BEGUN, action
    of_nothing = (ActionKind.REFUSED, ActionKind.FAILED, ActionKind.UNKNOWN)
    return next((kind for kind in of_nothing if result.startswith(kind)), ActionKind.DONE), action


def _bounded(steps: tuple[ActionStep, ...]) -> tuple[ActionStep, ...]:
    if len(steps) <= STEPS_LIMIT:
        return steps
    first, last = steps[: STEPS_LIMIT // 2], steps[-(STEPS_LIMIT // 2 - 1) :]
    left_out = len(steps) - len(first) - len(last)
    return (*first, ActionStep(last[0].at, "left out", f"{left_out} steps"), *last)


def _text(text: object, limit: int = NAME_LIMIT) -> str:
    if not isinstance(text, str):
        raise TypeError("a text is wanted")
    return clip(literal(text[: limit + 1]), limit)


_prose: Final = partial(_text, limit=PROSE_LIMIT)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_stamp(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a stamp without a zone")
    return at.astimezone(UTC)


class CancelRun(NamedTuple):
    """Cancel what a session runs."""

    session_id: str
    reason: str
    mission_id: str | None = None
    """The mission that certainly is that run's; None where that is not known."""
    alive_at: float = inf
    """When the run was last known to be under way, on vp-tui's own monotonic clock."""


class SetSwitch(NamedTuple):
    """Set a switch of the lane by the operator's actuator."""

    change: Change
    reason: str


class RestartGateway(NamedTuple):
    """Restart the gateway by the operator's command."""

    reason: str


class RunProbe(NamedTuple):
    """Run one coding prompt in a session of its own."""

    prompt: str
    dialect: Dialect | None
    reason: str = ""


class RingAlarms(NamedTuple):
    """Run the operator's command for alarms; it is not audited."""

    told: str
    """The command's last argument."""


class AuditOnce(NamedTuple):
    """Write into the audit what a dry run would have done, unless it has that since `since`."""

    record: ActionRecord
    since: datetime
    """Nothing of before is of the same trip."""

    def is_told_by(self, other: ActionRecord) -> bool:
        """Tell whether a line of the audit says so already, whoever watched."""
        mine = self.record
        is_alike = (mine.what, mine.gateway, mine.vp_id) == (other.what, other.gateway, other.vp_id)
        kinds = {record.result.partition(":")[0] for record in (mine, other)}
        return is_alike and len(kinds) == 1 and other.at >= self.since


LaneOrder = SetSwitch | RestartGateway | RunProbe
"""What the sources show the effect of, soon after."""
Work = CancelRun | LaneOrder
"""What is done to the gateway, once, and audited whatever comes of it."""
Order = Work | RingAlarms | ActionRecord | AuditOnce
