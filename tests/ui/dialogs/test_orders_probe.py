"""The dialog of the probe: its cost first, then its steps, and never a second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import listing, mission, processing, routed, session
from tests.support.rig import LARGE, Rig, running

from vp_tui.domain.events import ProbeStepped
from vp_tui.domain.lane import probe as probing
from vp_tui.domain.lane.probe import MissionsSeen, ProbeStep
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Failure, StreamEvent
from vp_tui.domain.orders import RunProbe

if TYPE_CHECKING:
    from vp_tui.domain.lane.probe import Fact, Probe

PROMPT = "Please write code"
SESSION = "session_20261123_020005_ab12cd34"
STARTED = (
    ProofStep(2.0, ProbeStep.CREATED, SESSION),
    ProofStep(3.0, ProbeStep.ATTACHED),
    ProofStep(4.0, ProbeStep.EXECUTED),
)


def probed(*facts: Fact) -> Probe:
    probe = probing.Probe(PROMPT, "G1", 1.0, awaited_since=1.0, known=frozenset())
    for fact in facts:
        probe = probing.step_probe(probe, fact)
    return probe


def stepped(*facts: Fact, at: float = 4.0) -> ProbeStepped:
    return ProbeStepped(at, probed(*facts))


def probes(rig: Rig) -> list[RunProbe]:
    return rig.ordered(RunProbe)


async def test_the_cost_and_the_prompt_are_told_before_anything_is_sent() -> None:
    async with running(*scenes.ordinary(), probe_prompt=PROMPT) as rig:
        await rig.press("P")
        for words in (
            "prompt     Please write code",
            "one turn of the model in a session of its own",
            "it makes a mission, and that counts as source",
            "holds the gateway's lock while it runs",
            "its session stays",
            ">[ Not now ]",
        ):
            assert words in rig.text, words
        await rig.press("enter")
        assert "PROBE THE LANE" not in rig.text
        assert probes(rig) == []


async def test_one_probe_is_sent_however_often_enter_is_hit() -> None:
    async with running(*scenes.ordinary(), probe_prompt=PROMPT) as rig:
        await rig.press("P", "right", "enter", "enter", "enter")
        assert probes(rig) == [RunProbe(PROMPT, "G1")]
        assert "Run one turn" not in rig.text


async def test_the_steps_are_shown_with_their_times_and_the_deadline() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("P", "right", "enter")
        await rig.tell(stepped(*STARTED))
        assert "02:00:02  session created session_" in rig.text
        assert "02:00:04  executed" in rig.text
        await rig.passes(14.0)
        assert "awaited   routed  for 10s, given up in 1m50" in rig.text
        assert "awaited   mission seen" in rig.text


async def test_a_closed_dialog_shows_the_probe_under_way_when_it_is_opened_again() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(stepped(*STARTED))
        await rig.press("P")
        assert "02:00:04  executed" in rig.text
        assert "Run one turn" not in rig.text
        await rig.press("enter", "escape")
        assert probes(rig) == []


async def test_the_last_probe_is_shown_and_another_one_can_be_asked_for() -> None:
    over = (*STARTED, StreamEvent(5.0, SESSION, routed("delegated_to_coder_vp", "m-probe")))
    end = (*over, Failure("closed", "again"))
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(stepped(*end, at=6.0))
        await rig.passes(10.0)
        await rig.press("P")
        assert "broke off: closed; its turn goes on unheard" in rig.text
        await rig.press("right", "enter")
        assert len(probes(rig)) == 1
        assert "asking the metrics first" in rig.text
        assert "its turn goes on unheard" not in rig.text


async def test_its_session_is_named_among_the_runs() -> None:
    async with running(*scenes.ordinary(), size=LARGE) as rig:
        assert "our probe" not in rig.text
        listed = session(SESSION, active_runs=1)
        await rig.tell(stepped(*STARTED), listing(*scenes.sessions(), listed, at=4.0))
        (row,) = [line for line in rig.content("runs") if "ab12cd34" in line]
        assert "our probe" in row


async def test_what_timed_out_says_what_it_means() -> None:
    late = ProbeStepped(124.0, probing.timed_out(probed(*STARTED)))
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(late)
        await rig.press("P")
        said = " ".join(rig.text.replace("│", " ").split())
        assert "timed out: routed: not within 120 s; queued behind another run?" in said


async def test_a_probe_that_the_lane_did_is_told_with_its_mission() -> None:
    done = mission("m-probe", objective=PROMPT)
    probe = (
        *STARTED,
        StreamEvent(5.0, SESSION, routed("delegated_to_coder_vp", "m-probe")),
        StreamEvent(5.5, SESSION, processing(PROMPT)),
        StreamEvent(35.0, SESSION, processing(None)._replace(kind="query_complete", status=None)),
        MissionsSeen(36.0, (done,)),
    )
    async with running(*scenes.ordinary()) as rig:
        await rig.tell(stepped(*probe, at=36.0))
        await rig.press("P")
        assert "m-probe completed, 30.0 s" in rig.text
        assert "delegated, done by the lane" in rig.text


@pytest.mark.parametrize("key", ["P", "X"])
async def test_in_read_only_mode_no_key_leads_to_it(key: str) -> None:
    async with running(*scenes.ordinary(), read_only=True) as rig:
        await rig.press(key)
        assert "read-only:" in rig.text
        assert "PROBE THE LANE" not in rig.text
        assert "KILL EVERY RUN" not in rig.text
