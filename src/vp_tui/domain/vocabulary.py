"""The words and limits that settings and rules share: stages, traffic, profiles, decision words.

A decision word is any text, as the configuration may add some; `Word` names those that the rules
suggest (docs/rollout.md, section 6), and each is more or less strict. Each limit has the name by
which the screen says that it fired: rates are fractions, 0 to 1; durations are seconds.
"""

from __future__ import annotations

import re
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


NOT_AVAILABLE: Final = "n/a"


STRICT_TO_PERMISSIVE: Final = (
    ("BLOCKED_*",),
    ("*FORCE_FALLBACK",),
    ("PARTIAL_*", "HOLD_*", "START_*", "*_NO_TRAFFIC"),
    ("*_WATCH",),
    ("READY_*",),
    ("GO_*", "*_HEALTHY"),
)
"""Words by what they allow; the first level with a fitting pattern is a word's own."""
_WORD: Final = re.compile(r"[A-Z][A-Z0-9_]{1,79}")

FALLBACK_WATCH: Final = 0.05
"""The playbook watches from this fallback rate on."""
FALLBACK_CRITICAL: Final = 0.20
"""The playbook calls this fallback rate, and any above it, critical."""
GUARDRAIL_RATE: Final = 0.10
"""The guardrail trips above this fallback rate, and the first gate wants a rate below it proven."""
P95_WATCH_S: Final = 45.0
"""The playbook watches from this p95 on, in seconds."""
P95_CRITICAL_S: Final = 90.0
"""The playbook calls this p95, and any above it, critical."""


class Profile(StrEnum):
    """Which table of rules gives the word."""

    ROLLOUT = "rollout"
    SUSTAINED = "sustained"


class Word(StrEnum):
    """The words of the rules; the row's decision."""

    BLOCKED_AUTH = "BLOCKED_AUTH"
    BLOCKED_EXECUTION_PIPELINE = "BLOCKED_EXECUTION_PIPELINE"
    FORCE_FALLBACK = "FORCE_FALLBACK"
    PARTIAL_TIMEOUT_RECOVERED = "PARTIAL_TIMEOUT_RECOVERED"
    HOLD_SHADOW = "HOLD_SHADOW"
    START_SHADOW_WINDOW = "START_SHADOW_WINDOW"
    """Offered, never suggested: an engineer opens the rollout."""
    READY_FOR_LIMITED_COHORT_PILOT = "READY_FOR_LIMITED_COHORT_PILOT"
    GO_BROADER_TRAFFIC_ACTIVE = "GO_BROADER_TRAFFIC_ACTIVE"
    SUSTAINED_FORCE_FALLBACK = "SUSTAINED_FORCE_FALLBACK"
    SUSTAINED_MONITOR_NO_TRAFFIC = "SUSTAINED_MONITOR_NO_TRAFFIC"
    SUSTAINED_WATCH = "SUSTAINED_WATCH"
    SUSTAINED_DEFAULT_ON_HEALTHY = "SUSTAINED_DEFAULT_ON_HEALTHY"


_OFFERED: Final[Mapping[Profile, Mapping[str, Word]]] = {
    Profile.ROLLOUT: {
        "1": Word.GO_BROADER_TRAFFIC_ACTIVE,
        "2": Word.READY_FOR_LIMITED_COHORT_PILOT,
        "3": Word.HOLD_SHADOW,
        "4": Word.FORCE_FALLBACK,
        "5": Word.BLOCKED_EXECUTION_PIPELINE,
        "6": Word.PARTIAL_TIMEOUT_RECOVERED,
        "7": Word.BLOCKED_AUTH,
        "8": Word.START_SHADOW_WINDOW,
    },
    Profile.SUSTAINED: {
        "1": Word.SUSTAINED_DEFAULT_ON_HEALTHY,
        "2": Word.SUSTAINED_WATCH,
        "4": Word.SUSTAINED_FORCE_FALLBACK,
        "5": Word.BLOCKED_EXECUTION_PIPELINE,
        "6": Word.PARTIAL_TIMEOUT_RECOVERED,
        "7": Word.BLOCKED_AUTH,
        "9": Word.SUSTAINED_MONITOR_NO_TRAFFIC,
    },
}
"""The words of each table by their digits, which never change: fingers learn them."""


