"""What the labels of the evidence log's windows say: stage, number, and which comes next.

The rules: docs/rollout.md, section 3. Rows come oldest first, as the log has them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from vp_tui.domain.vocabulary import Stage, Word, is_ready

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from vp_tui.domain.rollout.evidence_row import EvidenceRow


WINDOW_NAMES: Final[Mapping[Stage, str]] = {
    Stage.SHADOW: "Shadow window",
    Stage.LIMITED: "Limited cohort window",
    Stage.BROADENED: "Broadened rollout window",
    Stage.SUSTAINED: "Sustained window",
}
"""What a window of each stage is called, in the stages' order; the two others have no windows."""
_PROMOTIONS: Final[Mapping[tuple[Stage, str], Stage]] = {
    (Stage.SHADOW, Word.READY_FOR_LIMITED_COHORT_PILOT): Stage.LIMITED,
    (Stage.LIMITED, Word.GO_BROADER_TRAFFIC_ACTIVE): Stage.BROADENED,
}
_UNREAL: Final = re.compile(r"(?<!non-)\b(?:synthetic|simulat\w+|fault[- ]injected)", re.IGNORECASE)
_EMPTY: Final = frozenset({"", "n/a", "-", "\N{EN DASH}", "\N{EM DASH}"})
_LANE: Final = (
    re.compile(r"[?&]vp_id=([^&`\s]+)"),
    re.compile(r"\bvp_id=[\"']([^\"']+)[\"']"),
    re.compile(r"`?(vp\.[A-Za-z0-9_.-]*[A-Za-z0-9])"),
)
"""How the refs of a row name its lane, the first two, and how its scope begins with that."""
_DEFAULT_SCOPE: Final = re.compile(
    r"`?vp\.\S+`? on (.+), (?:organic|probe|synthetic|fault-injected) traffic"
)
"""How the scope that nobody chose names its gateway."""
_SUPERSEDES: Final = re.compile(r"\bsupersedes (?:the row of )?([0-9][0-9TZ:.+-]*[0-9Z])")
_LABEL: Final = re.compile(
    r"\s*(shadow|limited|broadened|sustained)\b"
    r"(?:[^#,;:(]*\b(?:baseline|cohort|rollout|window))?\s*#([0-9]{1,9})\b",
    re.IGNORECASE,
)
"""A number behind anything else, "Shadow window, see ticket #4711", is not the window's."""


def numbered_label(window: str) -> tuple[Stage, int] | None:
    """Return the stage and the number that a window's label names; None where it names none.

    `Broadened rollout window #4 (real traffic)` is `(Stage.BROADENED, 4)`.
    """
    found = _LABEL.match(window)
    return (Stage(found[1].lower()), int(found[2])) if found else None


def short_label(window: str) -> str:
    """Return a label as stage and number, `limited 2`; one without a number as it is."""
    label = numbered_label(window)
    return window if label is None else f"{label[0]} {label[1]}"


def lane_of(row: EvidenceRow) -> str:
    """Return the lane that a row names, in its refs or at its scope's beginning; "" for none."""
    *in_refs, in_scope = _LANE
    found = [lane.search(row.refs) for lane in in_refs] + [in_scope.match(row.scope.strip())]
    return next((match[1] for match in found if match), "")


def other_gateways(rows: Iterable[EvidenceRow], name: str) -> tuple[str, ...]:
    """Return by what other names than `name` the scopes of rows call their gateway.

    No cell tells whether that is this one as somebody else calls it, or one with the same lane id.
    """
    found = (_DEFAULT_SCOPE.fullmatch(row.scope.strip()) for row in rows)
    return tuple(sorted({match[1] for match in found if match} - {name}))


def places_that_count(rows: Sequence[EvidenceRow], vp_id: str) -> tuple[int, ...]:
    """Return the indices of a lane's rows, those that name none included, without superseded ones.

    A row is superseded by a later one whose notes name its date: `supersedes 2026-02-16T18:20:00Z`.
    """
    gone, kept = set[str](), list[int]()
    for place in range(len(rows) - 1, -1, -1):
        row = rows[place]
        if lane_of(row) in {"", vp_id} and row.date.strip() not in gone:
            kept.append(place)
            gone.update(_SUPERSEDES.findall(row.notes))
    return tuple(reversed(kept))


