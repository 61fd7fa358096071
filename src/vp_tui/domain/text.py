"""Outside text made safe to show: literally, on one line, without reaching the terminal.

Everything that comes from the gateway, from logs and from files passes through `literal` once, where
it enters. What could move the cursor, ring, change colours, reorder or hide text appears as a visible
stand-in instead: `␛` for ESC, `‹U+202E›` for a bidi override.
"""

from __future__ import annotations

import re
from typing import Final

ELLIPSIS: Final = "…"

_CONTROL_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
# Text and emoji presentation selectors say nothing by themselves and make widths disagree.
_DROPPED: Final = {0xFE0E: "", 0xFE0F: ""}
_TABLE: Final = {**_CONTROL_PICTURES, **_DROPPED, ord("\t"): "    "}

_UNPRINTABLE: Final = re.compile(
    "[\u0080-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\ue000-\uf8ff]"
    "|[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def literal(text: str) -> str:
    """Return `text` with every character that is not plainly visible replaced by a stand-in.

    The result has no control, bidi, zero-width or private character, no newline and no tab; a clean
    text is returned as it is.
    """
    if text.isprintable():
        return text.translate(_DROPPED) if "\ufe0f" in text or "\ufe0e" in text else text
    return _UNPRINTABLE.sub(_name_code_point, text.translate(_TABLE))


def clip(text: str, width: int) -> str:
    """Return at most `width` characters of `text`, the last one an ellipsis where it was cut."""
    if len(text) <= width:
        return text
    return text[: max(width - 1, 0)] + ELLIPSIS if width > 0 else ""


def fold(text: str) -> str:
    """Return `text` with every run of white space as one blank, as the gateway folds descriptions."""
    return " ".join(text.split())


def _name_code_point(match: re.Match[str]) -> str:
    return f"‹U+{ord(match.group()):04X}›"
