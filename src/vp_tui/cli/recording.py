"""What a watch is recorded on."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from vp_tui.cli.wiring import token_values
from vp_tui.gateway.credentials import gateway_id
from vp_tui.storage.recording import Writer
from vp_tui.storage.recording_files import Header
from vp_tui.worker.recording import WATCH, Medium, Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.state.state import State
    from vp_tui.storage.places import Places


MEGABYTE: Final = 2**20


def recording_of(
    settings: Settings,
    places: Places,
    first: State,
    emit: Callable[[Event], None],
    report: Callable[[Exception], str],
) -> Recording:
    """Return the recording of a watch that began with the state `first`; it is to be started."""
    header = Header(
        gateway_id(settings.url),
        settings.vp_id,
        first.clock.wall,
        first.clock.at,
        part=1,
        repeats=0,
        settings=WATCH.encode(first.watch),
    )
    medium = Medium(
        places.recordings,
        header,
        settings.record_max_mb * MEGABYTE,
        lambda: Writer(partial(token_values, settings), redact=settings.redact),
        partial(datetime.now, UTC),
    )
    return Recording(medium, emit, report)
