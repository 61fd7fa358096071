"""The documents lead where they say: links, and the places on the map."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from tests.support.wording import prose, wrong_words

ROOT: Final = Path(__file__).parents[2]
HOUSE: Final = ROOT / "src/vp_tui"
MAP: Final = ROOT / "docs/architecture.md"
DOCUMENTS: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CHANGES: Final = ROOT / "CHANGELOG.md"
OF_THE_RULES: Final = {"orphan", "orphans"}
"""Nouns of the rules, which are abbreviations where they stand in a figure."""
FEWEST_PLACES: Final = 40
"""Places that the map names at least: fewer would mean that the pattern misses them."""

_LINK: Final = re.compile(r"\]\((?P<file>[^)#:\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
"""A link within the project: one to elsewhere has a colon."""
_PLACE: Final = re.compile(r"`((?:[a-z_]+/)+[a-z_]*)`")
"""A part of a room or a module of it, and what stands beside the package."""


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as Markdown viewers name them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def is_there(name: str) -> bool:
    """Tell whether a place is a directory or a module, in the package or beside it."""
    return any(
        (top / name).is_dir() or (top / name).with_suffix(".py").is_file() for top in (ROOT, HOUSE)
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for found in _LINK.finditer(document.read_text("utf-8")):
        target = document.parent / found["file"] if found["file"] else document
        assert target.exists(), found[0]
        if found["anchor"]:
            assert found["anchor"] in anchors(target.read_text("utf-8")), found[0]


def test_every_place_on_the_map_is_there() -> None:
    named = set(_PLACE.findall(MAP.read_text("utf-8")))
    assert len(named) >= FEWEST_PLACES
    assert {name for name in named if not is_there(name)} == set()
    assert not is_there("domain/rumours")


def test_every_room_and_every_part_of_one_is_on_the_map() -> None:
    text = MAP.read_text("utf-8")
    parts = {path.parent.relative_to(HOUSE).as_posix() for path in HOUSE.rglob("__init__.py")}
    assert {part for part in parts - {"."} if not re.search(f"`{part}/?`", text)} == set()


@pytest.mark.parametrize("document", [*DOCUMENTS, CHANGES], ids=lambda path: path.name)
def test_no_document_says_what_was_misread_on_the_screen(document: Path) -> None:
    assert wrong_words(prose(document.read_text("utf-8"))) - OF_THE_RULES == set()


def test_a_document_may_quote_what_the_json_calls_it() -> None:
    assert wrong_words(prose("gate `G1`, and ```\nep1\n```")) == set()
    assert wrong_words(prose("`gate` G1 and `1` row")) == {"G1"}
