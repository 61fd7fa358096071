"""A deed that is durable is not answered with a failure code because telling of it failed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def nobody_reads() -> Iterator[int]:
    """Give the end of a pipe whose reader has left."""
    reads, writes = os.pipe()
    os.close(reads)
    yield writes
    os.close(writes)


def test_a_deed_is_done_once_whatever_stdout_and_stderr_are(tmp_path: Path) -> None:
    log, bundle = tmp_path / "log.md", tmp_path / "bug.tar.gz"
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    with spawn_gateway(SimOptions(scenario="idle")) as gateway, nobody_reads() as pipe:

        def run(command: str) -> int:
            words = f"exec {sys.executable} -m vp_tui {command} --gateway-url {gateway.url}"
            done = subprocess.run(["/bin/sh", "-c", words], env=environ, stdout=pipe, check=False)  # noqa: S603 - ourselves
            return done.returncode

        for number, streams in enumerate((">&- 2>&- <&-", ">/dev/full 2>/dev/full", "2>&1"), 1):
            code = run(f"capture --append {log} {streams}")
            assert (code, len(read_log(log)[0].rows)) == (0, number), streams
        assert (run(f"bundle {bundle} 2>&1"), bundle.exists()) == (0, True)
    assert {found.state for found in verify(log, cells_from_snapshot)} == {"ok"}
