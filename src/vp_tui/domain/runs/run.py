"""What the streams and the listing tell about each session's run.

All times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.turns import (
    ASSISTANCE_NEEDED,
    EXTERNAL,
    FALLBACKS,
    Turn,
    ended,
    is_aside,
    is_processing,
    step_turn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.models import Frame, StreamEvent


_MARKS: Final = frozenset({"status", "query_complete", "system_event", "cancelled"})
DEAF_WAIT_S: Final = 2.0
"""An answer to a cancel that took so long waited for a run: G1 waits 5 s, G2 10 s."""
LISTING_LAG_S: Final = 1.0
"""A listing may have been made so long before it arrived: younger frames know better."""
LOST_KEPT_S: Final = 30 * 60.0
"""Seconds for which a run that was lost is told."""
NEVER: Final = float("-inf")


def or_never(at: float | None) -> float:
    """Return a moment, before all others where there is none."""
    return NEVER if at is None else at


class RunCancel(NamedTuple):
    """A cancel that hit a turn, whoever sent it."""

    at: float
    silent_since: float | None
    """When the turn had last moved; None when nobody knows."""
    turn: Turn = Turn()
    was_unanswerable: bool = False
    """The turn waited for an answer that nobody could give."""
    counted_from: float | None = None
    """When a listing had first counted the turn; None where only its frames told of it."""
    was_heard: bool = False
    """The turn had sent a frame: on G1 it held the lock."""
    cleared_at: float | None = None
    """When a listing first no longer counted a run of the session."""
    ended_at: float | None = None
    """When the turn really ended; None while that is unconfirmed."""
    wrote_at: float | None = None
    """When its engine last sent a frame after the turn had ended."""


class Run(NamedTuple):
    """One session as seen so far; unknown is None, never 0."""

    session_id: str
    turn: Turn = Turn()
    last_kind: str | None = None
    own_attaches: int = 0
    """How often vp-tui attached: each raised `last_event_seq` by one."""
    asides: int = 0
    """Frames heard that are not of the turn, nor `connected`: each raised the sequence as well."""
    last_event_seq: int | None = None
    """As the newest listing said; every viewer's attach raises it."""
    own_seq: int | None = None
    """The highest `last_event_seq` less own attaches and asides so far."""
    progress_at: float | None = None
    """When the run last moved: a frame of its turn, or the sequence advancing by itself."""
    running_since: float | None = None
    """When a listing first counted the run under way; None while none does."""
    idle_at: float | None = None
    """When no turn was under way last, as far as is known: the present one began after that."""
    frames_at_most: int | None = None
    """Frames other than `connected` that the session can have sent, by the newest listing."""
    viewers: int | None = None
    """Sockets of others, as the newest listing said."""
    spoke_at: float | None = None
    """When the turn under way last sent a frame; None before its first."""
    held_at: float | None = None
    """When a turn of it last gave a sign of having had its turn: on G1, of holding the lock."""
    left_at: float | None = None
    """When a listing first no longer counted a run that nobody heard end."""
    left_from: float | None = None
    """When a listing had first counted that run."""
    ended_at: float | None = None
    """When a turn of it was last heard to end."""
    completed_at: float | None = None
    """When a turn of it last completed: not cancelled, not rejected."""
    completed_from: float | None = None
    """When that turn began; None where nobody saw its beginning."""
    question: str | None = None
    """What the turn asks, while it waits for the answer."""
    cancel: RunCancel | None = None
    lost_at: float | None = None
    """When the session was gone from a listing although it ran."""
    killed_at: float | None = None
    """When a restart was seen that ended its turn, which nobody had cancelled."""
    turns: int = 0
    """How many of its turns were heard to begin or listed as running."""
    is_counted: bool = False
    """The turn under way is one of these."""

    @property
    def is_open(self) -> bool:
        """Whether a turn is under way as far as is known: counted by the gateway, or heard."""
        return self.running_since is not None or self.spoke_at is not None

    @property
    def is_unanswerable(self) -> bool:
        """Whether it waits for an answer that nobody can give: none reaches the lane."""
        return self.question is not None and self.turn.is_on_lane

    @property
    def pending(self) -> RunCancel | None:
        """The cancel whose turn has not ended yet."""
        return self.cancel if self.cancel is not None and self.cancel.ended_at is None else None


