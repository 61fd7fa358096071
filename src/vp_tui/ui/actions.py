"""The keys of the table of actions: how they are bound, named in the last line, and meant.

What acts must survive a sleepy engineer, a wrong pane and a paste, and stay quick for who means it.
"""

from __future__ import annotations

import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.ui.lines.paint import Line, cut, join, shorten, spread, width_of
from vp_tui.views.actions import ACTING, ALWAYS, action_named, actions_in, keys_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from textual.events import Event
    from textual.screen import Screen

    from vp_tui.state.state import Watch
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.actions import Action, AtHand
    from vp_tui.views.view import Live


OFF: Final = "✗"
"""Marks the key of a danger in read-only mode."""
FULL_WORDS: Final = 60
"""Columns from which on keys are named with what they do: help, quit, those of the find bar."""
STOPS: Final = "stop the countdown"
"""What esc does wherever it is pressed while the auto-revert counts down."""
HELD: Final = frozenset({"record-now", "acknowledge", "quit"})
"""What one key does at once: it waits whether another key comes."""
TYPING: Final = "typing or a paste: acting keys rest"
_NEVER_SENT: Final = "none"
"""Stands for a key where an action has none: Textual maps only what is bound to some key."""


def bindings(actions: Iterable[Action], *, read_only: bool) -> list[BindingType]:
    """Return the keys of the actions; `keymap` gives others, also to those that have none."""
    return [
        Binding(
            _as_one(action.keys),
            _press_of(action, read_only=read_only),
            action.label,
            id=action.id,
            show=False,
        )
        for action in actions
    ]


def closing(action_id: str) -> Binding:
    """Return that the key which opened a screen closes it, whatever it is mapped to."""
    return Binding(_as_one(action_named(action_id).keys), "dismiss", id=action_id, show=False)


def keymap(watch: Watch) -> dict[str, str]:
    """Return the keys that are not the table's own, by action: as Textual takes them."""
    if not watch.keys:
        return {}
    return {
        action.id: _as_one(action.keys)
        for action in actions_in(watch)
        if action.keys != action_named(action.id).keys
    }


def _as_one(keys: tuple[str, ...]) -> str:
    return ",".join(keys) or _NEVER_SENT


def call_of(action: Action, *, read_only: bool) -> str:
    """Return what a screen runs for an action, as Textual writes it.

    In read-only mode that of a danger only tells why not, whatever the state is.
    """
    if action.danger and read_only:
        return f"why_not('{action.id}')"
    return action.call


def _press_of(action: Action, *, read_only: bool) -> str:
    """Return what a key runs: it may be part of a typed word, unlike a choice in the palette."""
    is_acting = (action.id in ACTING or action.id in HELD) and not (action.danger and read_only)
    return f"app.press('{action.id}')" if is_acting else call_of(action, read_only=read_only)


def footer_line(watch: Watch, width: int, hands: AtHand, told: str = "") -> Line:
    """Return the keys that work now, whole ones only; help and quit always have a place.

    What was `told` a moment ago stands in place of the others.
    """
    marked = [action for action in actions_in(watch) if action.group == ALWAYS and action.footer]
    if width < FULL_WORDS:
        always: Line = join(*((f" {action.short_key} ", "accent") for action in marked))
    else:
        always = join(*map(_key, marked))
    if told:
        room = max(width - width_of(always), 0)
        return spread(shorten(((f" {told}", "warn"),), room), always, width)
    shown: Line = ()
    for action in keys_now(watch, hands):
        longer = (*shown, *_key(action))
        if width_of(longer) + width_of(always) < width:
            shown = longer
    return spread(shown, always, width)


def _key(action: Action) -> Line:
    tone: Tone = "warn" if action.danger else "accent"
    return join((f" {action.short_key} ", tone), f"{action.label} ")


def keys_line(keys: Sequence[tuple[str, str]], live: Live, told: str, width: int) -> Line:
    """Return the keys and what each does, the way out first; what is `told` leaves only that."""
    if live.state.auto_revert.is_counting:
        keys = ((STOP_KEY, STOPS), *keys[1:])
    way_out, *others = (join((f" {key} ", "accent"), f"{what} ") for key, what in keys)
    return told_line(told, way_out, width) if told else cut(join(way_out, *others), width)


def told_line(told: str, way_out: Line, width: int) -> Line:
    """Return what was told, and beside it only the way out."""
    room = max(width - width_of(way_out) - 1, 0)
    return spread(shorten(((f" {told}", "warn"),), room), way_out, width)


def fitting(keys: Iterable[str], width: int) -> str:
    """Return the keys that have room, whole ones: the first and the last, `esc`, always have."""
    parts = [part for part in keys if part]
    while len(parts) > 2 and len("  ".join(parts)) > width:  # noqa: PLR2004 - first and last
        del parts[-2]
    text = "  ".join(part.strip() for part in parts)
    return text if len(text) <= width else parts[-1].strip()


