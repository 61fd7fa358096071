import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import pytest
from tests.support.command import Run

from vp_tui import __version__
from vp_tui.cli import main as cli
from vp_tui.cli import watch
from vp_tui.cli.arguments import SCENARIOS, Arguments, parse
from vp_tui.cli.capture_row import CaptureOptions
from vp_tui.cli.config.settings import SETTINGS, BrakeSettings, Settings
from vp_tui.domain.vocabulary import Profile, Stage, Traffic
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.scenarios import SCENARIOS as PLAYED
from vp_tui.storage.places import Places
from vp_tui.storage.redaction import scrubbed


@pytest.fixture
def run(vp_tui: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "80")
    return vp_tui


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(watch, "require_terminal", lambda command: None)


class Screen:
    """Stands for the TUI: notes what it was started with."""

    def __init__(self) -> None:
        self.started: list[tuple[Settings, bool]] = []

    def __call__(
        self,
        settings: Settings,
        places: Places,
        *,
        ambient: bool = True,
        story: Iterable[str] = (),
        at_end: Callable[[], None] = lambda: None,
    ) -> int:
        self.started.append((settings, ambient))
        self.places = places
        self.story = list(story)
        files = (settings.ops_token_file, settings.internal_token_file)
        self.tokens = [file.read_text().strip() for file in files if file is not None]
        at_end()
        self.is_left = places.state.parent.exists()
        return 0


@pytest.fixture
def screen(terminal: None, monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(watch, "run_tui", screen)
    return screen


LOOK: Final[dict[str, Any]] = {"json": False, "no_streams": False, "settle": 2.0}


def _arguments(command: str, options: dict[str, object], **flags: str) -> Arguments:
    return Arguments(command, flags, None, options)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", _arguments("watch", {})),
        ("watch", _arguments("watch", {})),
        ("--gateway-url URL", _arguments("watch", {}, gateway_url="URL")),
        ("watch --gateway-url=URL", _arguments("watch", {}, gateway_url="URL")),
        ("--allow-insecure", _arguments("watch", {}, allow_insecure="true")),
        ("--gateway prod --config F", Arguments("watch", {"gateway_name": "prod"}, "F", {})),
        ("status", _arguments("status", LOOK)),
        (
            "--vp-id V status --json --settle 0 --interval 1",
            _arguments("status", LOOK | {"json": True, "settle": 0.0}, vp_id="V", interval="1"),
        ),
        (
            "--vp-id V status --vp-id W",
            _arguments("status", LOOK, vp_id="W"),
        ),
        ("--read-only", _arguments("watch", {}, read_only="true")),
        ("demo --read-only", _arguments("demo", {}, read_only="true")),
        ("config show --vp-id V", _arguments("config show", {}, vp_id="V")),
        ("evidence show L", _arguments("evidence show", {"log": Path("L"), "json": False})),
        ("evidence verify L", _arguments("evidence verify", {"log": Path("L")})),
        ("capture", _arguments("capture", {})),
        (
            "capture --config F --vp-id V --append L --decision HOLD_SHADOW --min-missions 3",
            Arguments(
                "capture",
                {"vp_id": "V"},
                "F",
                {"append": Path("L"), "decision": "HOLD_SHADOW", "min_missions": 3},
            ),
        ),
        ("demo", _arguments("demo", {})),
        (
            "demo --scenario auth --dialect G2 --speed 2.5 --seed 1 --interval 1",
            _arguments(
                "demo",
                {"scenario": "auth", "dialect": "G2", "speed": 2.5, "seed": 1},
                interval="1",
            ),
        ),
        (
            "gateway --exit-with-parent --internal-token B",
            _arguments("gateway", {"exit_with_parent": True}, internal_token="B"),
        ),
        (
            "gateway --port 0 --scenario flood --rate 9.5 --sessions 2 --env-file F --ops-token A",
            _arguments(
                "gateway",
                {
                    "port": 0, "scenario": "flood", "rate": 9.5, "sessions": 2,
                    "env_file": Path("F"), "exit_with_parent": False,
                },
                ops_token="A",
            ),
        ),
    ],
)  # fmt: skip
def test_each_command_is_parsed(words: str, expected: Arguments) -> None:
    assert parse(words.split()) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("stauts", "invalid choice: 'stauts'"),
        ("config", "the following arguments are required: show"),
        ("status more", "unexpected argument: more"),
        ("status --jsn", "unknown argument --jsn: did you mean “--json”?"),
        ("--vp", "unknown argument --vp: did you mean “--vp-id”?"),
        ("status --settle nan", "argument --settle: a number from 0 to 600 is wanted"),
        ("gateway --port 65536", "argument --port: a whole number from 0 to 65535 is wanted"),
        ("gateway --sessions 0", "argument --sessions: a whole number from 1 to 1000 is wanted"),
        ("gateway --speed 0", "argument --speed: a number from 0.01 to 1000 is wanted"),
        ("gateway --scenario none", "invalid choice: 'none' (choose from "),
        ("gateway --vp-id V", "unknown argument --vp-id: not a flag of this command"),
        ("--gateway-url URL demo", "--gateway-url has no effect on this command"),
        ("evidence", "the following arguments are required: COMMAND"),
        ("evidence show", "the following arguments are required: LOG"),
        ("evidence verify L --json", "unknown argument --json: not a flag of this command"),
        ("--vp-id V evidence show L", "--vp-id has no effect on this command"),
        ("--interval 1 capture", "--interval has no effect on this command"),
        ("--scope S capture", "--scope has no effect on this command"),
        ("capture --internal-token T", "unknown argument --internal-token: "),
        ("--colour=red", "unknown argument --colour: "),
        ("capture --mode direct", "direct ran inside the gateway"),
        ("capture --assessment-profile x", "invalid choice: 'x'"),
        ("capture --max-fallback-watch 2", "a number from 0 to 1 is wanted"),
        ("capture --decision hold", "a word of capitals, digits and “_” is wanted"),
        ("--config F gateway", "--config has no effect on this command"),
        ("status --interval 0", "--interval: “0” is not allowed: seconds from 0.5 on are wanted"),
        ("status \x1b[31m\u202e", "unexpected argument: ␛[31m\u2039U+202E\u203a"),
    ],
)
def test_misuse_is_one_safe_line_and_exit_2(run: Run, words: str, message: str) -> None:
    code, out, err = run(*words.split(" "))
    assert code == 2
    assert out == ""
    assert err.startswith("ERROR: ")
    assert message in err.partition("\n")[0]


