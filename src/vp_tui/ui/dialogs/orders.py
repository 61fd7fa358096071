"""What each kind of order asks and shows: cancel, cancel all, switch, restart, probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.lane.probe import prompt_for, terms
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    RESTART_BY_HAND,
    Change,
    Means,
    Switch,
    shown,
)
from vp_tui.domain.text import counted, literal, short_id
from vp_tui.ui.dialogs.follow import Question
from vp_tui.ui.kit.dialog import Dialog
from vp_tui.ui.kit.forms import Choices
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.lane import (
    OVER,
    STEPS,
    acted_lines,
    after_change,
    awaited_steps,
    cancel_lines,
    mode_lines,
    plan_lines,
    primary_lines,
    probe_lines,
    proof_line,
    restart_lines,
    running_lines,
    state_line,
    step_lines,
    switches_lines,
    target_lines,
)
from vp_tui.ui.lines.paint import EMPTY, Line, bullet, cut, fact, join, paragraph, shorten
from vp_tui.views import words
from vp_tui.views.lane import (
    followed_change,
    is_probe_under_way,
    lane_waits_for_hands,
    why_busy,
    why_no_change,
    why_refused,
)
from vp_tui.views.stuck_runs import as_it_is, own_cancel, row_of_session, why_changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.widget import Widget

    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.views.runs import RunRow
    from vp_tui.views.view import View
    from vp_tui.worker.commands import Commands
    from vp_tui.worker.lane_watch import LaneWatch


TO_THE_GATEWAY: Final = "for the gateway, its viewers and the audit"
_TITLES: Final[dict[Change, str]] = {
    FORCE_FALLBACK: "THE BRAKE: EVERY TURN TO THE PRIMARY PATH",
    RELEASE: "THE BRAKE: LET THE LANE HAVE TURNS AGAIN",
    Change(Switch.SHADOW, on=True): "BACK TO WATCHING ONLY: THE LANE GETS NO TURN",
    Change(Switch.SHADOW, on=False): "FROM WATCHING TO DELEGATING",
    Change(Switch.LANE, on=True): "THE LANE ITSELF: IN SERVICE",
    Change(Switch.LANE, on=False): "THE LANE ITSELF: OUT OF SERVICE",
}
_ANSWERS: Final[dict[Change, str]] = {
    FORCE_FALLBACK: "Force fallback now",
    Change(Switch.SHADOW, on=True): "Shadow mode on",
    Change(Switch.SHADOW, on=False): "Shadow mode off",
}
"""Of changes that one answer confirms; for the others the lane's name is typed."""


