"""The lane and its orders in words: mode, switches, how far each is proven, what comes next."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.lane.probe import ProbeOutcome, ProbeStep
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Switch, shown
from vp_tui.domain.models import Source
from vp_tui.domain.runs.cancels import Cancel, CancelState, steps
from vp_tui.domain.runs.levels import Level, either
from vp_tui.domain.text import age, clock_time, counted, literal, short_id, took, utc_z
from vp_tui.ui.lines.paint import (
    EMPTY,
    Line,
    fact,
    join,
    paragraph,
    wrap_line,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.lane import PrimaryHealth, belief_doubt, lane_mode, primary_path
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import source_view, streams_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake, ProofStep
    from vp_tui.domain.lane.switches import Actuation, Change, CommandRun, Means
    from vp_tui.state.state import Clock
    from vp_tui.ui.lines.paint import Span, Tone
    from vp_tui.views.runs import RunRow
    from vp_tui.views.view import View


STEP_NAMES: Final = 16
"""Cells of the steps' names, the blank after them included."""
OUTPUT_LINES: Final = 6
"""Lines of a command's output that are shown: the last ones say how it ended."""
PROOF_TONES: Final[dict[Proof, Tone]] = {
    Proof.PENDING: "warn",
    Proof.CONFIRMED: "good",
    Proof.UNCONFIRMED: "warn",
    Proof.CONTRADICTED: "bad",
    Proof.FAILED: "bad",
}
_MODE_TONES: Final[dict[LaneMode, Tone]] = {
    LaneMode.DELEGATING: "good",
    LaneMode.CANNOT_START: "bad",
    LaneMode.UNKNOWN: "dim",
}
_HEALTH_TONES: Final[dict[PrimaryHealth, Tone]] = {
    PrimaryHealth.HEALTHY: "good",
    PrimaryHealth.UNKNOWN: "warn",
    PrimaryHealth.FAILING: "bad",
    PrimaryHealth.BLOCKED: "bad",
}
_NAMES: Final = {
    Switch.FORCED_FALLBACK: "forced fallback",
    Switch.SHADOW: "shadow mode",
    Switch.LANE: "lane",
}
_SAYS: Final = {True: "on", False: "off", None: "not set"}


def mode_lines(view: View, width: int) -> list[Line]:
    """Return the believed mode, and on what evidence."""
    belief = lane_mode(view)
    word = str(belief.mode).replace("_", " ")
    when = "" if belief.at is None else f", {words.ago(view, belief.at)}"
    told = join((word, _MODE_TONES.get(belief.mode, "warn")), f": {belief.evidence}{when}")
    doubt = belief_doubt(view)
    return [*fact("lane", told, width), *(fact("doubt", doubt, width, "warn") if doubt else [])]


def switches_lines(view: View, width: int) -> list[Line]:
    """Return what the env file says."""
    means, seen = view.state.watch.means, view.state.lane.switches
    if means is None or means.env_file is None:
        return fact("env file", "none is configured: what is set is not known", width, "dim")
    path = literal(means.env_file)
    if seen is None:
        return fact("env file", f"{path}: not read yet", width, "dim")
    if seen.switches is None:
        return fact("env file", literal(seen.problem or "it cannot be read"), width, "bad")
    switches = seen.switches
    told = ", ".join(
        f"{name} {_SAYS[switches.says(switch)]}" + (" MASKED" * (switch in switches.masked))
        for switch, name in _NAMES.items()
    )
    changed = "" if seen.changed_at is None else f" (changed {utc_z(seen.changed_at)})"
    return fact("env file", f"{told}{changed}", width)


def primary_lines(view: View, width: int) -> list[Line]:
    """Return whether the primary path can take every turn, and on what evidence."""
    path = primary_path(view)
    told = join((str(path.health), _HEALTH_TONES[path.health]), f": {path.why}")
    return fact("primary", told, width)


def plan_lines(means: Means, change: Change, width: int) -> list[Line]:
    """Return what will be done, or what is left for the operator's hands."""
    lines: list[Line] = []
    if is_manual := means.is_manual(change):
        none = "no actuator is configured for this: vp-tui changes nothing, and watches"
        lines += fact("by hand", none, width, "warn")
    for number, line in enumerate(means.plan(change)):
        name = "does" if not number and not is_manual else ""
        lines += fact(name, line.strip(), width)
    return lines


def acted_lines(done: Actuation | None, width: int) -> list[Line]:
    """Return what the operator's command said, the last lines, and what is left to be done."""
    if done is None:
        return []
    lines = _command_lines(done.command, width) if done.command else []
    left = (paragraph(line.strip(), width, tone="warn") for line in done.by_hand)
    return [*lines, *chain(*left)]


