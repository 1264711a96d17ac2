"""How fast and how right the allocator is: ``.venv/bin/python -m bench.allocation``.

CPU time on one core, medians, and the ratio to one HiGHS solve of the LP of the same site in the
same run (which finds the most power, not the fair share). The admission is compared with what a
MILP solver finds. ``--fuzz 1000000`` plays that many random changes on small sites and has every
limit checked after each by sums of its own; ``--acn FOLDER`` replays real days.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import acn_replay, allocation_fuzz
from bench import allocation_cases as cases
from csms.domain.admission import admit
from csms.domain.allocation import Policy, allocate
from csms.domain.allocation_incremental import LiveAllocation
from csms.domain.allocation_phases import allocate_phases
from csms.domain.phase_network import phase_network
from csms.domain.power_tree import LoadId

SCARCE = 0.6


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the garbage collector out of the figures, as `timeit` does."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cpu_ms(act: Callable[[], Any], times: int) -> float:
    """Return the median CPU time of a call, in ms."""
    took = []
    with quiet():
        for _ in range(times):
            start = time.process_time()
            act()
            took.append((time.process_time() - start) * 1000)
    return statistics.median(took)


def solve_ms(make: Callable[[], Any], times: int) -> float:
    """Return the median CPU time of a solver's run on a fresh model, in ms."""
    took = []
    for _ in range(times):
        solver = make()
        start = time.process_time()
        solver.run()
        took.append((time.process_time() - start) * 1000)
    return statistics.median(took)


def row(name: str, number: int, ours: float, theirs: float | None, goal: str) -> None:
    """Print a line of the table."""
    ratio = "" if theirs is None else f"{ours / theirs:.2f}"
    other = "" if theirs is None else f"{theirs:.1f}"
    print(f"| {name} | {number:,} | {ours:.2f} | {goal} | {other} | {ratio} |", flush=True)


def speed(times: int) -> None:
    """Print the table of times."""
    print("| what | loads | ms (CPU, median) | goal ms | HiGHS LP ms | ratio |")
    print("|---|---|---|---|---|---|")
    goals = {100: "0.3", 1000: "3", 10_000: "50", 100_000: "1500"}
    for number, goal in goals.items():
        tree, loads = cases.power_site(number)
        often = times if number < 100_000 else 3
        theirs = solve_ms(lambda t=tree, s=loads: cases.power_lp(t, s), min(often, 5))
        ours = cpu_ms(lambda t=tree, s=loads: allocate(t, s), often)
        row("power, single W", number, ours, theirs, goal)
        ours = cpu_ms(lambda t=tree, s=loads: allocate(t, s, Policy.EQUAL_KW), often)
        row("power, whole kW", number, ours, theirs, f"{float(goal) * 2:g}")
    for number, goal in {100: "", 1000: "10", 10_000: "250"}.items():
        for steps, name in ((1, "0.1 A"), (10, "1 A")):
            for scarce, state in ((SCARCE, "some wait"), (3.0, "all fit")):
                tree, loads = cases.phase_site(number, scarce=scarce, steps=steps)
                claims = cases.claims_of(loads)
                often = times if number < 10_000 else 5
                theirs = solve_ms(lambda t=tree, s=loads: cases.phase_lp(t, s), min(often, 5))
                ours = cpu_ms(lambda t=tree, s=loads, c=claims: allocate_phases(t, s, c), often)
                row(f"phases, admission, {name}, {state}", number, ours, theirs, goal)


def changes(number: int = 10_000, times: int = 120) -> None:
    """Print what one load's change costs on a large site: cars go, and others come in their place.

    A car that comes has a new id and is the last of the queue, as a new session is. At the end the
    currents are compared with those of a new solution.
    """
    print(
        "\n| one change | loads | median ms | p95 | most | others that change | anew ms | equal |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, grid in (("circuits are full", False), ("the connection is full", True)):
        tree, loads = cases.phase_site(number, scarce=1.6, grid=grid)
        live = LiveAllocation(tree, loads)
        there = {load.id: load for load in loads}
        chance = random.Random(3)
        took, touched = [], []
        with quiet():
            for turn in range(times):
                if turn % 2 == 0:
                    load = chance.choice(list(there.values()))
                    del there[load.id]
                else:
                    load = replace(load, id=LoadId(f"n{turn}"), order=number + turn)
                    there[load.id] = load
                start = time.process_time()
                changed = live.remove(load.id) if turn % 2 == 0 else live.put(load)
                took.append((time.process_time() - start) * 1000)
                touched.append(len(changed))
        took.sort()
        anew = cpu_ms(lambda t=tree, s=there: allocate_phases(t, s.values()), 3)
        equal = live.current_da == allocate_phases(tree, there.values()).current_da
        print(
            f"| {name} | {number:,} | {statistics.median(took):.2f} | "
            f"{took[len(took) * 95 // 100]:.2f} | {took[-1]:.2f} | "
            f"{statistics.median(touched):.0f} | {anew:.0f} | {'yes' if equal else 'NO'} |",
            flush=True,
        )


def admission(sites: int) -> None:
    """Print how much of a MILP solver's claims the admission lets in."""
    print("\n| admission | sites | least of the MILP | mean | exact | ms | MILP ms |")
    print("|---|---|---|---|---|---|---|")
    for number in (20, 60, 100, 200, 1000):
        parts, ours, theirs = [], [], []
        for seed in range(sites if number < 1000 else max(5, sites // 5)):
            scarce = random.Random(seed).choice([0.3, 0.5, 0.6, 0.8, 1.0])
            tree, loads = cases.phase_site(number, scarce=scarce, seed=seed)
            claims = cases.claims_of(loads, seed)
            network = phase_network(tree, loads)
            solver = cases.admission_milp(tree, loads, claims)
            start = time.process_time()
            solver.run()
            theirs.append((time.process_time() - start) * 1000)
            best = -solver.getInfo().objective_function_value
            start = time.process_time()
            present, _ = admit(network, claims)
            ours.append((time.process_time() - start) * 1000)
            got = sum(claims[network.loads[m].id] for members in present for m in members)
            parts.append(got / best if best else 1.0)
        exact = sum(part > 1 - 1e-9 for part in parts)
        print(
            f"| {number:,} loads | {len(parts)} | {min(parts):.4f} | {statistics.mean(parts):.5f} "
            f"| {exact} | {statistics.median(ours):.2f} (most {max(ours):.1f}) "
            f"| {statistics.median(theirs):.1f} |",
            flush=True,
        )


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="bench.allocation", description=__doc__)
    parser.add_argument("--times", type=int, default=15, help="calls a figure")
    parser.add_argument("--sites", type=int, default=100, help="sites of the admission")
    parser.add_argument("--fuzz", type=int, default=0, help="random changes")
    parser.add_argument("--seed", type=int, default=1, help="of the random changes")
    parser.add_argument("--acn", type=Path, help="folder of network-*.json and sessions-*.csv")
    given = parser.parse_args()
    if given.fuzz:
        return allocation_fuzz.run(given.fuzz, given.seed)
    if given.acn is not None:
        return acn_replay.run(given.acn)
    speed(given.times)
    changes()
    admission(given.sites)
    return 0


if __name__ == "__main__":
    sys.exit(main())
