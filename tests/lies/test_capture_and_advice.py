"""Lies that were told of limits: more advised than there is, and another word than the script's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rollout import gate_facts, history

from vp_tui.cli.arguments import parse
from vp_tui.cli.capture_row import clamped, with_script_limits
from vp_tui.cli.config.load import settle
from vp_tui.cli.config.settings import Given
from vp_tui.domain.rollout.decisions import script_decision
from vp_tui.domain.rollout.gates import judge_gates
from vp_tui.domain.vocabulary import Profile, Thresholds
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.evidence_log import read_log
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from tests.support.command import Run


@pytest.mark.parametrize(
    ("limit", "cure"),
    [
        (1000, "[i] see what is known by what; prune its VP events, or [^p] waive"),
        (999, "[i] see what is known by what; raise --event-limit"),
    ],
)
def test_no_more_events_are_advised_than_a_gateway_gives(limit: int, cure: str) -> None:
    missions = [builders.mission(f"m{n}", result_ref=None) for n in range(3)]
    cut = builders.snapshot(*missions, events=[], event_limit=limit)
    [unknown] = troubles(View(builders.state(*scenes.ordinary(cut)), 2.0))
    assert unknown.cure == cure


@pytest.mark.parametrize(
    ("given", "limits"), [({}, (100, 500)), ({"mission_limit": "500"}, (500, 500))]
)
def test_the_script_looks_at_its_own_newest_missions(
    given: dict[str, str], limits: tuple[int, int]
) -> None:
    loaded = settle({name: Given(text, "flag", Path()) for name, text in given.items()})
    settings = with_script_limits(loaded)
    assert (settings.mission_limit, settings.event_limit) == limits


@pytest.mark.parametrize(
    ("given", "used"), [("0", "1"), ("-5", "1"), ("7", "7"), ("900", "500"), ("many", "many")]
)
def test_a_limit_is_clamped_as_the_script_clamped_it(given: str, used: str) -> None:
    assert clamped(parse(["capture", "--mission-limit", given])).flags["mission_limit"] == used


def test_the_scripts_other_mode_is_refused_with_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["capture", "--mode", "direct"])
    assert refused.value.code == 2
    assert "direct ran inside the gateway, on its database" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("profile", "rate", "p95_s", "fired"),
    [
        (Profile.ROLLOUT, 0.3, 30.0, "rate 0.300 >= 0.05, to be watched"),
        (Profile.SUSTAINED, 0.3, 30.0, "rate 0.300 >= 0.2, critical"),
        (Profile.SUSTAINED, 0.06, 99.0, "rate 0.060 >= 0.05, to be watched"),
        (Profile.SUSTAINED, 0.0, 45.0, "p95 45.000s >= 45 s, to be watched"),
        (Profile.SUSTAINED, 0.0, 90.0, "p95 90.000s >= 90 s, critical"),
    ],
)
def test_the_threshold_that_fired_is_named(
    profile: Profile, rate: float, p95_s: float, fired: str
) -> None:
    assert script_decision(profile, 20, rate, p95_s, Thresholds()).reasons == (fired,)


@pytest.mark.parametrize(
    ("marks", "reason", "threshold"),
    [
        (".....b.b.b", "3 of the last 10 fell back (> 10% of 20)", "10% of the last 20"),
        ("........FF", "2 missions in a row failed", "2 in a row, or 3 of the last 10 failed"),
    ],
)
def test_gate_1_named_both_thresholds_of_the_guardrail(
    marks: str, reason: str, threshold: str
) -> None:
    gate = judge_gates(gate_facts(history(marks))).by_name()["G1"]
    assert (gate.reason, gate.threshold) == (reason, f"guardrail 3: {threshold}")


class TestOnAGateway:
    """The word was READY where the script said HOLD_SHADOW, and nobody could read why."""

    async def captured(self, vp_tui: Run, *words: str) -> tuple[str, str]:
        """Capture from a gateway of 200 missions, of whose newest 100 six fell back."""
        async with running_gateway(SimOptions(scenario="idle")) as driver:
            await driver.seed(200)
            ledger = driver.gateway.ledger
            for mission in ledger.missions[-60::10]:
                ledger.fall_back(mission, "the VP erred", None, driver.clock.now())
            call = ("capture", "--gateway-url", driver.url, *words)
            code, out, err = await asyncio.to_thread(vp_tui, *call)
        assert code == 0, err
        return out, err

    async def test_the_word_is_the_scripts_and_names_what_fired(self, vp_tui: Run) -> None:
        out, _ = await self.captured(vp_tui)
        told = json.loads(out.partition("\n\n")[0])
        assert told["fallback"] == {
            "missions_considered": 100,
            "missions_with_fallback": 6,
            "rate": 0.06,
        }
        assert told["assessment"] == {
            "decision": "HOLD_SHADOW",
            "reasons": ["rate 0.060 >= 0.05, to be watched"],
        }
        assert "| 0.060 |" in out
        assert "rate 0.060 >= 0.05" in out.partition("Markdown row:")[2]

    async def test_the_stamp_of_the_figures_is_whole(self, vp_tui: Run) -> None:
        out, _ = await self.captured(vp_tui)
        stamp = json.loads(out.partition("\n\n")[0])["generated_at"]
        assert stamp.endswith("+00:00")
        assert "." in stamp, "the fraction too"

    async def test_a_row_that_was_appended_is_audited(self, vp_tui: Run, tmp_path: Path) -> None:
        log = tmp_path / "log.md"
        words = ("--append", str(log), "--decision", "READY_FOR_LIMITED_COHORT_PILOT")
        await self.captured(vp_tui, *words, "--note", "known faults")
        (row,) = [logged.row for logged in read_log(log)[0].rows]
        audit = tmp_path / ".local" / "state" / "vp-tui" / "audit.jsonl"
        (told,) = newest_actions(audit, 9).records
        assert (told.what, told.target, told.reason) == ("record", row.window, "known faults")
        line = len(log.read_text().splitlines())
        assert told.result == f"READY_FOR_LIMITED_COHORT_PILOT, line {line} of log.md"
        assert told.vp_id == "vp.coder.primary"
        assert told.gateway.startswith("http://loopback:")


@pytest.mark.parametrize(
    "flag",
    [
        "--vp-id vp.coder.primary",
        "--mission-limit 100",
        "--event-limit 500",
        "--window-label w",
        "--scope s",
        "--ref r",
        "--mode http",
        "--gateway-url http://127.0.0.1:1",
        "--ops-token t",
        "--assessment-profile rollout",
        "--assessment-profile sustained",
        "--min-missions 1",
        "--max-fallback-watch 0.05",
        "--max-fallback-critical 0.2",
        "--max-p95-watch-seconds 45",
        "--max-p95-critical-seconds 90",
    ],
)
def test_each_flag_of_the_script_is_taken(flag: str) -> None:
    assert parse(["capture", *flag.split()]).command == "capture"


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--mode sql", "http is the only one"),
        ("--assessment-profile shadow", "invalid choice: 'shadow'"),
        ("--max-fallback-watch 5", "--max-fallback-watch"),
        ("--min-missions -1", "--min-missions"),
        ("--database x", "unknown argument --database"),
    ],
)
def test_what_no_flag_takes_is_refused_in_words(
    flag: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["capture", *flag.split()])
    assert refused.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("ERROR: ")
    assert told in err