def next_stage(rows: Sequence[EvidenceRow]) -> Stage | None:
    """Return the stage of the window that comes next; None while no row has a numbered label.

    After a revert that is shadow, whatever the window was that was reverted.
    """
    for row in reversed(rows):
        if is_revert(row):
            return Stage.SHADOW
        if (stage := _stage(row)) is not None:
            return _PROMOTIONS.get((stage, row.decision), stage)
    return None


def next_label(rows: Sequence[EvidenceRow], stage: Stage | None = None) -> str:
    """Return the next window's label; `stage` overrules the one that the log tells.

    The number is that of the stage's last row when that has no measured cells, else one more; a
    stage without rows begins at 1.
    """
    if stage is None or stage not in WINDOW_NAMES:
        stage = next_stage(rows) or Stage.SHADOW
    labels = ((numbered_label(row.window), row) for row in reversed(rows))
    numbers = (label[1] + is_measured(row) for label, row in labels if label and label[0] == stage)
    return f"{WINDOW_NAMES[stage]} #{next(numbers, 1)}"


def is_revert(row: EvidenceRow) -> bool:
    """Tell whether a row says that fallback is forced: what was reached before is lost."""
    return row.decision.endswith(Word.FORCE_FALLBACK)


def last_revert(rows: Sequence[EvidenceRow]) -> int | None:
    """Return the index of the last row that is a revert; None without one."""
    return next((n for n in range(len(rows) - 1, -1, -1) if is_revert(rows[n])), None)


def is_same_window(one: str, other: str) -> bool:
    """Tell whether two labels name one window: the same stage and number, whatever else they say.

    Labels without a number must be the same text.
    """
    number = numbered_label(one)
    return one == other if number is None else number == numbered_label(other)


def clean_limited_windows(rows: Sequence[EvidenceRow], unreal: Collection[str] = ()) -> int:
    """Return how many real windows of the limited cohort ended clean, each number counted once.

    Only those after the last revert count. A window's last measured row speaks for it. `unreal` are
    labels whose records name a source that is not real traffic; a label or scope that says so
    itself needs none.
    """
    revert = last_revert(rows)
    last = {
        label[1]: row
        for row in rows[0 if revert is None else revert + 1 :]
        if (label := numbered_label(row.window)) and label[0] == Stage.LIMITED and is_measured(row)
    }
    return sum(
        is_ready(row.decision)
        and row.window not in unreal
        and not _UNREAL.search(f"{row.window} {row.scope}")
        for row in last.values()
    )


def last_of_earlier_stage(rows: Sequence[EvidenceRow], stage: Stage) -> int | None:
    """Return the index of the last row of a stage before `stage`; None without one."""
    order = tuple(WINDOW_NAMES)
    earlier = order[: order.index(stage)] if stage in order else ()
    backwards = range(len(rows) - 1, -1, -1)
    return next((index for index in backwards if _stage(rows[index]) in earlier), None)


def is_measured(row: EvidenceRow) -> bool:
    """Tell whether a row has a rate or a p95, and not just `n/a` or a dash."""
    cells = (row.fallback_rate, row.p95_latency)
    return any(cell.strip().lower() not in _EMPTY for cell in cells)


def moment(row: EvidenceRow) -> datetime | None:
    """Return the end of the second, or of the day, that a row is dated, in UTC; None for neither.

    What had ended when the row was written had ended by then: dates are cut, not rounded.
    """
    text = row.date.strip()
    try:
        stamp = datetime.fromisoformat(text)
        stamp = stamp if stamp.tzinfo is None else stamp.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if len(text) == len("2026-02-16"):
        stamp = datetime.combine(stamp, time.max)
    elif not stamp.microsecond:
        stamp = stamp.replace(microsecond=time.max.microsecond)
    return stamp.replace(tzinfo=UTC)


def _stage(row: EvidenceRow) -> Stage | None:
    label = numbered_label(row.window)
    return label[0] if label else None
