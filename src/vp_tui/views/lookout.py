"""What the lookout judges: alarms, the badge, what the auto-revert sees, and why words changed.

The auto-revert sees whether guardrail 3 is tripped, and what stands in its way. A word that the
screen goes by (badge, row's word, gate, alarm) changes only for something that happened, which two
looks, one after the other, tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.events import Looked
from vp_tui.domain.lane.auto_revert import UNREAD, Circumstances
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Switch
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import GATE_TITLES, Verdict, attested
from vp_tui.domain.runs.alarms import OF_NO_SESSION, AlarmKey, PresentAlarm, Reading
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import counted, short_id
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.state.sources import OFTEN_ASKED, is_lost
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.figures import are_outcomes_unknown, current_window
from vp_tui.views.lane import lane_mode, lane_word
from vp_tui.views.runs import is_told_by_rival, run_levels
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.troubles import INTERRUPTED, UNCONFIRMED, UNKNOWN, troubles
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.switches import Switches
    from vp_tui.domain.missions import Ledger, LedgerEntry


_LANE_ALARMS: Final = ("guardrail tripped", UNKNOWN, "lane cannot start")

GATEWAY_LOST: Final = "gateway lost"
_ORDER: Final = (
    ("guardrail tripped",),
    ("brake contradicted",),
    (INTERRUPTED,),
    ("lane cannot start",),
    ("stuck run", "deaf run", "lock held"),
    (GATEWAY_LOST,),
    (UNKNOWN,),
    ("lost run",),
)
"""Kinds of alarms, the gravest first, as the SAFETY line has them."""


@fact
def present_alarms(view: View) -> tuple[PresentAlarm, ...]:
    """Return what is wrong: stuck, deaf and lost runs, and what the SAFETY line has else."""
    return tuple(_present(view))


def _present(view: View) -> Iterator[PresentAlarm]:
    for alarm in assess(view).safety:
        if not alarm.head:
            key = AlarmKey(alarm.subject or f"{OF_NO_SESSION}{alarm.alarm}", alarm.alarm)
            yield PresentAlarm(key, alarm.reason, None)
    levels = run_levels(view)
    for session_id, told in levels.items():
        if is_told_by_rival(told, session_id, levels):
            continue
        if told.level is not None and told.level.is_alarm:
            yield PresentAlarm(AlarmKey(session_id, f"{told.level} run"), told.reason, told.since)


def badge(view: View, *, frozen: bool = False) -> str:
    """Return the screen's state in words joined by `+`; only LIVE alone says that all is well."""
    told = ["FROZEN"] if frozen else []
    worst = max((source_view(view, s).word for s in OFTEN_ASKED), key=list(SourceWord).index)
    if are_outcomes_unknown(view):
        told.append("BLIND")
    if is_lost(view.state):
        told.append("LOST")
    elif worst is not SourceWord.LIVE:
        told.append("CONNECTING" if worst is SourceWord.IDLE else str(worst).upper())
    if not told and any(trouble.is_grave for trouble in troubles(view)):
        told.append("IMPAIRED")
    told = told or ["LIVE"]
    if _rings(view):
        told.append("ALARM")
    if view.state.watch.is_replay:
        return "+".join(("REPLAY", *(word for word in told if word != "LIVE")))
    return "+".join(told)


def _rings(view: View) -> bool:
    """Tell whether an alarm is on that nobody has seen, whether or not it was raised already."""
    unknown, alarms = unknown_subjects(view), view.state.alarms
    seen = {alarm.key for alarm in alarms if alarm.acknowledged is not None}
    on = {alarm.key for alarm in present_alarms(view)}
    on |= {alarm.key for alarm in alarms if alarm.key.subject in unknown}
    return not on <= seen


def unknown_subjects(view: View) -> frozenset[str]:
    """Return the subjects of which nothing can be told: of the lane, while the gateway is lost."""
    unknown = {session_id for session_id, told in run_levels(view).items() if told.level is None}
    if is_lost(view.state):
        unknown |= {f"{OF_NO_SESSION}{name}" for name in _LANE_ALARMS}
    return frozenset(unknown)


