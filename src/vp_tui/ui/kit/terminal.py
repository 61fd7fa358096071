"""The terminal that the screen is drawn on: written to without waiting, watched, left in time.

Textual's own driver reads the end of a terminal again and again, waits for one that nobody reads,
and hears a signal only when its loop comes to it. Here a thread watches the terminal and hears the
signals, so that vp-tui is gone soon after its terminal is, whatever its loop does meanwhile.
"""

from __future__ import annotations

import asyncio
import locale
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unicodedata
from contextlib import suppress
from functools import cache
from threading import Condition, Thread, Timer
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from rich.cells import cell_len
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.ui.actions import KeyedApp

HUNG_S: Final = 5.0
"""A piece that the terminal does not take for so long: nobody sees what is drawn on it."""
GONE_S: Final = 1.6
"""After which vp-tui ends, whatever it does still: a shell and its user wait 2 s at most."""
WAITING: Final = 64 * 1024
"""Bytes that may wait for the terminal; what is newer replaces them by a whole new picture."""
PIECE: Final = 1024
"""Bytes that are written at once: a slow line takes them in time, a hung one does not."""
RESTORED_S: Final = 0.3
"""For which the last bytes are waited for: they give the terminal back as it was."""
TMUX_S: Final = 3.0
"""Between two questions whether somebody is attached."""
_LOOK_S: Final = 1.0
_LEAVES: Final = {signal.SIGHUP: 0, signal.SIGTERM: 0, signal.SIGINT: 130}
"""What asks vp-tui to go, and the exit code."""
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_SYMBOLS: Final = {
    symbol: plain
    for symbols, plain in (
        ("\u2013\u2014\u2212─━═▄▀", "-"), ("│┃║╎", "|"), ("\u2018\u2019", "'"), ("·▂▃", "."),
        ("\u201c\u201d", '"'), ("\u2039←", "<"), ("\u203a→▸", ">"), ("↑", "^"), ("↓", "v"),
        ("…", "~"), ("▁▔", "_"), ("▅", "="), ("▆✓", "+"), ("●▇", "*"), ("█", "#"), ("◌◔", "o"),
        ("✗", "x"),
    )
    for symbol in symbols
}  # fmt: skip
"""What stands for a symbol of the screen where only ASCII can be drawn."""
_RESTORES: Final = b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u"
_RESTORED: Final = _RESTORES + b"\x1b[?1049l\x1b[?25h\x1b[?1004l"


def in_ascii(text: str) -> str:
    """Return a text for a terminal that knows ASCII only; what is in a column stays in it."""
    return text if text.isascii() else _NOT_ASCII.sub(lambda match: _ascii(match.group()), text)


@cache
def _ascii(char: str) -> str:
    plain = _SYMBOLS.get(char) or unicodedata.normalize("NFKD", char)[0]
    if "BOX DRAWINGS" in unicodedata.name(char, "") and char not in _SYMBOLS:
        plain = "+"
    cells = cell_len(char)
    return plain if plain.isascii() and cells == 1 else "?" * cells


def _is_utf8() -> bool:
    return locale.getencoding().lower().replace("-", "") == "utf8"


