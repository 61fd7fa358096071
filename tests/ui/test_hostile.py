"""Text from outside is shown literally, whatever it holds, and never reaches the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support.builders import LANE_DIR, failed, linked
from tests.support.hostile import HOSTILE, assert_harmless
from tests.support.recorded import WIRE
from tests.support.rig import LARGE, SMALL, running
from tests.support.rollout import window
from textual.widgets._toast import Toast

from vp_tui.domain.events import Event, LogArrived, SessionsArrived, SnapshotArrived, WindowsRead
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.models import Plane, Source, StreamEvent, StreamState, TailAnswer
from vp_tui.domain.text import literal
from vp_tui.gateway.errors import Asked, refusal
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.log_tail import TailCursor
from vp_tui.gateway.parsing import parse_metrics, parse_ops_sessions

if TYPE_CHECKING:
    from pathlib import Path

SESSION: Final = "session_20261122_195801_a1b2c3d4"


def frames(text: str) -> list[Event]:
    messages: list[dict[str, Any]] = [
        {"type": "text", "data": {"text": text}},
        {"type": text, "data": {"text": text}},
        {"type": "status", "data": {"status": "processing", "query": text}},
        {"type": "tool_call", "data": {"name": text, "id": text, "input": {"command": text}}},
        {"type": "error", "data": {"message": text}},
        {"type": "system_event", "data": {"type": text, "payload": {"message": text}}},
    ]
    return [
        StreamEvent(float(number), SESSION, parse_frame(json.dumps(message)))
        for number, message in enumerate(messages)
    ]


def listing(text: str) -> SessionsArrived:
    item = json.loads((WIRE / "b06_ops_sessions.json").read_text())["body"]["sessions"][0]
    item |= {"description": text, "active_runs": 1, "last_event_seq": 3, "owner": text}
    item |= {"terminal_reason": text, "status": text or "idle", "session_id": SESSION}
    body = json.dumps({"sessions": [item], "total": 1, "limit": 100, "offset": 0}).encode()
    parsed = parse_ops_sessions(body)
    return SessionsArrived(0.0, parsed.sessions, parsed.total, Plane.OPS)


def metrics(text: str) -> SnapshotArrived:
    body = json.loads((WIRE / "b04_metrics_clean.json").read_text())["body"]
    body["mission_counts"] = {"completed": 2, text or "none": 3}
    body["event_counts"] = {text or "none": 3}
    body["session"] |= {"status": text, "last_error": text, "workspace_dir": LANE_DIR}
    body["recent_missions"][0] |= {"objective": text, "status": text or "none", "mission_id": text}
    return SnapshotArrived(0.0, parse_metrics(json.dumps(body).encode(), 500, 1000), Plane.OPS)


def log(text: str, log_id: str) -> Event:
    answer = TailAnswer(text, size=10**6, lines=(text, text), truncated=False, reset=False)
    chunk = TailCursor().feed(answer)
    assert chunk is not None
    return LogArrived(0.0, log_id, chunk)


def failure(text: str) -> Event:
    body = json.dumps({"detail": text}).encode()
    error = refusal(Asked("/api/v1/ops/sessions", "127.0.0.1:8002"), 500, body)
    return failed(Source.CONTINUITY, error.failure, at=1.0)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_everywhere_is_only_text(text: str) -> None:
    told = [listing(text), metrics(text), *frames(text), failure(text)]
    logs = [log(text, "vp_coder_primary"), log(text, SESSION)]
    link = linked(StreamState.WAITING, parse_frame(text).text, session_id=SESSION, at=1.0)
    async with running(*told, *logs, link) as rig:
        for key in ("2", "3", "4", "5", "1"):
            await rig.press(key)
            assert_harmless(rig, SMALL)
        await rig.resize(LARGE)
        assert_harmless(rig, LARGE)
        await rig.press("2", "right", "y", "s")
        assert_harmless(rig, LARGE)


async def test_markup_is_shown_as_it_was_sent() -> None:
    text = "[/x] [red]alarm[/red]"
    async with running(listing(text), metrics(text), *frames(text), size=LARGE) as rig:
        assert text in rig.pane("events")
        assert text in rig.pane("runs")


async def test_escape_sequences_are_seen() -> None:
    async with running(*frames("\x1b[2J\x9b1m"), log("\x1b]0;x\x07", "vp_coder_primary")) as rig:
        assert "␛[2J\u2039U+009B\u203a1m" in rig.pane("events")
        await rig.press("3")
        assert "␛]0;x␇" in rig.pane("lane-log")


async def test_half_a_surrogate_pair_is_a_stand_in() -> None:
    async with running(*frames("\ud800 torn")) as rig:
        assert "\u2039U+D800\u203a torn" in rig.pane("events")
        assert_harmless(rig, SMALL)


async def test_a_hostile_line_can_be_searched_and_filtered_for() -> None:
    async with running(*frames("[/x] needle"), log("[/x] needle", "vp_coder_primary")) as rig:
        await rig.press("2", "slash", *"[/x]", "enter")
        assert "/[/x]/" in rig.title("events")
        assert "needle" in rig.pane("events")
        await rig.press("3", "slash", *"[/x]", "enter", "n")
        assert "needle" in rig.cursor_line("lane-log")
        assert_harmless(rig, SMALL)


async def test_a_long_log_is_drawn_at_once() -> None:
    lines = tuple(f"line {n} " + "日本" * 100 for n in range(5_000))
    answer = TailAnswer("/run.log", size=10**7, lines=lines, truncated=False, reset=False)
    chunk = TailCursor().feed(answer)
    assert chunk is not None
    async with running(LogArrived(0.0, "vp_coder_primary", chunk)) as rig:
        await rig.press("3", "home", "end", "pageup", "right")
        assert_harmless(rig, SMALL)


TYPED: Final = (
    "fix [/api] now \x1b[2J\x1b]0;owned\x07",
    "[red]x[@click=app.quit]q[/] \u202egpj [[/",
)
"""What an operator may have typed: into a label, a name, a path, a prompt or a command."""


def typed(text: str, evidence: Path) -> dict[str, Any]:
    """Return a watch whose every word that an operator gives is `text`."""
    command = (text, text)
    return {
        "name": text,
        "vp_id": text,
        "window_label": text,
        "window_scope": text,
        "probe_prompt": text,
        "means": Means(text, command, command, command),
        "evidence": str(evidence / text.replace("/", "|")),
        "keys": {"help": "left_square_bracket"},
    }


def kept(text: str) -> WindowsRead:
    told = window(label=text, scope=text)
    return WindowsRead(0.0, (told,), f"{text} cannot be read")


@pytest.mark.parametrize("text", TYPED)
async def test_what_is_told_in_a_toast_is_only_text(text: str) -> None:
    async with running() as rig:
        rig.app.notify(text, title=text)
        await rig.settle()
        assert_harmless(rig, SMALL)
        assert literal(text) in " ".join(toast.render().plain for toast in rig.app.query(Toast))
