import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.command import Run
from tests.support.loopback import Loopback

from vp_tui.domain.rollout.evidence_row import read_row
from vp_tui.storage.evidence_log import read_log

GOLDEN: Final = (Path(__file__).parents[1] / "golden" / "evidence_log.md").read_bytes()
TEXTUAL_PROBE: Final = """\
import sys
from vp_tui.cli.main import main
main(sys.argv[1:])
sys.exit("textual is loaded" if "textual" in sys.modules else 0)
"""
EXPECTED: Final = """\
{
  "assessment": {
    "decision": "READY_FOR_LIMITED_COHORT_PILOT",
    "reasons": [
      "rate 0.000 < 0.05"
    ]
  },
  "event_counts": {
    "vp.mission.completed": 1,
    "vp.mission.dispatched": 1
  },
  "fallback": {
    "missions_considered": 1,
    "missions_with_fallback": 0,
    "rate": 0.0
  },
  "generated_at": "2026-02-16T15:21:04.987654+00:00",
  "latency_seconds": {
    "avg_seconds": 38.305,
    "count": 1,
    "max_seconds": 38.305,
    "p50_seconds": 38.305,
    "p95_seconds": 38.305
  },
  "mission_counts": {
    "completed": 1
  },
  "vp_id": "vp.coder.primary"
}

Markdown row:
| 2026-02-16T15:21:04Z | Limited #2 | a\\|b | `GET /api/v1/ops/metrics/coder-vp?\
mission_limit=7&event_limit=9` | 0.000 | 38.305s | READY_FOR_LIMITED_COHORT_PILOT | \
`missions_considered=1`, `missions_with_fallback=0`, `mission_counts={completed:1}`, \
`event_counts={vp.mission.dispatched:1,vp.mission.completed:1}`; \
assessment: READY_FOR_LIMITED_COHORT_PILOT: rate 0.000 < 0.05 |
"""


def metrics(
    considered: int = 1, rate: object = 0.0, p95_s: float | None = 38.305, **more: object
) -> dict[str, Any]:
    """Return an answer of the metrics endpoint."""
    mission = {"mission_id": "m1", "status": "completed", "objective": "write code"}
    return {
        "generated_at": "2026-02-16T15:21:04.987654+00:00",
        "vp_id": "vp.coder.primary",
        "session": None,
        "mission_counts": {"completed": considered} if considered else {},
        "event_counts": {"vp.mission.dispatched": 1, "vp.mission.completed": 1},
        "fallback": {"missions_considered": considered, "missions_with_fallback": 0, "rate": rate},
        "latency_seconds": {
            "count": considered,
            "avg_seconds": p95_s,
            "p50_seconds": p95_s,
            "p95_seconds": p95_s,
            "max_seconds": p95_s,
        },
        "recent_missions": [mission] if considered else [],
        "recent_events": [_event("dispatched"), _event("completed")] if considered else [],
    } | more


def _event(word: str) -> dict[str, str]:
    return {"event_id": word, "mission_id": "m1", "event_type": f"vp.mission.{word}"}


