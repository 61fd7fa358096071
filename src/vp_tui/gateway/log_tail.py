"""Following a log through the tail endpoint without losing or doubling a line: pure, no I/O.

The endpoint's cursor is the size of the file, and it has traps (docs/wire.md, section 7). A last
line without a newline is delivered as if it were whole, and a read that starts inside a line drops
its rest, so a reader that asks from the cursor it was given loses text. Here each request starts
before the last line seen, and the answer is aligned by finding that line again.

Where the last line starts is known to a byte or so only: the answer does not tell whether a newline
followed it, and each U+FFFD in it stands for 1 to 3 bytes. A request therefore starts early rather
than late, and an answer may repeat a few short lines before it. For a file of valid UTF-8 that only
grows, also one read in the middle of a character, the alignment is exact; with broken bytes in it
only lines of nothing else could be mistaken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.models import LogChunk, TailAnswer
from vp_tui.domain.text import clip, literal

if TYPE_CHECKING:
    from collections.abc import Sequence


LINE_LIMIT: Final = 4_000
"""Characters of a line that are shown; a cut line ends in an ellipsis."""
HELD_LIMIT: Final = 65_536
"""Bytes of a last line beyond which it is not asked for again: its rest would not be shown."""
DAMAGE_LIMIT: Final = 1_000
"""U+FFFD in a last line beyond which its start is too uncertain to ask for it again."""

_DAMAGED: Final = "\ufffd"
_DAMAGED_BYTES: Final = 3
_MOST_UNCERTAIN: Final = (_DAMAGED_BYTES - 1) * DAMAGE_LIMIT + 1
_ASCII_END: Final = "\x80"


class TailRequest(NamedTuple):
    """What to ask: from byte `cursor` to the end, or the end of the file where it is None."""

    cursor: int | None = None
    limit: int = 5_000
    """Lines; an answer with so many may have lost the ones before them."""
    max_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class _Held:
    """The last line seen, raw, which the next request asks for again."""

    line: str
    before: tuple[str, ...]
    """Lines before it that the next answer may repeat, oldest first."""

    def cursor(self, size: int) -> int:
        """Return where to ask from in a file of `size` bytes that ends in this line.

        That is the line's first byte if a newline followed it, else the newline before it; up to
        two bytes further back for each U+FFFD.
        """
        return max(size - _most_bytes(self.line) - 1, 0)

    def slack(self, size: int) -> int:
        """Return how many bytes may lie between `cursor` and the line."""
        return size - self.cursor(size) - _least_bytes(self.line) if self.line else 0

    def find(self, lines: Sequence[str], size: int, new_size: int) -> int | None:
        """Return the index of this line in the answer for a file that was `size` bytes long.

        None when it is not there. Of several places the file's growth decides; then one that takes
        each U+FFFD for a character of its own; then the latest.
        """
        slack = self.slack(size)
        least = accumulate(_least_bytes(line) + 1 for line in lines[:slack])
        repeatable = sum(end <= slack for end in least)
        places = [
            index
            for index in range(min(repeatable, len(lines) - 1), -1, -1)
            if self._continues(lines[index]) and self._follows(lines[:index])
        ]
        if len(places) > 1:
            most = [0, *accumulate(_most_bytes(line) + 1 for line in lines[: places[0]])]
            growth = new_size - size
            places.sort(
                key=lambda index: (not self._explains(growth, lines[index:]), most[index] > slack)
            )
        return places[0] if places else None

    def _continues(self, line: str) -> bool:
        """Tell whether `line` is this one, or more of it.

        A last character that was read in half may be whole now: it is not ASCII then.
        """
        known = self.line.removesuffix(_DAMAGED)
        if known == self.line or line.startswith(self.line):
            return line.startswith(self.line)
        return line.startswith(known) and line[len(known) :] >= _ASCII_END

    def _follows(self, repeated: Sequence[str]) -> bool:
        """Tell whether `repeated` are the lines before this one, as far as they are known."""
        known = self.before[max(len(self.before) - len(repeated), 0) :]
        return tuple(repeated[len(repeated) - len(known) :]) == known

    def _explains(self, growth: int, lines: Sequence[str]) -> bool:
        """Tell whether the file grew by `growth` bytes if the first of `lines` is this one.

        One byte more or less, for neither this line's newline nor that of the last is certain.
        """
        whole = lines[0].startswith(self.line)
        added = (lines[0][len(self.line) - (not whole) :], *lines[1:])
        newlines = len(added) - 1
        least = sum(map(_least_bytes, added)) + newlines - 1
        most = sum(map(_most_bytes, added)) + newlines + 1
        # A last character that was read in half: its first bytes were there before.
        if not whole:
            least -= _DAMAGED_BYTES
        elif self.line.endswith(_DAMAGED):
            most += _DAMAGED_BYTES - 1
        return least <= growth <= most


class TailCursor:
    """Follows one log: ask `request`, `feed` its answer, and so on."""

    def __init__(self, *, limit: int = 5_000, max_bytes: int = 1_000_000) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._file = ""
        self._size = 0
        self._held: _Held | None = None
        self._restarted = False

    @property
    def request(self) -> TailRequest:
        """What to ask next."""
        cursor = self._held.cursor(self._size) if self._held else self._size
        return TailRequest(cursor if self._size else None, self._limit, self._max_bytes)

    def feed(self, answer: TailAnswer) -> LogChunk | None:
        """Return what the answer to `request` adds; None means: ask again at once.

        None comes at most once in a row: after the file turned out to be another one.
        """
        if not self._size:
            return self._first(answer)
        if answer.file != self._file or answer.size < self._size:
            self._restart()
            return None
        if answer.reset or answer.truncated:
            return self._gap(answer, f"more than {self._max_bytes:,} bytes came at once")
        if self._held is None:
            return self._after_unheld(answer)
        return self._align(answer, self._held)

    def _align(self, answer: TailAnswer, held: _Held) -> LogChunk | None:
        place = held.find(answer.lines, self._size, answer.size)
        full = len(answer.lines) >= self._limit
        if full and (place is None or self._falls_short(answer, held)):
            return self._gap(answer, f"more than {self._limit:,} lines came at once")
        if place is None:
            self._restart()
            return None
        unchanged = answer.lines[place] == held.line
        new = answer.lines[place + 1 :] if unchanged else answer.lines[place:]
        return self._accept(answer, new, completes_last=not unchanged)

    def _first(self, answer: TailAnswer) -> LogChunk:
        """Take an answer that was asked without a cursor."""
        self._file = answer.file
        cut = answer.truncated or len(answer.lines) >= self._limit
        note = "earlier lines are not shown" if cut else None
        if answer.truncated and not answer.lines:
            note = f"a line longer than {self._max_bytes:,} bytes is not shown"
        return self._accept(answer, answer.lines, note=note)

    def _restart(self) -> None:
        self._size = 0
        self._held = None
        self._restarted = True

    def _gap(self, answer: TailAnswer, why: str) -> LogChunk:
        self._held = None
        return self._accept(answer, answer.lines, note=f"{why}: lines are missing")

    def _after_unheld(self, answer: TailAnswer) -> LogChunk:
        """Take an answer asked from the last size: a line unfinished there has lost its rest."""
        torn = answer.size - self._size > sum(_most_bytes(line) + 1 for line in answer.lines)
        if torn and len(answer.lines) >= self._limit:
            return self._gap(answer, f"more than {self._limit:,} lines came at once")
        note = "the rest of a very long line is not shown" if torn else None
        return self._accept(answer, answer.lines, note=note)

    def _falls_short(self, answer: TailAnswer, held: _Held) -> bool:
        """Tell whether a full answer does not reach back to its cursor: lines were dropped."""
        reached = sum(_most_bytes(line) + 1 for line in answer.lines)
        return answer.size - held.cursor(self._size) > reached + held.slack(self._size)

    def _accept(
        self,
        answer: TailAnswer,
        new: Sequence[str],
        *,
        completes_last: bool = False,
        note: str | None = None,
    ) -> LogChunk:
        self._hold(new, completes_last=completes_last)
        self._size = answer.size
        restarted, self._restarted = self._restarted, False
        return LogChunk(
            lines=tuple(clip(literal(line), LINE_LIMIT) for line in new),
            completes_last=completes_last,
            restarted=restarted,
            note=note,
            size=answer.size,
            file=answer.file,
        )

    def _hold(self, new: Sequence[str], *, completes_last: bool) -> None:
        if not new:
            return
        seen = [*new[:-1]]
        if self._held is not None:
            old = self._held.before if completes_last else (*self._held.before, self._held.line)
            seen = [*old, *seen]
        line = new[-1]
        too_long = _most_bytes(line) > HELD_LIMIT or line.count(_DAMAGED) > DAMAGE_LIMIT
        self._held = None if too_long else _Held(line, _last_short(seen))


def _last_short(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines that an answer may repeat: those that fit into any uncertainty."""
    ends = accumulate(len(line) + 1 for line in reversed(lines))
    fitting = sum(1 for _ in takewhile(lambda end: end <= _MOST_UNCERTAIN, ends))
    return tuple(lines[len(lines) - fitting :])


def _most_bytes(line: str) -> int:
    """Return the length in the file if each U+FFFD was sent as such: exact without one."""
    return len(line.encode(errors="surrogatepass"))


def _least_bytes(line: str) -> int:
    """Return the length in the file if each U+FFFD stands for one broken byte."""
    return _most_bytes(line) - (_DAMAGED_BYTES - 1) * line.count(_DAMAGED)
