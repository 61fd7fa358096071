import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.rows import GOLDEN

from vp_tui.cli import status as headless
from vp_tui.cli.config.settings import Settings
from vp_tui.cli.status import look_once, status_text
from vp_tui.cli.wiring import watch_of
from vp_tui.domain.events import Event, SourceFailed
from vp_tui.domain.models import Failure, StreamState
from vp_tui.gateway.credentials import Secret
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.view import View

DEAD: Final = Settings(url="http://127.0.0.1:1")

KEYS: Final[dict[str, set[str]]] = {
    "": {
        "schema", "generated_at", "gateway", "lane", "sources", "window", "missions", "fallback",
        "latency", "gates", "promotion", "guardrails", "runs", "safety", "suggestion", "alarms",
    },
    "gateway": {"url", "reachable", "version", "dialect", "clock_offset_s", "started_at", "epoch"},
    "lane": {"vp_id", "session_status", "stage", "mode"},
    "sources": {"metrics", "sessions", "stream", "log", "continuity"},
    "sources.stream": {"state", "age_s", "error", "plane"},
    "sources.metrics": {"state", "age_s", "error", "plane"},
    "missions": {"considered", "completed", "failed", "running", "orphans", "counts", "events"},
    "fallback": {
        "reported", "reconstructed", "interval95", "upper95", "needed_for_10pct", "coverage",
        "rolling", "unseen", "routing",
    },
    "fallback.reported": {"rate", "with_fallback", "considered"},
    "fallback.reconstructed": {"rate", "fallbacks", "terminal", "inferred"},
    "fallback.coverage": {"state", "covered", "considered", "known", "unknown", "by"},
    "fallback.unseen": {"bootstrap", "shadow", "lease_degraded"},
    "fallback.routing": {
        "turns_ran", "beginnings_heard",
        "coding_turns", "delegated", "primary", "bootstrap", "unexplained",
    },
    "latency": {"n", "p50_s", "p95_s", "max_s", "rank_from_top", "over_watch"},
    "runs": {
        "session_id", "level", "active_runs", "silent_s", "last_event", "mission_id", "reason",
    },
}  # fmt: skip
"""The keys that scripts rely on, by their place in the object; of a list, those of its items."""


