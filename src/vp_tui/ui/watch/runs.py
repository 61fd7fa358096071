"""The runs, one row a session in memory, and which of them is looked at closely.

The cursor stays on its session however rows move; a new alarm takes it, unless the operator has
just moved it. Looked at closely is the run that was asked for,
or by itself the gravest alarm.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar, Final, cast

from vp_tui.domain.models import StreamState
from vp_tui.domain.runs.levels import Level, either
from vp_tui.domain.text import age, clock_time, counted, fold, short_id
from vp_tui.ui.lines.paint import Line, fit, join, width_of
from vp_tui.ui.watch.logs import PaneList
from vp_tui.views import words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from vp_tui.domain.runs.levels import RunLevel
    from vp_tui.ui.actions import Keyboard, KeyedApp
    from vp_tui.ui.lines.paint import Span, Tone
    from vp_tui.views.runs import RunRow


USUAL: Final = 80
"""Columns below which a row has no room for since when its turn runs."""
CUT: Final = 3
"""Cells that tell that there is more: two blanks and `…`."""
SILENT_S: Final = 10.0
"""Seconds without a sign of progress from which on the silence stands out."""
MISSION_DIGITS: Final = 6
LEVEL_WIDTH: Final = 9
"""Cells of a level with its symbol; the longest word takes one more."""
UNTOLD: Final = "? stale"
"""Nothing that is known now tells the level."""
UNJUDGED: Final = "? not judged"
"""It ran already when vp-tui began to look."""
_LEVELS: Final[dict[Level, Span]] = {
    Level.IDLE: ("·", "dim"),
    Level.OK: ("●", "good"),
    Level.LONG: ("◔", "warn"),
    Level.QUIET: ("◌", "warn"),
    Level.STUCK: ("✗", "bad"),
    Level.QUEUED: ("…", "plain"),
    Level.DEAF: ("✗", "bad"),
    Level.ORPHAN: ("!", "warn"),
    Level.LOST: ("✗", "bad"),
}
"""The symbol of each, and its tone."""
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


class RunsList(PaneList):
    """The table of runs; an alarm takes the cursor where the operator did not just move it."""

    UNMOVED_S: Final = 10.0
    """For which the cursor must have stood still for an alarm to take it."""
    JUMPED_S: Final = 3.0
    """After a jump within which a key may be meant for the run that had the cursor before."""

    follows: ClassVar[bool] = False
    _rows: tuple[RunRow, ...] = ()
    _is_current = False
    _moved_at = _jumped_at = -inf
    """When the operator moved the cursor, and an alarm; as keys are read."""
    _alarms: frozenset[tuple[str, Level | None]] = frozenset()
    _before: str | None = None
    """Who had the cursor before the alarm took it."""

    def show(self, rows: tuple[RunRow, ...], empty: str, *, is_current: bool) -> None:
        """Show these rows; when the listing is not current they are what was, not what is."""
        self._rows, self.empty, self._is_current = rows, empty, is_current
        self.rows_changed()
        self._follow_alarms()
        if self._moved_at == -inf:  # as far up as can be: alarms stand at the top
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        if not self._is_cursor_in_view:  # rows above it came: what a key hits is always shown
            self.show_cursor()

    def _follow_alarms(self) -> None:
        """Put the cursor on the gravest new alarm; one that nobody ever moved stands on no less."""
        known, alarms = self._alarms, [row for row in self._rows if row.is_alarm]
        self._alarms = frozenset(map(_key, alarms))
        selected, now = self.selected, self._keyboard.now()
        if not alarms or now - self._moved_at < self.UNMOVED_S:
            return
        at = next((row for row in alarms if _id(row) == selected), None)
        is_idle = at is None and self._moved_at == -inf
        rang = [row for row in alarms if is_idle or _key(row) not in known]
        worst = min(rang, key=gravity, default=None)
        if worst is None or (at is not None and gravity(at) <= gravity(worst)):
            return
        self._before, self._jumped_at = selected, now
        self._place(self._rows.index(worst))
        self.show_cursor()

    @property
    def meant(self) -> tuple[str, ...]:
        """The sessions for which the key read last may be meant: the cursor's first."""
        sessions = () if self.selected is None else (self.selected,)
        had = self.index_of(self._before) if self._before is not None else None
        is_new = self._keyboard.read_at - self._jumped_at < self.JUMPED_S
        return (*sessions, _id(self._rows[had])) if is_new and had is not None else sessions

    def _set_following(self, following: bool) -> None:  # noqa: FBT001 - as in the base
        """Note when the operator moved the cursor: whatever moves it comes by here."""
        super()._set_following(following)
        self._moved_at, self._jumped_at = self._keyboard.now(), -inf

    @property
    def _keyboard(self) -> Keyboard:
        return cast("KeyedApp", self.app).keyboard

    @property
    def _is_cursor_in_view(self) -> bool:
        return 0 <= self.cursor - self.scroll_offset.y < self.size.height

    def on_resize(self) -> None:
        self.show_cursor()

    @property
    def selected(self) -> str | None:
        """The session under the cursor."""
        return _id(self._rows[self.cursor]) if self._rows else None

    def select(self, session_id: str) -> bool:
        """Put the cursor on a session; return whether it is among the rows."""
        place = self.index_of(session_id)
        if place is not None:
            self.go_to(place)
        return place is not None

    @property
    def count(self) -> int:
        return len(self._rows)

    def key_at(self, index: int) -> Hashable:
        return _id(self._rows[index])

    def index_of(self, key: Hashable) -> int | None:
        return next((place for place, row in enumerate(self._rows) if _id(row) == key), None)

    def paint(self, index: int) -> Line:
        row = self._rows[index]
        marker = ">" if index == self.cursor else " "
        name = join(marker, _level(row.level), " ", (short_id(_id(row)), "strong"), " ")
        about = _about(row, row.other_viewers if self._is_current else 0)
        room = self.size.width - width_of(name) - (CUT if about else 0)
        facts = _facts(row, room, short=self.size.width < USUAL)
        return join(name, facts, "  ", about)


