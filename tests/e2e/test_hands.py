"""Words, pastes and held keys that reach vp-tui in a real terminal: nothing is done by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.desk import golden_log, rows_of
from tests.support.tmux import LEFT, VP_TUI, tmux_in

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "clear\nRestart\n\x1b[A\nFail\nR\nc\x1b[C\nquit\n"


def test_pastes_and_held_keys_in_tmux(tmp_path: Path) -> None:
    log = golden_log(tmp_path)
    pasted = tmp_path / "pasted"
    pasted.write_text(SCRIPT, encoding="utf-8")
    with tmux_in(tmp_path) as tmux, spawn_gateway(SimOptions(scenario="stuck")) as gateway:
        tmux.start(VP_TUI, "--gateway-url", gateway.url, "--evidence", str(log))
        tmux.sees("lane log", "RUNS")
        tmux.do("load-buffer", str(pasted))
        tmux.do("paste-buffer", "-p")
        for key in "Rcq":
            tmux.press("-N", "40", key)
        tmux.do("paste-buffer")
        tmux.press("Escape", "Escape", "Escape")
        tmux.until(lambda text: "q quit" in text and LEFT not in text)
        # A key that only looks tells that all that was read before it is over.
        tmux.press("?")
        tmux.sees("Keys, and what each word means")
    assert len(rows_of(log)) == 16
    done = newest_actions(Places(tmp_path / ".local/state/vp-tui").audit, 50).records
    assert not [record for record in done if record.what in {"cancel", "record", "restart"}]
