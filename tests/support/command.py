"""The command line as tests call it."""

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]
"""Takes words; returns the exit code, and what was printed to stdout and stderr."""
