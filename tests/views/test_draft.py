from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, scenes
from tests.support.evidence import NEXT
from tests.support.rollout import golden_rows, lasting, row, unmeasured, window

from vp_tui.domain.events import EvidenceRead, WindowsRead
from vp_tui.domain.models import Plane
from vp_tui.domain.vocabulary import Profile, Stage, Traffic
from vp_tui.gateway.client import METRICS_PATH as POLLED_PATH
from vp_tui.views.draft import METRICS_PATH, Choice, draft_row, label_after, why_ask
from vp_tui.views.evidence_row import facts_of, row_of
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.views.draft import Draft

ME = "ana@laptop"
BO = "bo@laptop2"
GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset(), fingerprint="f")
GO = "GO_BROADER_TRAFFIC_ACTIVE"
REAL_S = [35.964, 38.305, *[31.0 + i / 10 for i in range(16)]]
"""As the durations of the golden log's missions."""


def missions(count: int = 18) -> list[Mission]:
    """Return clean missions like those of the golden log, newest first."""
    return [entry.mission for entry in lasting(REAL_S[:count])][::-1]


def night(*draft: Mission, log: EvidenceRead | None = GOLDEN) -> list[Event]:
    polls = [
        builders.healthy(),
        builders.polled(builders.snapshot(*draft)),
        builders.listing(),
        builders.booted(),
        builders.logged("a"),
    ]
    return [*([log] if log else []), *polls]


def draft_of(*events: Event, now: float = 1.0, **watch: Any) -> Draft:  # noqa: ANN401 - fields of Watch
    return draft_row(View(builders.state(*(events or night(*missions())), **watch), now))


def written(
    *rows: EvidenceRow, by: str | None = ME, ids: frozenset[str] = frozenset()
) -> EvidenceRead:
    """Return the golden log with `rows` behind it, all by one author."""
    return GOLDEN._replace(
        rows=(*GOLDEN.rows, *rows), authors=(*[None] * 16, *[by] * len(rows)), recorded_ids=ids
    )


class TestTheNextRow:
    def test_the_one_after_the_golden_log_goes_on(self) -> None:
        known = frozenset(m.mission_id for m in missions()[3:])
        draft = draft_of(*night(*missions(), log=GOLDEN._replace(recorded_ids=known)))
        assert draft.window.label == NEXT
        assert draft.window.stage is Stage.BROADENED
        next_row = row_of(draft, Choice(draft.suggestion.decision))
        assert next_row.decision == GO
        assert (next_row.date, next_row.window) == ("2026-11-23T02:00:00Z", NEXT)
        assert (next_row.fallback_rate, next_row.p95_latency) == ("0.000", "35.964s")
        assert (
            "window: +3 missions: 3 completed, 0 failed, 0 running, 0 fell back" in next_row.notes
        )

    def test_it_names_the_endpoint_and_the_limits_really_used(self) -> None:
        taken = builders.snapshot(*missions(), mission_limit=50, event_limit=200)
        draft = draft_of(
            builders.healthy(), builders.polled(taken), mission_limit=500, event_limit=1000
        )
        assert row_of(draft, Choice(GO)).refs == (
            f"`GET {METRICS_PATH}?vp_id=vp.coder.primary&mission_limit=50&event_limit=200`"
        )
        assert facts_of(draft, Choice(GO), ME)["limits"] == {
            "mission_limit": 50,
            "event_limit": 200,
        }
        assert METRICS_PATH == POLLED_PATH

    def test_closing_proposes_the_next_number(self) -> None:
        draft = draft_of()
        assert label_after(draft, row_of(draft, Choice(GO))) == "Broadened rollout window #6"

    def test_an_unmeasured_row_proposes_its_number_again(self) -> None:
        draft = draft_of(GOLDEN, builders.failed(failure=builders.REFUSED))
        assert label_after(draft, row_of(draft, Choice("BLOCKED_AUTH"))) == NEXT

    def test_an_open_window_stands(self) -> None:
        own = window(label="Broadened rollout window #5 (real traffic)", scope="canary")
        draft = draft_of(*night(*missions()), WindowsRead(0.0, (own,)))
        next_row = row_of(draft, Choice(GO))
        assert (next_row.window, next_row.scope) == (own.label, "canary")


