"""The words of the figures: each in one form, and what is not known never a number."""

import pytest
from tests.support import scenes
from tests.support.builders import NOW, state
from tests.support.rollout import passing, window

from vp_tui.domain.events import Event
from vp_tui.domain.rollout.labels import short_label
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.figures import Numbers, numbers
from vp_tui.views.view import View


def figures(*events: Event) -> Numbers:
    found = numbers(View(state(*events), 2.0))
    assert found is not None
    return found


def test_nothing_of_nothing_is_not_zero() -> None:
    assert words.share(0, 0) == "n/a"
    assert words.p95(None, 0) == "n/a"
    assert words.fell_back(0, 0) == "none finished"
    none = figures(*scenes.no_missions())
    assert (words.reported(none), words.reconstructed(none)) == ("n/a (no missions)", "n/a")


def test_a_share_comes_with_what_it_proves() -> None:
    assert words.fell_back(0, 18) == "0/18 fell back, at most 15.3%"
    assert words.at_most(0, 18) == "at most 15.3%"


def test_a_rate_that_cannot_be_believed_says_so() -> None:
    assert words.reported(figures(*scenes.ordinary())) == "0.000 0/19"
    assert words.reported(figures(*scenes.blind())) == "BLIND says 0.000 0/19"
    assert words.reported(figures(*scenes.truncated())) == "0.000 0/18 partial"


def test_that_the_rates_agree_is_said_only_where_they_do() -> None:
    assert words.agreement(figures(*scenes.ordinary())) == ["agrees"]
    assert words.agreement(figures(*scenes.disagreeing())) == ["1 unreported", "1 inferred"]


@pytest.mark.parametrize(
    ("seconds", "count", "told", "short"),
    [
        (36.0, 18, "36.000s 2nd of 18", "36.0s 2nd of 18"),
        (48.25, 12, "48.250s 2nd of 12, >= 45 s", "48.2s 2nd of 12"),
        (35.964, 3, "35.964s max of 3", "36.0s max of 3"),
    ],
)
def test_a_p95_is_written_as_in_the_row_with_its_rank(
    seconds: float, count: int, told: str, short: str
) -> None:
    assert words.p95(seconds, count) == told
    assert words.p95(seconds, count, short=True) == short


def test_missions_are_counted_in_full() -> None:
    told = figures(*scenes.ordinary())
    assert words.missions(told) == "18 completed, 0 failed, 1 running, 0 orphaned"


def test_gates_say_what_they_lack() -> None:
    gates = assess(View(state(*scenes.ordinary()), 2.0)).gates
    told = [gate.told for gate in gates.by_name().values()]
    assert told == ["needs 17 more", "PASS", "needs 2 more", "not attested"]
    assert (
        words.promotion(gates)
        == "not yet: rate needs 17 more, p95 needs 2 more, suites not attested"
    )
    assert words.promotion(passing()) == "recommended"


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("Limited cohort window #4 (real traffic)", "limited 4"),
        ("Broadened rollout window #12", "broadened 12"),
        ("Kickoff prep", "Kickoff prep"),
    ],
)
def test_the_short_label(label: str, short: str) -> None:
    assert short_label(label) == short


def test_a_window_says_whether_and_since_when_it_is_open() -> None:
    view = View(state(*scenes.ordinary()), 90.0)
    opened = window(opened_at=NOW, label="Broadened rollout window #5")
    assert words.window_title(opened) == "WINDOW 5"
    assert words.opened(view, opened) == "open since 2026-11-23T02:00:00Z, 1m30"
    proposed = opened._replace(opened_at=None)
    assert words.window_title(proposed) == "WINDOW 5 PROPOSED"
    assert words.opened(view, proposed) == "proposed, not opened"
    assert words.window_title(None) == "WINDOW unknown"


def test_figures_that_are_old_say_how_old() -> None:
    view = View(state(*scenes.ordinary()), 90.0)
    found = numbers(view)
    assert found is not None
    assert words.cumulative(view, found).endswith("outcomes known 19/19, metrics stale, 1m30 old")
