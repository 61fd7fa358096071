"""Following a restart until the gateway is back in a new epoch.

That the command ended well is no proof: the new boot stamp is. Times are vp-tui's own monotonic
clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switch_proof import STAMP_SLACK_S, ProofStep
from vp_tui.domain.text import took

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Actuation


RESTART_WITHIN_S: Final = 120.0
"""Without a new epoch for so long after the command, the restart is given up as not seen."""


class RestartState(StrEnum):
    """How far a restart has come, in the words of the screen."""

    ASKED = "asked, the command runs"
    COMMANDED = "command ended, the gateway still answers in its old epoch"
    BY_HAND = "waits for the operator's hands"
    GONE = "gateway gone"
    BACK = "back in a new epoch"
    NOT_BACK = "NOT BACK"
    NOT_RESTARTED = "NOT RESTARTED"
    FAILED = "failed"
    """The command did; a gateway that restarts for all that is noticed."""


_OVER: Final = frozenset(
    {RestartState.BACK, RestartState.NOT_BACK, RestartState.NOT_RESTARTED, RestartState.FAILED}
)


class Restart(NamedTuple):
    """One restart, from its being asked for on."""

    asked_at: float
    epoch: str | None
    """The boot stamp before it; None when it was not known."""
    steps: tuple[ProofStep, ...]
    state: RestartState = RestartState.ASKED
    reason: str = ""
    """Why it stands so, where that is not plain."""
    ended_at: float | None = None
    """When the command ended, or the operator was asked to do it."""
    is_gone: bool = False
    """Nothing answers now."""
    was_gone: bool = False

    @property
    def outcome(self) -> str:
        """How far it has come, and why no further."""
        return f"{self.state}{': ' if self.reason else ''}{self.reason}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be awaited."""
        return self.state in _OVER

    @property
    def line(self) -> str:
        """The restart in one line."""
        return f"restart: {self.outcome}"


def new_restart(at: float, epoch: str | None) -> Restart:
    """Return a restart that is asked for now."""
    return Restart(at, epoch, (ProofStep(at, "asked"),))


def acted(restart: Restart, at: float, done: Actuation) -> Restart:
    """Return the restart after its command has ended, or asked for hands."""
    if restart.state is RestartState.BACK:
        return restart
    restart = restart._replace(ended_at=at)
    if done.failure is not None:
        failed = f"{done.failure.reason}; {done.failure.cure}"
        restart = _with_step(restart, at, "command failed", failed)
        state = restart.state if restart.was_gone else RestartState.FAILED
        return restart._replace(state=state, reason=failed)
    if done.command is None:
        return _with_step(restart, at, "by hand")._replace(state=RestartState.BY_HAND)
    restart = _with_step(restart, at, "command ended")
    return restart if restart.was_gone else restart._replace(state=RestartState.COMMANDED)


def booted(restart: Restart, at: float, boot_stamp: str) -> Restart:
    """Return the restart after the gateway told that it booted, `at` by its stamp.

    In a new epoch it is over; but not by a boot from before it was asked for.
    """
    is_older = at < restart.asked_at - STAMP_SLACK_S
    if (restart.epoch is None and not restart.was_gone) or is_older:
        return restart._replace(epoch=boot_stamp)
    at = max(at, restart.asked_at)
    if restart.state is RestartState.BACK or boot_stamp == restart.epoch:
        return restart
    detail = f"new epoch {boot_stamp}, {took(at - restart.asked_at)} after it was asked for"
    restart = _with_step(restart, at, "back", detail)
    return restart._replace(epoch=boot_stamp, state=RestartState.BACK, reason="", is_gone=False)


def looked(restart: Restart, at: float, *, is_gone: bool) -> Restart:
    """Return the restart after a look at whether anything answers.

    Only the boot stamp tells whether what answers again is in a new life.
    """
    if restart.state is RestartState.BACK or is_gone is restart.is_gone:
        return restart
    if not is_gone:
        return _with_step(restart, at, "answers again")._replace(is_gone=False)
    restart = restart._replace(is_gone=True, was_gone=True, state=RestartState.GONE)
    return _with_step(restart, at, "gone")


def time_passed(restart: Restart, at: float) -> Restart:
    """Return the restart after nothing happened."""
    from_when = restart.asked_at if restart.ended_at is None else restart.ended_at
    if restart.is_over or at - from_when < RESTART_WITHIN_S:
        return restart
    state = RestartState.NOT_RESTARTED
    if restart.is_gone:
        state, reason = RestartState.NOT_BACK, "nothing answers: look at the gateway's own host"
    elif restart.was_gone:
        reason = "it answers again, its boot stamp is not new"
    else:
        reason = "it never went away, and its epoch is the old one"
    return _with_step(restart._replace(state=state, reason=reason), at, state, reason)


def _with_step(restart: Restart, at: float, name: str, detail: str = "") -> Restart:
    steps = (*restart.steps, ProofStep(at, name, detail))
    return restart._replace(steps=tuple(sorted(steps, key=attrgetter("at"))))
