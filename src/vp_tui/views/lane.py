"""State + now -> what mode the lane is believed to be in, and whether the primary path is healthy.

A belief comes with its evidence. The primary path is where a forced fallback sends every turn: what
speaks for it are turns and fallen back missions that it completed lately. `now` is the monotonic
clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.mode import Belief, LaneMode, believed_mode
from vp_tui.domain.lane.restart import RESTART_WITHIN_S
from vp_tui.domain.lane.switch_proof import Proof, begun_in
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Change, Switch
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.windows import missions_of
from vp_tui.domain.runs.levels import UNLISTED, either
from vp_tui.domain.text import counted, short_id
from vp_tui.state.state import signs_of
from vp_tui.views import words
from vp_tui.views.figures import current_window
from vp_tui.views.runs import on_our_clock
from vp_tui.views.sources import listened
from vp_tui.views.stuck_runs import stuck_runs_in
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.state.state import Lane


_MODES: Final = {
    LaneMode.DELEGATING: "delegating",
    LaneMode.SHADOW: "shadow",
    LaneMode.FORCED_FALLBACK: "FORCED",
    LaneMode.DISABLED: "off",
    LaneMode.CANNOT_START: "cannot start",
    LaneMode.UNKNOWN: "unknown",
}
_WISHES: Final = {
    FORCE_FALLBACK: "FORCED",
    RELEASE: "released",
    Change(Switch.SHADOW, on=True): "shadow",
    Change(Switch.SHADOW, on=False): "shadow off",
    Change(Switch.LANE, on=True): "on",
    Change(Switch.LANE, on=False): "off",
}
"""What a change makes of the lane, in a word or two."""

LATELY_S: Final = 30 * 60.0
"""What the primary path did longer ago says nothing of now."""


@fact
def lane_mode(view: View) -> Belief:
    """Return the mode that the evidence of this epoch speaks for."""
    metrics = view.state.sources.get(Source.METRICS)
    told_at = metrics.answered_at if metrics else None
    return view.same(_believed, view.state.lane, view.state.snapshot, told_at, view.state.boot_at)


def lane_word(view: View) -> str:
    """Return the believed mode in a few words; while a change is followed, how far it is proven.

    `delegating`, `FORCED unproven`, `delegating NOT FORCED`, `delegated 42m ago`.
    """
    belief, brake = lane_mode(view), view.state.lane.brake
    mode = _MODES[belief.mode]
    if belief.mode is LaneMode.DELEGATING and _is_old(view, belief):
        mode = f"delegated {words.ago(view, belief.at or 0.0)}"
    elif belief.at is None and belief.mode is not LaneMode.UNKNOWN:
        mode = f"{mode} unproven"
    if brake is None or brake.proof is Proof.FAILED:
        return mode
    wish = _WISHES[brake.change]
    if brake.proof is Proof.CONTRADICTED:
        return f"{mode} NOT {wish}"
    if lane_waits_for_hands(view):
        return f"{mode}, waits for your hands"
    if brake.proof is Proof.CONFIRMED:
        return f"{wish if belief.mode is LaneMode.UNKNOWN else mode} proven"
    return f"{wish} {'unproven' if brake.since is not None else 'not in force'}"


def lane_waits_for_hands(view: View) -> bool:
    """Tell whether nothing carries the followed change out but the operator, by hand."""
    brake = view.state.lane.brake
    return brake is not None and brake.is_by_hand and brake.since is None


def belief_doubt(view: View) -> str:
    """Return why the believed mode may be another one by now, in words; "" for no reason."""
    belief = lane_mode(view)
    if belief.mode is LaneMode.DELEGATING and _is_old(view, belief):
        return "no turn was delegated lately: whether the lane still starts is not known"
    return belief.doubt


def _is_old(view: View, belief: Belief) -> bool:
    return belief.at is None or view.now - belief.at > LATELY_S


def why_busy(view: View) -> str | None:
    """Say what is being done to the lane, so that nothing else is; None: nothing."""
    lane = view.state.lane
    if lane.brake is not None and lane.acted is None:
        return f"{lane.brake.change.words} is being carried out: wait for its end"
    if lane.restart is not None and lane.restarted is None:
        return "a restart is being carried out: wait for its end"
    return None


def why_refused(view: View, what: str, since: float, target: str = "") -> str | None:
    """Say why an order that was given at `since` or later was refused; None: it was not.

    `target` is the session of a cancel.
    """
    newest = (one for one in reversed(view.state.refused) if one.at >= since and one.what == what)
    return next((one.why for one in newest if target in {"", one.target}), None)


def why_no_change(view: View, change: Change) -> str | None:
    """Say why a switch must not, or cannot now, be set; None: it may."""
    if (busy := why_busy(view)) is not None:
        return busy
    lane, means = view.state.lane, view.state.watch.means
    switches = lane.switches.switches if lane.switches else None
    if not change.on or switches is None or change.switch not in switches.masked:
        return None
    where = "the env file" if means is None else means.env_file
    mask = change.switch.mask
    return f"{mask} is on in {where}: {change.switch} would have no effect; take the mask out first"


def _believed(
    lane: Lane, snapshot: Snapshot | None, told_at: float | None, boot_at: datetime | None
) -> Belief:
    signs = signs_of(lane, snapshot, boot_at)
    return believed_mode(signs._replace(mission=_newest_mission(snapshot, told_at, boot_at)))


def _newest_mission(
    snapshot: Snapshot | None, told_at: float | None, boot_at: datetime | None
) -> tuple[str, float] | None:
    """Return the newest mission of this epoch and when it began; None while it is not known."""
    if snapshot is None or told_at is None or boot_at is None:
        return None
    up_s = (snapshot.generated_at - boot_at).total_seconds()
    begun = [(mission.mission_id, at) for at, mission in begun_in(snapshot, told_at)]
    return max(
        (each for each in begun if each[1] >= told_at - up_s), key=itemgetter(1), default=None
    )


class TurnsRan(NamedTuple):
    """The window's turns: how many ran at least, and of how many somebody heard the beginning."""

    ran: int
    heard: int


