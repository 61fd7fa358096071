"""A deed that is durable is not answered with a failure code because telling of it failed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.verification import verify

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_is_recorded_once_whatever_stdout_and_stderr_are(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    reads, nobody_reads = os.pipe()
    os.close(reads)
    with spawn_gateway(SimOptions(scenario="idle")) as gateway:
        command = f"exec {sys.executable} -m vp_tui capture --gateway-url {gateway.url}"
        for number, streams in enumerate((">&- 2>&- <&-", ">/dev/full 2>/dev/full", "2>&1"), 1):
            words = ["sh", "-c", f"{command} --append {log} {streams}"]
            done = subprocess.run(words, env=environ, stdout=nobody_reads, check=False)  # noqa: S603 - ourselves
            assert (done.returncode, len(read_log(log)[0].rows)) == (0, number), streams
    os.close(nobody_reads)
    assert {found.state for found in verify(log, cells_from_snapshot)} == {"ok"}
