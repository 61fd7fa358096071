from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders
from tests.support.rollout import golden_rows
from tests.support.rollout import window as opened_window
from tests.support.scenes import GONE

from vp_tui.domain.events import Event, EvidenceRead, WindowsRead
from vp_tui.domain.models import Continuity, ContinuityAlert, Plane, Source
from vp_tui.domain.rollout.verdicts import Verdict, Waiver
from vp_tui.domain.vocabulary import Profile, RevertMode, Stage, Traffic
from vp_tui.state.reducer import reduce
from vp_tui.state.state import State, Watch, initial_state
from vp_tui.views.assessment import Assessment, assess
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.troubles import GUARDRAIL
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.models import Mission

GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset())


def done(count: int, **fields: Any) -> list[Mission]:  # noqa: ANN401 - fields of Mission
    """Return finished missions, newest first."""
    return [
        builders.mission(f"m{n:03d}", started_s=-60.0 * (count - n), **fields) for n in range(count)
    ][::-1]


def night(*missions: Mission, log: EvidenceRead | None = GOLDEN) -> list[Event]:
    """Return a night on which every source answered at 0.0."""
    read: list[Event] = [log] if log else []
    polls = [
        builders.healthy(),
        builders.polled(builders.snapshot(*missions)),
        builders.listing(),
        builders.booted(),
        builders.logged("a"),
    ]
    return [*read, *polls]


def assessed(*events: Event, now: float = 1.0, **watch: Any) -> Assessment:  # noqa: ANN401 - fields of Watch
    return assess(View(builders.state(*events, **watch), now))


def verdicts(assessment: Assessment) -> list[Verdict]:
    return [gate.verdict for gate in assessment.gates.by_name().values()]


class TestWindow:
    def test_stage_and_label_follow_from_the_log(self) -> None:
        window = assessed(*night(*done(3))).window
        assert window is not None
        assert window.label == "Broadened rollout window #5"
        assert window.stage is Stage.BROADENED
        assert window.opened_at is None
        assert window.scope == "vp.coder.primary on here, organic traffic"

    def test_it_holds_what_no_record_names(self) -> None:
        log = GOLDEN._replace(recorded_ids=frozenset({"m000", "m001"}))
        own = assessed(*night(*done(5), log=log)).numbers
        assert own is not None
        assert (own.new, own.completed) == (3, 3)

    def test_settings_overrule_the_log(self) -> None:
        window = assessed(*night(), stage=Stage.SHADOW, source=Traffic.PROBE).window
        assert window is not None
        assert (window.stage, window.source) == (Stage.SHADOW, Traffic.PROBE)

    def test_the_next_one_can_be_named(self) -> None:
        window = assessed(
            *night(), window_label="Limited cohort window #9", window_scope="A"
        ).window
        assert window is not None
        assert (window.label, window.scope) == ("Limited cohort window #9", "A")
        assert window.stage is Stage.LIMITED, "as its label says"

    def test_an_open_one_keeps_its_name(self) -> None:
        read = WindowsRead(0.0, (opened_window(label="Mine", scope="B"),))
        window = assessed(*night(), read, window_label="Next", window_scope="A").window
        assert window is not None
        assert (window.label, window.scope) == ("Mine", "B")

    def test_without_a_log_it_is_the_first_of_all(self) -> None:
        assessment = assessed(*night(log=None))
        assert assessment.window is not None
        assert assessment.window.label == "Shadow window #1"
        assert assessment.target is None

    @pytest.mark.parametrize(
        "log", [None, EvidenceRead(0.0, (), frozenset(), "log.md: it is a directory")]
    )
    def test_while_the_log_is_unread_nothing_is_claimed(self, log: EvidenceRead | None) -> None:
        assessment = assessed(*night(*done(3), log=log), evidence="evidence_log.md")
        assert (assessment.window, assessment.suggestion) == (None, None)
        assert assessment.wire.terminal == 3

    def test_a_problem_later_leaves_what_was_read(self) -> None:
        broken = EvidenceRead(1.0, (), frozenset(), "log.md: it is a directory")
        assessment = assessed(*night(*done(3)), broken, evidence="evidence_log.md")
        assert assessment.window is not None
        assert assessment.window.label == "Broadened rollout window #5"


