"""The lane's switches, as the gateway reads them from its environment when it starts.

No endpoint sets or shows them: they stand in the operator's env file, and their effect shows only
by what turns of coding intent do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from vp_tui.domain.envfile import assignments, with_value

TRUTHY: Final = frozenset({"1", "true", "yes", "on"})
"""What the gateway takes for on, in any case; all else is off."""


class Switch(StrEnum):
    """One switch, by the name of its variable."""

    FORCED_FALLBACK = "UA_CODER_VP_FORCE_FALLBACK"
    SHADOW = "UA_CODER_VP_SHADOW_MODE"
    LANE = "UA_ENABLE_CODER_VP"

    @property
    def mask(self) -> str:
        """The variable that keeps this one from having an effect while it is truthy."""
        return _MASKS[self]


_MASKS: Final = {
    Switch.FORCED_FALLBACK: "UA_DISABLE_CODER_VP_FORCE_FALLBACK",
    Switch.SHADOW: "UA_DISABLE_CODER_VP_SHADOW_MODE",
    Switch.LANE: "UA_DISABLE_CODER_VP",
}


class Change(NamedTuple):
    """One switch to be turned on or off."""

    switch: Switch
    on: bool

    @property
    def line(self) -> str:
        """The line of the env file that does it."""
        return f"{self.switch}={int(self.on)}"

    @property
    def words(self) -> str:
        """What it does, as the operator says it."""
        return _WORDS[self]


FORCE_FALLBACK: Final = Change(Switch.FORCED_FALLBACK, on=True)
RELEASE: Final = Change(Switch.FORCED_FALLBACK, on=False)
_WORDS: Final = {
    FORCE_FALLBACK: "force fallback",
    RELEASE: "release the forced fallback",
    Change(Switch.SHADOW, on=True): "shadow mode on",
    Change(Switch.SHADOW, on=False): "shadow mode off",
    Change(Switch.LANE, on=True): "lane on",
    Change(Switch.LANE, on=False): "lane off",
}


class Switches(NamedTuple):
    """What an env file says; None where it says nothing of a switch."""

    forced_fallback: bool | None = None
    shadow: bool | None = None
    lane: bool | None = None
    masked: frozenset[Switch] = frozenset()
    """Switches that cannot be on, whatever they say."""

    def says(self, switch: Switch) -> bool | None:
        """Return what the switch itself says, None where nothing."""
        said = {
            Switch.FORCED_FALLBACK: self.forced_fallback,
            Switch.SHADOW: self.shadow,
            Switch.LANE: self.lane,
        }
        return said[switch]

    def is_on(self, switch: Switch) -> bool | None:
        """Return whether it is on for a gateway that reads the file; None: by its default."""
        return False if switch in self.masked else self.says(switch)

    def needs(self, change: Change) -> bool:
        """Tell whether the file does not say yet what the change wants.

        Forced fallback and shadow mode are off by themselves; the lane's default is the gateway's.
        """
        says = self.says(change.switch)
        if says is None and change.switch is not Switch.LANE:
            return change.on
        return says is not change.on


def is_truthy(value: str) -> bool:
    """Tell whether the gateway takes a variable's value for on."""
    return value.strip().lower() in TRUTHY


def switches_in(data: bytes) -> Switches:
    """Return the switches that an env file sets; nothing else of the file is kept."""
    values = {found.name: found.value for found in assignments(data)}
    said = {switch: is_truthy(values[switch]) for switch in Switch if switch in values}
    return Switches(
        forced_fallback=said.get(Switch.FORCED_FALLBACK),
        shadow=said.get(Switch.SHADOW),
        lane=said.get(Switch.LANE),
        masked=frozenset(switch for switch in Switch if is_truthy(values.get(switch.mask, ""))),
    )


def with_change(data: bytes, change: Change) -> bytes:
    """Return the env file with the switch set; the same bytes where it says so already."""
    if not switches_in(data).needs(change):
        return data
    return with_value(data, change.switch, str(int(change.on)))
