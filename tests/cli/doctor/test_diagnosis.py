"""`vp-tui doctor` against the embedded gateway, a dead port, and files of all kinds."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support.loopback import Loopback
from tests.support.rows import GOLDEN, facts, row
from tests.support.rows import names as listed
from tests.support.virtual_time import BEGAN

from vp_tui.cli import crash
from vp_tui.cli import main as cli
from vp_tui.cli.config.load import Loaded
from vp_tui.cli.config.settings import SETTINGS, Settings
from vp_tui.cli.doctor.diagnosis import (
    Diagnosis,
    Terminal,
    as_object,
    as_text,
    diagnose,
    file_checks,
    terminal_checks,
    token_checks,
    version_checks,
)
from vp_tui.domain.models import TokenPresence
from vp_tui.gateway.credentials import Secret, gateway_id
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.places import Places
from vp_tui.storage.recording_files import Header, RecordingFile
from vp_tui.storage.rows import keep

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINTS = (
    "health", "metrics, ops plane", "metrics, dashboard", "sessions, ops plane",
    "sessions, session plane", "session continuity", "log tail", "stream",
)  # fmt: skip
FINE = Terminal(
    is_terminal=True, term="xterm-256color", colorterm="truecolor", columns=80, lines=24,
    encoding="utf-8", no_color=False, tmux=False,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("UA_", "VP_TUI_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


async def diagnosed(tmp_path: Path, **settings: Any) -> Diagnosis:  # noqa: ANN401 - those of Settings
    told = Settings(evidence=tmp_path / "log.md", **settings)
    loaded = Loaded(told, dict.fromkeys(SETTINGS, "test"))
    return await diagnose(loaded, Places(tmp_path / "state"), {"TERM": "xterm"}, io.StringIO())


def verdicts(made: Diagnosis, section: str = "gateway") -> dict[str, str]:
    return {check.name: check.verdict for check in made.checks if check.section == section}


def detail(made: Diagnosis, name: str) -> str:
    (check,) = (check for check in made.checks if check.name == name)
    return f"{check.detail}; {check.cure}"


async def counted(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the gateway's own counters of attaching and resuming."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/api/v1/ops/metrics/session-continuity", headers=headers)
    metrics: dict[str, Any] = answer.json()["metrics"]
    return metrics


async def test_a_clean_gateway_is_well_and_nothing_is_resumed(tmp_path: Path) -> None:
    async with running_gateway(SimOptions(scenario="clean")) as gateway:
        made = await diagnosed(tmp_path, url=gateway.url)
        after = await counted(gateway.url)
    assert made.exit_code == 0
    assert {name: verdicts(made)[name] for name in ENDPOINTS} == dict.fromkeys(ENDPOINTS, "ok")
    assert all(check.elapsed_s is not None for check in made.found.checks)
    assert detail(made, "health").startswith("healthy, v1, version 1.0.0")
    assert (after["ws_attach_attempts"], after["ws_attach_failures"]) == (1, 0)
    assert after["resume_attempts"] == 0
    assert as_text(made).endswith("\n\nAll is well.")


async def test_tokens_that_are_wanted_and_missing_are_named(tmp_path: Path) -> None:
    options = SimOptions(scenario="auth").with_default_tokens()
    async with running_gateway(options) as gateway:
        made = await diagnosed(tmp_path, url=gateway.url)
    assert made.exit_code == 1
    found = verdicts(made)
    assert [name for name in ENDPOINTS if found[name] == "ok"] == ["health", "metrics, dashboard"]
    assert "set UA_OPS_TOKEN" in detail(made, "metrics, ops plane")
    assert "set UA_INTERNAL_API_TOKEN" in detail(made, "sessions, session plane")
    assert detail(made, "stream") == "not tried: no listing tells which session is in memory; "
    assert as_text(made).splitlines()[-1].startswith("5 wrong: metrics, ops plane, sessions")


async def test_a_token_for_one_plane_shows_what_the_other_refuses(tmp_path: Path) -> None:
    options = SimOptions(scenario="auth").with_default_tokens()
    async with running_gateway(options) as gateway:
        made = await diagnosed(tmp_path, url=gateway.url, ops_token=Secret(options.ops_token or ""))
    found = verdicts(made)
    assert found["sessions, ops plane"] == "ok"
    assert found["sessions, session plane"] == "wrong"
    assert found["stream"] == "wrong"
    assert detail(made, "stream").endswith("; set UA_INTERNAL_API_TOKEN")


async def test_tokens_are_named_and_never_shown(tmp_path: Path) -> None:
    options = SimOptions(scenario="auth").with_default_tokens()
    async with running_gateway(options) as gateway:
        made = await diagnosed(
            tmp_path,
            url=gateway.url,
            ops_token=Secret(options.ops_token or ""),
            internal_token=Secret("hunter2"),
        )
    told = as_text(made) + json.dumps(as_object(made))
    assert "hunter2" not in told
    assert (options.ops_token or "?") not in told
    assert as_object(made)["tokens"] == {
        "ops": "command line", "internal": "command line", "problems": [],
    }  # fmt: skip
    assert "renew UA_INTERNAL_API_TOKEN" in detail(made, "stream")


async def test_without_a_session_in_memory_nothing_is_attached(tmp_path: Path) -> None:
    gateway = Loopback(b'{"sessions": [{"session_id": "session_a", "status": "idle"}]}')
    gateway.answer("/api/v1/health", {"status": "healthy", "timestamp": "2026-11-22T20:00:00"})
    with gateway.serving():
        made = await diagnosed(tmp_path, url=gateway.url)
    assert detail(made, "sessions, ops plane").startswith("1 session, 0 in memory")
    assert "attaching to one on disk would resume it" in detail(made, "stream")
    assert not [path for path, _ in gateway.asked if path.endswith("/stream")]


async def test_an_answer_that_a_cache_kept_is_not_right(tmp_path: Path) -> None:
    gateway = Loopback(b'{"sessions": []}')
    gateway.headers["age"] = "300"
    with gateway.serving():
        gateway.answer("/api/v1/health", {"status": "healthy", "timestamp": "2026-11-22T20:00:00"})
        made = await diagnosed(tmp_path, url=gateway.url)
    assert verdicts(made)["health"] == "wrong"
    assert "; but what it tells is 5m00 old; " in detail(made, "health")


async def test_a_dead_port_is_told_once_and_the_rest_not_tried(tmp_path: Path) -> None:
    made = await diagnosed(tmp_path, url="http://127.0.0.1:1")
    assert made.exit_code == 2
    found = verdicts(made)
    assert found.pop("health") == "wrong"
    assert set(found.values()) == {"note"}
    assert "connection refused" in detail(made, "health")
    assert as_object(made)["gateway"]["reachable"] is False


async def test_the_object_says_it_all(tmp_path: Path) -> None:
    async with running_gateway(SimOptions(scenario="clean")) as gateway:
        made = await diagnosed(tmp_path, url=gateway.url)
    told = json.loads(json.dumps(as_object(made)))
    assert set(told) == {
        "schema", "ok", "config", "tokens", "gateway", "terminal", "versions", "checks",
    }  # fmt: skip
    assert told["ok"] is True
    assert told["config"]["settings"]["gateway_url"] == {"value": gateway.url, "origin": "test"}
    assert set(told["gateway"]) == {
        "url", "reachable", "version", "dialect", "clock_offset_s", "ahead_s",
    }  # fmt: skip
    assert set(told["versions"]) == {
        "vp-tui", "python", "textual", "httpx", "websockets", "pydantic",
    }  # fmt: skip
    assert set(told["checks"][0]) == {
        "section", "name", "verdict", "detail", "cure", "elapsed_s",
    }  # fmt: skip


async def test_the_table_is_aligned(tmp_path: Path) -> None:
    made = await diagnosed(tmp_path, url="http://127.0.0.1:1")
    table = as_text(made).split("\n\n")[1].splitlines()
    assert {line.index(line.split()[1]) for line in table} == {len("WRONG  ")}
    assert table[2].startswith("WRONG  gateway   health")


def names(tmp_path: Path, **settings: Any) -> dict[str, tuple[str, str]]:  # noqa: ANN401 - as above
    told = Settings(**({"evidence": tmp_path / "log.md"} | settings))
    checks = file_checks(told, Places(tmp_path / "state"))
    return {check.name: (check.verdict, check.detail) for check in checks}


def test_the_log_is_read_and_may_be_written(tmp_path: Path) -> None:
    assert names(tmp_path)["evidence log"][0] == "note"
    (tmp_path / "log.md").write_bytes(GOLDEN)
    found = names(tmp_path)
    assert found["evidence log"] == ("ok", f"{tmp_path}/log.md: 16 rows")
    assert found["log writable"][0] == "ok"
    assert listed(tmp_path) == ["log.md"], "nothing was made"


def test_a_log_that_is_none_or_may_not_be_written_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "log.md").write_text("just text")
    (tmp_path / "log.md").chmod(0o444)
    found = names(tmp_path)
    assert found["evidence log"][0] == "wrong"
    assert found["log writable"] == ("wrong", f"{tmp_path}/log.md: it is read-only")
    (tmp_path / "log.md").unlink()
    (tmp_path / "log.md").mkdir()
    assert names(tmp_path)["evidence log"] == ("wrong", f"{tmp_path}/log.md: it is a directory")
    assert names(tmp_path, evidence=None)["evidence log"] == ("note", "none is configured")


def test_rows_that_wait_for_the_log_are_told(tmp_path: Path) -> None:
    spool = Places(tmp_path / "state").spool
    keep(spool, tmp_path / "log.md", row(), facts(), because=EvidenceError("full", "wait"))
    found = names(tmp_path)
    assert found["kept rows"] == ("wrong", "1 row waits for the log")
    assert len(list(spool.iterdir())) == 1


def test_what_the_recordings_take_is_told(tmp_path: Path) -> None:
    directory = Places(tmp_path / "state").recordings
    assert names(tmp_path)["recordings"] == ("ok", f"{directory}: 0 files, 0.0 MB of at most 512")
    watched = gateway_id(Settings().url), Settings().vp_id
    header = Header(*watched, BEGAN, 0.0, part=1, repeats=0, settings={"told": "x" * 400_000})
    RecordingFile(directory, header, BEGAN).close()
    assert names(tmp_path)["recordings"] == ("ok", f"{directory}: 1 file, 0.4 MB of at most 512")
    assert names(tmp_path, record=False)["recordings"][0] == "note"
    directory.rename(tmp_path / "elsewhere")
    directory.write_text("a file in its place")
    assert names(tmp_path)["recordings"][0] == "wrong"


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    assert names(tmp_path)["state directory"][0] == "ok"
    (tmp_path / "state").write_text("")
    assert names(tmp_path)["state directory"][0] == "wrong"


def test_the_suites_report_is_read(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    found = names(tmp_path, continuity_report=report)["suites' report"]
    assert found == ("wrong", "junit.xml: there is no such file")
    report.write_text('<testsuite><testcase name="n"/></testsuite>')
    found = names(tmp_path, continuity_report=report)["suites' report"]
    assert found == ("ok", "junit.xml: 1 ran, 0 failed")


@pytest.mark.parametrize(
    ("changed", "name", "verdict"),
    [
        ({}, "TERM", "ok"),
        ({"term": None}, "TERM", "wrong"),
        ({"term": "dumb"}, "TERM", "wrong"),
        ({"term": None, "is_terminal": False}, "TERM", "note"),
        ({}, "size", "ok"),
        ({"columns": 79}, "size", "wrong"),
        ({"columns": None, "lines": None, "is_terminal": False}, "size", "note"),
        ({"encoding": "UTF-8"}, "encoding", "ok"),
        ({"encoding": "ascii"}, "encoding", "wrong"),
        ({"no_color": True}, "NO_COLOR", "note"),
        ({"tmux": True}, "tmux", "note"),
        ({"colorterm": None}, "COLORTERM", "note"),
    ],
)
def test_what_the_screen_needs_of_the_terminal(
    changed: dict[str, Any], name: str, verdict: str
) -> None:
    checks = {check.name: check for check in terminal_checks(FINE._replace(**changed))}
    assert checks[name].verdict == verdict
    assert bool(checks[name].cure) is (verdict == "wrong" or changed.get("term", "") is None)


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "LIBRARIES", ("no-such-library",))
    checks = {check.name: check.verdict for check in version_checks(crash.versions())}
    assert checks == {"vp-tui": "ok", "python": "ok", "no-such-library": "wrong"}


def test_problems_of_the_token_sources_are_wrong() -> None:
    presence = TokenPresence(ops="~/ops", problems=("~/ops can be read by others",))
    found = [(check.name, check.verdict) for check in token_checks(presence)]
    assert found == [("ops", "ok"), ("internal", "note"), ("source", "wrong")]


def test_the_command_prints_json_and_says_how_it_went(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = cli.main(("doctor", "--json", "--gateway-url", "http://127.0.0.1:1"))
    told = capsys.readouterr()
    assert code == 2
    assert json.loads(told.out)["ok"] is False
    assert told.err == ""
    assert cli.main(("doctor", "--gateway-url", "http://127.0.0.1:1")) == 2
    assert "could not be looked at" in capsys.readouterr().out
