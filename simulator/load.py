"""Load: thousands of charge points from one process, each a few hundred bytes.

Each connects, boots, reports Available, starts a transaction, sends MeterValues at its own phase of
the interval, and stops its transaction at the end. Frames are put together from texts and answers
are matched by order: a charge point has one call open at a time. What is asked of a charge point is
answered ``Accepted`` or by NotImplemented, without effect.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from simulator.clock import Clock, iso
from simulator.lean_socket import LeanSocket

ADDRESSES_PER_SOURCE = 20_000
"""Connections from one loopback address, fewer than a system has ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is played.

    Attributes:
        url: ``ws://`` endpoint; the identity is appended.
        stations: how many charge points.
        connects_per_s: the ramp; 0 has all connect at once.
        interval_s: between MeterValues of one charge point.
        duration_s: how long they charge once all have been started.
        id_tag: of all transactions.
        prefix: of identities.
    """

    url: str
    stations: int
    connects_per_s: float = 200.0
    interval_s: float = 60.0
    duration_s: float = 120.0
    id_tag: str = "SIM-TAG-0001"
    prefix: str = "LOAD-"


@dataclass(slots=True)
class LoadReport:
    """What came of it; latencies in ms by kind, in order of arrival."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    connected: int = 0
    charging: int = 0
    stopped: int = 0
    seconds: float = 0.0

    def took(self, kind: str, seconds: float) -> None:
        """Take in one latency."""
        self.latencies.setdefault(kind, []).append(seconds * 1000)

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
        }

    def __str__(self) -> str:
        report = self.as_json()
        lines = [
            f"{report['seconds']} s: {self.connected} connected, {self.charging} charging, "
            f"{self.stopped} stopped, errors {report['errors'] or 'none'}"
        ]
        lines += [
            f"{kind:18}{row['count']:>9}  p50 {row['p50Ms']:>9} ms  p99 {row['p99Ms']:>9} ms  "
            f"max {row['maxMs']:>9} ms"
            for kind, row in report["latencies"].items()
        ]
        return "\n".join(lines)


