"""The lane explained: what it is believed to do, on what evidence, and what was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.durations import age
from vp_tui.ui.lane_text import PROOF_TONES, mode_lines, primary_lines, switches_lines
from vp_tui.ui.paint import Line, join
from vp_tui.ui.prose import fact, paragraph

if TYPE_CHECKING:
    from vp_tui.ui.explanation import Facts
    from vp_tui.ui.tones import Tone

_NOTE = (
    "No answer of the gateway shows the lane's switches: the newest effect that was seen in this"
    " epoch decides, and the env file only where none was. A turn of coding intent that stays on"
    " the primary path without a mission proves a forced fallback; silence proves nothing."
)


def lane_section(facts: Facts, width: int) -> list[Line]:
    """Return the lane's mode, the switches, the primary path, and each order with its result."""
    state, now = facts.state, facts.now
    lines: list[Line] = [(("LANE", "accent"),)]
    lines += mode_lines(state, now, width)
    lines += switches_lines(state, width)
    lines += primary_lines(state, now, width)
    for name, told, tone, since in _orders(facts):
        when = f", asked {age(max(now - since, 0.0))} ago"
        lines += fact(name, join((told, tone), (when, "dim")), width)
    return [*lines, *paragraph(_NOTE, width, tone="dim")]


def _orders(facts: Facts) -> list[tuple[str, str, Tone, float]]:
    lane = facts.state.lane
    found: list[tuple[str, str, Tone, float]] = []
    if (brake := lane.brake) is not None:
        found.append(("brake", brake.line, PROOF_TONES[brake.proof], brake.asked_at))
    if (restart := lane.restart) is not None:
        found.append(("restart", restart.line.removeprefix("restart: "), "plain", restart.asked_at))
    if (probe := lane.probe) is not None:
        found.append(("probe", probe.line.removeprefix("probe: "), "plain", probe.began_at))
    return found
