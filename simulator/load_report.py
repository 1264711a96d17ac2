"""What a load comes to: latencies, errors, memory, and the ledger of its transactions."""

import resource
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_STATM = Path("/proc/self/statm")


@dataclass(slots=True)
class LoadReport:
    """What came of a load.

    Attributes:
        latencies: ms by kind, in order of arrival.
        connected: charge points that have been connected, each counted once.
        kib_each: what this process has grown by for one charge point, in KiB, while all charge;
            None where it cannot be measured.
        resident_mib: all of this process's memory at that moment.
        cpu_s: processor time of this process.
        ledger: one object a transaction, as :mod:`simulator.ledger` writes them.
    """

    latencies: dict[str, "array[float]"] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    connected: int = 0
    charging: int = 0
    stopped: int = 0
    seconds: float = 0.0
    kib_each: float | None = None
    resident_mib: float | None = None
    cpu_s: float = 0.0
    ledger: list[dict[str, Any]] = field(default_factory=list)

    def took(self, kind: str, seconds: float) -> None:
        """Take in one latency."""
        values = self.latencies.get(kind)
        if values is None:
            values = self.latencies[kind] = array("d")
        values.append(seconds * 1000)

    def as_json(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        table = {
            kind: {
                "count": len(values),
                "p50Ms": round(quantile(values, 0.5), 2),
                "p99Ms": round(quantile(values, 0.99), 2),
                "maxMs": round(max(values), 2),
            }
            for kind, values in self.latencies.items()
        }
        return {
            "seconds": round(self.seconds, 1),
            "connected": self.connected,
            "charging": self.charging,
            "stopped": self.stopped,
            "errors": dict(self.errors),
            "latencies": table,
            "kibPerChargePoint": None if self.kib_each is None else round(self.kib_each, 1),
            "residentMib": None if self.resident_mib is None else round(self.resident_mib, 1),
            "cpuSeconds": round(self.cpu_s, 1),
            "delivered": self.delivered(),
            "ledger": self.ledger,
        }

    def delivered(self) -> dict[str, int]:
        """Return the ledger in short: counts, and Wh of the transactions that have ended."""
        return {
            "transactions": len(self.ledger),
            "startsAcknowledged": sum(one["startAcknowledged"] for one in self.ledger),
            "stopsAcknowledged": sum(one["stopAcknowledged"] for one in self.ledger),
            "meterValuesAcknowledged": sum(one["meterValuesAcknowledged"] for one in self.ledger),
            "energyWh": sum(one["energyWh"] or 0 for one in self.ledger),
        }

    def __str__(self) -> str:
        report = self.as_json()
        memory = ""
        if self.kib_each is not None and self.connected:
            memory = f", {self.kib_each:.1f} KiB each ({self.resident_mib:.0f} MiB in all)"
        lines = [
            f"{report['seconds']} s: {self.connected} connected, {self.charging} charging, "
            f"{self.stopped} stopped{memory}, {self.cpu_s:.1f} s of CPU"
        ]
        lines += [
            f"{kind:18}{row['count']:>9}  p50 {row['p50Ms']:>9} ms  p99 {row['p99Ms']:>9} ms  "
            f"max {row['maxMs']:>9} ms"
            for kind, row in report["latencies"].items()
        ]
        book = self.delivered()
        lines.append(
            f"ledger: {book['transactions']} transactions, acknowledged "
            f"{book['startsAcknowledged']} starts, {book['meterValuesAcknowledged']} meter values, "
            f"{book['stopsAcknowledged']} stops; {book['energyWh']} Wh delivered"
        )
        lines += [f"error: {what}: {count}" for what, count in self.errors.most_common()]
        return "\n".join(lines)


def quantile(values: "array[float] | list[float]", share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie; 0 for none.

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([], 0.5)
    (2.0, 0.0)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def resident_kib() -> float | None:
    """Return this process's resident memory; None where the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize() / 1024


def cpu_seconds() -> float:
    """Return the processor time that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
