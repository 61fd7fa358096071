from typing import Literal

import pytest

from vp_tui.domain.runs.turns import CODING_WORDS, VP_NAMES, is_coding_intent


@pytest.mark.parametrize("word", CODING_WORDS)
def test_every_coding_word_delegates_on_g1(word: str) -> None:
    assert is_coding_intent(f"Please look at the {word} here", "G1")


@pytest.mark.parametrize(
    ("query", "delegated"),
    [
        ("Please implement the parser code @fake:mission secs=4", True),
        ("Write my diary entry for today @fake:mission secs=2", False),
        ("", False),
        ("FIX the Login", True),
        ("the latest news", True),  # "test" inside "latest": matched as a substring
        ("what is ```x = 1```", True),
        ("give me a bash one-liner", False),
        ("give me a bash one liner", False),
        ("which shell command lists ports?", False),
        ("a CLI command to test my line", False),
        ("write a helper function that sorts", False),
        ("write a utility function in python", False),
        ("a quick python snippet", False),
        ("a small snippet in javascript", False),
        ("a helper function for the billing module", True),
        ("a bash command used by our deploy script", True),
        ("a quick snippet for the test suite", True),
        ("a multi-file one-liner in python", True),
        ("a one-liner about love", False),
        ("bash commander", False),
    ],
)
def test_g1_words_and_the_veto_of_small_utilities(query: str, delegated: bool) -> None:  # noqa: FBT001
    assert is_coding_intent(query, "G1") is delegated


@pytest.mark.parametrize("name", VP_NAMES)
def test_g2_delegates_what_names_the_lane(name: str) -> None:
    assert is_coding_intent(f"Ask {name.upper()} to look", "G2")


@pytest.mark.parametrize("query", ["implement this code", "fix the bug", "coder", "vp", ""])
def test_g2_ignores_coding_words(query: str) -> None:
    dialect: Literal["G1", "G2"] = "G2"
    assert not is_coding_intent(query, dialect)
