"""What can be set, and how each setting is given.

Plain dataclasses: the settings are read before the first frame, and pydantic's import alone would
cost more than `vp-tui config show` may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vp_tui.config_values import (
    SHORTEST_INTERVAL_S,
    Given,
    colour,
    command,
    decision_words,
    file_path,
    gateway_address,
    one_of,
    prompt,
    seconds,
    token_text,
    visible_name,
    whole_number,
    yes_or_no,
)
from vp_tui.domain.stages import RevertMode, Stage, Traffic
from vp_tui.domain.words import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vp_tui.gateway.auth import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    """What vp-tui was asked to do; every value has been checked."""

    gateway_url: str = "http://127.0.0.1:8002"
    """Without a trailing slash and without credentials."""
    gateway_name: str = ""
    """The chosen gateway's name in the configuration file; "" when none was chosen."""
    vp_id: str = "vp.coder.primary"
    colour: str = ""
    """Of the gateway's name: one of COLOURS or `#rrggbb`; "" for none of its own."""
    read_only: bool = False
    """Nothing may be changed on the gateway."""
    mission_limit: int = 500
    event_limit: int = 1000
    interval: float = 2.0
    """Seconds between two polls of the metrics."""
    stuck_after: float | None = None
    """Seconds of silence from which on a run is stuck; None: the lane's p95 tells it."""
    evidence: Path | None = Path("evidence_log.md")
    """The evidence log, in the working directory unless told otherwise; None: there is none."""
    profile: Profile = Profile.ROLLOUT
    stage: Stage | None = None
    """None: the evidence log tells it."""
    source: Traffic = Traffic.ORGANIC
    window_label: str = ""
    """Of the window proposed next; "": the evidence log tells it."""
    window_scope: str = ""
    """Of the window proposed next; "": lane, gateway and source."""
    words: tuple[str, ...] = ()
    """Decision words besides those of the rules."""
    continuity_report: Path | None = None
    """JUnit XML of the continuity suites."""
    ops_token_file: Path | None = None
    internal_token_file: Path | None = None
    ca_file: Path | None = None
    allow_insecure: bool = False
    ops_token: Secret | None = None
    internal_token: Secret | None = None
    brake_env_file: Path | None = None
    """The gateway's own, which holds the lane's switches."""
    brake_apply: tuple[str, ...] = ()
    """Forces fallback; as every command here its arguments, () where there is none."""
    brake_release: tuple[str, ...] = ()
    brake_restart: tuple[str, ...] = ()
    brake_timeout_s: float = 60.0
    """Seconds that each of these commands may take."""
    auto_revert: RevertMode = RevertMode.DRY_RUN
    probe_prompt: str = ""
    """"": the prompt that the gateway's generation delegates."""
    alarm_command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is given. `parse` raises ValueError with what is allowed instead."""

    parse: Callable[[Given], object]
    metavar: str
    help: str
    flag: str = ""
    """"": it is given in the configuration file only."""
    secret: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether its flag takes no value."""
        return not self.metavar


SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "gateway_url": Setting(gateway_address, "URL", "the gateway", "--gateway-url"),
        "gateway_name": Setting(
            visible_name, "NAME", "a gateway of the configuration file", "--gateway"
        ),
        "vp_id": Setting(visible_name, "ID", "the VP lane", "--vp-id"),
        "colour": Setting(colour, "COLOUR", "of the gateway's name"),
        "read_only": Setting(yes_or_no, "", "send nothing that changes anything", "--read-only"),
        "mission_limit": Setting(
            whole_number(1, 500), "N", "missions in one look, 1 to 500", "--mission-limit"
        ),
        "event_limit": Setting(
            whole_number(1, 1000), "N", "mission events in one look, 1 to 1000", "--event-limit"
        ),
        "interval": Setting(
            seconds(SHORTEST_INTERVAL_S),
            "SECONDS",
            "between two polls of the metrics, 0.5 or more",
            "--interval",
        ),
        "stuck_after": Setting(
            seconds(1),
            "SECONDS",
            "of silence make a run stuck (3 x p95 within 120 to 600)",
            "--stuck-after",
        ),
        "evidence": Setting(
            file_path, "LOG", "the evidence log (evidence_log.md in this directory)", "--evidence"
        ),
        "profile": Setting(
            one_of(Profile), "PROFILE", f"which words: {', '.join(Profile)}", "--profile"
        ),
        "stage": Setting(
            one_of(Stage), "STAGE", f"overrules the log: {', '.join(Stage)}", "--stage"
        ),
        "source": Setting(
            one_of(Traffic), "SOURCE", f"of the window's missions: {', '.join(Traffic)}", "--source"
        ),
        "window_label": Setting(
            visible_name, "TEXT", "of the window proposed next (the log tells it)", "--window-label"
        ),
        "window_scope": Setting(
            visible_name, "TEXT", "of that window (lane, gateway and source)", "--scope"
        ),
        "words": Setting(decision_words, "WORDS", "decision words besides those of the rules"),
        "continuity_report": Setting(file_path, "FILE", "JUnit XML of the continuity suites"),
        "ops_token_file": Setting(
            file_path, "FILE", "holds the token of the ops plane", "--ops-token-file"
        ),
        "internal_token_file": Setting(
            file_path, "FILE", "holds the token of the session plane", "--internal-token-file"
        ),
        "ca_file": Setting(
            file_path, "FILE", "PEM certificates to trust instead of the system's", "--ca-file"
        ),
        "allow_insecure": Setting(
            yes_or_no, "", "send tokens over plain http to another machine", "--allow-insecure"
        ),
        "ops_token": Setting(
            token_text,
            "TOKEN",
            "visible to others: prefer UA_OPS_TOKEN",
            "--ops-token",
            secret=True,
        ),
        "internal_token": Setting(
            token_text,
            "TOKEN",
            "visible to others: prefer UA_INTERNAL_API_TOKEN",
            "--internal-token",
            secret=True,
        ),
        "brake_env_file": Setting(file_path, "FILE", "the gateway's, with the lane's switches"),
        "brake_apply": Setting(command, "COMMAND", "forces fallback"),
        "brake_release": Setting(command, "COMMAND", "ends forced fallback"),
        "brake_restart": Setting(command, "COMMAND", "restarts the gateway"),
        "brake_timeout_s": Setting(seconds(1, 3600), "SECONDS", "that each of them may take"),
        "auto_revert": Setting(
            one_of(RevertMode), "MODE", f"when the trip-wire trips: {', '.join(RevertMode)}"
        ),
        "probe_prompt": Setting(prompt, "PROMPT", "that the lane is probed with"),
        "alarm_command": Setting(command, "COMMAND", "run at each new alarm"),
    }
)
"""Every setting by its field in `Settings`."""
