import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import BOOT, NOW
from tests.support.rollout import entry, gate_facts, history, lasting, passing, window

from vp_tui.domain.models import Continuity, ContinuityAlert
from vp_tui.domain.rollout.gates import GateFacts, judge_gates
from vp_tui.domain.rollout.verdicts import (
    Attestation,
    GateResult,
    Suites,
    Verdict,
    Waiver,
    with_waivers,
)
from vp_tui.domain.rollout.windows import WindowNumbers, numbers_of

PASS, WATCH, FAIL = Verdict.PASS, Verdict.WATCH, Verdict.FAIL
INCONCLUSIVE, UNKNOWN = Verdict.INCONCLUSIVE, Verdict.UNKNOWN
SUITES = Suites(Attestation.PASSED, "no failures")


def verdict(name: str, facts: GateFacts) -> Verdict:
    return judge_gates(facts).by_name()[name].verdict


def gate(name: str, facts: GateFacts) -> GateResult:
    return judge_gates(facts).by_name()[name]


@pytest.mark.parametrize(
    ("marks", "expected", "threshold"),
    [
        ("", INCONCLUSIVE, "below 10%"),
        ("." * 34, INCONCLUSIVE, "below 10%"),
        ("." * 35, PASS, "below 10%"),
        ("b", WATCH, "5% watch"),
        ("b.", WATCH, "5% watch"),  # one is no critical rate, whatever the fraction
        ("bb" + "." * 8, FAIL, "20% critical"),
        ("bb" + "." * 9, WATCH, "5% watch"),
        ("bbb" + "." * 17, FAIL, "guardrail 3"),
        ("bbb" + "." * 18, WATCH, "5% watch"),
        ("FF" + "." * 8, FAIL, "guardrail 3"),
        ("b" + "." * 19, WATCH, "5% watch"),  # 1/20 is exactly 5%
        ("b" + "." * 20, INCONCLUSIVE, "below 10%"),
        ("b" + "." * 61, INCONCLUSIVE, "below 10%"),
        ("b" + "." * 62, PASS, "below 10%"),
        ("." * 60 + "b", WATCH, "5% watch"),  # the last 20 hold it
    ],
)
def test_the_fallback_gate(marks: str, expected: Verdict, threshold: str) -> None:
    result = gate("G1", gate_facts(history(marks)))
    assert result.verdict is expected
    assert threshold in result.threshold


@pytest.mark.parametrize(
    ("own", "expected", "where"),
    [
        (WindowNumbers(5, 5, fallback=2), FAIL, "2 of 5 fell back in the window"),
        (WindowNumbers(11, 11, fallback=2), WATCH, "2 of 11 fell back in the window"),
        (WindowNumbers(20, 20, fallback=1), WATCH, "1 of 20 fell back in the window"),
        (WindowNumbers(21, 21, fallback=1), PASS, "0/60"),
        (None, PASS, "0/60"),
    ],
)
def test_the_window_is_looked_at_as_well(
    own: WindowNumbers | None, expected: Verdict, where: str
) -> None:
    result = gate("G1", gate_facts(history("." * 60), window=own))
    assert result.verdict is expected
    assert where in result.reason


@pytest.mark.parametrize(
    ("marks", "missing"),
    [("", "+35"), ("." * 15, "+20"), ("." * 18, "+17"), ("b" + "." * 20, "+42")],
)
def test_the_missions_that_a_claim_still_takes(marks: str, missing: str) -> None:
    assert gate("G1", gate_facts(history(marks))).missing == missing


def test_fifteen_clean_missions_are_no_proof() -> None:
    result = gate("G1", gate_facts(history("." * 15)))
    assert "0/15 fell back, at most 18.1%" in result.reason


@pytest.mark.parametrize(
    ("marks", "orphans", "expected"),
    [
        ("." * 9, 0, INCONCLUSIVE),
        ("." * 10, 0, PASS),
        ("." * 10, 1, WATCH),
        ("F" + "." * 19, 0, WATCH),
        ("F" + "." * 20, 0, PASS),
        ("F.F" + "." * 10, 0, WATCH),
        ("FF", 0, FAIL),
        ("." * 10 + "FF", 0, FAIL),
        ("F.F.F", 0, FAIL),
        ("b" * 10, 0, PASS),  # a fallback is no failure: the primary path answered
    ],
)
def test_the_failure_gate(marks: str, orphans: int, expected: Verdict) -> None:
    assert verdict("G2", gate_facts(history(marks), orphans=orphans)) is expected


def test_what_the_failure_gate_says() -> None:
    assert gate("G2", gate_facts(history("." * 6))).missing == "+4"
    assert "users saw it" in gate("G2", gate_facts(history("FF"))).reason
    both = gate("G2", gate_facts(history("F" + "." * 9), orphans=2))
    assert both.reason.startswith("1 of the last 20 failed")
    assert "2 orphaned" in both.reason


