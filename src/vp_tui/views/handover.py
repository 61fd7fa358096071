"""Texts for others: the handover to the next engineer, and the summary of a run for the incident.

Pure: state + now -> text. The handover is plain text of some 30 lines, with all that the next
engineer on call must know; the summary is a dozen lines of plain ASCII. Both are read without this
screen: each line says of itself what it is, how old it is, and what is not known.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.labels import is_same_window, moment
from vp_tui.domain.rollout.verdicts import GATE_TITLES, attested
from vp_tui.domain.runs.cancels import pending
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import age, clip, clock_z, counted, fold, literal, short_id, utc_z
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.actions_taken import LOOK_BACK, actions_taken, line_of, since
from vp_tui.views.assessment import assess
from vp_tui.views.figures import current_window, lane_log, numbers
from vp_tui.views.lane import belief_doubt, lane_mode
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import source_view
from vp_tui.views.triage import triage
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.views.triage import Triage
    from vp_tui.views.view import View


ACTIONS_AT_MOST: Final = 12
"""Actions told in the handover, the newest."""
ROWS_AT_MOST: Final = 8
"""Rows of the log told in the handover, the newest."""
_WELL: Final = frozenset({Level.OK, Level.IDLE})

QUERY: Final = 120
"""Characters of the query in the summary of a run."""
LINE: Final = 240
"""Characters of a line of the summary, at most."""
CANCELS: Final = 2
"""Cancels of the session told in the summary, the newest."""
_PLAIN: Final = str.maketrans(
    {"…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-"}  # noqa: RUF001 - what is replaced
    | {"‹": "<", "›": ">", "→": "->", "␡": "^?"}  # noqa: RUF001 - what is replaced
    | {chr(0x2400 + code): f"^{chr(0x40 + code)}" for code in range(0x20)}
)
"""What stands in ASCII for signs of ours and of logs: `^[` for the ␛ of an escape."""
_NO_ASCII: Final = re.compile("[^ -~]+")


def handover(view: View, who: str) -> str:
    """Return the text, as Markdown; `who` hands over."""
    parts = {
        f"# Handover of {view.state.watch.name}, {utc_z(view.wall)}": _head(view, who),
        "## Window": window_lines(view),
        "## Rows written": _rows(view),
        "## Gates and guardrails": rule_lines(view),
        "## Alarms": _alarms(view),
        "## Runs that are not ok": _runs(view),
        "## Actions": _actions(view),
        "## Recoveries and proofs pending": _recoveries(view),
        "## Unverified": _unverified(view),
        "## Next step": _next_steps(view),
    }
    lines: list[str] = []
    for title, items in parts.items():
        lines += [title, *([f"- {item}" for item in items] or ["- none"])]
    return "".join(f"{literal(line)}\n" for line in lines)


def _head(view: View, who: str) -> Iterator[str]:
    watch = view.state.watch
    yield f"gateway {watch.url}: {words.gateway(view)}"
    mode = ", read-only" if watch.read_only else ""
    yield f"handed over by {who}{mode}"
    belief = lane_mode(view)
    yield f"lane {watch.vp_id}, believed mode {belief.mode}: {belief.evidence}"
    if doubt := belief_doubt(view):
        yield f"lane in doubt: {doubt}"


def window_lines(view: View) -> Iterator[str]:
    """Yield what the window is, its figures beside the cumulative ones, and the word for it."""
    assessment = assess(view)
    window, figures, own = assessment.window, numbers(view), assessment.numbers
    if window is None:
        yield f"unknown: {words.no_log(view)}"
        return
    opened = words.opened(view, window)
    yield f"{window.label}: stage {window.stage}, source {window.source}, {opened}"
    if figures is None or own is None:
        yield f"its figures are unknown: {words.no_metrics(source_view(view, Source.METRICS))}"
    else:
        clean = "clean" if assessment.is_clean else "not clean"
        yield f"{words.window_counts(own)}: {clean}"
        yield words.cumulative(view, figures)
    if assessment.suggestion is not None:
        word, reasons = assessment.suggestion
        yield f"may be recorded {word}: {', '.join(reasons)}"


def _rows(view: View) -> Iterator[str]:
    """Yield the rows of this window and of the last LOOK_BACK, the newest, with who wrote them."""
    log, window = lane_log(view), current_window(view)
    newest = list(zip_longest(reversed(log.rows), reversed(log.authors)))[:ROWS_AT_MOST]
    for row, author in reversed(newest):
        at = moment(row)
        is_late = at is not None and at >= view.wall - LOOK_BACK
        if is_late or is_same_window(row.window, window.label):
            cells = f"rate {row.fallback_rate}, p95 {row.p95_latency}"
            who = author or "somebody, by hand"
            yield f"{row.date} {row.window}: {row.decision} ({cells}) by {who}"


def rule_lines(view: View) -> Iterator[str]:
    """Yield how gates and guardrails stand."""
    assessment = assess(view)
    for name, gate in assessment.gates.by_name().items():
        yield f"{GATE_TITLES[name]} {gate.verdict}: {gate.reason}"
    yield f"promotion: {words.promotion(assessment.gates)}"
    wire = assessment.wire
    yield words.cancel_recovery(assessment.guardrails.cancel_recovery)
    yield f"evidence: {words.evidence_target(assessment.target)}"
    rolling = wire.sentence if numbers(view) else "rolling unknown"
    guardrails = assessment.guardrails
    yield f"auto-revert {guardrails.mode}: {rolling}; {guardrails.auto_revert}"


def _alarms(view: View) -> Iterator[str]:
    for alarm in view.state.alarms:
        whom = f" {alarm.session_id}" if alarm.session_id else ""
        rang, seen = words.rang(view, alarm), words.seen_by(view, alarm)
        yield f"{alarm.key.kind}{whom}: {alarm.reason}; rang {rang}, {seen}"
    rung = {(alarm.key.kind, alarm.session_id or "") for alarm in view.state.alarms}
    for entry in assess(view).safety:
        if (entry.alarm, entry.subject) not in rung:
            yield f"{entry.alarm}: {entry.told}; it has not rung yet"


def _runs(view: View) -> Iterator[str]:
    for row in run_rows(view):
        told = row.level
        if told.level is None or told.level not in _WELL:
            mission = row.mission.mission_id
            which = f"; mission {mission} ({row.mission.why})" if mission else ""
            yield f"{words.level(told)} {row.session.session_id}: {told.reason}{which}"


def _actions(view: View) -> Iterator[str]:
    """Yield what was done in this window, at least of the last LOOK_BACK."""
    begin = min(since(view, current_window(view)), view.wall - LOOK_BACK)
    done = actions_taken(view, begin)
    if len(done) > ACTIONS_AT_MOST:
        left_out = len(done) - ACTIONS_AT_MOST
        yield f"{counted(left_out, 'earlier one is', 'earlier ones are')} in the audit"
    yield from (f"{action.at:%m-%d} {line_of(action)}" for action in done[-ACTIONS_AT_MOST:])
    if (audit := view.state.audit) is None or audit.problem is not None:
        problem = audit.problem.reason if audit and audit.problem else "not read"
        yield f"earlier ones are unknown: the audit: {problem}"


def _recoveries(view: View) -> Iterator[str]:
    for cancel in pending(view.state.cancels):
        at, outcome = clock_z(view.wall_at(cancel.at)), words.cancel_outcome(view, cancel)
        yield f"{cancel.session_id}, cancelled {at}: {outcome}"
    brake, restart = view.state.lane.brake, view.state.lane.restart
    if brake is not None and brake.proof is not Proof.CONFIRMED:
        yield brake.line
    if restart is not None and restart.state is not RestartState.BACK:
        yield f"restart: {restart.state}{': ' if restart.reason else ''}{restart.reason}"


def _unverified(view: View) -> Iterator[str]:
    yield from (found.told for found in troubles(view))
    if (figures := numbers(view)) is None:
        metrics = words.no_metrics(source_view(view, Source.METRICS))
        yield f"nothing is known of the rate: {metrics}"
    elif figures.orphans:
        yield f"missions that read running and cannot be: {figures.orphans}"
    suites = attested(view.state.suites, view.wall)
    runtime = assess(view).gates.g4.verdict
    yield f"continuity suites: {suites.state} ({suites.detail}); runtime: {runtime}"
    authors = view.state.evidence.authors if view.state.evidence else ()
    if unrecorded := authors.count(None):
        of = f"{unrecorded} of the newest {counted(len(authors), 'row')}"
        yield f"{of} {'has' if unrecorded == 1 else 'have'} no record: written by hand"


def _next_steps(view: View) -> Iterator[str]:
    assessment = assess(view)
    for entry in assessment.safety:
        yield f"{entry.told}: {entry.cure}" if entry.cure else entry.told
    if pending(view.state.cancels):
        yield "watch for a later turn to complete: until then no cancel is a recovery"
    grave = [found for found in troubles(view) if found.is_grave and found.cure]
    told = {entry.trouble for entry in assessment.safety}
    yield from (f"{found.what}: {found.cure}" for found in grave if found.what not in told)
    if assessment.suggestion is not None:
        missing = ", ".join(assessment.gates.not_proven)
        proof = f"; for a promotion: {missing}" if missing else ""
        writes = f"{key_of(view.state.watch, 'record-now')} writes"
        yield f"record the window ({writes} {assessment.suggestion.decision}){proof}"


def incident_text(view: View, session_id: str) -> str:
    """Return the summary of the session's run as of `now`; it ends with a newline."""
    seen = triage(view, session_id)
    lines = list(_gone(view, session_id) if seen is None else _lines(seen, view))
    return "".join(f"{_ascii(clip(line, LINE))}\n" for line in lines)


