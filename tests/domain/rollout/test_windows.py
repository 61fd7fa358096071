from datetime import timedelta

import pytest
from tests.support.builders import NOW, mission, mission_event
from tests.support.rollout import entry, golden_rows, history, window

from vp_tui.domain.rollout.evidence_row import EvidenceRow
from vp_tui.domain.rollout.verdicts import Verdict, Waiver
from vp_tui.domain.rollout.windows import (
    Anchor,
    WindowNumbers,
    closed,
    events_of,
    missions_of,
    numbers_of,
    open_window,
    opened,
    proposed_window,
    recorded,
    unreal_missions,
)
from vp_tui.domain.vocabulary import Stage, Traffic

LATER = NOW + timedelta(minutes=10)
WAIVER = Waiver("G4", "ana@laptop", "suites run by hand", NOW, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("explicit", "rows", "expected"),
    [
        (Stage.SUSTAINED, golden_rows(), Stage.SUSTAINED),
        (None, golden_rows(), Stage.BROADENED),
        (None, [], Stage.SHADOW),
    ],
)
def test_the_stage(explicit: Stage | None, rows: list[EvidenceRow], expected: Stage) -> None:
    assert proposed_window(rows, (), scope="organic", stage=explicit).stage is expected


def test_the_proposed_window_holds_what_no_record_names() -> None:
    proposed = proposed_window(golden_rows(), ["m000", "m001"], scope="organic, prod-gw")
    assert proposed.label == "Broadened rollout window #5"
    assert (proposed.stage, proposed.source) == (Stage.BROADENED, Traffic.ORGANIC)
    assert (proposed.opened_at, proposed.is_open) == (None, False)
    assert numbers_of(proposed, history(".....")).new == 3


def test_without_records_it_holds_every_mission() -> None:
    proposed = proposed_window([], (), scope="organic", source=Traffic.PROBE)
    assert proposed.label == "Shadow window #1"
    assert numbers_of(proposed, history("...")).new == 3


@pytest.mark.parametrize(
    ("label", "stage", "expected"),
    [
        ("Limited cohort window #9 (team A)", None, Stage.LIMITED),
        ("Limited cohort window #9", Stage.SHADOW, Stage.SHADOW),
        ("A night of its own", None, Stage.BROADENED),
    ],
)
def test_a_label_that_is_asked_for_tells_the_stage(
    label: str, stage: Stage | None, expected: Stage
) -> None:
    proposed = proposed_window(golden_rows(), (), scope="organic", label=label, stage=stage)
    assert (proposed.label, proposed.stage) == (label, expected)


def test_closing_leaves_the_rest_as_it_is() -> None:
    ended = closed(window(), LATER)
    assert not ended.is_open
    assert ended._replace(closed_at=None) == window()


def test_the_open_one_is_the_newest_that_is_not_closed() -> None:
    ended, other = closed(window(label="ended"), LATER), window(label="open")
    assert open_window((ended, other)) == other
    assert open_window((ended,)) is None
    assert open_window(()) is None


def test_a_windows_events_are_those_of_its_missions() -> None:
    watched = window(anchor=frozenset({"m000"}))
    missions = history("...")
    assert missions_of(watched, missions) == {"m001", "m002"}
    events = [
        mission_event("m000"),
        mission_event("m001"),
        mission_event("m002"),
        mission_event("m001", "vp.mission.fallback"),
        mission_event("unheard of"),
    ]
    assert events_of(watched, missions, events) == {
        "vp.mission.dispatched": 2,
        "vp.mission.fallback": 1,
    }


def test_opening_takes_what_had_ended_for_the_anchor() -> None:
    proposed = proposed_window([], (), scope="organic", stage=Stage.LIMITED)
    fresh = opened(proposed, Anchor(frozenset({"m000"}), frozenset({"m001"}), NOW), NOW)
    assert fresh.is_open
    assert fresh.opened_at == NOW
    assert (fresh.anchor, fresh.running) == (frozenset({"m000"}), frozenset({"m001"}))
    assert fresh.stage is Stage.LIMITED


