"""The lines below the sources: the verdict and the gates, and the SAFETY line above all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import scenes
from tests.support.builders import mission, snapshot
from tests.support.rig import LARGE, SMALL, WIDE, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead, SourceFailed
from vp_tui.domain.models import Source
from vp_tui.domain.vocabulary import Profile, Stage

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

SIZES = (SMALL, WIDE, LARGE)
GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset())


async def seen(*events: Event, size: tuple[int, int] = SMALL, **watch: Any) -> list[str]:  # noqa: ANN401 - fields of Watch
    """Return the four lines at the top."""
    async with running(*events, size=size, **watch) as rig:
        await rig.passes(2.0)
        return rig.lines[:4]


@pytest.mark.parametrize("size", SIZES)
async def test_stage_window_verdict_and_gates_stand_there(size: tuple[int, int]) -> None:
    top = await seen(*scenes.ordinary(), GOLDEN, size=size)
    assert "stage broadened  window 5 proposed" in top[0]
    assert top[2].startswith("> may be recorded GO_BROADER_TRAFFIC_ACTIVE [R]  ")
    assert top[2].endswith("  not proven:")
    gates = "  rate needs 17 more | failures PASS | p95 needs 2 more | suites not attested"
    assert top[3] == gates


async def test_nothing_is_claimed_before_the_log_was_read() -> None:
    top = await seen(*scenes.ordinary(), evidence="evidence_log.md")
    assert "stage" not in top[0]
    assert top[2] == "· the evidence log is not read yet: stage and window are unknown"
    assert "may be recorded" not in "".join(top)


async def test_what_is_not_clean_is_named() -> None:
    top = await seen(*scenes.ordinary_with_fallbacks(1), GOLDEN)
    assert top[2].startswith("> may be recorded HOLD_SHADOW [R]: 1 of 18 fell back")
    assert top[3].startswith("  rate WATCH | failures PASS")


async def test_a_gate_that_fails_forbids_promotion() -> None:
    taken = snapshot(*scenes.done(18), mission("f1", "failed", started_s=-9e3, fallback_seen=True))
    slow = snapshot(*[m._replace(duration_s=95.0) for m in scenes.done(6)])
    assert (await seen(*scenes.ordinary(taken)))[2].startswith("> may be recorded ")
    top = await seen(*scenes.ordinary(slow))
    assert top[2].startswith("> NO PROMOTION: p95 FAIL: p95 95.000s")
    assert "p95 FAIL" in top[3]


async def test_the_words_are_those_of_the_profile() -> None:
    top = await seen(*scenes.ordinary(), profile=Profile.SUSTAINED, stage=Stage.BROADENED)
    assert top[2].startswith("> may be recorded SUSTAINED_DEFAULT_ON_HEALTHY [R]")


@pytest.mark.parametrize("size", SIZES)
async def test_a_tripped_guardrail_comes_before_everything(size: tuple[int, int]) -> None:
    top = await seen(*scenes.ordinary_with_fallbacks(3), GOLDEN, size=size)
    assert top[2].startswith("! SAFETY guardrail tripped: 3 of the last 18 fell back")
    assert top[3].startswith("  -> [F] force fallback. dry run: no actuator is configured")


async def test_below_a_tripped_guardrail_the_gravest_trouble_is_told() -> None:
    broken = SourceFailed(1.0, Source.METRICS, scenes.BROKEN)
    top = await seen(*scenes.ordinary_with_fallbacks(3), broken)
    assert top[2].startswith("! SAFETY guardrail tripped")
    assert top[3].startswith("! metrics down: 500: database is locked")


async def test_of_two_alarms_both_are_told() -> None:
    polls = [e._replace(at=1.0) for e in scenes.lost() if isinstance(e, SourceFailed)]
    top = await seen(*scenes.ordinary_with_fallbacks(3), *polls)
    assert top[2].startswith("! SAFETY guardrail tripped")
    assert top[3].startswith("! SAFETY gateway lost: 127.0.0.1:8002: connection refused")


async def test_a_frozen_picture_does_not_hide_a_trip() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(2.0)
        await rig.press("p")
        await rig.tell(*scenes.ordinary_with_fallbacks(3))
        assert rig.lines[0].startswith(" FROZEN")
        assert rig.lines[2].startswith("! SAFETY guardrail tripped")
        assert "last 18: 0, trips at 3" in rig.text, "the picture itself stands"
