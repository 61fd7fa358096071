# ruff: noqa: ANN401 - JSON, and classes of events

"""Events as lines: every kind, and all that it holds, reads back equal; nothing else is read."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support import builders, scenes
from tests.support.event_values import KINDS, typed, values_of
from tests.support.recorded import WIRE, transcript

from vp_tui.domain.events import (
    ClaimsArrived,
    ContinuityArrived,
    HealthArrived,
    LogArrived,
    PollRateChanged,
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SessionsArrived,
    SnapshotArrived,
    StoryTold,
    SuitesRead,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
    Tick,
)
from vp_tui.domain.lane import probe as probing
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, CommandRun, Switch, Switches
from vp_tui.domain.models import Failure, LogChunk, Plane, StreamEvent
from vp_tui.domain.rollout.verdicts import UnreadReport
from vp_tui.gateway import parsing as wire
from vp_tui.gateway.frames import parse_frame
from vp_tui.storage.recording import UnknownKind, from_json, from_line, to_json, to_line
from vp_tui.storage.typed_json import Misshapen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vp_tui.domain.events import Event

ALIEN: Final[list[object]] = [[[]]]
"""JSON that nothing is written as."""
FEWER: Final = settings(max_examples=30)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
LISTINGS: Final = {
    "GET /api/v1/ops/sessions": (wire.parse_ops_sessions, Plane.OPS),
    "GET /api/v1/sessions": (wire.parse_session_listing, Plane.SESSION),
}
any_event: Final = st.one_of(*map(values_of, KINDS))
any_json: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def parsed(recorded: dict[str, Any]) -> Iterator[Event]:
    """Yield a recorded answer as the events that a feed makes of it."""
    for message in recorded.get("messages", ()):
        yield StreamEvent(1.0, "session_a", parse_frame(json.dumps(message["msg"])))
    if recorded.get("status_code") != 200:
        return
    body = json.dumps(recorded["body"]).encode()
    match recorded["request"].partition("?")[0]:
        case "GET /api/v1/health":
            yield HealthArrived(1.0, wire.parse_health(body, recorded["headers"]["date"]))
        case "GET /api/v1/ops/metrics/coder-vp":
            yield SnapshotArrived(1.0, wire.parse_metrics(body, 50, 200), Plane.OPS)
        case "GET /api/v1/dashboard/metrics/coder-vp":
            taken = wire.parse_dashboard_metrics(body, 20, 100)
            yield SnapshotArrived(1.0, taken, Plane.DASHBOARD)
        case "GET /api/v1/ops/vp/missions":
            claims = wire.parse_claims(body, "vp.coder.primary", datetime.now(UTC))
            yield ClaimsArrived(1.0, claims)
        case "GET /api/v1/ops/metrics/session-continuity":
            yield ContinuityArrived(1.0, wire.parse_continuity(body))
        case path if path in LISTINGS:
            listed, plane = LISTINGS[path]
            yield SessionsArrived(1.0, *listed(body)[:2], plane)
        case "GET /api/v1/ops/logs/tail":
            tail = wire.parse_tail(body)
            yield LogArrived(1.0, "log", LogChunk(tail.lines, size=tail.size, file=tail.file))


def recorded_events() -> dict[str, list[Event]]:
    """Return what the recordings of a real gateway come to, by their names."""
    answers = {path.stem: json.loads(path.read_text()) for path in WIRE.rglob("*.json")}
    told: dict[str, list[Event]] = {name: list(parsed(each)) for name, each in answers.items()}
    told |= {path.stem: [*transcript(path.stem)] for path in WIRE.glob("*.jsonl")}
    return {name: events for name, events in sorted(told.items()) if events}


def reverted() -> list[Event]:
    """Return a lane that was forced to fall back, and a probe of it."""
    done = Actuation((), written=True, command=CommandRun(("true",), 0, ("ok",), 0.1))
    begun = probing.Probe(
        "implement the code", "G1", 8.0, awaited_since=8.0, known=frozenset({"m1"})
    )
    facts: list[ProofStep | StreamEvent] = [
        ProofStep(8.5, probing.ProbeStep.CREATED, "session_probe"),
        ProofStep(8.7, probing.ProbeStep.ATTACHED),
        ProofStep(9.0, probing.ProbeStep.EXECUTED),
        StreamEvent(10.0, "session_probe", builders.processing()),
        StreamEvent(11.0, "session_probe", builders.frame("query_complete")),
    ]
    steps = [ProbeStepped(8.0, begun)]
    for fact in facts:
        steps.append(ProbeStepped(fact.at, probing.step_probe(steps[-1].probe, fact)))
    return [
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot()),
        SwitchesRead(0.5, Switches(forced_fallback=True, masked=frozenset(Switch)), builders.NOW),
        SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop", "3 of 20"),
        SwitchActed(2.0, done),
        builders.booted("2026-11-22T20:00:03", 4.0),
        *steps,
        *builders.stream(builders.processing(), builders.frame("query_complete"), at=12.0),
        RestartAsked(15.0, "ana@laptop"),
        RestartActed(16.0, done),
        Tick(20.0, builders.NOW),
        PollRateChanged(21.0, 2.0),
        StoryTold(21.5, "next: a run hangs"),
    ]


def nodes(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each part of a JSON value that is within it."""
    parts: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        yield (*path, key)
        yield from nodes(part, *path, key)


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def refusal(value: object) -> str | None:
    """Return why a value is no event, None where it is one; what else is raised goes through."""
    try:
        from_json(value)
    except Misshapen as error:
        return error.why
    except UnknownKind as error:
        return str(error)
    return None


