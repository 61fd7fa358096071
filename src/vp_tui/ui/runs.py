"""The runs: one row a session in memory. The cursor stays on its session however rows move."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.events import StreamState
from vp_tui.domain.text import fold
from vp_tui.selectors import RunRow, short_id
from vp_tui.ui.lines import LineList
from vp_tui.ui.paint import Line, age, fit, join

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vp_tui.sources import SourceView
    from vp_tui.ui.tones import Tone

SILENT_S: Final = 10.0
"""Seconds without a sign of progress from which on the silence stands out."""


class RunsList(LineList):
    """The table of runs."""

    follows: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rows: tuple[RunRow, ...] = ()
        self._places: dict[str, int] = {}
        self._current = True
        self._is_known = False
        self._matching = ""

    def show(self, rows: tuple[RunRow, ...], source: SourceView, matching: str) -> None:
        """Show these rows; when the listing is not current they are what was, not what is."""
        self._matching = matching
        self._rows = rows
        self._current = source.is_current
        self._is_known = source.age_s is not None
        self._places = {row.session.session_id: place for place, row in enumerate(rows)}
        self.rows_changed()

    @property
    def selected(self) -> str | None:
        """The session under the cursor."""
        return self._rows[self.cursor].session.session_id if self._rows else None

    @property
    def count(self) -> int:
        return len(self._rows)

    @property
    def empty_text(self) -> str:
        if self._matching:
            return f" no session matches /{self._matching}/: esc shows all"
        return " no session in memory" if self._is_known else " no list of sessions yet"

    def key_at(self, index: int) -> Hashable:
        return self._rows[index].session.session_id

    def index_of(self, key: Hashable) -> int | None:
        return self._places.get(str(key))

    def paint(self, index: int) -> Line:
        row = self._rows[index]
        marker = ">" if index == self.cursor else " "
        tone: Tone = "good" if row.session.is_running and self._current else "dim"
        doubt = "" if self._current else "?"
        status = join(marker, (fit(row.session.status + doubt, 8), tone), " ")
        name = join((short_id(row.session.session_id), "strong"), " ")
        facts = _running_facts(row) if row.session.is_running else _idle_facts(row)
        others = row.other_viewers if self._current else 0
        tail = join(facts, "  ", _about(row, others))
        return join(status, name, tail)


def _running_facts(row: RunRow) -> Line:
    silent: Tone = "dim" if (row.silent_s or 0.0) < SILENT_S else "plain"
    facts = join(
        fit(f"run {age(row.running_s)}", 9), (fit(f"silent {age(row.silent_s)}", 13), silent)
    )
    turn = row.turn
    if turn.tool is not None:
        facts = join(facts, ("in ", "dim"), turn.tool, (f" {age(row.tool_s)}", "dim"))
    elif row.run.last_kind is not None:
        facts = join(facts, (f"last {row.run.last_kind}", "dim"))
    if turn.mission_id is not None:
        facts = join(facts, (f"  mission {turn.mission_id[-6:]}", "dim"))
    return join(facts, _link(row))


def _idle_facts(row: RunRow) -> Line:
    if row.ended is None:
        done = "no turn seen"
    else:
        done = f"turn {'cancelled' if row.turn.cancelled else 'done'} {row.ended:%H:%M:%S}"
    return join((fit(done, 23), "dim"), _link(row))


def _link(row: RunRow) -> Line:
    if row.link is None:
        return (("  not attached", "dim"),)
    if row.link.state is not StreamState.LIVE:
        return ((f"  stream {row.link.state}", "warn"),)
    return ()


def _about(row: RunRow, others: int) -> Line:
    viewers = f"{others} other viewer{'s' * (others > 1)}  " if others else ""
    about = fold(row.session.description or row.turn.query or "")
    return ((viewers + about, "dim"),)
