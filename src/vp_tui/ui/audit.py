"""The audit screen: the newest actions, the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.actions import ACTIONS
from vp_tui.state import AuditLog
from vp_tui.ui.audit_rows import AuditList, head_line, matching, whole_action
from vp_tui.ui.keys import bindings
from vp_tui.ui.overlay import Overlay
from vp_tui.ui.paint import Line, Lines, join
from vp_tui.ui.prose import wrapped
from vp_tui.ui.scrolled import Scrolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import Widget

    from vp_tui.domain.audit import ActionRecord
    from vp_tui.store import Store
    from vp_tui.ui.find import FindBar
    from vp_tui.ui.lines import LineList
    from vp_tui.ui.picture import Picture

_SHARED: Final = frozenset({"up", "down", "follow", "top", "find", "copy"})
"""Actions that mean here what they mean on the watch screen."""
_NOTHING: Final = AuditLog()
_UNBROKEN: Final = 10_000
"""Cells of a line that is not broken."""
_MARGIN: Final = 2
"""Cells beside the whole action: a blank at its left, the scroll bar at its right."""


class AuditScreen(Overlay):
    """Shows the audit as it is now, of every gateway, also while the picture is frozen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((action for action in ACTIONS if action.id in _SHARED), read_only=False),
        Binding("enter", "whole", show=False),
        Binding("escape", "back", show=False),
        Binding("q,u", "dismiss", show=False),
    ]
    DEFAULT_CSS = """
    AuditScreen #audit-about { height: auto; }
    AuditScreen #audit-head { height: 1; background: $panel; }
    AuditScreen #audit-title { height: 1; }
    AuditScreen #audit-action { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = "#audit"
    title_text = "AUDIT"

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__(store, picture)
        self.list = AuditList(id="audit")
        self.wanted = ""
        """What the actions are filtered by."""
        self._whole: ActionRecord | None = None
        """The action that has the screen for itself."""
        self._about = Lines(id="audit-about")
        self._head = Lines(id="audit-head")
        self._action_title = Lines(id="audit-title")
        self._action = Lines(id="audit-steps")
        self._action_box = Scrolled(self._action, id="audit-action")

    @property
    def known(self) -> AuditLog:
        """What is known of the audit; nothing while it is unread."""
        return self._store.state.audit or _NOTHING

    @property
    def chosen(self) -> ActionRecord | None:
        """The action that is shown in full; None while there is none."""
        return self._whole or self.list.chosen

    def content(self) -> Iterable[Widget]:
        yield self._about
        yield self._head
        yield self.list
        yield self._action_title
        yield self._action_box

    def facts(self, shown: Picture) -> Line:
        number = len(self.known.records)
        counted = f"the newest {number} actions on every gateway"
        if self.wanted:
            counted = f"{self.list.count} of {number} actions"
        return join(
            counted,
            (f" /{self.wanted}/" if self.wanted else "", "match"),
            (f"  {self.list.waiting} new: G" if self.list.waiting else "", "warn"),
            ("  not frozen" if shown.frozen_for is not None else "", "warn"),
        )

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self._whole is not None:
            return (("esc", "back to the list"), ("↑ ↓ pgup pgdn", "scroll"), ("y", "copy it"))
        leave = "show all" if self.wanted else "back"
        return (
            ("esc", leave),
            ("enter", "whole action"),
            ("/", "filter"),
            ("y", "copy it"),
            ("G", "newest"),
        )

    def draw(self, shown: Picture, width: int) -> None:  # noqa: ARG002 - the audit as it is now
        self.list.show(matching(self.known.records, self.wanted), self._why_empty())
        self._about.show(self._doubts(width))
        self._head.show([head_line(width)])
        for widget in (self._head, self.list):
            widget.display = self._whole is None
        chosen = self.chosen
        self._action_title.display = self._action_box.display = chosen is not None
        if chosen is not None:
            title = " ACTION "
            self._action_title.show([((title, "strong"), ("─" * (width - len(title)), "dim"))])
            self._action.show(whole_action(chosen, width - _MARGIN))

    def _why_empty(self) -> str:
        if self.known.records:
            return f" no action matches /{self.wanted}/: esc shows all"
        if self.known.problem is not None:
            return " no action is known: the audit cannot be read"
        if self._store.state.audit is None:
            return " the audit is being read …"
        return " nothing was done yet: every action will be here, refused and failed ones too"

    def _doubts(self, width: int) -> list[Line]:
        """Return in lines why the audit cannot be read, and what of it tells no action."""
        known, lines = self.known, list[Line]()
        if known.problem is not None:
            said = f"{known.problem.reason}: {known.problem.cure}"
            lines += wrapped(join(("! ", "bad"), said), width)
        if known.unreadable:
            said = f"{known.unreadable} of its newest lines tell no action, and are left there"
            lines += wrapped(join(("! ", "warn"), said), width)
        return lines

    def on_line_list_moved(self, _message: LineList.Moved) -> None:
        if self._whole is None:
            self._action_box.action_first()
        self.call_after_refresh(self.redraw)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self._filter(message.text)

    def action_cursor(self, steps: int) -> None:
        self.list.move(steps)

    def action_follow(self) -> None:
        self.list.follow_newest()

    def action_top(self) -> None:
        self.list.go_to(0)

    def action_find(self) -> None:
        from vp_tui.ui.find import FindBar  # noqa: PLC0415 - many never filter

        if self._whole is None and not self.query(FindBar):
            self.mount(FindBar(self.list, self.wanted))

    def action_copy(self) -> None:
        if self.chosen is not None:
            lines = whole_action(self.chosen, _UNBROKEN)
            self.app.copy_to_clipboard(
                "\n".join("".join(text for text, _tone in line).strip() for line in lines)
            )
            note = "action sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"
            self.notify(note, markup=False)

    def action_whole(self) -> None:
        self._show_whole(self.list.chosen if self._whole is None else None)

    def action_back(self) -> None:
        if self._whole is not None:
            self._show_whole(None)
        elif self.wanted:
            self._filter("")
        else:
            self.dismiss()

    def _filter(self, text: str) -> None:
        self.wanted = text
        self.redraw()

    def _show_whole(self, record: ActionRecord | None) -> None:
        self._whole = record
        self.redraw()
        (self.list if record is None else self._action_box).focus()
