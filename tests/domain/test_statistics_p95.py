import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.statistics import describe_rank, ordinal, p95_after_each, rank_from_top

SECONDS = st.floats(0, 1e4)


def expected_rank(count: int) -> int:
    """As docs/rollout.md, fact 5, has it."""
    return 1 if count <= 11 else 2 if count <= 30 else 3 if count <= 51 else 4


@pytest.mark.parametrize("count", range(1, 61))
def test_the_p95_is_a_rank(count: int) -> None:
    assert rank_from_top(count) == expected_rank(count)
    assert rank_from_top(count) == expected_rank(count)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "max of 1"), (11, "max of 11"), (15, "2nd of 15"), (31, "3rd of 31"), (60, "4th of 60")],
)
def test_the_rank_in_words(count: int, words: str) -> None:
    assert describe_rank(count) == words


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (22, "22nd"), (111, "111th"), (103, "103rd")],
)  # fmt: skip
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


@given(st.lists(SECONDS, max_size=80), st.integers(1, 90))
def test_the_trend_is_the_p95_of_every_beginning(durations: list[float], last: int) -> None:
    ends = range(max(len(durations) - last, 0) + 1, len(durations) + 1)
    expected = [sorted(durations[:end])[-expected_rank_any(end)] for end in ends]
    assert list(p95_after_each(durations, last)) == expected


def expected_rank_any(count: int) -> int:
    return count - round((count - 1) * 0.95)


def test_the_p95_falls_when_the_twelfth_mission_is_as_slow() -> None:
    series = p95_after_each([40.0] * 10 + [50.0, 41.0], 2)
    assert series == (50.0, 41.0)
