"""What Linux knows of this machine and of running processes: CPU time, memory, pauses, its disk."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Which cores the server runs on, and which everything else does."""

    server: frozenset[int]
    others: frozenset[int]


def share_cores() -> Cores:
    """Give the server one core and the rest to the others; one core is shared by all."""
    usable = sorted(os.sched_getaffinity(0))
    others = frozenset(usable[1:]) or frozenset(usable)
    return Cores(server=frozenset(usable[:1]), others=others)


def cpu_ns(pid: int) -> int:
    """Return the nanoseconds that all threads of a process have run."""
    total = 0
    for task in (PROC / str(pid) / "task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # the thread has just ended
            continue
    return total


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    found = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    return [int(word) for word in found.split()]


def family_cpu_ns(pid: int) -> int:
    """Return the nanoseconds that a process and its living children have run."""
    total = 0
    for member in (pid, *children(pid)):
        try:
            total += cpu_ns(member)
        except FileNotFoundError:  # has just ended
            continue
    return total


def private_dirty_kib(pid: int) -> int:
    """Return the memory that only this process has written to, in KiB."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise RuntimeError("smaps_rollup has no Private_Dirty")


def settle(pid: int, *, limit_s: float = 20.0, share: float = 0.05) -> None:
    """Wait until a process uses less than `share` of a core; gives up quietly after `limit_s`."""
    end = time.monotonic() + limit_s
    quiet = 0
    before = cpu_ns(pid)
    while quiet < 2 and time.monotonic() < end:
        time.sleep(0.15)
        now = cpu_ns(pid)
        quiet = quiet + 1 if now - before < share * 0.15e9 else 0
        before = now


def longest_stretch_ms(pid: int, going_on: Callable[[], bool], *, every_s: float = 0.001) -> float:
    """Return the longest time that the main thread has run without waiting for anything, in ms.

    An event loop that rests waits in the kernel, which counts as a voluntary switch. CPU time
    between two of them is the longest time that a message may have had to wait; it is an upper
    bound, because several callbacks in a row count as one, and it does not grow when a neighbour
    takes the core away.
    """
    task = PROC / str(pid) / "task" / str(pid)
    with (task / "schedstat").open("rb", 0) as cpu, (task / "status").open("rb", 0) as status:

        def sample() -> tuple[int, bytes]:
            cpu.seek(0)
            status.seek(0)
            ran = int(cpu.read(64).split()[0])
            text = status.read(8192)
            at = text.index(b"\nvoluntary_ctxt_switches:")
            return ran, text[at : text.index(b"\n", at + 1)]

        longest = 0
        began, switches = sample()
        before = began
        while going_on():
            time.sleep(every_s)
            ran, now = sample()
            if now != switches:
                # the rest may have come at either end of this period: count it to both stretches
                longest = max(longest, ran - began)
                began, switches = before, now
            before = ran
    return max(longest, before - began) / 1e6


def fdatasync_ms(folder: Path, *, times: int = 100) -> list[float]:
    """Append 8 KiB and call fdatasync, `times` times; return how long each call took, in ms."""
    path = folder / "fdatasync"
    block = os.urandom(8192)
    took = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _ in range(times):
            os.write(file, block)
            start = time.perf_counter()
            os.fdatasync(file)
            took.append((time.perf_counter() - start) * 1000)
    finally:
        os.close(file)
        path.unlink()
    return took


def median(values: list[float]) -> float:
    """Return the median; 0 of nothing is refused by `statistics`."""
    return float(statistics.median(values))


def describe() -> dict[str, str]:
    """Return what somebody needs to know of this machine to compare figures."""
    model = "unknown"
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    total_kib = int((PROC / "meminfo").read_text().split(None, 2)[1])
    return {
        "cpu": f"{len(os.sched_getaffinity(0))} x {model}",
        "memory": f"{total_kib / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load average": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }
