"""The properties of what reads bytes from outside, and of the machines that it drives, at length.

`uv run python -m tests.soak --only fuzz --count N` tries each with N examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from hypothesis import seed, settings
from tests.domain import test_orders
from tests.domain.lane import test_switches_env
from tests.domain.rollout import test_evidence_row, test_evidence_row_cells
from tests.faults import test_any_night
from tests.gateway import test_frames, test_log_tail, test_parsing, test_stream
from tests.state import test_reducer
from tests.storage.test_recording import TestRefused

if TYPE_CHECKING:
    from random import Random

Property = Callable[..., Any]

PROPERTIES: Final[tuple[Property, ...]] = (
    test_frames.test_any_object_gives_clean_short_lines,
    test_frames.test_nothing_raises,
    test_parsing.test_any_body_is_read_or_refused,
    test_log_tail.test_a_file_that_grows_is_shown_whole_whatever_the_polls_cut,
    test_log_tail.test_nothing_is_lost_or_doubled_without_a_word,
    test_log_tail.test_broken_bytes_never_repeat_longer_lines,
    test_stream.test_no_attach_without_a_listing_after_the_loss,
    test_stream.test_what_an_endpoint_sends_is_heard_or_told_as_a_gap,
    test_evidence_row.test_any_bytes_are_read,
    test_evidence_row.test_an_inserted_row_is_the_last_and_changes_nothing_else,
    test_evidence_row_cells.test_a_cell_reads_back,
    test_evidence_row_cells.test_a_row_is_one_line_of_eight_cells_and_reads_back,
    test_switches_env.test_any_env_file_is_read,
    test_switches_env.test_what_was_set_is_read_back_and_no_other_value_changes,
    test_orders.test_whatever_is_written_is_bounded_literal_and_read_back_as_it_was,
    TestRefused.test_a_line_that_is_no_event,
    TestRefused.test_nothing_but_named_errors,
    test_reducer.test_a_batch_gives_the_same_state_as_its_events_one_by_one,
    test_reducer.test_reducing_is_pure,
    test_any_night.test_whatever_comes_every_view_and_text_of_it_is_made,
)


def run(count: int, chance: Random) -> dict[str, int]:
    for prop in PROPERTIES:
        _tried(prop, count, chance.getrandbits(32))
    return {"properties": len(PROPERTIES), "examples": count * len(PROPERTIES)}


def _tried(prop: Property, count: int, number: int) -> None:
    """Try a property so often; it is a test too, whose own settings stay as they are."""
    usual = dict(vars(prop))
    vars(prop).pop("_hypothesis_internal_settings_applied", None)
    try:
        tried = seed(number)(settings(max_examples=count, deadline=None, database=None)(prop))
        tried(*[TestRefused()] * (prop in vars(TestRefused).values()))
    finally:
        vars(prop).clear()
        vars(prop).update(usual)