class TestGates:
    def test_clean_missions_are_not_proof(self) -> None:
        assessment = assessed(*night(*done(18)))
        assert assessment.gates.missing == ("G1 +17", "G3 +2", "G4 suites")
        assert assessment.is_clean
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "GO_BROADER_TRAFFIC_ACTIVE"
        assert assessment.safety == ()

    def test_no_metrics_prove_nothing(self) -> None:
        assessment = assessed(GOLDEN)
        assert verdicts(assessment) == [Verdict.UNKNOWN] * 4
        assert (assessment.numbers, assessment.is_clean) == (None, None)
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "HOLD_SHADOW"

    @pytest.mark.parametrize(
        ("trouble", "now"),
        [
            ([], 60.0),
            ([builders.failed(Source.METRICS)], 1.0),
            (
                [
                    builders.failed(Source.METRICS, builders.REFUSED),
                    builders.polled(builders.snapshot(*done(40)), 0.5, Plane.DASHBOARD),
                ],
                1.0,
            ),
        ],
    )
    def test_a_doubtful_source_never_passes(self, trouble: list[Event], now: float) -> None:
        sound = verdicts(assessed(*night(*done(40))))
        assert sound[:3] == [Verdict.PASS] * 3
        doubtful = verdicts(assessed(*night(*done(40)), *trouble, now=now))
        assert doubtful[:3] == [Verdict.UNKNOWN] * 3

    def test_alerts_of_the_gateway_fail_the_fourth(self) -> None:
        alert = ContinuityAlert("resume_failures_high", "critical", "words")
        broken = builders.booted()._replace(
            continuity=Continuity("2026-11-22T19:00:00", "ok", "degraded", (alert,), 0)
        )
        seen = builders.state(*night(*done(3)), broken)
        assert verdicts(assess(View(seen, 1.0)))[3] is Verdict.FAIL
        assert exit_code(View(seen, 1.0)) == 1

    def test_old_continuity_is_unknown(self) -> None:
        assert verdicts(assessed(*night(*done(3)), now=60.0))[3] is Verdict.UNKNOWN


class TestWaivers:
    """A window of which a gate was set aside."""

    BROKEN = builders.booted()._replace(
        continuity=Continuity(
            "2026-11-22T19:00:00",
            "ok",
            "degraded",
            (ContinuityAlert("resume_failures_high", "critical", "words"),),
            0,
        )
    )

    @staticmethod
    def waiving(gate: str, was: Verdict) -> WindowsRead:
        waiver = Waiver(gate, "ana@laptop", "known, see #42", builders.NOW, was)
        return WindowsRead(0.0, (opened_window(waivers=(waiver,)),))

    def test_a_waived_fail_keeps_no_window_from_being_clean_and_proves_nothing(self) -> None:
        failing = [*night(*done(40)), self.BROKEN]
        assert assessed(*failing).is_clean is False
        seen = builders.state(*failing, self.waiving("G4", Verdict.FAIL))
        assessment = assess(View(seen, 1.0))
        assert assessment.gates.g4.verdict is Verdict.WAIVED
        assert assessment.gates.g4.reason.startswith(
            "waived by ana@laptop: known, see #42 (was FAIL: resume_failures_high"
        )
        assert assessment.is_clean is True
        assert assessment.gates.missing == ("G4 WAIVED",)
        assert exit_code(View(seen, 1.0)) == 0

    def test_worse_news_than_what_was_waived_stands(self) -> None:
        waived = self.waiving("G4", Verdict.INCONCLUSIVE)
        assert assessed(*night(*done(40)), waived).gates.g4.verdict is Verdict.WAIVED
        assessment = assessed(*night(*done(40)), self.BROKEN, waived)
        assert assessment.gates.g4.verdict is Verdict.FAIL
        assert assessment.is_clean is False

    def test_a_pass_that_is_earned_is_one(self) -> None:
        assessment = assessed(*night(*done(40)), self.waiving("G1", Verdict.INCONCLUSIVE))
        assert assessment.gates.g1.verdict is Verdict.PASS

    def test_no_waiver_masks_a_guardrail(self) -> None:
        fallen = [m._replace(fallback_seen=True) for m in done(3)]
        assessment = assessed(*night(*fallen), self.waiving("G1", Verdict.FAIL))
        assert assessment.gates.g1.verdict is Verdict.FAIL
        assert [alarm.alarm for alarm in assessment.safety] == [GUARDRAIL]
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "FORCE_FALLBACK"


