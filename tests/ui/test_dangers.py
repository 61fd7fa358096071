"""Keys of dangers: what they run, and that in read-only mode nothing leads to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from tests.support import scenes
from tests.support.builders import state
from tests.support.rig import SMALL, Rig, running
from textual.binding import Binding, BindingType

from vp_tui.ui import app
from vp_tui.ui.actions import bindings, call_of, footer_line
from vp_tui.ui.screens.texts import help_lines
from vp_tui.ui.watch.screen import ReadOnlyWatchScreen, WatchScreen
from vp_tui.views import actions as keys
from vp_tui.views.actions import ACTIONS, Action, AtHand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


BRAKE = Action(
    "brake",
    ("F",),
    "Force fallback.",
    "brake",
    "force fallback",
    "Acting",
    footer=True,
    danger=True,
)
JUMP = Action("jump", ("g",), "Go there.", "jump", group="Acting")
TRIAL = (BRAKE, JUMP, *ACTIONS)


class _Done:
    """What the trial's actions did."""

    done: ClassVar[list[str]] = []

    def action_brake(self) -> None:
        self.done.append("brake")

    def action_jump(self) -> None:
        self.done.append("jump")


class TrialScreen(_Done, WatchScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings((BRAKE, JUMP), read_only=False)


class ReadOnlyTrialScreen(_Done, ReadOnlyWatchScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings((BRAKE, JUMP), read_only=True)


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a danger in the registry, and screens that can do it."""
    _Done.done.clear()
    monkeypatch.setattr(keys, "ACTIONS", TRIAL)
    monkeypatch.setattr(app, "WatchScreen", TrialScreen)
    monkeypatch.setattr(app, "ReadOnlyWatchScreen", ReadOnlyTrialScreen)


@pytest.fixture
async def read_only() -> AsyncIterator[Rig]:
    async with running(*scenes.ordinary(), read_only=True, name="prod") as rig:
        yield rig


async def test_a_danger_is_done_where_things_may_be_changed() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("F", "g")
        assert "read-only" not in rig.text
    assert _Done.done == ["brake", "jump"]


async def test_in_read_only_mode_its_key_says_why_not(read_only: Rig) -> None:
    await read_only.press("F")
    assert "read-only: force fallback" in read_only.text
    await read_only.press("g")
    assert _Done.done == ["jump"]


async def test_in_read_only_mode_the_palette_says_why_not(read_only: Rig) -> None:
    await read_only.press("ctrl+p")
    await read_only.press(*"force")
    await read_only.until(lambda: "Force fallback" in read_only.text)
    await read_only.press("enter")
    await read_only.until(lambda: "read-only: force fallback" in read_only.text)
    assert _Done.done == []


def _bound(screen: type[WatchScreen]) -> set[str]:
    """Return all that the keys of a screen run."""
    merged = screen._merged_bindings
    assert merged is not None
    return {binding.action for found in merged.key_to_bindings.values() for binding in found}


def test_in_read_only_mode_no_key_is_bound_to_a_danger() -> None:
    assert "app.press('brake')" in _bound(TrialScreen)
    assert not {"brake", "app.press('brake')"} & _bound(ReadOnlyTrialScreen)
    dangers = {action.call for action in ACTIONS if action.danger}
    dangers |= {f"app.press('{action.id}')" for action in ACTIONS if action.danger}
    assert not dangers & _bound(ReadOnlyWatchScreen)
    assert {"freeze", "do('help')", "back"} <= _bound(ReadOnlyWatchScreen)


def test_the_key_of_what_acts_may_be_typed_and_the_palette_means_it() -> None:
    (bound,) = bindings([BRAKE], read_only=False)
    assert isinstance(bound, Binding)
    assert (bound.key, bound.action, bound.id) == ("F", "app.press('brake')", "brake")
    assert call_of(BRAKE, read_only=False) == "brake"
    assert call_of(BRAKE, read_only=True) == "why_not('brake')"


def test_the_footer_marks_a_danger() -> None:
    line = footer_line(state().watch, SMALL[0], AtHand())
    (tone,) = {tone for text, tone in line if "F" in text}
    assert " F force fallback " in "".join(text for text, _tone in line)
    assert tone == "warn"


def test_in_read_only_mode_the_footer_names_no_danger() -> None:
    line = footer_line(state(read_only=True).watch, 160, AtHand(is_tripped=True, is_triage=True))
    text = "".join(text for text, _tone in line)
    assert not any(f" {a.short_key} {a.label} " in text for a in ACTIONS if a.danger)


@pytest.mark.parametrize(
    ("read_only", "key", "note"),
    [
        (False, "! F      Force fallback.", "! changes the gateway."),
        (True, "✗ F      Force fallback.", "✗ is off: vp-tui is read-only."),
    ],
)
def test_the_help_marks_a_danger(*, read_only: bool, key: str, note: str) -> None:
    told = [
        "".join(text for text, _tone in line)
        for line in help_lines(state(read_only=read_only).watch)
    ]
    assert key in told
    assert note in told
    assert "  g      Go there." in told
