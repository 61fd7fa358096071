"""The one dialog of every order: what it hits is captured, asked once, sent once, then followed.

A `Question` says what one kind of order asks, sends and shows of what comes of it. Its target is
captured when the dialog opens and checked again right before the order is given. The dialog shows
each step for as long as it is open; closing it ends nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import chain
from typing import TYPE_CHECKING, Final

from textual import on
from textual.widgets import Input

from vp_tui.ui.kit.dialog import Dialog
from vp_tui.ui.kit.forms import Buttons, Field, TextLine
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import heading
from vp_tui.ui.lines.paint import Line, join, paragraph
from vp_tui.views.actions_taken import is_deed, line_of
from vp_tui.views.lane import why_refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.widget import Widget

    from vp_tui.views.view import View
    from vp_tui.worker.commands import Commands
    from vp_tui.worker.lane_watch import LaneWatch


class Question(ABC):
    """What one kind of order asks, sends and shows."""

    title: str
    """What it does, in other words than its answer."""
    answer: str | None = None
    """What confirms it; None: `word` is to be typed."""
    not_now: str = "Not now"
    """The answer that has the focus."""
    word: str = ""
    """To be typed: no key alone does it."""
    reason_hint: str | None = "for the audit and the row"
    """Who reads the reason; None: none is asked for."""
    sending: str = "sending …"
    """What stands where the steps will be."""

    of_whom: str = ""
    """The session it is about, if it is about one."""
    since: float | None = None
    """When the one that is followed already was asked for; None: none is."""
    is_asking: bool = True
    """Whether one can be asked for now, perhaps while another one is followed."""

    def target(self, view: View, width: int) -> Iterable[Line]:  # noqa: ARG002 - some need none
        """Return what is hit: what was captured, as it does now."""
        return ()

    def facts(self, view: View, width: int, *, is_short: bool) -> list[Line]:  # noqa: ARG002 - as above
        """Return what to know before; `is_short` leaves out what the steps tell too."""
        return []

    @abstractmethod
    def steps(self, view: View, since: float, width: int, *, is_asking: bool) -> list[Line]:
        """Return how it goes on since it was asked for; nothing while nothing is known."""

    @abstractmethod
    def is_over(self, view: View, since: float) -> bool:
        """Tell whether nothing more will come of what was asked for since."""

    def refused(self, view: View, since: float) -> str | None:
        """Say why nothing of what was asked for since was carried out; None: it was."""
        return why_refused(view, self.named(view)[0], since, self.of_whom)

    @abstractmethod
    def why_not(self, view: View) -> str | None:
        """Say why it can no more be asked for; None: it can."""

    @abstractmethod
    def order(self, view: View, commands: Commands, reason: str) -> None:
        """Give the order."""

    @abstractmethod
    def named(self, view: View) -> tuple[str, str]:
        """Return what the audit calls the order, and its target."""

    def then(self, view: View) -> str | None:  # noqa: ARG002 - most say it all
        """Return what can be said once it was asked for; None: nothing."""
        return None

    def say(self, commands: Commands) -> None:
        """Say that."""
        raise NotImplementedError

    def send(self, view: View, commands: Commands, reason: str) -> str | None:
        """Check the target again and give the order, or audit why not and return that."""
        why = self.why_not(view)
        if why is None:
            self.order(view, commands, reason)
        else:
            what, target = self.named(view)
            commands.refused(what, target, reason, why)
        return why


NOT_YET: Final = "Not yet"
_BLOCKS: Final = ("told", "target", "steps", "facts")


class FollowDialog(Dialog[None]):
    """Asks a question once, and shows what comes of it."""

    title_text = "AN ORDER"
    not_kept = frozenset({"type"})

    def __init__(self, lane: LaneWatch, question: Question) -> None:
        super().__init__(lane)
        self._ask = question
        self._told = ""
        self._since, self._is_asking = question.since, question.is_asking
        self._then: str | None = None
        self._opened = lane.live.view.wall

    def body(self) -> list[Widget]:
        ask = self._ask
        reason = [Field("reason", hint=ask.reason_hint)] if ask.reason_hint else []
        self._buttons = Buttons(ask.not_now, ask.answer or "")
        self._fields: list[Widget] = [Field("type", hint=ask.word), *reason]
        if ask.answer is not None:
            self._fields = [*reason, self._buttons]
        others = [] if self._buttons in self._fields else [self._buttons]
        return [*(Lines(id=name) for name in _BLOCKS), *self._fields, *others]

    @property
    def acts(self) -> bool:
        return self._is_asking or self._then is not None

    @property
    def draft_name(self) -> str:
        return f"{self._ask.title} {self._ask.of_whom}"

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = heading(self._ask.title)
        self._confirm.focus()

    def on_descendant_focus(self) -> None:
        self.redraw_if_shown()

    @property
    def _confirm(self) -> Widget:
        return self.query_one("#type" if self._ask.answer is None else "#buttons")

    def redraw(self) -> None:
        view = self.lane.live.view
        self._offer_to_say(view)
        super().redraw()
        if not self._is_asking and self._since is not None:
            self._hear_refusal(view, self._since)
        width, _height = self.room
        blocks = [self.query_one(f"#{name}", Lines) for name in _BLOCKS]
        told, target, steps, facts = blocks
        told.show(chain(*(paragraph(f"! {one}", width, 0, "warn") for one in self._news(view))))
        target.show(self._ask.target(view, width))
        if self._since is None:
            steps.show(())
        else:
            known = self._ask.steps(view, self._since, width, is_asking=self._is_asking)
            steps.show(known or [join(f"· {self._ask.sending}")])
        for field in self._fields:
            field.display = self._is_asking
        self._buttons.display = self._then is not None or (
            self._is_asking and self._ask.answer is not None
        )
        about = self._ask.facts(view, width, is_short=bool(steps.lines)) if self._is_asking else []
        facts.show(about)
        for lines in blocks:
            lines.display = bool(lines.lines)

    def _hear_refusal(self, view: View, since: float) -> None:
        """Ask again where nothing was done: another vp-tui did it, say."""
        if (why := self._ask.refused(view, since)) is not None:
            self._told, self._is_asking, self._since = why, True, self._ask.since
            for buttons in self.query(Buttons):
                buttons.action_move(-1)  # back to the harmless answer
            self.call_after_refresh(self._confirm.focus)

    def _offer_to_say(self, view: View) -> None:
        """Have answers for what can be said now, the harmless one first."""
        then = None if self._is_asking else self._ask.then(view)
        if then is not None and then != self._then:
            self._buttons.show(NOT_YET, then)
            self._buttons.display = True
            self._buttons.focus()
        self._then = then

    def _news(self, view: View) -> list[str]:
        """Return what is to be told first: what became of the target, and what others did."""
        if not self._is_asking:
            return [self._told] if self._told else []
        why = self._ask.why_not(view) or self._told
        audit = view.state.audit
        done = audit.records if audit is not None else ()
        since = [
            f"meanwhile {line_of(one)}"
            for one in done
            if one.at > self._opened and is_deed(one, view.state.watch)
        ]
        return [*filter(None, [why]), *since[-1:]]

    @property
    def keys(self) -> str:
        if self._then is not None:
            return "arrows choose  enter answer  esc close: it goes on"
        if not self._is_asking:
            view, since = self.lane.live.view, self._since
            is_over = since is not None and self._ask.is_over(view, since)
            return "esc close" if is_over else "esc close: it goes on"
        if self.focused is not None and self.focused.id == "reason":
            return "enter to the answer  tab likewise  esc nothing"
        reason = "  tab reason" if self._ask.reason_hint else ""
        if self._ask.answer is not None:
            return f"arrows choose  enter answer{reason}  esc nothing"
        return f"type “{self._ask.word}”, then enter{reason}  esc nothing"

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._is_asking:
            return
        if self._ask.answer is not None:
            self._confirm.focus()
        elif self.query_one("#type", TextLine).meant == self._ask.word:
            if self.is_meant():
                self._send()
        else:
            self._told = f"nothing was done: type “{self._ask.word}”"
            self._confirm.focus()
            self.redraw()

    @on(Buttons.Pressed)
    def _answered(self, message: Buttons.Pressed) -> None:
        if message.answer in {self._ask.not_now, NOT_YET}:
            self.dismiss(None)
        elif self._then is not None:
            if self.is_meant():
                self._ask.say(self.lane.commands)
                self.redraw()
        elif self._is_asking and self.is_meant():
            self._send()

    def _send(self) -> None:
        reason = self.query_one("#reason", TextLine).meant if self._ask.reason_hint else ""
        now, view = self.lane.live.now, self.lane.live.view
        why = self._ask.send(view, self.lane.commands, reason)
        self._told = why or ""
        if why is None:
            self._is_asking, self._since = False, now
        self.redraw()
