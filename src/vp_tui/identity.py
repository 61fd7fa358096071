"""Who runs vp-tui: the name under which rows are recorded and actions audited."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """Return who acts, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an id without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{os.uname().nodename}"
