"""Actions as the audit has them: who did what to what, why, step by step, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from vp_tui.domain.text import clip, literal

NAME_LIMIT: Final = 200
"""Characters of an actor, action, target, step name or result."""
PROSE_LIMIT: Final = 1_000
"""Characters of a reason or of a step's detail."""
STEPS_LIMIT: Final = 50
RECOVERY: Final = "cancel recovery"
PROOF: Final = "proof of"
"""Begins the action of a line that says what came of a change of the lane, or of a restart."""
"""The action of a line that tells what an earlier cancel came to."""


class ActionStep(NamedTuple):
    """One thing that happened in the course of an action; `at` is aware."""

    at: datetime
    step: str
    detail: str = ""


class ActionRecord(NamedTuple):
    """One action, refused and failed ones too; `at` is when it was asked for, aware."""

    at: datetime
    actor: str
    """`user@host`"""
    action: str
    target: str
    reason: str
    """The operator's words."""
    steps: tuple[ActionStep, ...]
    """In the order in which they happened."""
    result: str


def to_json(record: ActionRecord) -> dict[str, Any]:
    """Return the object of an audit line: times in UTC to the millisecond, texts literal.

    Long texts are clipped; of too many steps the first and the last stay, with a count between.
    """
    return {
        "at": _stamp(record.at),
        "actor": _name(record.actor),
        "action": _name(record.action),
        "target": _name(record.target),
        "reason": _prose(record.reason),
        "steps": [
            {"at": _stamp(step.at), "step": _name(step.step), "detail": _prose(step.detail)}
            for step in _bounded(record.steps)
        ],
        "result": _name(record.result),
    }


def from_json(value: object) -> ActionRecord | None:
    """Return the action that a line's object tells, None where it tells none; keys may be added."""
    try:
        return _record(value)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _record(value: Any) -> ActionRecord:  # noqa: ANN401 - any JSON
    return ActionRecord(
        at=_read_stamp(value["at"]),
        actor=_name(value["actor"]),
        action=_name(value["action"]),
        target=_name(value["target"]),
        reason=_prose(value["reason"]),
        steps=_bounded(
            tuple(
                ActionStep(_read_stamp(step["at"]), _name(step["step"]), _prose(step["detail"]))
                for step in value["steps"]
            )
        ),
        result=_name(value["result"]),
    )


def _bounded(steps: tuple[ActionStep, ...]) -> tuple[ActionStep, ...]:
    if len(steps) <= STEPS_LIMIT:
        return steps
    first, last = steps[: STEPS_LIMIT // 2], steps[-(STEPS_LIMIT // 2 - 1) :]
    left_out = len(steps) - len(first) - len(last)
    return (*first, ActionStep(last[0].at, "left out", f"{left_out} steps"), *last)


def _name(text: object) -> str:
    return _text(text, NAME_LIMIT)


def _prose(text: object) -> str:
    return _text(text, PROSE_LIMIT)


def _text(text: object, limit: int) -> str:
    if not isinstance(text, str):
        raise TypeError("a text is wanted")
    return clip(literal(text[: limit + 1]), limit)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_stamp(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a stamp without a zone")
    return at.astimezone(UTC)
