"""The command palette's contents: the actions that can be done now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from vp_tui.actions import ACTIONS, Action

if TYPE_CHECKING:
    from collections.abc import Coroutine


class ActionProvider(Provider):
    """Offers every action by name."""

    async def discover(self) -> Hits:
        for action in ACTIONS:
            yield DiscoveryHit(self._name(action), self._run(action), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in ACTIONS:
            name = self._name(action)
            if (score := matcher.match(f"{name} {action.help}")) > 0:
                yield Hit(score, matcher.highlight(name), self._run(action), help=action.help)

    def _name(self, action: Action) -> str:
        return f"{action.label} ({action.shown_key})"

    def _run(self, action: Action) -> partial[Coroutine[Any, Any, None]]:
        return partial(self.screen.run_action, action.call)
