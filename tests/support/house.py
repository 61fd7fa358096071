"""The source of vp-tui as a tree of syntax, for what holds for all of it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

import vp_tui

HOUSE: Final = Path(vp_tui.__file__).parent


@cache
def trees() -> dict[str, ast.Module]:
    """Return each file, parsed once, by its path inside the house."""
    return {
        path.relative_to(HOUSE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(HOUSE.rglob("*.py"))
    }


@cache
def nodes() -> dict[str, tuple[ast.AST, ...]]:
    """Return all nodes of each file: to walk through the trees takes longer than to look."""
    return {name: tuple(ast.walk(tree)) for name, tree in trees().items()}
