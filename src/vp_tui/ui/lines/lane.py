"""The lane in words: its mode, its switches, what a change would do, and how far it is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import Switch, shown
from vp_tui.domain.models import Source
from vp_tui.domain.text import counted, literal, short_id, took, utc_z
from vp_tui.ui.lines.paint import Line, fact, join, plain, wrap_line
from vp_tui.views import words
from vp_tui.views.lane import PrimaryHealth, lane_mode, primary_path
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import source_view

if TYPE_CHECKING:
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.lane.switches import Actuation, Change, CommandRun, Plan
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import View


OUTPUT_LINES: Final = 6
"""Lines of a command's output that are shown: the last ones say how it ended."""
PROOF_TONES: Final[dict[Proof, Tone]] = {
    Proof.PENDING: "warn",
    Proof.CONFIRMED: "good",
    Proof.UNCONFIRMED: "warn",
    Proof.CONTRADICTED: "bad",
    Proof.FAILED: "bad",
}
_MODE_TONES: Final[dict[LaneMode, Tone]] = {LaneMode.DELEGATING: "good", LaneMode.UNKNOWN: "dim"}
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
    return fact("lane", told, width)


def switches_lines(view: View, width: int) -> list[Line]:
    """Return what the env file says."""
    means, seen = view.state.watch.means, view.state.lane.switches
    if means is None or means.env_file is None:
        return fact("env file", (("none is configured: what is set is not known", "dim"),), width)
    path = literal(means.env_file)
    if seen is None:
        return fact("env file", ((f"{path}: not read yet", "dim"),), width)
    if seen.switches is None:
        why = literal(seen.problem or "it cannot be read")
        return fact("env file", (((why, "bad")),), width)
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


def plan_lines(plan: Plan, change: Change, width: int) -> list[Line]:
    """Return what will be done, or what is left for the operator's hands."""
    lines: list[Line] = []
    if plan.is_manual:
        none = "no actuator is configured for this: vp-tui changes nothing, and watches"
        lines += fact("by hand", ((none, "warn"),), width)
    for number, line in enumerate(plan.lines(change)):
        name = "does" if not number and not plan.is_manual else ""
        lines += fact(name, line.strip(), width)
    return lines


def acted_lines(done: Actuation | None, width: int) -> list[Line]:
    """Return what the operator's command said, the last lines, and what is left to be done."""
    if done is None:
        return []
    lines = command_lines(done.command, width) if done.command else []
    if done.by_hand:
        for line in done.by_hand:
            lines += wrap_line(((line.strip(), "warn"),), width, plain("  "))
    return lines


def command_lines(run: CommandRun, width: int) -> list[Line]:
    """Return how a command ended, and the end of its output."""
    how = "exit code 0" if run.failure is None else run.failure.reason
    tone: Tone = "plain" if run.failure is None else "bad"
    head = join((f"$ {shown(run.argv)}", "strong"), (f": {how}, {took(run.took_s)}", tone))
    left_out = len(run.output) - OUTPUT_LINES
    note: list[Line] = (
        [((f"  … {counted(left_out, 'line')} before", "dim"),)] if left_out > 0 else []
    )
    return [
        *wrap_line(head, width),
        *note,
        *(join("  ", (line, "dim")) for line in run.output[-OUTPUT_LINES:]),
    ]


def running_lines(view: View, width: int, *, if_it: str = "") -> list[Line]:
    """Name every run that a restart kills; `if_it` says on what condition."""
    running = [row for row in run_rows(view) if row.is_running]
    if not is_listed(view):
        told: Line = ((f"{if_it}unknown runs: the list of sessions is not current", "warn"),)
    elif not running:
        told = join(f"{if_it}nothing: no run is under way")
    else:
        names = ", ".join(f"{short_id(r.session.session_id)} {r.level.level}" for r in running)
        told = ((f"{if_it}{counted(len(running), 'run')}: {names}", "warn"),)
    return fact("kills", told, width)


def is_listed(view: View) -> bool:
    """Tell whether it is known now which runs there are."""
    return source_view(view, Source.SESSIONS).is_current


def proof_line(brake: Brake, width: int) -> list[Line]:
    """Return how far a change is proven, and why; nothing where its last step says that."""
    if brake.steps[-1].step == brake.proof:
        return []
    tone = PROOF_TONES[brake.proof]
    return wrap_line(join((str(brake.proof), tone), f": {brake.reason}"), width)
