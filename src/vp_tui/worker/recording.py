"""Records what a watch's store takes: on a thread of its own, which nothing waits for.

Events that it has no room for, because the disk or this machine is too slow, are counted, and the
recording says how many are missing where. Without a disk to write to it tries again now and then.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain import events, vocabulary
from vp_tui.domain.events import PartFailed
from vp_tui.domain.lane.switches import Means
from vp_tui.state import state
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.recording import Line, as_text
from vp_tui.storage.recording_files import AT, LOST, RecordingFile, make_room
from vp_tui.storage.typed_json import KIND, Codecs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from vp_tui.storage.recording import Writer
    from vp_tui.storage.recording_files import Header


PART_LIMIT: Final = 64 * 2**20
"""Bytes after which a file ends."""
PART_S: Final = 6 * 3600.0
FLUSH_S: Final = 0.5
"""Seconds between two writes: what a crash can take."""
WAITING_LIMIT: Final = 100_000
"""Events that wait to be written; what comes while there are as many is lost."""
AGAIN_S: Final = 30.0
"""Seconds after which a file that could not be written is tried again; twice as many each time."""
_SELDOM_S: Final = 600.0
_SLICE: Final = 500
"""Events written down at once, before other threads have their turn."""
_LEAVE_S: Final = 1.5
"""For which the end of a watch waits for the rest to be written."""
_REPEATED: Final = (
    events.HealthArrived, events.SnapshotArrived, events.ClaimsArrived, events.SessionsArrived,
    events.ContinuityArrived, events.TokensRead, events.EvidenceRead, events.WindowsRead,
    events.SuitesRead, events.SwitchesRead, events.AuditRead, events.LinkChanged, events.Tick,
    events.PollRateChanged, events.StoryTold,
)  # fmt: skip
"""Of these each part of a recording begins with the newest: of a session's link, each session's."""


WATCH: Final = Codecs(vars(state) | vars(vocabulary) | {"Means": Means, "Mapping": Mapping}).of(
    state.Watch
)
"""How a header tells what was watched, and how."""


class Medium(NamedTuple):
    """Where a watch is recorded, and how."""

    directory: Path
    header: Header
    limit: int
    """Bytes that all recordings of the lane may take."""
    writer: Callable[[], Writer]
    """Makes what writes an event down; called on the recording's thread."""
    wall: Callable[[], datetime]


class Recording:
    """The recording of one watch, from `start` to `stop`."""

    def __init__(
        self,
        medium: Medium,
        emit: Callable[[events.Event], None],
        report: Callable[[Exception], str],
    ) -> None:
        """`emit` takes what is told when it fails; `report` writes down a bug, and says where."""
        self._medium = medium
        self._emit = emit
        self._report = report
        self._waiting: deque[events.Event] = deque()
        self._dropped = self._unwritten = self._told = 0
        """Events that had no room, those that no file took, and how many of both a file tells."""
        self._newest: dict[tuple[str, str], Line] = {}
        self._parts = 0
        self._file: RecordingFile | None = None
        self._at = 0.0
        self._begun_at = self._rests_until = -inf
        self._again_s = AGAIN_S
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def take(self, told: Iterable[events.Event]) -> None:
        """Have the events recorded in a while; from one thread, which never waits."""
        room = WAITING_LIMIT - len(self._waiting)
        for event in told:
            if room > 0:
                self._waiting.append(event)
                room -= 1
            else:
                self._dropped += 1

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end; not later than in a moment, whatever the disk does."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        writer, is_last = None, False
        while not is_last:
            is_last = self._stopping.wait(FLUSH_S)
            try:
                writer = writer or self._medium.writer()
                self.write(writer)
            except Exception as error:  # noqa: BLE001 - whatever it is, only what was taken is lost
                told = f"{type(error).__name__}, report {self._report(error)}"
                self._emit(PartFailed(self._at, "recording", told, FLUSH_S))
        self._close()

    def write(self, writer: Writer) -> None:
        """Write down what waits."""
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(_SLICE, len(self._waiting)))]
            self._unwritten += len(taken)  # until it is written
            self._at = taken[0].at
            lines = [writer.written(event) for event in taken]
            self._unwritten -= len(taken)
            self._write(taken[0].at, lines)
            for event, line in zip(taken, lines, strict=True):
                if isinstance(event, _REPEATED):
                    self._newest[type(event).__name__, getattr(event, "session_id", "")] = line

    def _write(self, at: float, lines: Sequence[Line]) -> None:
        """Write lines into the part that is open, or a new one; what cannot be is lost."""
        if at < self._rests_until:
            self._unwritten += len(lines)
            return
        lost = self._dropped + self._unwritten - self._told
        try:
            file = self._file
            if file is None or file.size >= PART_LIMIT or at - self._begun_at >= PART_S:
                file = self._next_part(at, is_whole=not lost)
            file.write([_lost_line(at, lost), *lines] if lost else lines)
        except RecordingError as error:
            self._unwritten += len(lines)
            self._close()
            failure, again_s = error.failure, self._again_s
            self._rests_until, self._again_s = at + again_s, min(2 * again_s, _SELDOM_S)
            self._emit(PartFailed(at, "recording", failure.reason, again_s, failure.cure))
        else:
            self._told, self._again_s = self._told + lost, AGAIN_S

    def _next_part(self, at: float, *, is_whole: bool) -> RecordingFile:
        """Return the next file; what it begins with repeats only where nothing is missing."""
        medium = self._medium
        self._close()
        repeats = len(self._newest) if is_whole else 0
        header = medium.header._replace(part=self._parts + 1, repeats=repeats)
        with RecordingError.for_os_errors(medium.directory):
            make_room(medium.directory, header.gateway, header.vp_id, medium.limit - PART_LIMIT)
        self._file = RecordingFile(medium.directory, header, medium.wall())
        self._parts, self._begun_at = self._parts + 1, at
        self._file.write(self._newest.values())
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _lost_line(at: float, lost: int) -> Line:
    told = {KIND: LOST, AT: at, "events": lost}
    return Line(told, as_text(told))
