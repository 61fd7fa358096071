"""Texts from outside at their worst, and what must hold of a screen that shows them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

if TYPE_CHECKING:
    from tests.support.rig import Rig

HOSTILE: Final = {
    "closing tag": "[/x] [/] [[/red]",
    "opening tag": "[red]alarm[bold] [@click=app.quit]quit[/]",
    "clear screen": "\x1b[2J\x1b[H gone",
    "title and clipboard": "\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07",
    "C1 sequence": "\x9b2J\x9d0;owned\x9c",
    "reset": "\x1bc\x00\x08\x7f\r",
    "bidi": "\u202eelif.exe\u2066x\u2069\u200f",
    "zero width": "a\u200bb\u200dc\ufeffd\u2060",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 ✅ ☎️ 🇩🇪",
    "wide": "日本語のログ行" * 20,
    "combining": "e\u0301" * 50 + "Z\u0351\u036b\u0343",
    "very long": "word " * 20_000 + "x" * 5_000,
    "separators": "one\u2028two\u2029three\x0bfour\x85five",
    "tabs": "a\tb\t\tc",
    "empty": "",
}
FORBIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def assert_harmless(rig: Rig, size: tuple[int, int]) -> None:
    """Assert that every strip fits the screen and that no control character is in any."""
    strips = rig.app.screen._compositor.render_strips()
    assert len(strips) == size[1]
    for strip in strips:
        assert strip.cell_length == cell_len(strip.text) == size[0], strip.text
        bad = {char for char in strip.text if unicodedata.category(char) in FORBIDDEN}
        assert not bad, strip.text