def _ascii(text: str) -> str:
    """Return `text` in ASCII: without accents, `(?)` in the place of what has no such form."""
    plain = unicodedata.normalize("NFKD", literal(text).translate(_PLAIN))
    unmarked = "".join(char for char in plain if not unicodedata.combining(char))
    return _NO_ASCII.sub("(?)", unmarked)


def _gone(view: View, session_id: str) -> Iterator[str]:
    at = _at(view, view.now)
    yield f"{_where(view)} {session_id} is not listed at {at}: nothing is known of it"
    yield _figures(view)


def _where(view: View) -> str:
    return f"[{view.state.watch.name} {view.state.watch.vp_id}]"


def _lines(seen: Triage, view: View) -> Iterator[str]:
    row = seen.row
    level, since = words.level(row.level), row.level.since
    told = level if since is None else f"{level} for {age(view.now - since)}"
    short = short_id(row.session.session_id)
    yield f"{_where(view)} run {short} {told}, at {_at(view, view.now)}"
    yield f"session: {row.session.session_id}"
    yield f"why: {row.level.reason}"
    yield f"since: {_at(view, since)}; running for {_age(row.running_s)}"
    query = row.turn.query or row.session.description
    yield f'query: "{clip(fold(query), QUERY)}"' if query else "query: unknown, nobody saw it"
    newest = seen.course[-1]
    yield f"last: {'' if newest.at is None else f'{_at(view, newest.at)} '}{newest.text}"
    yield f"{seen.mission}; {seen.lane}"
    yield f"{seen.queue}; {seen.viewers}"
    yield seen.blocks
    yield from _cancels(seen, view)
    yield _log(seen, view)
    yield _figures(view)
    yield f"next: {seen.next_step}"


