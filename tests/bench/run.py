"""The benchmarks: `uv run python tests/bench/run.py [--only NAME ...] [--quick]`.

Prints one JSON object on stdout and narrates on stderr; exits with 1 when a target is missed or a
part failed. A part that fails, or is not done in time, is an entry with its error and no figures:
it costs none of the others theirs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # the tests are no installed package

from tests.bench import first_frame, flood, idle, record, reduce
from tests.bench.result import Result, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BOUND_S: Final = 180.0
"""Seconds that one part may take, three times what the longest takes."""


@dataclass(frozen=True)
class Part:
    """One benchmark; each run gets a home of its own."""

    run: Callable[[Path], Result]
    quick: Callable[[Path], Result]
    """The same with so little of everything that its figures mean nothing."""


def _first_frame(*size: int) -> Part:
    columns, rows = size
    run = partial(first_frame.run, size=(columns, rows))
    return Part(run, partial(run, runs=1))


def _flood(rate: int, *flags: str) -> Part:
    run = partial(flood.run, rate=rate, flags=flags)
    return Part(run, partial(run, settle_s=0.2, window_s=0.5, presses=4))


PARTS: Final = {
    "first_frame_80x24": _first_frame(80, 24),
    "first_frame_160x45": _first_frame(160, 45),
    "idle": Part(idle.run, partial(idle.run, settle_s=0.0, window_s=0.3, windows=2)),
    "flood_2000": _flood(2_000),
    "flood_10000": _flood(10_000),
    "flood_10000_not_recorded": _flood(10_000, "--no-record"),
    "reduce": Part(reduce.run, partial(reduce.run, batches=2)),
    "record": Part(record.run, partial(record.run, log_rows=100, runs=2)),
}


class OutOfTimeError(BaseException):
    """A part took too long. No `except Exception` or `except OSError` in it holds this up."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="only see whether all parts run")
    options = parser.parse_args(arguments)
    described, results = machine(), {}
    for name in options.only:
        sys.stderr.write(f"{name} ...\n")
        part = PARTS[name]
        result = _result(part.quick if options.quick else part.run)
        results[name] = replace(result, met=None) if options.quick else result
        sys.stderr.write(f"  {_told(results[name])}\n")
    benchmarks = [{"name": name, **asdict(result)} for name, result in results.items()]
    told = {"machine": described, "quick": options.quick, "benchmarks": benchmarks}
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return int(any(result.met is False or result.error for result in results.values()))


def _result(run: Callable[[Path], Result]) -> Result:
    """Run one part; whatever goes wrong in it is its result."""
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, _bounded(BOUND_S):
            return run(Path(home))
    except (Exception, OutOfTimeError) as error:  # noqa: BLE001 - the other parts must go on
        traceback.print_exc()
        return Result({}, error=f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError inside the context when it lasts longer, wherever it waits."""

    def expire(*_: object) -> None:
        raise OutOfTimeError(f"not done within {seconds:g} s")

    handler = signal.signal(signal.SIGALRM, expire)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def _told(result: Result) -> str:
    if result.error:
        return f"FAILED: {result.error}"
    words = {None: "", True: " -> met", False: " -> MISSED"}[result.met]
    return ", ".join(f"{name} {value}" for name, value in result.figures.items()) + words


if __name__ == "__main__":
    sys.exit(main())
