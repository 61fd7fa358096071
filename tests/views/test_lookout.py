"""From State to alarms: what is wrong now, and that it rings once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import builders

from vp_tui.domain.events import AuditRead, CancelRequested
from vp_tui.domain.models import Failure, Source
from vp_tui.domain.orders import NOT_KNOWN, ActionKind, ActionRecord
from vp_tui.domain.runs.alarms import Alarm, follow_alarms
from vp_tui.views.assessment import assess
from vp_tui.views.lookout import present_alarms, unknown_subjects
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

GONE = Failure("connection refused", "is it up?", is_silence=True)


def hanging(until: float) -> list[Event]:
    """Return a run that is silent from 1 on and listed until then."""
    return [
        builders.healthy(),
        builders.linked(at=-10.0),
        builders.listing(builders.session(), at=-1.0),
        *builders.stream(builders.processing(), builders.frame("tool_call", "Bash x"), at=0.0),
        *(
            builders.listing(builders.session(active_runs=1), at=3.0 * n)
            for n in range(int(until / 3) + 1)
        ),
    ]


def kinds(*events: Event, now: float) -> list[str]:
    return [one.key.kind for one in present_alarms(View(builders.state(*events), now))]


def test_all_kinds() -> None:
    assert kinds(*hanging(90), now=90.0) == []
    assert kinds(*hanging(150), now=150.0) == ["stuck run"]
    deaf: list[Event] = [
        *builders.stream(builders.frame("cancelled"), at=151.0),
        builders.listing(builders.session(), at=153.0),
    ]
    assert kinds(*hanging(150), *deaf, now=154.0) == ["deaf run"]
    assert kinds(*hanging(150), builders.listing(at=153.0), now=154.0) == ["lost run"]
    fallen = [builders.mission(f"m{n}", fallback_seen=True) for n in range(3)]
    assert kinds(builders.healthy(), builders.polled(builders.snapshot(*fallen)), now=1.0) == [
        "guardrail tripped"
    ]
    hidden = builders.snapshot(builders.mission(result_ref=None), events=[], event_limit=0)
    assert kinds(builders.healthy(), builders.polled(hidden), now=1.0) == ["outcomes unknown"]
    lost = [builders.failed(source, GONE) for source in (Source.METRICS, Source.SESSIONS)]
    assert kinds(builders.healthy(-90.0), *lost, now=1.0) == ["gateway lost"]


def test_each_unconfirmed_cancel_rings_for_its_own_session() -> None:
    sent = [CancelRequested(100.0, name, "", "ana@laptop") for name in "ab"]
    events: list[Event] = [
        builders.healthy(),
        builders.polled(builders.snapshot()),
        builders.listing(builders.session("a"), builders.session("b")),
        *sent,
    ]
    assert kinds(*events, now=219.0) == []
    found = present_alarms(View(builders.state(*events), 220.0))
    assert [(one.key.subject, one.key.kind) for one in found] == [
        ("a", "cancel unconfirmed"),
        ("b", "cancel unconfirmed"),
    ]
    assert found[0].reason == "a, cancelled 02:01:40Z: no later turn completed"


def test_a_stuck_run_does_not_ring_again_after_the_gateway_was_lost() -> None:
    alarms: tuple[Alarm, ...] = ()
    rung = []
    lost = [builders.failed(source, GONE, at=151.0) for source in (Source.METRICS, Source.SESSIONS)]
    back = [
        builders.polled(builders.snapshot(), at=160.0),
        builders.listing(builders.session(active_runs=1), at=160.0),
    ]
    known = hanging(150)
    for more, now in (([], 150.0), (lost, 152.0), (back, 161.0)):
        known = [*known, *more]
        view = View(builders.state(*known), now)
        step = follow_alarms(alarms, present_alarms(view), now, unknown=unknown_subjects(view))
        alarms = step.alarms
        rung.append([alarm.key.kind for alarm in step.new])
    assert rung == [["stuck run"], ["gateway lost"], []]
    assert [alarm.raised_at for alarm in alarms] == [150.0]


def test_an_interrupted_action_rings_until_somebody_has_seen_it() -> None:
    begun = ActionRecord(
        builders.NOW, "ben@laptop", "force fallback", "http://g", "", (), NOT_KNOWN,
        ActionKind.INTERRUPTED, "http://g", "vp.x",
    )  # fmt: skip
    known: list[Event] = [builders.healthy(), builders.polled(builders.snapshot())]
    read = AuditRead(0.5, (begun,), interrupted=(begun,))
    view = View(builders.state(*known, read), 1.0)
    (alarm,) = present_alarms(view)
    assert alarm.key.kind == "action interrupted"
    (entry,) = assess(view).safety
    assert entry.told == (
        "force fallback was begun at 02:00:00Z by ben@laptop, its end is not known"
    )
    assert entry.cure == "[u] see it; look at what came of it, then [a] acknowledge"
    assert kinds(*known, read, AuditRead(0.7, (begun,)), now=1.0) == []
