"""The table of all that the operator can do, and how the keys that do it are called.

Footer, help, palette, bindings, read-only mode, README's table of keys and every text that names a
key take it from here, as a watch maps it.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vp_tui.state.state import State, Watch


PALETTE: Final = "^p"
"""How a key is written that leads to the palette."""


ALWAYS: Final = "vp-tui"
"""The group of help and quit, which always have a place in the last line."""


class Action(NamedTuple):
    """Something the operator can do."""

    id: str
    """Names the action in the keymap and in tests."""
    keys: tuple[str, ...]
    """Textual key names; the first is the one that is shown. None: it is in the palette only."""
    help: str
    """For the help screen: one sentence."""
    own_call: str = ""
    """What the screen runs, as Textual writes an action; "": the handler of that id."""
    own_label: str = ""
    """What it is called, where that is not its id."""
    group: str = ""
    footer: bool = False
    danger: bool = False
    """It changes something on the gateway: in read-only mode no key leads to it."""
    key_text: str = ""
    """How the keys read in the help, where it is not the first key's name."""

    @property
    def call(self) -> str:
        """What the screen runs, as Textual writes an action."""
        return self.own_call or f"do('{self.id}')"

    @property
    def label(self) -> str:
        """For the footer: one or two words."""
        return self.own_label or self.id.replace("-", " ")

    @property
    def shown_key(self) -> str:
        """How the footer and the help call its key."""
        return self.key_text or (key_name(self.keys[0]) if self.keys else PALETTE)

    @property
    def short_key(self) -> str:
        """How the last line calls its key: one of them."""
        return self.shown_key.partition(" ")[0]


class AtHand(NamedTuple):
    """What the keys would act on now, as far as the last line of the screen tells it."""

    pane: str = "runs"
    """The one that has the focus."""
    is_frozen: bool = False
    is_refused: bool = False
    """A token was refused."""
    is_tripped: bool = False
    """The guardrail tripped, and fallback is not forced yet."""
    is_alarm: bool = False
    """A run has an alarm."""
    is_triage: bool = False
    is_deaf: bool = False
    """The run that is looked at does not hear: only a restart helps."""
    can_cancel: bool = True
    """The selected run can be hit."""
    missed: int | None = None
    """Lines that came since the reader left the newest; None: the list follows, or cannot."""
    found: str = ""
    """What the pane is filtered by, or searched for."""
    enter: str = "triage"
    """What enter leads to; "": nothing is there to look at."""


_DANGERS: Final = (
    Action(
        "cancel",
        ("c",),
        "Cancel the selected run, and follow it until it has recovered.",
        footer=True,
    ),
    Action(
        "cancel-all",
        (),
        "Cancel every listed run: here only, with a typed word.",
        own_label="cancel all runs",
    ),
    Action(
        "brake",
        ("F",),
        "Force fallback: all turns to the primary path; see it proven.",
        own_label="force fallback",
        footer=True,
    ),
    Action("probe", ("P",), "Probe the lane with one coding prompt of its own."),
    Action("restart", ("X",), "Restart the gateway by your command: kills all runs."),
    Action(
        "release",
        (),
        "End the forced fallback; with the lane's name typed.",
        own_label="release the brake",
    ),
    Action(
        "shadow-on", (), "Back to shadow mode: the lane gets no turn.", own_label="shadow mode on"
    ),
    Action("shadow-off", (), "End shadow mode: the lane gets turns.", own_label="shadow mode off"),
    Action("lane-on", (), "Switch the lane on; with its name typed."),
    Action("lane-off", (), "Switch the lane off; with its name typed."),
)
"""What changes something on the gateway."""