class TestEditing:
    """What is edited in the dialog changes the window, and with it the suggestion."""

    def test_the_stage(self) -> None:
        events = night(*missions(1), log=EvidenceRead(0.0, (), frozenset()))
        seen = builders.state(*events)
        assert draft_row(View(seen, 1.0)).suggestion.decision == "READY_FOR_LIMITED_COHORT_PILOT"
        own = draft_row(View(seen, 1.0)).window._replace(stage=Stage.BROADENED)
        edited = draft_row(View(seen, 1.0).as_if(own))
        assert edited.suggestion.decision == GO

    def test_the_source_of_row_3_of_the_golden_log(self) -> None:
        """The fault was injected: no gate counts it, the row says it, and it is held."""
        times = [0.534, 0.377, 0.4, 0.3]
        draft = [
            builders.mission(f"m{n}", duration_s=s, fallback_seen=not n)
            for n, s in enumerate(times)
        ]
        log = EvidenceRead(0.0, tuple(golden_rows()[:2]), frozenset())
        seen = builders.state(*night(*draft, log=log))
        own = draft_row(View(seen, 1.0)).window._replace(source=Traffic.FAULT_INJECTED)
        edited = draft_row(View(seen, 1.0).as_if(own))
        row_3 = row_of(edited, Choice(edited.suggestion.decision))
        assert (row_3.fallback_rate, row_3.p95_latency) == ("0.250", "0.534s")
        assert row_3.decision == "HOLD_SHADOW"
        assert edited.assessment.wire.terminal == 0
        assert draft_row(View(seen, 1.0)).assessment.wire.terminal == 4

    def test_three_injected_faults_force_nothing(self) -> None:
        fallen = [m._replace(fallback_seen=True) for m in missions(3)]
        seen = builders.state(*night(*fallen))
        assert draft_row(View(seen, 1.0)).suggestion.decision == "FORCE_FALLBACK"
        own = draft_row(View(seen, 1.0)).window._replace(source=Traffic.FAULT_INJECTED)
        assert draft_row(View(seen, 1.0).as_if(own)).suggestion.decision == "HOLD_SHADOW"


class TestWords:
    def test_the_words_are_those_of_the_table(self) -> None:
        words = draft_of().words
        assert words[GO] == "1"
        assert {"HOLD_SHADOW", "FORCE_FALLBACK", "START_SHADOW_WINDOW"} < set(words)

    def test_the_configuration_adds_some(self) -> None:
        assert draft_of(words=("HOLD_FOR_REVIEW",)).words["HOLD_FOR_REVIEW"] == "9"

    @pytest.mark.parametrize("watch", [{"profile": Profile.SUSTAINED}, {"stage": Stage.SUSTAINED}])
    def test_sustained_has_its_own(self, watch: dict[str, Any]) -> None:
        words = draft_of(**watch).words
        assert "SUSTAINED_WATCH" in words
        assert "GO_BROADER_TRAFFIC_ACTIVE" not in words

    def test_more_than_suggested_needs_a_reason(self) -> None:
        held = draft_of(*night())
        assert held.suggestion.decision == "HOLD_SHADOW"
        asked = [word for word in held.words if held.needs_reason(word)]
        assert asked == [GO, "READY_FOR_LIMITED_COHORT_PILOT"]
        assert held.needs_reason("A_WORD_OF_ONES_OWN")

    @pytest.mark.parametrize(
        ("word", "keep", "stays"),
        [
            ("BLOCKED_AUTH", None, True),
            ("HOLD_SHADOW", None, True),
            ("PARTIAL_TIMEOUT_RECOVERED", None, True),
            (GO, None, False),
            ("FORCE_FALLBACK", None, False),
            (GO, True, True),
            ("BLOCKED_AUTH", False, False),
        ],
    )
    def test_the_word_keeps_the_window_open_unless_told_otherwise(
        self, word: str, *, keep: bool | None, stays: bool
    ) -> None:
        assert draft_of().stays_open(Choice(word, keep=keep)) is stays


class TestWithoutMetrics:
    @pytest.mark.parametrize(
        ("events", "said"),
        [
            ([GOLDEN], "not measured: the metrics have not answered yet"),
            (
                [*night(*missions()), builders.failed()],
                "not measured: the metrics are down: connection",
            ),
            ([*night(*missions()), builders.failed(failure=builders.REFUSED)],
             "not measured: the metrics are unauthorized: 401 from the ops plane"),
            ([GOLDEN, builders.failed(failure=builders.REFUSED),
              builders.polled(builders.snapshot(*missions()), 0.5, Plane.DASHBOARD)],
             "not measured: the metrics are unauthorized: 401 from the ops plane"),
        ],
    )  # fmt: skip
    def test_the_cells_are_na_and_the_note_says_why(self, events: list[Event], said: str) -> None:
        draft = draft_of(*events)
        next_row = row_of(draft, Choice(draft.suggestion.decision))
        assert (next_row.fallback_rate, next_row.p95_latency) == ("n/a", "n/a")
        assert next_row.notes.startswith(said)
        assert "missions_considered" not in next_row.notes
        assert "window: +" not in next_row.notes
        assert next_row.date == "2026-11-23T02:00:01Z"
        assert facts_of(draft, Choice("X"), ME)["snapshot"] is None

    def test_stale_metrics_are_not_what_is_so_now(self) -> None:
        draft = draft_of(now=60.0)
        assert row_of(draft, Choice("HOLD_SHADOW")).fallback_rate == "n/a"
        assert draft.own is None

    def test_a_refusal_blocks_and_names_the_token(self) -> None:
        draft = draft_of(GOLDEN, builders.failed(failure=builders.REFUSED))
        assert draft.suggestion.decision == "BLOCKED_AUTH"
        assert "set UA_OPS_TOKEN" in row_of(draft, Choice("BLOCKED_AUTH")).notes


