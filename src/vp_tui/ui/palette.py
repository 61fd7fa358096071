"""The command palette's contents: every action; one that cannot be done now tells why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from vp_tui.actions import ACTIONS, Action
from vp_tui.ui.keys import call_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from vp_tui.ui.app import VpTuiApp


class ActionProvider(Provider):
    """Offers every action by name."""

    async def discover(self) -> Hits:
        for action in self._known():
            yield DiscoveryHit(self._name(action), self._run(action), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._known():
            name = self._name(action)
            if (score := matcher.match(f"{name} {action.help}")) > 0:
                yield Hit(score, matcher.highlight(name), self._run(action), help=action.help)

    def _known(self) -> list[Action]:
        """Return the actions that the screen under the palette has."""
        return [
            action
            for action in ACTIONS
            if action.call.startswith("app.")
            or hasattr(self.screen, f"action_{action.call.partition('(')[0]}")
        ]

    def _name(self, action: Action) -> str:
        return f"{action.label} ({action.shown_key})"

    def _run(self, action: Action) -> partial[Coroutine[Any, Any, None]]:
        read_only = cast("VpTuiApp", self.app).store.state.watch.read_only
        return partial(self.screen.run_action, call_of(action, read_only=read_only))
