"""Lies that were told for a second: what changed and changed back though nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from tests.soak import flicker
from tests.support import builders, scenes
from tests.support.flicker import HELD_UP, Change, Happening, changes, flickers
from tests.support.virtual_time import run_virtually

from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.domain.runs.alarms import LastChange
from vp_tui.domain.runs.cancels import Cancel
from vp_tui.domain.text import clock_z
from vp_tui.domain.vocabulary import Word
from vp_tui.state.reducer import reduce_all
from vp_tui.state.sources import OFTEN_ASKED
from vp_tui.ui.lines.explain import explanation
from vp_tui.views.assessment import assess
from vp_tui.views.lookout import badge, judged
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect, Mission

MINUTES: Final = 1.0


DIALECTS: Final = ("G1", "G2")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("scenario", flicker.PLAYED)
def test_nothing_changes_without_a_cause_and_each_cause_is_named(
    scenario: str, dialect: Dialect
) -> None:
    """A gateway of the other generation that is held up for long: the soak `flicker`."""
    minutes = 8.0 if HELD_UP.get(scenario) == dialect else MINUTES
    seen = run_virtually(changes(scenario, minutes, dialect=dialect))
    assert flickers(seen) == []
    assert [change for change in seen if not change.has_cause] == []
    if scenario == "clean":
        assert [change.after for change in seen if change.name == "badge"] == ["LIVE"]
        assert not [c for c in seen if c.name.startswith(("alarm ", "SAFETY ", "trouble "))]


def test_a_slow_gateway_makes_the_word_stale_once_and_not_at_every_poll() -> None:
    seen = run_virtually(changes("clean", MINUTES, slow_s=3.0))
    assert [c.after for c in seen if c.name == "badge"].count("STALE") <= 1


def aged(*answered_at: float, now: float) -> View:
    taken = (builders.polled(builders.snapshot(), at) for at in answered_at)
    return View(builders.state(*taken), now)


@pytest.mark.parametrize(
    ("answered_at", "now", "word"),
    [
        pytest.param((0.0, 2.0, 4.0), 8.1, SourceWord.STALE, id="a quick one is missed soon"),
        pytest.param((0.0, 5.0), 9.9, SourceWord.LIVE, id="one that was slow is waited for"),
        pytest.param((0.0, 5.0), 15.1, SourceWord.STALE, id="and not for ever"),
        pytest.param((0.0, 5.0, 7.0), 11.5, SourceWord.LIVE, id="one quick answer forgets nothing"),
        pytest.param((0.0, 3600.0), 3604.1, SourceWord.STALE, id="what slept was not slow"),
    ],
)
def test_a_source_is_stale_by_what_is_usual_between_its_answers(
    answered_at: tuple[float, ...], now: float, word: SourceWord
) -> None:
    assert source_view(aged(*answered_at, now=now), Source.METRICS).word is word


def test_a_slow_answer_is_told_and_soon_forgotten() -> None:
    late = aged(0.0, 5.0, now=5.0).state
    assert [entry.text for entry in late.entries] == ["answers again, 5s after the answer before"]
    quick = aged(0.0, 5.0, *(5.0 + 2.0 * n for n in range(1, 60)), now=0.0).state
    assert quick.sources[Source.METRICS].slow_s == 0.0


def looks(*batches: Sequence[Event]) -> View:
    """Return what is so after the last of some looks, each after more events."""
    before, now = None, builders.state()
    for number, batch in enumerate(batches):
        view = View(reduce_all(now, batch), float(number))
        now, before = reduce_all(view.state, judged(view, before)), view
    return View(now, float(len(batches) - 1))


def answered(at: float, *missions: Mission) -> list[Event]:
    """Return that every source answers, with these missions."""
    return [
        builders.healthy(at),
        builders.polled(builders.snapshot(*missions), at),
        builders.listing(at=at),
        builders.booted(at=at),
        builders.logged(at=at),
    ]


def test_the_badge_has_an_alarm_exactly_while_one_is_on() -> None:
    refused = [builders.failed(one, scenes.GONE, at=1.0) for one in OFTEN_ASKED]
    view = looks(answered(0.0), refused)
    not_looked_at_yet = View(builders.state(*answered(0.0), *refused), 1.0)
    assert badge(not_looked_at_yet) == badge(view) == "LOST+ALARM"
    assert badge(View(reduce_all(view.state, answered(1.5)), 1.5)) == "LIVE"


def test_a_second_cancel_does_not_take_back_what_came_of_the_first() -> None:
    running = builders.session("a", active_runs=1)
    now = builders.state(*answered(0.0), builders.listing(running))
    first = Cancel("a", -90.0, None, was_stuck=True, cleared_at=-80.0)
    recovered = Cancel("a", -90.0, None, was_stuck=True, recovered_at=-80.0)
    second = Cancel("a", 0.0, None, was_stuck=True)
    for cancels in ((first,), (recovered,), (first, second), (recovered, second)):
        told = assess(View(replace(now, cancels=cancels), 0.0)).suggestion
        assert told is not None
        assert told.decision == Word.PARTIAL_TIMEOUT_RECOVERED


def test_what_changed_a_word_is_named() -> None:
    clean = [builders.mission(f"m{n}", started_s=-99.0 + n) for n in range(9)]
    begun = builders.mission("m9", "running", started_s=-5.0)
    fell = builders.mission("m9", started_s=-5.0, fallback_seen=True)
    view = looks(answered(0.0, begun, *clean[::-1]), answered(1.0, fell, *clean[::-1]))
    last = view.state.last_changes
    assert last["word"][1:3] == (Word.READY_FOR_LIMITED_COHORT_PILOT, Word.HOLD_SHADOW)
    assert last["word"].cause == last["rate"].cause == "mission m9 fell back"
    assert last["badge"] == LastChange(0.0, "", "LIVE")
    told = " ".join("".join(t for t, _ in line).strip() for line in explanation(view, 78))
    at = clock_z(view.wall_at(1.0))
    assert f"HOLD_SHADOW since {at}: mission m9 fell back, before READY_FOR_LIMITED" in told


def test_a_verdict_that_came_of_a_source_names_it_and_not_what_else_happened() -> None:
    one = builders.mission("m1", started_s=-9.0)
    begun = builders.polled(builders.snapshot(builders.mission("m2", "running"), one), 1.0)
    down = builders.failed(Source.METRICS, at=1.0)
    last = looks(answered(0.0, one), [begun, down]).state.last_changes
    assert last["rate"].after == Verdict.UNKNOWN
    assert last["rate"].cause.startswith("metrics down")


def change(at: float, after: str, *news: Happening) -> Change:
    before = {"on": "", "": "on"}[after]
    return Change(at, "trouble", before, after, news)


def test_what_counts_as_a_flicker() -> None:
    ended, moved = Happening("a ended"), Happening("a moved", is_outcome=False)
    assert flickers([change(1.0, "on", ended), change(2.0, "", ended)]) == []
    assert len(flickers([change(1.0, "on", ended), change(2.0, "", moved)])) == 1
    assert len(flickers([change(1.0, "on"), change(6.0, "", ended)])) == 1
    assert flickers([change(1.0, "on"), change(6.1, "")]) == []
