"""The lists of the lower panes: events, logs with search, and links.

Events are what the sessions' streams say and what happens to the links, newest last. A log is the
lines that the tail endpoint gives; those that look like errors have a mark, which no copy has.
Links are every source and socket, since when, why, and what helps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.models import Health, Source, StreamState, TokenPresence
from vp_tui.domain.text import age, clock_time, counted, fold, is_error, short_id
from vp_tui.state.state import LogTail
from vp_tui.ui.kit.line_list import LineList
from vp_tui.ui.lines.header import assessment_of, trouble_line
from vp_tui.ui.lines.paint import WORD_SYMBOLS, WORD_TONES, Found, Line, briefer, chop, fit, join
from vp_tui.views import words
from vp_tui.views.sources import SourceView, log_view, see_sources, source_view
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from vp_tui.state.state import Clock, Entry, Link
    from vp_tui.ui.lines.paint import Span, Tone
    from vp_tui.views.sources import Trouble
    from vp_tui.views.view import View


ERROR_MARK: Final = "! "
"""Stands before a line that looks like an error: no colour alone tells it."""

_LINK_TONES: Final[dict[StreamState, Tone]] = {
    StreamState.LIVE: "good",
    StreamState.CONNECTING: "dim",
    StreamState.WAITING: "warn",
    StreamState.UNAUTHORIZED: "bad",
    StreamState.GONE: "dim",
}


class PaneList(LineList):
    """A list that is told what stands in it while it is empty."""

    empty = " nothing yet"

    @property
    def empty_text(self) -> str:
        return self.empty


class EventsList(PaneList):
    """The event list. Its rows are numbered entries, so that its place survives trimming."""

    row_word = "event"
    _entries: tuple[Entry, ...] = ()
    _has_ids = True
    _clock: Clock | None = None
    _shown: tuple[object, ...] = ()

    def show(
        self, entries: tuple[Entry, ...], clock: Clock, empty: str, *, has_ids: bool = True
    ) -> None:
        """Show these entries, with their sessions' ids or without where all are of one.

        `clock` turns their times into UTC.
        """
        self._clock, self._has_ids = clock, has_ids
        # A number is given once: what begins and ends alike is the same.
        shown = (len(entries), entries[:1], entries[-1:], empty, has_ids)
        if shown != self._shown:
            self._shown, self._entries, self.empty = shown, entries, empty
            self.rows_changed()

    @property
    def count(self) -> int:
        return len(self._entries)

    def key_at(self, index: int) -> Hashable:
        return self._entries[index].number

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        place = bisect_left(self._entries, key, key=lambda entry: entry.number)
        return place if place < self.count else None

    def paint(self, index: int) -> Line:
        entry = self._entries[index]
        wall = f"{clock_time(self._clock.wall_at(entry.at))} " if self._clock else ""
        session = short_id(entry.session_id) if entry.session_id else "--"
        whose: Span = (fit(session, 8) + " ", "accent" if entry.session_id else "dim")
        return join(
            (wall, "dim"),
            whose if self._has_ids else "",
            (fit(entry.kind, 14) + " ", entry.tone),
            (fold(entry.text), entry.tone if entry.tone != "good" else "plain"),
        )


class LogList(PaneList):
    """One log. Rows are numbered from the first line ever seen, so trimming moves nothing."""

    find_verb = "search"
    wanted = ""
    """What is searched for, its case folded."""
    is_wrapped = False
    """Whether long lines go on below, instead of beyond the edge."""
    _log = LogTail()
    _name = ""
    _laid: tuple[object, ...] = ()
    _rows: tuple[tuple[int, Line], ...] = ()

    def show(self, name: str, log: LogTail | None, empty: str) -> None:
        """Show the log called `name`; `empty` says why there are no lines when there are none."""
        shown, other = log or LogTail(), name != self._name
        changed = other or shown is not self._log or empty != self.empty
        self._name, self.empty, self._log = name, empty, shown
        if other:
            self.following = True
        if changed:
            self.rows_changed()

    def search(self, wanted: str) -> int:
        """Mark all lines that contain `wanted`, whatever the case; return how many there are."""
        self.wanted = wanted.casefold()
        self.refresh()
        return sum(self._matches(line) for line in self._log.lines)

    def find(self, wanted: str) -> Found | None:
        self.search(wanted)
        return self.go_to_match(-1) if wanted else None

    def go_to_match(self, step: int) -> Found:
        """Put the cursor on the next (1) or previous (-1) match, round the end."""
        return self._go_to_next("match", self._matches, step)

    def go_to_error(self) -> Found:
        """Put the cursor on the next line that looks like an error, round the end.

        From a log that is followed it goes to the newest one.
        """
        return self._go_to_next("error", is_error, -1 if self.following else 1)

    def _go_to_next(self, thing: str, is_wanted: Callable[[str], bool], step: int) -> Found:
        places = [place for place, line in enumerate(self._log.lines) if is_wanted(line)]
        if not places:
            return Found(thing, 0, 0, self.count)
        # A followed log's cursor is on a line that nobody has chosen: it counts as well.
        here = self.cursor + (self.following and step < 0)
        number = bisect_right(places, here) if step > 0 else bisect_left(places, here) - 1
        is_round = not 0 <= number < len(places)
        number %= len(places)
        self.go_to(places[number])
        end = ("end" if step > 0 else "beginning") if is_round else ""
        return Found(thing, number + 1, len(places), self.count, end)

    def wrap(self) -> None:
        """Have long lines go on below, or beyond the edge again."""
        self.is_wrapped, self.shift = not self.is_wrapped, 0
        # Any row may be the first in view: how many lines the others take is not known.
        self.room_below = self.size.height - 1 if self.is_wrapped else 0
        self.rows_changed()
        self.show_cursor()

    @property
    def cursor_text(self) -> str:
        """The line as it came, without the mark of an error."""
        return self._log.lines[self.cursor] if self.count else ""

    def height_of(self, index: int) -> int:
        return len(self._lines_of(index)) if self.is_wrapped else 1

    def row_at(self, y: int) -> tuple[int, Line] | None:
        if not self.is_wrapped:
            return super().row_at(y)
        top = self.scroll_offset.y
        laid = (id(self._log.lines), self._log.first, top, self.size, self.wanted)
        if laid != self._laid:
            self._laid, self._rows = laid, tuple(self._lay_out(top))
        return self._rows[y] if y < len(self._rows) else None

    def _lay_out(self, top: int) -> Iterator[tuple[int, Line]]:
        """Yield what stands on each line of the screen: only what is in view is wrapped."""
        room = self.size.height
        for index in range(top, self.count):
            lines = self._lines_of(index)[:room]
            yield from ((index, line) for line in lines)
            room -= len(lines)
            if room <= 0:
                return

    def _lines_of(self, index: int) -> list[Line]:
        """Return a row as it is wrapped, at most a screen of it."""
        width, height = max(self.scrollable_content_region.width, 1), max(self.size.height, 1)
        lines = chop(self.paint(index), width)
        if len(lines) <= height:
            return lines
        last = lines[height - 1]
        text = "".join(text for text, _tone in last)
        return [*lines[: height - 1], ((fit(f"{text}  ", width), last[-1][1]),)]

    @property
    def count(self) -> int:
        return len(self._log.lines)

    def key_at(self, index: int) -> Hashable:
        return self._log.first + index

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        index = max(key - self._log.first, 0)
        return index if index < self.count else None

    def paint(self, index: int) -> Line:
        text = self._log.lines[index]
        tone: Tone = "bad" if is_error(text) else "plain"
        line = _marked(text, self.wanted, tone) if self._matches(text) else ((text, tone),)
        return join((ERROR_MARK, tone), line) if tone == "bad" else line

    def _matches(self, text: str) -> bool:
        return bool(self.wanted) and self.wanted in text.casefold()


def _marked(text: str, wanted: str, tone: Tone) -> Line:
    """Return the text with each place of `wanted` (case-folded) marked."""
    folded = text.casefold()
    if len(folded) != len(text):
        return ((text, "match"),)
    spans: list[Span] = []
    start = 0
    while (place := folded.find(wanted, start)) >= 0:
        spans += [(text[start:place], tone), (text[place : place + len(wanted)], "match")]
        start = place + len(wanted)
    return (*spans, (text[start:], tone))


class LinksList(LineList):
    """The links, grouped: troubles, sources, streams, tokens."""

    follows: ClassVar[bool] = False
    _lines: tuple[Line, ...] = ()

    def show(self, view: View) -> None:
        """Show the links; where troubles would leave them no line, those told above go last."""
        found = troubles(view)
        first, last = found, found[:0]
        if self.size.height <= sum(2 if trouble.cure else 1 for trouble in found):
            above = _told_above(view, found)
            first = tuple(trouble for trouble in found if trouble.what not in above)
            last = tuple(trouble for trouble in found if trouble.what in above)
        lines = (*_trouble_lines(view, first), *_link_lines(view), *_trouble_lines(view, last))
        if lines != self._lines:
            self._lines = lines
            self.rows_changed()

    @property
    def count(self) -> int:
        return len(self._lines)

    def key_at(self, index: int) -> Hashable:
        return index

    def index_of(self, key: Hashable) -> int | None:
        return key if isinstance(key, int) and key < self.count else None

    @property
    def cursor_text(self) -> str:
        return "".join(text for text, _tone in self._lines[self.cursor]) if self.count else ""

    def paint(self, index: int) -> Line:
        """Return a line; its paths and ids are whole where it fits or is shifted, and on enter."""
        line, width = self._lines[index], self.scrollable_content_region.width
        return line if self.shift else briefer(line, width)


def _told_above(view: View, found: Sequence[Trouble]) -> set[str]:
    """Return the names of the troubles that the two lines of the header tell."""
    safety = assessment_of(view).safety if view.state.sources else ()
    told = {alarm.trouble for alarm in safety[:2]} - {""}
    rest = [trouble.what for trouble in found if trouble.is_grave or not safety]
    return told or ({*rest[:1]} if len(safety) <= 1 else set())


def _trouble_lines(view: View, found: Iterable[Trouble]) -> Iterator[Line]:
    here = see_sources(view)
    for trouble in found:
        yield trouble_line(trouble)
        if cure := trouble.cure.removeprefix(here).removeprefix("; "):
            yield join(("  -> ", "dim"), cure)


def _link_lines(view: View) -> Iterator[Line]:
    """Yield one line per source, socket and token."""
    for source in Source:
        if source is not Source.LOG:
            yield _source_line(source_view(view, source), str(source))
    for log_id in view.state.log_sources:
        name = "lane log" if log_id == view.state.lane_log_id else f"log {short_id(log_id)}"
        yield _source_line(log_view(view, log_id), name)
    for session_id, link in view.state.links.items():
        yield _stream_line(session_id, link, view.now)
    if not view.state.links:
        known = source_view(view, Source.SESSIONS).age_s is not None
        why = "no session is in the gateway's memory" if known else "no list of sessions yet"
        yield _fact("streams", f"none: {why}")
    tokens = view.state.tokens
    lack = "not looked for yet" if tokens is None else "none"
    found = tokens or TokenPresence()
    yield _fact("ops token", found.ops or f"{lack} (UA_OPS_TOKEN)")
    yield _fact("internal token", found.internal or f"{lack} (UA_INTERNAL_API_TOKEN)")
    if view.state.health:
        yield _fact("gateway", _gateway_facts(view.state.health))


def _source_line(view: SourceView, name: str) -> Line:
    data = f"data {age(view.age_s)} old" if view.age_s is not None else "no data"
    plane = f"  from the {view.plane} plane" if view.has_substitute else ""
    reason = f"  {view.failure.reason}" if view.failure else ""
    mark = WORD_SYMBOLS[view.word], WORD_TONES[view.word]
    word = words.source_word(view.word)
    return join(_state(mark, name, word), fit(data, 16), (plane, "warn"), reason)


def _stream_line(session_id: str, link: Link, now: float) -> Line:
    last = age(None if link.last_frame_at is None else now - link.last_frame_at)
    facts = f"for {age(now - link.since)}  {counted(link.frames, 'frame')}, last {last}"
    gaps = f"  {counted(link.gaps, 'gap')}" if link.gaps else ""
    reason = f"  {link.reason}" if link.reason else ""
    mark = "●" if link.state is StreamState.LIVE else "◌", _LINK_TONES[link.state]
    name = f"ws {short_id(session_id)}"
    return join(_state(mark, name, link.state), facts, (gaps, "warn"), reason)


def _state(mark: Span, name: str, word: str) -> Line:
    symbol, tone = mark
    return join((f"{symbol} ", tone), fit(name, 15), (fit(word, 13), tone))


def _fact(name: str, text: str) -> Line:
    return join(f"  {fit(name, 15)}{text}")


def _gateway_facts(health: Health) -> str:
    offset = "unknown" if health.clock_offset_s is None else f"{health.clock_offset_s:+.0f} s"
    database = health.db_status or "unknown"
    return f"{health.status}, {words.version(health)}, database {database}, clock offset {offset}"
