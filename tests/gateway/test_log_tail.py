from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vp_tui.domain.models import LogChunk, TailAnswer
from vp_tui.gateway.log_tail import LINE_LIMIT, TailCursor, TailRequest

FILE = "/srv/gateway/workspaces/vp_coder_primary/run.log"


@dataclass
class Gateway:
    """The endpoint's way of slicing a file, byte for byte: docs/wire.md, section 7."""

    content: bytes = b""
    file: str = FILE

    def tail(self, request: TailRequest) -> TailAnswer:
        size = len(self.content)
        reset = False
        if request.cursor is None:
            start = max(size - request.max_bytes, 0)
        else:
            start = min(request.cursor, size)
            if size - start > request.max_bytes:
                start, reset = size - request.max_bytes, True
        truncated = reset or (request.cursor is None and start > 0)
        lines = self.content[start:].decode(errors="replace").split("\n")
        if start > 0 and self.content[start - 1 : start] != b"\n":
            lines = lines[1:]
        if lines and not lines[-1]:
            lines = lines[:-1]
        return TailAnswer(self.file, size, tuple(lines[-request.limit :]), truncated, reset)


@dataclass
class Reader:
    """What a screen does with the chunks."""

    gateway: Gateway
    cursor: TailCursor = field(default_factory=TailCursor)
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    restarts: int = 0

    def poll(self) -> LogChunk:
        chunk = self.cursor.feed(self.gateway.tail(self.cursor.request))
        if chunk is None:
            chunk = self.cursor.feed(self.gateway.tail(self.cursor.request))
        assert chunk is not None, "asked again twice in a row"
        if chunk.restarted:
            self.shown, self.notes = [], []
            self.restarts += 1
        if chunk.completes_last:
            self.shown.pop()
        self.shown += chunk.lines
        if chunk.note:
            self.notes.append(chunk.note)
        return chunk


