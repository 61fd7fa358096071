"""Embedded gateways to watch, as processes of their own, and the commands that watch them."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Final

from websockets.sync.client import connect

from vp_tui.gateway.credentials import stream_url
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import SimProcess, spawn_gateway

VP_TUI: Final = Path(sys.executable).with_name("vp-tui")
"""The command as it is installed beside the interpreter."""


def quiet_gateway() -> SimProcess:
    """Start a gateway where nothing happens."""
    return spawn_gateway(SimOptions(scenario="idle"))


def flooding_gateway(events_per_s: float, sessions: int) -> SimProcess:
    """All sessions of a G2 run at once; on a G1 one would run, and the others change places."""
    flood = SimOptions(scenario="flood", rate=events_per_s, sessions=sessions, dialect="G2")
    return spawn_gateway(flood)


def watch_command(url: str) -> list[str]:
    return [sys.executable, str(VP_TUI), "watch", "--gateway-url", url]


def session_ids(url: str, *, watched: bool = False) -> list[str]:
    """Return the sessions that the gateway lists, or only those that somebody is attached to.

    It is the gateway that says so and not the screen, whose words and places change.
    """
    with urllib.request.urlopen(f"{url}/api/v1/sessions") as answer:  # noqa: S310 - a gateway of our own
        sessions = json.load(answer)["sessions"]
    return [
        session["session_id"]
        for session in sessions
        if session["metadata"]["active_connections"] or not watched
    ]


def are_watched(url: str, sessions: int) -> bool:
    """Tell whether somebody is attached to so many sessions."""
    return len(session_ids(url, watched=True)) >= sessions


def load_session(url: str) -> None:
    """Make a session and attach to it once, so that the listing shows it in memory."""
    request = urllib.request.Request(  # noqa: S310 - a gateway of our own
        f"{url}/api/v1/sessions",
        data=json.dumps({"user_id": "ana"}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        session_id = json.load(answer)["session_id"]
    with connect(stream_url(url, session_id), proxy=None) as socket:
        socket.recv()
