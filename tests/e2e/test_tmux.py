"""The installed command in tmux at 80x24, as on call over ssh: from the alarm to the evidence."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from tests.support.desk import golden_log, rows_of
from tests.support.tmux import LEFT, VP_TUI, require_tmux, tmux_in

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tmux import Tmux

STUCK: Final = re.compile(
    r"(?m)^! STUCK \d+s (\w{8}): holds the gateway lock(?: \(a guess\))?, 2 turns wait"
)


def test_a_stuck_run_from_the_alarm_to_the_recorded_row(tmp_path: Path) -> None:
    log = golden_log(tmp_path)
    options = SimOptions(scenario="stuck", speed=4.0)
    with tmux_in(tmp_path) as tmux, spawn_gateway(options) as gateway:
        watch = (VP_TUI, "--gateway-url", gateway.url, "--evidence", str(log))
        tmux.start(*watch, "--stuck-after", "6", "--interval", "0.5")
        stuck = cancelled_from_the_alarm(tmux)
        tmux.sees("recovered: a later turn completed")
        tmux.press("Escape")
        tmux.until(lambda text: "STOP A RUN" not in text)
        tmux.acts("r", "RECORD, rollout table")
        tmux.acts("Enter", "row recorded", "line 34 of evidence_log.md:")
        tmux.press("q")
        tmux.sees(f"{LEFT}0")
    *golden, row = rows_of(log)
    assert len(golden) == 16
    assert re.search(rf"cancel session_\w+_{stuck} by \S+: recovered at ", row.notes)
    verify = (VP_TUI, "evidence", "verify", str(log))
    verified = subprocess.run(verify, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert re.search(r"(?m)^ok .*Broadened rollout window #5", verified.stdout)


def cancelled_from_the_alarm(tmux: Tmux) -> str:
    """Stop the run that the alarm is about; return its short id."""
    screen = tmux.until(lambda text: STUCK.search(text) and "! alarm stuck run " in text)
    assert screen.startswith(" LIVE+ALARM ")
    assert tmux.has_rung
    found = STUCK.search(screen)
    assert found is not None
    tmux.press("g")
    tmux.sees(f">✗ STUCK   {found[1]}")
    tmux.acts("c", "STOP A RUN", f"{found[1]} STUCK", ">[ Keep running ]")
    tmux.press("Right")
    tmux.acts("Enter", "task_cancelled=true, the run unwound")
    return found[1]


@pytest.mark.parametrize("ci", [True, False])
def test_without_tmux_ci_fails_with_the_cure_and_others_are_told(
    monkeypatch: pytest.MonkeyPatch, *, ci: bool
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CI", "true" if ci else "")
    outcome = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(outcome, match="apt-get install tmux"):
        require_tmux()
