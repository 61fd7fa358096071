"""Alarms ring once, go on while their trouble does, and keep who has seen them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.runs.alarms import (
    Alarm,
    AlarmChanges,
    AlarmKey,
    PresentAlarm,
    acknowledged,
    follow_alarms,
)

STUCK = AlarmKey("a", "stuck run")
DEAF = AlarmKey("a", "deaf run")
LOST = AlarmKey("", "gateway lost")


def wrong(key: AlarmKey = STUCK, reason: str = "silent", since: float = 1.0) -> PresentAlarm:
    return PresentAlarm(key, reason, since)


def first(*present: PresentAlarm) -> AlarmChanges:
    return follow_alarms((), present or (wrong(),), 10.0)


def test_a_new_alarm_rings_once() -> None:
    rung = first()
    assert rung.new == rung.alarms == (Alarm(STUCK, "silent", 1.0, 10.0),)
    again = follow_alarms(rung.alarms, [wrong()], 11.0)
    assert (again.new, again.ended) == ((), ())
    assert again.alarms == rung.alarms


def test_its_reason_is_kept_up_to_date_without_ringing() -> None:
    again = follow_alarms(first().alarms, [wrong(reason="silent for longer", since=2.0)], 11.0)
    assert again.new == ()
    assert again.alarms[0][1:4] == ("silent for longer", 2.0, 10.0)


def test_it_ends_and_rings_anew() -> None:
    over = follow_alarms(first().alarms, [], 11.0)
    assert (over.alarms, [alarm.key for alarm in over.ended]) == ((), [STUCK])
    assert len(follow_alarms(over.alarms, [wrong()], 12.0).new) == 1


def test_another_trouble_of_the_same_run_rings_and_takes_its_place() -> None:
    changed = follow_alarms(first().alarms, [wrong(DEAF)], 11.0, unknown={"a"})
    assert [alarm.key for alarm in changed.new] == [DEAF]
    assert [alarm.key for alarm in changed.ended] == [STUCK]


def test_what_cannot_be_told_now_goes_on() -> None:
    unheard = follow_alarms(first().alarms, [], 11.0, unknown={"a"})
    assert (unheard.new, unheard.ended, len(unheard.alarms)) == ((), (), 1)
    assert follow_alarms(unheard.alarms, [wrong()], 12.0).new == ()


def test_the_first_to_acknowledge_stands_until_the_alarm_is_over() -> None:
    alarms = acknowledged(first(wrong(), wrong(LOST)).alarms, "bo", 12.0, {"a"})
    assert {a.key: a.acknowledged and a.acknowledged.actor for a in alarms} == {
        STUCK: "bo",
        LOST: None,
    }
    alarms = acknowledged(alarms, "cy", 13.0)
    assert [a.acknowledged and a.acknowledged.actor for a in alarms] == ["cy", "bo"]
    kept = follow_alarms(alarms, [wrong(reason="longer"), wrong(LOST)], 14.0).alarms
    assert [a.acknowledged for a in kept] == [a.acknowledged for a in alarms]
    again = follow_alarms(follow_alarms(kept, [], 15.0).alarms, [wrong()], 16.0)
    assert again.alarms[0].acknowledged is None


def test_the_newest_come_first() -> None:
    later = follow_alarms(first().alarms, [wrong(), wrong(LOST)], 20.0)
    assert [alarm.key for alarm in later.alarms] == [LOST, STUCK]


PRESENT = st.lists(
    st.builds(PresentAlarm, st.builds(AlarmKey, st.sampled_from("ab"), st.sampled_from("xy")), st.just("r"),
              st.just(0.0)),
    max_size=4,
)  # fmt: skip


@given(st.lists(PRESENT, max_size=8))
def test_every_alarm_rings_exactly_when_it_comes_to_be(looks: list[list[PresentAlarm]]) -> None:
    alarms: tuple[Alarm, ...] = ()
    before: set[AlarmKey] = set()
    for now, present in enumerate(looks):
        step = follow_alarms(alarms, present, float(now))
        keys = {one.key for one in present}
        assert {alarm.key for alarm in step.new} == keys - before
        assert {alarm.key for alarm in step.ended} == before - keys
        assert {alarm.key for alarm in step.alarms} == keys
        alarms, before = step.alarms, keys
