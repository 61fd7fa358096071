from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.rollout import window

from vp_tui.cli.config.settings import BrakeSettings, Settings
from vp_tui.cli.console import credentials_of
from vp_tui.cli.wiring import token_values, watch_of
from vp_tui.cli.workers import connect
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.models import DEFAULT_INTERVALS, Source
from vp_tui.gateway.credentials import Secret
from vp_tui.storage.places import Places
from vp_tui.storage.windows import keep_window, read_windows
from vp_tui.worker.evidence import evidence_files

if TYPE_CHECKING:
    from vp_tui.domain.events import Event


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UA_OPS_TOKEN", "from-environment")
    monkeypatch.delenv("UA_INTERNAL_API_TOKEN", raising=False)
    env_file = tmp_path / ".env"
    env_file.write_text("UA_INTERNAL_API_TOKEN=from-dotenv\n")
    env_file.chmod(0o600)
    return tmp_path


def test_the_watch_says_what_the_settings_say() -> None:
    watch = watch_of(Settings(url="https://gateway.example", vp_id="vp.x", interval=7.0))
    assert (watch.url, watch.name, watch.vp_id) == (
        "https://gateway.example", "gateway.example:443", "vp.x",
    )  # fmt: skip
    assert dict(watch.intervals) == {**DEFAULT_INTERVALS, Source.METRICS: 7.0}
    assert watch_of(Settings(gateway_name="prod")).name == "prod"
    named = watch_of(Settings(window_label="Own window #1", scope="team A"))
    assert (named.window_label, named.window_scope) == ("Own window #1", "team A")
    assert not watch.read_only
    assert watch_of(Settings()).means is None
    tools = Settings(brake=BrakeSettings(Path("/env"), apply=("a",), restart=("c",)))
    assert watch_of(tools).means == Means("/env", ("a",), (), ("c",))
    marked = watch_of(Settings(read_only=True, colour="red"))
    assert (marked.read_only, marked.colour) == (True, "red")


def test_tokens_come_from_the_surroundings_unless_the_gateway_is_our_own(here: Path) -> None:
    ambient = credentials_of(Settings(), ambient=True)
    ambient.read()
    assert set(ambient.headers().values()) == {"from-environment", "from-dotenv"}
    own = credentials_of(Settings(ops_token=Secret("own")), ambient=False)
    own.read()
    assert set(own.headers().values()) == {"own"}


def test_the_tokens_to_hide_are_those_that_are_not_sent_too(here: Path) -> None:
    settings = Settings(url="http://far.example", internal_token=Secret("own"))
    assert set(token_values(settings)) == {"from-environment", "own"}


async def test_connecting_asks_nothing_by_itself(tmp_path: Path) -> None:
    said: list[Event] = []
    settings = Settings(url="https://gateway.example")
    connect(settings, said.append, places=Places(tmp_path))
    assert said == []


async def test_only_where_things_may_be_changed_is_there_something_that_can(tmp_path: Path) -> None:
    settings = Settings(url="https://gateway.example")
    feeds = connect(settings, lambda _event: None, places=Places(tmp_path))
    assert feeds.orders.tools is not None
    read_only = replace(settings, read_only=True)
    watching = connect(read_only, lambda _event: None, places=Places(tmp_path))
    assert watching.orders.tools is None


async def test_two_urls_with_one_id_are_one_gateway(tmp_path: Path) -> None:
    near = Settings(url="http://localhost:8002", id="prod")
    far = Settings(url="https://tunnel.example/ua", id="prod")
    own = replace(far, id="")
    assert {watch_of(near).id, watch_of(far).id} == {"prod"}
    assert watch_of(own).id == "https://tunnel.example:443/ua"
    assert watch_of(replace(near, id="")).id == watch_of(Settings()).id == "http://loopback:8002"
    places = Places(tmp_path)
    locks = []
    for settings in (near, far, own):
        feeds = connect(settings, lambda _event: None, places=places)
        assert feeds.orders.tools is not None
        locks.append(feeds.orders.tools.lock_of("lane"))
    assert locks[0].take("ana") is None
    assert "ana" in (locks[1].take("ben") or "")
    assert locks[2].take("cleo") is None
    for lock in (locks[0], locks[2]):
        lock.release()
    log = tmp_path / "log.md"
    assert len({evidence_files(places, log, watch_of(each)).windows for each in (near, far)}) == 1


def test_windows_that_were_kept_by_url_go_on_by_id(tmp_path: Path) -> None:
    places, watch = Places(tmp_path), watch_of(Settings(id="prod"))
    before = evidence_files(places, None, watch._replace(id="")).windows
    keep_window(before, window(), None)
    after = evidence_files(places, None, watch).windows
    assert (read_windows(after), before.exists()) == ((window(),), False)
    keep_window(before, window(label="Another"), None)
    assert read_windows(evidence_files(places, None, watch).windows) == (window(),)