@pytest.mark.parametrize(
    ("anchor", "started_s", "expected"),
    [
        ({"m1"}, -60.0, False),
        ({"m1"}, 0.0, False),
        ({"m1"}, 60.0, False),
        ({"other"}, -60.0, True),
        (None, -60.0, False),
        (None, 60.0, True),
    ],
)
def test_a_mission_is_the_windows_when_it_had_not_ended_at_the_opening(
    anchor: set[str] | None, started_s: float, *, expected: bool
) -> None:
    watched = window(anchor=None if anchor is None else frozenset(anchor))
    assert watched.holds(mission("m1", started_s=started_s)) is expected


def test_an_unknown_anchor_needs_a_start() -> None:
    assert not window(anchor=None).holds(mission(started_at=None))
    assert window().holds(mission(started_at=None))


def test_a_closed_window_takes_no_more() -> None:
    closed = window(closed_at=LATER)
    assert closed.holds(mission(started_s=300))
    assert closed.holds(mission(started_s=600))
    assert not closed.holds(mission(started_s=900))


@pytest.mark.parametrize(
    ("word", "keep", "stays"),
    [
        ("BLOCKED_AUTH", None, True),
        ("HOLD_SHADOW", None, True),
        ("PARTIAL_TIMEOUT_RECOVERED", None, True),
        ("HOLD_SHADOW", False, False),
        ("GO_BROADER_TRAFFIC_ACTIVE", None, False),
        ("FORCE_FALLBACK", None, False),
        ("START_SHADOW_WINDOW", None, False),
        ("SUSTAINED_WATCH", None, False),
        ("GO_BROADER_TRAFFIC_ACTIVE", True, True),
    ],
)
def test_recording_keeps_a_window_open_or_closes_it(
    word: str, *, keep: bool | None, stays: bool
) -> None:
    after = recorded(window(), word, LATER, keep=keep)
    assert after.is_open is stays
    assert after.decision == word
    assert after.opened_at == NOW
    assert after.closed_at == (None if stays else LATER)


def test_recording_a_proposed_window_opens_it_with_its_missions() -> None:
    proposed = proposed_window([], ["m000"], scope="organic")
    held = recorded(proposed, "HOLD_SHADOW", LATER)
    assert held.is_open
    assert numbers_of(held, history("..")) == numbers_of(proposed, history(".."))


def test_the_numbers_of_a_window() -> None:
    missions = (
        entry("m0"),
        entry("m1", duration_s=40.0),
        entry("m2", fell_back=True, duration_s=50.0),
        entry("m3", "failed", fell_back=True, duration_s=60.0),
        entry("m4", "running"),
        entry("m5", "running"),
        entry("m6", "running", fell_back=True),
        entry("m7", "running", cancelled=True),
        entry("m8", "cancelled", cancelled=True),
        entry("m9", "queued"),
    )
    numbers = numbers_of(window(anchor=frozenset({"m0"})), missions, orphaned={"m5", "m6", "m7"})
    assert numbers == WindowNumbers(
        new=7, completed=2, failed=2, running=1, fallback=3, p95_s=60.0, timed=3
    )
    assert numbers.terminal == 4


def test_an_empty_window_has_no_p95() -> None:
    assert numbers_of(window(), ()) == WindowNumbers()


def test_missions_of_windows_that_are_not_real() -> None:
    missions = [made.mission for made in history("....")]
    injected = window(anchor=frozenset({"m000", "m001"}), source=Traffic.FAULT_INJECTED)
    probed = window(source=Traffic.PROBE)
    assert unreal_missions([injected, probed], missions) == {"m002", "m003"}


@pytest.mark.parametrize(
    ("source", "is_real"),
    [("organic", True), ("probe", True), ("synthetic", False), ("fault-injected", False)],
)
def test_which_sources_are_real(source: str, *, is_real: bool) -> None:
    assert Traffic(source).is_real is is_real


def test_a_waiver_ends_with_its_window() -> None:
    waived = window(waivers=(WAIVER,))
    assert recorded(waived, "HOLD_SHADOW", LATER).waivers == (WAIVER,)
    assert opened(waived, Anchor(), LATER).waivers == ()
