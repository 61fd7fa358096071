"""Every section, fact, trap and reading that the code cites can be looked up in docs/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
SOURCES: Final = sorted(
    path
    for room in ("src/vp_tui", "tests")
    for path in (ROOT / room).rglob("*.py")
    if path != Path(__file__)
)
FEWEST: Final = 45
"""Citations there are at least: fewer would mean that the pattern no longer finds them."""
LAST: Final = {"rollout": {"section": 11, "fact": 15}, "wire": {"section": 21}}
"""The highest number of each kind; they begin at 1, and none is left out."""

_CITED: Final = re.compile(
    r"docs/(?P<doc>\w+)\.md,? (?P<kind>section|fact)s? "
    r"(?P<numbers>[0-9]+(?:(?:, | and | to )[0-9]+)*)"
    r"(?:, (?P<part>trap|reading) (?P<number>[0-9]+))?"
)
_ATTEMPTED: Final = re.compile(r"docs/\w+\.md,? (?:section|fact|reading|trap|chapter)")
_OLD: Final = re.compile(
    r"(?:rollout's rules|wire contract|of the rollout),? \(?(?:section|fact|trap|[0-9])"
    r"|(?:section|fact)s? [0-9]+(?: and [0-9]+)? of the rollout"
    r"|rollout's (?:section|fact)"
)
"""Citations of rules and contract as such, which lead to no document."""
_HEADING: Final = re.compile(
    r"^(?:## (?P<section>[0-9]+)\. |### Fact (?P<fact>[0-9]+)$|### Trap (?P<trap>[0-9.]+)$)",
    re.MULTILINE,
)
_NUMBERED: Final = re.compile(r"^([0-9]+)\. ", re.MULTILINE)
READINGS: Final = "\n## 11. Readings\n"
"""Their numbers are those of a list."""


class Place(NamedTuple):
    """Where a citation leads."""

    doc: str
    kind: str
    number: str


def on_one_line(text: str) -> str:
    """Return the text with line ends, and the marks of comments after them, as single blanks."""
    return re.sub(r"\s*\n\s*(?:# ?)?", " ", text)


def numbers_in(told: str) -> list[str]:
    """Return the numbers of a list such as `5 and 9`, `4, 5`, or of a range `3 to 10`."""
    first, is_range, last = told.partition(" to ")
    if is_range:
        return [str(number) for number in range(int(first), int(last) + 1)]
    return re.findall(r"[0-9]+", told)


def cited(text: str) -> set[Place]:
    """Return all that a text cites."""
    places = set()
    for found in _CITED.finditer(on_one_line(text)):
        numbers = numbers_in(found["numbers"])
        places |= {Place(found["doc"], found["kind"], number) for number in numbers}
        if found["part"]:
            number = f"{numbers[-1]}.{found['number']}"
            places.add(Place(found["doc"], found["part"], number))
    return places


def headings(doc: str, text: str) -> set[Place]:
    """Return what can be cited of a document."""
    found = {
        Place(doc, kind, number)
        for heading in _HEADING.finditer(text)
        for kind, number in heading.groupdict().items()
        if number
    }
    readings = _NUMBERED.findall(text.partition(READINGS)[2])
    return found | {Place(doc, "reading", f"11.{number}") for number in readings}


@pytest.fixture(scope="module")
def known() -> set[Place]:
    return {
        place for doc in LAST for place in headings(doc, (DOCS / f"{doc}.md").read_text("utf-8"))
    }


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in SOURCES}


def test_every_citation_can_be_looked_up(known: set[Place], texts: dict[str, str]) -> None:
    missing = {name: cited(text) - known for name, text in texts.items()}
    assert {name: places for name, places in missing.items() if places} == {}


def test_there_are_citations_and_none_is_missed(texts: dict[str, str]) -> None:
    lines = [on_one_line(text) for text in texts.values()]
    found = sum(len(_CITED.findall(line)) for line in lines)
    assert found >= FEWEST
    assert found == sum(len(_ATTEMPTED.findall(line)) for line in lines)


def test_no_citation_leads_nowhere(texts: dict[str, str]) -> None:
    old = {name: _OLD.findall(on_one_line(text)) for name, text in texts.items()}
    assert {name: found for name, found in old.items() if found} == {}


def test_sections_and_facts_are_numbered_without_a_gap(known: set[Place]) -> None:
    for doc, kinds in LAST.items():
        for kind, last in kinds.items():
            numbers = sorted(int(p.number) for p in known if (p.doc, p.kind) == (doc, kind))
            assert numbers == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("(docs/rollout.md, section 99)", {("rollout", "section", "99")}),
        (
            "as docs/wire.md,\n    section 4, trap 2",
            {("wire", "section", "4"), ("wire", "trap", "4.2")},
        ),
        (
            "# docs/rollout.md, facts 5\n# and 9",
            {("rollout", "fact", "5"), ("rollout", "fact", "9")},
        ),
        ("docs/wire.md, sections 3 to 5", {("wire", "section", n) for n in "345"}),
        ("docs/wire.md has it, section 4 or so", set()),
    ],
)
def test_what_a_citation_is(text: str, places: set[tuple[str, str, str]]) -> None:
    assert cited(text) == places


def test_a_citation_of_what_is_not_there_is_found(known: set[Place]) -> None:
    text = "docs/rollout.md, section 12; docs/rollout.md, fact 16; docs/wire.md, section 4, trap 8"
    assert len(cited(text) - known) == 3
    assert cited("docs/rollout.md, section 11, reading 12") <= known
    assert cited("docs/rollout.md, section 11, reading 13") - known
    assert _OLD.search("(the rollout's rules, section 6)")
    assert _OLD.search("the wire contract, 4 to 7")
    assert _OLD.search("sections 6 and 7 of the rollout's rules")
