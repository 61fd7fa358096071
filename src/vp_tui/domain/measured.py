"""The figures of the evidence log's rows as numbers: what a trend over windows is drawn from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.evidence import EvidenceRow

_NUMBER: Final = r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_RATE: Final = re.compile(_NUMBER + r"\s*(%?)\s*(?:\(.*)?$")
_SECONDS: Final = re.compile(_NUMBER + r"\s*(s|ms)\s*(?:\(.*)?$", re.IGNORECASE)


class Measured(NamedTuple):
    """A row that has a figure; one that has none, or none that can be read, is no point at all."""

    number: int
    """Of the row in the log, from 1 on."""
    window: str
    rate: float | None
    """A fraction, 0 to 1."""
    p95_s: float | None


def measured(rows: Iterable[EvidenceRow]) -> tuple[Measured, ...]:
    """Return the rows with a rate or a p95, in the log's order."""
    read = (
        Measured(number, row.window, read_rate(row.fallback_rate), read_seconds(row.p95_latency))
        for number, row in enumerate(rows, 1)
    )
    return tuple(point for point in read if point.rate is not None or point.p95_s is not None)


def read_rate(cell: str) -> float | None:
    """Return the fraction that a rate cell says: `0.000`, `0.167 (reconstructed)`, `12 %`.

    None for `n/a`, for anything else, and for what is no fraction.
    """
    found = _RATE.match(cell)
    if found is None:
        return None
    rate = float(found[1]) / (100 if found[2] else 1)
    return rate if rate <= 1 else None


def read_seconds(cell: str) -> float | None:
    """Return the seconds that a latency cell says: `38.305s`, `38.3 s (reconstructed)`, `350ms`.

    None for `n/a` and for anything else.
    """
    found = _SECONDS.match(cell)
    if found is None:
        return None
    return float(found[1]) / (1000 if found[2].lower() == "ms" else 1)
