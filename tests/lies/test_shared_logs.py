"""Lies that were told of a log that others write too: other lanes, other hosts, corrected rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, evidence
from tests.support.builders import NOW
from tests.support.rollout import lasting, row

from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.rollout.guardrails import evidence_target
from vp_tui.domain.runs.turns import BOOTSTRAP
from vp_tui.domain.vocabulary import Stage, Word
from vp_tui.state.store import Store
from vp_tui.storage.windows import change_windows, keep_window, read_windows
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.figures import current_window
from vp_tui.views.handover import handover
from vp_tui.views.view import View
from vp_tui.worker.evidence import EvidenceFiles, Recorder, Written
from vp_tui.worker.files import EvidenceFeed, WindowsFeed

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window

VP_ID = "vp.coder.primary"
READY = Word.READY_FOR_LIMITED_COHORT_PILOT
CLEAN = [row(f"Limited cohort window #{n}", READY) for n in (1, 2, 3)]
"""Three of the four clean windows that broaden the rollout."""


def seen(*rows: EvidenceRow, **more: Any) -> View:  # noqa: ANN401 - fields of EvidenceRead
    """Return a look at a gateway that is up, with this log."""
    read = EvidenceRead(0.0, rows, frozenset(), authors=tuple(None for _ in rows))._replace(**more)
    polled = builders.polled(builders.snapshot(builders.mission(started_s=-60.0)))
    listed = builders.listing(builders.session())
    return View(builders.state(builders.healthy(), builders.booted(), polled, listed, read), 1.0)


def word_of(looked: View) -> str:
    suggestion = assess(looked).suggestion
    assert suggestion is not None
    return suggestion.decision


class TestRowsOfAnotherLane:
    """Were: counted as this lane's, so that another lane's windows broadened this one."""

    @pytest.mark.parametrize(
        "cells",
        [
            {"refs": "`GET /api/v1/ops/metrics/coder-vp?vp_id=vp.other&mission_limit=500`"},
            {"refs": '`_vp_metrics_snapshot(vp_id="vp.other", mission_limit=50)`'},
            {"scope": "`vp.other` on prod, organic traffic"},
            {"scope": "vp.other on prod, organic traffic"},
        ],
    )
    def test_broaden_nothing(self, cells: dict[str, str]) -> None:
        other = row("Limited cohort window #4", READY, **cells)
        looked = seen(*CLEAN, other)
        assert word_of(looked) == READY
        assert current_window(looked).label == "Limited cohort window #4"

    def test_of_this_lane_do(self) -> None:
        refs = f"`GET /api/v1/ops/metrics/coder-vp?vp_id={VP_ID}&mission_limit=500`"
        looked = seen(*CLEAN, row("Limited cohort window #4", READY, refs=refs))
        assert word_of(looked) == Word.GO_BROADER_TRAFFIC_ACTIVE

    def test_do_not_revert_it(self) -> None:
        reverted = row(CLEAN[0].window, Word.FORCE_FALLBACK, scope="vp.other on prod")
        assert current_window(seen(*CLEAN, reverted)).stage is Stage.LIMITED

    def test_are_not_handed_over_as_its(self) -> None:
        other = row("Limited cohort window #4", scope="vp.other on prod", notes="theirs")
        assert "Limited cohort window #4: HOLD" not in handover(seen(*CLEAN, other), "ana@laptop")


def test_rows_that_may_be_of_another_gateway_broadened_this_one_without_a_word() -> None:
    """It has a lane of the same id: only a name in the scope tells, and it may be this one's."""
    scopes = (
        f"{VP_ID} on prod-b, organic traffic",
        "canary cohort",
        f"{VP_ID} on prod, probe traffic",
    )
    rows = [row(f"Limited cohort window #{n}", READY, scope=scopes[n % 3]) for n in range(1, 5)]
    for logged, others in ((rows, True), (rows[1:2], False)):
        looked = seen(*logged)
        looked = View(replace(looked.state, watch=looked.state.watch._replace(name="prod")), 1.0)
        suggestion = assess(looked).suggestion
        assert suggestion is not None
        told = "rows of prod-b count too: are they of this gateway?" in suggestion.reasons
        assert told is others


class TestASupersededRow:
    """Was: counted beside the one that corrects it."""

    WRONG = row("Limited cohort window #4", READY, date="2026-11-23T01:50:00Z")
    RIGHT = row(
        "Post-mortem",
        date="2026-11-23T01:58:00Z",
        notes="supersedes the row of 2026-11-23T01:50:00Z: faults were injected",
    )

    def test_is_no_clean_window(self) -> None:
        assert word_of(seen(*CLEAN, self.WRONG)) == Word.GO_BROADER_TRAFFIC_ACTIVE
        assert word_of(seen(*CLEAN, self.WRONG, self.RIGHT)) == READY

    def test_a_row_that_names_another_date_leaves_it(self) -> None:
        other = row("Post-mortem", notes="supersedes 2026-11-23T01:50:01Z")
        assert word_of(seen(*CLEAN, self.WRONG, other)) == Word.GO_BROADER_TRAFFIC_ACTIVE


@pytest.mark.parametrize(
    ("after", "anchor", "count"),
    [
        ([], "Shadow window #2", 2),
        ([row("Limited cohort window #1", Word.FORCE_FALLBACK)], "Limited cohort window #1", 0),
    ],
)
def test_after_a_revert_missions_of_before_counted_towards_the_evidence_target(
    after: list[EvidenceRow], anchor: str, count: int
) -> None:
    rows = [
        row("Shadow window #2", date="2026-11-22T02:00:00Z"),
        row("Limited cohort window #1", date="2026-11-23T02:01:00Z"),
        *after,
    ]
    target = evidence_target(rows, Stage.LIMITED, lasting([30.0, 30.0]))
    assert target is not None
    assert (target.anchor, target.count) == (anchor, count)


