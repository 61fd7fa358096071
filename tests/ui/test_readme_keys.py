"""README's tables of keys say what the registry says."""

from __future__ import annotations

from pathlib import Path

from vp_tui.views.actions import ACTIONS, REPLAYED

README = Path(__file__).parents[2] / "README.md"


def tables_under(heading: str, text: str) -> list[set[tuple[str, ...]]]:
    """Return the cells of each table under a heading, without its head."""
    section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    parts = (part.strip().splitlines() for part in section.split("\n\n"))
    return [
        {tuple(cell.strip().strip("`") for cell in row.strip("|").split(" | ")) for row in rows}
        for head, *rows in ((lines[0], *lines[2:]) for lines in parts if lines)
        if head.startswith("|")
    ]


def test_the_readme_tells_every_key_and_no_other() -> None:
    told, replayed = tables_under("## Keys", README.read_text(encoding="utf-8"))
    assert told == {(action.shown_key, action.help) for action in ACTIONS}
    own = {(action.shown_key, action.help) for action in REPLAYED if action.group == "Replaying"}
    assert replayed == own
