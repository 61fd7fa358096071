"""Tests at length: `uv run python -m tests.soak [--only NAME ...] [--count N] [--seed N]`.

Prints a JSON object per soak on stdout; exits with 1 when one of them does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from random import Random

from tests.soak.soaks import SOAKS, Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=SOAKS, default=list(SOAKS))
    parser.add_argument("--count", type=int, help="instead of each soak's full count")
    parser.add_argument("--seed", type=int, default=7, help="of all chance; usually 7")
    given = parser.parse_args()
    held = [play(name, SOAKS[name], given.count, given.seed) for name in given.only]
    return 0 if all(held) else 1


def play(name: str, soak: Soak, count: int | None, seed: int) -> bool:
    """Run one and print its figures; return whether it held."""
    count = count or soak.full
    sys.stderr.write(f"{name}: {count} {soak.counts}\n")
    told: dict[str, object] = {"soak": name, "counts": soak.counts, "count": count, "seed": seed}
    began = time.monotonic()
    try:
        told |= soak.run(count, Random(seed))  # noqa: S311 - repeatable by design
    except Exception as error:  # noqa: BLE001 - the next one is run all the same
        traceback.print_exc()
        told["failed"] = f"{type(error).__name__}: {error}"
    told["seconds"] = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    return "failed" not in told


if __name__ == "__main__":
    sys.exit(main())
