import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rollout import PASSED, history, observed, passing, situation, window

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.rollout.decisions import ROLLOUT, SUSTAINED, Rule, suggest, table_for
from vp_tui.domain.rollout.guardrails import trip_wire
from vp_tui.domain.rollout.situation import CancelledRun, Cause, Share, Situation, StuckRun
from vp_tui.domain.rollout.verdicts import Gates, Verdict
from vp_tui.domain.rollout.windows import WindowNumbers
from vp_tui.domain.vocabulary import Profile, Stage, Traffic, Word

TRIPPED = trip_wire(history("." * 17 + "bbb"))
REJECTED = ("UA_OPS_TOKEN from the environment was rejected",)
STUCK = StuckRun("session_a", 372.0, waiting=2, last_tool="Bash npm i")
DEAF = StuckRun("session_a", 372.0, is_deaf=True)
CLEARED = CancelledRun("session_a", active_runs=0)
SERVING = {Stage.LIMITED, Stage.BROADENED}
REAL_STAGES = [*sorted(SERVING), Stage.REVERTED, Stage.BLOCKED]
FAILED = PASSED._replace(verdict=Verdict.FAIL, reason="resume_failures_high")
FAILING = passing()._replace(g4=FAILED)


def of(fallback: int, completed: int, p95_s: float = 33.0) -> WindowNumbers:
    return WindowNumbers(
        new=completed, completed=completed, fallback=fallback, p95_s=p95_s, timed=completed
    )


def gate(number: int, verdict: Verdict) -> Gates:
    judged = PASSED._replace(verdict=verdict, reason="so it is")
    return passing()._replace(**{f"g{number}": judged})


def word(**fields: object) -> str:
    return suggest(situation(**fields)).decision


def reasons(**fields: object) -> str:
    return "; ".join(suggest(situation(**fields)).reasons)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.SHADOW, Word.READY_FOR_LIMITED_COHORT_PILOT),
        (Stage.LIMITED, Word.READY_FOR_LIMITED_COHORT_PILOT),
        (Stage.BROADENED, Word.GO_BROADER_TRAFFIC_ACTIVE),
        (Stage.SUSTAINED, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        (Stage.REVERTED, Word.HOLD_SHADOW),
        (Stage.BLOCKED, Word.HOLD_SHADOW),
    ],
)
def test_a_clean_window_in_each_stage(stage: Stage, expected: Word) -> None:
    assert word(stage=stage) == expected


@pytest.mark.parametrize(
    ("clean_limited", "expected"),
    [
        (3, Word.READY_FOR_LIMITED_COHORT_PILOT),
        (4, Word.GO_BROADER_TRAFFIC_ACTIVE),
        (9, Word.GO_BROADER_TRAFFIC_ACTIVE),
    ],
)
def test_four_clean_limited_windows_broaden(clean_limited: int, expected: Word) -> None:
    assert word(stage=Stage.LIMITED, clean_limited=clean_limited) == expected
    said = reasons(stage=Stage.LIMITED, clean_limited=clean_limited)
    assert f"{clean_limited} clean limited windows in the log, 4 broaden" in said


def test_clean_limited_windows_broaden_nothing_from_the_shadow() -> None:
    assert word(stage=Stage.SHADOW, clean_limited=9) == Word.READY_FOR_LIMITED_COHORT_PILOT


@pytest.mark.parametrize("source", Traffic)
@pytest.mark.parametrize("stage", [Stage.SHADOW, *REAL_STAGES])
def test_a_tripped_guardrail(stage: Stage, source: Traffic) -> None:
    gates = passing()._replace(g1=PASSED._replace(verdict=Verdict.FAIL, reason="3 of 20"))
    forces = stage in SERVING and source.is_real
    expected = Word.FORCE_FALLBACK if forces else Word.HOLD_SHADOW
    assert word(stage=stage, source=source, trip_wire=TRIPPED, gates=gates) == expected


@pytest.mark.parametrize("source", Traffic)
def test_a_tripped_guardrail_in_sustained_traffic(source: Traffic) -> None:
    said = {"stage": Stage.SUSTAINED, "source": source, "trip_wire": TRIPPED}
    assert word(**said) == Word.SUSTAINED_FORCE_FALLBACK
    assert "guardrail 3: 3 of the last 20" in reasons(**said)