class WhichRunDialog(Dialog[str]):
    """Returns the session that is meant, None for none; what is done to it is asked next."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", show=False)]
    title_text = "WHICH RUN IS MEANT"
    keys_text = "enter this one  digits and arrows choose  esc none"

    def __init__(self, lane: LaneWatch, told: str, sessions: Sequence[str]) -> None:
        """Say why it is not clear (`told`), and offer the sessions."""
        super().__init__(lane)
        self._told, self._sessions = told, tuple(sessions)

    def body(self) -> list[Widget]:
        return [Lines(id="told"), Choices(id="which")]

    def redraw(self) -> None:
        super().redraw()
        view, choices = self.lane.live.view, self.query_one("#which", Choices)
        self.query_one("#told", Lines).show(paragraph(self._told, self.room[0], 0, "warn"))
        rows = [
            (str(number), session_id, _how(row_of_session(view, session_id)))
            for number, session_id in enumerate(self._sessions, 1)
        ]
        choices.show(rows, choices.value)

    def action_choose(self) -> None:
        self.dismiss(self.query_one("#which", Choices).value)


def _how(row: RunRow | None) -> Line:
    """Say how a run does, and why it is told so."""
    if row is None:
        return (("not in memory any more", "dim"),)
    return join((f" {words.level(row.level)} ", "strong"), literal(row.level.reason))


class CancelQuestion(Question):
    """Stops one run."""

    title = "STOP A RUN"
    answer = "Cancel run"
    not_now = "Keep running"
    reason_hint = TO_THE_GATEWAY

    def __init__(self, target: RunRow, followed: Cancel | None = None) -> None:
        """`followed` was sent before: nothing is asked, what comes of it is shown."""
        self._target = target
        self.of_whom = target.session.session_id
        self.since = followed.at if followed else None
        self.is_asking = followed is None

    def target(self, view: View, width: int) -> list[Line]:
        return target_lines(self._target, as_it_is(self._target, view), width)

    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:  # noqa: ARG002 - of one
        cancel = own_cancel(view, self._target.session.session_id, since)
        return [] if cancel is None else cancel_lines(cancel, view, width)

    def is_over(self, view: View, since: float) -> bool:
        cancel = own_cancel(view, self._target.session.session_id, since)
        return cancel is not None and cancel.is_over

    def why_not(self, view: View) -> str | None:
        return why_changed(self._target, view)

    def order(self, view: View, commands: Commands, reason: str) -> None:  # noqa: ARG002 - its own
        commands.cancel(self._target.session.session_id, reason)

    def named(self, view: View) -> tuple[str, str]:  # noqa: ARG002 - its target was captured
        return "cancel", self._target.session.session_id


class CancelAllQuestion(Question):
    """Stops every listed run, and none that came since."""

    title = "STOP EVERY LISTED RUN"
    word = "all runs"
    reason_hint = TO_THE_GATEWAY

    def __init__(self, targets: tuple[RunRow, ...]) -> None:
        self._targets = targets

    def target(self, view: View, width: int) -> list[Line]:
        hits = f"this hits {counted(len(self._targets), 'run')}, and all viewers are told"
        lines: list[Line] = [((hits, "warn"),)]
        for target in self._targets:
            who, row = f"  {short_id(target.session.session_id):<14}", as_it_is(target, view)
            level, told = (words.level(row.level).lower(), row.level.reason) if row else ("", OVER)
            lines.append(shorten(join(who, (f"{level:<9}", "warn"), told), width))
        return [*lines, EMPTY]

    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:  # noqa: ARG002 - alike
        return [
            cut(join(f"{short_id(session_id):<14}", said), width)
            for session_id, cancel, why in self._known(view, since)
            if (said := state_line(cancel, view) if cancel else why and f"not sent: {why}")
        ]

    def is_over(self, view: View, since: float) -> bool:
        known = self._known(view, since)
        return all(cancel.is_over if cancel else why for _session_id, cancel, why in known)

    def _known(self, view: View, since: float) -> Iterator[tuple[str, Cancel | None, str | None]]:
        """Yield each session with its cancel, or with why none was sent."""
        for target in self._targets:
            session_id = target.session.session_id
            cancel = own_cancel(view, session_id, since)
            yield session_id, cancel, why_refused(view, "cancel", since, session_id)

    def why_not(self, view: View) -> str | None:
        ended = [one for one in self._targets if why_changed(one, view) is not None]
        if len(ended) < len(self._targets):
            return None
        return "none of these runs is what it was: look at what runs now"

    def order(self, view: View, commands: Commands, reason: str) -> None:
        for target in self._targets:
            CancelQuestion(target).send(view, commands, reason)

    def named(self, view: View) -> tuple[str, str]:
        return "cancel all", view.state.watch.url


class SwitchQuestion(Question):
    """Sets a switch of the lane."""

    def __init__(self, change: Change, view: View) -> None:
        """Have the lane's name typed where no answer confirms the change."""
        followed = followed_change(view, change)
        self._change = change
        self.title = _TITLES[change]
        by_hand = (view.state.watch.means or Means()).is_manual(change)
        self.answer = "Watch for it" if by_hand and change in _ANSWERS else _ANSWERS.get(change)
        self.word = view.state.watch.vp_id
        self.since = followed.asked_at if followed else None
        is_over = view.state.lane.acted is not None and self.then(view) is None
        self.is_asking = followed is None or is_over

    def facts(self, view: View, width: int, *, is_short: bool) -> list[Line]:
        means = view.state.watch.means or Means()
        lines: list[Line] = []
        if not is_short:
            lines += [*mode_lines(view, width), *switches_lines(view, width)]
            lines += primary_lines(view, width) if self._change == FORCE_FALLBACK else []
        lines += plan_lines(means, self._change, width)
        if means.command(self._change):
            lines += running_lines(view, width, if_it="if the command restarts it, ")
        return lines

    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:
        brake = followed_change(view, self._change, since)
        if brake is None:
            return []
        is_by_hand = self.then(view) is not None  # then what is to be done has the room
        return [
            *([] if is_by_hand else mode_lines(view, width)),
            *step_lines(brake.steps[-STEPS:], awaited_steps(brake, view), view.state.clock, width),
            *proof_line(brake, width),
            *paragraph(after_change(brake, view), width, 0, "accent"),
            *([] if is_asking else acted_lines(view.state.lane.acted, width)),
            *([] if is_by_hand else [EMPTY]),
        ]

    def is_over(self, view: View, since: float) -> bool:
        brake = followed_change(view, self._change, since)
        return brake is not None and brake.proof in {Proof.CONFIRMED, Proof.FAILED}

    def why_not(self, view: View) -> str | None:
        return why_no_change(view, self._change)

    def order(self, view: View, commands: Commands, reason: str) -> None:  # noqa: ARG002 - its own
        commands.change_switch(self._change, reason)

    def named(self, view: View) -> tuple[str, str]:
        return self._change.words, view.state.watch.url

    def then(self, view: View) -> str | None:
        is_ours = followed_change(view, self._change) is not None
        return "Done by hand" if is_ours and lane_waits_for_hands(view) else None

    def say(self, commands: Commands) -> None:
        commands.done_by_hand(self._change)


