"""Lies that were told for a second: what changed and changed back though nothing had happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from tests.soak import flicker
from tests.support import builders
from tests.support.flicker import Change, Happening, changes, flickers
from tests.support.virtual_time import run_virtually

from vp_tui.domain.models import Source
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect

MINUTES: Final = 2.0


@pytest.mark.parametrize("dialect", ["G1", "G2"])
def test_while_nothing_goes_wrong_no_alarm_rises_and_the_badge_stays(dialect: Dialect) -> None:
    seen = run_virtually(changes("clean", MINUTES, dialect=dialect))
    assert [change.after for change in seen if change.name == "badge"] == ["LIVE"]
    assert not [c for c in seen if c.name.startswith(("alarm ", "SAFETY ", "trouble "))]


@pytest.mark.parametrize("scenario", flicker.PLAYED)
def test_no_word_changes_and_changes_back_for_nothing(scenario: str) -> None:
    assert flickers(run_virtually(changes(scenario, MINUTES))) == []


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


def change(at: float, after: str, *news: Happening) -> Change:
    before = {"on": "", "": "on"}[after]
    return Change(at, "trouble", before, after, news)


def test_what_counts_as_a_flicker() -> None:
    ended, moved = Happening("a ended"), Happening("a moved", is_outcome=False)
    assert flickers([change(1.0, "on", ended), change(2.0, "", ended)]) == []
    assert len(flickers([change(1.0, "on", ended), change(2.0, "", moved)])) == 1
    assert len(flickers([change(1.0, "on"), change(6.0, "", ended)])) == 1
    assert flickers([change(1.0, "on"), change(6.1, "")]) == []
