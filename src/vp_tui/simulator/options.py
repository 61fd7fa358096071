"""What the embedded gateway is started with, and the lane flags it reads from an env file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

AUTH_OPS_TOKEN: Final = "ops-secret"  # noqa: S105 - the demo's published token
AUTH_INTERNAL_TOKEN: Final = "internal-secret"  # noqa: S105 - as above


@dataclass(frozen=True)
class SimulatorOptions:
    """How the embedded gateway behaves; the defaults are those of `vp-tui gateway`."""

    scenario: str = "tour"
    port: int = 0
    """TCP port on 127.0.0.1; 0 takes a free one."""
    speed: float = 1.0
    """Divides every duration of turns and scenarios, but not what the wire contract fixes."""
    ops_token: str | None = field(default=None, repr=False)
    internal_token: str | None = field(default=None, repr=False)
    env_file: Path | None = None
    """KEY=VALUE lines with the lane flags; read at the start and on a restart only."""
    seed: int = 7
    rate: float = 200.0
    """Events per second of the scenario `flood`, over all sessions."""
    sessions: int = 10
    """Sessions of the scenario `flood`."""
    cancel_wait: float = 5.0
    """Seconds that a cancel waits for the run to unwind; not divided by `speed`."""
    zone: tzinfo | None = None
    """Zone of the naive stamps; None is the machine's own."""

    def with_default_tokens(self) -> SimulatorOptions:
        """Return the options with the tokens that the scenario `auth` requires, if none are set."""
        if self.scenario != "auth" or self.ops_token or self.internal_token:
            return self
        return replace(self, ops_token=AUTH_OPS_TOKEN, internal_token=AUTH_INTERNAL_TOKEN)


@dataclass(frozen=True)
class LaneFlags:
    """The switches of the VP lane; without a word in the env file the lane is on."""

    enabled: bool = True
    shadow: bool = False
    forced_fallback: bool = False

    @classmethod
    def read(cls, env_file: Path | None) -> LaneFlags:
        """Return the flags that `env_file` sets; a missing file sets none."""
        values = _read_env(env_file) if env_file is not None and env_file.is_file() else {}
        unmasked = not _truthy(values.get("UA_DISABLE_CODER_VP_FORCE_FALLBACK", ""))
        return cls(
            enabled=_truthy(values.get("UA_ENABLE_CODER_VP", "1")),
            shadow=_truthy(values.get("UA_CODER_VP_SHADOW_MODE", "")),
            forced_fallback=unmasked and _truthy(values.get("UA_CODER_VP_FORCE_FALLBACK", "")),
        )


def _truthy(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}


def _read_env(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("\"'")
    return values
