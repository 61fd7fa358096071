"""The evidence row, drafted: what is known at one moment, and what the engineer makes of it.

Pure: nothing is written here. The row and the facts beside it: docs/rollout.md, sections 6 and 7.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.models import Source
from vp_tui.domain.rollout.decisions import Suggestion
from vp_tui.domain.rollout.labels import is_same_window, moment, next_label
from vp_tui.domain.rollout.windows import CANCEL, RecordedEnd, Told, outcome_of, recorded, strays_of
from vp_tui.domain.vocabulary import (
    Profile,
    Stage,
    Traffic,
    Word,
    is_more_permissive,
    keeps_open,
    offered,
)
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views import words
from vp_tui.views.assessment import Assessment, assess, changed_ends_of
from vp_tui.views.figures import anchor_now, current_window, is_log_known, lane_log, numbers
from vp_tui.views.sources import SourceWord, gateway_time, source_view
from vp_tui.views.stuck_runs import cancelled_runs

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.state.state import State
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


TOO_SOON: Final = timedelta(seconds=60)
"""A row that follows another within this time, without a mission between, is asked about."""
METRICS_PATH: Final = "/api/v1/ops/metrics/coder-vp"
NOTHING_KNOWN: Final = Suggestion("HOLD_SHADOW", ("nothing is known yet",))


class Choice(NamedTuple):
    """What the engineer decided."""

    decision: str
    reason: str = ""
    """Why more is allowed than suggested; "" where it is not."""
    note: str = ""
    keep: bool | None = None
    """Whether the window stays open; None: as the word has it."""
    with_unknowns: bool = True
    """What was blind or unknown goes into the notes."""
    with_actions: bool = True
    """What was done in the window goes into the notes."""
    despite: str | None = None
    """What is wrong with the log, which was shown; the row is written all the same."""


class Draft(NamedTuple):
    """All that a row is made from, as of one moment."""

    view: View
    window: Window
    assessment: Assessment
    figures: Numbers | None
    """None while the metrics do not tell what is so now: the cells are n/a."""

    @property
    def state(self) -> State:
        """The state that it is made of."""
        return self.view.state

    @property
    def suggestion(self) -> Suggestion:
        """The word that the rules give."""
        return self.assessment.suggestion or NOTHING_KNOWN

    @property
    def profile(self) -> Profile:
        """The table whose words are offered."""
        is_sustained = self.window.stage is Stage.SUSTAINED
        return Profile.SUSTAINED if is_sustained else self.state.watch.profile

    @property
    def words(self) -> dict[str, str]:
        """The words to choose from, each with its digit."""
        return offered(self.suggestion.decision, self.profile, self.state.watch.words)

    @property
    def own(self) -> WindowNumbers | None:
        """The window's own figures; None while the metrics do not tell what is so now."""
        return None if self.figures is None else self.assessment.numbers

    @property
    def limits(self) -> dict[str, int]:
        """Rows of missions and of events in one look."""
        told = self.state.watch if self.figures is None else self.figures.snapshot
        return {"mission_limit": told.mission_limit, "event_limit": told.event_limit}

    @property
    def taken_at(self) -> datetime:
        """When the data is of, in UTC: the snapshot's stamp, our own clock without one."""
        return self.view.wall if self.figures is None else self.figures.snapshot.generated_at

    @property
    def ends(self) -> tuple[RecordedEnd, ...]:
        """How the missions ended that this row tells of: those new in it, and those that changed.

        None while the metrics do not tell what is so now: the next row tells of them.
        """
        return () if self.figures is None else _new_ends(self.view)

    def tells(self, choice: Choice) -> tuple[Told, ...]:
        """Return what happened and a row with this word tells of.

        That a run blocks everything does not tell that one was cancelled, until it is recovered.
        """
        is_blocked = choice.decision == Word.BLOCKED_EXECUTION_PIPELINE
        cancelled = cancelled_runs(self.view, self.window) if choice.with_actions else ()
        cancels = (
            Told(CANCEL, run.session_id, run.at)
            for run in cancelled
            if run.at is not None and not (is_blocked and run.recovered is None)
        )
        return (*cancels, *self.assessment.trips)

    def window_after(self, choice: Choice) -> Window:
        """Return the window as it is after this row."""
        now, known = gateway_time(self.view), anchor_now(self.view)
        keep = self.stays_open(choice)
        return recorded(self.window, choice.decision, now, keep=keep, known=known)

    def needs_reason(self, decision: str) -> bool:
        """Tell whether the word allows more than the rules do, so that a reason must be typed."""
        return is_more_permissive(decision, self.suggestion.decision)

    def stays_open(self, choice: Choice) -> bool:
        """Tell whether the window is open after this row.

        One in which clean has become impossible is closed, whatever the word.
        """
        if choice.keep is not None:
            return choice.keep
        return keeps_open(choice.decision) and not self.assessment.is_spoiled