class TestRoundTrip:
    @each_kind
    @given(data=st.data())
    @FEWER
    def test_every_kind_reads_back_equal(self, kind: Any, data: st.DataObject) -> None:
        event = data.draw(values_of(kind))
        line = to_line(event)
        assert "\n" not in line
        assert line.startswith(f'{{"kind":"{kind.__name__}","at":')
        for back in (from_line(line), from_line(line.encode()), from_json(to_json(event))):
            assert back == event
            assert typed(back) == typed(event)

    @given(any_event)
    def test_a_line_is_strict_json_of_the_object(self, event: Event) -> None:
        def refuse(word: str) -> None:
            raise AssertionError(word)

        assert json.loads(to_line(event), parse_constant=refuse) == to_json(event)

    @pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
    def test_what_is_no_finite_number_reads_back(self, number: float) -> None:
        back = from_line(to_line(PollRateChanged(0.0, number)))
        assert isinstance(back, PollRateChanged)
        assert repr(back.factor) == repr(number)

    def test_the_class_of_two_that_hold_the_same_is_kept(self) -> None:
        report = UnreadReport("junit.xml", Failure("no such file", "run the suites"))
        back = from_line(to_line(SuitesRead(1.0, report)))
        assert isinstance(back, SuitesRead)
        assert type(back.report) is UnreadReport

    def test_what_is_at_an_empty_default_costs_nothing(self) -> None:
        event = builders.stream(builders.frame("text", "ok"))[0]
        assert to_line(event) == (
            '{"kind":"StreamEvent","at":0.0,"session_id":"session_a",'
            '"frame":{"kind":"text","text":"ok","size":100}}'
        )

    def test_a_default_that_says_something_is_written_out(self) -> None:
        probe = to_json(ProbeStepped(0.0, probing.Probe("x", None, 0.0, awaited_since=0.0)))[
            "probe"
        ]
        assert probe["timeouts_s"] == probing.TIMEOUTS_S
        assert "steps" not in probe

    @pytest.mark.parametrize("name", recorded_events())
    def test_what_a_real_gateway_said_reads_back(self, name: str) -> None:
        for event in recorded_events()[name]:
            assert typed(from_line(to_line(event))) == typed(event)

    def test_the_recordings_are_of_every_source(self) -> None:
        kinds = {type(event) for events in recorded_events().values() for event in events}
        sources = {HealthArrived, SnapshotArrived, SessionsArrived, ContinuityArrived, LogArrived}
        assert kinds == sources | {StreamEvent, ClaimsArrived}

    @pytest.mark.parametrize(
        "night",
        [
            scenes.ordinary, scenes.blind, scenes.truncated, scenes.disagreeing,
            scenes.metrics_down, scenes.lost, scenes.stuck, scenes.deaf, reverted,
        ],
        ids=lambda night: night.__name__,
    )  # fmt: skip
    def test_what_is_read_back_comes_to_the_same_state(self, night: Any) -> None:
        events = night()
        assert builders.state(*map(from_line, map(to_line, events))) == builders.state(*events)
        assert [from_json(to_json(event)) for event in events] == events


