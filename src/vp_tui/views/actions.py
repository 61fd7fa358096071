"""The table of all that the operator can do, and how the keys that do it are called.

Footer, help, palette, bindings, read-only mode, README's table of keys and every text that names a
key take it from here, as a watch maps it.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.state.state import State, Watch


PALETTE: Final = "^p"
"""How a key is written that leads to the palette."""


class Action(NamedTuple):
    """Something the operator can do."""

    id: str
    """Names the action in the keymap and in tests."""
    call: str
    """What the screen runs, as Textual writes an action."""
    keys: tuple[str, ...]
    """Textual key names; the first is the one that is shown. None: it is in the palette only."""
    label: str
    """For the footer: one or two words."""
    help: str
    """For the help screen: one sentence."""
    group: str
    footer: bool = False
    danger: bool = False
    """It changes something on the gateway: in read-only mode no key leads to it."""
    key_text: str = ""
    """How the keys read, where it is not the first key's name."""

    @property
    def shown_key(self) -> str:
        """How the footer and the help call its key."""
        return self.key_text or next(iter(self.keys), PALETTE)


def _danger(
    action_id: str, label: str, told: str, *, key: str = "", footer: bool = False
) -> Action:
    """Return a danger; without a key it is in the palette only."""
    return Action(
        action_id,
        f"do('{action_id}')",
        (key,) if key else (),
        label,
        told,
        "Acting",
        footer=footer,
        danger=True,
    )


LANE_ACTIONS: Final = (
    _danger(
        "brake",
        "brake ON",
        "Force fallback: all turns to the primary path; see it proven.",
        key="F",
        footer=True,
    ),
    _danger("probe", "probe", "Probe the lane with one coding prompt of its own.", key="P"),
    _danger(
        "restart",
        "restart",
        "Restart the gateway by your command: kills all runs.",
        key="X",
    ),
    _danger("release", "release the brake", "End the forced fallback; with the lane's name typed."),
    _danger("shadow-on", "shadow mode on", "Back to shadow mode: the lane gets no turn."),
    _danger("shadow-off", "shadow mode off", "End shadow mode: the lane gets turns."),
    _danger("lane-on", "lane on", "Switch the lane on; with its name typed."),
    _danger("lane-off", "lane off", "Switch the lane off; with its name typed."),
)
"""In the order of the help screen."""