class TestGuardrails:
    def test_three_fallbacks_trip_and_force(self) -> None:
        fallen = [m._replace(fallback_seen=True) for m in done(3)]
        seen = builders.state(*night(*fallen))
        assessment = assess(View(seen, 1.0))
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "FORCE_FALLBACK"
        assert [(alarm.alarm, alarm.key) for alarm in assessment.safety] == [(GUARDRAIL, "F")]
        assert "3 of the last 3 fell back" in assessment.safety[0].reason
        assert exit_code(View(seen, 1.0)) == 1

    @pytest.mark.parametrize("watch", [{"source": Traffic.FAULT_INJECTED}, {}])
    def test_unreal_missions_feed_nothing(self, watch: dict[str, Any]) -> None:
        fallen = [m._replace(fallback_seen=True) for m in done(3)]
        ids = frozenset() if watch else frozenset(m.mission_id for m in fallen)
        log = GOLDEN._replace(recorded_ids=ids, unreal_ids=ids)
        assessment = assessed(*night(*fallen, log=log), **watch)
        assert assessment.wire.terminal == 0
        assert assessment.safety == ()
        assert assessment.gates.g1.verdict is Verdict.INCONCLUSIVE

    def test_a_trip_is_told_whatever_else_is_wrong(self) -> None:
        fallen = [m._replace(fallback_seen=True) for m in done(3)]
        polls = (Source.HEALTH, Source.METRICS, Source.SESSIONS, Source.CONTINUITY)
        assessment = assessed(*night(*fallen), *(builders.failed(source, GONE) for source in polls))
        assert [alarm.alarm for alarm in assessment.safety] == [GUARDRAIL, "gateway lost"]

    def test_a_trip_seen_by_the_dashboard_is_told_beside_the_blocked_word(self) -> None:
        fallen = [m._replace(fallback_seen=True) for m in done(3)]
        assessment = assessed(
            GOLDEN,
            builders.healthy(),
            builders.failed(failure=builders.REFUSED),
            builders.polled(builders.snapshot(*fallen), 0.5, Plane.DASHBOARD),
        )
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "BLOCKED_AUTH"
        assert [alarm.alarm for alarm in assessment.safety] == [GUARDRAIL]

    def test_a_blind_rate_is_an_alarm(self) -> None:
        assessment = assessed(
            builders.healthy(),
            builders.polled(builders.snapshot(builders.mission(result_ref=None), events=[])),
        )
        assert [(alarm.alarm, alarm.key) for alarm in assessment.safety] == [
            ("outcomes unknown", "i")
        ]

    def test_the_evidence_target_counts_what_is_recorded(self) -> None:
        target = assessed(*night(*done(3))).target
        assert target is not None
        assert target.anchor == "Limited cohort window #4 (real traffic)"


class TestWords:
    def test_the_sustained_profile_has_its_own(self) -> None:
        assessment = assessed(*night(), profile=Profile.SUSTAINED)
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "SUSTAINED_MONITOR_NO_TRAFFIC"

    def test_no_traffic_is_diagnosed(self) -> None:
        assessment = assessed(*night())
        assert assessment.suggestion is not None
        assert assessment.suggestion.decision == "HOLD_SHADOW"
        assert "no finished mission in the window" in assessment.suggestion.reasons


