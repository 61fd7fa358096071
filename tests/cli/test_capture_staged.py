"""`vp-tui capture --stage S`: the word that the screen would suggest, from one look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support.builders import LANE_DIR, LANE_RESULT
from tests.support.loopback import Loopback
from tests.support.rollout import row as window_row
from tests.support.rows import GOLDEN, facts

from vp_tui.cli.show import verify_report
from vp_tui.domain.rollout.evidence_row import EvidenceRow, read_row
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.command import Run


METRICS: Final = "/api/v1/ops/metrics/coder-vp"
CONTINUITY: Final = "/api/v1/ops/metrics/session-continuity"
HEALTH: Final = "/api/v1/health"
SESSIONS: Final = "/api/v1/ops/sessions"
NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def metrics(marks: str, *, event_limit: int = 1000) -> dict[str, Any]:
    """Return an answer of the metrics, a mission per letter, oldest first: `.` clean, `b` fell
    back, `F` failed."""
    listed = [_mission(number, mark, len(marks)) for number, mark in enumerate(marks)]
    events = [_event(m, word) for m in listed for word in _words(m)]
    fallen = sum(mark in "bF" for mark in marks)
    return {
        "generated_at": NOW.isoformat(),
        "vp_id": "vp.coder.primary",
        "session": {"session_id": "vp.session", "workspace_dir": LANE_DIR, "status": "active"},
        "mission_counts": {"completed": len(marks) - marks.count("F"), "failed": marks.count("F")},
        "event_counts": {"vp.mission.dispatched": len(marks)},
        "fallback": {
            "missions_with_fallback": fallen,
            "missions_considered": len(marks),
            "rate": fallen / len(marks) if marks else 0.0,
        },
        "latency_seconds": {
            "count": len(marks),
            **dict.fromkeys(
                ("avg_seconds", "p50_seconds", "p95_seconds", "max_seconds"),
                30.0 if marks else None,
            ),
        },
        "recent_missions": listed[::-1],
        "recent_events": events[:event_limit],
    }


def _mission(number: int, mark: str, count: int) -> dict[str, Any]:
    started = NOW - (count - number) * timedelta(minutes=1)
    return {
        "mission_id": f"m{number:03d}",
        "status": "failed" if mark == "F" else "completed",
        "objective": "implement it",
        "started_at": started.isoformat(),
        "completed_at": (started + timedelta(seconds=30)).isoformat(),
        "result_ref": None if mark == "F" else LANE_RESULT,
        "duration_seconds": 30.0,
        "fallback_seen": mark in "bF",
    }


def _words(mission: dict[str, Any]) -> list[str]:
    return ["dispatched", *(["fallback"] if mission["fallback_seen"] else [])]


def _event(mission: dict[str, Any], word: str) -> dict[str, Any]:
    return {
        "event_id": f"{mission['mission_id']}-{word}",
        "mission_id": mission["mission_id"],
        "event_type": f"vp.mission.{word}",
        "created_at": mission["started_at"],
    }


@pytest.fixture
def gateway() -> Iterator[Loopback]:
    gateway = Loopback()
    local = datetime.now(UTC).replace(tzinfo=None)  # as the Date that the server sends: no offset
    gateway.answer(HEALTH, {"status": "healthy", "timestamp": local.isoformat()})
    boot = {"started_at": "2026-11-22T19:00:00", "transport_status": "ok", "runtime_status": "ok"}
    gateway.answer(CONTINUITY, {"metrics": boot})
    gateway.answer(SESSIONS, {"sessions": [], "total": 0})
    gateway.answer(METRICS, metrics("....."))
    with gateway.serving():
        yield gateway


@pytest.fixture
def run(vp_tui: Run, monkeypatch: pytest.MonkeyPatch, gateway: Loopback) -> Run:
    monkeypatch.setenv("VP_TUI_GATEWAY_URL", gateway.url)
    return partial(vp_tui, "capture")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


def parts(out: str) -> tuple[dict[str, Any], EvidenceRow]:
    """Return the assessment, and the row."""
    told, _, line = out.partition("\n\nMarkdown row:\n")
    return json.loads(told)["assessment"], read_row(line.strip().encode()).row


def decided(run: Run, *words: str) -> str:
    code, out, _ = run(*words)
    assert code == 0
    assessment, row = parts(out)
    assert assessment["decision"] == row.decision
    return row.decision


@pytest.mark.parametrize(
    ("marks", "words", "expected"),
    [
        (".....", ["--stage", "shadow"], "READY_FOR_LIMITED_COHORT_PILOT"),
        ("....b", ["--stage", "shadow"], "HOLD_SHADOW"),
        ("", ["--stage", "shadow"], "HOLD_SHADOW"),
        (".....", ["--stage", "broadened"], "GO_BROADER_TRAFFIC_ACTIVE"),
        (".....", ["--stage", "limited"], "READY_FOR_LIMITED_COHORT_PILOT"),
        ("..bbb", ["--stage", "broadened"], "FORCE_FALLBACK"),
        ("..bbb", ["--stage", "shadow"], "HOLD_SHADOW"),
        ("..bbb", ["--stage", "broadened", "--source", "fault-injected"], "HOLD_SHADOW"),
        (".....", ["--stage", "sustained"], "SUSTAINED_DEFAULT_ON_HEALTHY"),
        ("", ["--stage", "sustained"], "SUSTAINED_MONITOR_NO_TRAFFIC"),
        (
            ".....",
            ["--stage", "broadened", "--assessment-profile", "sustained"],
            "SUSTAINED_DEFAULT_ON_HEALTHY",
        ),
    ],
)
def test_the_rules_of_the_stage_decide(
    run: Run, gateway: Loopback, marks: str, words: list[str], expected: str
) -> None:
    gateway.answer(METRICS, metrics(marks))
    assert decided(run, *words) == expected


def test_the_log_tells_the_window_and_what_was_recorded_before(run: Run, log: Path) -> None:
    code, out, err = run("--stage", "broadened", "--append", "log.md", "--note", "a | b")
    assert code == 0
    assert err == f"recorded as line 34 of {log}\n"
    row = read_log(log)[0].rows[-1].row
    assert row == parts(out)[1]
    assert row.window == "Broadened rollout window #5"
    assert (row.fallback_rate, row.p95_latency) == ("0.000", "30.000s")
    assert "`missions_considered=5`" in row.notes
    assert "window: +5 missions: 5 completed, 0 failed, 0 running, 0 fell back" in row.notes
    assert "runs not watched: one look tells no stuck one; a | b" in row.notes
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert (record["stage"], record["source"]) == ("broadened", "organic")
    assert record["epoch"]["boot_stamp"] == "2026-11-22T19:00:00"
    assert record["gates"]["G2"]["verdict"] == "INCONCLUSIVE"
    assert record["gates"]["G4"]["reason"] == "runtime ok, suites not attested: no report"
    assert verify_report(log)[1] == 0
    # What that record names is no traffic of the next window.
    assert decided(run, "--stage", "broadened", "--append", "log.md") == "HOLD_SHADOW"


def test_four_clean_limited_windows_broaden(run: Run, log: Path) -> None:
    assert decided(run, "--stage", "limited", "--append", "log.md") == "GO_BROADER_TRAFFIC_ACTIVE"


def test_windows_that_records_call_unreal_do_not_count(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "mine.md"
    for number in range(1, 5):
        window = f"Limited cohort window #{number}"
        source = "synthetic" if number == 1 else "organic"
        record_row(
            log,
            window_row(window, "READY_FOR_LIMITED_COHORT_PILOT"),
            facts(None, window)._replace(source=source),
        )
    word = decided(run, "--stage", "limited", "--append", "mine.md")
    assert word == "READY_FOR_LIMITED_COHORT_PILOT"


def test_a_trip_before_the_restart_is_told_before_anything_else(
    run: Run, gateway: Loopback
) -> None:
    gateway.answer(METRICS, metrics("bbb....."))
    assert decided(run, "--stage", "broadened") == "FORCE_FALLBACK"
    restarted = {"started_at": "2026-11-23T01:55:10", "transport_status": "ok"}
    gateway.answer(CONTINUITY, {"metrics": {**restarted, "runtime_status": "ok"}})
    code, out, _ = run("--stage", "broadened")
    assert code == 0
    assert parts(out)[0]["decision"] == "FORCE_FALLBACK"
    assert "tripped before the restart of" in parts(out)[0]["reasons"][0]


def test_a_blind_endpoint_is_told_and_blocks_nothing_that_is_known_otherwise(
    run: Run, gateway: Loopback
) -> None:
    gateway.answer(METRICS, metrics(".....", event_limit=4))
    code, out, err = run("--stage", "shadow", "--event-limit", "4")
    assessment, row = parts(out)
    assert code == 0
    assert assessment["decision"] == "READY_FOR_LIMITED_COHORT_PILOT", "each result tells its place"
    assert row.fallback_rate == "0.000 (reconstructed)"
    assert "WARNING: coverage BLIND" in err


def test_without_the_continuity_the_epoch_is_unknown_in_words(
    run: Run, gateway: Loopback, log: Path
) -> None:
    gateway.answer(CONTINUITY, {"detail": "broken"}, status=500)
    code, out, err = run("--stage", "broadened", "--append", "log.md")
    assert code == 0
    assert "WARNING: continuity: 500 from /api/v1/ops/metrics/session-continuity: broken" in err
    assert err.splitlines()[0].endswith(": the epoch and gate suites are unknown")
    assert "continuity down: 500 from" in parts(out)[1].notes
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert record["epoch"] is None
    assert record["gates"]["G4"]["verdict"] == "UNKNOWN"


def test_the_suites_report_of_the_configuration_counts(
    run: Run, gateway: Loopback, log: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[gateways.here]\nurl = "{gateway.url}"\ncontinuity_report = "junit.xml"\n')
    (tmp_path / "junit.xml").write_text('<testsuite><testcase name="n"/></testsuite>')
    run("--stage", "broadened", "--append", "log.md", "--config", str(config))
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert record["gates"]["G4"]["verdict"] == "PASS"


def test_figures_that_the_rules_cannot_read_hold(run: Run, gateway: Loopback) -> None:
    odd = metrics(".....")
    odd["recent_missions"] = "none"
    gateway.answer(METRICS, odd)
    code, out, err = run("--stage", "broadened")
    assert code == 0
    assert parts(out)[0]["decision"] == "HOLD_SHADOW"
    assert parts(out)[1].fallback_rate == "n/a"
    assert "the rules see no figures" in err


def test_figures_that_a_cache_kept_promote_nothing(run: Run, gateway: Loopback) -> None:
    gateway.headers["age"] = "300"
    code, out, err = run("--stage", "broadened")
    assert code == 0
    assert parts(out)[0]["decision"] == "HOLD_SHADOW"
    assert "WARNING: the figures are 5m00 old, not of now" in err
    assert "WARNING: sessions: what it answers is 5m00 old: that no run hangs is not known" in err


def test_it_asks_four_times_and_attaches_to_nothing(run: Run, gateway: Loopback) -> None:
    run("--stage", "shadow")
    assert sorted(path.partition("?")[0] for path, _ in gateway.asked) == [
        HEALTH, METRICS, CONTINUITY, SESSIONS,
    ]  # fmt: skip


def test_no_metrics_are_an_error_and_nothing_else_is_asked(
    run: Run, gateway: Loopback, log: Path
) -> None:
    gateway.answer(METRICS, {"detail": "Unauthorized"}, status=401)
    code, out, err = run("--stage", "broadened", "--append", "log.md")
    assert (code, out) == (2, "")
    assert "UA_OPS_TOKEN" in err
    assert len(gateway.asked) == 1
    assert log.read_bytes() == GOLDEN


def test_the_row_can_be_named_by_hand(run: Run, log: Path) -> None:
    words = ["--window-label", "Limited cohort window #9", "--scope", "mine", "--ref", "a file"]
    _, out, _ = run("--stage", "limited", "--append", "log.md", *words)
    row = parts(out)[1]
    assert (row.window, row.scope, row.refs) == ("Limited cohort window #9", "mine", "`a file`")


def test_a_word_that_allows_more_wants_a_reason_which_goes_into_the_row(
    run: Run, gateway: Loopback, log: Path
) -> None:
    gateway.answer(METRICS, metrics("....b"))
    more = ["--stage", "broadened", "--append", "log.md", "--decision", "GO_BROADER_TRAFFIC_ACTIVE"]
    code, out, err = run(*more)
    assert (code, out) == (2, "")
    assert "say why with --note" in err
    code, out, _ = run(*more, "--note", "a known flake")
    assert code == 0
    assert "more was allowed because: a known flake" in parts(out)[1].notes
    assert parts(out)[1].notes.count("a known flake") == 1
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert record["override_reason"] == "a known flake"


def test_limits_of_the_script_are_refused(run: Run, gateway: Loopback) -> None:
    code, _, err = run("--stage", "shadow", "--max-fallback-watch", "0.4")
    assert code == 2
    assert err.startswith("ERROR: the limits of the assessment have no effect with --stage")
    assert gateway.asked == []


def test_a_stage_in_the_environment_is_not_this_commands(
    run: Run, gateway: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VP_TUI_STAGE", "broadened")
    assert decided(run) == "READY_FOR_LIMITED_COHORT_PILOT"
    assert len(gateway.asked) == 1