@pytest.mark.parametrize("source", [Traffic.ORGANIC, Traffic.FAULT_INJECTED])
def test_only_real_missions_trip_the_guardrail(source: Traffic) -> None:
    seen = observed(window(source=source), history("bbb."))
    assert seen.trip_wire.tripped is source.is_real
    expected = Word.FORCE_FALLBACK if source.is_real else Word.HOLD_SHADOW
    assert suggest(seen).decision == expected


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("dashboard", [False, True])
def test_a_refused_ops_plane_comes_before_all_else(
    stage: Stage, profile: Profile, *, dashboard: bool
) -> None:
    said = {
        "stage": stage,
        "profile": profile,
        "refusal": REJECTED,
        "trip_wire": TRIPPED,
        "stuck_runs": (STUCK,),
        "coverage": CoverageState.FULL if dashboard else None,
    }
    assert word(**said) == Word.BLOCKED_AUTH
    assert suggest(situation(**said)).reasons == REJECTED


@pytest.mark.parametrize("table", [{"stage": Stage.BROADENED}, {"profile": Profile.SUSTAINED}])
@pytest.mark.parametrize(
    ("run", "blocked"),
    [
        (STUCK, True),
        (STUCK._replace(waiting=0), True),
        (STUCK._replace(finished_since=True), False),
        (DEAF, False),
        (DEAF._replace(waiting=1), True),
        (DEAF._replace(waiting=1, finished_since=True), False),
    ],
)
def test_a_run_that_hangs_blocks_when_nothing_gets_past_it(
    table: dict[str, object], run: StuckRun, *, blocked: bool
) -> None:
    assert (word(**table, stuck_runs=(run,)) == Word.BLOCKED_EXECUTION_PIPELINE) is blocked


@pytest.mark.parametrize("run", [DEAF, STUCK._replace(finished_since=True)])
def test_a_window_with_a_run_that_hangs_is_not_clean(run: StuckRun) -> None:
    assert word(stuck_runs=(run,)) == Word.HOLD_SHADOW
    assert run.line in reasons(stuck_runs=(run,))


@pytest.mark.parametrize(
    ("cancelled", "stuck_runs", "expected"),
    [
        (CLEARED, (), Word.PARTIAL_TIMEOUT_RECOVERED),
        (CLEARED, (DEAF,), Word.PARTIAL_TIMEOUT_RECOVERED),
        (CLEARED, (DEAF._replace(waiting=1),), Word.BLOCKED_EXECUTION_PIPELINE),
        (CLEARED._replace(active_runs=1), (STUCK,), Word.BLOCKED_EXECUTION_PIPELINE),
        (CLEARED._replace(active_runs=1), (), Word.HOLD_SHADOW),
        (CLEARED._replace(recovered="15:20:31"), (), Word.PARTIAL_TIMEOUT_RECOVERED),
        (CLEARED._replace(is_told=True), (), Word.HOLD_SHADOW),
        (
            CLEARED._replace(is_told=True, recovered="15:20:31"),
            (),
            Word.GO_BROADER_TRAFFIC_ACTIVE,
        ),
    ],
)
def test_a_stuck_run_that_was_cancelled(
    cancelled: CancelledRun, stuck_runs: tuple[StuckRun, ...], expected: Word
) -> None:
    assert word(cancelled=(cancelled,), stuck_runs=stuck_runs) == expected


@pytest.mark.parametrize(
    ("recovered", "said"),
    [
        (None, "not recovered yet"),
        ("15:20:31", "recovered 15:20:31, a later turn completed"),
    ],
)
def test_a_recovery_is_unconfirmed_until_a_turn_completes(recovered: str | None, said: str) -> None:
    run = CLEARED._replace(recovered=recovered)
    assert reasons(cancelled=(run,)).endswith(said)


def test_a_tripped_guardrail_comes_before_a_stuck_run() -> None:
    assert word(trip_wire=TRIPPED, stuck_runs=(STUCK,)) == Word.FORCE_FALLBACK


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"window": WindowNumbers()}, "no finished mission in the window"),
        ({"window": WindowNumbers(new=2, running=2)}, "in the window, 2 running"),
        ({"window": WindowNumbers(new=3, completed=3, fallback=1, p95_s=1.0)}, "1 of 3 fell back"),
        ({"window": WindowNumbers(new=3, completed=2, failed=1, p95_s=1.0)}, "1 of 3 failed"),
        ({"window": WindowNumbers(new=3, completed=3, p95_s=45.0)}, "the window's p95 45.000s"),
        (
            {"window": WindowNumbers(new=3, completed=3, running=1, fallen_running=1)},
            "1 still running fell back already",
        ),
        ({"runs_are_judged": False}, "runs not watched"),
        ({"unstarted": 2}, "2 turns could not start the lane"),
        ({"changed": ("1 of limited 4 fell back after all",)}, "fell back after all"),
        ({"cancelled": (CLEARED._replace(is_told=True),)}, "not recovered yet"),
        ({"passed_trip": "guardrail 3 was tripped at 02:00:00Z"}, "was tripped at 02:00:00Z"),
        ({"window": of(0, 3)._replace(unknown=1)}, "1 outcome of the window unknown"),
        ({"coverage": None}, "no metrics"),
        ({"doubt": "metrics 31 s old"}, "metrics 31 s old"),
        ({"stuck_runs": (DEAF,)}, "deaf: session_a silent 372s"),
        ({"gates": FAILING}, "suites FAIL: resume_failures_high"),
    ],
)
@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIMITED, Stage.BROADENED])
def test_what_is_not_clean_is_held_and_named(
    stage: Stage, damage: dict[str, object], said: str
) -> None:
    fields = {"stage": stage, "clean_limited": 4} | damage
    assert word(**fields) == Word.HOLD_SHADOW
    assert said in reasons(**fields)
    assert ("do not advance" in reasons(**fields)) is (stage is not Stage.SHADOW)


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - {Verdict.FAIL}))
def test_a_gate_that_does_not_fail_does_not_hold(verdict: Verdict) -> None:
    gates = passing()._replace(g3=PASSED._replace(verdict=verdict))
    assert word(gates=gates) == Word.GO_BROADER_TRAFFIC_ACTIVE


