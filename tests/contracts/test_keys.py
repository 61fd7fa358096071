"""No text names a key of the table by itself: it would be wrong where another one is mapped."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest
from tests.support.house import trees
from tests.support.wording import wrong_words

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS: Final = ("domain/", "state/", "views/", "worker/", "ui/", "cli/")
NAMED: Final = re.compile(
    r"""
      (?:^|[;:,(]\ ?|->\ |\b(?:and|by|hit|is|key|or|then|with)\ ) [B-Zb-rt-z] (?=$|[,;:.)]|\ [a-z])
    | \bpress\ [A-Za-z1-5/?+-] (?!\w)
    | \b(?:by\ nobody|elsewhere):\ [a-z] (?!\w)
    | (?:\bmore:\ |\() [2-5] (?=$|\)|\ shows)
    | \b[a-z]\ (?:opens|restarts|shows)\b
    | \[[A-Za-z1-5/?]\]\ [a-z]
    """,
    re.VERBOSE,
)
"""Where texts named keys of the table; an `s` there is a plural, or seconds."""
NO_KEYS: Final = {
    "Z, ": "the end of a time",
    "listen so long to streams and logs after the first answers (2)": "a default",
}


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield what may be words: no documentation, no names of keys for a binding, no styles."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            is_style = "{ height" in node.value
            if " " in node.value and not is_style:
                yield node.value


FLAG_VALUE: Final = re.compile(r" \(G1\)$")
"""The default of `--dialect`."""


def test_no_sentence_has_a_word_that_was_misread() -> None:
    found = {
        (name, text): wrong
        for name, tree in trees().items()
        if name.startswith((*ROOMS, "gateway/", "storage/"))
        for text in texts(tree)
        if (wrong := wrong_words(FLAG_VALUE.sub("", text)))
    }
    assert found == {}


def named_in(tree: ast.Module) -> list[str]:
    return [text for text in texts(tree) if NAMED.search(text) and text not in NO_KEYS]


@pytest.mark.parametrize(
    "text",
    [
        "[c] cancel it, watch, then [r] record",
        "c cancel it, watch the result, then r record",
        "only a restart ends it: X",
        " -> deaf? 2nd cancel useless -> X restart gateway",
        "[A] read tokens again, once it is mended",
        ", press F",
        "u shows what was done",
        "mend the source first (5 shows which)",
        "(R writes ",
        " more: 5",
        "seen by nobody: a",
        "follow OFF, 3 new: G",
        "not opened: w opens it",
        "esc, then w shows it as it is now",
        "records only: force it with F",
        "a delegated run writes to the lane's log (3)",
        " is not in this picture: p goes on",
        "open one with w first",
    ],
)
def test_a_key_that_is_named_is_found(text: str) -> None:
    assert NAMED.search(text)


def test_no_text_names_a_key_by_itself() -> None:
    found = {
        name: named
        for name, tree in trees().items()
        if name.startswith(ROOMS) and (named := named_in(tree))
    }
    assert found == {}
