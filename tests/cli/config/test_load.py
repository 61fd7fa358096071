from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import Loaded, load
from vp_tui.cli.config.settings import (
    SETTINGS,
    AlarmSettings,
    BrakeSettings,
    ProbeSettings,
    Settings,
)
from vp_tui.domain.vocabulary import Profile, RevertMode, Stage, Traffic
from vp_tui.storage.places import default_config_file, places, state_dir

TWO_GATEWAYS = """\
# where we watch
default_gateway = "prod"

[gateways.prod]
url = "https://prod.example/"
vp_id = "vp.coder.primary"
ops_token_file = "tokens/ops"

[gateways."stage.one"]
url = "http://stage.example:8002"
ca_file = "/etc/ssl/stage.pem"
"""


A = '[gateways.a]\nurl = "http://a"\n'


class Home:
    """A home directory of a test, and loading settings in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / ".config/vp-tui/config.toml"

    def write(self, text: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text, encoding="utf-8")

    def load(self, file: str | None = None, /, *, env: str = "", **flags: str) -> Loaded:
        environ = dict(pair.split("=", 1) for pair in env.split())
        return load(flags, {"HOME": str(self.path), **environ}, self.path, file)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_every_setting_can_be_given() -> None:
    nested = {"brake": BrakeSettings, "probe": ProbeSettings, "alarm": AlarmSettings}
    paths = [
        (each.name, *inner)
        for each in fields(Settings)
        for inner in (
            [(one.name,) for one in fields(nested[each.name])] if each.name in nested else [()]
        )
    ]
    assert [setting.path for setting in SETTINGS.values()] == paths


def test_without_anything_the_defaults_hold(home: Home) -> None:
    loaded = home.load()
    assert loaded.settings == Settings()
    assert loaded.settings.url == "http://127.0.0.1:8002"
    assert (loaded.settings.mission_limit, loaded.settings.event_limit) == (500, 1000)
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.origins.keys() == SETTINGS.keys()
    assert loaded.notes == ()
    assert loaded.config_file is None


def test_what_is_recorded_where_can_be_said(home: Home) -> None:
    home.write('[gateways.a]\nurl = "http://a"\nevidence = "docs/log.md"\nprofile = "sustained"\n')
    settings = home.load(stage="Limited", source="probe").settings
    assert settings.evidence == home.file.parent / "docs/log.md"
    assert settings.profile is Profile.SUSTAINED
    assert (settings.stage, settings.source) == (Stage.LIMITED, Traffic.PROBE)


def test_the_next_window_can_be_named(home: Home) -> None:
    settings = home.load(env="VP_TUI_WINDOW_SCOPE=team-A", window_label="Own window #1").settings
    assert (settings.window_label, settings.scope) == ("Own window #1", "team-A")
    assert (Settings().window_label, Settings().scope) == ("", "")


def test_flag_over_environment_over_file_over_default(home: Home) -> None:
    home.write('[gateways.prod]\nurl = "https://prod.example"\nvp_id = "vp.file"\n')
    in_file = home.load()
    in_environment = home.load(env="VP_TUI_VP_ID=vp.env")
    in_flag = home.load(env="VP_TUI_VP_ID=vp.env", vp_id="vp.flag")
    found = [(x.settings.vp_id, x.origins["vp_id"]) for x in (in_file, in_environment, in_flag)]
    assert found == [
        ("vp.file", f"{home.file}:3"),
        ("vp.env", "environment VP_TUI_VP_ID"),
        ("vp.flag", "--vp-id"),
    ]
    assert in_file.config_file == home.file


def test_an_empty_variable_gives_nothing(home: Home) -> None:
    assert home.load(env="VP_TUI_VP_ID=").origins["vp_id"] == "default"


def test_the_default_gateway_gives_its_table(home: Home) -> None:
    home.write(TWO_GATEWAYS)
    loaded = home.load()
    assert loaded.settings.gateway_name == "prod"
    assert loaded.settings.url == "https://prod.example"
    assert loaded.settings.ops_token_file == home.file.parent / "tokens/ops"
    assert loaded.origins["gateway_url"] == f"{home.file}:5"
    assert loaded.origins["gateway_name"] == f"{home.file}:4"


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_a_gateway_is_chosen_by_name(home: Home, how: str) -> None:
    home.write(TWO_GATEWAYS)
    loaded = (
        home.load(gateway_name="stage.one")
        if how == "flag"
        else home.load(env="VP_TUI_GATEWAY_NAME=stage.one")
    )
    assert loaded.settings.url == "http://stage.example:8002"
    assert loaded.settings.ca_file == Path("/etc/ssl/stage.pem")
    assert loaded.origins["ca_file"] == f"{home.file}:11"


def test_the_only_gateway_needs_no_choice(home: Home) -> None:
    home.write('[gateways.lab]\nurl = "http://lab.example"\n')
    assert home.load().settings.gateway_name == "lab"


def test_several_gateways_need_a_choice(home: Home) -> None:
    home.write(TWO_GATEWAYS.replace("default_gateway", "# "))
    with pytest.raises(ConfigError, match=r"choose one with --gateway NAME .*: prod, stage\.one$"):
        home.load()


def test_another_url_does_not_get_the_default_gateways_tokens(home: Home) -> None:
    home.write(TWO_GATEWAYS)
    settings = home.load(gateway_url="http://127.0.0.1:9000").settings
    assert settings == Settings(url="http://127.0.0.1:9000")


def test_a_url_in_the_file_gets_its_table(home: Home) -> None:
    home.write(TWO_GATEWAYS)
    settings = home.load(gateway_url="https://prod.example").settings
    assert (settings.gateway_name, settings.ops_token_file is None) == ("prod", False)


def test_a_gateway_chosen_by_name_keeps_its_tokens_behind_a_tunnel(home: Home) -> None:
    home.write(TWO_GATEWAYS)
    settings = home.load(gateway_name="prod", gateway_url="http://127.0.0.1:9000").settings
    assert settings.url == "http://127.0.0.1:9000"
    assert settings.ops_token_file is not None


def test_a_file_is_named_relative_to_here(home: Home) -> None:
    (home.path / "my.toml").write_text('[gateways.mine]\nurl = "http://mine.example"\n')
    assert home.load("my.toml").settings.gateway_name == "mine"


def test_paths_know_home_and_where_they_were_given(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home.path))
    settings = home.load(ops_token_file="~/ops", internal_token_file="internal").settings
    assert settings.ops_token_file == home.path / "ops"
    assert settings.internal_token_file == home.path / "internal"


IN_A_TABLE: dict[str, tuple[str, Any]] = {
    "record": ("false", False),
    "redact": ("true", True),
    "vp_id": ('"vp.other"', "vp.other"),
    "read_only": ("true", True),
    "mission_limit": ("7", 7),
    "event_limit": ("8", 8),
    "interval": ("0.5", 0.5),
    "stuck_after": ("90", 90.0),
    "evidence": ('"/log.md"', Path("/log.md")),
    "profile": ('"sustained"', Profile.SUSTAINED),
    "stage": ('"limited"', Stage.LIMITED),
    "source": ('"probe"', Traffic.PROBE),
    "window_label": ('"Own window #1"', "Own window #1"),
    "scope": ('"team A"', "team A"),
    "ops_token_file": ('"/ops"', Path("/ops")),
    "internal_token_file": ('"/internal"', Path("/internal")),
    "ca_file": ('"/ca.pem"', Path("/ca.pem")),
    "allow_insecure": ("true", True),
}


def test_all_that_a_flag_can_give_may_stand_in_a_gateways_table(home: Home) -> None:
    lines = [f"{key} = {text}" for key, (text, _) in IN_A_TABLE.items()]
    home.write(A + "\n".join(lines))
    wanted = {key: value for key, (_, value) in IN_A_TABLE.items()}
    loaded = home.load()
    assert loaded.settings == Settings(url="http://a", gateway_name="a", **wanted)
    assert loaded.origins["window_scope"] == f"{home.file}:16"
    elsewhere = {"gateway_url", "gateway_name", "ops_token", "internal_token"}
    flags = {setting.flag for name, setting in SETTINGS.items() if name not in elsewhere}
    told = {f"--{key.replace('_', '-')}" for key in IN_A_TABLE}
    assert told == {flag.replace("--no-", "--") for flag in flags if flag}
    assert home.load(stage="shadow").settings.stage is Stage.SHADOW


WHOLE = """\
[alarm]
command = ["notify-send", "vp-tui", ""]