class Gateway(Loopback):
    """Gives one answer of the metrics to everything."""

    def __init__(self) -> None:
        super().__init__(json.dumps(metrics()).encode())

    def says(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of `metrics`
        self.body = json.dumps(metrics(*args, **kwargs)).encode()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    with gateway.serving():
        yield gateway


@pytest.fixture
def run(vp_tui: Run, monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> Run:
    monkeypatch.setenv("VP_TUI_GATEWAY_URL", gateway.url)
    return vp_tui


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


def _parts(out: str) -> tuple[dict[str, Any], tuple[str, str, str]]:
    """Return the JSON object, and the row's rate, p95 and decision."""
    told, _, line = out.partition("\n\nMarkdown row:\n")
    assert line.count("\n") == 1
    row = read_row(line.strip().encode())
    assert row.warning is None
    cells = row.row
    return json.loads(told), (cells.fallback_rate, cells.p95_latency, cells.decision)


def test_the_output_is_what_it_was_byte_by_byte(run: Run, gateway: Gateway) -> None:
    words = ["--mode", "http", "--mission-limit", "7", "--event-limit", "9", "--window-label"]
    assert run("capture", *words, "Limited #2", "--scope", "a|b") == (0, EXPECTED, "")
    asked = "/api/v1/ops/metrics/coder-vp?vp_id=vp.coder.primary&mission_limit=7&event_limit=9"
    assert gateway.asked == [(asked, None)], "one request and no more"


@pytest.mark.parametrize(
    ("answer", "profile", "expected"),
    [
        ((0, 0.0, None), "rollout", ("n/a", "n/a", "HOLD_SHADOW")),
        ((0, 0.0, None), "sustained", ("n/a", "n/a", "SUSTAINED_MONITOR_NO_TRAFFIC")),
        ((20, 0.05, 30.0), "rollout", ("0.050", "30.000s", "HOLD_SHADOW")),
        ((20, 0.05, 30.0), "sustained", ("0.050", "30.000s", "SUSTAINED_WATCH")),
        ((20, 0.2499, 30.0), "rollout", ("0.250", "30.000s", "HOLD_SHADOW")),
        ((20, 0.2499, 30.0), "sustained", ("0.250", "30.000s", "SUSTAINED_FORCE_FALLBACK")),
        ((20, 0.20, 30.0), "rollout", ("0.200", "30.000s", "HOLD_SHADOW")),
        ((20, 0.20, 30.0), "sustained", ("0.200", "30.000s", "SUSTAINED_FORCE_FALLBACK")),
        ((5, 0.0, None), "rollout", ("0.000", "n/a", "HOLD_SHADOW")),
        ((5, 0.0, None), "sustained", ("0.000", "n/a", "SUSTAINED_WATCH")),
        ((5, None, 30.0), "rollout", ("n/a", "30.000s", "HOLD_SHADOW")),
        ((5, None, 30.0), "sustained", ("n/a", "30.000s", "SUSTAINED_WATCH")),
        ((5, 0.0, 44.999), "sustained", ("0.000", "44.999s", "SUSTAINED_DEFAULT_ON_HEALTHY")),
        ((5, 0.0, 45.0), "sustained", ("0.000", "45.000s", "SUSTAINED_WATCH")),
        ((5, 0.0, 89.999), "sustained", ("0.000", "89.999s", "SUSTAINED_WATCH")),
        ((5, 0.0, 90.0), "sustained", ("0.000", "90.000s", "SUSTAINED_FORCE_FALLBACK")),
        ((5, 0.0, 90.0), "rollout", ("0.000", "90.000s", "READY_FOR_LIMITED_COHORT_PILOT")),
        ((20, 0.10, 100.0), "sustained", ("0.100", "100.000s", "SUSTAINED_WATCH")),
        ((20, 0.10, 100.0), "rollout", ("0.100", "100.000s", "HOLD_SHADOW")),
    ],
)
def test_it_decides_as_the_script_did(
    run: Run,
    gateway: Gateway,
    answer: tuple[int, float | None, float | None],
    profile: str,
    expected: tuple[str, str, str],
) -> None:
    gateway.says(*answer)
    code, out, _ = run("capture", "--assessment-profile", profile)
    told, cells = _parts(out)
    assert code == 0
    assert cells == expected
    assert told["assessment"]["decision"] == expected[2]
    assert told["fallback"]["rate"] == (answer[1] if answer[0] else None)


def test_the_flags_move_the_limits(run: Run, gateway: Gateway) -> None:
    gateway.says(5, 0.3, 100.0)
    limits = [
        "--max-fallback-watch",
        "0.4",
        "--max-fallback-critical",
        "0.5",
        "--max-p95-watch-seconds",
        "101",
        "--max-p95-critical-seconds",
        "200",
        "--assessment-profile",
        "sustained",
    ]
    for least, word in (
        ("5", "SUSTAINED_DEFAULT_ON_HEALTHY"),
        ("6", "SUSTAINED_MONITOR_NO_TRAFFIC"),
    ):
        _, out, _ = run("capture", *limits, "--min-missions", least)
        assert _parts(out)[1][2] == word
    gateway.says(0, 0.0, None)
    _, out, _ = run("capture", "--min-missions", "0", "--assessment-profile", "sustained")
    assert _parts(out)[1][2] == "SUSTAINED_MONITOR_NO_TRAFFIC", "none is never traffic"


def test_a_blind_rate_says_so(run: Run, gateway: Gateway) -> None:
    gateway.says(recent_events=[])
    code, out, err = run("capture")
    told = "coverage BLIND: the rate is history, not now (events of 0 of 1 mission)"
    assert code == 0
    assert err == f"WARNING: {told}\n"
    assert told in out.splitlines()[-1]


def test_what_the_gateway_sends_is_printed_safely(run: Run, gateway: Gateway) -> None:
    odd = "\x1b[2J|\u202e\n"
    gateway.says(mission_counts={odd: 1}, event_counts=odd, vp_id=odd, generated_at=odd)
    code, out, _ = run("capture")
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert _parts(out)[0]["vp_id"] == odd
    assert "`event_counts=unknown`" in out
    assert _parts(out)[0]["generated_at"].endswith("Z"), "our own clock's"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b'{"detail":"Unauthorized"}', "wants a token and there is none; set UA_OPS_TOKEN"),
        (403, b"", "(the token is UA_OPS_TOKEN)"),
        (503, b'{"detail":"Runtime DB not initialized"}', "503 from /api/v1/ops/metrics/coder-vp"),
        (200, b"<html>hello</html>", "unreadable metrics answer: a web page, not JSON; "),
        (200, b"{", "unreadable metrics answer: not JSON"),
        (200, b'{"fallback": {"rate": NaN}, "latency_seconds": {}}', "not JSON"),
        (200, b"[]", "unreadable metrics answer: fallback: an object is wanted"),
        (200, b'{"fallback": {}}', "latency_seconds: an object is wanted"),
    ],
)
def test_an_error_is_one_line_and_exit_2(
    run: Run, gateway: Gateway, log: Path, status: int, body: bytes, message: str
) -> None:
    gateway.status, gateway.body = status, body
    code, out, err = run("capture", "--append", str(log))
    assert (code, out) == (2, "")
    assert err.startswith("ERROR: ")
    assert err.count("\n") == 1
    assert message in err
    assert log.read_bytes() == GOLDEN


