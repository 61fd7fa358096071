import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.vocabulary import (
    STRICT_TO_PERMISSIVE,
    Profile,
    Word,
    is_more_permissive,
    is_ready,
    keeps_open,
    offered,
    permissiveness,
)

WORDS = st.sampled_from(Word)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (0, {"BLOCKED_AUTH", "BLOCKED_EXECUTION_PIPELINE", "BLOCKED_BY_OPS"}),
        (1, {"FORCE_FALLBACK", "SUSTAINED_FORCE_FALLBACK"}),
        (2, {"PARTIAL_TIMEOUT_RECOVERED", "HOLD_SHADOW", "START_SHADOW_WINDOW"}),
        (2, {"SUSTAINED_MONITOR_NO_TRAFFIC", "HOLD_FOR_REVIEW"}),
        (3, {"SUSTAINED_WATCH"}),
        (4, {"READY_FOR_LIMITED_COHORT_PILOT"}),
        (5, {"GO_BROADER_TRAFFIC_ACTIVE", "SUSTAINED_DEFAULT_ON_HEALTHY", "GO_HOME"}),
    ],
)
def test_each_word_has_its_level(level: int, words: set[str]) -> None:
    assert {permissiveness(word) for word in words} == {level}


def test_a_word_that_no_level_knows_asks_for_a_reason() -> None:
    assert is_more_permissive("ADVANCE_AT_ONCE", Word.READY_FOR_LIMITED_COHORT_PILOT)


@pytest.mark.parametrize(
    ("word", "suggestion", "asks"),
    [
        (Word.GO_BROADER_TRAFFIC_ACTIVE, Word.HOLD_SHADOW, True),
        (Word.READY_FOR_LIMITED_COHORT_PILOT, Word.GO_BROADER_TRAFFIC_ACTIVE, False),
        (Word.HOLD_SHADOW, Word.PARTIAL_TIMEOUT_RECOVERED, False),
        (Word.HOLD_SHADOW, Word.FORCE_FALLBACK, True),
        (Word.FORCE_FALLBACK, Word.BLOCKED_AUTH, True),
        (Word.SUSTAINED_DEFAULT_ON_HEALTHY, Word.SUSTAINED_WATCH, True),
        (Word.BLOCKED_AUTH, Word.BLOCKED_EXECUTION_PIPELINE, False),
    ],
)
def test_only_a_more_permissive_word_asks_for_a_reason(
    word: Word, suggestion: Word, *, asks: bool
) -> None:
    assert is_more_permissive(word, suggestion) is asks


@given(WORDS, WORDS, WORDS)
def test_the_levels_are_an_order(one: Word, other: Word, third: Word) -> None:
    assert not is_more_permissive(one, one)
    assert not (is_more_permissive(one, other) and is_more_permissive(other, one))
    if is_more_permissive(one, other) and is_more_permissive(other, third):
        assert is_more_permissive(one, third)


@given(st.text())
def test_every_text_has_a_level(word: str) -> None:
    assert 0 <= permissiveness(word) < len(STRICT_TO_PERMISSIVE)


def test_which_words_keep_the_window_open() -> None:
    assert {word for word in Word if keeps_open(word)} == {
        Word.BLOCKED_AUTH,
        Word.BLOCKED_EXECUTION_PIPELINE,
        Word.HOLD_SHADOW,
        Word.PARTIAL_TIMEOUT_RECOVERED,
    }


def test_which_words_call_a_window_clean() -> None:
    assert {word for word in Word if is_ready(word)} == {Word.READY_FOR_LIMITED_COHORT_PILOT}


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("suggestion", Word)
def test_a_word_has_one_digit_whatever_is_suggested(profile: Profile, suggestion: Word) -> None:
    words = offered(suggestion, profile, ["PAUSE_FOR_DEPLOY", "BLOCKED_AUTH"])
    usual = offered(Word.BLOCKED_AUTH, profile)
    assert suggestion in words
    assert {word: words[word] for word in usual} == usual
    assert words["BLOCKED_AUTH"] == "7"
    assert words["BLOCKED_EXECUTION_PIPELINE"] == "5"
    assert words["PARTIAL_TIMEOUT_RECOVERED"] == "6"


@pytest.mark.parametrize(
    ("profile", "digits"),
    [(Profile.ROLLOUT, ["9", "", ""]), (Profile.SUSTAINED, ["3", "8", ""])],
)
def test_words_of_the_configuration_get_the_digits_left(
    profile: Profile, digits: list[str]
) -> None:
    words = offered(Word.BLOCKED_AUTH, profile, ["ONE_MORE", "TWO_MORE", "THREE_MORE"])
    assert [words[word] for word in ("ONE_MORE", "TWO_MORE", "THREE_MORE")] == digits


def test_a_start_is_offered_in_the_rollout() -> None:
    assert "START_SHADOW_WINDOW" in offered(Word.HOLD_SHADOW, Profile.ROLLOUT)
