"""The audit screen: the newest actions as a list, the one under the cursor in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.domain.text import clock_time, clock_z, counted, literal, short_id, utc_z
from vp_tui.state.state import NO_AUDIT
from vp_tui.ui.actions import closing
from vp_tui.ui.kit.line_list import LineList
from vp_tui.ui.kit.listing import LIST_ID, Listing
from vp_tui.ui.lines.paint import Line, fact, fit, join, wrap_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from vp_tui.domain.events import AuditRead
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live


WIDE: Final = 118
"""Columns from which on who and whom are not cut short."""
_NARROW_CELLS: Final = (15, 14, 16, 10)
_WIDE_CELLS: Final = (15, 24, 18, 34)
"""Cells of time, who, action and target with the blank behind each."""
_HEADS: Final = ("time (UTC)", "who", "action", "target")

_UNBROKEN: Final = 10_000
"""Cells of a line that is not broken."""


class AuditList(LineList):
    """The newest actions, the newest of all at the bottom, where the cursor follows it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._records: tuple[ActionRecord, ...] = ()
        self._empty = ""

    def show(self, records: tuple[ActionRecord, ...], empty: str) -> None:
        """Show these; `empty` says why there are none."""
        if records is self._records and empty == self._empty:
            return
        self._records, self._empty = records, empty
        self.rows_changed()

    @property
    def chosen(self) -> ActionRecord | None:
        """The action under the cursor; None in an empty list."""
        return self._records[self.cursor] if self.count else None

    @property
    def count(self) -> int:
        return len(self._records)

    @property
    def empty_text(self) -> str:
        return self._empty

    def key_at(self, index: int) -> Hashable:
        return self._records[index]

    def index_of(self, key: Hashable) -> int | None:
        return next((n for n, record in enumerate(self._records) if record == key), None)

    def paint(self, index: int) -> Line:
        return action_line(self._records[index], self.size.width, index == self.cursor)


def matching_actions(records: tuple[ActionRecord, ...], wanted: str) -> tuple[ActionRecord, ...]:
    """Return the actions of which some text contains `wanted`, whatever the case."""
    folded = wanted.casefold()
    return tuple(r for r in records if folded in _text(r).casefold()) if folded else records


def _text(record: ActionRecord) -> str:
    told = (text for step in record.steps for text in (step.step, step.detail))
    named = (record.actor, record.action, record.target, record.reason, record.result)
    return "\n".join((*named, *told))


def actions_head(width: int) -> Line:
    """Return what stands over the columns."""
    cells = _WIDE_CELLS if width >= WIDE else _NARROW_CELLS
    named = "".join(fit(name, size) for name, size in zip(_HEADS, cells, strict=True))
    return ((f"  {named}result", "dim"),)


def action_line(record: ActionRecord, width: int, is_selected: bool) -> Line:  # noqa: FBT001 - one marker
    """Return an action as one line."""
    is_wide = width >= WIDE
    time, who, action, target = _WIDE_CELLS if is_wide else _NARROW_CELLS
    whom = literal(record.target)
    return join(
        "> " if is_selected else "  ",
        (_cell(f"{record.at:%m-%d} {clock_time(record.at)}", time), "dim"),
        _cell(literal(record.actor), who),
        (_cell(literal(record.action), action), "strong"),
        _cell(whom if is_wide else short_id(whom), target),
        (literal(record.result), tone_of(record)),
    )


def tone_of(record: ActionRecord) -> Tone:
    """Return the tone of what an action came to."""
    if record.kind.is_bad:
        return "bad"
    return "dim" if record.kind is ActionKind.REFUSED else "plain"


def whole_action(record: ActionRecord, width: int) -> list[Line]:
    """Return all of an action: who, when, whom, why, and each step with its time."""
    facts = (
        ("when", utc_z(record.at)),
        ("who", literal(record.actor)),
        ("action", literal(record.action)),
        ("target", literal(record.target) or "none"),
        ("reason", literal(record.reason) or "none given"),
        ("result", ((literal(record.result), tone_of(record)),)),
    )
    lines = [line for name, text in facts for line in fact(name, text, width)]
    for number, step in enumerate(record.steps):
        told = f"{clock_z(step.at)} {step.step}{': ' if step.detail else ''}{step.detail}"
        lines += fact("" if number else "steps", literal(told), width)
    return lines


def _cell(text: str, size: int) -> str:
    return fit(text, size - 1) + " "


class AuditScreen(Listing[AuditList, ActionRecord]):
    """Shows the audit of every gateway."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "dismiss", show=False), closing("audit")]
    title_text = "AUDIT"
    item_word = "action"

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture, AuditList(id=LIST_ID))

    @property
    def known(self) -> AuditRead:
        """What is known of the audit; nothing while it is unread."""
        return self.live.state.audit or NO_AUDIT

    @property
    def under_cursor(self) -> ActionRecord | None:
        return self.list.chosen

    def counted(self) -> str:
        number = len(self.known.records)
        if self.wanted:
            return f"{self.list.count} of {counted(number, 'action')}"
        return f"the newest {counted(number, 'action')} on every gateway"

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self.whole is not None:
            return (
                ("esc", "back to the list"),
                ("↑ ↓ pgup pgdn", "scroll"),
                (self.key_of("copy"), "copy it"),
            )
        return (
            ("esc", "show all" if self.wanted else "back"),
            ("enter", "whole action"),
            (self.key_of("find"), "filter"),
            (self.key_of("copy"), "copy it"),
            (self.key_of("follow"), "newest"),
        )

    def fill(self) -> None:
        self.list.show(
            self.live.view.same(matching_actions, self.known.records, self.wanted),
            self._why_empty(),
        )

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

    def columns(self, width: int) -> Line:
        return actions_head(width)

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
        if self.live.state.audit is None:
            return " the audit is being read …"
        return " nothing was done yet: every action will be here, refused and failed ones too"