@fact
def turns_ran(view: View) -> TurnsRan:
    """Return how many turns the window has at least.

    On G1 each mission is one turn, and a turn that was heard to stay outside the lane is another:
    who came late knows of them without having heard any.
    """
    tally = view.state.routing
    if view.state.dialect == "G2":  # there missions are dispatched without a turn too
        return TurnsRan(tally.ran, tally.heard)
    held = view.same(_held, current_window(view), view.state.ledger)
    return TurnsRan(max(tally.ran, held + tally.heard - tally.delegated), tally.heard)


def turns_told(view: View, *, is_brief: bool = False) -> list[str]:
    """Return how many turns ran where not all were heard to begin, and how many were delegated.

    The word `turns` stands before it; `is_brief` is one part with few words.
    """
    tally, before, seen = view.state.routing, view.state.routing_before.heard, turns_ran(view)
    to_vp = [f"{tally.delegated} of {tally.coding_turns} to the VP"] if tally.coding_turns else []
    known = max(seen.heard, tally.coding_turns)
    if known > seen.heard:  # a route is also heard of a turn whose beginning nobody heard
        to_vp = [f"{counted(known, 'route')} heard, {tally.delegated} to the VP"]
    if seen.ran <= seen.heard:
        why = "streams were not looked at" if view.state.watch.no_streams else "no stream was heard"
        silent = "no coding turn seen yet" if listened(view) else f"unknown: {why}"
        return to_vp or [silent]
    if is_brief:
        lane = f", {tally.delegated} to the VP" if to_vp else ""
        # On G2 missions tell of no turn: there far more may have run.
        of = f"{'at least ' if view.state.dialect == 'G2' else ''}{seen.ran}"
        return [f"{known or 'none'} of {of} heard{lane}"]
    heard = f"{counted(seen.heard, 'beginning')} heard" if seen.heard else "no beginning heard"
    if before:
        heard += f" ({before} before the restart, {seen.heard - before} since)"
    return [f"at least {seen.ran} ran, {heard}", *to_vp]


def unseen_turns(view: View, *, short: bool = False) -> list[str]:
    """Return the coding turns that made no mission; none is said of what nobody could hear."""
    tally, seen = view.state.routing, turns_ran(view)
    first = [f"no mission: {tally.bootstrap} could not start", f"{tally.shadow} in shadow"]
    if short:
        first = [f"no mission: {tally.bootstrap} unstarted", *first[1:][: tally.shadow]]
    is_told = seen.ran <= seen.heard or tally.bootstrap or tally.shadow
    others = {
        "by forced fallback": tally.forced,
        "as the lane was off": tally.disabled,
        "unexplained": tally.unexplained - tally.forced - tally.disabled,
        "with a degraded lease": tally.lease_degraded,
    }
    told = (f"{number} {what}" for what, number in others.items() if number)
    return [*([", ".join(first)] if is_told else []), *told]