def worst_alarm(view: View) -> PresentAlarm | None:
    """Return what is wrong at `now` and worst; what somebody has seen already comes after that.

    Of runs that hang the one comes first that keeps most others waiting.
    """
    seen = {alarm.key for alarm in view.state.alarms if alarm.acknowledged is not None}
    levels = run_levels(view)

    def order(present: PresentAlarm) -> tuple[bool, int, int, str]:
        key = present.key
        rank = next((n for n, kinds in enumerate(_ORDER) if key.kind in kinds), len(_ORDER))
        level = levels.get(key.subject)
        return (key in seen, rank, -len(level.waiting) if level else 0, key.subject)

    return min(present_alarms(view), key=order, default=None)


def circumstances(view: View) -> Circumstances:
    """Return what decides about the next step."""
    trip, mode = assess(view).wire.reason, view.state.watch.auto_revert
    if mode is RevertMode.OFF:
        return Circumstances(mode, trip)
    return Circumstances(mode, trip, _already(view), _obstacle(view))


def _already(view: View) -> str | None:
    """Say why there is nothing to force."""
    switches, brake = _switches(view), view.state.lane.brake
    if switches is not None and switches.is_on(Switch.FORCED_FALLBACK):
        return f"{Switch.FORCED_FALLBACK} is on already"
    if brake is not None and brake.change == FORCE_FALLBACK and brake.proof is not Proof.FAILED:
        return "fallback was forced already"
    return None


def _obstacle(view: View) -> str | None:
    """Say why this vp-tui cannot or must not force fallback."""
    watch = view.state.watch
    if watch.read_only:
        return "vp-tui is read-only"
    if watch.means is None or watch.means.is_manual(FORCE_FALLBACK):
        return "no actuator is configured"
    if watch.means.env_file is not None and (why := _why_no_effect(view)) is not None:
        return why
    if watch.auto_revert is not RevertMode.ARMED:
        return None
    return view.state.auto_revert.bar or _under_way(view)


def _why_no_effect(view: View) -> str | None:
    seen, switches = view.state.lane.switches, _switches(view)
    if seen is None:
        return UNREAD
    if switches is None:
        return f"the env file cannot be read: {seen.problem}"
    if Switch.FORCED_FALLBACK in switches.masked:
        return f"{Switch.FORCED_FALLBACK.mask} is on there"
    return None


def _under_way(view: View) -> str | None:
    """Say which order keeps another one from being carried out."""
    lane = view.state.lane
    if lane.brake is not None and lane.acted is None:
        return f"{lane.brake.change.words}: under way"
    if lane.restart is not None and lane.restarted is None:
        return "a restart is under way"
    return None


def _switches(view: View) -> Switches | None:
    return None if view.state.lane.switches is None else view.state.lane.switches.switches


def judged(
    view: View, before: View | None = None, *, reverts: bool = False, unseen: str | None = None
) -> tuple[Event, ...]:
    """Return what a look judges; nothing before any source has answered or failed.

    `before` is what the look before saw; `reverts` tells whether the auto-revert is stepped, and
    `unseen` why nobody would see it count down.
    """
    if not view.state.sources:
        return ()
    decides = circumstances(view)._replace(unseen=unseen) if reverts else None
    read = tuple(_readings(view, before))
    return (Looked(view.now, present_alarms(view), unknown_subjects(view), decides, read),)


class _Happening(NamedTuple):
    """Something that two looks, one after the other, tell."""

    rank: int
    """Of several those with the lowest are the cause."""
    text: str


