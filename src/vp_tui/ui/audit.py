"""The audit screen: the newest actions, the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.audit import ActionRecord
from vp_tui.state import AuditLog
from vp_tui.ui.audit_rows import AuditList, head_line, matching, whole_action
from vp_tui.ui.listing import LIST_ID, Listing
from vp_tui.ui.paint import Line, join
from vp_tui.ui.prose import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.store import Store
    from vp_tui.ui.picture import Picture

_NOTHING: Final = AuditLog()
_UNBROKEN: Final = 10_000
"""Cells of a line that is not broken."""


class AuditScreen(Listing[AuditList, ActionRecord]):
    """Shows the audit of every gateway."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,u", "dismiss", show=False)]
    title_text = "AUDIT"
    item_word = "action"

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__(store, picture, AuditList(id=LIST_ID))

    @property
    def known(self) -> AuditLog:
        """What is known of the audit; nothing while it is unread."""
        return self._store.state.audit or _NOTHING

    @property
    def under_cursor(self) -> ActionRecord | None:
        return self.list.chosen

    def counted(self) -> str:
        number = len(self.known.records)
        if self.wanted:
            return f"{self.list.count} of {number} actions"
        return f"the newest {number} actions on every gateway"

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self.whole is not None:
            return (("esc", "back to the list"), ("↑ ↓ pgup pgdn", "scroll"), ("y", "copy it"))
        return (
            ("esc", "show all" if self.wanted else "back"),
            ("enter", "whole action"),
            ("/", "filter"),
            ("y", "copy it"),
            ("G", "newest"),
        )

    def fill(self) -> None:
        self.list.show(matching(self.known.records, self.wanted), self._why_empty())

    def about(self, width: int) -> list[Line]:
        """Return why the audit cannot be read, and what of it tells no action."""
        known, lines = self.known, list[Line]()
        if known.problem is not None:
            said = f"{known.problem.reason}: {known.problem.cure}"
            lines += wrapped(join(("! ", "bad"), said), width)
        if known.unreadable:
            said = f"{known.unreadable} of its newest lines tell no action, and are left there"
            lines += wrapped(join(("! ", "warn"), said), width)
        return lines

    def columns(self, width: int) -> Line:
        return head_line(width)

    def item_title(self, item: ActionRecord) -> str:  # noqa: ARG002 - every action's
        return " ACTION "

    def item_lines(self, item: ActionRecord, width: int) -> Iterable[Line]:
        return whole_action(item, width)

    def copied(self, item: ActionRecord) -> str:
        lines = whole_action(item, _UNBROKEN)
        return "\n".join("".join(text for text, _tone in line).strip() for line in lines)

    def _why_empty(self) -> str:
        if self.known.records:
            return f" no action matches /{self.wanted}/: esc shows all"
        if self.known.problem is not None:
            return " no action is known: the audit cannot be read"
        if self._store.state.audit is None:
            return " the audit is being read …"
        return " nothing was done yet: every action will be here, refused and failed ones too"