class TestRefused:
    @each_kind
    @given(data=st.data())
    @FEWER
    def test_any_part_of_another_type(self, kind: Any, data: st.DataObject) -> None:
        told = to_json(data.draw(values_of(kind)))
        path = data.draw(st.sampled_from(list(nodes(told))))
        at(told, path[:-1])[path[-1]] = ALIEN
        with pytest.raises(Misshapen) as caught:
            from_json(told)
        assert path == ("kind",) or str(path[0]) in caught.value.where

    @each_kind
    @given(data=st.data())
    @FEWER
    def test_any_field_that_is_surplus(self, kind: Any, data: st.DataObject) -> None:
        told = to_json(data.draw(values_of(kind)))
        objects = [(), *(path for path in nodes(told) if isinstance(at(told, path), dict))]
        at(told, data.draw(st.sampled_from(objects)))["surprise"] = ALIEN
        with pytest.raises(Misshapen, match="surprise"):
            from_json(told)

    @each_kind
    @given(data=st.data())
    @FEWER
    def test_no_field_is_lost_unnoticed(self, kind: Any, data: st.DataObject) -> None:
        told = to_json(data.draw(values_of(kind)))
        paths = [path for path in nodes(told) if isinstance(path[-1], str)]
        path = data.draw(st.sampled_from(paths))
        torn = copy.deepcopy(told)
        del at(torn, path[:-1])[path[-1]]
        if (why := refusal(torn)) is None:
            assert from_json(torn) != from_json(told)
        else:
            assert why in {"is missing", "none of the kinds there are"}

    @given(any_event, st.data(), any_json)
    def test_nothing_but_named_errors(self, event: Event, data: st.DataObject, put: object) -> None:
        told = to_json(event)
        path = data.draw(st.sampled_from(list(nodes(told))))
        at(told, path[:-1])[path[-1]] = put
        assert refusal(told) != ""

    @given(st.text() | st.binary() | any_json.map(json.dumps))
    @example("[" * 100_000)
    @example("1" * 5_000)
    @example('{"kind":"Tick"}\n{"kind":"Tick"}')
    @example(b"\xff")
    def test_a_line_that_is_no_event(self, line: str | bytes) -> None:
        with pytest.raises((Misshapen, UnknownKind)):
            from_line(line)

    def test_each_is_told_by_its_place(self) -> None:
        told = to_json(builders.polled(builders.snapshot(*scenes.done(2))))
        told["snapshot"]["missions"][1]["status"] = 7
        with pytest.raises(Misshapen) as caught:
            from_json(told)
        assert str(caught.value) == "SnapshotArrived.snapshot.missions[1].status: no text"

    @pytest.mark.parametrize(
        ("put", "why"),
        [
            ({"at": None}, "HealthArrived.at: no number"),
            ({"at": True}, "HealthArrived.at: no number"),
            ({"at": math.nan}, "HealthArrived.at: no number"),
            ({"at": "Infinity"}, "HealthArrived.at: no number"),
            ({"surprise": 1}, "HealthArrived: there is no field 'surprise'"),
            ({"health": 1}, "HealthArrived.health: no object"),
            ({"health": {}}, "HealthArrived.health.status: is missing"),
            ({"kind": 1}, "kind: none of the kinds there are"),
        ],
    )
    def test_why_is_told(self, put: dict[str, object], why: str) -> None:
        with pytest.raises(Misshapen) as caught:
            from_json(to_json(HealthArrived(0.0, builders.health())) | put)
        assert str(caught.value) == why

    @pytest.mark.parametrize("stamp", ["2026-11-23T02:00:00", "tonight", 7, "0001-01-01T00:00+05"])
    def test_a_stamp_has_a_zone(self, stamp: object) -> None:
        with pytest.raises(Misshapen, match=r"Tick\.wall: no stamp with a zone"):
            from_json({"kind": "Tick", "at": 0.0, "wall": stamp})

    def test_a_kind_of_another_version_is_named_literally(self) -> None:
        with pytest.raises(UnknownKind, match="no kind of event is called Looked␛") as caught:
            from_line('{"kind": "Looked\\u001b", "at": 1.0}')
        assert caught.value.kind == "Looked␛"

    def test_a_stamp_without_a_zone_is_not_written(self) -> None:
        with pytest.raises(ValueError, match="a stamp without a zone"):
            to_line(Tick(0.0, builders.NOW.replace(tzinfo=None)))

    def test_what_is_no_event_is_not_written(self) -> None:
        with pytest.raises(TypeError, match="Failure is none of these"):
            to_line(Failure("no", "event"))  # type: ignore[arg-type]