_ROLLOUT, _SOURCE, _BAD, _RUN, _END, _MOVE = range(6)
_BADGE: Final = "badge"
_ALARMS: Final = "alarms"
_NONE: Final = "none"
_OF_RUNS: Final = {"stuck run", "deaf run", "lost run", "lock held", UNCONFIRMED, _NONE}
"""Alarms that runs and their cancels raise and end."""
_TOLD_SOURCES: Final = (Source.METRICS, Source.SESSIONS, Source.CONTINUITY)
"""Sources that verdicts and word hang on."""
_CAUSES_TOLD: Final = 2


def _readings(view: View, before: View | None) -> Iterator[Reading]:
    """Yield the words that the screen goes by, each with its cause where it changed."""
    found, on = assess(view), sorted({alarm.key.kind for alarm in present_alarms(view)})
    gates = {GATE_TITLES[name]: gate.verdict for name, gate in found.gates.by_name().items()}
    word = found.suggestion.decision if found.suggestion else "unknown"
    now = {_ALARMS: ", ".join(on) or _NONE, _BADGE: badge(view), "word": word, **gates}
    last = view.state.last_changes
    is_news = {name: name in last and last[name].after != value for name, value in now.items()}
    happened = [*_happened(before, view)] if before is not None and any(is_news.values()) else []
    alarms = _of_alarms(last[_ALARMS].after, now[_ALARMS], happened) if is_news[_ALARMS] else []
    for name, value in now.items():
        told = alarms if is_news[name] and name in {_ALARMS, _BADGE} else happened
        if before is not None and name == _BADGE:
            told = [*_troubled(before, view)] or told
        if name in gates:
            is_trust = name in last and Verdict.UNKNOWN in {last[name].after, value}
            told = _of_gates(told, is_trust=is_trust)
        yield Reading(name, str(value), _cause(told or happened) if is_news[name] else "")


def _of_alarms(before: str, now: str, happened: list[_Happening]) -> list[_Happening]:
    """Return what concerns the alarms that came or went: of runs, what runs did."""
    changed = set(before.split(", ")) ^ set(now.split(", "))
    return [one for one in happened if one.rank == _RUN or not changed <= _OF_RUNS]


def _of_gates(happened: list[_Happening], *, is_trust: bool) -> list[_Happening]:
    """Return what concerns a verdict: no run, and a source only to and from UNKNOWN."""
    others = {_RUN} if is_trust else {_RUN, _SOURCE}
    return [one for one in happened if one.rank not in others]


def _cause(happened: Sequence[_Happening]) -> str:
    rank = min((one.rank for one in happened), default=_MOVE)
    told = list(dict.fromkeys(one.text for one in happened if one.rank == rank))
    more = [f"{len(told) - _CAUSES_TOLD} more"] if len(told) > _CAUSES_TOLD else []
    return "; ".join([*told[:_CAUSES_TOLD], *more])


def _troubled(before: View, view: View) -> Iterator[_Happening]:
    """Yield the grave troubles that came, or else those that went."""
    was, now = ({t.what: t for t in troubles(one) if t.is_grave} for one in (before, view))
    came = [now[what].told for what in now if what not in was]
    yield from (_Happening(_SOURCE, text) for text in came)
    if not came:
        yield from (_Happening(_SOURCE, f"over: {what}") for what in was if what not in now)


def _happened(before: View, view: View) -> Iterator[_Happening]:
    """Yield what happened between two looks, as far as a word can hang on it."""
    yield from _in_rollout(before, view)
    for source in _TOLD_SOURCES:
        was, now = source_view(before, source), source_view(view, source)
        if (was.word, was.plane) != (now.word, now.plane):
            reason = f", {now.failure.reason}" if now.failure else ""
            yield _Happening(_SOURCE, f"{source} {words.source_state(now)}{reason}")
    yield from _of_lane(before, view)
    if before.state.ledger is not view.state.ledger:
        yield from _of_missions(before.state.ledger, view.state.ledger)
    yield from _of_runs(before, view)