class Host:
    """A vp-tui with its own directory, on a log that others write too."""

    def __init__(self, shared: Path, name: str) -> None:
        files = evidence.evidence_files(shared)
        self.windows = shared / name / "here.json"
        log = evidence.log_of(files)
        missions = [builders.mission(f"m{n}", started_s=-60.0 - n) for n in range(3)]
        self.store = Store(builders.state(*self.polled(*missions), evidence=str(log)))
        own = EvidenceFiles(log, files.spool, self.windows)
        self.recorder = Recorder(own, self.store, name, clock=lambda: 5.0)
        self.feeds = (
            EvidenceFeed(log, self.store.apply, lambda: 5.0, VP_ID, self.windows),
            WindowsFeed(self.windows, self.store.apply, lambda: 5.0),
        )

    @staticmethod
    def polled(*missions: Any, at: float = 0.5) -> list[Event]:  # noqa: ANN401 - missions
        return [
            builders.healthy(),
            builders.booted(),
            builders.polled(builders.snapshot(*missions), at=at),
        ]

    async def look(self) -> Window | None:
        for feed in self.feeds:
            await feed.look()
        return self.store.state.window

    async def write(self, word: str) -> Window:
        await self.look()
        draft = draft_row(View(self.store.state, 1.0))
        outcome = await self.recorder.record(draft, Choice(word))
        assert isinstance(outcome, Written), outcome
        await self.look()
        return outcome.window


class TestAWindowOfAnotherHost:
    """Was: each host had a window of its own, and their rows told the same missions twice."""

    async def test_goes_on_here_after_their_hold(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        kept = await theirs.write(Word.HOLD_SHADOW)
        assert kept.is_open
        window = await mine.look()
        assert window is not None
        assert window._replace(waivers=()) == kept

    async def test_has_only_what_ended_in_it(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        await theirs.write(READY)
        later = [builders.mission(f"m{n}", started_s=-60.0 - n) for n in range(3)]
        missions = [builders.mission("new", started_s=-10.0), *later]
        theirs.store.apply(*theirs.polled(*missions))
        await theirs.write(Word.HOLD_SHADOW)
        window = await mine.look()
        assert window is not None
        assert window.anchor == frozenset({"m0", "m1", "m2"})
        assert window.holds(missions[0])

    async def test_that_their_row_closes_is_closed_here(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        await theirs.write(Word.HOLD_SHADOW)
        assert await mine.look() is not None
        await theirs.write(READY)
        assert await mine.look() is None
        assert current_window(View(mine.store.state, 1.0)).label == "Limited cohort window #1"

    async def test_that_was_opened_here_too_is_closed_by_their_row(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        window = current_window(View(mine.store.state, 1.0))
        keep_window(mine.windows, window._replace(opened_at=NOW - timedelta(hours=1)), None)
        assert await mine.look() is not None
        await theirs.write(READY)
        assert await mine.look() is None

    async def test_that_was_opened_here_too_begins_as_their_row_says(self, tmp_path: Path) -> None:
        """Was: each kept its own beginning, and the rows of one window were of two."""
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        window = current_window(View(mine.store.state, 1.0))
        keep_window(mine.windows, window._replace(opened_at=NOW - timedelta(hours=1)), None)
        mine.store.apply(*builders.stream(builders.routed(BOOTSTRAP), builders.processing()))
        await mine.look()
        mine.store.apply(
            *builders.stream(builders.routed(BOOTSTRAP), builders.processing(), at=9.0)
        )
        kept = await theirs.write(Word.HOLD_SHADOW)
        window_now = await mine.look()
        assert window_now is not None
        assert (window_now.opened_at, window_now.anchor) == (kept.opened_at, kept.anchor)
        assert mine.store.state.routing.bootstrap == 1, "what was heard of it stays"
        assert await mine.look() == window_now

    async def test_that_is_opened_after_their_row_stays(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        await theirs.write(READY)
        opened = current_window(View(mine.store.state, 1.0))._replace(
            opened_at=NOW + timedelta(hours=1)
        )
        keep_window(mine.windows, opened, None)
        assert await mine.look() == opened

    async def test_that_was_closed_here_since_is_not_opened_again(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        await theirs.write(Word.HOLD_SHADOW)
        window = await mine.look()
        assert window is not None
        closed = window._replace(closed_at=NOW + timedelta(hours=1))
        keep_window(mine.windows, closed, window)
        await theirs.write(Word.HOLD_SHADOW)
        assert await mine.look() is None
        assert [kept.is_open for kept in read_windows(mine.windows)] == [False]

    async def test_of_another_lane_is_not_adopted(self, tmp_path: Path) -> None:
        theirs, mine = Host(tmp_path, "ana@laptop"), Host(tmp_path, "bo@desk")
        await theirs.write(Word.HOLD_SHADOW)
        log = evidence.log_of(evidence.evidence_files(tmp_path))
        change_windows(mine.windows, lambda _windows: ())
        mine.feeds = (
            EvidenceFeed(log, mine.store.apply, lambda: 5.0, "vp.other", mine.windows),
            mine.feeds[1],
        )
        assert await mine.look() is None
