"""Outside text made safe to show, and durations, stamps and ids in a few characters.

A log has no levels of its own: which of its lines look like errors is told by their words.

Everything that comes from the gateway, from logs and from files passes through `literal` once,
where it enters. What could move the cursor, ring, change colours, reorder or hide text appears as
a visible stand-in instead: `␛` for ESC, a code point in angle quotes for a bidi override.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final

ELLIPSIS: Final = "…"
IMPOSSIBLE: Final = "impossible"
"""What is shown in the place of a figure that cannot be."""
FIGURE_WIDTH: Final = 12
"""Characters that a figure takes at most."""
COUNTABLE: Final = 10**FIGURE_WIDTH
"""No counter of the gateway comes so far."""

_STAND_INS: Final = {chr(code): chr(0x2400 + code) for code in range(0x20)} | {
    "\x7f": "␡",
    "\t": "    ",
    # Text and emoji presentation selectors say nothing by themselves and make widths disagree.
    "\ufe0e": "",
    "\ufe0f": "",
}
_HIDDEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that Unicode calls printable although nothing of them is seen."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_NOT_ASCII_PRINT: Final = re.compile("[^ -~]")
_ERROR: Final = re.compile(
    r"""
      \b (?<!\bno\ ) (?<!\b0\ )                       # not "no error", "0 errors"
      (?: errors? | fatal | critical | panic(?:ked)? | exceptions? | failed | failures? )
      \b (?! "?\ *[=:]\ * (?: 0 | none | null | false ) \b )
    | \b \w+ (?-i: Error | Exception ) \b             # ConnectionError, a.b.SomeException
    | \b err \b                                       # npm ERR!
    | \b traceback \b
    | \b (?: exit | exited | return ) \b .{0,12}? \b (?: code | status ) \b \W{0,3} (?!0\b) -?\d
    | \b returncode \b \W{0,3} (?!0\b) -?\d
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ID: Final = 12
LOOKED_AT: Final = 500
"""Characters at the beginning of a line that are looked at."""


def literal(text: str) -> str:
    """Return `text` with every character that is not plainly visible replaced by a stand-in.

    The result has no control, bidi, zero-width or private character, no newline and no tab, and
    its only space is the plain one; a clean text is returned as it is.
    """
    if text.isprintable() and (text.isascii() or not _HIDDEN.search(text)):
        return text
    return _NOT_ASCII_PRINT.sub(_visible, text)


def is_error(line: str) -> bool:
    """Tell whether a line looks like an error: a level, an exception, an exit code but 0."""
    return _ERROR.search(line, 0, LOOKED_AT) is not None


def clip(text: str, width: int) -> str:
    """Return at most `width` characters of `text`, the last one an ellipsis where it was cut."""
    if len(text) <= width:
        return text
    return text[: max(width - 1, 0)] + ELLIPSIS if width > 0 else ""


def fold(text: str) -> str:
    """Return `text`, each run of white space as one blank, as the gateway folds descriptions."""
    return " ".join(text.split())


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    if (stand_in := _STAND_INS.get(char)) is not None:
        return stand_in
    if char.isprintable() and not _HIDDEN.match(char):
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    return f"\u2039U+{ord(char):04X}\u203a"


def age(seconds: float | None) -> str:
    """Return a duration as read at a glance: `3s`, `4m12`, `2h03`, `5d`; `-` for none.

    What is still to come, by a clock that is a little behind, is `0s`.
    """
    if seconds is None or not isfinite(seconds):
        return "-"
    all_minutes, second = divmod(max(int(seconds), 0), 60)
    all_hours, minute = divmod(all_minutes, 60)
    days, hour = divmod(all_hours, 24)
    if days:
        return figure(days, unit="d")
    if hour:
        return f"{hour}h{minute:02d}"
    return f"{minute}m{second:02d}" if minute else f"{second}s"


def figure(number: object, form: str = "", unit: str = "", most: float = COUNTABLE) -> str:
    """Return a figure as the gateway gave it, in few characters, or that it cannot be.

    None can that is no finite number, negative, beyond `most` or wider than FIGURE_WIDTH.
    """
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= most:
        return IMPOSSIBLE
    told = f"{number:{form}}{unit}"
    return told if len(told) <= FIGURE_WIDTH else IMPOSSIBLE


def took(seconds: float) -> str:
    """Return how long something took, where tenths matter: `1.1 s`."""
    return figure(seconds, ".1f", " s")


def utc_z(stamp: datetime) -> str:
    """Return an aware stamp as UTC ISO 8601 to the second, with `Z`."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_z(stamp: datetime) -> str:
    """Return the time of day of a stamp in UTC, where the day is plain: `02:00:08Z`."""
    return f"{clock_time(stamp)}Z"


def stamp_z(stamp: datetime, now: datetime) -> str:
    """Return a UTC moment as its clock reads, with its date where that is not today's."""
    return clock_z(stamp) if stamp.date() == now.date() else utc_z(stamp)


def clock_time(stamp: datetime) -> str:
    """Return the time of day of a stamp in UTC for a column, without its `Z`: `02:00:08`."""
    return f"{stamp:%H:%M:%S}"


def utc_of(stamp: str, clock_offset_s: float | None) -> datetime | None:
    """Return a stamp of the gateway in UTC, a naive one less the offset of its clock.

    None where it is no stamp, or a naive one and the offset is not known.
    """
    try:
        told = datetime.fromisoformat(stamp)
        if told.tzinfo is not None:
            return told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if clock_offset_s is None else later(told.replace(tzinfo=UTC), -clock_offset_s)


def later(stamp: datetime, seconds: float) -> datetime:
    """Return the moment so much after an aware one: the last or first there is, past these."""
    try:
        return stamp + timedelta(seconds=seconds)
    except OverflowError:
        return _LAST if seconds > 0 else _FIRST


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number of things: `0 turns`, `1 turn`; `things` is what several are called."""
    return f"{figure(number)} {thing if number == 1 else things or f'{thing}s'}"


def short_id(session_id: str) -> str:
    """Return what tells a session apart at a glance, in 12 characters at most.

    Of a generated id its random end; of what is long both ends, as either may be alike.
    """
    end = session_id.rpartition("_")[2] if session_id.startswith("session_") else ""
    told = end or session_id
    return told if len(told) <= _ID else f"{told[:5]}{ELLIPSIS}{told[-6:]}"
