"""The help, the explanation, and one line whole: texts that are read, not acted on.

Help lists every key, from the same registry that binds it; the explanation is the whole assessment
in words, as it is now or was when frozen.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.ui.actions import OFF, bindings, closing, keys_line
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import LastLine, Overlay, Scrolled, to_clipboard
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.lines.paint import (
    Line,
    chop,
    fit,
    heading,
    join,
    paragraph,
    plain,
    wrap_line,
)
from vp_tui.views.actions import action_named, actions_in, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from textual.app import ComposeResult
    from textual.widget import Widget

    from vp_tui.state.state import Watch
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.views.view import Live


DANGER: Final = "!"
"""Marks what changes the gateway."""
GLOSSARY: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "The badge, top left; joined by +": (
        ("LIVE", "all that is shown is known to be true now; only alone it says that all is well"),
        ("ALARM", "something rang that nobody has acknowledged"),
        ("CONNECTING", "nothing has answered yet; no trouble so far"),
        (
            "STALE",
            (
                "a source gave neither an answer nor an error for twice the time that is usual"
                " between two answers, or it answers with what is old"
            ),
        ),
        ("DOWN", "a source fails; the others go on"),
        ("LOST", "nothing answers: the figures are those of before"),
        ("UNAUTHORIZED", "a token is missing or was refused (401)"),
        ("BLIND", "nobody saw how missions of the window or of the last 20 ended"),
        ("IMPAIRED", "all answers, and something grave is wrong: it stands in the lines below"),
        ("FROZEN", "the picture stands still; watching and alarms go on"),
        ("REPLAY", "a recording, not the gateway: how it is played stands beside it"),
        ("READ-ONLY", "this vp-tui sends nothing that changes anything"),
        ("RW, RO", "this vp-tui may act, or only read"),
    ),
    "Alarms": (
        ("action interrupted", "a vp-tui ended while it acted: how that ended is not known"),
        ("guardrail tripped", "too many of the newest missions fell back, or failed in a row"),
        ("auto-revert", "fallback is about to be forced, in so many seconds"),
        ("brake contradicted", "a mission was dispatched although the last change forbids it"),
        ("stuck run", "a run without progress for the limit: it may hold all others up"),
        ("deaf run", "cancelled, and it goes on: only a restart ends it"),
        ("lost run", "a run's session is gone, without an end that was heard"),
        ("cancel unconfirmed", "no later turn completed after a cancel: not known to be recovered"),
        ("gateway lost", "as LOST"),
        ("lock held", "by something that is not listed, or by one of several: no run is blamed"),
        ("lane cannot start", "turns end before a mission is made: see the lane's log"),
        ("outcomes unknown", "as BLIND"),
    ),
    "Sources and streams": (
        ("live", "answered in time; its age stands beside it"),
        ("asking", "a source that has not answered yet"),
        ("stale", "as STALE, of one source"),
        ("down", "as DOWN, of one source"),
        ("unauthorized", "as UNAUTHORIZED, of one source"),
        ("connecting", "a stream that is being attached"),
        ("waiting", "a stream that is tried again in a while"),
        ("gone", "a stream whose session is no more"),
        ("v1, v2", "generations of the gateway: v1 has one lock for all runs, v2 one a session"),
        ("continuity", "the gateway's own report of its sessions: gate suites reads it"),
    ),
    "Gates and their verdicts": (
        ("rate", "the fallback rate is below its target"),
        ("failures", "no mission failed on both paths, lane and primary"),
        ("p95", "the lane's times are stable and in range"),
        ("suites", "no continuity alert, and the continuity suites passed"),
        ("PASS", "proven, as the rule wants it"),
        ("WATCH", "not as it should be, and no reason to stop"),
        ("FAIL", "no promotion"),
        ("INCONCLUSIVE", "not proven yet; what it needs stands beside it"),
        ("UNKNOWN", "cannot be told: blind, stale or no source"),
        ("WAIVED", "set aside by an engineer, with a reason; never a PASS"),
        ("not proven", "what the gates still lack; it forbids no row"),
        ("may be recorded", "the word that the rules give this window now"),
    ),
    "Figures": (
        ("fallback", "missions that the primary path had to answer, of those finished"),
        ("fell back", "the lane failed and the primary path answered"),
        ("reported", "the gateway's own rate; it counts running missions too"),
        ("reconstructed", "our own rate: finished missions, by events, streams and earlier polls"),
        ("agrees", "both rates count the same fallbacks"),
        ("inferred", "no event says so, the place of the result does"),
        ("known", "outcomes known of so many missions that the gateway lists"),
        ("at most", "the rate is below this with 95% certainty"),
        ("n/a", "nothing to divide by, or nothing known: it is not 0"),
        ("2nd of 18", "which of so many times the p95 is: the second longest of 18"),
        ("last 20", "the newest finished missions, which the guardrail counts"),
        ("trips at", "so many fallbacks among these trip the guardrail"),
        ("cancels", "cancels whose recovery is awaited"),
        ("rows 7/10", "real missions recorded since the stage began, of the ten wanted"),
        ("orphaned", "reads running and cannot be: its run is no more"),
        ("no mission", "turns that made none, so that no rate can see them"),
        ("unstarted", "turns that could not start the lane"),
        ("window", "what is observed now: it ends with a row; proposed: no one opened it yet"),
        ("epoch", "one life of the gateway, from boot to boot"),
        ("dim", "a figure that is not known to be true now"),
        ("·  F  X", "a mission that was clean, fell back, failed"),
    ),
    "Runs": (
        ("idle", "no turn is running"),
        ("ok", "a turn makes progress"),
        ("long", "it makes progress, and others have waited long"),
        ("quiet", "half of the limit without progress"),
        ("stuck", "the limit without progress"),
        ("queued", "waits for another run's end: cancelling it frees nothing"),
        ("deaf", "cancelled, and its turn has not ended"),
        ("orphaned", "cancelled, and its engine goes on writing"),
        ("lost", "its session is gone"),
        ("not judged", "it ran already when vp-tui began to look: how it does is not known yet"),
        ("stale", "the list of sessions is old: only what its stream tells is known"),
        ("victim of", "queued behind a run that hangs"),
        ("holds the lock", "the others wait for it"),
        ("a guess", "what speaks for it is told in the triage"),
    ),
    "The lane": (
        ("delegating", "coding turns go to the lane"),
        ("shadow", "the lane is on, and gets no turn"),
        ("forced fallback", "all turns take the primary path"),
        ("disabled", "the lane is switched off"),
        ("cannot start", "a turn could not start it, and none was delegated since"),
        ("CONFIRMED", "a coding turn showed that the change is in force"),
        ("UNCONFIRMED", "nothing has shown it in time"),
        ("CONTRADICTED", "a turn showed the opposite"),
        ("YOU are the auto-revert", "nothing forces fallback by itself"),
        ("held back", "nobody can see the screen: no countdown begins or goes on"),
        ("dry-run, armed", "the auto-revert only says what it would do, or does it"),
    ),
    "Keys": (
        ("acting keys rest", "keys came as if typed or pasted: wait 1 s, then press again"),
        ("2 of 14", "lines that the filter keeps, or the match under the cursor"),
        ("pause/play", "in a replay: stops it, or goes on"),
    ),
}
"""Each word of the screen by its topic, and what it means."""
_MORE: Final = (
    f"While AUTO-REVERT counts down {STOP_KEY} stops it, wherever it is pressed.",
    "Watching sends nothing to a run, and closing vp-tui changes nothing.",
)

_WIDTH: Final = 80
"""Columns of the help at most, as in the stylesheet."""
_FRAME: Final = 5
"""Columns of its border, padding and scroll bar."""
_MARGIN: Final = 2
"""Cells beside the text: a blank at its left, the scroll bar at its right."""


class HelpScreen(ModalScreen[None]):
    """All keys by group, and what each word of the screen means."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        closing("help"),
    ]

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def compose(self) -> ComposeResult:
        self._lines = Lines(id="help-lines")
        box = Scrolled(self._lines, id="help")
        box.border_title = "Keys, and what each word means"
        yield box
        yield LastLine(self._last_line, id="help-keys")

    def on_mount(self) -> None:
        line = self.query_one(LastLine)
        self._unsubscribe = self._live.store.subscribe(lambda _state: line.redraw())

    def on_unmount(self) -> None:
        self._unsubscribe()

    def _last_line(self, told: str) -> Line:
        keys = (("esc", "closes"), ("↑ ↓ pgup pgdn", "scroll"), ("end", "words"))
        return keys_line(keys, self._live, told, self.app.size.width)

    def on_resize(self) -> None:
        self.query_one(LastLine).redraw()
        self._lines.show(
            help_lines(self._live.state.watch, min(self.app.size.width, _WIDTH) - _FRAME)
        )


