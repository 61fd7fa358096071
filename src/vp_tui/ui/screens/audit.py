"""The audit screen: the newest actions as a list, the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.domain.text import clock_time, clock_z, literal, short_id, utc_z
from vp_tui.state.state import NO_AUDIT
from vp_tui.ui.actions import closing
from vp_tui.ui.kit.listing import WIDE, Columns, Listing, RowList
from vp_tui.ui.lines.paint import Line, facts, join, wrap_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from textual.binding import BindingType

    from vp_tui.domain.events import AuditRead
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live


_COLUMNS: Final = Columns(
    first="  ",
    names=("time (UTC)", "who", "action", "target"),
    last="result",
    narrow=(15, 14, 16, 10),
    wide=(15, 24, 18, 34),
)
_UNBROKEN: Final = 10_000
"""Cells of a line that is not broken."""


class AuditList(RowList[ActionRecord, ActionRecord]):
    """The newest actions: an action is its own key, for older ones leave before it."""

    def key_at(self, index: int) -> Hashable:
        return self.rows[self.places[index]]

    def index_of(self, key: Hashable) -> int | None:
        return next((n for n, place in enumerate(self.places) if self.rows[place] == key), None)

    def paint(self, index: int) -> Line:
        marker = "> " if index == self.cursor else "  "
        return join(marker, action_line(self.rows[self.places[index]], self.size.width))


def action_line(record: ActionRecord, width: int) -> Line:
    """Return an action as one line, but for the cursor's mark."""
    at = f"{record.at:%m-%d} {clock_time(record.at)}"
    whom = literal(record.target)
    if width < WIDE:  # of a generated id its end, of an address its host, of a name its beginning
        is_id = whom.startswith("session_")
        whom = short_id(whom) if is_id else whom.rpartition("://")[2]
    time, who, action, target = _COLUMNS.cells(width, at, record.actor, record.action, whom)
    result = (literal(record.result), tone_of(record))
    return join((time, "dim"), who, (action, "strong"), target, result)


def tone_of(record: ActionRecord) -> Tone:
    """Return the tone of what an action came to."""
    if record.kind.is_bad:
        return "bad"
    return "dim" if record.kind is ActionKind.REFUSED else "plain"


def whole_action(record: ActionRecord, width: int) -> list[Line]:
    """Return all of an action: who, when, whom, why, and each step with its time."""
    told = (
        ("when", utc_z(record.at)),
        ("who", literal(record.actor)),
        ("action", literal(record.action)),
        ("target", literal(record.target) or "none"),
        ("reason", literal(record.reason) or "none given"),
        ("result", ((literal(record.result), tone_of(record)),)),
    )
    steps = [
        f"{clock_z(step.at)} {step.step}{': ' if step.detail else ''}{step.detail}"
        for step in record.steps
    ]
    named = (("" if number else "steps", literal(text)) for number, text in enumerate(steps))
    return facts((*told, *named), width)


class AuditScreen(Listing[ActionRecord, ActionRecord]):
    """Shows the audit of every gateway."""

    BINDINGS: ClassVar[list[BindingType]] = [closing("audit")]
    title_text = "AUDIT"
    item_word = "action"
    columns = _COLUMNS

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture, AuditList())

    @property
    def known(self) -> AuditRead:
        """What is known of the audit; nothing while it is unread."""
        return self.live.state.audit or NO_AUDIT

    @property
    def rows(self) -> tuple[ActionRecord, ...]:
        return self.known.records

    @staticmethod
    def text_of(row: ActionRecord) -> str:
        told = (text for step in row.steps for text in (step.step, step.detail))
        return "\n".join((row.actor, row.action, row.target, row.reason, row.result, *told))

    def counted(self) -> str:
        newest = "1 action" if len(self.rows) == 1 else f"newest {len(self.rows)} actions"
        return f"{newest}, all gateways" if self.rows else "no action yet"

    def about(self, width: int) -> list[Line]:
        """Return why the audit cannot be read, and what of it tells no action."""
        known, lines = self.known, list[Line]()
        if known.problem is not None:
            said = f"{known.problem.reason}: {known.problem.cure}"
            lines += wrap_line(join(("! ", "bad"), said), width)
        if known.unreadable:
            said = f"{known.unreadable} of its newest lines tell no action, and are left there"
            lines += wrap_line(join(("! ", "warn"), said), width)
        return lines

    def item_title(self, item: ActionRecord) -> str:  # noqa: ARG002 - every action's
        return " ACTION "

    def item_lines(self, item: ActionRecord, width: int) -> Iterable[Line]:
        return whole_action(item, width)

    def copied(self, item: ActionRecord) -> str:
        lines = whole_action(item, _UNBROKEN)
        return "\n".join("".join(text for text, _tone in line).strip() for line in lines)

    def why_empty(self) -> str:
        if self.rows:
            return f" no action matches /{self.wanted}/: esc shows all"
        if self.known.problem is not None:
            return " no action is known: the audit cannot be read"
        if self.live.state.audit is None:
            return " the audit is being read …"
        return " nothing was done yet: every action will be here, refused and failed ones too"