class TestFacts:
    def test_they_are_what_the_record_keeps(self) -> None:
        facts = facts_of(draft_of(), Choice(GO, reason="not asked"), ME)
        assert json.loads(json.dumps(facts)) == facts
        assert (facts["window"]["label"], facts["window"]["open"]) == (NEXT, False)
        assert (facts["stage"], facts["source"]) == ("broadened", "organic")
        assert facts["actor"] == ME
        assert facts["epoch"] == {"number": 1, "boot_stamp": "2026-11-22T19:00:00"}
        assert facts["suggestion"]["decision"] == GO
        assert facts["gates"]["G2"]["verdict"] == "PASS"
        assert facts["thresholds"]["profile"] == "rollout"
        assert facts["override_reason"] is None

    def test_an_override_has_its_reason(self) -> None:
        facts = facts_of(draft_of(*night()), Choice(GO, reason=" the lead said so "), ME)
        assert facts["override_reason"] == "the lead said so"


class TestWhenToAsk:
    def test_usually_it_is_not(self) -> None:
        assert why_ask(draft_of(), ME) is None

    def test_a_log_that_is_not_read_yet(self) -> None:
        draft = draft_of(*night(*missions(), log=None), evidence="log.md")
        assert why_ask(draft, ME) == "the evidence log is not read yet"

    @pytest.mark.parametrize("before", [[], [GOLDEN]])
    def test_a_log_that_cannot_be_read(self, before: list[Event]) -> None:
        unread = EvidenceRead(0.0, (), frozenset(), problem="log.md: it may not be read")
        draft = draft_of(*before, unread, *night(*missions(), log=None), evidence="log.md")
        assert why_ask(draft, ME) == "the evidence log cannot be read: log.md: it may not be read"

    @pytest.mark.parametrize("label", [NEXT, f"{NEXT} (real traffic)"])
    @pytest.mark.parametrize(("by", "who"), [(BO, BO), (None, "somebody, by hand,")])
    def test_a_row_of_somebody_else_for_this_window(
        self, label: str, by: str | None, who: str
    ) -> None:
        theirs = row(label, "BLOCKED_AUTH", date="2026-11-23T01:00:00Z")
        own = WindowsRead(0.0, (window(),))
        draft = draft_of(*night(*missions(), log=written(theirs, by=by)), own)
        said = f"{who} wrote BLOCKED_AUTH for this window at 2026-11-23T01:00:00Z: enter joins in"
        assert why_ask(draft, ME) == said

    def test_who_joined_in_already_is_not_asked_again(self) -> None:
        old = {"date": "2026-11-23T01:00:00Z"}
        theirs, mine = row(NEXT, "BLOCKED_AUTH", **old), row(NEXT, "HOLD_SHADOW", **old)
        log = written(theirs, mine)._replace(authors=(*[None] * 16, BO, ME))
        draft = draft_of(*night(*missions(), log=log), WindowsRead(0.0, (window(),)))
        assert why_ask(draft, ME) is None

    def test_rows_of_other_windows_are_nobodys_business(self) -> None:
        theirs = row(
            "Broadened rollout window #4 (again)", "HOLD_SHADOW", date="2026-11-23T01:00:00Z"
        )
        assert why_ask(draft_of(*night(*missions(), log=written(theirs, by=BO))), ME) is None

    def test_a_row_just_written_without_a_mission_since(self) -> None:
        just = row("Broadened rollout window #5", date="2026-11-23T01:59:30Z")
        draft = draft_of(*night(builders.mission(started_s=-90.0), log=written(just)))
        said = "the last row is younger than 60 s, and no mission came since"
        assert why_ask(draft, ME) == said

    @pytest.mark.parametrize(
        "since",
        [
            builders.mission("new", "running", started_s=-10.0),
            builders.mission("new", started_s=-50.0),
            builders.mission(
                "old", started_s=-90.0, completed_at=builders.NOW - timedelta(seconds=5)
            ),
        ],
        ids=["begun", "came", "ended"],
    )
    def test_a_mission_since_is_something_to_record(self, since: Mission) -> None:
        just = row("Broadened rollout window #5", date="2026-11-23T01:59:30Z")
        log = written(just, ids=frozenset({"old"}))
        assert why_ask(draft_of(*night(since, log=log)), ME) is None

    @pytest.mark.parametrize(
        ("date", "asks"),
        [
            ("2026-11-23T01:58:59Z", False),
            ("2026-11-23T01:59:01Z", True),
            ("2026-11-23T02:00:00Z", True),
            ("2026-11-23", False),
            ("2026-11-23T09:00:00Z", False),
            ("last night", False),
        ],
    )
    def test_only_a_date_with_a_time_tells_that_it_is_young(self, date: str, *, asks: bool) -> None:
        just = unmeasured("Broadened rollout window #4", date=date)
        draft = draft_of(*night(builders.mission(started_s=-9e3), log=written(just)))
        assert (why_ask(draft, ME) is not None) is asks


def test_a_lost_gateway_is_told() -> None:
    draft = draft_of(*scenes.lost(), now=9.0)
    notes = row_of(draft, Choice("HOLD_SHADOW")).notes
    assert "not measured: the metrics are down: 127.0.0.1:8002: connection refused" in notes
    assert "gateway lost" in notes
