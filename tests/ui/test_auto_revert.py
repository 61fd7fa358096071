"""The auto-revert on the screen: seen at every size and in dialogs, stopped by esc, done once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import scenes
from tests.support.builders import booted, mission, polled, snapshot
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead, SwitchesRead
from vp_tui.domain.lane.auto_revert import AutoRevertBarred, Phase
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Means, Switches
from vp_tui.domain.models import Source
from vp_tui.domain.orders import ActionRecord, AuditOnce, CancelRun, RingAlarms, SetSwitch
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.storage.places import actor
from vp_tui.ui.dialogs.follow import FollowDialog
from vp_tui.ui.dialogs.window import WindowDialog
from vp_tui.ui.kit.listing import FindBar
from vp_tui.ui.screens.evidence import EvidenceScreen
from vp_tui.ui.screens.texts import HelpScreen
from vp_tui.ui.watch.screen import WatchScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.domain.events import Event

SIZES: Final = (SMALL, WIDE, LARGE)
GOLDEN: Final = EvidenceRead(0.0, tuple(golden_rows()), frozenset())
OURS: Final = AutoRevertBarred(0.0, None)
BY_COMMAND: Final = Means(apply=("restart",))
BY_FILE: Final = Means(env_file="/srv/gateway/.env")
RESTARTED: Final = booted("2026-11-22T20:00:20", at=20.0)
"""An epoch of which no mission is known yet."""
TRIP: Final = scenes.ordinary_with_fallbacks(3)
PATIENT: Final[dict[str, Any]] = {"intervals": dict.fromkeys(Source, 3600.0)}
"""No answer is awaited meanwhile, so none is stale."""
ARMED: Final[dict[str, Any]] = {"auto_revert": RevertMode.ARMED, "means": BY_COMMAND, **PATIENT}


@pytest.fixture
async def armed() -> AsyncIterator[Rig]:
    """Run armed on an ordinary night; a second has passed."""
    async with running(*scenes.ordinary(), GOLDEN, OURS, **ARMED) as rig:
        await rig.passes(1.0)
        yield rig


async def tripped(rig: Rig, seconds: int = 0) -> None:
    """Let the guardrail trip, and so many seconds of the countdown pass."""
    await rig.tell(*TRIP)
    await pass_by(rig, seconds)


async def pass_by(rig: Rig, seconds: int) -> None:
    for _ in range(seconds):
        await rig.passes(1.0)


def forced(rig: Rig) -> list[SetSwitch]:
    return rig.ordered(SetSwitch)


def audited(rig: Rig) -> list[str]:
    """Return what the audit was told of the auto-revert."""
    kept = [*rig.ordered(ActionRecord), *(once.record for once in rig.ordered(AuditOnce))]
    notes = [told for told in kept if told.what == "auto-revert"]
    assert {told.target for told in notes} <= {"vp.coder.primary"}
    return [told.result for told in notes]


def phase(rig: Rig) -> Phase:
    return rig.store.state.auto_revert.phase


class TestCountdown:
    @pytest.mark.parametrize("size", SIZES)
    async def test_it_stands_in_the_top_lines_with_what_stops_it(
        self, armed: Rig, size: tuple[int, int]
    ) -> None:
        await armed.resize(size)
        await tripped(armed)
        assert armed.lines[2].startswith("! AUTO-REVERT in 10 s: 3 of the last 18 fell back")
        assert armed.lines[2].endswith(" esc stops it")
        assert armed.lines[3].startswith("! SAFETY guardrail tripped")
        await pass_by(armed, 3)
        assert armed.lines[2].startswith("! AUTO-REVERT in 7 s: ")
        assert "auto-revert in 7 s" in "\n".join(armed.lines[4:])

    async def test_it_forces_fallback_once_after_ten_seconds(self, armed: Rig) -> None:
        await tripped(armed, 9)
        assert forced(armed) == []
        await pass_by(armed, 30)
        ((change, reason),) = forced(armed)
        assert change == FORCE_FALLBACK
        assert reason.startswith("auto-revert: 3 of the last 18 fell back")
        assert "AUTO-REVERT in" not in armed.text
        assert armed.lines[3] == "  -> it has acted once and is disarmed; YOU are the auto-revert"
        assert [line.partition(":")[0] for line in audited(armed)] == [
            "armed",
            "countdown",
            "the countdown ran out",
        ]

    async def test_a_later_trip_forces_nothing_more(self, armed: Rig) -> None:
        await tripped(armed, 10)
        await armed.tell(RESTARTED)
        assert "guardrail tripped" not in armed.header
        again = [mission(f"n{n}", started_s=30.0 + n, fallback_seen=True) for n in range(3)]
        await armed.tell(polled(snapshot(*again), at=armed.now))
        assert armed.lines[2].startswith("! SAFETY guardrail tripped: 3 of the last 3 fell back")
        await pass_by(armed, 20)
        assert len(forced(armed)) == 1

    async def test_it_goes_on_while_the_picture_is_frozen(self, armed: Rig) -> None:
        await armed.press("p")
        await tripped(armed, 4)
        assert armed.lines[0].startswith(" FROZEN")
        assert armed.lines[2].startswith("! AUTO-REVERT in 6 s")
        await pass_by(armed, 6)
        assert len(forced(armed)) == 1

    async def test_it_goes_on_in_a_dialog(self, armed: Rig) -> None:
        await armed.press("w")
        await tripped(armed, 4)
        assert isinstance(armed.app.screen, WindowDialog)
        assert armed.lines[1].startswith("! AUTO-REVERT in 6 s: 3 of the last 18 fell back")
        assert armed.lines[1].endswith(" esc stops it")
        await pass_by(armed, 6)
        assert len(forced(armed)) == 1

    @pytest.mark.parametrize("key", ["e", "u", "i"])
    async def test_it_is_seen_on_the_other_screens(self, armed: Rig, key: str) -> None:
        await armed.press(key)
        await tripped(armed, 4)
        (line,) = [line for line in armed.lines[:4] if "AUTO-REVERT in 6 s" in line]
        assert line.endswith("esc stops it")

    async def test_a_trip_that_ends_in_time_forces_nothing(self, armed: Rig) -> None:
        await tripped(armed, 5)
        await armed.tell(RESTARTED)
        await pass_by(armed, 20)
        assert forced(armed) == []
        assert audited(armed)[-1] == "the trip was over before the countdown: nothing was forced"


class TestEsc:
    async def test_it_stops_the_countdown_and_that_is_audited(self, armed: Rig) -> None:
        await tripped(armed, 3)
        await armed.press("escape")
        assert phase(armed) is Phase.STOPPED
        assert "stopped until the trip is over. YOU" in armed.text
        await pass_by(armed, 60)
        assert forced(armed) == []
        assert audited(armed)[-1] == f"countdown stopped with esc by {actor()}: nothing is forced"
        assert armed.lines[3].startswith("  -> [F] force fallback. stopped until the trip")

    async def test_a_search_stays_when_it_stops_a_countdown(self, armed: Rig) -> None:
        await armed.press("slash", *"a1b2", "enter")
        assert armed.board.found["runs"] == "a1b2"
        await tripped(armed)
        await armed.press("escape")
        assert (phase(armed), armed.board.found["runs"]) == (Phase.STOPPED, "a1b2")
        await armed.press("escape")
        assert armed.board.found["runs"] == ""

    async def test_in_a_field_it_stops_the_countdown_first(self, armed: Rig) -> None:
        await armed.press("slash", *"a1")
        await tripped(armed)
        await armed.press("escape")
        assert phase(armed) is Phase.STOPPED
        assert armed.watch.query(FindBar)
        await armed.press("escape")
        assert not armed.watch.query(FindBar)

    @pytest.mark.parametrize(
        ("key", "screen"),
        [
            ("c", FollowDialog),
            ("w", WindowDialog),
            ("e", EvidenceScreen),
            ("question_mark", HelpScreen),
        ],
    )
    async def test_it_leaves_what_is_open_as_it_is(
        self, armed: Rig, key: str, screen: type[object]
    ) -> None:
        await armed.press(key)
        await tripped(armed)
        await armed.press("escape")
        assert phase(armed) is Phase.STOPPED
        assert isinstance(armed.app.screen, screen)
        await armed.press("escape")
        assert isinstance(armed.app.screen, WatchScreen)
        assert len([line for line in audited(armed) if "stopped" in line]) == 1

    async def test_without_a_countdown_it_is_what_it_was(self, armed: Rig) -> None:
        await armed.press("w", "escape")
        assert isinstance(armed.app.screen, WatchScreen)
        assert phase(armed) is Phase.ARMED
        assert audited(armed) == ["armed: a trip forces fallback after 10 s"]


class TestNothingForced:
    @pytest.mark.parametrize(
        ("event", "watch", "why"),
        [
            (OURS, {"read_only": True}, "vp-tui is read-only"),
            (OURS, {"means": None}, "no actuator is configured"),
            (
                AutoRevertBarred(0.0, "another vp-tui on this host has it: pid 7 of bo@laptop"),
                {},
                "another vp-tui on this host has it: pid 7 of bo@laptop",
            ),
            (
                SwitchesRead(0.0, Switches(forced_fallback=True)),
                {"means": BY_FILE},
                "UA_CODER_VP_FORCE_FALLBACK is on already",
            ),
        ],
    )
    async def test_where_it_cannot_be_that_is_said(
        self, event: Event, watch: dict[str, Any], why: str
    ) -> None:
        async with running(*TRIP, GOLDEN, OURS, event, **(ARMED | watch)) as rig:
            await pass_by(rig, 30)
            assert forced(rig) == []
            assert f"armed, but {why}"[:52] in rig.lines[3]
            assert audited(rig) == [f"fallback is not forced: {why}"]
            assert "YOU are the auto-revert" in rig.text

    async def test_a_dry_run_says_what_it_would_do_and_does_nothing(self) -> None:
        async with running(*TRIP, GOLDEN, means=BY_COMMAND, **PATIENT) as rig:
            await pass_by(rig, 30)
            assert rig.lines[3].startswith(
                "  -> [F] force fallback. dry run: fallback would be forced now; YOU are"
            )
            assert forced(rig) == []
            assert audited(rig) == ["dry run: fallback would be forced now"]

    async def test_off_says_who_reverts(self) -> None:
        async with running(*TRIP, GOLDEN, **(ARMED | {"auto_revert": RevertMode.OFF})) as rig:
            await pass_by(rig, 30)
            assert rig.lines[3].startswith(
                "  -> [F] force fallback. YOU are the auto-revert: nothing"
            )
            assert (forced(rig), audited(rig)) == ([], [])


@pytest.mark.parametrize("size", SIZES)
async def test_the_guardrails_say_that_it_is_armed(armed: Rig, size: tuple[int, int]) -> None:
    await armed.resize(size)
    assert "auto-revert ARMED" in armed.text
    assert "YOU are the auto-revert" not in armed.text


async def test_it_is_explained(armed: Rig) -> None:
    await armed.resize((120, 200))
    await armed.press("i")
    assert "auto-revert ARMED" in armed.text
    assert "armed: vp-tui forces fallback, once, after a" in armed.text


class TestEyes:
    """Why nobody sees it is the driver's to say: tests/e2e/test_leaving has a real one."""

    @pytest.fixture(autouse=True)
    def _unseen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.why: str | None = None
        monkeypatch.setattr("vp_tui.ui.app.VpTuiApp.unseen", lambda _app: self.why)

    async def test_a_countdown_is_held_back_and_the_alarm_rings_again(self, armed: Rig) -> None:
        await tripped(armed, 5)
        self.why = "the terminal {} hung"
        await pass_by(armed, 130)
        assert (phase(armed), forced(armed)) == (Phase.HELD, [])
        assert armed.network.feeds.orders.unseen == self.why
        rung = [rings for rings in armed.ordered(RingAlarms) if "guardrail" in rings.told]
        assert len(rung) == 2
        assert audited(armed)[-1].startswith("no countdown: the terminal is hung. Nothing is for")
        self.why = None
        await pass_by(armed, 1)
        assert armed.lines[2].startswith("! AUTO-REVERT in 10 s")
        assert "a countdown was held back for 2m10: the terminal was hung" in " ".join(
            armed.text.split()
        )
        assert audited(armed)[-1].startswith("a countdown was held back for 2m10: the terminal")
        await pass_by(armed, 10)
        assert len(forced(armed)) == 1

    async def test_no_order_is_given_and_that_is_said(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.press("1", "home", "c")
            assert isinstance(rig.app.screen, FollowDialog)
            self.why = "the tmux session {} detached"
            await rig.press("right", "enter")
            assert rig.ordered(CancelRun) == []
            (refused,) = rig.refusals
            assert refused.result == "refused: the tmux session is detached"
            self.why = None
            await rig.tell()
            assert "was held back: the tmux session was detached" in " ".join(rig.text.split())
            await rig.press("enter")
            assert len(rig.ordered(CancelRun)) == 1

    async def test_no_key_acts(self) -> None:
        async with running(*scenes.stuck()) as rig:
            self.why = "the terminal {} hung"
            await rig.press("F")
            assert isinstance(rig.app.screen, WatchScreen)
            await rig.press("3")
            assert rig.focus == "lane-log"
