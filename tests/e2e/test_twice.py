"""Two vp-tui that confirm the same deed in the same moment: processes, directories, URLs apart."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import httpx
import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.cli.config.settings import BrakeSettings, Settings
from vp_tui.cli.console import credentials_of
from vp_tui.cli.wiring import Surroundings
from vp_tui.cli.workers import client_of, file_feeds, order_runner
from vp_tui.domain.events import AuditRead, OrderRefused
from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.orders import ActionKind, CancelRun, RestartGateway, SetSwitch
from vp_tui.gateway.transport import TlsContext
from vp_tui.storage import places
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places
from vp_tui.worker.files import AuditFeed
from vp_tui.worker.polling import RunsHeard

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.orders import Work

LISTING: Final = {
    "sessions": [
        {"session_id": "a", "status": "running", "active_runs": 1, "last_event_seq": 3,
         "active_connections": 1}
    ],
    "total": 1,
}  # fmt: skip
CANCELLED: Final = {
    "status": "cancel_requested", "session_id": "a", "run_id": None, "reason": "x",
    "task_cancelled": True,
}  # fmt: skip
DEEDS: Final[dict[str, Work]] = {
    "brake": SetSwitch(FORCE_FALLBACK, "3 of 20 fell back"),
    "restart": RestartGateway("deaf"),
    "cancel": CancelRun("a", "stuck"),
}


class Stage(NamedTuple):
    """What two processes share: a directory, and a gateway that nobody else has."""

    here: Path
    locks: Path
    """The host's, of these tests."""
    path: str
    lasts_s: float

    @property
    def done(self) -> list[str]:
        """What was done to the gateway, a line for each time."""
        file = self.here / "done"
        return file.read_text().splitlines() if file.exists() else []


def act(stage: Stage, who: str, host: str, deed: str) -> None:
    """Be one vp-tui that is let go with the others, and write down what came of it."""
    home, done = stage.here / who, stage.here / "done"
    home.mkdir()
    places.HOST_LOCKS = stage.locks
    command = ("sh", "-c", f"echo {deed} >> {done}; sleep {stage.lasts_s}")
    settings = Settings(
        url=f"http://{host}:8002/{stage.path}", brake=BrakeSettings(apply=command, restart=command)
    )

    async def gateway(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=LISTING)
        with done.open("a") as file:
            file.write(f"{deed}\n")
        await asyncio.sleep(stage.lasts_s)
        return httpx.Response(200, json=CANCELLED)

    told: list[Event] = []
    around = Surroundings(transport=httpx.MockTransport(gateway))
    credentials, tls = credentials_of(settings, ambient=False), TlsContext(settings.url)
    client = client_of(settings, credentials, tls, around)
    with patch.dict("os.environ", LOGNAME=who):
        runner = order_runner(
            settings, client, credentials, tls, Places(home), RunsHeard(told.append), around
        )
    (stage.here / f"{who} is ready").touch()
    wait_for(stage.here / "go")
    asyncio.run(runner.carry_out(DEEDS[deed]))
    refused = [event.why for event in told if isinstance(event, OrderRefused)]
    (stage.here / f"{who} was told").write_text("".join(refused))


def wait_for(file: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} did not come"
        time.sleep(0.001)


def started(stack: ExitStack, stage: Stage, who: str, host: str, deed: str) -> BaseProcess:
    process = get_context("spawn").Process(target=act, args=(stage, who, host, deed))
    process.start()
    stack.callback(process.join, PATIENCE_S)
    stack.callback(process.kill)
    return process


@pytest.mark.parametrize("deed", DEEDS)
def test_it_is_done_once_and_the_other_one_is_told_by_whom(deed: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, places.HOST_LOCKS, uuid4().hex, lasts_s=0.3)
    with ExitStack() as stack:
        both = [
            started(stack, stage, who, host, deed)
            for who, host in (("ana", "localhost"), ("ben", "127.0.0.1"))
        ]
        for who in ("ana", "ben"):
            wait_for(tmp_path / f"{who} is ready")
        (tmp_path / "go").touch()
        for process in both:
            process.join(PATIENCE_S)
            assert process.exitcode == 0
    assert stage.done == [deed]
    told = {who: (tmp_path / f"{who} was told").read_text() for who in ("ana", "ben")}
    acted = next(who for who, why in told.items() if not why)
    other = next(who for who in told if who != acted)
    assert told[other].startswith(f"{acted}'s vp-tui ")
    (line,) = newest_actions(Places(tmp_path / other).audit, 9).records
    assert line.result == f"refused: {told[other]}"


def test_one_that_was_killed_in_the_midst_of_it_is_found_by_the_next(tmp_path: Path) -> None:
    stage = Stage(tmp_path, places.HOST_LOCKS, uuid4().hex, lasts_s=30.0)
    settings = Settings(url=f"http://[::1]:8002/{stage.path}")
    heard: list[Event] = []
    (feed,) = (
        feed
        for feed in file_feeds(settings, Places(tmp_path / "ana"), heard.append, time.monotonic)
        if isinstance(feed, AuditFeed)
    )
    with ExitStack() as stack:
        process = started(stack, stage, "ana", "localhost", "cancel")
        wait_for(tmp_path / "ana is ready")
        (tmp_path / "go").touch()
        wait_for(tmp_path / "done")
        asyncio.run(feed.look())
        process.kill()  # SIGKILL
        process.join(PATIENCE_S)
    asyncio.run(feed.look())
    under_way, interrupted = (event for event in heard if isinstance(event, AuditRead))
    assert under_way.interrupted == ()
    assert [one.what for one in under_way.records] == ["cancel"]
    (found,) = interrupted.interrupted
    assert (found.what, found.target, found.kind) == ("cancel", "a", ActionKind.INTERRUPTED)
    assert found.actor.startswith("ana@")
