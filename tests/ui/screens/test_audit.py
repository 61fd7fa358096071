"""`u` shows the audit; `H` hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import NOW, REFUSED
from tests.support.hostile import HOSTILE, assert_harmless
from tests.support.recording import toasts
from tests.support.rig import SMALL, WIDE, Rig, running

from vp_tui.domain.events import AuditRead
from vp_tui.domain.models import ActionStep
from vp_tui.domain.orders import NOT_KNOWN, ActionKind, ActionRecord, settled
from vp_tui.ui.screens.audit import AuditScreen
from vp_tui.ui.watch.screen import WatchScreen

if TYPE_CHECKING:
    from pathlib import Path

OWNER = "session_20261122_190000_d3833624"
CANCEL = ActionRecord(
    NOW,
    "ana@laptop",
    "cancel",
    OWNER,
    "stuck in npm",
    (ActionStep(NOW, "requested"), ActionStep(NOW, "answered", "task_cancelled=false after 5.0 s")),
    "task_cancelled=false, not recovered yet",
)
REFUSAL = CANCEL._replace(target="session_20261122_190000_0ddba11d", reason="",
                          steps=(), result="refused: it runs nothing",
                          kind=ActionKind.REFUSED)  # fmt: skip


def read(*records: ActionRecord, **fields: object) -> AuditRead:
    return AuditRead(0.0, records)._replace(**fields)  # type: ignore[arg-type]  # a field's value each


def rows(rig: Rig) -> list[str]:
    first = next(n for n, line in enumerate(rig.lines) if line.startswith("  time (UTC)"))
    last = next(n for n, line in enumerate(rig.lines) if line.startswith(" ACTION "))
    return [line for line in rig.lines[first + 1 : last] if line]


class TestAuditScreen:
    async def test_the_newest_is_at_the_bottom_and_in_full_below(self) -> None:
        async with running(*scenes.ordinary(), read(CANCEL, REFUSAL)) as rig:
            await rig.press("u")
            assert "AUDIT" in rig.lines[0]
            assert "newest 2 actions, all gateways" in rig.lines[0]
            assert [line.split()[:6] for line in rows(rig)] == [
                ["11-23", "02:00:00", "ana@laptop", "cancel", "d3833624", "task_cancelled=false,"],
                [">", "11-23", "02:00:00", "ana@laptop", "cancel", "0ddba11d"],
            ]
            assert "refused: it runs nothing" in rig.text
            await rig.press("k")
            assert "stuck in npm" in rig.text
            assert "02:00:00Z answered: task_cancelled=false after 5.0 s" in rig.text

    async def test_targets_are_whole_where_it_is_wide(self) -> None:
        async with running(read(CANCEL), size=WIDE) as rig:
            await rig.press("u")
            assert OWNER in rows(rig)[0]

    async def test_an_action_that_ends_appears_by_itself(self) -> None:
        async with running(read(CANCEL)) as rig:
            await rig.press("u")
            await rig.tell(read(CANCEL, REFUSAL))
            assert len(rows(rig)) == 2
            assert rows(rig)[-1].startswith(">")

    async def test_a_reader_is_not_moved_by_what_comes(self) -> None:
        async with running(read(CANCEL, CANCEL._replace(reason="another"))) as rig:
            await rig.press("u", "home")
            await rig.tell(read(CANCEL, CANCEL._replace(reason="another"), REFUSAL))
            assert rows(rig)[0].startswith(">")
            assert "+1, " in rig.lines[0]

    async def test_the_filter_looks_at_all_that_is_told(self) -> None:
        async with running(read(CANCEL, REFUSAL)) as rig:
            await rig.press("u", "slash", *"NPM", "enter")
            assert [line.split()[5] for line in rows(rig)] == ["d3833624"]
            assert "1 of 2 actions /NPM/" in rig.lines[0]
            await rig.press("escape")
            assert len(rows(rig)) == 2
            await rig.press("slash", *"zzz", "enter")
            assert "no action matches /zzz/: esc shows all" in rig.text

    async def test_enter_gives_the_action_the_whole_screen(self) -> None:
        many = tuple(ActionStep(NOW, f"step {n}") for n in range(30))
        async with running(read(CANCEL._replace(steps=many)), size=SMALL) as rig:
            await rig.press("u", "enter", "G")
            assert "step 29" in rig.text
            await rig.press("escape")
            assert isinstance(rig.app.screen, AuditScreen)
            await rig.press("escape")
            assert isinstance(rig.app.screen, WatchScreen)

    async def test_y_copies_all_of_it(self) -> None:
        async with running(read(CANCEL)) as rig:
            await rig.press("u", "y")
            copied = rig.app.clipboard.splitlines()
            assert copied[3] == f"target     {OWNER}"
            assert copied[-1] == "02:00:00Z answered: task_cancelled=false after 5.0 s"

    @pytest.mark.parametrize(
        ("event", "said"),
        [
            (None, "the audit is being read …"),
            (read(), "nothing was done yet: every action will be here"),
            (read(problem=REFUSED), "no action is known: the audit cannot be read"),
        ],
    )
    async def test_an_empty_one_says_why(self, event: AuditRead | None, said: str) -> None:
        async with running(*([event] if event else [])) as rig:
            await rig.press("u")
            assert said in rig.text

    async def test_why_it_cannot_be_read_and_what_helps(self) -> None:
        async with running(read(CANCEL, unreadable=2), read(problem=REFUSED)) as rig:
            await rig.press("u")
            assert "! 401 from the ops plane: set UA_OPS_TOKEN" in rig.text
            assert "2 of its newest lines tell no action" in rig.text
            assert len(rows(rig)) == 1

    async def test_safety_stands_above_it(self) -> None:
        async with running(*scenes.stuck(), read(CANCEL)) as rig:
            await rig.press("u")
            assert rig.lines[1].startswith("! STUCK 4m00 d3833624")

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    async def test_what_others_wrote_into_the_file_is_only_text(self, text: str) -> None:
        step = ActionStep(NOW, text, text)
        hostile = ActionRecord(NOW, text, text, text, text, (step,), text)
        async with running(read(hostile)) as rig:
            await rig.press("u")
            assert_harmless(rig, SMALL)


class TestHandover:
    @pytest.fixture(autouse=True)
    def _who(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vp_tui.worker.commands.actor", lambda: "ana@laptop")

    async def test_it_is_copied_and_written(self, tmp_path: Path) -> None:
        async with running(*scenes.ordinary(), own=tmp_path) as rig:
            await rig.press("H")
            # The toast breaks a path into lines, wherever that is long.
            await rig.until(lambda: "handover-20261123T02" in "".join(toasts(rig)))
            (path,) = (tmp_path / "handovers").iterdir()
            text = path.read_text(encoding="utf-8")
            assert text == rig.app.clipboard
            assert text.startswith("# Handover of here, 2026-11-23T02:00:00Z\n")
            assert "- handed over by ana@laptop" in text

    async def test_without_a_disk_the_clipboard_has_it_all_the_same(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("H")
            await rig.until(lambda: "the handover is in the clipboard" in rig.text)
            assert rig.app.clipboard.startswith("# Handover of here")


async def test_an_interrupted_action_is_red_until_somebody_says_that_it_was_seen() -> None:
    begun = ActionRecord(
        NOW, "ben@laptop", "restart", "http://here", "deaf", (), NOT_KNOWN,
        ActionKind.INTERRUPTED, "http://here", "vp.coder.primary",
    )  # fmt: skip
    told = AuditRead(0.5, (begun,), interrupted=(begun,))
    async with running(*scenes.ordinary(), told, size=(120, 40)) as rig:
        await rig.passes(1.0)
        assert "restart was begun at 02:00:00Z by ben@laptop, its end is not known" in rig.text
        assert "ALARM" in rig.header
        await rig.press("u")
        assert "begun, its end is not known" in rig.text
        assert rig.lane.commands.acknowledge() == 1
    (end,) = (one for one in rig.ordered(ActionRecord) if one.what == "restart")
    assert (end.at, end.actor, end.kind) == (begun.at, "ben@laptop", ActionKind.UNKNOWN)
    assert settled((begun._replace(kind=ActionKind.BEGUN), end)) == (end,)
