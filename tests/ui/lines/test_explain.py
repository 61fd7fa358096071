"""What the explain screen says, as text: all of it, in words where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import scenes
from tests.support.builders import NOW, mission, polled, snapshot, state
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead, SourceFailed, WindowsRead
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.windows import Window
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.lines.paint import width_of
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset())


def told(*events: Event, now: float = 2.0, width: int = 78, **watch: Any) -> str:  # noqa: ANN401 - fields of Watch
    """Return the text with every run of blanks as one, as the wrapping has no meaning."""
    lines = explanation(View(state(*events, **watch), now), width)
    return " ".join("".join(text for line in lines for text, _ in (*line, (" ", ""))).split())


ALL_WELL = told(*scenes.ordinary(), GOLDEN)


@pytest.mark.parametrize("width", [60, 78, 100, 157, 158, 200])
@pytest.mark.parametrize(
    "events",
    [[], scenes.ordinary(), scenes.blind(), scenes.lost(), scenes.refused_ops(dashboard=True)],
    ids=["nothing", "ordinary", "blind", "lost", "dashboard"],
)
def test_no_line_is_wider_than_it_may_be(width: int, events: list[Event]) -> None:
    lines = explanation(View(state(*events), 2.0), width)
    assert max(map(width_of, lines)) <= width


def test_two_columns_tell_what_one_does() -> None:
    made = state(*scenes.ordinary(), GOLDEN)
    one, two = (
        sorted("".join(t for line in explanation(View(made, 2.0), width) for t, _ in line).split())
        for width in (78, 158)
    )
    assert len(explanation(View(made, 2.0), 158)) < len(explanation(View(made, 2.0), 78))
    assert "".join(one).replace(" ", "") != ""
    assert sorted("".join(one)) == sorted("".join(two))


def test_the_p95_names_its_missions_those_of_the_last_20_too() -> None:
    slow = [mission(f"m{n:02d}", started_s=-90.0 * n, duration_s=30.0 + n) for n in range(25)]
    text = told(*scenes.ordinary()[:1], polled(snapshot(*slow)))
    assert "p95 newest of the last 20: 48.000s 2nd of 20, >= 45 s" in text
    assert "53.000s 2nd of 25" in text


class TestVerdict:
    def test_verdict_word_and_reasons_stand_there(self) -> None:
        assert "verdict not proven: rate needs 17 more, p95 needs 2 more" in ALL_WELL
        assert "word may be recorded: GO_BROADER_TRAFFIC_ACTIVE" in ALL_WELL
        assert ALL_WELL.count("not proven: rate needs 17 more, p95 needs 2 more") == 1
        assert "profile rollout, stage broadened" in ALL_WELL

    def test_while_the_log_is_unread_no_word_is_claimed(self) -> None:
        text = told(*scenes.ordinary(), evidence="log.md")
        assert "unknown: the evidence log is not read yet" in text
        assert "GO_BROADER" not in text
        assert "WINDOW unknown" in text

    def test_old_figures_are_called_old(self) -> None:
        text = told(*scenes.metrics_down(), now=30.0)
        assert "figures metrics down, 30s old; what follows proves nothing" in text

    def test_without_metrics_nothing_is_a_number(self) -> None:
        text = told(GOLDEN)
        assert text.count("unknown: the metrics have not answered yet") >= 4
        assert "0 of 0" not in text
        assert "0.000" not in text.replace("reads 0.000 whatever", "")

    def test_why_there_are_no_metrics_is_told(self) -> None:
        refused = SourceFailed(0.0, Source.METRICS, scenes.GONE)
        assert "unknown: the metrics are down: 127.0.0.1:8002: connection refused" in told(refused)


class TestSafety:
    def test_no_alarm_is_said(self) -> None:
        assert ALL_WELL.startswith("SAFETY no alarm and no trouble now")
        assert told().startswith("SAFETY no alarm, but nothing is known yet")

    def test_where_keys_are_named_it_is_said_that_they_act_elsewhere(self) -> None:
        assert "these keys act on the watch screen: esc first" not in ALL_WELL
        tripped = told(*scenes.blind_and_tripped())
        assert "-> [F] force fallback" in tripped
        assert "these keys act on the watch screen: esc first" in tripped
        assert "[i]" not in tripped, "it is open already"

    def test_every_alarm_and_trouble_comes_with_what_helps(self) -> None:
        polls = [e._replace(at=1.0) for e in scenes.lost() if isinstance(e, SourceFailed)]
        text = told(*scenes.ordinary_with_fallbacks(3), *polls)
        assert "! guardrail tripped: 3 of the last 18 fell back" in text
        assert (
            "-> [F] force fallback. dry run: fallback would be forced now; YOU are the auto-revert"
            in text
        )
        assert "! gateway lost: 127.0.0.1:8002: connection refused" in text
        assert "-> [5] see each source; is the gateway running there?" in text

    def test_what_is_no_alarm_is_told_too(self) -> None:
        assert "! the rates disagree: 1 fallback seen" in told(*scenes.disagreeing())

    def test_an_alarm_is_not_told_twice(self) -> None:
        assert told(*scenes.blind()).count("ended unseen") == 1


class TestWindow:
    def test_a_proposed_one_says_what_it_holds(self) -> None:
        assert "WINDOW Broadened rollout window #5 stage broadened" in ALL_WELL
        assert "source organic: feeds gates and guardrails" in ALL_WELL
        assert "state proposed, not opened" in ALL_WELL
        assert "all missions known: no record beside the log names one" in ALL_WELL
        ids = frozenset(m.mission_id for m in scenes.done(18)[3:])
        text = told(*scenes.ordinary(), GOLDEN._replace(recorded_ids=ids))
        assert "all missions but the 15 missions that records beside the log name" in text
        assert "fell back 0/3 (0.000) 0/18 (0.000) 0/19 (0.000)" in text
        assert "proven at most 63.2% at most 15.3%" in text

    def test_its_own_figures_stand_beside_the_cumulative_ones(self) -> None:
        assert "window epoch 1 gateway finished 18 18 19 listed" in ALL_WELL
        assert "running 1 1 1" in ALL_WELL
        assert "p95 36.000s 2nd of 18 36.000s 2nd of 18 36.000s 2nd of 18" in ALL_WELL

    def test_nothing_of_nothing_is_not_zero(self) -> None:
        text = told(*scenes.no_missions())
        assert "fell back n/a n/a n/a proven n/a n/a" in text
        assert "p95 n/a n/a n/a" in text

    def test_traffic_that_is_not_real_feeds_nothing(self) -> None:
        text = told(*scenes.ordinary(), source=Traffic.FAULT_INJECTED)
        assert "source fault-injected: feeds no gate or guardrail" in text
        assert "left out 18 finished of synthetic or fault-injected windows" in text
        assert "interval n/a: no finished mission proves anything" in text

    def test_a_stage_that_was_asked_for_says_so(self) -> None:
        assert "stage limited (asked for with --stage)" in told(stage=Stage.LIMITED)


class TestOpenWindow:
    WINDOW = Window(
        "Broadened rollout window #5",
        "a scope",
        Stage.BROADENED,
        Traffic.ORGANIC,
        NOW,
        frozenset({"m1"}),
    )

    @pytest.mark.parametrize(
        ("anchor", "holds"),
        [
            (frozenset({"m1"}), "after the opening: 1 mission were known then"),
            (None, "missions started after the opening: the gateway did not answer then"),
        ],
    )
    def test_it_says_since_when_and_what_its_anchor_means(
        self, anchor: frozenset[str] | None, holds: str
    ) -> None:
        opened = WindowsRead(0.0, (self.WINDOW._replace(anchor=anchor, decision="HOLD_SHADOW"),))
        text = told(*scenes.ordinary(), GOLDEN, opened, now=90.0)
        assert "state open since 2026-11-23T02:00:00Z, 1m30" in text
        assert holds in text
        assert "last word HOLD_SHADOW" in text


class TestRules:
    def test_each_gate_has_verdict_reason_limit_lack_and_rule(self) -> None:
        assert "rate INCONCLUSIVE fallback rate below target why 0/18 fell back" in ALL_WELL
        assert "limit below 10% proven (E >= 20) missing 17 more clean missions" in ALL_WELL
        assert "rule FAIL: guardrail 3 is tripped, or a rate from 20% on" in ALL_WELL
        assert "failures PASS no sustained vp.mission.failed" in ALL_WELL
        assert "missing 2 more missions with a duration" in ALL_WELL
        assert "missing the suites' result" in ALL_WELL

    def test_what_an_unknown_gate_lacks_is_a_source(self) -> None:
        text = told(*scenes.blind())
        assert "rate UNKNOWN" in text
        assert "missing a source that can be trusted" in text

    def test_promotion_is_not_the_word_that_may_be_recorded(self) -> None:
        assert (
            "Promotion: not yet: rate needs 17 more, p95 needs 2 more, suites not attested"
            in ALL_WELL
        )
        assert "It is not the word that may be recorded" in ALL_WELL

    def test_the_guardrails_say_how_near_they_are(self) -> None:
        assert "0/10 real missions recorded since Limited cohort window #4" in ALL_WELL
        assert "3 revert 0 of the last 18 fell back: trips at 3 more" in ALL_WELL
        assert "who YOU are the auto-revert" in ALL_WELL
        one = told(*scenes.ordinary_with_fallbacks(1))
        assert "trips at 2 more; the oldest leaves the window in 20 missions" in one
        tripped = told(*scenes.ordinary_with_fallbacks(3))
        assert "TRIPPED: 3 of the last 18 fell back" in tripped
        assert "who dry run: fallback would be forced now; YOU are the auto-revert" in tripped

    def test_without_a_log_no_evidence_is_counted(self) -> None:
        text = told(*scenes.ordinary())
        assert "2 evidence no log is read, or its anchor has no date" in text

    def test_no_finished_mission_trips_nothing(self) -> None:
        assert "none finished: trips at 3 more" in told(*scenes.no_missions())


class TestStatistics:
    def test_both_rates_and_what_they_prove(self) -> None:
        assert "reported 0.000 0/19, over all that is listed, running ones too" in ALL_WELL
        assert "finished 0.000 0/18 of epoch 1, reconstructed" in ALL_WELL
        assert "interval 0% to 17.6% (Wilson, 95%, two-sided) for 0/18" in ALL_WELL
        assert "< 10% not proven: E 4.56 of 20; 17 more clean missions prove it" in ALL_WELL
        assert "< 5% not proven: E 1.98 of 20; 54 more clean missions prove it" in ALL_WELL

    def test_a_proof_is_called_one(self) -> None:
        assert "< 10% proven: E 21.8 of 20" in told(*scenes.ordinary(snapshot(*scenes.done(35))))

    def test_a_disagreement_is_counted(self) -> None:
        assert "compared 1 unreported" in told(*scenes.disagreeing())

    def test_the_p95_is_called_a_rank_with_the_next_step(self) -> None:
        assert "p95 of epoch 1: 36.000s 2nd of 18: a rank" in ALL_WELL
        assert "From 31 on it is the 3rd largest" in ALL_WELL
        few = told(*scenes.ordinary(snapshot(*scenes.done(5))))
        assert "s max of 5: a rank" in few
        assert "From 12 on it is the 2nd largest" in few

    def test_what_bounds_the_true_p95(self) -> None:
        assert "n 18 < 59: not even the slowest one bounds it" in ALL_WELL
        many = told(*scenes.ordinary(snapshot(*scenes.done(60))))
        assert "the largest, 36.000s, bounds it (95% sure)" in many

    def test_the_trend_says_what_was_compared(self) -> None:
        enough = told(*scenes.ordinary(snapshot(*scenes.done(30))))
        assert "trend at the newest look the last 10 were" in enough
        assert "not shown to slow" in enough
        few = told(*scenes.ordinary(snapshot(*scenes.done(29))))
        assert "trend n/a: to compare the last 10 with the 20 before, 30 have to be timed" in few
        fast = [m._replace(duration_s=30.0 + n / 10) for n, m in enumerate(scenes.done(30)[10:])]
        slow = [m._replace(duration_s=44.0) for m in scenes.done(30)[:10]]
        assert "trend slower: at the newest look the last 10 were" in told(
            *scenes.ordinary(snapshot(*slow, *fast))
        )

    def test_assumption_and_cost_of_peeking_are_always_told(self) -> None:
        for text in (ALL_WELL, told()):
            assert "independent missions at a steady rate" in text
            assert "in 100 missions at a true 3% it trips in about one case of five" in text


class TestCoverage:
    def test_its_states_are_explained(self) -> None:
        assert "COVERAGE now FULL, outcomes known 19/19" in ALL_WELL
        assert "BLIND the newest mission is not among the events" in ALL_WELL
        blind = told(*scenes.blind())
        assert "now BLIND, outcomes known 18/19" in blind
        assert "reported BLIND says" in blind

    def test_what_the_rate_never_sees_is_counted_or_unknown(self) -> None:
        assert "turns at least 19 ran, 1 beginning heard, 1 of 1 to the VP" in ALL_WELL
        assert "0 could not start" not in ALL_WELL
        assert "turns unknown: no stream was heard" in told(polled(snapshot()))


class TestTraffic:
    def test_no_traffic_is_diagnosed(self) -> None:
        text = told(*scenes.no_missions())
        assert "WHY NO TRAFFIC: no mission in the window" in text
        assert "lane off (UA_ENABLE_CODER_VP)? for: the lane never had a session" in text
        assert "no coding intent? against:" in text

    def test_traffic_needs_no_diagnosis(self) -> None:
        assert "WHY NO TRAFFIC" not in ALL_WELL
        running = polled(snapshot(mission("m9", "running")))
        assert "WHY NO TRAFFIC" not in told(running)

    def test_what_is_unknown_is_not_diagnosed(self) -> None:
        assert "WHY NO TRAFFIC" not in told()