class TestCost:
    def test_nothing_is_computed_again_while_nothing_changed(self) -> None:
        seen = builders.state(*night(*done(400)))
        view = View(seen, 1.0)
        first = assess(view)
        later = View(seen, 1.5, view)
        assert assess(later) is first
        assert assess(View(reduce(seen, builders.logged("b")), 2.0, later)) is first

    def test_what_is_new_is_computed(self) -> None:
        first = View(builders.state(*night(*done(3))), 1.0)
        other = View(builders.state(*night(*done(4))), 1.0, first)
        assert assess(first).wire.terminal == 3
        assert assess(other).wire.terminal == 4


class TestStatus:
    def test_the_object_tells_it(self) -> None:
        value = status_object(View(builders.state(*night(*done(18))), 1.0))
        assert value["lane"]["stage"] == "broadened"
        assert value["window"] == {
            "label": "Broadened rollout window #5",
            "scope": "vp.coder.primary on here, organic traffic",
            "stage": "broadened",
            "source": "organic",
            "opened_at": None,
            "missions": {
                "new": 18, "completed": 18, "failed": 0, "running": 0, "fallback": 0,
                "falling_back": 0, "unknown": 0,
            },
            "clean": True,
        }  # fmt: skip
        assert {name: gate["verdict"] for name, gate in value["gates"].items()} == {
            "G1": "INCONCLUSIVE",
            "G2": "PASS",
            "G3": "INCONCLUSIVE",
            "G4": "INCONCLUSIVE",
        }
        assert set(value["gates"]["G1"]) == {"verdict", "reason", "threshold"}
        assert value["promotion"] == {
            "recommended": False, "missing": ["G1 +17", "G3 +2", "G4 suites"],
        }  # fmt: skip
        assert value["guardrails"]["cancel_recovery"] == {"state": "none pending", "pending": 0}
        assert value["guardrails"]["evidence_target"]["of"] == 10
        assert value["guardrails"]["auto_revert"] == {
            "mode": "dry-run", "tripped": False, "reason": "trips at 3 more",
        }  # fmt: skip
        assert value["safety"] == []
        assert value["suggestion"]["decision"] == "GO_BROADER_TRAFFIC_ACTIVE"

    @pytest.mark.parametrize("mode", RevertMode)
    def test_one_look_tells_the_mode_of_the_auto_revert(self, mode: RevertMode) -> None:
        fallen = [
            builders.mission(f"m{n}", started_s=-60.0 * n, fallback_seen=True) for n in range(1, 4)
        ]
        value = status_object(
            View(
                builders.state(
                    builders.healthy(),
                    builders.polled(builders.snapshot(*fallen)),
                    auto_revert=mode,
                ),
                1.0,
            )
        )
        assert value["guardrails"]["auto_revert"] == {
            "mode": str(mode),
            "tripped": True,
            "reason": "3 of the last 3 fell back (> 10% of 20)",
        }

    def test_an_alarm_is_told_with_its_key(self) -> None:
        value = status_object(
            View(
                builders.state(
                    builders.healthy(),
                    builders.polled(
                        builders.snapshot(builders.mission(result_ref=None), events=[])
                    ),
                ),
                1.0,
            )
        )
        assert [set(alarm) for alarm in value["safety"]] == [{"alarm", "reason", "key"}]

    def test_what_is_unknown_is_null(self) -> None:
        unread: State = initial_state(
            Watch("http://gateway", "here", "vp", evidence="evidence_log.md"),
            at=0.0,
            wall=builders.state().clock.wall,
        )
        value = status_object(View(unread, 1.0))
        for name in ("window", "guardrails", "suggestion"):
            assert value[name] is None
        assert value["lane"]["stage"] is None
