"""What is typed every day, and reaches vp-tui when the pane is the wrong one."""

from typing import Final

WORDS: Final = (
    "clear", "exit", "quit", "cd ..", "ls -la", "cat notes.md", "git status", "git commit -am wip",
    "Fail", "Restart", "Fallback", "Record", "Have a look", "approve", "cancel", "cargo run",
    "ps aux", "kubectl get pods", "rm -rf build", "python -m pytest", "Revert it", "Help",
    "PATH=/usr/bin", "sudo reboot", "EXIT", "vim config.toml", "A question", "grep -r Fatal .",
    "make", "XML",
)  # fmt: skip
"""Thirty words and commands of every day."""
PACES_S: Final = (0.04, 0.11, 0.22, 0.45)
"""Seconds from key to key: from a paste to somebody who looks for each key."""
