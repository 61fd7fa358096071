"""`vp-tui capture --probes`: a window driven headless, against the embedded gateway's process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.rollout.evidence_row import read_row
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import SimProcess, spawn_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.evidence_log import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Run as Command

Run = Callable[..., tuple[int, str, list[str]]]

OPS, INTERNAL = "ops-secret", "internal-secret"
CODE = "Please write code @fake:mission secs=1"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.env"
    path.write_text("UA_ENABLE_CODER_VP=1\n")
    return path


@pytest.fixture
def gateway(env: Path) -> Iterator[SimProcess]:
    options = SimOptions(
        scenario="idle", env_file=env, speed=60.0, ops_token=OPS, internal_token=INTERNAL
    )
    with spawn_gateway(options) as process:
        yield process


@pytest.fixture
def run(vp_tui: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("UA_OPS_TOKEN", OPS)
    monkeypatch.setenv("UA_INTERNAL_API_TOKEN", INTERNAL)

    def run_capture(url: str, *words: str) -> tuple[int, str, list[str]]:
        config = tmp_path / "config.toml"
        config.write_text(f'[gateways.a]\nurl = "{url}"\n[gateways.a.probe]\nprompt = "{CODE}"\n')
        code, out, err = vp_tui("capture", "--config", str(config), *words)
        return code, out, err.splitlines()

    return run_capture


def test_probes_run_one_after_the_other_and_their_missions_are_captured(
    run: Run, gateway: SimProcess, tmp_path: Path
) -> None:
    log = tmp_path / "log.md"
    code, out, err = run(gateway.url, "--probes", "2", "--append", str(log))
    assert code == 0
    figures = json.loads(out.partition("\n\n")[0])
    assert figures["mission_counts"] == {"completed": 2}
    assert [line.partition(" (")[0].partition(": session_")[0] for line in err[:6]] == [
        "probe 1 of 2: session created",
        "probe 1 of 2: attached",
        "probe 1 of 2: executed",
        "probe 1 of 2: routed: delegated_to_coder_vp",
        err[4].partition(" (")[0],
        err[5].partition(" (")[0],
    ]
    assert err[4].startswith("probe 1 of 2: completed: ")
    assert err[5].startswith("probe 1 of 2: mission seen: vp-mission-")
    assert err[6] == "probe 1 of 2: delegated, done by the lane"
    assert err[7].startswith("probe 2 of 2: session created")
    (row,) = [logged.row for logged in read_log(log)[0].rows]
    assert "probe traffic" in row.scope
    assert "2 of 2 probes delegated (delegated, done by the lane)" in row.notes
    audited = newest_actions(tmp_path / "state" / "vp-tui" / "audit.jsonl", 9).records
    *probes, recorded = audited
    assert [(each.action, each.result) for each in probes] == [
        ("probe", "delegated, done by the lane")
    ] * 2
    assert len({each.target for each in probes}) == 2
    assert recorded.action == "record"


def test_the_source_may_be_another_and_a_stage_decides_too(run: Run, gateway: SimProcess) -> None:
    words = ("--probes", "1", "--source", "synthetic", "--stage", "shadow")
    code, out, _ = run(gateway.url, *words)
    assert code == 0
    row = read_row(out.rstrip().rpartition("\n")[2].encode()).row
    assert "synthetic traffic" in row.scope
    assert "1 of 1 probe delegated" in row.notes


def test_a_probe_that_is_not_delegated_is_captured_all_the_same(
    run: Run, gateway: SimProcess, env: Path
) -> None:
    env.write_text("UA_CODER_VP_FORCE_FALLBACK=1\n")
    with spawn_gateway(SimOptions(scenario="idle", env_file=env, speed=60.0)) as forced:
        code, out, err = run(forced.url, "--probes", "1")
    assert code == 0
    assert "0 of 1 probe delegated" in out
    assert any("stayed on the primary path without a word" in line for line in err)


def test_read_only_refuses_to_probe(run: Run, gateway: SimProcess) -> None:
    code, out, err = run(gateway.url, "--probes", "1", "--read-only")
    assert (code, out) == (2, "")
    assert err[-1].startswith("ERROR: read-only: --probes would run turns")


def test_a_token_that_is_missing_is_an_error_and_nothing_is_captured(
    run: Run, gateway: SimProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UA_INTERNAL_API_TOKEN", "wrong")
    code, out, err = run(gateway.url, "--probes", "3", "--append", str(tmp_path / "log.md"))
    assert (code, out) == (2, "")
    assert "WARNING: 2 further probes are not sent" in err
    assert err[-1].startswith("ERROR: no probe could be executed: UA_INTERNAL_API_TOKEN")
    assert not (tmp_path / "log.md").exists()
    (audited,) = newest_actions(tmp_path / "state" / "vp-tui" / "audit.jsonl", 9).records
    assert audited.result == "broke off"


def test_an_audit_that_cannot_be_written_stops_nothing(
    run: Run, gateway: SimProcess, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file")
    code, _, err = run(gateway.url, "--probes", "1")
    assert code == 0
    assert any(line.startswith("WARNING: not in the audit: ") for line in err)


@pytest.mark.parametrize("count", ["0", "21", "-1", "x"])
def test_the_number_of_probes_is_bounded(run: Run, count: str) -> None:
    code, _, err = run("http://127.0.0.1:1", "--probes", count)
    assert code == 2
    assert any("whole number from 1 to 20" in line for line in err)
