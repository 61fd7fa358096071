"""The summary for the incident channel: complete, plain, and honest about what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support import builders, scenes
from tests.support.scenes import OWNER

from vp_tui.views.handover import LINE, incident_text
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

A = "session_20261122_190000_aaaaaaaa"
STUCK: Final = """\
[prod vp.coder.primary] run d3833624 STUCK for 4m02, at 2026-11-23T02:00:02Z
session: session_20261122_190000_d3833624
why: no progress for 4m02, in tool Bash for 4m02; holds the gateway lock, 2 turns wait behind it
since: 2026-11-23T01:56:00Z; running for 4m04
query: "implement the csv importer"
last: 2026-11-23T01:56:00Z tool_call Bash npm i, no tool_result for 4m02
mission 00abcd reads running (live frame: certain); lane session active
2 turns wait behind it: 77aa01bc, b0c1d2e3; no other viewer
while it holds the lock: new sessions and attaches hang, brake has no effect
cancels: none seen
lane log, nothing for 2s after: [20:00:01] TOOL CALL: Bash npm i
epoch 1: 0/9 fell back, at most 28.3%, p95 36.000s max of 9, reported of all listed 0.000 0/10, \
outcomes known 10/10, metrics live, 2s old
next: c cancel, 5 s -> deaf? 2nd cancel useless -> X restart gateway (kills 3)
"""


def summary(*events: Event, now: float = 2.0, session_id: str = OWNER) -> str:
    return incident_text(View(builders.state(*events, name="prod"), now), session_id)


def test_a_stuck_run_is_told_in_a_dozen_lines() -> None:
    assert summary(*scenes.stuck()) == STUCK


def test_a_cancel_is_told_with_who_and_what_came_of_it() -> None:
    text = summary(*scenes.deaf(), now=8.0)
    assert "run d3833624 DEAF for 7s" in text
    assert (
        'cancel: 2026-11-23T02:00:01Z by ana@laptop "stuck": '
        "counter cleared, task unconfirmed, the run did not hear\n"
    ) in text


def test_figures_that_are_old_say_so() -> None:
    text = summary(*scenes.stuck(), now=90.0)
    assert "metrics stale, 1m30 old" in text


def test_what_is_unknown_is_said_to_be() -> None:
    text = summary(
        builders.healthy(),
        builders.listing(builders.session(A, active_runs=1)),
        session_id=A,
        now=60.0,
    )
    assert "run aaaaaaaa unknown, at" in text
    assert "query: unknown, nobody saw it" in text
    assert "mission unknown: nobody saw the turn begin; lane session unknown" in text
    assert "who waits is unknown; other viewers unknown (list stale)" in text
    assert "session log: no line known" in text
    assert "figures unknown: the metrics have not answered yet" in text


def test_a_session_that_left_is_said_to_be_gone() -> None:
    text = summary(
        builders.polled(builders.snapshot()),
        builders.listing(builders.session(A)),
        session_id="session_x",
    )
    assert text.startswith(
        "[prod vp.coder.primary] session_x is not listed at 2026-11-23T02:00:02Z"
    )
    assert "epoch unknown: none finished, p95 n/a, reported of all listed n/a (no missions)" in text


def test_it_is_plain_ascii_whatever_came_from_outside() -> None:
    text = summary(
        builders.healthy(),
        builders.linked(session_id=A),
        builders.listing(builders.session(A, active_runs=1)),
        *builders.stream(builders.processing("naïve “quotes” 👤 " + "x" * 5_000), session_id=A),
        builders.logged(log_id=A),
        builders.logged("␛[31mred " + "y" * 5_000, log_id=A, at=1.0),
        session_id=A,
    )
    assert text.isascii()
    assert 'query: "naive "quotes" (?) x' in text
    assert "^[[31mred" in text
    assert all(line.isprintable() for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 2 * LINE
