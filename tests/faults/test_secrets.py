"""A token is told nowhere: not by a command, a file, a crash, nor where the gateway repeats it."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.support.loopback import Loopback

from vp_tui.cli import status
from vp_tui.cli.config.settings import Settings
from vp_tui.cli.wiring import watch_of
from vp_tui.gateway.credentials import Credentials, Secret, TokenSources
from vp_tui.storage.atomic import make_private

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.support.command import Run

OPS: Final = "canary-ops-7f3e9d"
INTERNAL: Final = "canary-internal-a1b2c3"
COMMANDS: Final = (
    "config show",
    "status --settle 0",
    "status --json --settle 0",
    "capture",
    "capture --append log.md",
    "doctor",
    "doctor --json",
)


def told(directory: Path) -> str:
    """Return all that stands in the files below, and their names."""
    files = [path for path in directory.rglob("*") if path.is_file() and path.name != "ops"]
    return "".join(f"{path}\n{path.read_text(errors='replace')}" for path in files)


def test_no_command_and_no_file_tells_a_token(
    vp_tui: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Loopback(f'{{"detail": "refused: {OPS} {INTERNAL}"}}'.encode())
    gateway.status = 403
    for untold in ("/api/v1/health", "/api/v1/dashboard/metrics/coder-vp"):  # they get no token
        gateway.answer(untold, {}, 404)
    gateway.headers = {"location": f"/{OPS}", "x-echo": OPS}
    (tmp_path / "ops").write_text(OPS)
    monkeypatch.setenv("VP_TUI_GATEWAY_URL", gateway.url)
    monkeypatch.setenv("UA_INTERNAL_API_TOKEN", INTERNAL)
    seen, sources = "", (("--ops-token-file", "ops"), ("--ops-token", OPS))
    with gateway.serving():
        for source in sources:
            for command in COMMANDS:
                seen += "".join(map(str, vp_tui(*command.split(), *source)))
    assert {token for _, token in gateway.asked} == {OPS, None}
    assert "refused: (hidden) " in seen

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(f"a bug with {OPS} and {INTERNAL}")

    monkeypatch.setattr(status, "look_once", crash)
    for source in sources:
        seen += "".join(map(str, vp_tui("status", *source)))
    seen += told(tmp_path)
    assert "crash-" in seen
    assert "canary" not in seen


def test_no_token_shows_itself_in_what_is_written_down() -> None:
    settings = replace(Settings(), ops_token=Secret(OPS))
    sources = TokenSources(environ={"UA_OPS_TOKEN": OPS}, ops_flag=OPS, internal_flag=INTERNAL)
    credentials = Credentials(sources, base_url=settings.url)
    presence = credentials.read()
    assert credentials.headers()
    for value in (settings, sources, credentials, presence, watch_of(settings), Secret(OPS)):
        assert "canary" not in f"{value!r}{value!s}{value}"


def test_what_is_made_is_for_its_owner_alone_with_what_is_above_it(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b" / "c"
    make_private(directory)
    make_private(directory)
    for made in (directory, *directory.parents[:2]):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