[gateways.prod]
url = "https://prod.example"
colour = "Red"
read_only = true
continuity_report = "reports/junit.xml"
words = ["HOLD_FOR_REVIEW", "GO_ON_2"]

[gateways.prod.brake]
env_file = "~/gateway/.env"
apply = ["systemctl", "restart", "gateway"]
release = [
    "sh", "-c",
    "echo [done]",
]
restart = ["/usr/bin/ü", "$HOME; rm -rf"]
timeout_s = 90
auto_revert = "armed"

[gateways.prod.probe]
prompt = \"\"\"
Implement a csv importer,
with tests.
\"\"\"

[gateways.lab]
url = "http://lab.example"
"""


def test_all_of_a_gateway_is_read_from_its_tables(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home.path))
    home.write(WHOLE)
    loaded = home.load(gateway_name="prod")
    settings = loaded.settings
    assert (settings.colour, settings.read_only) == ("red", True)
    assert settings.continuity_report == home.file.parent / "reports/junit.xml"
    assert settings.words == ("HOLD_FOR_REVIEW", "GO_ON_2")
    assert settings.brake.env_file == home.path / "gateway/.env"
    assert settings.brake.apply == ("systemctl", "restart", "gateway")
    assert settings.brake.release == ("sh", "-c", "echo [done]")
    assert settings.brake.restart == ("/usr/bin/ü", "$HOME; rm -rf")
    assert settings.brake.timeout_s == 90.0
    assert settings.brake.auto_revert is RevertMode.ARMED
    assert settings.probe.prompt == "Implement a csv importer,\nwith tests."
    assert settings.alarm.command == ("notify-send", "vp-tui", "")
    lines = {
        "alarm_command": 2, "read_only": 7, "words": 9, "brake_apply": 13, "brake_release": 14,
        "brake_restart": 18, "auto_revert": 20, "probe_prompt": 23,
    }  # fmt: skip
    assert {name: loaded.origins[name] for name in lines} == {
        name: f"{home.file}:{line}" for name, line in lines.items()
    }


def test_tables_of_one_gateway_are_not_those_of_another_but_the_alarm_is_for_all(
    home: Home,
) -> None:
    home.write(WHOLE)
    alarm = ("notify-send", "vp-tui", "")
    lab = Settings(url="http://lab.example", gateway_name="lab", alarm=AlarmSettings(alarm))
    assert home.load(gateway_name="lab").settings == lab
    elsewhere = home.load(gateway_url="http://127.0.0.1:9").settings
    assert elsewhere == Settings(url="http://127.0.0.1:9", alarm=AlarmSettings(alarm))


def test_read_only_can_be_said_everywhere(home: Home) -> None:
    assert not home.load().settings.read_only
    assert home.load(read_only="true").settings.read_only
    assert home.load(env="VP_TUI_READ_ONLY=1").settings.read_only
    home.write('[gateways.a]\nurl = "http://a"\nread_only = true\n')
    assert home.load().settings.read_only


def test_commands_come_from_the_file_only(home: Home) -> None:
    loaded = home.load(env='VP_TUI_BRAKE_APPLY=["rm"] VP_TUI_COLOUR=red')
    assert loaded.settings == Settings()
    assert [note.partition(":")[0] for note in loaded.notes] == [
        "environment VP_TUI_BRAKE_APPLY is no setting",
        "environment VP_TUI_COLOUR is no setting",
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[gateways.a]\nurl = "http://a"\nvpid = "x"\n', 3,
         "“vpid” in [gateways.a]: did you mean “vp_id”?"),
        ('[gateways.a]\nurl = "http://a"\n[gateway.b]\n', 3, "“gateway”: did you mean “gateways”?"),
        ('\ndefault = "a"\n', 2, "“default”: did you mean “default_gateway”?"),
        (f'{A}ops_token = "hunter2"\n', 3,
         "“ops_token” in [gateways.a]: did you mean “ops_token_file”?"),
        (f"{A}stuck_afer = 5\n", 3, "“stuck_afer” in [gateways.a]: did you mean “stuck_after”?"),
        ("zzz = 1\n", 1, "“zzz”: the known ones are default_gateway, gateways, alarm"),
        ('# a\ngateways = { a = { url = "http://a", caFile = "" } }', 2,
         "“caFile” in [gateways.a]: did you mean “ca_file”?"),
        ('gateways.a.url = "http://a"\ngateways.a."\\u001b" = ""\n', 2,
         "“␛” in [gateways.a]"),
        ('[gateways.a]\nurl = "http://a"\n[gateways.a.brake]\naply = []\n', 4,
         "“aply” in [gateways.a.brake]: did you mean “apply”?"),
        ('[gateways.a]\nurl = "http://a"\n[gateways.a.braek]\n', 3,
         "“braek” in [gateways.a]: did you mean “brake”?"),
        ('[alarm]\ncomand = ["x"]\n', 2, "“comand” in [alarm]: did you mean “command”?"),
        ("[alarms]\n", 1, "“alarms”: did you mean “alarm”?"),
        ('[gateways.a]\nurl = "http://a"\nprobe = { promt = "x" }\n', 3,
         "“promt” in [gateways.a.probe]: did you mean “prompt”?"),
    ],
)  # fmt: skip
def test_an_unknown_key_names_the_nearest_the_file_and_the_line(
    home: Home, text: str, line: int, words: str
) -> None:
    home.write(text)
    with pytest.raises(ConfigError) as caught:
        home.load()
    message = str(caught.value)
    assert "unknown key" in message
    assert words in message
    assert message.startswith(f"{home.file}:{line}: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\nb = = 2\n", ":2: not TOML: Invalid value"),
        ('a = """\n\n', ":3: not TOML: "),
        ('[gateways.a]\nvp_id = "x"\n', ":1: [gateways.a] has no url: add "),
        ("[gateways.a]\nurl = 5\n", ":2: gateways.a.url must be a text in quotes"),
        ("gateways = 5\n", ":1: gateways must be a table: [gateways]"),
        ("gateways.a = 5\n", ":1: gateways.a must be a table: [gateways.a]"),
        ('default_gateway = "prd"\n[gateways.prod]\nurl = "http://a"\n',
         ":1: {file} has no gateway “prd”: did you mean “prod”?"),
        ('default_gateway = "x"\n', ":1: {file} has no gateway “x”: add a [gateways.x] table"),
        ('[gateways.a]\nurl = "ftp://a"\n', ":2: “ftp://a” is not allowed: http://host:port"),
        (f'{A}read_only = "yes"\n', ":3: gateways.a.read_only must be true or false, without"),
        (f"{A}read_only = 1\n", ":3: gateways.a.read_only must be true or false"),
        (f'{A}colour = "ruby"\n', ":3: “ruby” is not allowed: one of red, orange, "),
        (f'{A}colour = "#12345"\n', ":3: “#12345” is not allowed: one of red, orange, "),
        (f'{A}interval = "5"\n', ":3: gateways.a.interval must be a number, without quotes"),
        (f"{A}interval = 0.4\n", ":3: “0.4” is not allowed: seconds from 0.5 on are wanted"),
        (f"{A}mission_limit = 7.0\n", ":3: “7.0” is not allowed: a whole number from 1 to 500"),
        (f"{A}mission_limit = false\n", ":3: gateways.a.mission_limit must be a number"),
        (f'{A}stage = "canary"\n', ":3: “canary” is not allowed: one of shadow, limited, "),
        (f'{A}words = "GO"\n', ':3: gateways.a.words must be a list of texts in quotes, as ["HOLD'),
        (f'{A}words = ["GO", "go on"]\n', "capitals, digits and “_” are wanted, and “go on”"),
        (f'{A}continuity_report = ""\n', ":3: “” is not allowed: the path of a file is wanted"),
        (f"{A}brake = 1\n", ":3: gateways.a.brake must be a table: [gateways.a.brake]"),
        (f'{A}[gateways.a.brake]\napply = "systemctl restart gateway"\n',
         ":4: gateways.a.brake.apply must be a list of texts in quotes, the program first and "),
        (f'{A}[gateways.a.brake]\nrestart = ["x", 5]\n', ":4: gateways.a.brake.restart must be a "),
        (f"{A}[gateways.a.brake]\nrelease = []\n",
         ":4: “[]” is not allowed: a command is a list of its arguments, the program first"),
        (f'{A}[gateways.a.brake]\napply = [""]\n', ':4: “[""]” is not allowed: a command is a '),
        (f'{A}[gateways.a.brake]\napply = ["x", "\\u0000"]\n', ":4: “"),
        (f'{A}[gateways.a.brake]\ntimeout_s = "60"\n', ":4: gateways.a.brake.timeout_s must be a"),
        (f"{A}[gateways.a.brake]\ntimeout_s = true\n", ":4: gateways.a.brake.timeout_s must be a"),
        (f"{A}[gateways.a.brake]\ntimeout_s = 0\n", ":4: “0” is not allowed: seconds from 1"),
        (f"{A}[gateways.a.brake]\ntimeout_s = nan\n", ":4: “nan” is not allowed: seconds from 1"),
        (f'{A}[gateways.a.brake]\nauto_revert = "yes"\n',
         ":4: “yes” is not allowed: one of off, dry-run, armed is wanted"),
        (f'{A}[gateways.a.probe]\nprompt = " "\n', ":4: “ ” is not allowed: a prompt is wanted"),
        ('[alarm]\ncommand = "bell"\n', ":2: alarm.command must be a list of texts in quotes"),
        ("alarm = 5\n", ":1: alarm must be a table: [alarm]"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_file_and_line(home: Home, text: str, words: str) -> None:
    home.write(text)
    with pytest.raises(ConfigError) as caught:
        home.load()
    message = str(caught.value)
    assert message.startswith(f"{home.file}:")
    assert words.format(file=home.file) in message
    assert message.isprintable()


def test_a_file_that_is_no_text_or_no_file_is_told(home: Home) -> None:
    home.file.parent.mkdir(parents=True)
    home.file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"config\.toml is not UTF-8 text$"):
        home.load()
    with pytest.raises(ConfigError, match=r"\.config cannot be read: Is a directory$"):
        home.load(".config")
    with pytest.raises(ConfigError, match=r"other\.toml: no such file: .*--config FILE$"):
        home.load("other.toml")


