"""The benchmarks: `uv run python tests/bench/run.py [--only NAME ...]`.

Prints one JSON object on stdout and narrates on stderr; exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parents[2]))  # the tests are no installed package

from tests.bench import first_frame, flood, idle, record, reduce
from tests.bench.result import Result, machine

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: Final[dict[str, Callable[[Path], list[Result]]]] = {
    "first_frame": first_frame.run,
    "idle": idle.run,
    "flood": flood.run,
    "reduce": reduce.run,
    "record": record.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS)
    names = parser.parse_args().only or list(BENCHMARKS)
    results: list[Result] = []
    described = machine()
    with tempfile.TemporaryDirectory() as home:
        for name in names:
            sys.stderr.write(f"{name} ...\n")
            for result in BENCHMARKS[name](Path(home)):
                sys.stderr.write(f"  {result.name}: {_told(result)}\n")
                results.append(result)
    benchmarks = [asdict(result) for result in results]
    sys.stdout.write(json.dumps({"machine": described, "benchmarks": benchmarks}, indent=2) + "\n")
    return int(any(result.met is False for result in results))


def _told(result: Result) -> str:
    words = {None: "", True: " -> met", False: " -> MISSED"}[result.met]
    return ", ".join(f"{name} {value}" for name, value in result.figures.items()) + words


if __name__ == "__main__":
    sys.exit(main())