class Outlet(Thread):
    """A file for what is drawn. Writing to it never waits: a thread of its own does.

    What waits for too long is let go: `on_torn` is called when the terminal reads again, to draw
    all of it. `on_gone` is called when it cannot be written to any more.
    """

    def __init__(
        self,
        fd: int,
        on_torn: Callable[[], None],
        on_gone: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="terminal-output", daemon=True)
        self._fd, self._on_torn, self._on_gone, self._clock = fd, on_torn, on_gone, clock
        self._is_utf8 = _is_utf8()
        self._changed = Condition()
        self._waiting: list[bytes] = []
        self._size = 0
        self._is_torn = self._is_last = self._is_gone = False
        self._since: float | None = None
        self._behind_since: float | None = None

    def write(self, text: str) -> None:
        """Have a text written."""
        data = (text if self._is_utf8 else in_ascii(text)).encode("utf-8", "replace")
        with self._changed:
            is_much = self._size > 0 and self._size + len(data) > WAITING
            if is_much and not self._is_last:
                self._let_go()
                self._is_torn = True
            if not (self._is_torn or self._is_gone):
                self._waiting.append(data)
                self._size += len(data)
            if self._behind_since is None:
                self._behind_since = self._clock()
            self._changed.notify_all()

    def flush(self) -> None:
        """Do nothing: it is written as soon as the terminal takes it."""

    def hung_s(self) -> float:
        """Return for how long the terminal has not taken what it was given."""
        since = self._since
        return 0.0 if since is None else self._clock() - since

    def behind_s(self) -> float:
        """Return for how long there was always something that it was not given yet."""
        since = self._behind_since
        return 0.0 if since is None else self._clock() - since

    def begin_last(self) -> None:
        """Keep all that comes from now on, and nothing of what waits: the screen is left."""
        with self._changed:
            self._is_last, self._is_torn = True, False
            self._let_go()

    def end_last(self, wait_s: float) -> None:
        """Wait until it is written, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_gone or not self._size, wait_s)
            self._is_last = False

    def _let_go(self) -> None:
        self._waiting.clear()
        self._size = 0

    def run(self) -> None:
        while not self._is_gone:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_torn)
                data = b"".join(self._waiting)
                self._waiting.clear()
            is_whole = self._written(data)
            with self._changed:
                self._size = sum(map(len, self._waiting))
                if not self._waiting:
                    self._behind_since = None
                is_torn, self._is_torn, self._is_gone = self._is_torn, False, not is_whole
                self._changed.notify_all()
            if not is_whole:
                self._on_gone()
            elif is_torn:
                self._on_torn()

    def _written(self, data: bytes) -> bool:
        """Write it piece by piece; tell whether the terminal is there still."""
        try:
            while data:
                self._since = self._clock()
                with suppress(BlockingIOError):  # another program left the terminal like that
                    data = data[os.write(self._fd, data[:PIECE]) :]
                    continue
                select.select([], [self._fd], [], _LOOK_S)
        except OSError:
            return False
        finally:
            self._since = None
        return True


class Tmux:
    """Whether anybody is attached to the tmux session that this is a pane of."""

    def __init__(self, pane: str | None, ask: Callable[[str], str] | None = None) -> None:
        self._pane = pane
        self._ask = ask or _attached
        self._asked_at: float | None = None
        self.is_detached = False

    def look(self, now: float) -> None:
        """Ask again when it is time to. Blocks; one that does not answer tells nothing."""
        if self._pane is None or (self._asked_at is not None and now - self._asked_at < TMUX_S):
            return
        self._asked_at = now
        try:
            self.is_detached = self._ask(self._pane) == "0"
        except (OSError, subprocess.SubprocessError):
            self.is_detached = False


def _attached(pane: str) -> str:
    """Return how many clients are attached. Raises OSError and SubprocessError."""
    question = ("tmux", "display-message", "-p", "-t", pane, "#{session_attached}")
    asked = subprocess.run(  # noqa: S603 - a fixed question
        question, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1.0, check=True
    )
    return asked.stdout.strip()


class TerminalDriver(LinuxDriver):
    """Textual's driver, with what a terminal that goes away, hangs or is stopped asks for."""

    def __init__(self, app: KeyedApp, **options: Any) -> None:  # noqa: ANN401 - the driver's own
        super().__init__(app, **options)
        self._keyed = app
        self._is_gone = self._is_on = False
        drawn_on = cast("TextIO", sys.__stdout__).fileno()  # stderr may lead into a file
        self._outlet = Outlet(drawn_on, lambda: self._soon(self._repaint), lambda: self._leave(0))
        self._outlet.start()
        self._file = cast("Any", self._outlet)
        self._tmux = Tmux(os.environ.get("TMUX_PANE") if "TMUX" in os.environ else None)
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for number in (*_LEAVES, signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, _noted)
        Thread(target=self._watch, args=(heard,), name="terminal-watch", daemon=True).start()

    def unseen(self) -> str | None:
        """Say why nobody sees what is drawn, with a place for the verb; None: it may be seen."""
        if self._is_gone:
            return "the terminal {} gone"
        if self._outlet.hung_s() >= HUNG_S:
            return "the terminal {} hung"
        if self._outlet.behind_s() >= HUNG_S:
            return f"the terminal {{}} not drawn on for {HUNG_S:g} s"
        return "the tmux session {} detached" if self._tmux.is_detached else None

    def write(self, data: str) -> None:
        if self._writer_thread is not None:  # a terminal that is gone was never begun with
            super().write(data)

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_on = self._writer_thread is not None and self._writer_thread.is_alive()

    def stop_application_mode(self) -> None:
        self._outlet.begin_last()
        self._is_on = False
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        self._outlet.end_last(0.0 if self._is_gone else RESTORED_S)

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:  # EIO: the terminal is gone
            self._leave(0)

    def _watch(self, heard: int) -> None:
        """Hear the signals, and see the terminal go, however busy the loop is."""
        watched = select.poll()
        watched.register(heard, select.POLLIN)
        watched.register(self.fileno, 0)  # tells of its end only
        while True:
            for fd, _ in watched.poll(_LOOK_S * 1000):
                if fd == heard:
                    for number in os.read(heard, 64):
                        self._take(number)
                else:
                    watched.unregister(fd)
                    self._leave(0)
            self._tmux.look(time.monotonic())

    def _take(self, number: int) -> None:
        if number in _LEAVES:
            self._leave(_LEAVES[signal.Signals(number)])
        elif number == signal.SIGTSTP:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        elif number == signal.SIGCONT:
            self._soon(self._continue)

    def _leave(self, code: int) -> None:
        """End vp-tui: as it is left by its user, and if that takes too long at once."""
        if self._is_gone:
            return
        self._is_gone = True
        last = Timer(GONE_S, self._end, (code,))
        last.daemon = True
        last.start()
        self._soon(lambda: self._app.exit(return_code=code))

    def _end(self, code: int) -> None:
        """Give the terminal back as well as it can be, and end: the locks end with the process."""
        with suppress(Exception):
            self._keyed.at_end()
        with suppress(Exception):
            if self.attrs_before is not None and os.tcgetpgrp(self.fileno) == os.getpgrp():
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
                if self._is_on and not self._outlet.hung_s():
                    os.write(self.fileno, _RESTORED)
        os._exit(code)

    async def _stop(self) -> None:
        """Stop as asked: no stream of ours waits in the gateway for one that does not read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._keyed.detach()
        if self._is_on:
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        """Draw all of it again: others had the terminal meanwhile."""
        if self._is_gone:
            return
        before = self.attrs_before if self._is_on else None
        if self._is_on:
            self.suspend_application_mode()
        self.start_application_mode()
        if before is not None:
            self.attrs_before = before
        if self._is_on:
            self._repaint()
            self._keyed.attach()

    def _soon(self, call: Callable[[], object]) -> None:
        """Call it on the loop, unless that has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def _repaint(self) -> None:
        self._app.refresh(layout=True)


def _noted(*_: object) -> None:
    """Take a signal: the thread that watches the terminal hears of it by the pipe."""
