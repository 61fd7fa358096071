"""The runs, one row a session in memory, and which of them is looked at closely.

The cursor stays on its session however rows move. Looked at closely is the run that was asked for,
or by itself the gravest alarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.models import StreamState
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import clock_time, counted, fold, short_id
from vp_tui.ui.kit.line_list import LineList
from vp_tui.ui.lines.paint import Line, age, fit, join
from vp_tui.views import words
from vp_tui.views.actions import key_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from vp_tui.domain.runs.levels import RunLevel
    from vp_tui.state.state import Watch
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.runs import RunRow
    from vp_tui.views.sources import SourceView


SILENT_S: Final = 10.0
"""Seconds without a sign of progress from which on the silence stands out."""
MISSION_DIGITS: Final = 6
LEVEL_WIDTH: Final = 9
"""Cells of a level with its symbol."""
UNTOLD: Final = "? stale"
"""Nothing that is known now tells the level."""
_SYMBOLS: Final = {
    Level.IDLE: "·",
    Level.OK: "●",
    Level.LONG: "◔",
    Level.QUIET: "◌",
    Level.STUCK: "✗",
    Level.QUEUED: "…",
    Level.DEAF: "✗",
    Level.ORPHAN: "!",
    Level.LOST: "✗",
}
_TONES: Final[dict[Level, Tone]] = {
    Level.IDLE: "dim",
    Level.OK: "good",
    Level.LONG: "warn",
    Level.QUIET: "warn",
    Level.STUCK: "bad",
    Level.QUEUED: "plain",
    Level.DEAF: "bad",
    Level.ORPHAN: "warn",
    Level.LOST: "bad",
}
COUNTED: Final = (
    Level.STUCK,
    Level.DEAF,
    Level.LOST,
    Level.ORPHAN,
    Level.QUEUED,
    Level.LONG,
    Level.QUIET,
)
"""Levels that the title counts, the gravest first."""


class RunsList(LineList):
    """The table of runs."""

    follows: ClassVar[bool] = False

    def __init__(self, watch: Watch, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._watch = watch
        self._rows: tuple[RunRow, ...] = ()
        self._places: dict[str, int] = {}
        self._source: SourceView | None = None
        self._matching = ""

    def show(self, rows: tuple[RunRow, ...], source: SourceView, matching: str) -> None:
        """Show these rows; when the listing is not current they are what was, not what is."""
        self._matching = matching
        self._rows = rows
        self._source = source
        self._places = {row.session.session_id: place for place, row in enumerate(rows)}
        self.rows_changed()

    @property
    def selected(self) -> str | None:
        """The session under the cursor."""
        return self._rows[self.cursor].session.session_id if self._rows else None

    def select(self, session_id: str) -> bool:
        """Put the cursor on a session; return whether it is among the rows."""
        place = self._places.get(session_id)
        if place is not None:
            self.go_to(place)
        return place is not None

    @property
    def count(self) -> int:
        return len(self._rows)

    @property
    def empty_text(self) -> str:
        if self._matching:
            key = key_of(self._watch, "back")
            return f" no session matches /{self._matching}/: {key} shows all"
        is_known = self._source is not None and self._source.age_s is not None
        return " no session in memory" if is_known else " no list of sessions yet"

    def key_at(self, index: int) -> Hashable:
        return self._rows[index].session.session_id

    def index_of(self, key: Hashable) -> int | None:
        return self._places.get(str(key))

    def paint(self, index: int) -> Line:
        row, source = self._rows[index], self._source
        marker = ">" if index == self.cursor else " "
        name = join((short_id(row.session.session_id), "strong"), " ")
        others = row.other_viewers if source is not None and source.is_current else 0
        about = _about(row, others)
        return join(marker, _level(row.level), " ", name, _facts(row), "  ", about)


def counted_levels(rows: Sequence[RunRow]) -> str:
    """Return how many runs stand out, by level: `1 stuck, 2 queued`."""
    found = [row.level.level for row in rows]
    counts = [f"{found.count(level)} {level}" for level in COUNTED if level in found]
    none = f"{Level.STUCK} unknown" if None in found else f"0 {Level.STUCK}"
    return ", ".join(counts) or none


def _level(level: RunLevel) -> Line:
    """Return the level as symbol and word, in capitals when it is an alarm."""
    if level.level is None:
        return ((fit(UNTOLD, LEVEL_WIDTH), "dim"),)
    doubt = "" if level.is_certain else "?"
    text = fit(f"{_SYMBOLS[level.level]} {words.level(level)}{doubt}", LEVEL_WIDTH)
    return ((text, _TONES[level.level]),)


def _facts(row: RunRow) -> Line:
    level = row.level.level
    if level is None:
        return join((row.level.reason, "dim"), _link(row))
    if level is Level.IDLE:
        return _idle_facts(row)
    if level is Level.QUEUED:
        return join(_since_when(row), _queued(row), _link(row))
    if level in {Level.LOST, Level.ORPHAN, Level.DEAF}:
        return join(_holding(row), (row.level.reason, "plain"), _link(row))
    return join(_since_when(row), _silence(row), _holding(row), _tool_use(row), _link(row))


def _since_when(row: RunRow) -> str:
    return fit(f"run {age(row.running_s)}", 9) + " "


def _silence(row: RunRow) -> Line:
    silent: Tone = "dim" if (row.silent_s or 0.0) < SILENT_S else "plain"
    return ((fit(f"silent {age(row.silent_s)}", 13), silent),)


def _queued(row: RunRow) -> Line:
    level = row.level
    blocker = short_id(level.blocker or "")
    guess = " (a guess)" if level.is_guess else ""
    if not level.is_blocker_stuck:
        return ((f"queued behind {blocker}{guess}", "plain"),)
    return ((f"victim of {blocker}{guess}: cancelling it frees nothing", "plain"),)


def _holding(row: RunRow) -> Line:
    """Say that the run keeps others waiting; that it keeps nobody waiting is no news."""
    if not row.level.waiting:
        return ()
    guess = " (a guess)" if row.level.is_guess else ""
    return ((f"HOLDS LOCK {len(row.level.waiting)} WAIT{guess}  ", "warn"),)


def _tool_use(row: RunRow) -> Line:
    turn, facts = row.turn, join()
    if row.run.question is not None:
        facts = join(("asks ", "warn"), fold(row.run.question))
    elif turn.tool is not None:
        facts = join(("in ", "dim"), turn.tool, (f" {age(row.tool_s)}", "dim"))
    elif row.run.last_kind is not None:
        facts = join((f"last {row.run.last_kind}", "dim"))
    if row.mission.mission_id is not None:
        guess = "" if row.mission.is_certain else "?"
        shown = f"  mission {row.mission.mission_id[-MISSION_DIGITS:]}{guess}"
        facts = join(facts, (shown, "dim"))
    if row.level.holds_lock and not row.level.waiting:
        facts = join(facts, ("  holds lock, 0 wait", "dim"))
    return facts


def _idle_facts(row: RunRow) -> Line:
    if row.ended is None:
        done = "no turn seen"
    else:
        done = f"turn {'cancelled' if row.turn.cancelled else 'done'} {clock_time(row.ended)}"
    return join((fit(done, 23), "dim"), _link(row))


def _link(row: RunRow) -> Line:
    if row.link is None:
        return (("  not attached", "dim"),)
    if row.link.state is not StreamState.LIVE:
        return ((f"  stream {row.link.state}", "warn"),)
    return ()


def _about(row: RunRow, others: int) -> Line:
    viewers = f"{counted(others, 'other viewer')}  " if others else ""
    about = fold(row.session.description or row.turn.query or "")
    whose = "our probe  " if row.is_probe else ""
    return ((viewers + whose + about, "dim"),)


class TriageChoice:
    """The mode of the watch screen in which one run takes the place of the figures."""

    def __init__(self) -> None:
        self.session_id: str | None = None
        """The run that is looked at; None: the figures are in their place."""
        self.is_alone = True
        """Whether the events are those of its session only."""
        self._only_selected = False
        """Whether they are those of the selected session only while no run is looked at."""
        self._is_asked = False
        self._left: frozenset[tuple[str, Level | None]] = frozenset()
        """Alarms that the operator turned away from; another level is another alarm."""

    def ask(self) -> None:
        """Look at the selected run from now on, whichever that is."""
        self._is_asked = True

    def leave(self, rows: Sequence[RunRow]) -> None:
        """Have the figures back; none of the alarms of now opens it again by itself."""
        self._is_asked = False
        self._left = frozenset(_key(row) for row in rows if row.is_alarm)

    def follow(self, rows: Sequence[RunRow], selected: str | None, *, by_itself: bool) -> bool:
        """Take up the runs as they are; return whether the mode was entered or left.

        `selected` has the cursor. With `by_itself` an alarm is looked at without being asked.
        """
        was_on = self.session_id is not None
        self._left = frozenset(key for key in self._left if _goes_on(key, rows))
        self.session_id = selected if self._is_asked else None
        if by_itself and not self._is_asked:
            self.session_id = self._worst(rows, selected)
        return was_on != (self.session_id is not None)

    def change_scope(self) -> None:
        """Have the events of all sessions instead of one's, or the other way round."""
        if self.session_id is not None:
            self.is_alone = not self.is_alone
        else:
            self._only_selected = not self._only_selected

    def events_of(self, selected: str | None) -> str | None:
        """Return the session whose events are shown, None for all; `selected` has the cursor."""
        if self.session_id is not None:
            return self.session_id if self.is_alone else None
        return selected if self._only_selected else None

    def _worst(self, rows: Sequence[RunRow], selected: str | None) -> str | None:
        """Return the alarm under the cursor, else the one that keeps most others waiting."""
        alarms = [row for row in rows if row.is_alarm and _key(row) not in self._left]
        if not alarms:
            return None
        worst = min(alarms, key=lambda row: (_id(row) != selected, *gravity(row)))
        return _id(worst)


def gravity(row: RunRow) -> tuple[bool, int, str]:
    """Return a key that sorts the gravest alarm first: one that hangs, with most behind it."""
    is_stuck = row.level.level is not None and row.level.level.is_stuck
    return (not is_stuck, -len(row.level.waiting), _id(row))


def _id(row: RunRow) -> str:
    return row.session.session_id


def _key(row: RunRow) -> tuple[str, Level | None]:
    return _id(row), row.level.level


def _goes_on(key: tuple[str, Level | None], rows: Sequence[RunRow]) -> bool:
    """Tell whether an alarm is still the same one; what cannot be told now has not changed."""
    session_id, level = key
    return any(_id(row) == session_id and row.level.level in {level, None} for row in rows)