def follow_run(
    run: Run, events: Iterable[StreamEvent]
) -> tuple[Run, tuple[tuple[Turn, Frame], ...]]:
    """Return the run after frames of its session, oldest first, and the turns that began.

    A turn that began is given with its first `processing` frame, as it stood before that frame:
    its routing is known by then. One that a worker got has none, and is given with its end.
    """
    began = []
    asides, last_kind = run.asides, run.last_kind
    turn, progress_at, spoke_at, question = run.turn, run.progress_at, run.spoke_at, run.question
    for event in events:
        frame, at = event.frame, event.at
        last_kind = frame.kind
        began_at = turn.started_at
        if run.cancel is not None and spoke_at is not None:
            # What was heard until here may be of a cancelled engine: this frame may begin a turn.
            run = _after_the_end(_moved(run, turn, progress_at, spoke_at, question))
            spoke_at = run.spoke_at
        turn = step_turn(turn, frame, at)
        if is_processing(frame) and turn.query is None:
            began.append((turn, frame))
            turn, run = turn._replace(query=frame.query), _ran(run)
        elif frame.kind == "query_complete" and turn.query is None and turn.routing == EXTERNAL:
            began.append((turn, frame))
            run = _ran(run)
        if not is_aside(frame):
            progress_at = spoke_at = at
            question = frame.text if last_kind == "input_required" else None
        elif last_kind != "connected":
            asides += 1
        if last_kind in _MARKS and _is_mark(frame, run):
            run = _marked(_moved(run, turn, progress_at, spoke_at, question), frame, at, began_at)
            progress_at, spoke_at, question = run.progress_at, run.spoke_at, run.question
    run = _after_the_end(_moved(run, turn, progress_at, spoke_at, question))
    return run._replace(asides=asides, last_kind=last_kind), tuple(began)


def listed(
    run: Run,
    *,
    seq: int,
    running: bool,
    at: float,
    viewers: int = 0,
    is_heard: bool = False,
    is_settled: bool = False,
) -> Run:
    """Return the run after a listing gave its `last_event_seq` and whether it is active.

    `viewers` are the sockets of others, with `is_settled` certainly none of ours. With `is_heard`
    every frame since the listing before was heard, so the sequence tells nothing new. One that went
    back is a gateway that restarted.
    """
    if run.last_event_seq is not None and seq < run.last_event_seq:
        run = renewed(run, at)
    attached = viewers + run.own_attaches if is_settled else max(viewers, run.own_attaches)
    run = run._replace(
        viewers=viewers,
        last_event_seq=seq,
        frames_at_most=seq - attached,
    )
    own_seq = seq - run.own_attaches - run.asides
    known_seq = own_seq if run.own_seq is None else run.own_seq
    if own_seq > known_seq and not is_heard:
        run = run._replace(progress_at=at)
    return _counted(run._replace(own_seq=max(own_seq, known_seq)), running=running, at=at)


def joined(run: Run, *, seq: int, viewers: int, was_cut: bool, greeting: int) -> Run:
    """Return the run before `listed`, with what others' sockets added to its sequence.

    Each that is new got the frames of a `greeting`. What cut ours since the listing before
    (`was_cut`) may have cut all of them: they came again, as far as the sequence rose.
    """
    if run.viewers is None or run.own_seq is None:
        return run
    risen = seq - run.own_attaches - run.asides - run.own_seq if was_cut else 0
    frames = max(max(viewers - run.viewers, 0) * greeting, min(viewers * greeting, risen))
    return run._replace(asides=run.asides + frames)


def renewed(run: Run, at: float) -> Run:
    """Return the run in a new life of the gateway: its turn died, and counting begins anew."""
    turn = ended(run.turn, at) if run.turn.started_at is not None else run.turn
    return run._replace(
        turn=turn,
        killed_at=at if run.is_open and run.pending is None else run.killed_at,
        own_attaches=0,
        asides=0,
        last_event_seq=None,
        own_seq=None,
        viewers=None,
        progress_at=at,
        running_since=None,
        idle_at=run.progress_at if run.idle_at is None else run.idle_at,
        frames_at_most=None,
        spoke_at=None,
        held_at=None,
        left_at=None,
        left_from=None,
        question=None,
        cancel=None,
        is_counted=False,
    )


def cancelled(run: Run, at: float) -> Run:
    """Return the run after a cancel; one of a session without a turn, or a second, is no news."""
    if not run.is_open or run.pending is not None:
        return run
    return run._replace(cancel=_hit(run, at))


def answered(run: Run, at: float, *, task_cancelled: bool, took_s: float) -> Run:
    """Return the run after the answer to a cancel of our own, which took so many seconds.

    A run that does not hear is no longer counted when the answer comes, and may be listed so
    already. An idle session is answered alike, but at once.
    """
    asked_at = at - took_s
    counted_at = max(or_never(run.held_at), or_never(run.left_at))
    was_counted = took_s >= DEAF_WAIT_S and counted_at >= asked_at
    is_known = run.pending is not None or (run.cancel is not None and run.cancel.at >= asked_at)
    has_ended = or_never(run.ended_at) >= asked_at
    if not is_known and not has_ended and (run.is_open or was_counted):
        hit = _hit(run, asked_at)
        run = run._replace(cancel=hit if run.is_open else hit._replace(cleared_at=at))
    return released(run, at) if task_cancelled else run


