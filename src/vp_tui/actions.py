"""The one registry of what a key can do: footer, help, palette, keymap and README come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vp_tui.state import State

Allowed = Callable[[State], str | None]
"""Returns why the action cannot be done now, None when it can."""


def always(_state: State) -> str | None:
    """Allow."""
    return None


@dataclass(frozen=True, slots=True)
class Action:
    """Something the operator can do."""

    id: str
    keys: tuple[str, ...]
    """Textual key names; the first is the one that is shown."""
    label: str
    """For the footer: one or two words."""
    help: str
    """For the help screen: one sentence."""
    group: str
    footer: bool = False
    danger: bool = False
    allowed: Allowed = always
    key_text: str = ""
    """How the keys read, where it is not the first key's name."""

    @property
    def shown_key(self) -> str:
        return self.key_text or self.keys[0]


ACTIONS: Final = (
    Action("pane('runs')", ("1",), "runs", "Go to the runs.", "Panes"),
    Action("pane('events')", ("2",), "events", "Show the events of the sessions.", "Panes"),
    Action("pane('lane-log')", ("3",), "lane log", "Show the lane's log: delegated runs write it.", "Panes"),
    Action(
        "pane('session-log')",
        ("4",),
        "session log",
        "Show the selected session's own log: runs on the primary path write it.",
        "Panes",
    ),
    Action("pane('links')", ("5",), "links", "Show each source and socket, with its cause and cure.", "Panes", footer=True),
    Action("next_pane", ("tab",), "next pane", "Go to the next pane.", "Panes"),
    Action("cursor(-1)", ("k", "up"), "up", "Move up; in a log or the events, stop following.", "Moving", key_text="k ↑"),
    Action("cursor(1)", ("j", "down"), "down", "Move down.", "Moving", key_text="j ↓"),
    Action("follow", ("end", "G"), "follow", "Go to the newest line and follow it.", "Moving", key_text="end G"),
    Action("top", ("home",), "oldest", "Go to the oldest line kept.", "Moving"),
    Action(
        "scope",
        ("s",),
        "all/selected",
        "Show the events of all sessions, or of the selected one only.",
        "Finding",
    ),
    Action(
        "find",
        ("slash",),
        "filter",
        "Filter the runs or the events; search in a log. Enter keeps it, esc clears it.",
        "Finding",
        footer=True,
        key_text="/",
    ),
    Action("match(1)", ("n",), "next match", "Go to the next match in a log.", "Finding"),
    Action("match(-1)", ("N",), "previous match", "Go to the previous match in a log.", "Finding"),
    Action("freeze", ("p",), "freeze", "Hold the picture still; watching goes on behind it.", "Watching", footer=True),
    Action("poll(-1)", ("plus", "equals_sign"), "poll faster", "Poll faster.", "Watching", key_text="+"),
    Action("poll(1)", ("minus",), "poll slower", "Poll slower, to spare the gateway.", "Watching", key_text="-"),
    Action(
        "read_tokens",
        ("A",),
        "re-read tokens",
        "Read the tokens again and try what was refused.",
        "Watching",
    ),
    Action("copy", ("y",), "copy", "Copy the line under the cursor.", "Watching"),
    Action("help", ("question_mark", "f1"), "help", "Show all keys.", "vp-tui", footer=True, key_text="?"),
    Action("palette", ("ctrl+p",), "palette", "Find an action by its name.", "vp-tui", key_text="^p"),
    Action("quit", ("q", "ctrl+c"), "quit", "Leave. The gateway and its runs go on.", "vp-tui", footer=True),
)
"""In the order of the help screen."""
