"""What every command does at its ends: reads the settings, prints data, narrates."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import load
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.storage.places import NOWHERE, here, home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.config.settings import Settings


def settings_of(arguments: Arguments) -> Loaded:
    """Return the settings of a command, given here and now. Raises ConfigError."""
    loaded = load(arguments.flags, os.environ, here(), arguments.config_file)
    return loaded._replace(notes=(*loaded.notes, *_lacks()))


def _lacks() -> Iterator[str]:
    """Yield what a command has to do without here."""
    if here() == NOWHERE:
        yield "the working directory is gone or closed to you: what is relative to it is not there"
    if home(os.environ) == NOWHERE:
        yield "no home directory is known: set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME"


def told_settings(arguments: Arguments) -> Loaded:
    """Return a command's settings; narrate what is odd about them and the sources of tokens.

    Raises ConfigError.
    """
    loaded = settings_of(arguments)
    narrate_notes(loaded)
    for problem in credentials_of(loaded.settings, ambient=True).read().problems:
        narrate(f"WARNING: {problem}")
    return loaded


def credentials_of(settings: Settings, *, ambient: bool) -> Credentials:
    """Return the tokens to send, not read yet.

    `ambient` lets them come from UA_… variables and from `.env` in the working directory too.
    """
    sources = TokenSources(
        ops_file=settings.ops_token_file,
        internal_file=settings.internal_token_file,
        env_files=(here() / ".env",) if ambient else (),
        environ=os.environ if ambient else {},
        ops_flag=settings.ops_token.reveal() if settings.ops_token else None,
        internal_flag=settings.internal_token.reveal() if settings.internal_token else None,
    )
    return Credentials(sources, base_url=settings.url, allow_insecure=settings.allow_insecure)


def narrate_notes(loaded: Loaded) -> None:
    """Tell on stderr what is odd about the settings."""
    for note in loaded.notes:
        narrate(f"WARNING: {note}")


def narrate(line: str) -> None:
    """Tell a line on stderr, if that is there still."""
    try:
        sys.stderr.write(f"{literal(line)}\n")
    except OSError:
        discard(sys.stderr)


def say(text: str, end: str = "\n") -> None:
    """Print data. Raises BrokenPipeError, and ConfigError when the place for it is full."""
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise ConfigError(f"stdout cannot be written: {error.strerror}") from error


def say_of_deed(text: str) -> None:
    """Print what is told of a deed: it is done, so that not even a reader who left is an error."""
    try:
        say(text)
    except BrokenPipeError:
        discard(sys.stdout)
    except ConfigError as error:
        narrate(f"WARNING: {error}")


def aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines with their columns under one another."""
    rows = [list(map(literal, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def told_file(loaded: Loaded) -> str:
    """Return which configuration file was read, in words."""
    file = loaded.config_file
    return f"configuration file: {literal(str(file)) if file else 'none'}"


def discard(stream: TextIO) -> None:
    """Keep what is left in a stream's buffer from failing again when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def open_standard_streams() -> None:
    """Put the null device in the place of what was closed before the start.

    Otherwise the next file that is opened, the evidence log perhaps, would be stdout or stderr.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this
            os.set_inheritable(fd, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(fd, "w" if fd else "r", closefd=False))