def counted_levels(rows: Sequence[RunRow]) -> str:
    """Return how many runs stand out, by level: `1 stuck, 2 queued`."""
    # Of rivals only one can hang: together they count as one.
    found = [row.level.level for row in rows if not _is_second(row)]
    counts = [f"{found.count(level)} {level}" for level in COUNTED if level in found]
    unjudged = sum(row.level.is_unjudged for row in rows)
    if unjudged:
        counts.append(f"{unjudged} not judged")
    none = f"{Level.STUCK} unknown" if None in found else f"0 {Level.STUCK}"
    return ", ".join(counts) or none


def _is_second(row: RunRow) -> bool:
    is_stuck = row.level.level is not None and row.level.level.is_stuck
    return is_stuck and _id(row) in row.level.rivals[1:]


def _level(level: RunLevel) -> Line:
    """Return the level as symbol and word, in capitals when it is an alarm."""
    if level.level is None:
        told = UNJUDGED if level.is_unjudged else UNTOLD
        return ((fit(told, max(LEVEL_WIDTH, len(told))), "dim"),)
    symbol, tone = _LEVELS[level.level]
    doubt = "" if level.is_certain and not level.rivals else "?"
    told = f"{symbol} {words.level(level)}{doubt}"
    return ((fit(told, max(LEVEL_WIDTH, len(told))), tone),)