_GROUPS: Final = {
    "Panes": (
        Action("runs", ("1",), "Go to the runs.", "pane('runs')"),
        Action("events", ("2",), "Show the events of the sessions.", "pane('events')"),
        Action(
            "lane-log", ("3",), "Show the lane's log: delegated runs write it.", "pane('lane-log')"
        ),
        Action(
            "session-log",
            ("4",),
            "Show the selected session's log: primary-path runs write it.",
            "pane('session-log')",
        ),
        Action(
            "links",
            ("5",),
            "Show each source and socket, with its cause and cure.",
            "pane('links')",
        ),
        Action("next-pane", ("tab",), "Go to the next pane.", "next_pane", "pane", footer=True),
    ),
    "Moving": (
        Action(
            "up",
            ("k", "up"),
            "Move up; in a log or the events, stop following.",
            "cursor(-1)",
            key_text="k ↑",
        ),
        Action("down", ("j", "down"), "Move down.", "cursor(1)", key_text="j ↓"),
        Action(
            "follow",
            ("end", "G"),
            "Go to the newest line and follow it.",
            "follow",
            key_text="End G",
        ),
        Action(
            "page-up",
            ("pageup",),
            "Go up by a page; in a log or the events, stop following.",
            "page(-1)",
            key_text="pgup",
        ),
        Action("page-down", ("pagedown",), "Go down by a page.", "page(1)", key_text="pgdn"),
        Action("top", ("home",), "Go to the oldest line kept.", "top", "oldest"),
        Action("shift-left", ("left",), "Show what is further left of long lines.", "shift(-1)"),
        Action("shift-right", ("right",), "Show what is further right of long lines.", "shift(1)"),
    ),
    "Finding": (
        Action(
            "scope", ("s",), "Show events of all sessions, or of the selected one only.", "scope"
        ),
        Action(
            "find",
            ("slash",),
            "Filter runs or events, search a log; enter keeps, esc ends.",
            "find",
            "filter",
            footer=True,
        ),
        Action("next-match", ("n",), "Go to the next match in a log."),
        Action("previous-match", ("N",), "Go to the previous match in a log."),
        Action(
            "next-error",
            ("E",),
            "Go to the next line of a log that looks like an error: marked !.",
            own_label="error",
        ),
        Action("wrap", ("z",), "Wrap the long lines of a log, or cut them at the edge again."),
        Action("back", ("escape",), "Show all rows again; else leave the triage.", "back"),
    ),
    "Evidence": (
        Action(
            "record",
            ("r",),
            "Record the window with a decision of yours: shows the row first.",
            footer=True,
        ),
        Action("record-now", ("R",), "Record the window at once, with the suggested decision."),
        Action("window", ("w",), "Open a window; edit or close the one that is open."),
        Action(
            "waive",
            (),
            "Waive a gate for the open window, with a reason; never a PASS.",
            own_label="waive a gate",
        ),
        Action(
            "waiting",
            ("W",),
            "Show rows that could not be written to the log, and append them.",
            own_label="waiting rows",
        ),
        Action("explain", ("i",), "Explain verdict, gates, guardrails and statistics in full."),
        Action("evidence", ("e",), "Show the evidence log: all rows, and rate and p95 by window."),
        Action("hand-over", ("H",), "Write the handover text to a file, and copy it."),
    ),
    "Acting": (
        Action(
            "triage",
            ("enter",),
            "Look closely at the selected run; in other panes: the whole line.",
        ),
        Action("alarm", ("g",), "Go to the gravest alarm, or to what the badge tells of."),
        Action("audit", ("u",), "Show what was done, by whom, and what came of it."),
        Action("acknowledge", ("a",), "Say that you have seen the alarms."),
        *(action._replace(danger=True) for action in _DANGERS),
    ),
    "Watching": (
        Action(
            "freeze",
            ("p",),
            "Hold the picture still; watching goes on behind it.",
            "freeze",
            footer=True,
        ),
        Action("poll-faster", ("plus", "equals_sign"), "Poll faster, down to the floor."),
        Action("poll-slower", ("minus",), "Poll slower, up to the ceiling: spares the gateway."),
        Action(
            "read-tokens",
            ("A",),
            "Read the tokens again and try what was refused.",
            own_label="read tokens",
        ),
        Action("copy", ("y",), "Copy the line under the cursor; of a run, a summary.", "copy"),
    ),
    ALWAYS: (
        Action("help", ("question_mark", "f1"), "Show all keys.", footer=True, key_text="? F1"),
        Action("palette", ("ctrl+p",), "Find an action by its name.", "app.command_palette"),
        Action(
            "quit",
            ("q", "ctrl+c"),
            "Leave. The gateway and its runs go on.",
            "app.quit",
            footer=True,
        ),
    ),
}
"""In the order of the help screen."""