def _at(view: View, at: float | None) -> str:
    return "unknown" if at is None else utc_z(view.wall_at(at))


def _age(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else age(seconds)


def _cancels(seen: Triage, view: View) -> Iterator[str]:
    session_id = seen.row.session.session_id
    own = [cancel for cancel in view.state.cancels if cancel.session_id == session_id]
    if not own:
        yield "cancels: none seen"
    heard = {None: "", True: ", the run unwound", False: ", the run did not hear"}
    for cancel in own[-CANCELS:]:
        reason = f' "{fold(cancel.reason)}"' if cancel.reason else ""
        told = f"{words.cancel_outcome(view, cancel)}{heard[cancel.task_cancelled]}"
        yield f"cancel: {_at(view, cancel.at)} by {cancel.who}{reason}: {told}"


def _log(seen: Triage, view: View) -> str:
    """Return the last line of the log that is the run's, and how long nothing came after it."""
    log = view.state.logs.get(seen.log_id)
    name = "lane log" if seen.log_id == view.state.lane_log_id else "session log"
    if log is None or not log.lines:
        return f"{name}: no line known"
    quiet_s = None if log.grown_at is None else view.now - log.grown_at
    return f"{name}, nothing for {_age(quiet_s)} after: {fold(log.lines[-1])}"


def _figures(view: View) -> str:
    figures = numbers(view)
    if figures is None:
        return f"figures unknown: {words.no_metrics(source_view(view, Source.METRICS))}"
    return words.cumulative(view, figures)
