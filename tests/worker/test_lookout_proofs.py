"""What our own orders came to: a further line of the audit, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.builders import booted, healthy, polled, routed, snapshot, state, stream
from tests.support.builders import frame as framed

from vp_tui.domain.events import RestartActed, RestartAsked, SwitchActed, SwitchAsked
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, CommandRun
from vp_tui.state.store import Store
from vp_tui.worker.lookout import audit_outcomes

if TYPE_CHECKING:
    from vp_tui.domain.orders import ActionRecord

DONE = Actuation((), written=True, command=CommandRun(("true",), 0, (), 0.1))
NEXT_BOOT = "2026-11-22T20:00:03"


def followed() -> tuple[Store, list[ActionRecord]]:
    noted: list[ActionRecord] = []
    store = Store(state(healthy(), booted(), polled(snapshot())))
    audit_outcomes(store, noted.append, lambda: 20.0)
    return store, noted


def test_a_change_is_noted_when_it_is_proven_or_contradicted_and_not_before() -> None:
    store, noted = followed()
    store.apply(SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop"), SwitchActed(2.0, DONE))
    store.apply(booted(NEXT_BOOT, 4.0), healthy(5.0))
    assert noted == []
    turn = stream(routed("delegated_to_coder_vp", "m9"), framed("query_complete"), at=10.0)
    store.apply(*turn)
    store.apply(*stream(framed("text"), at=15.0))
    (record,) = noted
    assert (record.action, record.actor) == ("proof of force fallback", "ana@laptop")
    assert record.target == store.state.watch.url
    assert record.result.startswith("CONTRADICTED: a coding turn of session_a was delegated")
    assert [step.step for step in record.steps][-2:] == ["in force", "CONTRADICTED"]


def test_a_restart_is_noted_when_the_gateway_is_back() -> None:
    store, noted = followed()
    store.apply(RestartAsked(1.0, "ana@laptop"), RestartActed(2.0, DONE))
    assert noted == []
    store.apply(booted(NEXT_BOOT, 4.0), *stream(framed("text"), at=5.0))
    (record,) = noted
    assert (record.action, record.result) == ("proof of restart", "back in a new epoch")
