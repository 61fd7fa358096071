"""What can be set: each setting declared once, in the tables of the configuration file.

All else follows from the declaration: flags and their help, variables, the file's keys, what
`vp-tui config show` tells, and the schema. Plain dataclasses: they are read before the first
frame, and pydantic's import alone would cost more than `vp-tui config show` may take.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from vp_tui.cli.config.kinds import (
    COLOUR,
    COMMAND,
    NAME,
    PATH,
    PROMPT,
    SWITCH,
    TOKEN,
    URL,
    WORDS,
    Setting,
    one_of,
    seconds,
    setting,
    whole,
)
from vp_tui.domain.models import INTERNAL, OPS
from vp_tui.domain.vocabulary import Profile, RevertMode, Stage, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _typeshed import DataclassInstance

    from vp_tui.gateway.credentials import Secret


@dataclass(frozen=True)
class BrakeSettings:
    """The operator's means; a command is its arguments, () where there is none."""

    env_file: Path | None = setting(None, PATH, "the gateway's, with the lane's switches")
    apply: tuple[str, ...] = setting((), COMMAND, "forces fallback")
    release: tuple[str, ...] = setting((), COMMAND, "ends forced fallback")
    restart: tuple[str, ...] = setting((), COMMAND, "restarts the gateway")
    timeout_s: float = setting(60.0, seconds(1, 3600), "seconds that each of them may take")
    auto_revert: RevertMode = setting(
        RevertMode.DRY_RUN,
        one_of(RevertMode),
        f"when the trip-wire trips: {', '.join(RevertMode)}",
        name="auto_revert",
    )


@dataclass(frozen=True)
class ProbeSettings:
    """What the lane is probed with."""

    prompt: str = setting("", PROMPT, "that the lane is probed with")
    """"": the prompt that the gateway's generation delegates."""


@dataclass(frozen=True)
class AlarmSettings:
    """What rings besides the terminal."""

    command: tuple[str, ...] = setting((), COMMAND, "run at each new alarm")


@dataclass(frozen=True)
class Settings:
    """What vp-tui was asked to do; every value has been checked."""

    url: str = setting(
        "http://127.0.0.1:8002", URL, "the gateway", "--gateway-url URL", name="gateway_url"
    )
    """Without a trailing slash and without credentials."""
    id: str = setting("", NAME, "of the gateway, whatever URL leads to it", name="gateway_id")
    """Names it in locks, windows and the audit; "": the URL does."""
    gateway_name: str = setting(
        "", NAME, "a gateway of the configuration file", "--gateway NAME", in_file=False
    )
    """"" when none was chosen."""
    vp_id: str = setting("vp.coder.primary", NAME, "the VP lane", "--vp-id ID")
    colour: str = setting("", COLOUR, "of the gateway's name")
    """"" for none of its own."""
    read_only: bool = setting(False, SWITCH, "send nothing that changes anything", "--read-only")
    mission_limit: int = setting(
        500, whole(1, 500), "missions in one look, 1 to 500", "--mission-limit N"
    )
    event_limit: int = setting(
        1000, whole(1, 1000), "mission events in one look, 1 to 1000", "--event-limit N"
    )
    interval: float = setting(
        2.0, seconds(0.5), "between two polls of the metrics, 0.5 or more", "--interval SECONDS"
    )
    """Seconds."""
    stuck_after: float | None = setting(
        None,
        seconds(1),
        "of silence make a run stuck (3 x p95 within 120 to 600)",
        "--stuck-after SECONDS",
    )
    """Seconds; None: the lane's p95 tells it."""
    evidence: Path | None = setting(
        Path("evidence_log.md"),
        PATH,
        "the evidence log (evidence_log.md in this directory)",
        "--evidence LOG",
    )
    """None: there is none."""
    profile: Profile = setting(
        Profile.ROLLOUT, one_of(Profile), f"which words: {', '.join(Profile)}", "--profile PROFILE"
    )
    stage: Stage | None = setting(
        None, one_of(Stage), f"overrules the log: {', '.join(Stage)}", "--stage STAGE"
    )
    """None: the evidence log tells it."""
    source: Traffic = setting(
        Traffic.ORGANIC,
        one_of(Traffic),
        f"of the window's missions: {', '.join(Traffic)}",
        "--source SOURCE",
    )
    window_label: str = setting(
        "", NAME, "of the window proposed next (the log tells it)", "--window-label TEXT"
    )
    scope: str = setting(
        "", NAME, "of that window (lane, gateway and source)", "--scope TEXT", name="window_scope"
    )
    record: bool = setting(True, SWITCH, "keep no recording of the watch", "--no-record")
    record_max_mb: int = setting(
        512, whole(64, 1_000_000), "megabytes that a lane's recordings may take"
    )
    redact: bool = setting(False, SWITCH, "record no prompts, texts and log lines", "--redact")
    words: tuple[str, ...] = setting((), WORDS, "decision words besides those of the rules")
    continuity_report: Path | None = setting(None, PATH, "JUnit XML of the continuity suites")
    ops_token_file: Path | None = setting(
        None, PATH, "holds the token of the ops plane", "--ops-token-file FILE"
    )
    internal_token_file: Path | None = setting(
        None, PATH, "holds the token of the session plane", "--internal-token-file FILE"
    )
    ca_file: Path | None = setting(
        None, PATH, "PEM certificates to trust instead of the system's", "--ca-file FILE"
    )
    allow_insecure: bool = setting(
        False, SWITCH, "send tokens over plain http to another machine", "--allow-insecure"
    )
    ops_token: Secret | None = setting(
        None, TOKEN, f"visible to others: prefer {OPS}", "--ops-token TOKEN", secret=OPS
    )
    internal_token: Secret | None = setting(
        None,
        TOKEN,
        f"visible to others: prefer {INTERNAL}",
        "--internal-token TOKEN",
        secret=INTERNAL,
    )
    brake: BrakeSettings = field(default=BrakeSettings())
    probe: ProbeSettings = field(default=ProbeSettings())
    alarm: AlarmSettings = field(default=AlarmSettings())


ANY_GATEWAY: Final = ("alarm",)
"""The tables that belong to no gateway: what they say holds whichever is watched."""


def _declared(
    table: DataclassInstance | type[DataclassInstance], path: tuple[str, ...] = ()
) -> Iterator[Setting]:
    for each in fields(table):
        at = (*path, each.name)
        if is_dataclass(each.default):
            yield from _declared(each.default, at)
        else:
            declared: Setting = each.metadata["setting"]
            yield declared._replace(path=at, name=declared.name or "_".join(at))


SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {declared.name: declared for declared in _declared(Settings)}
)
"""Every setting by its name."""

Keys: TypeAlias = "Mapping[str, Setting | Keys]"
"""The keys of a table of the file; one with keys of its own is a table in it."""


def _keys(*, of_any: bool) -> Keys:
    keys: dict[str, Any] = {}
    for declared in SETTINGS.values():
        *tables, key = declared.path
        if declared.in_file and of_any is (declared.path[0] in ANY_GATEWAY):
            level = keys
            for table in tables:
                level = level.setdefault(table, {})
            level[key] = declared
    return keys


GATEWAY_KEYS: Final = _keys(of_any=False)
"""The keys of a `[gateways.NAME]` table."""
TOP_KEYS: Final = _keys(of_any=True)
"""Those outside of it."""


class Given(NamedTuple):
    """A setting's value as it was given: by whom, and where a relative path is meant."""

    text: str
    """A list's is JSON."""
    origin: str
    base: Path