def test_a_trip_that_a_restart_ended_forces_until_a_row_tells_it() -> None:
    said = {"stage": Stage.LIMITED, "ended_trip": "tripped before the restart of 14:22"}
    assert word(**said) == Word.FORCE_FALLBACK
    assert "tripped before the restart of 14:22" in reasons(**said)
    assert word(**said, source=Traffic.SYNTHETIC) == Word.READY_FOR_LIMITED_COHORT_PILOT


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIMITED, Stage.REVERTED, Stage.BLOCKED])
def test_the_sustained_profile_decides_only_where_the_lane_is_broadened(stage: Stage) -> None:
    seen = situation(stage=stage, profile=Profile.SUSTAINED)
    assert table_for(seen) == ROLLOUT


def test_missions_without_a_time_say_nothing_of_the_p95() -> None:
    fields = {"window": WindowNumbers(new=3, completed=3)}
    assert word(**fields) == Word.GO_BROADER_TRAFFIC_ACTIVE


def test_traffic_that_is_not_real_is_said_to_prove_nothing() -> None:
    said = reasons(source=Traffic.SYNTHETIC)
    assert "the traffic is synthetic: gates and guardrails do not count it" in said


def test_no_traffic_is_held_with_its_likely_causes() -> None:
    likely = Cause("lane off", ("2 turns unsaid",), ())
    unlikely = Cause("shadow mode", (), ("2 turns delegated",))
    fields = {"window": WindowNumbers(), "causes": (likely, unlikely)}
    assert "lane off? for: 2 turns unsaid" in reasons(**fields)
    assert "shadow mode" not in reasons(**fields)
    assert "lane off" in reasons(stage=Stage.BROADENED, profile=Profile.SUSTAINED, **fields)
    assert "lane off" not in reasons(causes=(likely,), coverage=CoverageState.BLIND)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"window": WindowNumbers()}, Word.SUSTAINED_MONITOR_NO_TRAFFIC),
        ({"window": WindowNumbers(), "unstarted": 1}, Word.SUSTAINED_WATCH),
        ({"window": WindowNumbers(running=1)}, Word.SUSTAINED_WATCH),
        ({"window": WindowNumbers(), "trip_wire": TRIPPED}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"window": WindowNumbers(), "doubt": "stale"}, Word.SUSTAINED_WATCH),
        ({"window": WindowNumbers(), "coverage": None}, Word.SUSTAINED_WATCH),
        ({"trip_wire": TRIPPED}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"ended_trip": "tripped before the restart"}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"window": of(2, 10)}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"window": of(1, 5)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"window": of(2, 11)}, Word.SUSTAINED_WATCH),
        ({"window": of(2, 41)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"trip_wire": trip_wire(history("b" + "." * 18 + "b"))}, Word.SUSTAINED_WATCH),
        ({"epoch": Share(2, 10)}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"epoch": Share(2, 19)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"epoch": Share(2, 20)}, Word.SUSTAINED_WATCH),
        ({"epoch": Share(1, 20)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"epoch": Share(20, 100), "coverage": CoverageState.BLIND}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"window": of(0, 3)._replace(unknown=1)}, Word.SUSTAINED_WATCH),
        ({"window": WindowNumbers(new=3, completed=3)}, Word.SUSTAINED_WATCH),
        ({"window": of(0, 3, 44.999)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"window": of(0, 3, 45.0)}, Word.SUSTAINED_WATCH),
        ({"window": of(0, 3, 190.0)}, Word.SUSTAINED_WATCH),
        ({"window": of(0, 3)._replace(failed=1)}, Word.SUSTAINED_WATCH),
        ({"window": of(0, 3)._replace(fallen_running=1)}, Word.SUSTAINED_WATCH),
        ({"runs_are_judged": False}, Word.SUSTAINED_WATCH),
        ({"stuck_runs": (DEAF,)}, Word.SUSTAINED_WATCH),
        ({"cancelled": (CLEARED,)}, Word.SUSTAINED_WATCH),
        ({"gates": gate(1, Verdict.FAIL)}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"gates": gate(2, Verdict.FAIL)}, Word.SUSTAINED_WATCH),
        ({"gates": gate(3, Verdict.FAIL)}, Word.SUSTAINED_FORCE_FALLBACK),
        ({"gates": gate(4, Verdict.FAIL)}, Word.SUSTAINED_WATCH),
        ({"gates": gate(1, Verdict.WATCH)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"gates": gate(2, Verdict.WATCH)}, Word.SUSTAINED_WATCH),
        ({"gates": gate(1, Verdict.UNKNOWN)}, Word.SUSTAINED_WATCH),
        ({"gates": gate(4, Verdict.UNKNOWN)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
        ({"gates": gate(1, Verdict.INCONCLUSIVE)}, Word.SUSTAINED_DEFAULT_ON_HEALTHY),
    ],
)
@pytest.mark.parametrize(
    "table", [{"profile": Profile.SUSTAINED, "stage": Stage.BROADENED}, {"stage": Stage.SUSTAINED}]
)
def test_the_sustained_table(
    table: dict[str, object], fields: dict[str, object], expected: Word
) -> None:
    assert word(**table, **fields) == expected
    assert all(suggest(situation(**table, **fields)).reasons)