def quantile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie; 0 for none.

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([], 0.5)
    (2.0, 0.0)
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class LeanStation:
    """One charge point of a load."""

    __slots__ = ("_asked", "_at", "_load", "_number", "_socket", "_timer", "_tx", "_wh")

    def __init__(self, load: "Load", number: int) -> None:
        self._load = load
        self._number = number
        self._asked = ""
        self._at = load.clock.monotonic()
        self._tx: int | None = None
        self._wh = 0
        self._socket: LeanSocket | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open and no transaction runs."""
        return self._socket is None or (not self._asked and self._tx is None)

    def socket(self, host: str, path: str) -> LeanSocket:
        """Return the protocol of this charge point's connection."""
        self._socket = LeanSocket(host, path, self._opened, self._came, self._lost)
        return self._socket

    def failed(self) -> None:
        """Note that there was no connection."""
        self._socket = None

    def _opened(self) -> None:
        load = self._load
        load.report.connected += 1
        load.report.took("Connect", load.clock.monotonic() - self._at)
        boot = '{"chargePointVendor":"OpenSimulator","chargePointModel":"LOAD"}'
        self._ask("BootNotification", boot)

    def _ask(self, action: str, payload: str) -> None:
        if self._socket is None or self._asked:
            return
        self._asked = action
        self._at = self._load.clock.monotonic()
        self._socket.send(f'[2,"{self._load.next_id()}","{action}",{payload}]')

    def _came(self, data: bytes) -> None:
        if data.startswith((b"[3", b"[ 3")):
            action, self._asked = self._asked, ""
            self._load.report.took(action, self._load.clock.monotonic() - self._at)
            self._answered(action, data)
        elif data.startswith((b"[4", b"[ 4")):
            self._load.report.errors[f"{self._asked} refused"] += 1
            action, self._asked = self._asked, ""
            if action == "MeterValues":
                self._sample_later()
        elif self._socket is not None:
            message_id = json.loads(data)[1]
            self._socket.send(json.dumps([4, message_id, "NotImplemented", "a load only", {}]))

    def _answered(self, action: str, data: bytes) -> None:
        load = self._load
        now = iso(load.clock.now())
        if action == "BootNotification":
            self._ask(
                "StatusNotification",
                f'{{"connectorId":1,"errorCode":"NoError","status":"Preparing","timestamp":"{now}"}}',
            )
        elif action == "StatusNotification":
            self._ask(
                "StartTransaction",
                f'{{"connectorId":1,"idTag":"{load.plan.id_tag}","meterStart":0,"timestamp":"{now}"}}',
            )
        elif action == "StartTransaction":
            answer = json.loads(data)[2]
            self._tx = int(answer["transactionId"])
            if answer["idTagInfo"]["status"] != "Accepted":
                load.report.errors[f"id tag {answer['idTagInfo']['status']}"] += 1
            load.report.charging += 1
            # Spread over the interval: a fleet's clocks are not in step.
            share = (self._number * 0.618034) % 1.0
            self._sample_later(load.plan.interval_s * share)
        elif action == "MeterValues":
            self._sample_later()
        elif action == "StopTransaction":
            load.report.stopped += 1
            self._tx = None
        if load.is_ending and action != "StopTransaction":
            self.stop()

    def _sample_later(self, seconds: float | None = None) -> None:
        wait_s = self._load.plan.interval_s if seconds is None else seconds
        self._timer = self._load.loop.call_later(wait_s, self._sample)

    def _sample(self) -> None:
        if self._tx is None or self._load.is_ending:
            return
        self._wh += round(11_000 * self._load.plan.interval_s / 3600)
        now = iso(self._load.clock.now())
        self._ask(
            "MeterValues",
            f'{{"connectorId":1,"transactionId":{self._tx},"meterValue":[{{"timestamp":"{now}",'
            f'"sampledValue":[{{"value":"{self._wh}","unit":"Wh",'
            '"measurand":"Energy.Active.Import.Register"},{"value":"11000","unit":"W",'
            '"measurand":"Power.Active.Import"}]}]}',
        )

    def stop(self) -> None:
        """Stop the transaction, or do so when the open call is answered."""
        if self._timer is not None:
            self._timer.cancel()
        if self._tx is not None and not self._asked:
            now = iso(self._load.clock.now())
            self._ask(
                "StopTransaction",
                f'{{"transactionId":{self._tx},"meterStop":{self._wh},"timestamp":"{now}"}}',
            )

    def leave(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()

    def _lost(self, why: str) -> None:
        if not self._load.is_leaving:
            self._load.report.errors[f"connection {why}"] += 1
        if self._timer is not None:
            self._timer.cancel()
        self._socket = None


class Load:
    """A load at work.

    Args:
        plan: what is played.
        clock: paces the ramp and measures.
    """

    def __init__(self, plan: LoadPlan, clock: Clock) -> None:
        self.plan = plan
        self.clock = clock
        self.report = LoadReport()
        self.loop = asyncio.get_running_loop()
        self.is_ending = False
        self.is_leaving = False
        self._stations: list[LeanStation] = []
        self._stop_asked = asyncio.Event()
        self._ids = 0

    def next_id(self) -> int:
        """Return the next message id, of any charge point."""
        self._ids += 1
        return self._ids

    def stop(self) -> None:
        """Ask ``run`` to end in order."""
        self._stop_asked.set()

    async def run(self, patience_s: float = 30.0) -> LoadReport:
        """Connect all, charge for the plan's time, stop all, leave; return the report.

        Cancellation: connections stay open until the loop ends.
        """
        began = self.clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, self.plan.stations + 1):
                due = number / self.plan.connects_per_s if self.plan.connects_per_s else 0.0
                wait_s = began + due - self.clock.monotonic()
                if wait_s > 0 and await self.clock.wait(self._stop_asked, wait_s):
                    break
                tasks.create_task(self._connect(number))
        await self.clock.wait(self._stop_asked, self.plan.duration_s)
        self.is_ending = True
        for station in self._stations:
            station.stop()
        deadline = self.clock.monotonic() + patience_s
        while self.clock.monotonic() < deadline and not all(
            station.is_settled for station in self._stations
        ):
            await self.clock.sleep(0.1)
        self.is_leaving = True
        for station in self._stations:
            station.leave()
        self.report.seconds = self.clock.monotonic() - began
        return self.report

    async def _connect(self, number: int) -> None:
        station = LeanStation(self, number)
        self._stations.append(station)
        parts = urlsplit(self.plan.url)
        path = f"{parts.path.rstrip('/')}/{quote(f'{self.plan.prefix}{number:06}', safe='')}"
        host, port = parts.hostname or "", parts.port or 80
        source = None
        if host == "127.0.0.1" and self.plan.stations > ADDRESSES_PER_SOURCE:
            source = (f"127.0.0.{2 + number // ADDRESSES_PER_SOURCE}", 0)
        try:
            await self.loop.create_connection(
                lambda: station.socket(parts.netloc, path), host, port, local_addr=source
            )
        except OSError as error:
            station.failed()
            self.report.errors[type(error).__name__] += 1
