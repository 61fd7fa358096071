"""How orders go on: the steps of a cancel, a restart and a probe, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.probe import ProbeOutcome, ProbeStep
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.runs.cancels import Cancel, CancelState, steps
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import short_id
from vp_tui.ui.lines.paint import (
    EMPTY,
    Line,
    age,
    join,
    paragraph,
    step_line,
    step_lines,
    wrap_line,
    wrap_text,
)
from vp_tui.views.actions import key_of
from vp_tui.views.sources import streams_view

if TYPE_CHECKING:
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.stuck_runs import Target
    from vp_tui.views.view import View


_NAMES: Final = 24
"""Cells of the names of a cancel's steps."""
STEPS: Final = 6
"""Steps that are shown of a switch or a restart, the last."""
_TONES: Final[dict[CancelState | RestartState | ProbeOutcome, Tone]] = {
    CancelState.RECOVERED: "good",
    CancelState.RESTARTED: "good",
    CancelState.FAILED: "bad",
    CancelState.UNCONFIRMED: "bad",
    RestartState.BACK: "good",
    RestartState.NOT_BACK: "bad",
    RestartState.NOT_RESTARTED: "bad",
    RestartState.FAILED: "bad",
    ProbeOutcome.DELEGATED: "good",
    ProbeOutcome.TIMED_OUT: "bad",
    ProbeOutcome.BROKE: "bad",
    ProbeOutcome.FAILED: "bad",
}


def target_lines(target: Target, width: int) -> list[Line]:
    """Return what is hit, what it does, and what it blocks."""
    level = "unknown" if target.level is None else str(target.level).upper()
    viewers = f"{target.viewers} other viewers are told" if target.viewers else "no other viewer"
    lines = [
        join((f"{short_id(target.session_id)} ", "strong"), (level, "warn"), f"  {viewers}"),
        *wrap_text(target.session_id, width, "dim"),
        *wrap_text(target.activity, width),
    ]
    if target.blocker:
        frees = f"it waits behind {short_id(target.blocker)}: cancelling it frees nothing"
        lines += wrap_text(frees, width, "warn")
    if target.waiting:
        names = ", ".join(short_id(session_id) for session_id in target.waiting)
        lines += wrap_text(f"waiting behind it: {names}", width, "warn")
    if target.level not in {Level.STUCK, Level.DEAF}:
        lines += wrap_text("it is not stuck: what it has done so far is lost", width, "warn")
    return [*lines, EMPTY]


def cancel_lines(cancel: Cancel, view: View, width: int) -> list[Line]:
    """Return the steps of a cancel with their times, and what it has come to."""
    lines: list[Line] = []
    for step in steps(cancel, view.now):
        lines += step_line(step.name, step.detail, step.at, view.state.clock, width, _NAMES)
    return [*lines, *wrap_line(state_line(cancel, view), width)]


def state_line(cancel: Cancel, view: View) -> Line:
    """Return what a cancel has come to, and what it means."""
    how = cancel.state(view.now)
    return join((str(how), _TONES.get(how, "warn")), f": {_after_cancel(how, view)}")


def _after_cancel(how: CancelState, view: View) -> str:
    """Return what to do next, in words."""
    restart = f"{key_of(view.state.watch, 'restart')} restarts the gateway"
    return {
        CancelState.RECOVERED: "a later turn completed",
        CancelState.RESTARTED: "the gateway began anew, the run with it",
        CancelState.FAILED: "nothing was sent, or the gateway refused it",
        CancelState.MISSED: "look at what runs now",
        CancelState.UNKNOWN: "look whether it still runs; it is followed all the same",
        CancelState.UNCONFIRMED: f"no later turn completed: watch, or {restart}",
    }.get(how, "not recovered before a later turn completes")


def awaited_steps(brake: Brake, view: View) -> list[str]:
    """Return the steps that are still to come."""
    if brake.proof is Proof.FAILED:
        return []
    means = view.state.watch.means
    wanted = ["written"] if means is not None and means.env_file else []
    seen = {step.step for step in brake.steps}
    proof = [] if brake.proof in {Proof.CONFIRMED, Proof.CONTRADICTED} else [str(Proof.CONFIRMED)]
    return [name for name in (*wanted, "in force") if name not in seen] + proof


def after_change(brake: Brake, view: View) -> str:
    """Return what helps next."""
    watch = view.state.watch
    if view.state.lane.acted is None:
        return f"the actuator is at work: {age(max(view.now - brake.asked_at, 0.0))}"
    if brake.proof is Proof.FAILED:
        return "nothing was changed"
    if brake.proof is Proof.CONFIRMED:
        is_brake = brake.change == FORCE_FALLBACK
        return (
            f"{key_of(watch, 'record')} records it; stage reverted is proposed" if is_brake else ""
        )
    if brake.proof is Proof.CONTRADICTED:
        return f"look at what the gateway was started with; {key_of(watch, 'restart')} restarts it"
    if brake.since is None:
        return f"{key_of(watch, 'restart')} restarts the gateway: only then it is in force"
    return f"{key_of(watch, 'probe')} probes the lane: a turn of coding intent is the proof"


def restart_lines(restart: Restart, view: View, width: int) -> list[Line]:
    """Return the steps of a restart with their times, and how far it has come."""
    is_back = restart.state is RestartState.BACK
    awaited = [] if is_back else ["back in a new epoch, streams attached again"]
    lines = step_lines(restart.steps[-STEPS:], awaited, view.state.clock, width)
    tone = _TONES.get(restart.state, "warn")
    reason = f": {restart.reason}" if restart.reason else ""
    lines += paragraph(join((str(restart.state), tone), reason), width, 0)
    if is_back:
        streams = streams_view(view)
        lines.append(join(f"streams {streams.live}/{streams.wanted} attached again"))
    return lines


def probe_lines(probe: Probe, view: View, width: int) -> list[Line]:
    """Return the steps of a probe with their times, what is awaited, and what came of it."""
    began = f"{view.state.clock.wall_at(probe.began_at):%H:%M:%SZ}"
    whose = f" in {short_id(probe.session_id)}" if probe.session_id else ""
    head = join(("probe", "strong"), f" of {began}{whose}")
    awaited = [] if probe.is_over else [_awaited_step(probe, view.now), *_later(probe)]
    lines = [head, *step_lines(probe.steps, awaited, view.state.clock, width)]
    if probe.outcome is not None:
        tone = _TONES.get(probe.outcome, "warn")
        reason = f": {probe.reason}" if probe.reason else ""
        lines += paragraph(join((str(probe.outcome), tone), reason), width, 0)
    return lines


def _awaited_step(probe: Probe, now: float) -> str:
    """Return the step that is awaited, since when, and when it is given up."""
    waits_s = max(now - probe.awaited_since, 0.0)
    left_s = max(probe.deadline - now, 0.0)
    return f"{probe.awaited}  for {age(waits_s)}, given up in {age(left_s)}"


def _later(probe: Probe) -> list[str]:
    order = tuple(ProbeStep)
    return [str(step) for step in order[order.index(probe.awaited) + 1 :]]
