from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.models import ActionStep
from vp_tui.domain.orders import (
    NAME_LIMIT,
    PROSE_LIMIT,
    STEPS_LIMIT,
    ActionKind,
    ActionRecord,
    from_json,
    to_json,
)
from vp_tui.domain.text import literal

AT = datetime(2026, 11, 23, 3, 7, 44, 250_000, tzinfo=UTC)
CANCEL = ActionRecord(
    AT,
    "ann@laptop",
    "cancel",
    "session_20261122_193534_d3833624",
    "stuck in npm",
    (
        ActionStep(AT, "requested"),
        ActionStep(AT + timedelta(seconds=5), "answered", "task_cancelled=false after 5.0 s"),
    ),
    "counter cleared, task unconfirmed",
    gateway="http://127.0.0.1:8002",
    vp_id="vp.coder.primary",
)
TOLD: dict[str, Any] = {
    "at": "2026-11-23T03:07:44.250Z",
    "actor": "ann@laptop",
    "gateway": "http://127.0.0.1:8002",
    "vp_id": "vp.coder.primary",
    "action": "cancel",
    "target": "session_20261122_193534_d3833624",
    "reason": "stuck in npm",
    "steps": [
        {"at": "2026-11-23T03:07:44.250Z", "step": "requested", "detail": ""},
        {
            "at": "2026-11-23T03:07:49.250Z",
            "step": "answered",
            "detail": "task_cancelled=false after 5.0 s",
        },
    ],
    "result": "counter cleared, task unconfirmed",
}


def test_an_action_is_told_as_others_script_against_it() -> None:
    assert to_json(CANCEL) == TOLD
    assert list(to_json(CANCEL)) == list(TOLD)
    assert from_json(TOLD) == CANCEL


def test_what_later_versions_add_is_passed_over() -> None:
    assert from_json(TOLD | {"epoch": 3}) == CANCEL


def test_an_older_line_does_not_say_of_what_gateway_it_is() -> None:
    older = {key: value for key, value in TOLD.items() if key not in {"gateway", "vp_id"}}
    assert from_json(older) == CANCEL._replace(gateway="", vp_id="")


@pytest.mark.parametrize(
    ("action", "result", "kind", "what"),
    [
        ("cancel", "task_cancelled=true, recovery unconfirmed", ActionKind.DONE, "cancel"),
        ("cancel", "failed", ActionKind.FAILED, "cancel"),
        ("restart", "failed: exit code 1", ActionKind.FAILED, "restart"),
        ("lane off", "unknown", ActionKind.UNKNOWN, "lane off"),
        ("probe", "refused: read-only", ActionKind.REFUSED, "probe"),
        ("cancel recovery", "recovered", ActionKind.RECOVERY, "cancel"),
        ("cancel recovery", "ended by a restart", ActionKind.RECOVERY, "cancel"),
        ("cancel recovery", "unconfirmed when vp-tui left", ActionKind.UNCONFIRMED, "cancel"),
        ("proof of restart", "back in a new epoch", ActionKind.PROOF, "restart"),
    ],
)
def test_what_kind_a_line_is_of_is_told_by_its_words(
    action: str, result: str, kind: ActionKind, what: str
) -> None:
    read = from_json(TOLD | {"action": action, "result": result})
    assert read is not None
    assert (read.kind, read.what) == (kind, what)
    assert (to_json(read)["action"], to_json(read)["result"]) == (action, result)


def test_any_zone_is_told_in_utc() -> None:
    chicago = timezone(timedelta(hours=-6))
    assert to_json(CANCEL._replace(at=AT.astimezone(chicago)))["at"] == TOLD["at"]
    told = from_json(TOLD | {"at": "2026-11-22T21:07:44.250-06:00"})
    assert told == CANCEL
    assert told.at.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None, [], 5, "x", {}, TOLD | {"at": "2026-11-23T03:07:44"}, TOLD | {"at": 5},
        TOLD | {"at": "0001-01-01T00:00:00+14:00"}, TOLD | {"actor": ["a"]},
        TOLD | {"result": None}, TOLD | {"gateway": 5}, TOLD | {"steps": None},
        TOLD | {"steps": ["x"]},
        TOLD | {"steps": [{"at": TOLD["at"], "step": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_action_is_none(value: object) -> None:
    assert from_json(value) is None


texts = st.text(max_size=3 * PROSE_LIMIT)
stamps = st.datetimes(timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
records = st.builds(
    ActionRecord,
    at=stamps,
    actor=texts,
    what=texts,
    target=texts,
    reason=texts,
    steps=st.lists(st.builds(ActionStep, stamps, texts, texts), max_size=4).map(tuple),
    result=texts,
    gateway=texts,
    vp_id=texts,
)


@given(records)
def test_whatever_is_written_is_bounded_literal_and_read_back_as_it_was(
    record: ActionRecord,
) -> None:
    told = to_json(record)
    read = from_json(json.loads(json.dumps(told)))
    assert read is not None
    assert to_json(read) == told
    assert read.at == record.at
    for text in (read.actor, read.action, read.target, read.result):
        assert text == literal(text)
        assert len(text) <= NAME_LIMIT
    for text in (read.reason, *(step.detail for step in read.steps)):
        assert text == literal(text)
        assert len(text) <= PROSE_LIMIT


def test_a_cut_shows_and_an_escape_cannot_hide() -> None:
    told = to_json(CANCEL._replace(reason="x" * 5_000, target="a\nb\x1b[2J\u202e"))
    assert told["reason"] == "x" * (PROSE_LIMIT - 1) + "…"
    assert told["target"] == "a␊b␛[2J\u2039U+202E\u203a"


def test_of_too_many_steps_the_first_and_the_last_stay_with_a_count() -> None:
    steps = tuple(ActionStep(AT, f"step {n}") for n in range(200))
    told = to_json(CANCEL._replace(steps=steps))["steps"]
    names = [step["step"] for step in told]
    assert len(names) == STEPS_LIMIT
    assert (names[0], names[-1]) == ("step 0", "step 199")
    (gap,) = [step for step in told if step["step"] == "left out"]
    assert gap["detail"] == f"{200 - (STEPS_LIMIT - 1)} steps"
    read = from_json(to_json(CANCEL._replace(steps=steps)))
    assert read is not None
    assert [step.step for step in read.steps] == names
