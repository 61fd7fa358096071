"""The badge and the troubles: what stands between the operator and trusting the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rollout import window
from tests.support.scenes import BROKEN, GONE

from vp_tui.domain.events import EvidenceRead, HealthArrived, TokensRead, WindowsRead
from vp_tui.domain.models import Plane, Source, StreamState, TokenPresence
from vp_tui.views.lookout import badge
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.views.sources import Trouble

LONG_AFTER = 600.0


def badge_after(*events: Event, now: float = 1.0, frozen: bool = False) -> str:
    return badge(View(builders.state(*events), now), frozen=frozen)


def troubles_after(*events: Event, now: float = 1.0) -> tuple[Trouble, ...]:
    return troubles(View(builders.state(*events), now))


def whats(*events: Event, now: float = 1.0) -> list[str]:
    return [trouble.what for trouble in troubles_after(*events, now=now)]


@pytest.mark.parametrize(
    ("events", "now", "word"),
    [
        ([], 1.0, "CONNECTING"),
        ([builders.polled(builders.snapshot())], 1.0, "CONNECTING"),
        ([builders.listing()], 1.0, "CONNECTING"),
        (scenes.ordinary(), 1.0, "LIVE"),
        (scenes.ordinary(), 5.0, "STALE"),
        (scenes.metrics_down(), 9.0, "DOWN"),
        ([*scenes.ordinary(), builders.failed(Source.SESSIONS, BROKEN, at=1.0)], 1.0, "DOWN"),
        (
            [*scenes.ordinary(), builders.failed(Source.SESSIONS, builders.REFUSED, at=1.0)],
            1.0,
            "UNAUTHORIZED",
        ),
        (scenes.refused_ops(dashboard=False), 1.0, "UNAUTHORIZED"),
        (scenes.refused_ops(dashboard=True), 1.0, "UNAUTHORIZED"),
        (scenes.lost(), 9.0, "LOST+ALARM"),
        (
            [builders.failed(Source.METRICS, GONE), builders.failed(Source.SESSIONS, GONE)],
            1.0,
            "LOST+ALARM",
        ),
        (
            [builders.failed(Source.METRICS, GONE), builders.failed(Source.SESSIONS, BROKEN)],
            1.0,
            "DOWN",
        ),
        (scenes.blind(), 1.0, "BLIND+ALARM"),
        (scenes.blind(), LONG_AFTER, "BLIND+STALE+ALARM"),
        (scenes.truncated(), 1.0, "LIVE"),
    ],
)
def test_the_badge_is_the_gravest_word(events: list[Event], now: float, word: str) -> None:
    assert badge_after(*events, now=now) == word


def test_a_frozen_screen_says_so_first() -> None:
    assert badge_after(*scenes.ordinary(), frozen=True) == "FROZEN"
    assert badge_after(*scenes.lost(), now=9.0, frozen=True) == "FROZEN+LOST+ALARM"


def test_an_ordinary_night_has_no_trouble() -> None:
    assert troubles_after(*scenes.ordinary()) == ()


def test_a_lost_gateway_is_one_trouble_with_cause_and_cure() -> None:
    (trouble,) = troubles_after(*scenes.lost(), now=9.0)
    assert trouble.what == "gateway lost"
    assert trouble.reason == GONE.reason
    assert trouble.cure == f"[5] see each source; {GONE.cure}"


def test_refusals_are_named_together_before_all_else() -> None:
    found = troubles_after(*scenes.refused_ops(dashboard=True))
    assert found[0].what == "unauthorized: metrics, sessions, continuity, log"
    assert found[0].reason == builders.REFUSED.reason
    assert found[0].cure == f"[A] read tokens again; first {builders.REFUSED.cure}"


def test_each_doubt_about_the_rate_is_told() -> None:
    (blind,) = troubles_after(*scenes.blind())
    assert blind.what == "outcomes unknown"
    assert blind.reason == "1 in the window, 1 of the last 19 ended unseen"
    before = [builders.mission(f"old{n}", started_s=-9e3, result_ref=None) for n in range(3)]
    newest = scenes.done(20)
    events = builders.mission_events(newest[0])
    known = builders.snapshot(*newest, *before, events=events, event_limit=500)
    held = WindowsRead(0.0, (window(anchor=frozenset(m.mission_id for m in before)),))
    (partial,) = troubles_after(*scenes.ordinary(known), held)
    assert partial.reason == "3 of 23 outcomes unknown"
    assert "--event-limit" in partial.cure
    assert not partial.is_grave


def test_the_number_of_unreported_fallbacks_is_told() -> None:
    fallen = [builders.mission(f"m{n}", "failed") for n in range(2)]
    (trouble,) = troubles_after(
        HealthArrived(0.0, builders.health()),
        builders.polled(builders.snapshot(*fallen)),
        builders.listing(at=1.0),
    )
    assert trouble.reason == "2 fallbacks seen that the gateway does not report"


def test_what_is_not_grave_comes_last() -> None:
    found = troubles_after(
        TokensRead(0.0, TokenPresence(problems=("~/.uatok is not readable",))),
        builders.polled(builders.snapshot()),
        builders.listing(),
        builders.failed(Source.METRICS, BROKEN, at=1.0),
    )
    assert [trouble.what for trouble in found] == ["metrics down", "tokens"]
    assert [trouble.is_grave for trouble in found] == [True, False]


def test_a_silent_source_is_stale_and_not_down() -> None:
    (trouble,) = troubles_after(
        builders.polled(builders.snapshot()), builders.listing(at=LONG_AFTER), now=LONG_AFTER
    )
    assert trouble.what == "metrics stale"
    assert "10m00" in trouble.reason


def test_a_stale_substitute_is_still_a_refusal() -> None:
    events: list[Event] = [
        builders.failed(Source.METRICS, builders.REFUSED),
        builders.polled(builders.snapshot(), plane=Plane.DASHBOARD),
    ]
    assert badge_after(*events, now=LONG_AFTER) == "UNAUTHORIZED"
    assert whats(*events, now=LONG_AFTER) == ["unauthorized: metrics"]


def test_streams_that_are_not_attached_are_told() -> None:
    links = [
        builders.linked(),
        builders.linked(StreamState.WAITING, "1012", session_id="session_b"),
        builders.linked(StreamState.GONE, "4404", session_id="session_c"),
    ]
    (trouble,) = troubles_after(*scenes.ordinary(), *links)
    assert trouble.what == "1 of 4 streams not attached"
    assert trouble.reason == "1012"


def test_refused_streams_name_their_own_token() -> None:
    refused = builders.linked(StreamState.UNAUTHORIZED, "4401: refused")
    (trouble,) = troubles_after(*scenes.ordinary(), refused)
    assert trouble.what == "unauthorized: streams"
    assert "UA_INTERNAL_API_TOKEN" in trouble.cure


def test_streams_being_opened_are_no_trouble() -> None:
    opened = builders.linked(StreamState.CONNECTING, session_id="session_new")
    assert whats(*scenes.ordinary(), opened) == []


def test_an_unhealthy_gateway_tells_why() -> None:
    ill = HealthArrived(
        0.5, builders.health(status="unhealthy", db_status="error", db_error="disk full")
    )
    (trouble,) = troubles_after(*scenes.ordinary(), ill)
    assert (trouble.what, trouble.reason) == ("gateway unhealthy", "disk full")
    nameless = HealthArrived(0.5, builders.health(status="unhealthy", db_status="error"))
    (trouble,) = troubles_after(*scenes.ordinary(), nameless)
    assert trouble.reason == "its database is error"


def test_a_problem_with_tokens_says_what_to_press() -> None:
    read = TokensRead(0.5, TokenPresence(problems=("~/.uatok is not readable",)))
    (trouble,) = troubles_after(*scenes.ordinary(), read)
    assert trouble.reason == "~/.uatok is not readable"
    assert "[A] read tokens again" in trouble.cure


def test_a_log_that_cannot_be_read_is_a_trouble_but_no_grave_one() -> None:
    broken = EvidenceRead(0.0, (), frozenset(), "log.md: it is a directory")
    (trouble,) = troubles(View(builders.state(broken), 0.0))
    assert (trouble.what, trouble.reason) == ("evidence log", "log.md: it is a directory")
    assert not trouble.is_grave