def test_a_refused_connection_is_told(run: Run) -> None:
    code, out, err = run("capture", "--gateway-url", "http://127.0.0.1:1")
    assert (code, out) == (2, "")
    assert err == "ERROR: 127.0.0.1:1: connection refused; is the gateway running there?\n"


def test_the_token_is_sent_and_warned_of(run: Run, gateway: Gateway) -> None:
    code, out, err = run("capture", "--ops-token", "hunter2")
    assert code == 0
    assert [token for _, token in gateway.asked] == ["hunter2"]
    assert err.startswith("WARNING: --ops-token: everybody on this machine can read it")
    assert "hunter2" not in out + err


def test_a_row_is_appended_with_its_record_and_verifies(
    run: Run, gateway: Gateway, log: Path
) -> None:
    code, out, err = run("capture", "--append", "log.md", "--note", "a | b", "--source", "probe")
    assert (code, err) == (0, f"recorded as line 34 of {log}\n")
    line = out.splitlines()[-1].encode()
    rows_end = GOLDEN.index(b"\n---\n\n## Promotion gates")
    assert log.read_bytes() == GOLDEN[:rows_end] + line + b"\n" + GOLDEN[rows_end:]
    row = read_log(log)[0].rows[-1].row
    assert row.window == "Broadened rollout window #5"
    assert row.scope.endswith(", probe traffic")
    assert row.notes.endswith("; a | b")
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert record["snapshot"] == json.loads(gateway.body)
    assert (record["stage"], record["source"]) == ("broadened", "probe")
    assert record["limits"] == {"mission_limit": 100, "event_limit": 500}
    assert record["suggestion"]["decision"] == row.decision
    assert record["thresholds"]["profile"] == "rollout"
    code, out, _ = run("evidence", "verify", "log.md")
    assert (code, out.splitlines()[-1]) == (0, "17 checked: 1 ok, 16 unverified, 0 MISMATCH")