class Keyboard:
    """How keys are meant, told by the moments at which they were read from the terminal.

    Moments are seconds of the monotonic clock: not of when a busy screen came to a key.
    """

    APART_S: Final = 0.15
    """Printable keys that are closer than this may be typed, pasted, or one key that is held."""
    SILENCE_S: Final = 1.0
    """Without a key, after which typing is over."""
    SPLIT_S: Final = 0.5
    """Within which the parts of an arrow's sequence are one key."""
    READ_S: Final = 1.0
    """For which a dialog must have been on the screen to be read."""
    MEANT_S: Final = 0.3
    """After a printable key an enter may be the end of a typed line."""
    IDLE_S: Final = 60.0
    """Without a key, after which nobody stands before a dialog."""
    HOLD_S: Final = 0.6
    """For which a key that does something at once waits for another one."""

    has_brackets = False
    """Whether `[` alone is a key: of a sequence only behind its esc then."""
    settled_s = 2.0
    """For which a word must have stood to be written by one key."""

    def __init__(self) -> None:
        self.presses = 0
        """Keys that were read so far."""
        self.is_told = False
        """Whether it was said that acting keys rest."""
        self.read_at = self._printed_at = self._split_at = -inf
        """When the last key was read; a printable one; the begin of a sequence."""
        self._typed = 0
        self._is_typing = False
        self._resting: dict[str, bool] = {}
        self._sequence = ""

    def moment_of(self, key: Key) -> float:
        """Return when it was read."""
        return key.time

    def now(self) -> float:
        """Return the moment that it is."""
        return time.monotonic()

    def hold(self, app: App[None], act: Callable[[], Awaitable[None]]) -> None:
        """Act in a while: behind the keys that were read meanwhile, if the screen was busy."""
        app.set_timer(self.HOLD_S, partial(app.call_later, act))

    def whole(self, key: Key) -> Key | None:
        """Return the key that was meant; None while an arrow's sequence goes on.

        Slow lines split it: what a terminal sends as one is then read as esc, `[` and a letter.
        """
        at, sign = self.moment_of(key), key.character or ""
        if at - self._split_at > self.SPLIT_S:
            self._sequence = ""
        is_first = not self._sequence
        if key.key == "escape":
            self._sequence, self._split_at = "\x1b", at
            return key
        is_alone = is_first and (key.key == "O" or (sign == "[" and self.has_brackets))
        if sign in {"[", "O"} and not is_alone:
            self._sequence, self._split_at = "[", at if is_first else self._split_at
            return None
        if self._sequence != "[":
            self._sequence = ""
            return key
        if sign.isdigit() or sign == ";":
            return None
        self._sequence = ""
        if not sign.isalpha() and sign != "~":
            return key
        return Key(_SPLIT[sign], None) if sign in _SPLIT else None

    def read(self, key: Key) -> None:
        """Take note of a key, and of whether it may be part of something that is typed."""
        at = self.moment_of(key)
        if at - self.read_at >= self.SILENCE_S:
            self._is_typing = self.is_told = False
            self._resting.clear()
        is_close = at - self._printed_at < self.APART_S
        self.presses += 1
        self.read_at = at
        if key.is_printable:
            self._typed = self._typed + 1 if is_close else 1
            self._printed_at = at
        self._resting[key.key] = is_close or self._is_typing
        self._is_typing = self._is_typing or self._typed >= _TYPED

    def rests(self, keys: Iterable[str]) -> bool:
        """Tell whether an action of these keys is not taken, as the last of them was read."""
        return any(self._resting.get(key, False) for key in keys)

    def is_meant(self, shown_at: float) -> bool:
        """Tell whether the key read last was meant for what is on the screen since `shown_at`."""
        may_be_typed = self._printed_at > self.read_at - self.MEANT_S
        return self.read_at - shown_at >= self.READ_S and not may_be_typed

    def is_gone(self, shown_at: float) -> bool:
        """Tell whether no key came for long, while something waits for one since `shown_at`."""
        return self.now() - max(self.read_at, shown_at) >= self.IDLE_S


_TYPED: Final = 3
"""Printable keys in quick succession that are typing."""
_SPLIT: Final = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
"""What the last letter of a split sequence stands for."""


class KeyedApp(App[None]):
    """Takes keys as hands mean them; a base, so that dialogs know of no lane's app."""

    def __init__(self) -> None:
        super().__init__()
        self.keyboard = Keyboard()
        self.drafts: dict[str, dict[str, str]] = {}
        """What was typed in a dialog that a stray key closed, by dialog and field."""

    def unseen(self) -> str | None:
        """Say why nobody sees the screen, with a place for the verb; None: it may be seen."""
        return None

    def is_seen(self, what: str) -> bool:
        """Tell whether somebody sees what an order would do; one that nobody sees is held back."""
        if (why := self.unseen()) is None:
            return True
        self.hold_back(what, why)
        return False

    def hold_back(self, what: str, why: str) -> None:
        """Remember what was held back, to say it once the screen is seen again."""

    def at_end(self) -> None:
        """Leave nothing behind where the process is ended with no other ado."""

    async def detach(self) -> None:
        """Close what must not be left unread while vp-tui is stopped."""

    def attach(self) -> None:
        """Open it again."""

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded:
            is_text = self.focused is not None and self.focused.check_consume_key("O", "O")
            key = event if is_text else self.keyboard.whole(event)
            self.keyboard.read(event)
            if key is None:
                return
            event = key
        await super().on_event(event)

    async def press(self, action: Action, call: str) -> None:
        """Do what a key of `action` stands for, unless it may be typed."""
        if self.keyboard.rests(action.keys):
            if not self.keyboard.is_told:
                self.notify(TYPING, severity="warning", markup=False)
                self.keyboard.is_told = True
        elif not self.is_seen(action.label):
            return
        elif action.id in HELD:
            await self.screen.run_action(f"hold('{action.id}')")
            presses = self.keyboard.presses
            self.keyboard.hold(self, partial(self._held, presses, self.screen, action.label, call))
        else:
            await self.screen.run_action(call)

    async def _held(self, presses: int, screen: Screen[object], label: str, call: str) -> None:
        if not self.is_seen(label):
            return
        if self.keyboard.presses == presses and self.screen is screen:
            await screen.run_action(call)
        else:
            self.notify(f"{label}: stopped by another key", severity="warning", markup=False)
