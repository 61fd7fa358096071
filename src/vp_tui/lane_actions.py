"""What the operator can do to the lane, and to the gateway that has it: each asks first."""

from __future__ import annotations

from typing import Final

from vp_tui.action import Action


def _acting(
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
    _acting(
        "brake",
        "brake ON",
        "Force fallback: all turns to the primary path; see it proven.",
        key="F",
        footer=True,
    ),
    _acting("probe", "probe", "Probe the lane with one coding prompt of its own.", key="P"),
    _acting(
        "restart",
        "restart",
        "Restart the gateway by your command: kills all runs.",
        key="X",
    ),
    _acting("release", "release the brake", "End the forced fallback; with the lane's name typed."),
    _acting("shadow-on", "shadow mode on", "Back to shadow mode: the lane gets no turn."),
    _acting("shadow-off", "shadow mode off", "End shadow mode: the lane gets turns."),
    _acting("lane-on", "lane on", "Switch the lane on; with its name typed."),
    _acting("lane-off", "lane off", "Switch the lane off; with its name typed."),
)
"""In the order of the help screen."""
