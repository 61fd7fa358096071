"""Gates that an engineer set aside for one window, and why (the rollout's rules, section 4).

A waiver is of one verdict: what the gate said then. It never covers worse news that comes later,
nor hides a PASS that is earned. A waived FAIL is no gate FAIL any more, so the window may be clean
and its row says who waived what; it is no PASS either, so promotion stays "not yet". Guardrails are
no gates: one that is tripped is told by the SAFETY line and decides the word as before, and the
gate that fails by it cannot be waived.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.verdicts import GateResult, Gates, Verdict, waived

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GATE_NAMES: Final = ("G1", "G2", "G3", "G4")
_OF_GUARDRAIL: Final = "G1"
"""The gate that fails when guardrail 3 trips."""


class Waiver(NamedTuple):
    """One gate, set aside by somebody."""

    gate: str
    """`G1` to `G4`."""
    who: str
    why: str
    at: datetime
    """In UTC."""
    was: Verdict
    """What the gate said, and what alone is waived."""


def why_not_waived(name: str, gate: GateResult, *, tripped: bool) -> str | None:
    """Return why this gate cannot be waived now, None when it can.

    `tripped` tells whether guardrail 3 is.
    """
    if gate.verdict is Verdict.PASS:
        return f"{name} passes: there is nothing to waive"
    if gate.verdict is Verdict.WAIVED:
        return f"{name} is waived already"
    if tripped and name == _OF_GUARDRAIL:
        return f"guardrail 3 is tripped: {name} cannot be waived"
    return None


def with_waivers(gates: Gates, waivers: Iterable[Waiver], *, tripped: bool) -> Gates:
    """Return the gates with those waived whose verdict is the one that was.

    `tripped` tells whether guardrail 3 is: then its gate stands.
    """
    found = gates.by_name()
    for waiver in waivers:
        gate = found[waiver.gate]
        is_barred = why_not_waived(waiver.gate, gate, tripped=tripped) is not None
        if gate.verdict is waiver.was and not is_barred:
            found[waiver.gate] = waived(gate, waiver.who, waiver.why)
    return Gates(*found.values())


def with_waiver(waivers: Sequence[Waiver], new: Waiver) -> tuple[Waiver, ...]:
    """Return the waivers with a new one; it takes the place of an older one of its gate."""
    return (*(waiver for waiver in waivers if waiver.gate != new.gate), new)


def to_json(waiver: Waiver) -> dict[str, str]:
    """Return the waiver as plain JSON values."""
    return {
        "gate": waiver.gate,
        "who": waiver.who,
        "why": waiver.why,
        "at": waiver.at.astimezone(UTC).isoformat(),
        "was": str(waiver.was),
    }


def from_json(value: Mapping[str, object]) -> Waiver:
    """Return the waiver that `to_json` gave. Raises ValueError, naming the field, for another."""
    gate = _text(value, "gate")
    if gate not in GATE_NAMES:
        raise ValueError(f"waiver: gate is none: {gate!r}")
    at = datetime.fromisoformat(_text(value, "at"))
    if at.tzinfo is None:
        raise ValueError(f"waiver: at is no UTC stamp: {value['at']!r}")
    was = Verdict(_text(value, "was"))
    return Waiver(gate, _text(value, "who"), _text(value, "why"), at.astimezone(UTC), was)


def _text(value: Mapping[str, object], name: str) -> str:
    text = value.get(name)
    if isinstance(text, str):
        return text
    raise ValueError(f"waiver: {name} is no text: {text!r}")