def _hit(run: Run, at: float) -> RunCancel:
    is_heard, counted_from = run.spoke_at is not None, run.running_since
    return RunCancel(at, run.progress_at, run.turn, run.is_unanswerable, counted_from, is_heard)


def released(run: Run, at: float) -> Run:
    """Return the run when its cancelled turn is known to have ended, though nobody heard it."""
    if run.pending is None:
        return run
    turn = ended(run.turn, at) if run.turn.ended_at is None else run.turn
    return run._replace(turn=turn, spoke_at=None, question=None, cancel=_over(run, at))


def _ran(run: Run) -> Run:
    """Count the turn under way, once."""
    return run if run.is_counted else run._replace(turns=run.turns + 1, is_counted=True)


def _counted(run: Run, *, running: bool, at: float) -> Run:
    """Note whether the gateway counts a run; a younger end, or frame, knows better."""
    is_late = run.ended_at is not None and at - run.ended_at < LISTING_LAG_S
    if running and run.running_since is None and not is_late:
        # A run that was not heard to begin has moved when it is first seen.
        moved_at = at if run.spoke_at is None else run.progress_at
        return _ran(run)._replace(running_since=at, progress_at=moved_at, killed_at=None)
    if running:
        return run
    if (hit := run.pending) is not None:
        cleared = hit._replace(cleared_at=at if hit.cleared_at is None else hit.cleared_at)
        return run._replace(cancel=cleared, running_since=None, is_counted=False)
    if run.spoke_at is not None and at - run.spoke_at < LISTING_LAG_S:
        return run._replace(running_since=None)
    if run.running_since is not None:
        is_heard, since = run.spoke_at is not None, run.running_since
        run = run._replace(held_at=at) if is_heard else run._replace(left_at=at, left_from=since)
    run = run._replace(idle_at=max(at - LISTING_LAG_S, or_never(run.idle_at)), is_counted=False)
    return run._replace(running_since=None, spoke_at=None, question=None)


def _moved(
    run: Run, turn: Turn, progress_at: float | None, spoke_at: float | None, question: str | None
) -> Run:
    return run._replace(
        turn=turn,
        progress_at=progress_at,
        spoke_at=spoke_at,
        held_at=run.held_at if spoke_at is None else spoke_at,
        question=question,
    )


def _after_the_end(run: Run) -> Run:
    """Tell a cancelled engine that goes on from a turn: no turn began, and none is counted."""
    hit, spoke_at = run.cancel, run.spoke_at
    is_turn = run.turn.started_at is not None or run.running_since is not None
    if hit is None or hit.ended_at is None or spoke_at is None or is_turn:
        return run
    return run._replace(spoke_at=None, cancel=hit._replace(wrote_at=spoke_at))


def _is_mark(frame: Frame, run: Run) -> bool:
    """Tell whether a frame of that kind may cancel, end or, after a cancel, begin a turn."""
    if frame.kind == "status":
        return frame.status == "turn_cancelled" or run.pending is not None
    return frame.kind != "system_event" or frame.status == ASSISTANCE_NEEDED


def _marked(run: Run, frame: Frame, at: float, began_at: float | None) -> Run:
    """Return the run after such a frame; `began_at` is when the turn before it began."""
    is_cancel = frame.kind == "cancelled" or frame.cancelled or frame.status == "turn_cancelled"
    if is_cancel:
        run = cancelled(run, at)
    if frame.kind == "query_complete" and run.is_open and not is_cancel:
        run = run._replace(held_at=at)
        if not frame.is_error:
            run = run._replace(completed_at=at, completed_from=began_at)
    if frame.kind == "query_complete" or frame.status == ASSISTANCE_NEEDED:
        hit, over = run.pending, _over(run, at)
        run = run._replace(ended_at=at, cancel=over, spoke_at=None, question=None)
        if hit is not None and hit.cleared_at is not None and run.running_since is not None:
            return run  # what is counted since that one no longer was is the next turn, and waits
        return run._replace(idle_at=at, running_since=None, is_counted=False)
    hit, turn = run.pending, run.turn
    if hit and or_never(turn.started_at) > hit.at and turn.routing not in FALLBACKS:
        # Another turn began after the cancel: the one that was hit is over.
        return run._replace(cancel=_over(run, at))
    return run


def _over(run: Run, at: float) -> RunCancel | None:
    return run.cancel if run.pending is None else run.pending._replace(ended_at=at)