def _facts(row: RunRow, room: int, *, short: bool) -> Line:
    level = row.level.level
    if row.level.is_unjudged or row.level.is_old:
        return join(_holding(row), (row.level.reason, "plain"), _link(row))
    if level is None:
        return join((row.level.reason, "dim"), _link(row))
    if level is Level.IDLE:
        how = f"turn {'cancelled' if row.turn.cancelled else 'done'}"
        done = f"{how} {clock_time(row.ended)}" if row.ended else "no turn seen"
        return join((fit(done, 23), "dim"), _link(row))
    if level is Level.QUEUED:
        return join(_since_when(row), _queued(row), _link(row))
    if level in {Level.LOST, Level.ORPHAN, Level.DEAF}:
        return join(_holding(row), (row.level.reason, "plain"), _link(row))
    tone: Tone = "dim" if (row.silent_s or 0.0) < SILENT_S else "plain"
    silence = (fit(f"silent {age(row.silent_s)}", 13), tone)
    since = "" if short else _since_when(row)  # how long it is silent matters more
    told, link = join(since, silence, _holding(row), _tool_use(row)), _link(row)
    for more in _at_ease(row):  # whole ones only: the triage tells them too
        if width_of(told) + width_of(more) + width_of(link) <= room:
            told = join(told, more)
    return join(told, link)


def _since_when(row: RunRow) -> str:
    return fit(f"run {age(row.running_s)}", 9) + " "


def _queued(row: RunRow) -> Line:
    level = row.level
    whom = level.behind(short_id) + (" (a guess)" if level.is_guess else "")
    if level.is_blocker_stuck:
        return ((f"victim of {whom}: cancelling it frees nothing", "plain"),)
    return ((f"queued behind {whom}", "plain"),)


def _holding(row: RunRow) -> Line:
    """Say that the run keeps others waiting; that it keeps nobody waiting is no news."""
    if row.level.rivals:
        return ((f"{either(row.level.rivals, short_id)} holds the lock (a guess)  ", "warn"),)
    if not row.level.waiting:
        return ()
    guess = " (a guess)" if row.level.is_guess else ""
    number = len(row.level.waiting)
    waits = "waits" if number == 1 else "wait"
    return ((f"holds the lock, {number} {waits}{guess}  ", "warn"),)


def _tool_use(row: RunRow) -> Line:
    turn, facts = row.turn, join()
    if row.run.question is not None:
        facts = join(("asks ", "warn"), fold(row.run.question))
    elif turn.tool is not None:
        facts = join(("in ", "dim"), turn.tool, (f" {age(row.tool_s)}", "dim"))
    elif row.run.last_kind is not None:
        facts = join((f"last {row.run.last_kind}", "dim"))
    return facts


def _at_ease(row: RunRow) -> Iterator[Line]:
    """Yield what is good to know of a run where there is room."""
    if row.level.holds_lock and not row.level.waiting:
        yield (("  holds the lock, 0 wait", "dim"),)
    if row.mission.mission_id is not None:
        guess = "" if row.mission.is_certain else "?"
        yield ((f"  mission {row.mission.mission_id[-MISSION_DIGITS:]}{guess}", "dim"),)


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
        self.is_asked = False
        """Whether the selected run is looked at, whichever that is."""
        self._left: frozenset[tuple[str, Level | None]] = frozenset()
        """Alarms that the operator turned away from; another level is another alarm."""

    def leave(self, rows: Sequence[RunRow]) -> None:
        """Have the figures back; none of the alarms of now opens it again by itself."""
        self.is_asked = False
        self._left = frozenset(_key(row) for row in rows if row.is_alarm)

    def follow(self, rows: Sequence[RunRow], selected: str | None, *, by_itself: bool) -> bool:
        """Take up the runs as they are; return whether the mode was entered or left.

        `selected` has the cursor. With `by_itself` an alarm is looked at without being asked.
        """
        was_on = self.session_id is not None
        self._left = frozenset(key for key in self._left if _goes_on(key, rows))
        self.session_id = selected if self.is_asked else None
        if by_itself and not self.is_asked:
            alarms = (row for row in rows if row.is_alarm and _key(row) not in self._left)
            # The one under the cursor goes before that which keeps most others waiting.
            worst = min(alarms, key=lambda row: (_id(row) != selected, *gravity(row)), default=None)
            self.session_id = _id(worst) if worst else None
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
