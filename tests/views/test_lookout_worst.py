"""Where `g` leads: to what is worst, and of that to what nobody has seen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import builders, scenes
from tests.support.scenes import OWNER

from vp_tui.domain.events import AlarmsAcknowledged, Looked
from vp_tui.domain.models import Failure, Source
from vp_tui.domain.runs.alarms import AlarmKey
from vp_tui.views.lookout import present_alarms, worst_alarm
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.state.state import State

GONE = Failure("connection refused", "is it up?", is_silence=True)
TRIPPED = AlarmKey(":guardrail tripped", "guardrail tripped")
STUCK = AlarmKey(OWNER, "stuck run")


def worst(now: State) -> AlarmKey | None:
    found = worst_alarm(View(now, 2.0))
    return None if found is None else found.key


def fallen() -> list[Event]:
    """Return a stuck run, and a guardrail that tripped."""
    ended = [builders.mission(f"m{n}", fallback_seen=n < 5) for n in range(9)]
    return [*scenes.stuck(), builders.polled(builders.snapshot(*ended))]


def test_nothing_is_wrong() -> None:
    assert worst(builders.state(*scenes.ordinary())) is None


def test_a_stuck_run_is_named() -> None:
    assert worst(builders.state(*scenes.stuck())) == STUCK


def test_a_tripped_guardrail_goes_before_a_run() -> None:
    assert worst(builders.state(*fallen())) == TRIPPED


def test_what_somebody_has_seen_comes_after_what_nobody_has() -> None:
    now = builders.state(*fallen())
    looked = Looked(2.0, present_alarms(View(now, 2.0)))
    seen = AlarmsAcknowledged(2.0, "ana", frozenset({TRIPPED.subject}))
    assert worst(builders.state(*fallen(), looked, seen)) == STUCK
    both = AlarmsAcknowledged(2.0, "ana")
    assert worst(builders.state(*fallen(), looked, both)) == TRIPPED


def test_a_lost_gateway_is_an_alarm_of_its_own() -> None:
    silent = [builders.failed(source, GONE, at=1.0) for source in (Source.METRICS, Source.SESSIONS)]
    found = worst(builders.state(builders.healthy(), builders.listing(builders.session()), *silent))
    assert found == AlarmKey(":gateway lost", "gateway lost")