_REPLAYING: Final = (
    Action(
        "pause",
        ("space",),
        "Pause, or go on; at the end begin anew.",
        own_label="pause/play",
        footer=True,
    ),
    Action("step", ("full_stop",), "Take one event, and pause.", footer=True),
    Action(
        "minute-back",
        ("left_square_bracket",),
        "Go back a minute.",
        own_label="-1 min",
        footer=True,
    ),
    Action(
        "minute-on",
        ("right_square_bracket",),
        "Go on a minute.",
        own_label="+1 min",
        footer=True,
    ),
    Action("window-back", ("left_curly_bracket",), "Go back to where a window or its row changed."),
    Action("window-on", ("right_curly_bracket",), "Go on to where a window or its row changes."),
    Action(
        "last-change",
        ("less_than_sign",),
        "Go back to the last change of a word, gate, alarm or badge.",
        own_label="last change",
        footer=True,
    ),
    Action(
        "next-change",
        ("greater_than_sign",),
        "Go on to the next change of a word, gate, alarm or badge.",
        own_label="next change",
        footer=True,
    ),
    Action("to-time", ("T",), "Go to a time: seconds from the beginning, or UTC."),
    Action("play-faster", ("plus", "equals_sign"), "Play faster."),
    Action("play-slower", ("minus",), "Play slower."),
)
"""What only a replay has."""


def _in_groups(groups: Mapping[str, tuple[Action, ...]]) -> tuple[Action, ...]:
    return tuple(
        action._replace(group=group) for group, actions in groups.items() for action in actions
    )


ACTIONS: Final = _in_groups(_GROUPS)
ACTING: Final = frozenset(
    {
        "record", "record-now", "window", "waive", "waiting", "acknowledge", "read-tokens",
        "hand-over", "poll-faster", "poll-slower",
    }
    | {action.id for action in _DANGERS}
)  # fmt: skip
"""What changes something, or says something in the engineer's name."""
REPLAYED: Final = (
    *_in_groups({"Replaying": _REPLAYING}),
    *(action for action in ACTIONS if action.id not in ACTING),
)
"""What there is in a replay: no key of it acts."""
_BY_ID: Final = {action.id: action for action in (*ACTIONS, *REPLAYED)}


def action_named(action_id: str) -> Action:
    """Return the action of that id. Raises KeyError."""
    return _BY_ID[action_id]


def why_not(action: Action, state: State) -> str | None:
    """Return why the action cannot be done now, None when it can."""
    if action.danger and state.watch.read_only:
        return (
            f"read-only: {action.label} would change {state.watch.name}; "
            "to do it start vp-tui without --read-only and without read_only = true"
        )
    return None


def keys_now(watch: Watch, hands: AtHand) -> tuple[Action, ...]:
    """Return what the last line names now, the gravest first; labels say what they do now.

    What leads nowhere is not among them; help and quit always have a place, so they are not either.
    """
    table = {action.id: action for action in actions_in(watch)}
    labels: dict[str, str] = {}
    for action_id, label in _wanted(hands):
        labels.setdefault(action_id, label)
    marked = (action.id for action in table.values() if action.footer)
    return tuple(
        action._replace(own_label=labels.get(action.id) or action.own_label)
        for action in map(table.get, dict.fromkeys((*labels, *marked)))
        if action is not None
        and action.group != ALWAYS
        and not (action.danger and watch.read_only)
        and (hands.can_cancel or action.id != "cancel")
        and (hands.enter or action.id != "triage")
        and (hands.enter or hands.found or action.id != "find")
    )