def draft_row(view: View) -> Draft:
    """Return the draft of the view's window."""
    is_live = source_view(view, Source.METRICS).word is SourceWord.LIVE
    return Draft(view, current_window(view), assess(view), numbers(view) if is_live else None)


def _strays(view: View) -> tuple[LedgerEntry, ...]:
    """Return the missions that ended in no window and that no row tells of."""
    figures, log = numbers(view), view.state.evidence or NO_EVIDENCE
    windows = (*view.state.windows, current_window(view))
    entries = view.state.ledger.entries.values()
    orphaned = figures.orphaned if figures else frozenset[str]()
    return strays_of(windows, log.recorded_ids, entries, orphaned)


def _new_ends(view: View) -> tuple[RecordedEnd, ...]:
    """Return how the missions ended that the next row tells of, those that changed included."""
    figures, window = numbers(view), current_window(view)
    orphaned = figures.orphaned if figures else frozenset[str]()
    recorded = (view.state.evidence or NO_EVIDENCE).recorded_ids
    own = (
        RecordedEnd(one, window.label, outcome)
        for one, entry in view.state.ledger.entries.items()
        if one not in recorded
        and window.holds(entry.mission)
        and (outcome := outcome_of(entry, orphaned))
    )
    outside = (
        RecordedEnd(entry.mission.mission_id, "", outcome_of(entry, orphaned))
        for entry in _strays(view)
    )
    return (*own, *outside, *changed_ends_of(view))


def flags_beside(view: View) -> tuple[str, ...]:
    """Return the flags that name another window than the open one; none while none is open."""
    window, watch = view.state.window, view.state.watch
    if window is None:
        return ()
    label, scope = watch.window_label, watch.window_scope
    told = {
        f"--window-label {label}": bool(label) and not is_same_window(label, window.label),
        f"--stage {watch.stage}": watch.stage not in {None, window.stage},
        f"--scope {scope}": scope not in {"", window.scope},
        f"--source {watch.source}": watch.source not in {Traffic.ORGANIC, window.source},
    }
    return tuple(flag for flag, is_other in told.items() if is_other)


def why_ask(draft: Draft, author: str) -> str | None:
    """Say why a row must not be written without a look at it; None: it may.

    `author` is who would write it.
    """
    log = draft.state.evidence
    if not is_log_known(draft.view) or (log and log.problem):
        return words.no_log(draft.view)
    if others := rows_of_others(draft.view, draft.window, author):
        row, who = others[-1]
        return f"{who} wrote {row.decision} for this window at {row.date}: enter joins in"
    rows = lane_log(draft.view).rows
    if rows and _is_too_soon(draft, rows[-1]):
        return "the last row is younger than 60 s, and no mission came since"
    return None


def rows_of_others(view: View, window: Window, author: str) -> list[tuple[EvidenceRow, str]]:
    """Return the rows that others wrote for the window since `author`'s last one, and who did.

    A row without a record was written by hand.
    """
    log = lane_log(view)
    newest = zip(reversed(log.rows), reversed(log.authors), strict=False)
    own = (told for told in newest if is_same_window(told[0].window, window.label))
    since = takewhile(lambda told: told[1] != author, own)
    return [(row, who or "somebody, by hand,") for row, who in since][::-1]


def _is_too_soon(draft: Draft, last: EvidenceRow) -> bool:
    """Tell whether nothing can have changed: by the clock that dates both rows, if they agree.

    A date without a time, and one that is far ahead, tell nothing.
    """
    written = moment(last)
    if written is None or abs(draft.taken_at - written) >= TOO_SOON:
        return False
    missions = (entry.mission for entry in draft.state.ledger.entries.values())
    stamps = (stamp for m in missions for stamp in (m.started_at, m.completed_at))
    return not any(stamp is not None and stamp > written for stamp in stamps)


def label_after(draft: Draft, row: EvidenceRow) -> str:
    """Return the label that is proposed once `row` is written and its window closed."""
    return next_label((*lane_log(draft.view).rows, row), draft.state.watch.stage)
