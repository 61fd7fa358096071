"""The recording that vp-tui brings along: `uv run python -m tests.support.story` makes it anew.

A night on call, on virtual time: the rollout of the golden log goes on, a turn falls back, a run
hangs and is cancelled, and two windows are recorded.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.rows import GOLDEN
from tests.support.virtual_time import run_virtually
from tests.support.virtual_watch import recorded_watch

from vp_tui.domain.orders import CancelRun
from vp_tui.simulator.options import SimOptions
from vp_tui.storage.places import actor
from vp_tui.storage.recording_files import BUNDLED
from vp_tui.views.draft import Choice, draft_row
from vp_tui.worker.evidence import Recorder, Written, evidence_files

if TYPE_CHECKING:
    from tests.support.virtual_watch import VirtualWatch

WHO: Final = "ana@laptop"
LOOKS_AT_IT_S: Final = 50.0
BETWEEN_ROWS_S: Final = 300.0
PLACES: Final = (
    (re.compile(r"/tmp/vp-tui-gateway-\w+"), "/srv/gateway"),  # noqa: S108 - is replaced
    (re.compile(r"/tmp/vp-tui-story-\w+"), "/home/ana"),  # noqa: S108 - as above
    (re.compile(re.escape(actor())), WHO),
)
"""What this machine calls things, and what a recording of it says."""


async def play(watch: VirtualWatch, log: Path) -> None:
    """Do what an engineer on call does."""
    await watch.until(lambda state: state.alarms)
    await watch.passes(LOOKS_AT_IT_S)
    stuck = next(alarm.session_id for alarm in watch.state.alarms if alarm.session_id)
    watch.feeds.order(CancelRun(stuck, "hangs in pytest, holds all others up"))
    await watch.until(lambda state: not state.alarms)
    files = evidence_files(watch.places, log, watch.state.watch)
    recorder = Recorder(files, watch.store, WHO, clock=lambda: watch.now)
    for _ in range(2):
        await watch.passes(BETWEEN_ROWS_S)
        draft = draft_row(watch.view)
        choice = Choice(draft.suggestion.decision, note="night shift")
        outcome = await recorder.record(draft, choice)
        if not isinstance(outcome, Written):
            raise AssertionError(outcome)  # noqa: TRY004 - it is no wrong argument
        watch.feeds.read_files()
    await watch.passes(60.0)


def main() -> None:
    with TemporaryDirectory(prefix="vp-tui-story-") as home:
        log = Path(home, "evidence_log.md")
        log.write_bytes(GOLDEN)
        options = SimOptions(scenario="tour", seed=7)
        recordings = Path(home, "recordings")
        run_virtually(
            recorded_watch(options, recordings, lambda watch: play(watch, log), evidence=log)
        )
        (path,) = recordings.iterdir()
        text = path.read_text(encoding="utf-8")
    for pattern, name in PLACES:
        text = pattern.sub(name, text)
    BUNDLED.write_bytes(gzip.compress(text.encode(), mtime=0))
    sys.stdout.write(f"{BUNDLED}: {BUNDLED.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