def _in_rollout(before: View, view: View) -> Iterator[_Happening]:
    was, now = before.state, view.state
    if was.epoch != now.epoch or was.boot_at != now.boot_at:
        yield _Happening(_ROLLOUT, "the gateway restarted" if was.epoch else "the epoch is known")
    had, has = (len(each.evidence.rows) if each.evidence else 0 for each in (was, now))
    if has != had:
        yield _Happening(_ROLLOUT, f"{counted(has - had, 'row')} came into the log")
    if current_window(before) != current_window(view):
        yield _Happening(_ROLLOUT, f"window {words.window_name(current_window(view))} is another")
    suites = attested(now.suites, view.wall)
    if attested(was.suites, before.wall).state is not suites.state:
        yield _Happening(_ROLLOUT, f"suites: {suites.detail}")


def _of_lane(before: View, view: View) -> Iterator[_Happening]:
    was, now = before.state, view.state
    if now.routing.bootstrap > was.routing.bootstrap:
        yield _Happening(_BAD, "a turn could not start the lane")
    if lane_mode(before).mode is not lane_mode(view).mode:
        yield _Happening(_BAD, f"lane {lane_word(view)}: {lane_mode(view).evidence}")
    for one, other in ((was.lane.brake, now.lane.brake), (was.lane.restart, now.lane.restart)):
        if other is not None and (one is None or one.line != other.line):
            yield _Happening(_BAD, other.line)


def _of_missions(before: Ledger, now: Ledger) -> Iterator[_Happening]:
    for mission_id in set(now.stream_fallbacks) - set(before.stream_fallbacks):
        yield _Happening(_BAD, f"mission {short_id(mission_id)} fell back")
    for mission_id in now.given_up - before.given_up:
        yield _Happening(_END, f"mission {short_id(mission_id)} is orphaned")
    for mission_id, entry in now.entries.items():
        was = before.entries.get(mission_id)
        if was is not entry and (told := _of_mission(was, entry)) is not None:
            yield told


def _of_mission(was: LedgerEntry | None, entry: LedgerEntry) -> _Happening | None:
    name, status = f"mission {short_id(entry.mission.mission_id)}", entry.mission.status
    is_new = was is None or was.mission.status != status
    if entry.fell_back and not (was and was.fell_back):
        return _Happening(_BAD, f"{name} fell back")
    if is_new and (status == "failed" or (entry.fell_back and entry.mission.is_terminal)):
        return _Happening(_BAD, f"{name} {status}{', it fell back' if entry.fell_back else ''}")
    if is_new and entry.mission.is_terminal:
        unseen = "" if entry.is_known else ", its outcome is unknown"
        return _Happening(_END, f"{name} {status}{unseen}")
    if was is not None and was.is_known != entry.is_known:
        return _Happening(_END, f"{name}: outcome {'known' if entry.is_known else 'unknown'}")
    return _Happening(_MOVE, f"{name} {status}") if is_new else None


def _of_runs(before: View, view: View) -> Iterator[_Happening]:
    was, now = run_levels(before), run_levels(view)
    for session_id, told in now.items():
        known = was.get(session_id)
        if known is None or known.level != told.level:
            is_grave = told.level is None or told.level.is_alarm or told.level is Level.QUIET
            is_over = known is not None and (known.level is None or known.level.is_alarm)
            rank = _RUN if is_grave or is_over else _MOVE
            reason = f": {told.reason}" if told.reason else ""
            yield _Happening(rank, f"run {short_id(session_id)} {words.level(told)}{reason}")
    for session_id in was.keys() - now.keys():
        yield _Happening(_RUN, f"run {short_id(session_id)} is not listed any more")
    known_cancels = {(c.session_id, c.at): c.state(before.now) for c in before.state.cancels}
    for cancel in view.state.cancels:
        if known_cancels.get((cancel.session_id, cancel.at)) is not cancel.state(view.now):
            name = short_id(cancel.session_id)
            yield _Happening(_RUN, f"cancel of {name}: {words.cancel_outcome(view, cancel)}")