def help_lines(watch: Watch, width: int = _WIDTH - _FRAME) -> list[Line]:
    """Return the keys by group, dangers marked, and the glossary."""
    mark, table = OFF if watch.read_only else DANGER, actions_in(watch)
    lines: list[Line] = []
    for group, actions in groupby(table, key=lambda action: action.group):
        lines.append(((group, "strong"),))
        for action in actions:
            marked = f"{mark if action.danger else ' '} "
            prefix = join((marked, "warn"), (fit(action.shown_key, 7), "accent"))
            lines += wrap_line(action.help, width, prefix)
        lines.append(())
    if any(action.danger for action in table):
        told = "is off: vp-tui is read-only" if watch.read_only else "changes the gateway"
        lines += [plain(f"{mark} {told}."), ()]
    for topic, meanings in GLOSSARY.items():
        lines.append(heading(topic))
        for word, meaning in meanings:
            lines += paragraph(join((word, "strong"), f": {meaning}"), width)
        lines.append(())
    return [*lines, *(line for told in _MORE for line in paragraph(told, width))]


class ExplainScreen(Overlay):
    """Verdict, word, window, gates, guardrails and statistics, each with its rule."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        closing("explain"),
    ]
    DEFAULT_CSS = """
    ExplainScreen #explain { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    title_text = "EXPLAIN"

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture)
        self._text = Lines(id="explain-lines")

    def content(self) -> Iterable[Widget]:
        yield Scrolled(self._text, id="explain")

    def facts(self, shown: Picture) -> Line:
        return ((shown.view.state.watch.vp_id, "plain"),)

    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("esc", "back"), *self.scroll_keys(("↑ ↓ j k", "scroll"), ("pgup pgdn", "page")))

    def draw(self, shown: Picture, width: int) -> None:
        self._text.show(explanation(shown.view, width - _MARGIN))