@pytest.fixture(autouse=True)
def _no_tokens_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("UA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _status(seen: View) -> dict[str, Any]:
    """Return the object as a script gets it: through JSON."""
    status: dict[str, Any] = json.loads(json.dumps(status_object(seen)))
    return status


def _at(status: dict[str, Any], place: str) -> dict[str, Any]:
    found: Any = status
    for key in filter(None, place.split(".")):
        found = found[key]
    item: dict[str, Any] = found[0] if isinstance(found, list) else found
    return item


async def test_a_clean_gateway_is_healthy_and_told_in_full() -> None:
    async with running_gateway(SimOptions(scenario="clean")) as gateway:
        seen = await look_once(Settings(url=gateway.url), settle_s=1.0)
    status = _status(seen)
    assert {place: set(_at(status, place)) for place in KEYS} == KEYS
    assert {name: source["state"] for name, source in status["sources"].items()} == dict.fromkeys(
        KEYS["sources"], "live"
    )
    assert status["gateway"]["dialect"] == "G1"
    assert status["alarms"] == []
    assert exit_code(seen) == 0
    assert any(link.state is StreamState.LIVE for link in seen.state.links.values())


async def test_a_look_without_streams_leaves_every_session_as_it_was() -> None:
    async with running_gateway(SimOptions(scenario="idle")) as gateway:
        ben, ana = await gateway.enter("ben"), await gateway.enter("ana")
        await gateway.start("ana", "hang")
        ben.last_event_seq, before = 5, ben.last_activity
        seen = await look_once(Settings(url=gateway.url), settle_s=0.0, no_streams=True)
        assert (ben.last_event_seq, ben.last_activity) == (5, before)
        assert not ana.sockets
        await look_once(Settings(url=gateway.url), settle_s=0.5)
        assert ben.last_event_seq > 5, "the usual look attaches"
    status = _status(seen)
    assert status["sources"]["stream"] | {"plane": ""} == {
        "state": "idle", "age_s": None, "error": None, "plane": "",
    }  # fmt: skip
    (run,) = status["runs"]
    assert (run["session_id"], run["level"]) == (ana.session_id, None)
    assert "streams were not looked at" in run["reason"]
    assert status["fallback"]["routing"]["delegated"] is None
    lines = dict(line.split(None, 1) for line in status_text(seen).splitlines())
    assert lines["stream"] == "not looked at"
    assert "no beginning heard" in lines["turns"]


async def test_a_gateway_that_wants_tokens_needs_attention() -> None:
    async with running_gateway(SimOptions(scenario="auth")) as gateway:
        seen = await look_once(Settings(url=gateway.url), settle_s=0.0)
    status = _status(seen)
    assert exit_code(seen) == 1
    assert status["gateway"]["reachable"] is True
    assert {
        name for name, source in status["sources"].items() if source["state"] == "unauthorized"
    } >= {"metrics", "sessions", "log", "continuity"}
    assert status["missions"] is not None, "the dashboard endpoint wants no token"
    assert "dashboard" in " ".join(status["alarms"])


async def test_with_its_tokens_such_a_gateway_is_healthy() -> None:
    options = SimOptions(scenario="auth").with_default_tokens()
    assert options.ops_token is not None
    assert options.internal_token is not None
    async with running_gateway(options) as gateway:
        settings = Settings(
            url=gateway.url,
            ops_token=Secret(options.ops_token),
            internal_token=Secret(options.internal_token),
        )
        seen = await look_once(settings, settle_s=1.0)
    assert exit_code(seen) == 0
    shown = json.dumps(_status(seen)) + status_text(seen)
    assert options.ops_token not in shown
    assert options.internal_token not in shown


async def test_a_dead_port_is_told_in_the_same_object() -> None:
    seen = await look_once(DEAD, settle_s=60.0)
    status = _status(seen)
    assert exit_code(seen) == 2
    assert set(status) == KEYS[""]
    assert status["gateway"]["reachable"] is False
    assert status["missions"] is None


async def test_the_text_tells_what_the_object_tells() -> None:
    async with running_gateway(SimOptions(scenario="clean")) as gateway:
        seen = await look_once(Settings(url=gateway.url), settle_s=0.0)
    text = status_text(seen)
    lines = dict(line.split(None, 1) for line in text.splitlines())
    assert gateway.url in lines["gateway"]
    assert "reachable" in lines["gateway"]
    assert lines["metrics"].startswith("live")
    assert "completed" in lines["missions"]
    assert " fell back, at most" in text
    assert ", p95 36.033s 2nd of 18, reported of all listed" in text


class SilentFeeds:
    """Feeds that say what they are told to, then nothing, or that have a bug."""

    def __init__(self, emit: Callable[[Event], None], *events: Event, bug: bool = False) -> None:
        self._emit = emit
        self._events = events
        self._bug = bug
        self.ended = False

    async def run(self) -> None:
        for event in self._events:
            self._emit(event)
        try:
            if self._bug:
                raise RuntimeError("a bug")
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def test_the_suites_report_is_read_before_the_fourth_gate_speaks(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuite><testcase name="n"/></testsuite>')
    async with running_gateway(SimOptions(scenario="idle")) as gateway:
        settings = Settings(url=gateway.url, continuity_report=report, evidence=None)
        seen = await look_once(settings, settle_s=0.0)
    gate = _status(seen)["gates"]["G4"]
    assert gate["verdict"] == "PASS"
    assert gate["reason"] == "runtime ok, suites passed: junit.xml, just run: 1 passed"


async def test_a_gateway_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SilentFeeds] = []

    def connect(
        _settings: Settings, emit: Callable[[Event], None], **_places: object
    ) -> SilentFeeds:
        made.append(SilentFeeds(emit))
        return made[0]

    monkeypatch.setattr(headless, "connect", connect)
    monkeypatch.setattr(headless, "DEADLINE_S", 0.0)
    seen = await look_once(DEAD, settle_s=60.0)
    assert exit_code(seen) == 2
    assert made[0].ended


async def test_a_bug_in_a_feed_is_raised_with_the_last_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = SourceFailed(0.0, next(iter(watch_of(DEAD).intervals)), Failure("gone", ""))

    def connect(
        _settings: Settings, emit: Callable[[Event], None], **_places: object
    ) -> SilentFeeds:
        return SilentFeeds(emit, failed, bug=True)

    monkeypatch.setattr(headless, "connect", connect)
    with pytest.raises(RuntimeError, match="a bug") as caught:
        await look_once(DEAD, settle_s=0.0)
    assert failed in caught.value.recent_events  # type: ignore[attr-defined]  # set by the wiring


async def test_a_bug_in_the_reducer_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(
        _settings: Settings, emit: Callable[[Event], None], **_places: object
    ) -> SilentFeeds:
        return SilentFeeds(emit, object())  # type: ignore[arg-type]

    monkeypatch.setattr(headless, "connect", connect)
    with pytest.raises(TypeError, match="no rule for object") as caught:
        await look_once(DEAD, settle_s=0.0)
    assert len(caught.value.recent_events) == 1  # type: ignore[attr-defined]  # as above


async def test_one_look_reads_the_evidence_log_too(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.write_bytes(GOLDEN)
    async with running_gateway(SimOptions(scenario="clean")) as gateway:
        seen = await look_once(Settings(url=gateway.url, evidence=log), settle_s=0.0)
    assert seen.state.evidence is not None
    assert len(seen.state.evidence.rows) == 16
