"""Which run is looked at closely: the one that was asked for, or by itself the gravest alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.levels import Level
    from vp_tui.fleet import RunRow


class Triaging:
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
            self.session_id = self._gravest(rows, selected)
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

    def _gravest(self, rows: Sequence[RunRow], selected: str | None) -> str | None:
        """Return the alarm under the cursor, else the one that keeps most others waiting."""
        alarms = [row for row in rows if row.is_alarm and _key(row) not in self._left]
        if not alarms:
            return None
        gravest = min(alarms, key=lambda row: (_id(row) != selected, *gravity(row)))
        return _id(gravest)


def gravity(row: RunRow) -> tuple[bool, int, str]:
    """Return a key that sorts the gravest alarm first: one that hangs, with most behind it."""
    hangs = row.level.level is not None and row.level.level.hangs
    return (not hangs, -len(row.level.waiting), _id(row))


def _id(row: RunRow) -> str:
    return row.session.session_id


def _key(row: RunRow) -> tuple[str, Level | None]:
    return _id(row), row.level.level


def _goes_on(key: tuple[str, Level | None], rows: Sequence[RunRow]) -> bool:
    """Tell whether an alarm is still the same one; what cannot be told now has not changed."""
    session_id, level = key
    return any(_id(row) == session_id and row.level.level in {level, None} for row in rows)
