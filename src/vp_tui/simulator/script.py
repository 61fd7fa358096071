"""How a turn behaves: a script, and the markers in a prompt that choose one.

`Please fix this bug in code @fake:vp_error secs=2` runs as written; a prompt without a marker gets
a clean turn of a few seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal[
    "clean", "vp_error", "vp_exception", "both_fail", "fallback_exception",
    "hang", "deaf", "orphan", "drip", "input_required",
]  # fmt: skip
Act = Literal["work", "err", "raise", "hang", "deaf", "orphan", "drip", "input_required"]
"""What one engine does in its part of the turn."""

_ACTS: Final[dict[Outcome, tuple[Act, Act]]] = {
    "clean": ("work", "work"),
    "vp_error": ("err", "work"),
    "vp_exception": ("raise", "work"),
    "both_fail": ("err", "err"),
    "fallback_exception": ("err", "raise"),
    "hang": ("hang", "hang"),
    "deaf": ("deaf", "deaf"),
    "orphan": ("orphan", "orphan"),
    "drip": ("drip", "drip"),
    "input_required": ("input_required", "input_required"),
}
"""Per outcome what the VP lane does and what the primary path does after it or instead of it."""

_OUTCOMES: Final[dict[str, Outcome]] = {
    "mission": "clean",
    "notrace": "clean",
    "vp_error": "vp_error",
    "vp_exc": "vp_exception",
    "both_fail": "both_fail",
    "fallback_exc": "fallback_exception",
    "hang": "hang",
    "hang_swallow": "deaf",
    "orphan": "orphan",
    "drip": "drip",
    "input_required": "input_required",
}
_MARKER: Final = re.compile(r"@fake:(?P<name>\w+)(?P<arguments>(?:\s+\w+=\S+)*)")
_TOOLS: Final = ("Read", "Edit", "Bash")


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call: `lead` seconds of thinking, `seconds` of work, then what came of it."""

    tool: str
    arguments: dict[str, object]
    lead: float
    seconds: float
    output: str
    says: str
    """The engine's words afterwards; `{source}` stands for the path that runs."""


@dataclass(frozen=True, slots=True)
class TurnScript:
    """What happens in a turn, in seconds of scripted time."""

    outcome: Outcome = "clean"
    steps: tuple[Step, ...] = ()
    thought: str = "I should look at the parser first."
    fails_after: float = 1.0
    """Until an engine that errs does so."""
    error: str = ""
    """The VP lane's words when it errs; empty for the usual ones."""
    hold: float = 12.0
    """How long a deaf or orphaned run goes on after the cancel, or a drip in all."""
    finishes: bool = False
    """Whether a deaf run completes in the end instead of being cancelled."""
    trace: bool = True
    """Without a trace the engine says nothing but that it is done."""

    def act(self, *, delegated: bool) -> Act:
        """Return what the VP lane (`delegated`) or the primary path does."""
        on_vp, on_primary = _ACTS[self.outcome]
        return on_vp if delegated else on_primary


def marked_script(prompt: str) -> TurnScript | None:
    """Return the script that a `@fake:name key=value` marker in `prompt` asks for."""
    marker = _MARKER.search(prompt)
    if marker is None or marker["name"] not in _OUTCOMES:
        return None
    arguments = dict(pair.split("=", 1) for pair in marker["arguments"].split())
    seconds = float(arguments.get("secs", 3))
    silent = marker["name"] == "notrace"
    hanging = marker["name"] in {"hang", "hang_swallow", "drip", "input_required", "orphan"}
    return TurnScript(
        outcome=_OUTCOMES[marker["name"]],
        steps=() if silent or hanging else _plain_steps(seconds),
        hold=float(arguments.get("hold", arguments.get("secs", 12))),
        finishes=arguments.get("then") == "finish",
        trace=not silent,
    )


def _plain_steps(seconds: float) -> tuple[Step, ...]:
    return tuple(
        Step(
            tool=tool,
            arguments={"path": f"src/mod_{index}.py"},
            lead=seconds / len(_TOOLS),
            seconds=0.05,
            output=f"result of step {index}\nline 2",
            says=f"Step {index + 1} of {len(_TOOLS)} done ({{source}}).\n",
        )
        for index, tool in enumerate(_TOOLS)
    )