@pytest.mark.parametrize(
    ("durations", "expected", "threshold"),
    [
        ([], INCONCLUSIVE, "20 missions"),
        ([30.0] * 19, INCONCLUSIVE, "20 missions"),
        ([30.0] * 20, PASS, "below 45 s"),
        ([30.0] * 10 + [44.999], INCONCLUSIVE, "20 missions"),
        ([30.0] * 10 + [45.0], WATCH, "45 s watch"),
        ([30.0] * 10 + [89.999], WATCH, "45 s watch"),
        ([30.0] * 10 + [90.0], WATCH, "45 s watch"),  # one is too few to fail
        ([30.0] * 10 + [90.0] * 2, FAIL, "90 s critical"),
        ([30.0] * 2 + [90.0] * 2, WATCH, "45 s watch"),  # of 4 no p95 is critical
        ([30.0] * 58 + [90.0] * 2, FAIL, "90 s critical"),  # the p95 of 60 is the 4th largest
        ([30.0] * 40 + [90.0] * 2 + [30.0] * 19, PASS, "below 45 s"),
        ([30.0] * 19 + [200.0], PASS, "below 45 s"),  # the p95 of 20 is the second largest
        ([30.0] * 18 + [45.0, 45.0], WATCH, "45 s watch"),
        ([45.0] * 3, FAIL, "5% reach 45 s"),
        ([30.0] * 116 + [45.0] * 4, WATCH, "4 of the last 20"),
        ([30.0] * 116 + [45.0] * 3 + [30.0] + [45.0], PASS, "below 45 s"),  # at 121 nobody looks
    ],
)
def test_the_latency_gate(durations: list[float], expected: Verdict, threshold: str) -> None:
    result = gate("G3", gate_facts(lasting(durations)))
    assert result.verdict is expected
    assert threshold in result.threshold


@pytest.mark.parametrize(
    ("before", "recent", "expected"),
    [
        (20, [38.0] * 10, WATCH),
        (20, [35.04] * 10, WATCH),
        (20, [35.0] * 10, PASS),  # a shift of 5 s is not more than 5 s
        (20, [24.0] * 10, PASS),
        (20, [30.0] * 7 + [44.0] * 3, PASS),
        (19, [38.0] * 10, PASS),  # at 29 nobody looks
        (20, [38.0] * 10 + [30.0] * 9, WATCH),  # until the next look
        (30, [38.0] * 9, PASS),
    ],
)
def test_missions_that_get_slower_are_watched(
    before: int, recent: list[float], expected: Verdict
) -> None:
    result = gate("G3", gate_facts(lasting([30.0] * before + recent)))
    assert result.verdict is expected
    assert ("slower than the" in result.reason) is (expected is WATCH)


def test_the_p95_is_told_with_its_rank_and_what_bounds_it() -> None:
    few = gate("G3", gate_facts(lasting([35.964] * 58)))
    assert few.reason == "p95 35.964s, 4th of 58; n < 59 bounds no p95"
    many = gate("G3", gate_facts(lasting([35.964] * 59)))
    assert many.reason == "p95 35.964s, 4th of 59"
    assert gate("G3", gate_facts(lasting([30.0] * 18))).missing == "+2"


def test_missions_without_a_duration_are_not_slow_and_not_fast() -> None:
    missions = (*lasting([30.0] * 19), entry("unknown", duration_s=None))
    assert verdict("G3", gate_facts(missions)) is INCONCLUSIVE


def runtime(*alerts: ContinuityAlert, transport: str = "ok", status: str = "ok") -> Continuity:
    """Return what the gateway says of itself after five failed attaches."""
    return Continuity(BOOT, transport, status, alerts, attach_failures=5)


ALERT = ContinuityAlert("resume_failures_high", "warning", "resumes fail")
OWN_ALERT = ContinuityAlert("attach_failures_high", "warning", "attaches fail")


@pytest.mark.parametrize(
    ("suites", "expected", "missing"),
    [
        (Attestation.PASSED, PASS, None),
        (Attestation.ABSENT, INCONCLUSIVE, "suites"),
        (Attestation.TOO_OLD, INCONCLUSIVE, "suites"),
        (Attestation.FAILED, FAIL, None),
    ],
)
def test_the_continuity_gate_wants_the_suites_attested(
    suites: Attestation, expected: Verdict, missing: str | None
) -> None:
    result = gate("G4", gate_facts(suites=Suites(suites, "as reported")))
    assert (result.verdict, result.missing) == (expected, missing)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (runtime(ALERT, transport="degraded"), "resume_failures_high"),
        (runtime(ALERT, OWN_ALERT), "resume_failures_high, attach_failures_high"),
        (runtime(transport="degraded"), "transport degraded"),
        (runtime(status="degraded"), "runtime degraded"),
    ],
)
def test_the_continuity_gate_fails_with_the_codes(told: Continuity, said: str) -> None:
    result = gate("G4", gate_facts(suites=SUITES, continuity=told))
    assert result.verdict is FAIL
    assert result.reason.startswith(said)


