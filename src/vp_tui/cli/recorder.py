"""From settings to what writes the evidence of a watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.storage.evidence_log import resolve
from vp_tui.storage.places import actor
from vp_tui.storage.windows import windows_file
from vp_tui.worker.evidence import EvidenceFiles, Recorder

if TYPE_CHECKING:
    from vp_tui.cli.config.settings import Settings
    from vp_tui.state.store import Store
    from vp_tui.storage.places import Places


def evidence_files(settings: Settings, places: Places) -> EvidenceFiles:
    """Return where the evidence of what is watched is written."""
    log = settings.evidence
    watched = (settings.url, settings.vp_id, str(resolve(log)) if log else "")
    return EvidenceFiles(log, places.spool, windows_file(places.windows, *watched))


def new_recorder(settings: Settings, store: Store, places: Places) -> Recorder:
    """Return what writes the evidence of this watch, in the name of whoever runs vp-tui."""
    return Recorder(evidence_files(settings, places), store, actor())