class RestartQuestion(Question):
    """Restarts the gateway by the operator's command."""

    title = "KILL EVERY RUN AND BEGIN A NEW EPOCH"
    word = "restart"

    def __init__(self, view: View) -> None:
        lane = view.state.lane
        self.since = lane.restart.asked_at if lane.restart else None
        self.is_asking = lane.restart is None or lane.restarted is not None

    def facts(self, view: View, width: int, *, is_short: bool) -> list[Line]:  # noqa: ARG002 - short as it is
        command = (view.state.watch.means or Means()).restart
        lines = running_lines(view, width)
        if command:
            return [*fact("runs", ((shown(command), "strong"),), width), *lines]
        none = "no restart command is configured: nothing is done by vp-tui"
        lines += fact("by hand", ((none, "warn"),), width)
        for line in RESTART_BY_HAND:
            lines += fact("", line, width)
        return lines

    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:
        restart = view.state.lane.restart
        if restart is None or restart.asked_at < since:
            return []
        done = [] if is_asking else acted_lines(view.state.lane.restarted, width)
        return [*restart_lines(restart, view, width), *done, EMPTY]

    def is_over(self, view: View, since: float) -> bool:
        restart = view.state.lane.restart
        return restart is not None and restart.asked_at >= since and restart.is_over

    def why_not(self, view: View) -> str | None:
        return why_busy(view)

    def order(self, view: View, commands: Commands, reason: str) -> None:  # noqa: ARG002 - its own
        commands.restart(reason)

    def named(self, view: View) -> tuple[str, str]:
        return "restart", view.state.watch.url


class ProbeQuestion(Question):
    """Runs one coding prompt in a session of its own."""

    title = "PROBE THE LANE"
    answer = "Run one turn"
    reason_hint = None
    sending = "asking the metrics first …"

    def __init__(self, view: View) -> None:
        probe = view.state.lane.probe
        self.since = probe.began_at if probe else None
        self.is_asking = not is_probe_under_way(view)

    def facts(self, view: View, width: int, *, is_short: bool) -> list[Line]:  # noqa: ARG002 - its price
        prompt = prompt_for(view.state.watch.probe_prompt, view.state.dialect)
        lines = [*mode_lines(view, width), *fact("prompt", literal(prompt), width)]
        for term in terms(prompt, view.state.dialect):
            lines += bullet(term, width)
        return lines

    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:  # noqa: ARG002 - alike
        probe = view.state.lane.probe
        if probe is None or probe.began_at < since:
            return []
        return [*probe_lines(probe, view, width), EMPTY]

    def is_over(self, view: View, since: float) -> bool:
        probe = view.state.lane.probe
        return probe is not None and probe.began_at >= since and probe.is_over

    def why_not(self, view: View) -> str | None:
        other = "another probe is under way: there is never more than one"
        return other if is_probe_under_way(view) else None

    def order(self, view: View, commands: Commands, reason: str) -> None:  # noqa: ARG002 - none
        commands.probe()

    def named(self, view: View) -> tuple[str, str]:
        return "probe", view.state.watch.url