def _command_lines(run: CommandRun, width: int) -> list[Line]:
    how = "exit code 0" if run.failure is None else run.failure.reason
    tone: Tone = "plain" if run.failure is None else "bad"
    head = join((f"$ {shown(run.argv)}", "strong"), (f": {how}, {took(run.took_s)}", tone))
    output, left_out = list(run.output[-OUTPUT_LINES:]), len(run.output) - OUTPUT_LINES
    if left_out > 0:
        output.insert(0, f"… {counted(left_out, 'line')} before")
    return [*wrap_line(head, width), *(((f"  {line}", "dim"),) for line in output)]


def running_lines(view: View, width: int, *, if_it: str = "") -> list[Line]:
    """Name every run that a restart kills; `if_it` says on what condition."""
    running = [row for row in run_rows(view) if row.is_running]
    names = ", ".join(
        f"{short_id(row.session.session_id)} {words.level(row.level).lower()}" for row in running
    )
    told = f"{counted(len(running), 'run')}: {names}"
    if not source_view(view, Source.SESSIONS).is_current:
        told = "unknown runs: the list of sessions is not current"
    elif not running:
        return fact("kills", f"{if_it}nothing: no run is under way", width)
    return fact("kills", f"{if_it}{told}", width, "warn")


def proof_line(brake: Brake, width: int) -> list[Line]:
    """Return how far a change is proven, and why; nothing where its last step says that."""
    if brake.steps[-1].step == brake.proof:
        return []
    return _result(brake.proof, PROOF_TONES[brake.proof], brake.reason, width)


def _result(word: str, tone: Tone, reason: str, width: int) -> list[Line]:
    return wrap_line(join((str(word), tone), f": {reason}" if reason else ""), width)


_LONG_STEP_NAMES: Final = 24
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


OVER: Final = "is over, or not listed any more"
"""What is said of a run that was captured and does not go on."""


def target_lines(target: RunRow, now: RunRow | None, width: int) -> list[Line]:
    """Return what is hit, and what it does and blocks `now`; None: it does not go on."""
    session_id = target.session.session_id
    if now is None:
        over = join((f"{short_id(session_id)} ", "strong"), (OVER, "dim"))
        return [over, *paragraph(session_id, width, 0, "dim"), EMPTY]
    told, number = now.level, now.other_viewers
    level = words.level(told).upper()
    others = counted(number, "other viewer is", "other viewers are")
    viewers = f"{others} told" if number else "no other viewer"
    lines = [
        join((f"{short_id(session_id)} ", "strong"), (level, "warn"), f"  {viewers}"),
        *paragraph(session_id, width, 0, "dim"),
        *paragraph(told.reason, width, 0),
    ]
    guess = " (a guess)" if told.is_guess else ""
    if told.level is Level.QUEUED:
        frees = f"it waits behind {told.behind(short_id)}{guess}: cancelling it frees nothing"
        lines += paragraph(frees, width, 0, "warn")
    elif told.rivals:
        which = f"{either(told.rivals, short_id)} holds the lock: which of them is not known"
        lines += paragraph(
            f"{which}. If it is another one, cancelling this frees nothing", width, 0
        )
    if told.waiting:
        names = ", ".join(short_id(waiting) for waiting in told.waiting)
        lines += paragraph(f"waiting behind it{guess}: {names}", width, 0, "warn")
    if told.level not in {Level.STUCK, Level.DEAF}:
        lines += paragraph("it is not stuck: what it has done so far is lost", width, 0, "warn")
    return [*lines, EMPTY]


def cancel_lines(cancel: Cancel, view: View, width: int) -> list[Line]:
    """Return the steps of a cancel with their times, and what it has come to."""
    told = (
        step_line(step.name, step.detail, step.at, view.state.clock, width, _LONG_STEP_NAMES)
        for step in steps(cancel, view.now)
    )
    return [*chain(*told), *wrap_line(state_line(cancel, view), width)]


def state_line(cancel: Cancel, view: View) -> Line:
    """Return what a cancel has come to, and what to do next."""
    how, key = cancel.state(view.now), key_of(view.state.watch, "restart")
    then = {
        CancelState.RECOVERED: "a later turn completed",
        CancelState.RESTARTED: "the gateway began anew, the run with it",
        CancelState.FAILED: "nothing was sent, or the gateway refused it",
        CancelState.ENDED: "watch until a later turn completes",
        CancelState.MISSED: "look at what runs now",
        CancelState.UNKNOWN: "look whether it still runs; it is followed all the same",
        CancelState.UNCONFIRMED: f"no later turn completed: watch, or {key} restarts the gateway",
    }.get(how, "not recovered before a later turn completes")
    return join((str(how), _TONES.get(how, "warn")), f": {then}")


