"""The proof at length: `.venv/bin/python -m tests.proof.long [transitions] [--first-seed N]`.

Sites on a virtual clock, each with limits that are sent, refused, lost, ignored and late, cuts,
reboots, crashes of the server and limits that move; an observer on the charge points' side counts
the instants over a limit. Uses as many processes as `--jobs` says.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.proof.world import Result, World

SITE_TRANSITIONS = 500


def play(seed: int) -> Result:
    return World(seed, max_transitions=SITE_TRANSITIONS).run()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description="No instant over a limit, seen from outside.")
    parser.add_argument("transitions", type=int, nargs="?", default=100_000)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    sites = -(-arguments.transitions // SITE_TRANSITIONS)
    seeds = range(arguments.first_seed, arguments.first_seed + sites)
    began, total, counts = time.perf_counter(), Result(), Counter[str]()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for number, result in enumerate(pool.map(play, seeds), 1):
            total.transitions += result.transitions
            total.events += result.events
            total.crashes += result.crashes
            total.violations += result.violations
            counts += result.counts
            for text in result.violations:
                _say(text)
            if number % 20 == 0:
                _say(f"{total.transitions} transitions ...")
    _say(
        f"{total.transitions} transitions on {sites} sites, {total.events} events, "
        f"{total.crashes} crashes, {dict(sorted(counts.items()))}: "
        f"{counts['violations']} instants over a limit, in {time.perf_counter() - began:.0f} s"
    )
    return 1 if counts["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