def _wanted(hands: AtHand) -> Iterator[tuple[str, str]]:
    """Yield ids and labels, "" for the table's own, from the most urgent on."""
    urgent = {
        ("freeze", "thaw"): hands.is_frozen,
        ("read-tokens", ""): hands.is_refused,
        ("brake", ""): hands.is_tripped,
        ("restart", ""): hands.is_deaf,
        ("cancel", ""): hands.is_triage,
        ("alarm", ""): hands.is_alarm and not hands.is_triage,
        ("triage", hands.enter): hands.is_alarm and not hands.is_triage,
    }
    yield from (named for named, is_so in urgent.items() if is_so)
    if hands.missed is not None:
        lines = "line" if hands.missed == 1 else "lines"
        yield "follow", f"+{hands.missed:,} {lines}" if hands.missed else "newest"
    is_log = hands.pane in _LOGS
    if hands.found:
        yield from (("next-match", "next"), ("previous-match", "previous")) if is_log else ()
        yield "back", "end search" if is_log else "all rows"
    if is_log and (hands.enter or hands.found):
        yield from (("find", "search"), ("next-error", ""))
    for action_id in _AT_HAND[hands.is_triage]:
        yield action_id, hands.enter if action_id == "triage" else ""
    if hands.pane == "events":
        yield "scope", ""


_LOGS: Final = ("lane-log", "session-log")
_AT_HAND: Final = {
    False: ("record", "cancel", "brake", "triage"),
    True: ("copy", "record", "brake", "back", "find", "next-error"),
}
"""What the last line names where nothing is more urgent; True: beside a triage."""
_PALETTE: Final = "palette"
"""The action that leads to those without a key."""
_NAMES: Final = {
    "escape": "esc",
    "space": "space",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "delete": "del",
    "at": "@",
    "backslash": "\\",
    "minus": "-",
    "plus": "+",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "slash": "/",
    "underscore": "_",
}
"""Keys that are not called what Textual calls them, nor what Unicode does."""


def actions_in(watch: Watch) -> tuple[Action, ...]:
    """Return the table with the keys that this watch has."""
    table = REPLAYED if watch.is_replay else ACTIONS
    if not watch.keys:
        return table
    return tuple(_mapped(action, watch.keys) for action in table)


def key_of(watch: Watch, action_id: str) -> str:
    """Return how the key is called that does this here; where none does, the palette's."""
    keys = _keys(action_named(action_id), watch.keys)
    return key_name(keys[0]) if keys else key_of(watch, _PALETTE)


def key_name(key: str) -> str:
    """Return how a key is shown: `^p` for ctrl+p, `F1` for f1, `/` for slash."""
    *modifiers, plain = key.split("+")
    if modifiers == ["ctrl"]:
        return f"^{key_name(plain)}"
    if modifiers:
        return "+".join((*modifiers, key_name(plain)))
    if plain[:1] == "f" and plain[1:].isdigit():
        return plain.upper()
    return _NAMES.get(plain) or _sign(plain)


def _sign(key: str) -> str:
    """Return the sign that Unicode calls so; the name itself where that is none."""
    try:
        sign = unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return key
    return sign if sign.isprintable() and not sign.isspace() else key


def _mapped(action: Action, given: Mapping[str, str]) -> Action:
    """Return the action with its keys as they are given."""
    keys = _keys(action, given)
    if keys == action.keys and keys:
        return action
    names = map(key_name, keys or _keys(action_named(_PALETTE), given))
    return action._replace(keys=keys, key_text=" ".join(names))


def _keys(action: Action, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of the action: its own only as far as no other action was given them.

    The palette keeps a key: without it nothing would lead to what has none.
    """
    key = given.get(action.id)
    if key:
        return (key,)
    if action.id == _PALETTE:
        return action.keys
    if key is not None:
        return ()
    return tuple(key for key in action.keys if key not in given.values())
