"""The lane's switches, and what it takes to set one: by file, by command, or by hand.

The gateway reads them from its environment when it starts. No endpoint sets or shows them: they
stand in the operator's env file, and their effect shows only by what turns of coding intent do.

An env file is read as its usual tools read a `.env` file, without running anything, and as bytes,
so that whoever changes one value leaves every other byte as it is.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.models import ActionStep, Failure


NOT_IN_FORCE: Final = "written, not in force until the gateway restarts"
RESTART_BY_HAND: Final = (
    "Restart the gateway as its service manager does it: systemctl restart, docker restart, …",
    "It kills every run. vp-tui waits for the new epoch and attaches again.",
)

_BOM: Final = b"\xef\xbb\xbf"
_ASSIGNMENT: Final = re.compile(rb"[ \t\v\f]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(rb"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_REST: Final = re.compile(rb"[^\r\n]*")
_COMMENT: Final = re.compile(rb"(?:^|[ \t\v\f]+)#.*")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Switch(StrEnum):
    """One switch, by the name of its variable."""

    FORCED_FALLBACK = "UA_CODER_VP_FORCE_FALLBACK"
    SHADOW = "UA_CODER_VP_SHADOW_MODE"
    LANE = "UA_ENABLE_CODER_VP"

    @property
    def mask(self) -> str:
        """The variable that keeps this one from having an effect while it is truthy."""
        return _MASKS[self]


_MASKS: Final = {
    Switch.FORCED_FALLBACK: "UA_DISABLE_CODER_VP_FORCE_FALLBACK",
    Switch.SHADOW: "UA_DISABLE_CODER_VP_SHADOW_MODE",
    Switch.LANE: "UA_DISABLE_CODER_VP",
}


class Change(NamedTuple):
    """One switch to be turned on or off."""

    switch: Switch
    on: bool

    @property
    def line(self) -> str:
        """The line of the env file that does it."""
        return f"{self.switch}={int(self.on)}"

    @property
    def words(self) -> str:
        """What it does, as the operator says it."""
        return _WORDS[self]

    @property
    def under_way(self) -> str:
        """What whoever makes it is doing."""
        return _UNDER_WAY[self]


FORCE_FALLBACK: Final = Change(Switch.FORCED_FALLBACK, on=True)
RELEASE: Final = Change(Switch.FORCED_FALLBACK, on=False)
_WORDS: Final = {
    FORCE_FALLBACK: "force fallback",
    RELEASE: "release the forced fallback",
    Change(Switch.SHADOW, on=True): "shadow mode on",
    Change(Switch.SHADOW, on=False): "shadow mode off",
    Change(Switch.LANE, on=True): "lane on",
    Change(Switch.LANE, on=False): "lane off",
}
_UNDER_WAY: Final = {
    FORCE_FALLBACK: "forcing fallback",
    RELEASE: "releasing the forced fallback",
    Change(Switch.SHADOW, on=True): "turning shadow mode on",
    Change(Switch.SHADOW, on=False): "turning shadow mode off",
    Change(Switch.LANE, on=True): "turning the lane on",
    Change(Switch.LANE, on=False): "turning the lane off",
}


class Switches(NamedTuple):
    """What an env file says; None where it says nothing of a switch."""

    forced_fallback: bool | None = None
    shadow: bool | None = None
    lane: bool | None = None
    masked: frozenset[Switch] = frozenset()
    """Switches that cannot be on, whatever they say."""

    def says(self, switch: Switch) -> bool | None:
        """Return what the switch itself says, None where nothing."""
        return {
            Switch.FORCED_FALLBACK: self.forced_fallback,
            Switch.SHADOW: self.shadow,
            Switch.LANE: self.lane,
        }[switch]

    def is_on(self, switch: Switch) -> bool | None:
        """Return whether it is on for a gateway that reads the file; None: by its default."""
        return False if switch in self.masked else self.says(switch)

    def needs(self, change: Change) -> bool:
        """Tell whether the file does not say yet what the change wants.

        Forced fallback and shadow mode are off by themselves; the lane's default is the gateway's.
        """
        says = self.says(change.switch)
        if says is None and change.switch is not Switch.LANE:
            return change.on
        return says is not change.on


def is_truthy(value: str) -> bool:
    """Tell whether the gateway takes a variable's value for on, in any case; all else is off."""
    return value.strip().lower() in {"1", "true", "yes", "on"}


def switches_in(data: bytes) -> Switches:
    """Return the switches that an env file sets; nothing else of the file is kept."""
    values = {found.name: found.value for found in assignments(data)}
    said = {switch: is_truthy(values[switch]) for switch in Switch if switch in values}
    return Switches(
        forced_fallback=said.get(Switch.FORCED_FALLBACK),
        shadow=said.get(Switch.SHADOW),
        lane=said.get(Switch.LANE),
        masked=frozenset(switch for switch in Switch if is_truthy(values.get(switch.mask, ""))),
    )


def with_change(data: bytes, change: Change) -> bytes:
    """Return the env file with the switch set; the same bytes where it says so already."""
    if not switches_in(data).needs(change):
        return data
    return with_value(data, change.switch, str(int(change.on)))