@pytest.mark.parametrize(("own", "expected"), [(0, FAIL), (4, FAIL), (5, PASS), (9, PASS)])
def test_own_failed_attaches_are_subtracted_and_named(own: int, expected: Verdict) -> None:
    told = runtime(OWN_ALERT, transport="degraded")
    facts = gate_facts(suites=SUITES, continuity=told, own_failed_attaches=own)
    result = gate("G4", facts)
    assert result.verdict is expected
    named = f"{min(own, 5)} of 5 failed attaches are vp-tui's own"
    assert (named in result.reason) is bool(own)


def test_without_own_failed_attaches_nothing_is_excused() -> None:
    told = Continuity(BOOT, "degraded", "ok", (OWN_ALERT,), attach_failures=0)
    assert verdict("G4", gate_facts(suites=SUITES, continuity=told)) is FAIL


def test_own_failed_attaches_excuse_nothing_else() -> None:
    told = runtime(ALERT, OWN_ALERT, transport="degraded")
    result = gate("G4", gate_facts(continuity=told, own_failed_attaches=5))
    assert result.verdict is FAIL
    assert result.reason.startswith("resume_failures_high, transport degraded")
    wedged = runtime(OWN_ALERT, transport="degraded", status="degraded")
    result = gate("G4", gate_facts(continuity=wedged, own_failed_attaches=5))
    assert result.reason.startswith("runtime degraded")


def test_the_continuity_gate_knows_nothing_without_its_source() -> None:
    assert verdict("G4", gate_facts(continuity=None, suites=SUITES)) is UNKNOWN
    broken = Suites(Attestation.FAILED, "2 failed")
    assert verdict("G4", gate_facts(continuity=None, suites=broken)) is FAIL


DOUBTS = [
    {"doubt": "metrics 12 s old"},
    {"doubt": "unauthorized"},
    {"coverage": None},
]


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_is_not_known_never_passes(doubt: dict[str, object]) -> None:
    gates = judge_gates(gate_facts(lasting([30.0] * 60), suites=SUITES, **doubt))
    assert [result.verdict for result in gates.by_name().values()] == [UNKNOWN] * 3 + [PASS]
    assert gates.missing


@pytest.mark.parametrize("doubt", DOUBTS)
def test_bad_news_stays_while_the_source_is_in_doubt(doubt: dict[str, object]) -> None:
    gates = judge_gates(gate_facts(history("." * 40 + "b.b.FF", [95.0] * 46), **doubt))
    assert [gates.g1.verdict, gates.g2.verdict, gates.g3.verdict] == [FAIL, FAIL, FAIL]


@given(st.text(alphabet=".bF", max_size=70), st.sampled_from(DOUBTS))
def test_a_doubt_lets_nothing_pass(marks: str, doubt: dict[str, object]) -> None:
    gates = judge_gates(gate_facts(history(marks), **doubt))
    assert PASS not in {gates.g1.verdict, gates.g2.verdict, gates.g3.verdict}


def test_the_promotion_line() -> None:
    clean = judge_gates(gate_facts(history("." * 15)))
    assert clean.missing == ("G1 +20", "G3 +5", "G4 suites")
    proven = judge_gates(gate_facts(lasting([30.0] * 35), suites=SUITES))
    assert not proven.missing
    failing = judge_gates(gate_facts(history("FF")))
    assert failing.missing == ("G1 FAIL", "G2 FAIL", "G3 +18", "G4 suites")


def test_a_waived_gate_names_who_and_why_and_is_no_proof() -> None:
    waiver = Waiver("G4", "bo", "suites run by hand", NOW, INCONCLUSIVE)
    result = with_waivers(judge_gates(gate_facts()), [waiver], tripped=False).g4
    assert result.verdict is Verdict.WAIVED
    assert result.reason.startswith("waived by bo: suites run by hand (was INCONCLUSIVE")
    assert passing()._replace(g4=result).missing == ("G4 WAIVED",)


def test_the_golden_logs_fifteen_missions() -> None:
    durations = [35.964, 38.305, *[30.0] * 13]
    missions = lasting(durations)
    gates = judge_gates(gate_facts(missions, window=numbers_of(window(), missions[12:])))
    assert [result.verdict for result in gates.by_name().values()] == [
        INCONCLUSIVE, PASS, INCONCLUSIVE, INCONCLUSIVE,
    ]  # fmt: skip
    assert gates.g3.reason.startswith("p95 35.964s, 2nd of 15")
