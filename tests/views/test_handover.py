"""The handover text: everything the next engineer must know, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support import builders, scenes
from tests.support.rollout import row, window

from vp_tui.domain.events import (
    AlarmsAcknowledged,
    AuditRead,
    CancelRequested,
    EvidenceRead,
    Looked,
    SwitchAsked,
    WindowsRead,
)
from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.models import Source
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.runs.alarms import AlarmKey, PresentAlarm
from vp_tui.domain.text import literal
from vp_tui.views.actions_taken import LOOK_BACK
from vp_tui.views.handover import ACTIONS_AT_MOST, handover
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

ME = "ana@laptop"
OWNER = "session_20261122_190000_d3833624"
READ = AuditRead(0.0, ())


def text(*events: Event, now: float = 2.0, **watch: object) -> str:
    return handover(View(builders.state(*events, **watch), now), ME)


def part(title: str, *events: Event, now: float = 2.0) -> list[str]:
    """Return the lines under a heading."""
    lines = text(*events, now=now).splitlines()
    start = lines.index(f"## {title}") + 1
    rest = lines[start:]
    end = next((n for n, line in enumerate(rest) if line.startswith("#")), len(rest))
    return rest[:end]


def test_it_says_which_gateway_when_and_who() -> None:
    first, gateway, who, lane = text(*scenes.ordinary(), name="prod-gw").splitlines()[:4]
    assert first == "# Handover of prod-gw, 2026-11-23T02:00:02Z"
    assert gateway == (
        "- gateway http://127.0.0.1:8002: reachable, v1, version 1.0.0, epoch 1,"
        " booted 2026-11-23T01:00:00Z"
    )
    assert who == "- handed over by ana@laptop"
    turn = "a coding turn of session_20261122_195801_a1b2c3d4"
    believed = f"delegating: {turn} was delegated"
    assert lane == f"- lane vp.coder.primary, believed mode {believed}"


def test_a_mode_that_nothing_proves_is_unknown() -> None:
    assert "believed mode unknown: no turn of coding intent seen in this epoch" in text(
        builders.healthy()
    )


def test_a_switch_that_is_not_proven_is_pending() -> None:
    asked = SwitchAsked(1.0, FORCE_FALLBACK, ME)
    (told,) = part("Recoveries and proofs pending", *scenes.ordinary(), asked)
    assert told.startswith(f"- {FORCE_FALLBACK.words}: ")


def test_a_healthy_night_has_nothing_in_the_parts_that_tell_of_trouble() -> None:
    events = [*scenes.ordinary(), READ]
    for title in ("Alarms", "Runs that are not ok", "Actions", "Recoveries and proofs pending"):
        assert part(title, *events) == ["- none"], title
    assert part("Unverified", *events) == [
        "- continuity suites: absent (no report); runtime: INCONCLUSIVE"
    ]
    (step,) = part("Next step", *events)
    assert step.startswith("- record the window (R writes READY_FOR_LIMITED_COHORT_PILOT)")


def test_it_is_some_thirty_lines() -> None:
    assert 25 <= len(text(*scenes.ordinary()).splitlines()) <= 40


def test_the_window_with_its_numbers_and_the_suggestion() -> None:
    opened = window(
        opened_at=builders.NOW - timedelta(minutes=12), label="Broadened rollout window #5"
    )
    told = part("Window", *scenes.ordinary(), WindowsRead(0.0, (opened,)))
    assert told[0] == (
        "- Broadened rollout window #5: stage broadened, source organic,"
        " open since 2026-11-23T01:48:00Z, 12m02"
    )
    assert told[1].startswith("- +18 missions: 18 completed, 0 failed, 1 running, 0 fell back")
    assert told[2].startswith(
        "- epoch 1: 0/18 fell back, at most 15.3%, p95 36.000s 2nd of 18,"
        " reported of all listed 0.000 0/19, outcomes known 19/19, metrics live, 2s old"
    )
    assert told[3].startswith("- may be recorded GO_BROADER_TRAFFIC_ACTIVE: 18 clean")


def test_gates_and_guardrails_are_all_told() -> None:
    told = part("Gates and guardrails", *scenes.ordinary())
    names = [line.split()[1] for line in told]
    assert names[:5] == ["rate", "failures", "p95", "suites", "promotion:"]
    assert names[5:] == ["cancels:", "evidence:", "auto-revert"]
    assert told[-1].endswith("YOU are the auto-revert")


def test_nothing_known_is_told_as_unknown() -> None:
    said = text()
    assert "NOT REACHABLE, version unknown, epoch unknown" in said
    assert "its figures are unknown: the metrics have not answered yet" in said
    assert "nothing is known of the rate: the metrics have not answered yet" in said
    assert "earlier ones are unknown: the audit: not read" in said


def test_a_stuck_run_is_the_next_step() -> None:
    stuck = part("Runs that are not ok", *scenes.stuck(), now=0.0)
    assert stuck[0].startswith(f"- STUCK {OWNER}: no progress for 4m00, in tool Bash for 4m00")
    assert stuck[0].endswith("; mission vp-mission-00abcd (live frame: certain)")
    assert [line.split()[1] for line in stuck[1:]] == ["queued", "queued"]
    first = part("Next step", *scenes.stuck(), now=0.0)[0]
    assert first.endswith(": [c] cancel it, watch, then [r] record")


def test_alarms_tell_who_has_seen_them_and_what_has_not_rung() -> None:
    key = AlarmKey(OWNER, "stuck run")
    rang = Looked(-40.0, (PresentAlarm(key, "silent", -60.0),))
    seen = AlarmsAcknowledged(-30.0, "bo@laptop")
    told = part("Alarms", *scenes.stuck(), rang, seen, now=0.0)
    assert told == [
        f"- stuck run {OWNER}: silent; rang 01:59:20Z, 40s ago, seen by bo@laptop 01:59:30Z"
    ]
    unseen = part("Alarms", *scenes.stuck(), rang, now=0.0)
    assert unseen[0].endswith("seen by nobody")
    assert part("Alarms", *scenes.stuck(), now=0.0)[0].endswith("; it has not rung yet")


def test_actions_and_what_is_pending() -> None:
    asked = CancelRequested(0.0, OWNER, "stuck in npm", ME)
    told = part("Actions", *scenes.stuck(), asked, READ, now=5.0)
    who = f"- 11-23 02:00:00Z cancel {OWNER} by ana@laptop (stuck in npm): "
    assert told == [f"{who}requested, not recovered yet"]
    (waits,) = part("Recoveries and proofs pending", *scenes.stuck(), asked, now=5.0)
    assert waits == f"- {OWNER}, cancelled 02:00:00Z: requested, not recovered yet"
    assert any("no cancel is a recovery" in line for line in
               part("Next step", *scenes.stuck(), asked, now=5.0))  # fmt: skip


def test_only_the_newest_actions_of_the_last_hours_are_told() -> None:
    began = builders.NOW - timedelta(minutes=30)
    records = [
        ActionRecord(began + timedelta(minutes=n), ME, "cancel", OWNER, "", (), f"result {n}")
        for n in range(ACTIONS_AT_MOST + 3)
    ]
    old = records[0]._replace(at=builders.NOW - LOOK_BACK - timedelta(hours=1), result="long ago")
    told = part("Actions", *scenes.stuck(), AuditRead(0.0, (old, *records)), now=0.0)
    assert told[0] == "- 3 earlier ones are in the audit"
    assert len(told) == 1 + ACTIONS_AT_MOST
    assert told[-1].endswith(f"result {ACTIONS_AT_MOST + 2}")


def test_an_audit_that_cannot_be_read_is_told() -> None:
    told = part("Actions", *scenes.ordinary(), AuditRead(0.0, (), problem=builders.REFUSED))
    assert told == ["- earlier ones are unknown: the audit: 401 from the ops plane"]


def test_what_is_not_verified() -> None:
    rows = (row("Shadow window #1"), row("Shadow window #2"))
    log = EvidenceRead(0.0, rows, frozenset(), authors=(ME, None))
    told = part(
        "Unverified", *scenes.blind(), log, builders.failed(Source.SESSIONS, builders.REFUSED)
    )
    assert told[0] == "- unauthorized: sessions: 401 from the ops plane"
    assert any("outcomes unknown" in line for line in told)
    assert told[-1] == "- 1 of the newest 2 rows has no record: written by hand"


def test_figures_that_are_old_say_how_old() -> None:
    assert "metrics stale, 1m30 old" in text(*scenes.ordinary(), now=90.0)


def test_what_comes_from_outside_is_shown_literally() -> None:
    hostile = "a\x1b[2J\u202e\nb"
    events: list[Event] = [
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot()),
        builders.listing(builders.session("a", active_runs=1)),
        *builders.stream(builders.frame("text"), session_id="a"),
        CancelRequested(1.0, "a", hostile, hostile),
    ]
    said = text(*events)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "a␛[2J" in said
    now = builders.state(*events)
    assert handover(View(replace(now, watch=now.watch._replace(name=hostile)), 2.0), ME).startswith(
        f"# Handover of {literal(hostile)}, "
    )