class LineScreen(Overlay):
    """One line of a log, an event or a link, whole."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        *bindings([action_named("copy")], read_only=True),
    ]
    DEFAULT_CSS = """
    LineScreen #line { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    title_text = "WHOLE LINE"

    def __init__(
        self, live: Live, picture: Callable[[], Picture], row_word: str, text: str
    ) -> None:
        super().__init__(live, picture)
        self._row_word = row_word
        self._whole = text
        self._text = Lines(id="line-lines")

    def content(self) -> Iterable[Widget]:
        yield Scrolled(self._text, id="line")

    def facts(self, shown: Picture) -> Line:  # noqa: ARG002 - the line as it was chosen
        return join(f"of {len(self._whole):,} characters")

    def keys(self) -> tuple[tuple[str, str], ...]:
        copy = key_of(self.live.state.watch, "copy")
        scroll = self.scroll_keys(("↑ ↓ pgup pgdn", "scroll"))
        return (("esc", "back"), (copy, f"copy the {self._row_word}"), *scroll)

    def draw(self, shown: Picture, width: int) -> None:  # noqa: ARG002 - the line as it was chosen
        self._text.show(chop(plain(self._whole), width - _MARGIN))

    def action_copy(self) -> None:
        to_clipboard(self, self._whole, self._row_word)
