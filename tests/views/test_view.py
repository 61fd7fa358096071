from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.builders import state

from vp_tui.domain.events import PollRateChanged
from vp_tui.domain.vocabulary import Stage
from vp_tui.state.store import Store
from vp_tui.views.figures import current_window
from vp_tui.views.view import Live, View, fact

if TYPE_CHECKING:
    from vp_tui.domain.rollout.windows import Window


class Counted:
    """A fact, and a computation of inputs, that count how often they are computed."""

    def __init__(self) -> None:
        self.times = 0

        @fact
        def moment(view: View, word: str = "") -> str:
            self.times += 1
            return f"{view.now}{word}"

        self.fact = moment

    def total(self, *numbers: int) -> list[int]:
        self.times += 1
        return [sum(numbers)]


def test_a_fact_is_computed_once_for_each_of_its_inputs() -> None:
    counted, view = Counted(), View(state(), 1.0)
    assert [counted.fact(view), counted.fact(view)] == ["1.0", "1.0"]
    assert counted.times == 1
    assert counted.fact(view, " s") == "1.0 s"
    assert counted.times == 2


def test_each_view_has_facts_of_its_own() -> None:
    counted, view = Counted(), View(state(), 1.0)
    counted.fact(view)
    assert counted.fact(View(view.state, 2.0, view)) == "2.0"


def test_what_has_the_same_inputs_is_taken_over_from_the_view_before() -> None:
    counted, first = Counted(), View(state(), 1.0)
    total = first.same(counted.total, 1, 2)
    second = View(first.state, 2.0, first)
    assert second.same(counted.total, 1, 2) is total
    assert View(first.state, 3.0, second).same(counted.total, 1, 2) is total
    assert counted.times == 1


def test_other_inputs_are_computed_anew_and_not_kept_for_ever() -> None:
    counted, first = Counted(), View(state(), 1.0)
    first.same(counted.total, 1)
    second = View(first.state, 2.0, first)
    assert second.same(counted.total, 2) == [2]
    assert View(first.state, 3.0, second).same(counted.total, 1) == [1]
    assert counted.times == 3


def test_equal_objects_are_no_same_input() -> None:
    counted, view = Counted(), View(state(), 1.0)
    for _ in range(2):
        view.same(lambda _numbers: counted.total(), [1])
    assert counted.times == 2


def test_a_window_stands_in_for_the_current_one() -> None:
    view = View(state(), 1.0)
    other = current_window(view)._replace(stage=Stage.BROADENED)
    assert current_window(view.as_if(other)) == other
    assert current_window(view).stage is Stage.SHADOW
    assert view.as_if(other) is view.as_if(other)
    assert view.as_if(_named(other, "another")) is not view.as_if(other)


def _named(window: Window, label: str) -> Window:
    return window._replace(label=label)


def test_there_is_one_view_of_a_state_until_another_is_published() -> None:
    now = [1.0]
    store = Store(state())
    live = Live(store, lambda: now[0])
    view = live.view
    now[0] = 2.0
    assert live.view is view
    store.apply(PollRateChanged(2.0, 2.0))
    assert (live.view.now, live.view.state) == (2.0, store.state)


def test_who_judges_looks_at_this_moment() -> None:
    now = [1.0]
    live = Live(Store(state()), lambda: now[0])
    now[0] = 2.0
    assert live.look().now == 2.0
    assert live.view.now == 2.0
