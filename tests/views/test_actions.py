"""How keys are called, and texts that name them: those that the watch has, not the table's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import builders, scenes
from tests.support.keys import OTHER, OTHER_WATCH, table_keys_in, with_other_keys
from tests.support.rollout import golden_rows

from vp_tui.domain.events import (
    CancelRequested,
    EvidenceRead,
    SwitchActed,
    SwitchAsked,
    TokensRead,
)
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation
from vp_tui.domain.models import StreamState, TokenPresence
from vp_tui.domain.runs.levels import Level
from vp_tui.views.actions import ACTIONS, action_named, actions_in, key_name, key_of
from vp_tui.views.assessment import assess
from vp_tui.views.handover import handover, incident_text
from vp_tui.views.runs import run_rows
from vp_tui.views.status import status_object
from vp_tui.views.stuck_runs import next_step, why_no_cancel
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vp_tui.domain.events import Event

GOLDEN: Final = EvidenceRead(0.0, tuple(golden_rows()), frozenset())


def contradicted() -> list[Event]:
    """Return a forced fallback that a later mission contradicts."""
    late = builders.mission("vp-mission-late", "running", started_s=8.0)
    return [
        *scenes.ordinary(),
        SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop"),
        SwitchActed(2.0, Actuation((), written=True)),
        builders.booted("2026-11-22T20:00:03", 4.0),
        builders.polled(
            builders.snapshot(late, generated_at=builders.NOW + timedelta(seconds=10)), at=10.0
        ),
    ]


def cancelled() -> list[Event]:
    """Return a stuck run that heard its cancel, and no later turn."""
    sent = CancelRequested(1.0, scenes.OWNER, "stuck", "ana@laptop")
    unwound = [builders.frame("turn_cancelled"), builders.frame("query_complete")]
    return [
        *scenes.stuck(),
        sent,
        *builders.stream(*unwound, session_id=scenes.OWNER, at=1.1),
        builders.listing(builders.session(scenes.OWNER, last_event_seq=12), at=5.0),
    ]


SCENES: Final[Mapping[str, tuple[list[Event], float]]] = {
    "ordinary": (scenes.ordinary(), 2.0),
    "stuck": (scenes.stuck(), 2.0),
    "deaf": (scenes.deaf(), 8.0),
    "blind": (scenes.blind(), 2.0),
    "lost": (scenes.lost(), 9.0),
    "refused": (scenes.refused_ops(dashboard=False), 2.0),
    "tripped": ([*scenes.ordinary_with_fallbacks(3), GOLDEN], 2.0),
    "contradicted": (contradicted(), 12.0),
    "unconfirmed": (cancelled(), 140.0),
    "tokens": (
        [*scenes.ordinary(), TokensRead(0.0, TokenPresence(problems=("no such file",)))],
        2.0,
    ),
    "streams": (
        [*scenes.ordinary(), builders.linked(StreamState.UNAUTHORIZED, "4401: refused")],
        2.0,
    ),
}


def texts(view: View) -> Iterator[str]:
    """Yield all that is said of a state without a screen."""
    yield handover(view, "ana@laptop")
    for entry in assess(view).safety:
        yield f"(key {entry.key}) {entry.cure}"
    for told in status_object(view)["safety"]:
        yield f"(key {told['key']})"
    for trouble in troubles(view):
        yield trouble.cure
    for row in run_rows(view):
        session_id = row.session.session_id
        yield next_step(view, row)
        yield why_no_cancel(view, session_id) or ""
        yield incident_text(view, session_id)


@pytest.mark.parametrize("scene", SCENES)
def test_every_text_names_the_keys_of_the_watch(scene: str) -> None:
    events, now = SCENES[scene]
    by_table = "\n".join(texts(View(builders.state(*events), now)))
    by_watch = "\n".join(texts(View(builders.state(*events, keys=OTHER), now)))
    assert by_watch == with_other_keys(by_table)
    assert table_keys_in(by_watch) == []


@pytest.mark.parametrize(
    ("scene", "action_id", "sentence"),
    [
        ("stuck", "cancel", "[{key}] cancel it, watch, then "),
        ("stuck", "record", "watch, then [{key}] record"),
        ("stuck", "cancel", "next: {key} cancel, 5 s -> deaf?"),
        ("deaf", "restart", "[{key}] restart the gateway: a second cancel is useless"),
        ("deaf", "restart", "only a restart ends it: {key}"),
        ("deaf", "restart", "2nd cancel useless -> {key} restart gateway (kills "),
        ("blind", "explain", "[{key}] see what is known by what"),
        ("lost", "links", "mend the source first ({key} shows which)"),
        ("tripped", "brake", "[{key}] force fallback. "),
        ("tripped", "record-now", "record the window ({key} writes "),
        ("contradicted", "brake", "[{key}] see each step"),
        ("unconfirmed", "audit", "[{key}] see what was done"),
        ("unconfirmed", "restart", "drive a turn, or [{key}] restart the gateway"),
        ("tokens", "read-tokens", "[{key}] read tokens again, once it is mended"),
        ("streams", "read-tokens", "[{key}] read tokens again, once UA_INTERNAL_API_TOKEN"),
    ],
)
def test_each_sentence_names_its_own_key(scene: str, action_id: str, sentence: str) -> None:
    events, now = SCENES[scene]
    for keys in ({}, OTHER):
        watched = builders.state(*events, keys=keys)
        found = "\n".join(texts(View(watched, now)))
        key = key_of(watched.watch, action_id)
        assert sentence.format(key=key) in found


@pytest.mark.parametrize("level", [*Level, None])
def test_the_next_step_names_the_keys_of_the_watch(level: Level | None) -> None:
    told = []
    for keys in ({}, OTHER):
        view = View(builders.state(*scenes.stuck(), keys=keys), 2.0)
        row = next(row for row in run_rows(view) if row.session.session_id == scenes.OWNER)
        told.append(next_step(view, row._replace(level=row.level._replace(level=level))))
    by_table, by_watch = told
    assert by_watch == with_other_keys(by_table)
    assert table_keys_in(by_watch) == []


def test_what_has_no_key_is_told_by_the_palettes() -> None:
    now = builders.state(*scenes.deaf(), keys={"restart": "", "palette": "f9"})
    (entry, *_) = assess(View(now, 8.0)).safety
    assert entry.key == "F9"
    assert entry.cure == "[F9] restart the gateway: a second cancel is useless"
    assert key_of(now.watch, "release") == "F9"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("f1", "F1"), ("f", "f"), ("F", "F"), ("ctrl+p", "^p"), ("ctrl+f5", "^F5"),
        ("shift+up", "shift+↑"), ("escape", "esc"), ("up", "↑"), ("slash", "/"), ("minus", "-"),
        ("plus", "+"), ("question_mark", "?"), ("full_stop", "."), ("left_curly_bracket", "{"),
        ("equals_sign", "="), ("tab", "tab"), ("space", "space"), ("home", "home"),
        ("less_than_sign", "<"), ("greater_than_sign", ">"),
    ],
)  # fmt: skip
def test_how_a_key_is_shown(key: str, shown: str) -> None:
    assert key_name(key) == shown


def test_the_table_shows_its_keys_as_they_are_called() -> None:
    for action in ACTIONS:
        names = [key_name(key) for key in action.keys] or ["^p"]
        assert action.shown_key in {names[0], " ".join(names), " ".join(reversed(names))}, action.id


def test_a_watch_without_keys_of_its_own_has_the_table() -> None:
    assert actions_in(builders.state().watch) is ACTIONS


def test_a_watch_has_the_keys_that_it_was_given() -> None:
    for action in actions_in(OTHER_WATCH):
        assert action.keys == (OTHER[action.id],)
        assert action.shown_key == OTHER[action.id].upper()
        assert action._replace(keys=(), key_text="") == action_named(action.id)._replace(
            keys=(), key_text=""
        )


def test_a_key_that_is_given_to_another_action_is_lost() -> None:
    watch = builders.state(keys={"brake": "k", "probe": "c", "help": ""}).watch
    mapped = {action.id: action for action in actions_in(watch)}
    assert (mapped["up"].keys, mapped["up"].shown_key) == (("up",), "↑")
    assert (mapped["cancel"].keys, mapped["cancel"].shown_key) == ((), "^p")
    assert (mapped["help"].keys, mapped["help"].shown_key) == ((), "^p")
    assert mapped["down"] is action_named("down")


def test_the_palette_keeps_a_key() -> None:
    watch = builders.state(keys={"palette": "", "brake": "ctrl+p"}).watch
    assert key_of(watch, "palette") == key_of(watch, "waive") == "^p"
