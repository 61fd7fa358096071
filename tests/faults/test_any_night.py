"""A night of answers and frames, each a recorded one with parts that no gateway sends.

Whatever of it is read, the state, the status and the texts of it are made; nothing raises.
"""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.test_recording import parsed
from tests.support import builders
from tests.support.recorded import WIRE

from vp_tui.cli.status import status_text
from vp_tui.domain.events import SourceFailed, Tick
from vp_tui.domain.models import Source, StreamEvent
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.frames import parse_frame
from vp_tui.storage.recording import from_line, to_line
from vp_tui.ui.lines.explain import explanation
from vp_tui.views.draft import draft_row
from vp_tui.views.handover import handover, incident_text
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.triage import triage
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.domain.events import Event

ODD: Final[tuple[object, ...]] = (
    None, True, -1, 0, 2, 10**20, 1e308, float("nan"), float("inf"), "", "running", "completed",
    "\x1b[2J", "x" * 300, "[/x]", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-12:00",
    "2026-11-22T19:34:29", "24:00", [], {}, [None], {"": 0},
)  # fmt: skip
"""What stands where something else did."""
_ANSWERS: Final = [json.loads(path.read_text()) for path in sorted(WIRE.rglob("*.json"))]
RECORDED: Final[list[Any]] = [each for each in _ANSWERS if list(parsed(each))]
FRAMES: Final[list[Any]] = [
    record["msg"]
    for path in sorted(WIRE.glob("*.jsonl"))
    for record in map(json.loads, path.read_text().splitlines())
    if "msg" in record
]
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(RECORDED) | st.sampled_from(FRAMES),
        st.lists(
            st.tuples(st.integers(0, 2**16), st.sampled_from([*ODD, *map(str, ODD)])), max_size=3
        ),
        st.sampled_from([0.0, 0.5, 2.0, 30.0, 4000.0]),
    ),
    max_size=8,
)


@settings(max_examples=25)
@given(STEPS)
def test_whatever_comes_every_view_and_text_of_it_is_made(
    steps: list[tuple[Any, list[tuple[int, object]], float]],
) -> None:
    told, now = [], 0.0
    for recorded, changes, later in steps:
        now += later
        told += [event._replace(at=now) for event in _events(_changed(recorded, changes))]
        told.append(Tick(now, builders.NOW + timedelta(seconds=now)))
    told = [from_line(to_line(event)) for event in told]
    view = View(builders.state(*told), now)
    json.dumps(status_object(view), allow_nan=False)
    texts = [status_text(view), handover(view, "ana")]
    for session_id in view.state.sessions:
        texts += [incident_text(view, session_id)]
        triage(view, session_id)
    explanation(view, 80)
    draft_row(view)
    assert exit_code(view) in {0, 1, 2}
    assert all(trouble.what for trouble in troubles(view))
    assert "\x1b" not in "".join(texts)


def _events(recorded: Any) -> list[Event]:  # noqa: ANN401 - JSON
    """Return what a feed makes of it."""
    if "status_code" not in recorded:
        return [StreamEvent(0.0, "session_a", parse_frame(json.dumps(recorded)))]
    try:
        return list(parsed(recorded))
    except GatewayError as error:
        return [SourceFailed(0.0, Source.METRICS, error.failure)]


def _changed(recorded: Any, changes: list[tuple[int, object]]) -> Any:  # noqa: ANN401 - JSON
    """Return it with parts of what the gateway said replaced, each chosen by a number."""
    changed = json.loads(json.dumps(recorded))
    for number, odd in changes:
        places = list(_places(changed["body"] if "status_code" in changed else changed))
        if places:
            places[number % len(places)](copy.deepcopy(odd))
    return changed


def _places(value: Any) -> list[Callable[[object], None]]:  # noqa: ANN401 - JSON
    """Return what sets each part of a JSON value, its parts' parts too."""
    parts: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        parts = enumerate(value)
    found: list[Callable[[object], None]] = []
    for key, part in parts:
        found += [partial(value.__setitem__, key), *_places(part)]
    return found
