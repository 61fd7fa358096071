"""The crash report's tail: the last events, a line each that reads back, and no secret in them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support.builders import NOW, logged, polled, snapshot, state
from tests.support.scenes import done, ordinary

from vp_tui.cli.crash import EVENT_LIMIT, LAST_EVENTS, crash_report
from vp_tui.cli.wiring import events_noted
from vp_tui.domain.events import CancelRequested, SwitchActed, Tick
from vp_tui.domain.lane.switches import Actuation, CommandRun
from vp_tui.state.store import RECENT_EVENTS, Store
from vp_tui.storage.recording import from_line

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event

SECRET: Final = 'k"7\\ü'
"""Stands in JSON in other letters."""


def tail(home: Path, *events: Event, secrets: tuple[str, ...] = ()) -> list[str]:
    """Return the lines of the report of a crash after these events that tell them."""
    store = Store(state())
    for event in events:
        store.apply(event)
    with pytest.raises(RuntimeError) as caught, events_noted(store):
        raise RuntimeError("a bug")
    environ = {"HOME": str(home)}
    path = crash_report(caught.value, argv=[], environ=environ, now=NOW, secrets=secrets)
    head, _, told = path.read_text(encoding="utf-8").partition(f"{LAST_EVENTS}\n")
    assert head.endswith("RuntimeError: a bug\n")
    return told.splitlines()


def requested(reason: str) -> CancelRequested:
    return CancelRequested(1.0, "session_a", reason, "ana@laptop")


def texts_in(line: str) -> list[str]:
    """Return a line's texts; it has to be JSON."""

    def texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return [text for each in value.values() for text in texts(each)]
        if isinstance(value, list):
            return [text for each in value for text in texts(each)]
        return [value] if isinstance(value, str) else []

    return texts(json.loads(line))


def test_the_last_events_read_back_the_newest_last(tmp_path: Path) -> None:
    assert [*map(from_line, tail(tmp_path, *ordinary()))] == ordinary()


def test_no_more_than_the_newest_are_told(tmp_path: Path) -> None:
    ticks = [Tick(float(n), NOW + timedelta(seconds=n)) for n in range(RECENT_EVENTS + 3)]
    assert [*map(from_line, tail(tmp_path, *ticks))] == ticks[3:]


def test_a_large_event_is_cut_to_kind_and_moment(tmp_path: Path) -> None:
    large, after = polled(snapshot(*done(100)), at=7.0), Tick(8.0, NOW)
    cut, line = tail(tmp_path, large, after)
    told = json.loads(cut)
    assert told.pop("characters_left_out") > EVENT_LIMIT
    assert told == {"kind": "SnapshotArrived", "at": 7.0}
    assert from_line(line) == after


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        (f"of a known {SECRET}!", (SECRET,)),
        ("--ops-token hunter2", ()),
        ("Authorization: Bearer hunter2", ()),
    ],
)
def test_a_token_in_an_event_is_hidden_and_its_line_stays_whole(
    tmp_path: Path, text: str, secrets: tuple[str, ...]
) -> None:
    [line] = tail(tmp_path, requested(text), secrets=secrets)
    told = text.replace(SECRET, "<hidden>").replace("hunter2", "<hidden>")
    assert from_line(line) == requested(told)


@pytest.mark.parametrize("secrets", [(SECRET,), ()])
def test_a_token_among_a_commands_arguments_is_hidden(
    tmp_path: Path, secrets: tuple[str, ...]
) -> None:
    argv = ("deploy", "--ops-token", SECRET, "--now")
    acted = SwitchActed(1.0, Actuation((), command=CommandRun(argv, 0, (), 0.1)))
    [line] = tail(tmp_path, acted, secrets=secrets)
    assert [text for text in texts_in(line) if text in {SECRET, "<hidden>"}] == ["<hidden>"]


def test_a_line_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    [line] = tail(tmp_path, logged("a\nb\u2028c\x1b[2J\x85d"))
    assert "a\nb\u2039U+2028\u203ac\x1b[2J\u2039U+0085\u203ad" in texts_in(line)


def test_without_events_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught, events_noted(Store(state())):
        raise RuntimeError("a bug")
    path = crash_report(caught.value, argv=[], environ={"HOME": str(tmp_path)}, now=NOW)
    assert path.read_text().endswith(f"\n{LAST_EVENTS} none\n")
