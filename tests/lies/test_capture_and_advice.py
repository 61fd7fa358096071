"""Lies that were told of limits: more advised than there is, and another word than the script's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import builders, scenes

from vp_tui.cli.arguments import parse
from vp_tui.cli.capture_row import clamped, with_script_limits
from vp_tui.cli.config.load import settle
from vp_tui.cli.config.settings import Given
from vp_tui.domain.rollout.decisions import script_decision
from vp_tui.domain.vocabulary import Profile, Thresholds
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View


@pytest.mark.parametrize(
    ("limit", "cure"),
    [
        (1000, "[i] see what is known by what; prune its VP events, or [^p] waive"),
        (999, "[i] see what is known by what; raise --event-limit"),
    ],
)
def test_no_more_events_are_advised_than_a_gateway_gives(limit: int, cure: str) -> None:
    missions = [builders.mission(f"m{n}", result_ref=None) for n in range(3)]
    cut = builders.snapshot(*missions, events=[], event_limit=limit)
    [unknown] = troubles(View(builders.state(*scenes.ordinary(cut)), 2.0))
    assert unknown.cure == cure


@pytest.mark.parametrize(
    ("given", "limits"), [({}, (100, 500)), ({"mission_limit": "500"}, (500, 500))]
)
def test_the_script_looks_at_its_own_newest_missions(
    given: dict[str, str], limits: tuple[int, int]
) -> None:
    loaded = settle({name: Given(text, "flag", Path()) for name, text in given.items()})
    settings = with_script_limits(loaded)
    assert (settings.mission_limit, settings.event_limit) == limits


@pytest.mark.parametrize(
    ("given", "used"), [("0", "1"), ("-5", "1"), ("7", "7"), ("900", "500"), ("many", "many")]
)
def test_a_limit_is_clamped_as_the_script_clamped_it(given: str, used: str) -> None:
    assert clamped(parse(["capture", "--mission-limit", given])).flags["mission_limit"] == used


def test_the_scripts_other_mode_is_refused_with_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["capture", "--mode", "direct"])
    assert refused.value.code == 2
    assert "direct ran inside the gateway, on its database" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("profile", "rate", "p95_s", "fired"),
    [
        (Profile.ROLLOUT, 0.3, 30.0, "rate 0.300 >= 0.05, to be watched"),
        (Profile.SUSTAINED, 0.3, 30.0, "rate 0.300 >= 0.2, critical"),
        (Profile.SUSTAINED, 0.06, 99.0, "rate 0.060 >= 0.05, to be watched"),
        (Profile.SUSTAINED, 0.0, 45.0, "p95 45.000s >= 45 s, to be watched"),
        (Profile.SUSTAINED, 0.0, 90.0, "p95 90.000s >= 90 s, critical"),
    ],
)
def test_the_threshold_that_fired_is_named(
    profile: Profile, rate: float, p95_s: float, fired: str
) -> None:
    assert script_decision(profile, 20, rate, p95_s, Thresholds()).reasons == (fired,)
