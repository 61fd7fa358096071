"""What every command does at its ends: reads the settings, prints data, narrates."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import load
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded


def settings_of(arguments: Arguments) -> Loaded:
    """Return the settings of a command, given here and now. Raises ConfigError."""
    return load(arguments.flags, os.environ, Path.cwd(), arguments.config_file)


def told_settings(arguments: Arguments) -> Loaded:
    """Return them as `settings_of`, and narrate what is odd about them."""
    loaded = settings_of(arguments)
    narrate_notes(loaded)
    return loaded


def narrate_notes(loaded: Loaded) -> None:
    """Tell on stderr what is odd about the settings."""
    for note in loaded.notes:
        narrate(f"WARNING: {note}")


def narrate(line: str) -> None:
    """Tell a line on stderr, if that is there still."""
    with suppress(OSError):
        sys.stderr.write(f"{literal(line)}\n")


def say(text: str) -> None:
    """Print data. Raises BrokenPipeError, and ConfigError when the place for it is full."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
        raise ConfigError(f"stdout cannot be written: {error.strerror}") from error


def aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines with their columns under one another."""
    rows = [list(map(literal, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def told_file(loaded: Loaded) -> str:
    """Return which configuration file was read, in words."""
    file = loaded.config_file
    return f"configuration file: {literal(str(file)) if file else 'none'}"


def discard_stdout() -> None:
    """Keep what is left in the buffer from failing again when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
