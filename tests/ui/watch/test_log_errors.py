"""Which lines of a log look like errors."""

from __future__ import annotations

import pytest

from vp_tui.domain.text import LOOKED_AT, is_error


@pytest.mark.parametrize(
    "line",
    [
        "[21:01:32] ERROR: the adapter failed",
        "error: cannot find module 'csv'",
        "2026-11-23 01:02:03 CRITICAL disk full",
        "FATAL: no such role",
        "Traceback (most recent call last):",
        "httpx.ConnectError: [Errno 111] Connection refused",
        "java.lang.IllegalStateException: closed",
        "npm ERR! code E404",
        "Process finished with exit code 1",
        "exited with status 137",
        "exit status: -9",
        "returncode=2",
        "1 failed, 3 passed in 0.41s",
        "10 errors",
        "thread 'main' panicked at src/main.rs",
    ],
)
def test_errors_are_told_by_their_words(line: str) -> None:
    assert is_error(line)


@pytest.mark.parametrize(
    "line",
    [
        "[21:01:30] TOOL CALL: Bash",
        "no errors found",
        "0 errors, 0 failures",
        "0 failed, 12 passed",
        '{"is_error": false, "error": null}',
        "error_count=0 errors=0",
        "exit code 0",
        "exited with status: 0",
        "returncode=0",
        "the terrors of mirrors",
        "",
    ],
)
def test_what_only_speaks_of_errors_is_none(line: str) -> None:
    assert not is_error(line)


def test_a_huge_line_is_not_searched_to_its_end() -> None:
    assert not is_error("x " * LOOKED_AT + "error")
