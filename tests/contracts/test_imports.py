"""What may import what, how much is loaded when, and how long files and functions may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports
from tests.support.house import HOUSE, nodes, trees

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 350
TABLES = {"domain/events.py", "views/actions.py"}
"""Tables, that are read by the entry: up to 500 lines."""
LONGEST_FUNCTION = 60
MOST_FILES = 190
MOST_LAZY_IMPORTS = 25
"""At the seams where a command, a screen or the network thread is entered."""
DRAWS = {"textual"}
HEAVY = DRAWS | {"httpx", "pydantic", "websockets", "starlette", "uvicorn"}

_PROBE = """\
import sys
from vp_tui.cli.main import main
code = main(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def _loaded(home: Path, *code_and_words: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded in the end."""
    process = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", *code_and_words],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={"HOME": str(home)},
    )
    last_line = process.stdout.splitlines()[-1]
    return set(last_line.removeprefix("loaded:").split())


def test_the_layers_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        (["--version"], HEAVY | {"asyncio"}),
        (["config", "show"], HEAVY | {"asyncio"}),
        (["config", "schema"], HEAVY | {"asyncio"}),
        (["status", "--gateway-url", "http://127.0.0.1:1"], DRAWS | {"starlette", "uvicorn"}),
        (["status", "--json", "--gateway-url", "http://127.0.0.1:1"], DRAWS),
        (["doctor", "--gateway-url", "http://127.0.0.1:1"], DRAWS | {"starlette", "uvicorn"}),
    ],
)
def test_a_command_loads_no_more_than_it_needs(
    words: list[str], forbidden: set[str], tmp_path: Path
) -> None:
    loaded = _loaded(tmp_path, _PROBE, *words)
    assert "vp_tui" in loaded
    assert not loaded & forbidden


def test_the_first_frame_waits_for_no_network_library(tmp_path: Path) -> None:
    rooms = "vp_tui.cli.wiring, vp_tui.state.store, vp_tui.ui.app"
    probe = f"import sys, {rooms}\nprint('loaded:', *sys.modules)"
    loaded = {name.partition(".")[0] for name in _loaded(tmp_path, probe)}
    assert not loaded & (HEAVY - DRAWS)


def test_files_are_short() -> None:
    lines = {name: text.count("\n") for name, text in _texts().items()}
    longest = {name: 500 if name in TABLES else LONGEST_FILE for name in lines}
    assert {name: count for name, count in lines.items() if count > longest[name]} == {}


def test_functions_are_short() -> None:
    lines = {
        (name, node.name): (node.end_lineno or node.lineno) - node.lineno + 1
        for name, its_nodes in nodes().items()
        for node in its_nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}


def test_there_are_few_files() -> None:
    assert len(trees()) <= MOST_FILES


def test_few_imports_wait_for_their_use() -> None:
    lazy = sum(text.count("noqa: PLC0415") for text in _texts().values())
    assert lazy <= MOST_LAZY_IMPORTS


def _texts() -> dict[str, str]:
    return {name: (HOUSE / name).read_text(encoding="utf-8") for name in trees()}
