"""What happened before a screen: events of an ordinary night, and of the nights that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support import builders

from vp_tui.domain.events import CancelAnswered, CancelRequested, TokensRead
from vp_tui.domain.models import CancelAnswer, Failure, Plane, Source, TokenPresence

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission, Session, Snapshot

BUSY: Final = "session_20261122_195801_a1b2c3d4"
QUIET: Final = "session_20261122_194210_9c0d1e2f"
PRIMARY: Final = "session_20261122_195944_41fe5a6b"
OWNER: Final = "session_20261122_190000_d3833624"
"""The run that is stuck, and below those that wait behind it."""
VICTIMS: Final = ("session_20261122_191000_77aa01bc", "session_20261122_192000_b0c1d2e3")
GONE: Final = Failure(
    "127.0.0.1:8002: connection refused", "is the gateway running there?", is_silence=True
)
BROKEN: Final = Failure("500: database is locked", "look at the gateway's own log")
FRAMES_FROM: Final = -20.0
"""When the streams' frames begin; the answers to polls come at 0.0."""


def done(count: int) -> list[Mission]:
    """Return finished missions, newest first, none of which fell back."""
    return [
        builders.mission(
            f"vp-mission-{n:06x}", started_s=-60.0 * (count - n + 1), duration_s=30.0 + n % 7
        )
        for n in range(count, 0, -1)
    ]


def sessions() -> tuple[Session, ...]:
    return (
        builders.session(QUIET, description="why is the build slow", active_connections=1),
        builders.session(
            BUSY, active_runs=1, active_connections=2, description="Fix the csv importer's quotes"
        ),
        builders.on_disk("session_20261120_080000_0ddba11d"),
    )


def ordinary(taken: Snapshot | None = None) -> list[Event]:
    """Return a night on which all is well: a delegated run at work, another session idle."""
    running = builders.mission("vp-mission-00abcd", "running", started_s=-20.0)
    return [
        TokensRead(-30.0, TokenPresence(ops="UA_OPS_TOKEN", internal="UA_INTERNAL_API_TOKEN")),
        *(builders.linked(session_id=session_id, at=-30.0) for session_id in (BUSY, QUIET)),
        *builders.stream(
            builders.routed("delegated_to_coder_vp", "vp-mission-00abcd"),
            builders.processing("implement the csv importer"),
            builders.frame(
                "tool_call", "Read importer.py", tool="Read importer.py", tool_use_id="t1"
            ),
            builders.frame("tool_result", "ok 812 B", tool_use_id="t1"),
            builders.frame("text", "The quotes are doubled twice."),
            builders.frame("tool_call", "Bash pytest -q", tool="Bash pytest -q", tool_use_id="t2"),
            session_id=BUSY,
            at=FRAMES_FROM,
        ),
        builders.healthy(),
        builders.polled(taken or builders.snapshot(running, *done(18))),
        builders.listing(*sessions()),
        builders.booted(),
        builders.logged(
            "[20:00:01] USER: implement the csv importer", "[20:00:02] TOOL CALL: Read"
        ),
        builders.logged("no line of a delegated run goes here", log_id=BUSY),
    ]


def ordinary_with_fallbacks(count: int, finished: int = 18) -> list[Event]:
    """Return a night on which the gateway reports that the newest missions fell back."""
    missions = done(finished)
    fallen = [builders.mission(m.mission_id, fallback_seen=True) for m in missions[:count]]
    return ordinary(builders.snapshot(*fallen, *missions[count:]))


def no_missions() -> list[Event]:
    return ordinary(builders.snapshot(lane=None))


def blind() -> list[Event]:
    """Return a night on which nobody knows how the newest mission went.

    Its end is behind the gateway's event window, and its row does not say where it ran.
    """
    fallen = builders.mission("vp-mission-0000ff", result_ref=None)
    older = done(18)
    events = [builders.mission_event(m.mission_id) for m in reversed(older)]
    return ordinary(builders.snapshot(fallen, *older, events=events, event_limit=18))


def blind_and_tripped() -> list[Event]:
    """Return a night on which the newest mission is not known of, and five before it fell back."""
    missions = done(18)
    fallen = [builders.mission(m.mission_id, fallback_seen=True) for m in missions[:5]]
    unseen = builders.mission("vp-mission-0000ff", result_ref=None)
    older = [*fallen, *missions[5:]]
    events = [builders.mission_event(m.mission_id) for m in reversed(older)]
    return ordinary(builders.snapshot(unseen, *older, events=events, event_limit=18))


