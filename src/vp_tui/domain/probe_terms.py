"""What a probe asks, and what it costs: in words, for whoever confirms it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vp_tui.domain.intent import is_coding_intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.models import Dialect

_TASK: Final = "write a Python script hello.py that prints the word hello, and change nothing else"
DEFAULT_PROMPTS: Final[Mapping[Dialect, str]] = MappingProxyType(
    {"G1": f"Please {_TASK}.", "G2": f"Codie, please {_TASK}."}
)
"""G1 delegates by coding words, G2 only what names the lane."""


def prompt_for(configured: str, dialect: Dialect | None) -> str:
    """Return the prompt to be sent: the configured one, else one that the gateway delegates."""
    return configured or DEFAULT_PROMPTS[dialect or "G2"]  # both delegate what names the lane


def terms(prompt: str, dialect: Dialect | None) -> tuple[str, ...]:
    """Return what a probe costs and does, a line each."""
    lines = [
        "It runs one turn of the model in a session of its own, as a user's would.",
        "If the lane takes it, it makes a mission, and that counts as source `probe`.",
    ]
    if dialect != "G2":
        lines.append("On G1 it holds the gateway's lock while it runs: other turns wait for it.")
    lines.append("It is never repeated or cancelled by itself, and its session stays there.")
    if dialect is not None and not is_coding_intent(prompt, dialect):
        lines.append(f"This prompt is none that a {dialect} gateway delegates: it proves nothing.")
    return tuple(lines)
