"""Writing evidence: a row with its record, and the window that it belongs to.

Everything slow happens on a thread; what came of it is told to the store as events, then returned.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.events import RowRecorded, WindowsRead
from vp_tui.domain.windows import opened, recorded
from vp_tui.drafting import facts_of, row_of, rows_of_others

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.domain.models import Failure
    from vp_tui.domain.windows import Window
    from vp_tui.drafting import Choice, Draft
    from vp_tui.storage.spool import Spooled
    from vp_tui.store import Store