def truncated() -> list[Event]:
    """Return a night on which the event window is full, but the newest mission is in it."""
    missions = done(18)
    events = [builders.mission_event(m.mission_id) for m in reversed(missions[:-3])]
    return ordinary(builders.snapshot(*missions, events=events, event_limit=15))


def down_again() -> Event:
    """Return that the sessions are not listed any more."""
    return builders.failed(Source.SESSIONS, BROKEN, at=1.0)


def disagreeing() -> list[Event]:
    """Return a night on which a result's place tells of a fallback that is not reported."""
    return ordinary(
        builders.snapshot(
            builders.mission("vp-mission-0000ff", result_ref=builders.ELSEWHERE), *done(18)
        )
    )


def metrics_down() -> list[Event]:
    return [*ordinary(), builders.failed(Source.METRICS, BROKEN, at=8.0)]


def refused_ops(*, dashboard: bool) -> list[Event]:
    """Return the ops plane refusing everything; with `dashboard` that stands in for it."""
    refusals: list[Event] = [
        builders.failed(Source.METRICS, builders.REFUSED, at=0.0),
        builders.failed(Source.SESSIONS, builders.REFUSED, at=0.0),
        builders.failed(Source.CONTINUITY, builders.REFUSED, at=0.0),
        builders.failed(Source.LOG, builders.REFUSED, at=0.0, log_id="vp_coder_primary"),
    ]
    if dashboard:
        refusals.append(builders.polled(builders.snapshot(*done(18)), plane=Plane.DASHBOARD))
    return [TokensRead(-30.0, TokenPresence(ops="UA_OPS_TOKEN")), builders.healthy(), *refusals]


def lost() -> list[Event]:
    """Return the gateway gone after an ordinary night."""
    polls = (Source.HEALTH, Source.METRICS, Source.SESSIONS, Source.CONTINUITY)
    return [
        *ordinary(),
        *(builders.failed(source, GONE, at=8.0) for source in polls),
        builders.failed(Source.LOG, GONE, at=8.0, log_id="vp_coder_primary"),
    ]


def stuck() -> list[Event]:
    """Return a run on the lane silent in a tool since -240, two others behind it, one idle."""
    owner, victims = OWNER, VICTIMS
    running = builders.mission("vp-mission-00abcd", "running", started_s=-243.0)
    return [
        builders.healthy(-300.0),
        *(
            builders.linked(session_id=session_id, at=-300.0)
            for session_id in (owner, *victims, QUIET)
        ),
        builders.listing(
            builders.session(owner),
            *map(builders.session, victims),
            builders.session(QUIET),
            at=-290.0,
        ),
        *builders.stream(
            builders.routed("delegated_to_coder_vp", "vp-mission-00abcd"),
            builders.processing("implement the csv importer"),
            builders.frame("tool_call", "Bash npm i", tool="Bash", tool_use_id="t1"),
            session_id=owner,
            at=-242.0,
        ),
        builders.listing(
            builders.session(owner, active_runs=1, last_event_seq=9),
            *(builders.session(victim, active_runs=1) for victim in victims),
            builders.session(QUIET),
            at=-230.0,
        ),
        builders.healthy(),
        builders.polled(builders.snapshot(running, *done(9))),
        builders.booted(),
        builders.logged("[20:00:01] TOOL CALL: Bash npm i"),
        builders.listing(
            builders.session(owner, active_runs=1, last_event_seq=9),
            *(builders.session(victim, active_runs=1) for victim in victims),
            builders.session(QUIET, description="why is the build slow"),
        ),
    ]


def unheard_cancel() -> list[Event]:
    """Return a cancel of the stuck run at 1.0: it did not hear, and is no longer counted."""
    answer = CancelAnswer(OWNER, "stuck", task_cancelled=False, run_id=None, took_s=5.0)
    running = builders.mission("vp-mission-00abcd", "running", started_s=-243.0)
    return [
        CancelRequested(1.0, OWNER, "stuck", "ana@laptop"),
        CancelAnswered(6.0, OWNER, answer),
        builders.polled(builders.snapshot(running, *done(9)), at=7.0),
        builders.logged(at=7.0),
        builders.listing(
            builders.session(OWNER, last_event_seq=9),
            *(builders.session(victim, active_runs=1) for victim in VICTIMS),
            builders.session(QUIET),
            at=7.0,
        ),
    ]


def deaf() -> list[Event]:
    """Return the stuck run after that cancel: from 7.0 on it is deaf."""
    return [*stuck(), *unheard_cancel()]