def test_a_misspelt_flag_does_not_show_its_value(run: Run) -> None:
    for words in (["--ops-tokn=hunter2"], ["--ops-tokn", "hunter2"]):
        code, _, err = run("status", *words)
        assert (code, "hunter2" in err) == (2, False)


def test_version_and_help_are_data(run: Run) -> None:
    assert run("--version") == (0, f"vp-tui {__version__}\n", "")
    code, out, _ = run("--help")
    assert code == 0
    commands = [name.partition(" ")[0] for name in cli._COMMANDS]
    for word in (*commands, "examples:", "exit codes:"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 80


def test_help_names_every_scenario_that_is_played(run: Run) -> None:
    assert set(SCENARIOS) == set(PLAYED)
    _, out, _ = run("demo", "--help")
    assert all(name in out for name in SCENARIOS)


def test_the_choices_of_capture_are_those_of_the_rules() -> None:
    assert CaptureOptions().source is Traffic.ORGANIC
    for flag, name, words in (
        ("--source", "traffic", Traffic),
        ("--stage", "stage_rules", Stage),
        ("--assessment-profile", "assessment", Profile),
    ):
        for word in words:
            assert parse(["capture", flag, str(word)]).options == {name: str(word)}


@pytest.mark.parametrize("command", ["watch", "demo"])
def test_drawing_wants_a_terminal(run: Run, command: str) -> None:
    code, out, err = run(command)
    assert (code, out) == (2, "")
    assert f"vp-tui {command} draws on a terminal, and stdout is none" in err
    assert "vp-tui status --json" in err


def test_watch_hands_the_settings_to_the_screen(run: Run, screen: Screen) -> None:
    assert run("--vp-id", "vp.other")[0] == 0
    assert screen.started == [(Settings(vp_id="vp.other"), True)]


class Spawned:
    """Stands for the embedded gateway's process."""

    url = "http://127.0.0.1:4321"
    pid = 4321

    def __init__(self) -> None:
        self.options: SimOptions | None = None
        self.stopped = False

    def __call__(self, options: SimOptions) -> Self:
        self.options = options
        assert options.env_file is not None
        self.env = options.env_file.read_text()
        return self

    def story(self) -> Iterator[str]:
        yield "next: a run hangs"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped = True


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> Spawned:
    spawned = Spawned()
    monkeypatch.setattr("vp_tui.simulator.process.spawn_gateway", spawned)
    return spawned


def test_demo_watches_its_own_gateway_and_no_other(
    run: Run, screen: Screen, spawned: Spawned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VP_TUI_GATEWAY_URL", "https://prod.example")
    monkeypatch.setenv("UA_OPS_TOKEN", "hunter2")
    assert run("demo", "--scenario", "stuck", "--speed", "3", "--interval", "1")[0] == 0
    scratch = screen.places.state.parent
    assert not screen.is_left
    env_file = scratch / "gateway.env"
    assert spawned.options == SimOptions(scenario="stuck", speed=3.0, env_file=env_file)
    assert "UA_ENABLE_CODER_VP=1" in spawned.env
    restart = ("sh", "-c", "kill -USR1 4321")
    expected = Settings(
        url=spawned.url,
        gateway_name="demo stuck",
        interval=1.0,
        evidence=scratch / "evidence_log.md",
        stuck_after=20.0,
        brake=BrakeSettings(env_file, apply=restart, release=restart, restart=restart),
    )
    assert screen.started == [(expected, False)]
    assert screen.story == ["next: a run hangs"]
    assert spawned.stopped
    assert scratch != Path.cwd()
    assert not scratch.exists()


def test_demo_waits_as_long_for_a_stuck_run_as_a_flag_says(
    run: Run, screen: Screen, spawned: Spawned
) -> None:
    assert run("demo", "--scenario", "deaf", "--stuck-after", "60")[0] == 0
    assert run("demo")[0] == 0
    assert [settings.stuck_after for settings, _ in screen.started] == [60.0, None]


def test_demo_of_auth_begins_with_a_refused_token_and_says_how_to_mend_it(
    run: Run, screen: Screen, spawned: Spawned
) -> None:
    code, _, err = run("demo", "--scenario", "auth")
    assert (code, err) == (0, "")
    settings = screen.started[0][0]
    assert spawned.options is not None
    assert screen.tokens == ["expired", spawned.options.internal_token]
    mended = f"[A] after: echo {spawned.options.ops_token} > {settings.ops_token_file}"
    assert screen.story == [mended, "next: a run hangs"]


def test_demo_ends_its_gateway_when_the_screen_crashes(
    run: Run, terminal: None, spawned: Spawned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "run_tui", _raise(RuntimeError("a bug")))
    assert run("demo")[0] == 70
    assert spawned.stopped


def test_demo_tells_why_its_gateway_did_not_start(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vp_tui.simulator.process.spawn_gateway", _raise(RuntimeError("no port\x1b"))
    )
    assert run("demo") == (2, "", "ERROR: no port␛\n")


def test_gateway_gets_its_options_and_warns_of_a_visible_token(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[SimOptions, bool]] = []

    def serve(options: SimOptions, *, exit_with_parent: bool) -> int:
        served.append((options, exit_with_parent))
        return 0

    monkeypatch.setattr("vp_tui.simulator.process.run_gateway_command", serve)
    code, out, err = run("gateway", "--ops-token", "hunter2", "--env-file", "F", "--port", "9")
    assert (code, out) == (0, "")
    assert served == [(SimOptions(ops_token="hunter2", env_file=Path("F"), port=9), False)]
    assert err.startswith("WARNING: --ops-token: everybody on this machine can read it")
    assert "hunter2" not in err


def test_config_show_lists_every_setting_with_its_origin_but_no_token(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VP_TUI_INTERVAL", "5")
    code, out, err = run("config", "show", "--ops-token", "hunter2", "--vp-id", "v")
    rows = {words[0]: words[1:] for words in map(str.split, out.splitlines())}
    assert code == 0
    assert list(rows) == list(SETTINGS)
    assert rows["interval"] == ["5.0", "environment", "VP_TUI_INTERVAL"]
    assert rows["vp_id"] == ["v", "--vp-id"]
    assert rows["ops_token"] == ["(hidden)", "--ops-token"]
    assert rows["gateway_name"] == ["-", "default"]
    assert "hunter2" not in out + err
    assert err.endswith("configuration file: none\n")


def test_config_show_writes_commands_as_the_file_does(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    brake = '[gateways.a.brake]\napply = ["sh", "-c", "a \\u001b[2J"]\n'
    file.write_text(f'[gateways.a]\nurl = "http://a"\nread_only = true\n{brake}')
    _, out, _ = run("config", "show", "--config", str(file))
    rows = {line.partition(" ")[0]: line.split(None, 1)[1] for line in out.splitlines()}
    assert rows["brake_apply"].rstrip() == f'["sh", "-c", "a ␛[2J"]  {file}:5'
    assert rows["brake_release"].split() == ["-", "default"]
    assert rows["read_only"].split() == ["true", f"{file}:3"]
    assert rows["auto_revert"].split() == ["dry-run", "default"]


def test_interrupted_and_broken_pipes_are_quiet(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "run_tui", _raise(KeyboardInterrupt()))
    assert run() == (130, "", "")
    duplicated: list[int] = []
    monkeypatch.setattr(os, "dup2", lambda _, descriptor: duplicated.append(descriptor))
    monkeypatch.setattr(watch, "run_tui", _raise(BrokenPipeError()))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    assert run() == (141, "", "")
    assert duplicated == [1]


@pytest.mark.parametrize(("errno_name", "expected"), [("ENOSPC", 2), ("EPIPE", 141)])
def test_a_full_or_closed_stdout_is_no_crash(
    run: Run, monkeypatch: pytest.MonkeyPatch, errno_name: str, expected: int
) -> None:
    number = getattr(errno, errno_name)
    monkeypatch.setattr(os, "dup2", lambda *_: 1)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    monkeypatch.setattr(sys.stdout, "write", _raise(OSError(number, os.strerror(number))))
    code, _, err = run("config", "show")
    assert code == expected
    assert ("stdout cannot be written: No space left" in err) is (expected == 2)


class CrashedApp:
    """Stands for a TUI that a bug ended."""

    return_code = 1

    def __init__(self, *_: object) -> None:
        self.crash = RuntimeError("a bug")

    def run(self) -> None:
        return


def test_a_crash_of_the_screen_is_reported_with_the_last_events(
    run: Run, terminal: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vp_tui.ui.app.VpTuiApp", CrashedApp)
    assert run()[0] == 70
    [report] = _reports(tmp_path)
    assert "last events, oldest first: none" in report.read_text()


def _crash(secret: str) -> None:
    local = f"local {secret}"
    raise RuntimeError(f"x-ua-ops-token: {secret}\x1b and {len(local)}")


def _raise(error: BaseException) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise error

    return fail


def _reports(home: Path) -> Iterator[Path]:
    return (home / ".local/state/vp-tui").glob("crash-*.txt")


def test_a_crash_is_one_line_a_private_report_and_exit_70(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ops").write_text("from-a-file\n")
    (tmp_path / "ops").chmod(0o600)
    (tmp_path / ".env").write_text("UA_INTERNAL_API_TOKEN=from-dotenv\n")
    (tmp_path / ".env").chmod(0o644)
    monkeypatch.setenv("UA_OPS_TOKEN", "")
    monkeypatch.setattr(watch, "run_tui", lambda *_, **__: _crash("from-a-file from-dotenv"))
    code, out, err = run("--ops-token-file", "ops", "--vp-id", "lane")
    [report] = _reports(tmp_path)
    assert (code, out) == (70, "")
    assert err.splitlines() == [
        "WARNING: ~/.env can be read by others (mode 644): chmod 600",
        f"ERROR: vp-tui crashed (RuntimeError); the report is {report}",
    ]
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text()
    assert "from-a-file" not in text
    assert "from-dotenv" not in text
    assert "local = " not in text
    assert "\x1b" not in text
    for part in (f"vp-tui {__version__}", "Python 3.", "textual 8.", "--vp-id lane", "in _crash"):
        assert part in text


def test_a_crash_hides_tokens_of_the_command_line_and_the_environment(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UA_OPS_TOKEN", "from-environ")
    monkeypatch.setattr(watch, "run_tui", lambda *_, **__: _crash("from-environ from-argv"))
    _, _, err = run("--internal-token", "from-argv")
    [report] = _reports(tmp_path)
    assert "from-" not in report.read_text()
    assert "from-" not in err


def test_a_crash_without_a_place_for_its_report_is_told(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".local").write_text("in the way")
    monkeypatch.setattr(watch, "run_tui", _raise(RuntimeError("a bug")))
    code, _, err = run()
    assert code == 70
    assert err.startswith("ERROR: vp-tui crashed (RuntimeError), and no report could be written")


@pytest.mark.parametrize(
    "text",
    [
        "--ops-token SECRET", "--internal-token=SECRET", "Authorization: Bearer SECRET",
        "{'x-ua-internal-token': 'SECRET'}", "(b'x-ua-ops-token', b'SECRET')",
        "UA_OPS_TOKEN=SECRET",
        "http://me:SECRET@host", "of a known value SECRET!",
    ],
)  # fmt: skip
def test_what_looks_like_a_token_is_hidden(text: str) -> None:
    known = ["SECRET"] if "known" in text else []
    assert "SECRET" not in scrubbed(text, known)
    assert "<hidden>" in scrubbed(text, known)


def test_what_names_a_token_file_is_kept() -> None:
    text = "--ops-token-file ~/ops and a token of 3"
    assert scrubbed(text, ["", "3"]) == text


def test_status_prints_the_object_whatever_it_says(run: Run) -> None:
    code, out, err = run("status", "--json", "--gateway-url", "http://127.0.0.1:1")
    assert (code, err) == (2, "")
    assert json.loads(out)["gateway"]["reachable"] is False
    code, out, err = run("status", "--gateway-url", "http://127.0.0.1:1")
    assert (code, err) == (2, "")
    assert "  LOST, version unknown" in out
    assert "its figures are unknown: the metrics are down" in out
