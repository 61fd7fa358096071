"""The links: every source and socket, since when, why, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.events import Source, StreamState
from vp_tui.selectors import short_id
from vp_tui.sources import SourceView, log_view, source_view
from vp_tui.summary import troubles
from vp_tui.ui.header import WORD_SYMBOLS, WORD_TONES
from vp_tui.ui.lines import LineList
from vp_tui.ui.paint import Line, age, fit, join, plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from vp_tui.state import Link, State
    from vp_tui.ui.tones import Tone

_LINK_TONES: Final[dict[StreamState, Tone]] = {
    StreamState.LIVE: "good",
    StreamState.CONNECTING: "dim",
    StreamState.WAITING: "warn",
    StreamState.UNAUTHORIZED: "bad",
    StreamState.GONE: "dim",
}


class LinksList(LineList):
    """The links, grouped: troubles, sources, streams, tokens."""

    follows: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()

    def show(self, state: State, now: float) -> None:
        """Show the links as they stand."""
        lines = tuple(link_lines(state, now))
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

    def paint(self, index: int) -> Line:
        return self._lines[index]


def link_lines(state: State, now: float) -> Iterator[Line]:
    """Yield one line per source and socket, with cause and cure under what is not well."""
    for trouble in troubles(state, now):
        tone: Tone = "bad" if trouble.is_grave else "warn"
        yield join(("! ", tone), (trouble.what, tone), f": {trouble.reason}")
        yield join(("  -> ", "dim"), trouble.cure)
    for source in Source:
        if source is not Source.LOG:
            yield _source_line(source_view(state, source, now), str(source))
    for log_id in state.log_sources:
        name = "lane log" if log_id == state.lane_log_id else f"log {short_id(log_id)}"
        yield _source_line(log_view(state, log_id, now), name)
    for session_id, link in state.links.items():
        yield _stream_line(session_id, link, now)
    if not state.links:
        known = source_view(state, Source.SESSIONS, now).age_s is not None
        why = "no session is in the gateway's memory" if known else "no list of sessions yet"
        yield _fact("streams", f"none: {why}")
    yield _fact("ops token", state.tokens.ops or "none (UA_OPS_TOKEN)")
    yield _fact("internal token", state.tokens.internal or "none (UA_INTERNAL_API_TOKEN)")
    if state.health:
        yield _fact("gateway", _gateway_facts(state))


def _source_line(view: SourceView, name: str) -> Line:
    data = f"data {age(view.age_s)} old" if view.age_s is not None else "no data"
    plane = f"  from the {view.plane} plane" if view.has_substitute else ""
    reason = f"  {view.failure.reason}" if view.failure else ""
    return join(
        (f"{WORD_SYMBOLS[view.word]} ", WORD_TONES[view.word]),
        fit(name, 15),
        (fit(str(view.word), 13), WORD_TONES[view.word]),
        fit(data, 16),
        (plane, "warn"),
        reason,
    )


def _stream_line(session_id: str, link: Link, now: float) -> Line:
    symbol = "●" if link.state is StreamState.LIVE else "◌"
    last = age(now - link.last_frame_at) if link.last_frame_at is not None else "-"
    facts = f"for {age(now - link.since)}  {link.frames} frames, last {last}"
    gaps = f"  {link.gaps} gap{'s' * (link.gaps > 1)}" if link.gaps else ""
    return join(
        (f"{symbol} ", _LINK_TONES[link.state]),
        fit(f"ws {short_id(session_id)}", 15),
        (fit(str(link.state), 13), _LINK_TONES[link.state]),
        facts,
        (gaps, "warn"),
        f"  {link.reason}" if link.reason else "",
    )


def _fact(name: str, text: str) -> Line:
    return plain(f"  {fit(name, 15)}{text}")


def _gateway_facts(state: State) -> str:
    health = state.health
    if health is None:
        return ""
    offset = "unknown" if health.clock_offset_s is None else f"{health.clock_offset_s:+.0f} s"
    return (
        f"{health.status}, version {health.version or 'unknown'}, {health.dialect}, "
        f"database {health.db_status or 'unknown'}, clock offset {offset}"
    )