def test_a_name_needs_a_file(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"no such file: write the gateways into it"):
        home.load(gateway_name="prod")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("mission_limit", "0", "a whole number from 1 to 500"),
        ("mission_limit", "501", "a whole number from 1 to 500"),
        ("mission_limit", "1e2", "a whole number from 1 to 500"),
        ("mission_limit", "-1", "a whole number from 1 to 500"),
        ("event_limit", "1001", "a whole number from 1 to 1000"),
        ("event_limit", "00000005000", "a whole number from 1 to 1000"),
        ("event_limit", "٣", "a whole number from 1 to 1000"),
        ("interval", "0.4", "seconds from 0.5 on"),
        ("interval", "nan", "seconds from 0.5 on"),
        ("interval", "inf", "seconds from 0.5 on"),
        ("interval", "soon", "seconds from 0.5 on"),
        ("vp_id", "", "a name of visible characters"),
        ("vp_id", "a b\n", "a name of visible characters"),
        ("vp_id", "a\u202eb", "a name of visible characters"),
        ("ca_file", " ", "the path of a file"),
        ("evidence", "", "the path of a file"),
        ("profile", "rollouts", "one of rollout, sustained"),
        ("stage", "canary", "one of shadow, limited, broadened, sustained, reverted, blocked"),
        ("window_label", "a\x1b[2J", "a name of visible characters"),
        ("window_scope", " ", "a name of visible characters"),
        ("source", "real", "one of organic, probe, synthetic, fault-injected"),
        ("allow_insecure", "perhaps", "true or false"),
        ("gateway_url", "127.0.0.1:8002", "http://host:port or https://host"),
        ("gateway_url", "ftp://host", "http://host:port or https://host"),
        ("gateway_url", "http://", "http://host:port or https://host"),
        ("gateway_url", "http://host:99999", "http://host:port or https://host"),
        ("gateway_url", "http://host\t/", "http://host:port or https://host"),
    ],
)
def test_a_wrong_value_names_origin_value_and_what_is_allowed(
    home: Home, name: str, value: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        home.load(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{SETTINGS[name].flag}: “")
    assert f"is not allowed: {allowed} " in message
    assert message.isprintable()


def test_a_wrong_variable_names_itself(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"^environment VP_TUI_INTERVAL: “x” is not allowed"):
        home.load(env="VP_TUI_INTERVAL=x")


@pytest.mark.parametrize(
    "url",
    ["http://me:hunter2@host", "http://me:hunter2@host:bad", "http://host/?token=hunter2", "http://h/#hunter2"],
)  # fmt: skip
def test_a_url_with_a_secret_is_refused_and_never_shown(home: Home, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        home.load(gateway_url=url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("token", ["hunter2\nx: y", "", "hünter2"])
def test_a_wrong_token_is_refused_and_never_shown(home: Home, token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        home.load(ops_token=token)
    assert str(caught.value).startswith("--ops-token: the value is not allowed: a token of visible")


def test_a_token_on_the_command_line_is_used_hidden_and_warned_of(home: Home) -> None:
    loaded = home.load(ops_token="hunter2", internal_token="hunter3")
    assert loaded.settings.ops_token is not None
    assert loaded.settings.ops_token.reveal() == "hunter2"
    assert "hunter" not in repr(loaded)
    assert [note.partition(":")[0] for note in loaded.notes] == ["--ops-token", "--internal-token"]
    assert "UA_OPS_TOKEN" in loaded.notes[0]
    assert "UA_INTERNAL_API_TOKEN" in loaded.notes[1]


def test_a_token_is_no_variable_of_ours_and_a_misspelt_one_is_told(home: Home) -> None:
    loaded = home.load(env="VP_TUI_OPS_TOKEN=hunter2 VP_TUI_INTERVALL=1 VP_TUI_QQQ=1 OTHER=1")
    assert loaded.settings.ops_token is None
    assert "hunter2" not in str(loaded.notes)
    assert loaded.notes[1] == (
        "environment VP_TUI_INTERVALL is no setting: did you mean “VP_TUI_INTERVAL”?"
    )
    assert loaded.notes[2].endswith("VP_TUI_QQQ is no setting: `vp-tui config show` lists them")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("on", True), ("false", False), ("0", False)]
)
def test_switches_are_read_as_people_write_them(home: Home, text: str, value: object) -> None:
    assert home.load(env=f"VP_TUI_ALLOW_INSECURE={text}").settings.allow_insecure is value


def test_a_url_keeps_its_prefix_and_loses_its_slash(home: Home) -> None:
    settings = home.load(gateway_url="https://[::1]:8443/vp/").settings
    assert settings.url == "https://[::1]:8443/vp"


def test_the_base_directories_are_xdg() -> None:
    environ = {"HOME": "/home/me", "XDG_CONFIG_HOME": "/cfg", "XDG_STATE_HOME": "relative"}
    assert default_config_file(environ) == Path("/cfg/vp-tui/config.toml")
    assert state_dir(environ) == Path("/home/me/.local/state/vp-tui")


def test_what_vp_tui_writes_by_itself_has_its_places() -> None:
    own = places({"HOME": "/home/me", "XDG_STATE_HOME": "/var/me"})
    assert own.state == Path("/var/me/vp-tui")
    assert own.audit == own.state / "audit.jsonl"
    found = {own.spool, own.windows, own.handovers}
    assert found == {own.state / name for name in ("spool", "windows", "handovers")}
