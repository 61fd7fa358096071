from __future__ import annotations

import pytest
from tests.support.rollout import history, lasting

from vp_tui.domain.rollout.claims import claims_of
from vp_tui.domain.statistics import CLAIM_FROM


def test_clean_missions_prove_as_much_as_the_rules_say() -> None:
    proof = claims_of(history("." * 15))
    assert proof.upper95 == pytest.approx(0.181, abs=5e-4)
    ten, five = proof.claims
    assert (ten.limit, five.limit) == (0.10, 0.05)
    assert ten.evidence == pytest.approx(3.497, abs=5e-4)
    assert (ten.needed, five.needed) == (35 - 15, 72 - 15)


def test_a_claim_that_is_proven_needs_nothing_more() -> None:
    ten, five = claims_of(history("." * 35)).claims
    assert ten.evidence == pytest.approx(21.77, abs=5e-3)
    assert (ten.needed, five.needed) == (0, 72 - 35)


def test_nothing_finished_proves_nothing() -> None:
    proof = claims_of(())
    assert (proof.n, proof.interval95, proof.upper95) == (0, (0.0, 1.0), 1.0)
    assert (proof.tail, proof.trend) == (None, None)


def test_too_few_durations_bound_no_p95() -> None:
    tail = claims_of(lasting([float(n) for n in range(58)])).tail
    assert tail is not None
    assert (tail.bound_rank, tail.bound_s) == (None, None)


def test_the_slowest_of_59_bounds_the_p95() -> None:
    tail = claims_of(lasting([float(n) for n in range(59)])).tail
    assert tail is not None
    assert (tail.bound_rank, tail.bound_s) == (1, 58.0)


def test_the_last_20_have_a_p95_of_their_own() -> None:
    tail = claims_of(lasting([50.0] * 5 + [30.0] * 18 + [40.0, 41.0])).tail
    few = claims_of(lasting([30.0, 50.0])).tail
    assert tail is not None
    assert few is not None
    assert (tail.last_n, tail.last_s) == (20, 40.0)
    assert (few.last_n, few.last_s) == (2, 50.0)


def test_slow_missions_raise_the_alarm() -> None:
    calm = claims_of(lasting([30.0] * 20)).tail
    slow = claims_of(lasting([30.0] * 14 + [60.0] * 6)).tail
    assert calm is not None
    assert slow is not None
    assert (calm.slow, slow.slow) == (0, 6)
    assert calm.slow_evidence < 1
    assert slow.slow_evidence >= CLAIM_FROM


def test_the_newest_are_compared_with_those_before() -> None:
    assert claims_of(lasting([30.0] * 14)).trend is None
    trend = claims_of(lasting([30.0 + n / 10 for n in range(20)] + [50.0] * 10)).trend
    assert trend is not None
    assert (trend.newest, trend.before) == (10, 20)
    assert trend.is_slower
    assert 15 < trend.shift_s < 20
