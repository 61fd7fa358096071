"""When missions fail, tokens are refused or the gateway is gone: what is seen and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.desk import NEXT, Desk, watching

from vp_tui.simulator.options import AUTH_INTERNAL_TOKEN, AUTH_OPS_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.rollout.evidence_row import EvidenceRow


def is_unmeasured(row: EvidenceRow) -> bool:
    return (row.window, row.fallback_rate, row.p95_latency) == (NEXT, "n/a", "n/a")


async def drafted(desk: Desk, word: str) -> None:
    """Open the record dialog until it suggests `word`: a busy machine may be between two trips."""
    while True:
        await desk.press("r")
        await desk.sees("RECORD, ", "> ")
        if any(desk.has(f"> {digit} {word}") for digit in range(1, 10)):
            return
        await desk.press("escape")


async def test_failing_missions_trip_the_guardrail_and_suggest_to_force_fallback(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path, "failed", 20.0) as desk:
        await desk.sees("+ALARM ", "! SAFETY guardrail tripped: ", "YOU are the auto-revert")
        await desk.press("i")
        await desk.sees("FORCE_FALLBACK", "guardrail 3: ")
        await desk.press("escape")
        await drafted(desk, "FORCE_FALLBACK                  suggested")
        row = await desk.records("enter")
        assert row.decision == "FORCE_FALLBACK"
        assert "as suggested: guardrail 3: " in row.notes
        await desk.until(lambda: desk.bells)


async def test_refused_tokens_are_told_recorded_and_renewed(tmp_path: Path) -> None:
    ops, internal = tmp_path / "ops", tmp_path / "internal"
    write_token(ops, "expired-long-ago")
    write_token(internal, AUTH_INTERNAL_TOKEN)
    tokens = {"ops_token_file": ops, "internal_token_file": internal}
    async with watching(tmp_path, "auth", 4.0, **tokens) as desk:
        await desk.sees(" UNAUTHORIZED ", "metrics 401", "! unauthorized: metrics", "UA_OPS_TOKEN")
        await desk.press("r")
        await desk.sees("> 7 BLOCKED_AUTH                    suggested", "rate n/a | p95 n/a")
        row = await desk.records("enter")
        assert row.decision == "BLOCKED_AUTH"
        assert is_unmeasured(row)
        assert "UA_OPS_TOKEN from " in row.notes
        assert "expired-long-ago" not in row.notes
        write_token(ops, AUTH_OPS_TOKEN)
        await desk.press("A")
        await desk.until(lambda: is_well(desk))


def write_token(path: Path, token: str) -> None:
    path.write_text(token)
    path.chmod(0o600)


async def test_an_outage_is_told_recorded_and_over_by_itself(tmp_path: Path) -> None:
    async with watching(tmp_path, "outage", 2.5) as desk:
        await desk.until(lambda: is_well(desk))
        await desk.sees(" LOST", "! SAFETY gateway lost: ", "metrics DOWN")
        row = await desk.records("R")
        assert is_unmeasured(row)
        assert "not measured: the metrics are down" in row.notes
        await desk.until(lambda: desk.bells == 1)
        await desk.until(lambda: is_well(desk))
        assert desk.bells == 1


def is_well(desk: Desk) -> bool:
    """Tell whether the screen says so: everything answers, and all streams are attached."""
    live = all(f"●{source} " in desk.text for source in ("metrics", "sessions", "streams", "log"))
    return live and desk.text.startswith(" LIVE ") and desk.has("known ")
