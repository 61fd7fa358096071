"""What became of our own cancels, in the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support import builders

from vp_tui.domain.events import CancelFailed, CancelRequested, Tick
from vp_tui.domain.models import Failure
from vp_tui.state.store import Store
from vp_tui.storage.audit_log import newest_actions
from vp_tui.worker.lookout import LEFT, audit_outcomes, note_left

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.orders import ActionRecord

ME = "ana@laptop"
ASKED = CancelRequested(10.0, "a", "stuck in npm", ME)
UNWINDS = (
    builders.status_frame(status="turn_cancelled"),
    builders.frame("query_complete", cancelled=True),
    builders.frame("cancelled"),
)


def running() -> list[Event]:
    return [
        builders.healthy(),
        builders.booted(),
        *(builders.linked(session_id=name) for name in "ab"),
        *builders.stream(builders.processing(), session_id="a", at=1.0),
        builders.listing(builders.session("a", active_runs=1), builders.session("b"), at=3.0),
    ]


class Watch:
    """A store that is watched, and what was noted."""

    def __init__(self, *events: Event) -> None:
        self.now = 10.0
        self.noted: list[ActionRecord] = []
        self.store = Store(builders.state(*running(), *events))
        audit_outcomes(self.store, self.noted.append, lambda: self.now)

    def at(self, now: float, *events: Event) -> None:
        self.now = now
        self.store.apply(*events, Tick(now, builders.NOW + timedelta(seconds=now)))

    @property
    def results(self) -> list[str]:
        return [record.result for record in self.noted]


def ended(at: float) -> list[Event]:
    return list(builders.stream(*UNWINDS, session_id="a", at=at))


def turn(at: float) -> list[Event]:
    return list(
        builders.stream(
            builders.processing("next"), builders.frame("query_complete"), session_id="b", at=at
        )
    )


def test_a_recovery_is_noted_once_with_its_steps() -> None:
    watch = Watch(ASKED)
    watch.at(12.0, *ended(10.1))
    assert watch.noted == []
    watch.at(31.0, *turn(30.0))
    watch.at(32.0)
    (record,) = watch.noted
    assert (record.actor, record.action, record.target) == (ME, "cancel recovery", "a")
    assert (record.reason, record.result) == ("stuck in npm", "recovered")
    assert record.at == builders.NOW + timedelta(seconds=31)
    told = {step.step: step.at for step in record.steps}
    assert told["requested"] == builders.NOW + timedelta(seconds=10)
    assert told["a later turn completes"] == builders.NOW + timedelta(seconds=31)


def test_one_that_stays_unconfirmed_is_noted_and_its_late_recovery_too() -> None:
    watch = Watch(ASKED)
    for now in (129.0, 130.0, 131.0, 132.0):
        watch.at(now)
    assert watch.results == ["unconfirmed: no later turn completed for 120 s"]
    watch.at(301.0, *turn(300.0))
    assert watch.results[1:] == ["recovered"]


def test_who_looks_twice_notes_nothing_twice() -> None:
    watch = Watch(ASKED)
    audit_outcomes(watch.store, watch.noted.append, lambda: watch.now)
    watch.at(130.0)
    late = Watch(ASKED)
    late.store.state = watch.store.state
    late.at(131.0)
    assert (len(watch.noted), late.noted) == (1, [])


def test_of_an_order_that_is_not_followed_any_more_nothing_is_remembered() -> None:
    watch = Watch(ASKED)
    watch.at(130.0)
    assert [told.asked_at for told in watch.store.state.outcomes_audited] == [10.0]
    watch.store.state = replace(watch.store.state, cancels=())
    watch.at(140.0, ASKED._replace(at=140.0))
    watch.at(270.0)
    assert [told.asked_at for told in watch.store.state.outcomes_audited] == [140.0]


def test_a_restart_is_noted() -> None:
    watch = Watch(ASKED)
    watch.at(41.0, builders.booted("2026-11-22T21:00:00", at=40.0))
    assert watch.results == ["ended by a restart"]


def test_others_and_what_was_refused_are_not_ours_to_note() -> None:
    watch = Watch(ASKED, CancelFailed(11.0, "a", Failure("401", "a token")))
    watch.at(500.0, *ended(20.0))
    assert watch.results == []


def test_each_of_several_is_noted() -> None:
    watch = Watch(ASKED, ASKED._replace(at=12.0, session_id="b"))
    watch.at(140.0)
    assert [record.target for record in watch.noted] == ["a", "b"]


def test_what_is_pending_when_vp_tui_leaves_is_noted(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    foreign = builders.stream(builders.frame("cancelled"), session_id="a", at=5.0)
    assert note_left(builders.state(*running(), *foreign), audit, now=20.0) is None
    assert not audit.exists()
    assert note_left(builders.state(*running(), ASKED), audit, now=20.0) is None
    (record,) = newest_actions(audit, 10).records
    assert (record.action, record.target, record.result) == ("cancel recovery", "a", LEFT)
    assert record.at == builders.NOW + timedelta(seconds=20)


def test_that_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    problem = note_left(
        builders.state(*running(), ASKED), tmp_path / "file" / "audit.jsonl", now=20.0
    )
    assert problem is not None
