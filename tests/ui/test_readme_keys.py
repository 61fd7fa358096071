"""README's table of keys says what the registry says."""

from __future__ import annotations

from pathlib import Path

from vp_tui.views.actions import ACTIONS

README = Path(__file__).parents[2] / "README.md"


def rows_under(heading: str, text: str) -> set[tuple[str, ...]]:
    """Return the cells of the table under a heading, without its head."""
    section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = (line.strip("|").split(" | ") for line in lines[2:])
    return {tuple(cell.strip().strip("`") for cell in row) for row in rows}


def test_the_readme_tells_every_key_and_no_other() -> None:
    told = rows_under("## Keys", README.read_text(encoding="utf-8"))
    assert told == {(action.shown_key, action.help) for action in ACTIONS}
