"""One View a publish: what a redraw computes, and how often."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import LARGE, running

from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Computed:
    """Counts the Views that are made, and what each of them computes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.views = 0
        self.facts: Counter[tuple[object, ...]] = Counter()
        self.anew: Counter[str] = Counter()
        """What was computed of other inputs than before."""
        made, once, same = View.__init__, View.once, View.same

        def counted_init(view: View, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            made(view, *args, **kwargs)
            self.views += view.window is None

        def counted_once(view: View, compute: Callable[..., Any], *inputs: object) -> Any:  # noqa: ANN401
            def counting(*args: object) -> Any:  # noqa: ANN401
                self.facts[view, compute, inputs] += 1
                return compute(*args)

            if (compute, *inputs) in view._facts:
                return once(view, compute, *inputs)
            view._facts[compute, *inputs] = result = counting(view, *inputs)
            return result

        def counted_same(view: View, compute: Callable[..., Any], *inputs: object) -> Any:  # noqa: ANN401
            before = view._kept.get(compute)
            result = same(view, compute, *inputs)
            self.anew[compute.__name__] += view._kept[compute] is not before
            return result

        monkeypatch.setattr(View, "__init__", counted_init)
        monkeypatch.setattr(View, "once", counted_once)
        monkeypatch.setattr(View, "same", counted_same)

    def forget(self) -> None:
        self.views = 0
        self.facts.clear()
        self.anew.clear()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Computed:
    return Computed(monkeypatch)


SCREENS = ["", "i", "e", "u", "?", "r", "w", "c", "F", "X", "P"]


@pytest.mark.parametrize("key", SCREENS)
async def test_a_publish_makes_one_view_to_judge_and_one_to_draw(
    key: str, computed: Computed, tmp_path: Path
) -> None:
    files = golden_files(tmp_path)
    events = [read(files), *scenes.stuck()]
    async with running(*events, size=LARGE, files=files, evidence="log.md") as rig:
        if key:
            await rig.press(*([key] if key != "?" else ["question_mark"]))
        computed.forget()
        await rig.passes(1.0)
        assert computed.views == 2
        assert max(computed.facts.values()) == 1
        assert len({view for view, _fact, _inputs in computed.facts}) <= 3, "with an edited window"


@pytest.mark.parametrize("key", [key for key in SCREENS if key != "w"])  # w opens it at this moment
async def test_while_only_the_clock_moves_nothing_of_the_metrics_is_computed_again(
    key: str, computed: Computed, tmp_path: Path
) -> None:
    files = golden_files(tmp_path)
    events = [read(files), *scenes.ordinary()]
    async with running(*events, size=LARGE, files=files, evidence="log.md") as rig:
        if key:
            await rig.press(*([key] if key != "?" else ["question_mark"]))
        await rig.passes(0.5)
        computed.forget()
        await rig.passes(0.5)
        assert computed.anew.total() == 0, computed.anew