def awaited_steps(brake: Brake, view: View) -> list[str]:
    """Return the steps that are still to come."""
    if brake.proof is Proof.FAILED:
        return []
    means = view.state.watch.means
    wanted = ["written"] if means is not None and means.env_file else []
    seen = {step.step for step in brake.steps}
    if brake.is_by_hand and brake.since is None:
        return ["done by hand, or a restart", str(Proof.CONFIRMED)]
    proof = [] if brake.proof in {Proof.CONFIRMED, Proof.CONTRADICTED} else [str(Proof.CONFIRMED)]
    last = "restarted" if brake.is_by_hand else "in force"
    return [name for name in (*wanted, last) if name not in seen] + proof


def after_change(brake: Brake, view: View) -> str:
    """Return what helps next."""
    watch = view.state.watch
    if view.state.lane.acted is None:
        return f"the actuator is at work: {age(view.now - brake.asked_at)}"
    if brake.proof is Proof.FAILED:
        return "nothing was changed"
    if brake.proof is Proof.CONFIRMED:
        told = f"{key_of(watch, 'record')} records it; stage reverted is proposed"
        return told if brake.change == FORCE_FALLBACK else ""
    if brake.proof is Proof.CONTRADICTED:
        return f"look at what the gateway was started with; {key_of(watch, 'restart')} restarts it"
    if brake.since is None:
        restarts = f"{key_of(watch, 'restart')} restarts the gateway: only then it is in force"
        return "say when it is done: nothing is proven before" if brake.is_by_hand else restarts
    return f"{key_of(watch, 'probe')} probes the lane: a turn of coding intent is the proof"


def restart_lines(restart: Restart, view: View, width: int) -> list[Line]:
    """Return the steps of a restart with their times, and how far it has come."""
    is_back = restart.state is RestartState.BACK
    awaited = [] if is_back else ["back in a new epoch, streams attached again"]
    lines = step_lines(restart.steps[-STEPS:], awaited, view.state.clock, width)
    tone = _TONES.get(restart.state, "warn")
    lines += _result(restart.state, tone, restart.reason, width)
    if is_back:
        streams = streams_view(view)
        lines.append(join(f"streams {streams.live}/{streams.wanted} attached again"))
    return lines


def probe_lines(probe: Probe, view: View, width: int) -> list[Line]:
    """Return the steps of a probe with their times, what is awaited, and what came of it."""
    began = f"{view.state.clock.wall_at(probe.began_at):%H:%M:%SZ}"
    whose = f" in {short_id(probe.session_id)}" if probe.session_id else ""
    head = join(("probe", "strong"), f" of {began}{whose}")
    lines = [head, *step_lines(probe.steps, _awaited(probe, view.now), view.state.clock, width)]
    if probe.outcome is not None:
        lines += _result(probe.outcome, _TONES.get(probe.outcome, "warn"), probe.reason, width)
    return lines


def _awaited(probe: Probe, now: float) -> list[str]:
    """Return the step that is awaited, since when, and when it is given up; then the later ones."""
    if probe.is_over:
        return []
    waits, left = age(now - probe.awaited_since), age(probe.deadline - now)
    order = tuple(ProbeStep)
    later = map(str, order[order.index(probe.awaited) + 1 :])
    return [f"{probe.awaited}  for {waits}, given up in {left}", *later]


def step_line(
    name: str, detail: str, at: float | None, clock: Clock, width: int, names: int = STEP_NAMES
) -> list[Line]:
    """Return one step that happened at `at`, None for one that is awaited, as lines."""
    symbol: Span = ("· ", "dim") if at is None else ("✓ ", "good")
    when = "awaited " if at is None else clock_time(clock.wall_at(at))
    return wrap_line(detail, width, join(symbol, (f"{when}  ", "dim"), f"{name:<{names}}"))


def step_lines(
    steps: Sequence[ProofStep], awaited: Iterable[str], clock: Clock, width: int
) -> list[Line]:
    """Return steps with their times; then what is awaited."""
    done = (step_line(step.step, step.detail, step.at, clock, width) for step in steps)
    return [*chain(*done), *(((f"· awaited   {name}", "dim"),) for name in awaited)]
