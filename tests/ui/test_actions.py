from __future__ import annotations

import re
from collections import Counter

from tests.support.builders import state

from vp_tui.views.actions import ACTIONS, Action, action_named, why_not

# Terminals and editors keep these for themselves, or send them for other keys.
RESERVED = {"ctrl+s", "ctrl+b", "ctrl+a", "ctrl+j", "ctrl+z"}


def test_no_key_and_no_id_is_taken_twice() -> None:
    keys = Counter(key for action in ACTIONS for key in action.keys)
    ids = Counter(action.id for action in ACTIONS)
    assert max(keys.values()) == 1
    assert max(ids.values()) == 1


def test_no_reserved_key_is_used() -> None:
    assert not RESERVED & {key for action in ACTIONS for key in action.keys}


def test_every_action_can_be_found_and_explained() -> None:
    for action in ACTIONS:
        # The gravest are in the palette only, and what is rarely right.
        assert action.keys or action.danger or action.id == "waive", action.id
        assert action.label, action.id
        assert action.label == action.label.strip(), action.id
        assert re.fullmatch(r"[A-Z?].*\.", action.help), action.id


def test_groups_are_not_torn() -> None:
    groups = [action.group for action in ACTIONS]
    assert groups == sorted(groups, key=groups.index)


def test_ids_are_what_a_key_map_can_name() -> None:
    for action in ACTIONS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", action.id), action.id
        assert re.fullmatch(r"[a-z_.]+(\(.*\))?", action.call), action.id


def test_the_footer_ends_with_the_way_out() -> None:
    assert [action.id for action in ACTIONS if action.footer][-2:] == ["help", "quit"]


def test_the_shown_key_is_the_first_unless_it_has_a_text() -> None:
    plain = ACTIONS[0]._replace(keys=("a", "b"), key_text="")
    assert plain.shown_key == "a"
    assert plain._replace(key_text="^a").shown_key == "^a"


DANGER = Action("cancel", ("c",), "Cancel it.", "cancel", group="Acting", danger=True)


def test_what_is_a_danger_is_refused_in_read_only_mode() -> None:
    reason = why_not(DANGER, state(read_only=True, name="prod"))
    assert reason is not None
    assert reason.startswith("read-only: cancel would change prod; ")
    assert "--read-only" in reason


def test_nothing_else_is_refused() -> None:
    assert why_not(DANGER, state()) is None
    for action in ACTIONS:
        if not action.danger:
            assert why_not(action, state(read_only=True)) is None


def test_an_action_is_found_by_its_id() -> None:
    assert action_named("quit").keys == ("q", "ctrl+c")