def lines_of(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").split("\n")
    return lines if lines[-1] else lines[:-1]


PIECES = st.lists(
    st.sampled_from(["\n", "\n\n", "a", "xy", "é", "日", "🙂", "same\n", "é\n", "🙂\n", "\ufffd"]),
    max_size=8,
).map("".join)


@given(st.lists(st.tuples(PIECES, st.integers(0, 4)), max_size=12))
@example([("é\n", 0), ("é", 1), ("é\n", 0)])
@example([("\n\n", 0), ("\n", 0)])
@example([("\n日", 2), ("\n", 0)])
def test_a_file_that_grows_is_shown_whole_whatever_the_polls_cut(
    pieces: list[tuple[str, int]],
) -> None:
    text = "".join(piece for piece, _ in pieces).encode() + b"\n"
    cuts, end = [], 0
    for piece, back in pieces:
        end += len(piece.encode())
        cuts.append(max(end - back, 0))
    reader = Reader(Gateway())
    known = 0
    for cut in [*cuts, len(text)]:
        known = max(known, cut)
        reader.gateway.content = text[:known]
        reader.poll()
        assert reader.shown == lines_of(text[:known])
    assert reader.poll().lines == ()
    assert (reader.restarts, reader.notes) == (0, [])


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 30).map(lambda n: b"line\n" * n)),
            st.tuples(st.just("append"), PIECES.map(str.encode)),
            st.tuples(st.just("truncate"), st.integers(0, 40).map(bytes)),
            st.tuples(st.just("rotate"), PIECES.map(str.encode)),
        ),
        max_size=15,
    ),
    st.booleans(),
)
def test_nothing_is_lost_or_doubled_without_a_word(
    steps: list[tuple[str, bytes]],
    small: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    cursor = TailCursor(limit=10, max_bytes=60) if small else TailCursor()
    gateway = Gateway()
    reader = Reader(gateway, cursor)
    rotations = 0
    for step, piece in steps:
        if step == "append":
            gateway.content += piece
        elif step == "truncate":
            gateway.content = gateway.content[: max(len(gateway.content) - len(piece), 0)]
        else:
            rotations += 1
            gateway.content, gateway.file = piece, f"{FILE}.{rotations}"
        reader.poll()
    gateway.content += b"\n"
    reader.poll()
    reader.poll()
    if not reader.notes:
        assert reader.shown == lines_of(gateway.content)


@given(st.lists(st.sampled_from([b"\n", b"ab", b"\xe9", b"\xe9\n", b"caf\xe9 ok\n"]), max_size=12))
def test_broken_bytes_never_repeat_longer_lines(pieces: list[bytes]) -> None:
    reader = Reader(Gateway())
    for piece in pieces:
        reader.gateway.content += piece
        reader.poll()
    wanted, shown = lines_of(reader.gateway.content), reader.shown
    assert [line for line in shown if len(line) > 2] == [line for line in wanted if len(line) > 2]


def reader_of(content: bytes, **limits: int) -> Reader:
    reader = Reader(Gateway(content), TailCursor(**limits))
    reader.poll()
    return reader


def test_the_first_request_asks_for_the_end_of_the_file() -> None:
    assert TailCursor().request == TailRequest(cursor=None, limit=5_000, max_bytes=1_000_000)


def test_a_half_line_is_completed_and_takes_its_place() -> None:
    reader = reader_of(b"whole\npart")
    reader.gateway.content += b"ial\nnext\n"
    chunk = reader.poll()
    assert (chunk.lines, chunk.completes_last) == (("partial", "next"), True)
    assert reader.shown == ["whole", "partial", "next"]


def test_a_quiet_file_adds_nothing() -> None:
    reader = reader_of(b"one\ntwo\n")
    assert reader.poll() == LogChunk((), size=8, file=FILE)


@pytest.mark.parametrize("content", [b"", b"new\n", b"another, longer file\nthan before\n"])
def test_another_file_starts_anew(content: bytes) -> None:
    reader = reader_of(b"one\ntwo\n")
    reader.gateway.content = content
    assert reader.poll().restarted
    assert reader.shown == lines_of(content)


def test_a_file_that_appears_is_no_restart() -> None:
    reader = Reader(Gateway(file="run.log"))
    reader.poll()
    reader.gateway.content, reader.gateway.file = b"first\n", FILE
    assert reader.poll() == LogChunk(("first",), size=6, file=FILE)


def test_lines_beyond_the_limit_are_told() -> None:
    reader = reader_of(b"a\n", limit=3)
    reader.gateway.content += b"b\nc\nd\ne\n"
    chunk = reader.poll()
    assert chunk.lines == ("c", "d", "e")
    assert chunk.note == "more than 3 lines came at once: lines are missing"


def test_equal_lines_do_not_hide_that_some_were_dropped() -> None:
    reader = reader_of(b"tick\n", limit=3)
    reader.gateway.content += b"tick\n" * 5
    assert reader.poll().note == "more than 3 lines came at once: lines are missing"


def test_bytes_beyond_the_limit_are_told() -> None:
    reader = reader_of(b"a\n", max_bytes=10)
    reader.gateway.content += b"one\ntwos\nthree\n"
    chunk = reader.poll()
    assert chunk.lines == ("three",)
    assert chunk.note == "more than 10 bytes came at once: lines are missing"


def test_earlier_lines_of_a_long_file_are_told() -> None:
    assert reader_of(b"1\n2\n3\n", limit=2).notes == ["earlier lines are not shown"]


def test_a_line_that_hides_itself_is_told() -> None:
    reader = reader_of(b"x" * 50, max_bytes=10)
    assert reader.notes == ["a line longer than 10 bytes is not shown"]
    reader.gateway.content += b"\nok\n"
    reader.poll()
    assert reader.shown == ["ok"]


def test_a_very_long_last_line_is_not_asked_for_again() -> None:
    reader = reader_of(b"x" * 70_000)
    assert reader.cursor.request.cursor == 70_000
    reader.gateway.content += b"yyyy\nok\n"
    chunk = reader.poll()
    assert (chunk.lines, chunk.note) == (("ok",), "the rest of a very long line is not shown")


def test_many_lines_after_a_very_long_one_are_told_apart() -> None:
    reader = reader_of(b"x" * 70_000 + b"\n", limit=2)
    reader.gateway.content += b"1\n2\n3\n"
    assert reader.poll().note == "more than 2 lines came at once: lines are missing"


def test_shown_lines_are_clean_and_bounded() -> None:
    reader = reader_of(b"\x1b[2J\r\n" + b"x" * 5_000 + b"\n")
    assert reader.shown[0] == "␛[2J␍"
    assert len(reader.shown[1]) == LINE_LIMIT
    assert reader.shown[1].endswith("…")