SITUATIONS = st.builds(
    Situation,
    stage=st.sampled_from(Stage),
    source=st.sampled_from(Traffic),
    window=st.builds(
        WindowNumbers,
        new=st.integers(0, 3),
        completed=st.integers(0, 3),
        failed=st.integers(0, 2),
        running=st.integers(0, 2),
        fallback=st.integers(0, 2),
        p95_s=st.none() | st.floats(0, 200),
    ),
    trip_wire=st.text(alphabet=".bF", max_size=22).map(history).map(trip_wire),
    gates=st.sampled_from([passing(), FAILING]),
    profile=st.sampled_from(Profile),
    coverage=st.none() | st.sampled_from(CoverageState),
    doubt=st.sampled_from([None, "metrics 31 s old"]),
    epoch=st.builds(Share, st.integers(0, 9), st.integers(9, 40)),
    unstarted=st.integers(0, 1),
    ended_trip=st.sampled_from([None, "tripped before the restart"]),
    refusal=st.sampled_from([(), REJECTED]),
    stuck_runs=st.lists(
        st.builds(StuckRun, st.just("s"), st.floats(0, 1e6), st.booleans(), st.integers(0, 3)),
        max_size=2,
    ).map(tuple),
    cancelled=st.lists(
        st.builds(
            CancelledRun,
            st.just("s"),
            st.integers(0, 1),
            st.sampled_from([None, "15:20:31"]),
            st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    clean_limited=st.integers(0, 6),
)


@given(SITUATIONS)
def test_every_situation_has_a_word_of_its_table_and_reasons(seen: Situation) -> None:
    suggestion = suggest(seen)
    assert suggestion.decision in {rule.word for rule in table_for(seen)}
    assert suggestion.reasons
    assert all(suggestion.reasons)
    assert suggestion.decision != Word.START_SHADOW_WINDOW


@given(SITUATIONS)
def test_nothing_goes_on_unless_it_is_clean(seen: Situation) -> None:
    promoting = {Word.GO_BROADER_TRAFFIC_ACTIVE, Word.READY_FOR_LIMITED_COHORT_PILOT}
    if suggest(seen).decision in promoting:
        assert not seen.unclean
        assert not seen.stuck_runs
        assert all(run.is_settled for run in seen.cancelled)
        assert seen.window.terminal > 0


@given(SITUATIONS)
def test_a_trip_beyond_the_shadow_is_never_masked_by_a_promotion(seen: Situation) -> None:
    seen = seen._replace(trip_wire=TRIPPED, profile=Profile.ROLLOUT, refusal=())
    if seen.source.is_real and seen.stage in SERVING:
        assert suggest(seen).decision == Word.FORCE_FALLBACK


@pytest.mark.parametrize("table", [ROLLOUT, SUSTAINED])
def test_no_table_suggests_a_start_and_none_needs_its_end_twice(table: tuple[Rule, ...]) -> None:
    assert Word.START_SHADOW_WINDOW not in {rule.word for rule in table}
    assert table[-1].reasons(situation())
