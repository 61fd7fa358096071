"""The properties of what reads bytes from outside, tried with more examples than the tests take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from hypothesis import seed, settings
from tests.domain.rollout import test_evidence_row
from tests.gateway import test_frames, test_log_tail, test_parsing, test_stream
from tests.state import test_reducer

if TYPE_CHECKING:
    from random import Random

Property = Callable[..., Any]

PROPERTIES: Final[tuple[Property, ...]] = (
    test_frames.test_any_object_gives_clean_short_lines,
    test_frames.test_nothing_raises,
    test_parsing.test_any_body_is_read_or_refused,
    test_log_tail.test_a_file_that_grows_is_shown_whole_whatever_the_polls_cut,
    test_log_tail.test_nothing_is_lost_or_doubled_without_a_word,
    test_stream.test_no_attach_without_a_listing_after_the_loss,
    test_evidence_row.test_any_bytes_are_read,
    test_evidence_row.test_an_inserted_row_is_the_last_and_changes_nothing_else,
    test_reducer.test_a_batch_gives_the_same_state_as_its_events_one_by_one,
)


def run(count: int, chance: Random) -> dict[str, int]:
    for prop in PROPERTIES:
        _tried(prop, count, chance.getrandbits(32))
    return {"properties": len(PROPERTIES), "examples": count * len(PROPERTIES)}


def _tried(prop: Property, count: int, number: int) -> None:
    """Try a property so often; it is a test too, whose own settings stay as they are."""
    usual = dict(vars(prop))
    try:
        seed(number)(settings(max_examples=count, deadline=None, database=None)(prop))()
    finally:
        vars(prop).clear()
        vars(prop).update(usual)