def is_word(text: str) -> bool:
    """Tell whether `text` can be a row's decision: capitals, digits and `_`."""
    return _WORD.fullmatch(text) is not None


def permissiveness(word: str) -> int:
    """Return a word's level, 0 for the strictest.

    A word that no level knows is taken for the most permissive, so that it asks for a reason.
    """
    levels = (n for n, patterns in enumerate(STRICT_TO_PERMISSIVE) if _fits(word, patterns))
    return next(levels, len(STRICT_TO_PERMISSIVE) - 1)


def is_more_permissive(word: str, suggestion: str) -> bool:
    """Tell whether `word` allows more than the suggestion, and so needs a typed reason."""
    return permissiveness(word) > permissiveness(suggestion)


def keeps_open(word: str) -> bool:
    """Tell whether recording `word` keeps the window open; the other words close it."""
    return _fits(word, ("BLOCKED_*", "HOLD_*", "PARTIAL_*"))


def is_ready(word: str) -> bool:
    """Tell whether `word` calls its window clean enough for the next step."""
    return fnmatchcase(word, "READY_*")


def offered(suggestion: str, profile: Profile, extra: Iterable[str] = ()) -> dict[str, str]:
    """Return the words to choose from, each with its digit, "" for a word without one.

    The profile's have theirs for ever, those of the configuration what is left. A suggestion that
    is not among them has none, as it would move the others.
    """
    digits = {str(word): digit for digit, word in _OFFERED[profile].items()}
    left = (digit for digit in "123456789" if digit not in _OFFERED[profile])
    for word in extra:
        if word not in digits:
            digits[word] = next(left, "")
    digits.setdefault(str(suggestion), "")
    return digits


def _fits(word: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(word, pattern) for pattern in patterns)


class Stage(StrEnum):
    """How far the rollout has come."""

    SHADOW = "shadow"
    LIMITED = "limited"
    BROADENED = "broadened"
    SUSTAINED = "sustained"
    REVERTED = "reverted"
    """Fallback is forced."""
    BLOCKED = "blocked"


class Traffic(StrEnum):
    """Where a window's missions come from."""

    ORGANIC = "organic"
    PROBE = "probe"
    SYNTHETIC = "synthetic"
    FAULT_INJECTED = "fault-injected"

    @property
    def is_real(self) -> bool:
        """Whether it feeds gates and guardrails."""
        return self in {Traffic.ORGANIC, Traffic.PROBE}


class RevertMode(StrEnum):
    """What vp-tui does when guardrail 3 trips."""

    OFF = "off"
    DRY_RUN = "dry-run"
    """It says so, and what it would do."""
    ARMED = "armed"
    """It forces fallback after a countdown, once."""


class Thresholds(NamedTuple):
    """What the replaced capture script takes as flags, with its defaults."""

    min_missions: int = 1
    """Fewer missions considered are no traffic."""
    fallback_watch: float = FALLBACK_WATCH
    fallback_critical: float = FALLBACK_CRITICAL
    p95_watch_s: float = P95_WATCH_S
    p95_critical_s: float = P95_CRITICAL_S


def percent(fraction: float) -> str:
    """Return a fraction, 0 to 1, as percent: `10%`, `18.1%`."""
    return f"{fraction * 100:.1f}".removesuffix(".0") + "%"


def interval(low: float, high: float) -> str:
    """Return the interval of a rate."""
    return f"{percent(low)} to {percent(high)}"


def rate_cell(rate: float | None) -> str:
    """Return a rate, a fraction, as the row has it: `0.000`."""
    return NOT_AVAILABLE if rate is None else figure(rate, ".3f", most=1.0)


def p95_cell(seconds: float | None) -> str:
    """Return a p95 as the row has it: `38.305s`."""
    return NOT_AVAILABLE if seconds is None else figure(seconds, ".3f", "s")