ACTIONS: Final = (
    Action("runs", "pane('runs')", ("1",), "runs", "Go to the runs.", "Panes"),
    Action(
        "events", "pane('events')", ("2",), "events", "Show the events of the sessions.", "Panes"
    ),
    Action(
        "lane-log",
        "pane('lane-log')",
        ("3",),
        "lane log",
        "Show the lane's log: delegated runs write it.",
        "Panes",
    ),
    Action(
        "session-log",
        "pane('session-log')",
        ("4",),
        "session log",
        "Show the selected session's log: primary-path runs write it.",
        "Panes",
    ),
    Action(
        "links",
        "pane('links')",
        ("5",),
        "links",
        "Show each source and socket, with its cause and cure.",
        "Panes",
    ),
    Action(
        "next-pane", "next_pane", ("tab",), "pane", "Go to the next pane.", "Panes", footer=True
    ),
    Action(
        "up",
        "cursor(-1)",
        ("k", "up"),
        "up",
        "Move up; in a log or the events, stop following.",
        "Moving",
        key_text="k ↑",
    ),
    Action("down", "cursor(1)", ("j", "down"), "down", "Move down.", "Moving", key_text="j ↓"),
    Action(
        "follow",
        "follow",
        ("G", "end"),
        "follow",
        "Go to the newest line and follow it.",
        "Moving",
        key_text="end G",
    ),
    Action("top", "top", ("home",), "oldest", "Go to the oldest line kept.", "Moving"),
    Action(
        "scope",
        "scope",
        ("s",),
        "scope",
        "Show events of all sessions, or of the selected one only.",
        "Finding",
    ),
    Action(
        "find",
        "find",
        ("slash",),
        "filter",
        "Filter runs or events, search a log; enter keeps, esc clears.",
        "Finding",
        footer=True,
        key_text="/",
    ),
    Action(
        "next-match", "match(1)", ("n",), "next match", "Go to the next match in a log.", "Finding"
    ),
    Action(
        "previous-match",
        "match(-1)",
        ("N",),
        "previous match",
        "Go to the previous match in a log.",
        "Finding",
    ),
    Action(
        "next-error",
        "do('next-error')",
        ("E",),
        "error",
        "Go to the next line of a log that looks like an error.",
        "Finding",
    ),
    Action(
        "back",
        "back",
        ("escape",),
        "back",
        "Show all rows again; else leave the triage.",
        "Finding",
        key_text="esc",
    ),
    Action(
        "record",
        "do('record')",
        ("r",),
        "record",
        "Record the window with a decision of yours: shows the row first.",
        "Evidence",
        footer=True,
    ),
    Action(
        "record-now",
        "do('record-now')",
        ("R",),
        "record now",
        "Record the window at once, with the suggested decision.",
        "Evidence",
    ),
    Action(
        "window",
        "do('window')",
        ("w",),
        "window",
        "Open a window; edit or close the one that is open.",
        "Evidence",
    ),
    Action(
        "waive",
        "do('waive')",
        (),
        "waive a gate",
        "Waive a gate for the open window, with a reason; never a PASS.",
        "Evidence",
    ),
    Action(
        "waiting",
        "do('waiting')",
        ("W",),
        "waiting rows",
        "Show rows that could not be written to the log, and append them.",
        "Evidence",
    ),
    Action(
        "explain",
        "do('explain')",
        ("i",),
        "explain",
        "Explain verdict, gates, guardrails and statistics in full.",
        "Evidence",
    ),
    Action(
        "evidence",
        "do('evidence')",
        ("e",),
        "evidence",
        "Show the evidence log: all rows, and rate and p95 by window.",
        "Evidence",
    ),
    Action(
        "hand-over",
        "do('hand-over')",
        ("H",),
        "hand over",
        "Write the handover text to a file, and copy it.",
        "Evidence",
    ),
    Action(
        "triage",
        "do('triage')",
        ("enter",),
        "triage",
        "Look closely at the selected run: turn, logs, mission, next step.",
        "Acting",
    ),
    Action(
        "alarm",
        "do('alarm')",
        ("g",),
        "alarm",
        "Go to the gravest alarm: its run, its source, or the explanation.",
        "Acting",
    ),
    Action(
        "audit",
        "do('audit')",
        ("u",),
        "audit",
        "Show what was done, by whom, and what came of it.",
        "Acting",
    ),
    Action(
        "acknowledge",
        "do('acknowledge')",
        ("a",),
        "acknowledge",
        "Say that you have seen the alarms.",
        "Acting",
    ),
    Action(
        "cancel",
        "do('cancel')",
        ("c",),
        "cancel",
        "Cancel the selected run, and follow it until it has recovered.",
        "Acting",
        footer=True,
        danger=True,
    ),
    Action(
        "cancel-all",
        "do('cancel-all')",
        (),
        "cancel all runs",
        "Cancel every listed run: here only, with a typed word.",
        "Acting",
        danger=True,
    ),
    *LANE_ACTIONS,
    Action(
        "freeze",
        "freeze",
        ("p",),
        "freeze",
        "Hold the picture still; watching goes on behind it.",
        "Watching",
        footer=True,
    ),
    Action(
        "poll-faster",
        "do('poll-faster')",
        ("plus", "equals_sign"),
        "poll faster",
        "Poll faster.",
        "Watching",
        key_text="+",
    ),
    Action(
        "poll-slower",
        "do('poll-slower')",
        ("minus",),
        "poll slower",
        "Poll slower, to spare the gateway.",
        "Watching",
        key_text="-",
    ),
    Action(
        "read-tokens",
        "do('read-tokens')",
        ("A",),
        "re-read tokens",
        "Read the tokens again and try what was refused.",
        "Watching",
    ),
    Action(
        "copy",
        "copy",
        ("y",),
        "copy",
        "Copy the line under the cursor; of a run, a summary.",
        "Watching",
    ),
    Action(
        "help",
        "do('help')",
        ("question_mark", "f1"),
        "help",
        "Show all keys.",
        "vp-tui",
        footer=True,
        key_text="?",
    ),
    Action(
        "palette",
        "app.command_palette",
        ("ctrl+p",),
        "palette",
        "Find an action by its name.",
        "vp-tui",
        key_text="^p",
    ),
    Action(
        "quit",
        "app.quit",
        ("q", "ctrl+c"),
        "quit",
        "Leave. The gateway and its runs go on.",
        "vp-tui",
        footer=True,
    ),
)
"""In the order of the help screen."""

_BY_ID: Final = {action.id: action for action in ACTIONS}


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


_PALETTE: Final = "palette"
"""The action that leads to those without a key."""
_NAMES: Final = {
    "escape": "esc",
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
    "slash": "/",
    "underscore": "_",
}
"""Keys that are not called what Textual calls them, nor what Unicode does."""


def actions_in(watch: Watch) -> tuple[Action, ...]:
    """Return the table with the keys that this watch has."""
    if not watch.keys:
        return ACTIONS
    return tuple(_mapped(action, watch.keys) for action in ACTIONS)


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