def _held(window: Window, ledger: Ledger) -> int:
    return len(missions_of(window, ledger.entries.values()))


class PrimaryHealth(StrEnum):
    """How the primary path does."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    FAILING = "FAILING"
    BLOCKED = "BLOCKED"


class PrimaryPath(NamedTuple):
    """How the primary path does, and on what evidence."""

    health: PrimaryHealth
    why: str


@fact
def primary_path(view: View) -> PrimaryPath:
    """Return how the primary path does: the newest that it did decides."""
    blocking = [run for run in stuck_runs_in(view) if run.is_deaf or run.waiting]
    if blocking and view.state.dialect != "G2":
        first, guess = blocking[0], " (a guess)" if blocking[0].is_guess else ""
        named = either(first.rivals or (first.session_id,), short_id) or UNLISTED
        why = f"{named} holds the gateway's lock{guess}: no turn of either path gets through"
        return PrimaryPath(PrimaryHealth.BLOCKED, why)
    seen = list(_seen(view))
    if not seen:
        why = "nothing was seen to complete outside the lane in this epoch"
        return PrimaryPath(PrimaryHealth.UNKNOWN, why)
    at, health, what = max(seen)
    told = f"{what} {words.ago(view, at)}"
    if view.now - at > LATELY_S:
        return PrimaryPath(PrimaryHealth.UNKNOWN, f"not lately: {told}")
    return PrimaryPath(health, told)


def _seen(view: View) -> Iterator[tuple[float, PrimaryHealth, str]]:
    """Yield what the primary path did, each with when."""
    if (turn := view.state.lane.primary) is not None:
        how = "fell back and completed" if turn.fell_back else "completed outside the lane"
        yield turn.ended_at, PrimaryHealth.HEALTHY, f"a turn of {short_id(turn.session_id)} {how}"
    boot_at = view.state.boot_at
    for entry in view.state.ledger.entries.values():
        told, completed_at = _of_mission(entry), entry.mission.completed_at
        if told is None or completed_at is None or boot_at is None or completed_at < boot_at:
            continue
        if (at := on_our_clock(view, completed_at)) is not None:
            yield at, *told


def _of_mission(entry: LedgerEntry) -> tuple[PrimaryHealth, str] | None:
    """Return what a mission says of the primary path; None where it never got there."""
    mission = entry.mission
    if entry.cancelled:
        return None
    if mission.status == "failed":
        return PrimaryHealth.FAILING, f"mission {mission.mission_id} failed on both paths"
    if mission.status == "completed" and entry.fell_back:
        return PrimaryHealth.HEALTHY, f"mission {mission.mission_id} fell back and completed"
    return None


def followed_change(view: View, change: Change, since: float | None = None) -> Brake | None:
    """Return the change of that kind that is followed; of `since`, also one that failed."""
    brake = view.state.lane.brake
    if brake is None or brake.change != change:
        return None
    if since is not None:
        return brake if brake.asked_at >= since else None
    return None if brake.proof is Proof.FAILED else brake


def is_probe_under_way(view: View) -> bool:
    """Tell whether a probe of ours runs."""
    return view.state.lane.probe is not None and not view.state.lane.probe.is_over


def is_newest_judged(view: View) -> bool:
    """Tell whether the newest mission, where it reads `running`, may run or was given up (v1).

    With no session running one look tells neither: another listing and poll will.
    """
    snapshot, listing = view.state.snapshot, view.state.sources.get(Source.SESSIONS)
    if snapshot is None or not snapshot.missions or view.state.dialect != "G1":
        return True
    newest, is_listed = snapshot.missions[0], listing and listing.answered_at is not None
    may_run = not is_listed or any(one.is_running for one in view.state.sessions.values())
    return newest.status != "running" or may_run or newest.mission_id in view.state.ledger.given_up


def is_restart_awaited(view: View) -> bool:
    """Tell whether the gateway may be gone because vp-tui was told to restart it, just now."""
    lane, brake = view.state.lane, view.state.lane.brake
    if lane.restart is not None and not lane.restart.is_over:
        return True
    if brake is None or brake.proof is not Proof.PENDING or brake.in_force_at is not None:
        return False
    is_by_command = lane.acted is None or lane.acted.command is not None
    since = brake.asked_at if brake.acted_at is None else brake.acted_at
    return is_by_command and view.now - since < RESTART_WITHIN_S