def test_a_missing_log_is_made(run: Run, tmp_path: Path) -> None:
    assert run("capture", "--append", "new.md")[0] == 0
    [logged] = read_log(tmp_path / "new.md")[0].rows
    assert logged.row.window == "Shadow window #1"
    assert run("capture", "--append", "new.md", "--window-label", "mine")[0] == 0
    assert read_log(tmp_path / "new.md")[0].rows[-1].row.window == "mine"
    assert run("evidence", "verify", "new.md")[0] == 0


def test_a_stricter_word_needs_no_reason_and_a_more_permissive_one_does(
    run: Run, log: Path
) -> None:
    word = "GO_BROADER_TRAFFIC_ACTIVE"
    code, out, err = run("capture", "--append", "log.md", "--decision", word)
    assert (code, out) == (2, "")
    assert f"--decision {word} allows more than READY_FOR_LIMITED_COHORT_PILOT" in err
    assert log.read_bytes() == GOLDEN
    code, out, _ = run("capture", "--append", "log.md", "--decision", word, "--note", "15 clean")
    assert (code, _parts(out)[1][2]) == (0, word)
    assert _parts(out)[0]["assessment"]["decision"] == "READY_FOR_LIMITED_COHORT_PILOT"
    record = json.loads((log.parent / "log.md.snapshots.jsonl").read_bytes())
    assert record["override_reason"] == "15 clean"
    assert run("capture", "--append", "log.md", "--decision", "HOLD_SHADOW")[0] == 0


def test_a_row_that_cannot_be_written_is_kept_and_goes_first_next_time(
    run: Run, log: Path, tmp_path: Path
) -> None:
    log.chmod(0o444)
    code, out, err = run("capture", "--append", "log.md", "--window-label", "first")
    kept = list((tmp_path / ".local/state/vp-tui/spool").iterdir())
    assert code == 2
    assert "Markdown row:" in out
    assert err.startswith(f"ERROR: {log}: it is read-only; make it writable")
    assert err.endswith(f"the row is kept in {kept[0]}\n")
    assert log.read_bytes() == GOLDEN
    code, _, err = run("capture", "--append", "log.md", "--window-label", "second")
    assert code == 2
    assert err.startswith("WARNING: the row of 2026-02-16T15:21:04Z, “first”, still waits: ")
    log.chmod(0o644)
    code, _, err = run("capture", "--append", "log.md", "--window-label", "third")
    assert code == 0
    assert "“first”, had waited: it is line 34 now" in err
    windows = [logged.row.window for logged in read_log(log)[0].rows[16:]]
    assert windows == ["first", "second", "third"]
    assert run("evidence", "verify", "log.md")[0] == 0
    assert list(kept[0].parent.iterdir()) == []


def test_a_recorded_row_that_somebody_took_out_is_not_put_back(run: Run, log: Path) -> None:
    assert run("capture", "--append", "log.md", "--window-label", "gone")[0] == 0
    log.write_bytes(GOLDEN)
    code, _, err = run("capture", "--append", "log.md", "--window-label", "next")
    assert code == 0
    assert err.startswith("WARNING: the row of 2026-02-16T15:21:04Z, “gone”, was recorded and is ")
    assert [logged.row.window for logged in read_log(log)[0].rows[16:]] == ["next"]


@pytest.mark.parametrize(
    "words", [["--version"], ["capture"], ["evidence", "show", "L"], ["evidence", "verify", "L"]]
)
def test_no_command_here_loads_textual(words: list[str], tmp_path: Path, gateway: Gateway) -> None:
    (tmp_path / "L").write_bytes(GOLDEN)
    process = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", TEXTUAL_PROBE, *words],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "VP_TUI_GATEWAY_URL": gateway.url},
    )
    assert process.stderr == b""
    assert process.stdout
    assert process.returncode == 0