class CommandRun(NamedTuple):
    """One command of the operator's, ended or given up."""

    argv: tuple[str, ...]
    exit_code: int | None
    """Negative: the signal that ended it; None: it never ran, or had to be killed."""
    output: tuple[str, ...]
    """stdout and stderr in the order they came, literal lines; the middle of a long one is out."""
    took_s: float
    failure: Failure | None = None
    """Why it did not do its work, as far as its exit code tells."""


class Actuation(NamedTuple):
    """What the actuator did. That it did it is no proof that it has an effect."""

    steps: tuple[ActionStep, ...]
    failure: Failure | None = None
    written: bool = False
    """The env file says what was wanted, now or before."""
    command: CommandRun | None = None
    """The command that was run."""
    by_hand: tuple[str, ...] = ()
    """What is left for the operator to do, a line each."""
    by_word: bool = False
    """The operator did it by hand, and says so."""

    @property
    def is_carried_out(self) -> bool:
        """Whether all that was configured was done, or the operator did it."""
        is_done = self.written or self.command is not None or self.by_word
        return self.failure is None and is_done

    @property
    def needs_restart(self) -> bool:
        """Whether no more than the file was changed, which a gateway reads when it starts."""
        return self.written and (self.command is None or self.command.failure is not None)


class Means(NamedTuple):
    """What the configuration gives to act with; commands as their arguments, () for none.

    `apply` and `release` are for forced fallback alone. Shadow mode and the lane's switch can only
    be written; then the gateway is to be restarted.
    """

    env_file: str | None = None
    """Its path."""
    apply: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    def command(self, change: Change) -> tuple[str, ...]:
        """Return the command that is run for a change."""
        return {FORCE_FALLBACK: self.apply, RELEASE: self.release}.get(change, ())

    def is_manual(self, change: Change) -> bool:
        """Tell whether there is nothing that the actuator could do for a change."""
        return self.env_file is None and not self.command(change)

    def by_hand(self, change: Change) -> tuple[str, ...]:
        """Return what is left for the operator to do for a change, a line each."""
        if self.command(change):
            return ()
        if self.env_file is not None:
            return (f"Then restart the gateway: {NOT_IN_FORCE}.",)
        where = "the gateway's environment (.env or unit)"
        mask = f"See that {change.switch.mask} is not on there: it would have no effect."
        return (
            f"Put this line into {where}, in place of an older one:",
            f"    {change.line}",
            *((mask,) if change.on else ()),
            *RESTART_BY_HAND,
        )

    def plan(self, change: Change) -> tuple[str, ...]:
        """Return in words what is done for a change and what is left to do, a line each."""
        told = [f"write {change.line} into {literal(self.env_file)}"] if self.env_file else []
        if command := self.command(change):
            told.append(f"run {shown(command)}")
        return (*told, *self.by_hand(change))


def shown(argv: tuple[str, ...]) -> str:
    """Return a command as the configuration has it: each argument by itself, no shell."""
    return " ".join(literal(word) if word and " " not in word else repr(word) for word in argv)


class Assignment(NamedTuple):
    """One assignment, and where its value stands."""

    name: str
    value: str
    start: int
    """Of the value in the file, its quotes included."""
    end: int


def parse_env(text: str) -> dict[str, str]:
    """Return the assignments of a `.env` file; of two with one name the last holds."""
    data = text.encode("utf-8", "surrogatepass")
    return {found.name: found.value for found in assignments(data)}


def assignments(data: bytes) -> Iterator[Assignment]:
    """Yield the assignments of a `.env` file, from top to bottom.

    Comments, `export`, quotes, CRLF and a byte order mark are understood; a quoted value may go on
    over several lines, and nothing is interpolated. A line that is no assignment is skipped.
    """
    place = len(_BOM) if data.startswith(_BOM) else 0
    while place < len(data):
        if match := _ASSIGNMENT.match(data, place):
            name, start = match[1].decode(), match.end()
            value, end = _value(data, start)
            yield Assignment(name, value.decode("utf-8", "replace"), start, end)
            place = end
        line_end = _LINE_END.search(data, place)
        place = len(data) if line_end is None else line_end.end()


def with_value(data: bytes, name: str, value: str) -> bytes:
    """Return the file with the last assignment of `name` changed to `value`, a plain word.

    Without one, a line is added at the end, with the line end that the file has. Every other byte
    stays, a comment behind the value too.
    """
    new = value.encode()
    found = [each for each in assignments(data) if each.name == name]
    if found:
        last = found[-1]
        gap = b" " if data.startswith(b"#", last.end) else b""  # it would be read as the value's
        return data[: last.start] + new + gap + data[last.end :]
    line = name.encode() + b"=" + new
    line_end: bytes = [b"\n", *_LINE_END.findall(data)][-1]
    if not data or data.endswith((b"\n", b"\r")):
        return data + line + line_end
    return data + line_end + line


def _value(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the value that begins there, and where it ends.

    What follows a closing quote is not read; one on a later line closes nothing if more follows.
    """
    raw = next(_REST.finditer(data, start))[0]
    if quoted := _QUOTED.match(data, start):
        more = _COMMENT.sub(b"", next(_REST.finditer(data, quoted.end()))[0]).rstrip()
        if not more or quoted.end() <= start + len(raw):
            value = quoted[1] if quoted[1] is not None else _ESCAPE.sub(_unescaped, quoted[2])
            return value, quoted.end() + len(more)
    value = _COMMENT.sub(b"", raw).rstrip()
    return value, start + len(value)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPED.get(match[1], match[1])
