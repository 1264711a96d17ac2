"""One charge point of a load, of a few hundred bytes.

It boots, reports Preparing, starts a transaction, sends MeterValues at its own phase of the
interval and stops when told. Frames are put together from texts and answers are matched by order:
one call is open at a time. When the connection is lost it comes back, does not boot again, and
sends a transaction's open message once more with the same payload (OCPP 1.6 4.10 and errata 3.3);
samples that fall into an outage are not made up for. What is asked of it is answered by
NotImplemented.
"""

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.clock import iso
from simulator.lean_socket import LeanSocket
from simulator.ledger import record
from simulator.transactions import Transaction

if TYPE_CHECKING:
    from simulator.load import Load

POWER_W = 11_000
_BOOT = '{"chargePointVendor":"OpenSimulator","chargePointModel":"LOAD"}'
_KEPT = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})


class LeanStation:
    """One charge point.

    Args:
        load: what it belongs to.
        number: from 1; makes its identity and its phase.
    """

    __slots__ = (
        "_action",
        "_asked_at",
        "_dropped",
        "_is_booted",
        "_is_known",
        "_is_open",
        "_is_reported",
        "_is_stopped",
        "_load",
        "_samples",
        "_since",
        "_socket",
        "_started_at",
        "_stop_asked",
        "_stopped_at",
        "_text",
        "_timer",
        "_tx",
        "_wh",
        "failures",
        "number",
    )

    def __init__(self, load: "Load", number: int) -> None:
        self._load = load
        self.number = number
        self.failures = 0
        self._socket: LeanSocket | None = None
        self._is_known = self._is_open = self._is_booted = self._is_reported = False
        self._action = self._text = self._dropped = ""
        self._asked_at = load.clock.monotonic()
        self._tx: int | None = None
        self._started_at: datetime | None = None
        self._stopped_at: datetime | None = None
        self._since = 0.0
        self._wh = self._samples = 0
        self._stop_asked = self._is_stopped = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_coming(self) -> bool:
        """Whether it is on its way to charging, and nothing has stood in its way yet."""
        return self._tx is None and not self.failures and not self._dropped

    @property
    def is_settled(self) -> bool:
        """Whether no transaction waits to be started or stopped."""
        return self._started_at is None or self._is_stopped or bool(self._dropped)

    def ledger_record(self) -> dict[str, Any] | None:
        """Return its transaction as the ledger writes it, None before it was begun."""
        if self._started_at is None:
            return None
        plan = self._load.plan
        transaction = Transaction(
            charge_point=plan.identity(self.number),
            connector_id=1,
            id_tag=plan.id_tag,
            started_at=self._started_at,
            meter_start_wh=0,
            transaction_id=self._tx,
            stopped_at=self._stopped_at,
            meter_stop_wh=self._wh if self._stopped_at is not None else None,
            start_acknowledged=self._tx is not None,
            stop_acknowledged=self._is_stopped,
            meter_values_acknowledged=self._samples,
            dropped=[self._dropped] if self._dropped else [],
        )
        return record(transaction)

    # The connection

    def socket(self, host: str, path: str, authorization: str | None) -> LeanSocket:
        """Return the protocol of its next connection."""
        self._asked_at = self._load.clock.monotonic()
        self._socket = LeanSocket(
            host, path, self._opened, self._came, self._lost, authorization=authorization
        )
        return self._socket

    def _opened(self) -> None:
        load = self._load
        kind = "Reconnect" if self._is_known else "Connect"
        load.report.took(kind, load.clock.monotonic() - self._asked_at)
        load.report.connected += not self._is_known
        self._is_known = self._is_open = True
        self.failures = 0
        if self._action in _KEPT and self._socket is not None:
            self._asked_at = load.clock.monotonic()
            self._socket.send(self._text)
        else:
            self._action = ""
            self._go_on()

    def _lost(self, why: str) -> None:
        self._socket, self._is_open = None, False
        load = self._load
        if load.is_leaving:
            return
        if not load.is_cutting:
            self.failures += 1
            load.report.errors[f"connection {why}"] += 1
        load.come_back(self)

    def cut(self) -> None:
        """Cut the connection, as a network does."""
        if self._socket is not None:
            self._socket.abort()

    def leave(self) -> None:
        """Close the connection."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def check(self, now: float, patience_s: float) -> None:
        """Give up a connection on which nothing has come for too long."""
        waits = self._socket is not None and (bool(self._action) or not self._is_open)
        if waits and now - self._asked_at > patience_s:
            what = f"{self._action} unanswered" if self._is_open else "handshake unanswered"
            self._load.report.errors[what] += 1
            self._asked_at = now
            self.cut()

    # Calls

    def _go_on(self) -> None:
        """Make the next call if none is open."""
        if self._action or self._dropped or not self._is_open:
            return
        load = self._load
        if not self._is_booted:
            self._ask("BootNotification", _BOOT)
        elif not self._is_reported:
            self._ask(
                "StatusNotification",
                '{"connectorId":1,"errorCode":"NoError","status":"Preparing",'
                f'"timestamp":"{iso(load.clock.now())}"}}',
            )
        elif self._started_at is None:
            if not load.is_ending:
                self._start()
        elif self._stop_asked and self._tx is not None and not self._is_stopped:
            self._stop()

    def _start(self) -> None:
        self._started_at = self._load.clock.now()
        self._since = self._load.clock.monotonic()
        self._ask(
            "StartTransaction",
            f'{{"connectorId":1,"idTag":"{self._load.plan.id_tag}","meterStart":0,'
            f'"timestamp":"{iso(self._started_at)}"}}',
        )

    def _register_wh(self) -> int:
        """Return what the meter shows: constant power since the start."""
        return int(POWER_W * (self._load.clock.monotonic() - self._since) / 3600)

    def _stop(self) -> None:
        self._stopped_at = self._load.clock.now()
        self._wh = self._register_wh()
        self._ask(
            "StopTransaction",
            f'{{"transactionId":{self._tx},"meterStop":{self._wh},'
            f'"timestamp":"{iso(self._stopped_at)}"}}',
        )

    def _sample(self) -> None:
        """Send MeterValues if nothing else is open, and have the next ones sent in time."""
        if self._stop_asked or self._tx is None:
            return
        self._sample_later(self._load.plan.interval_s)
        if self._action or not self._is_open:
            return
        self._ask(
            "MeterValues",
            f'{{"connectorId":1,"transactionId":{self._tx},"meterValue":[{{'
            f'"timestamp":"{iso(self._load.clock.now())}",'
            f'"sampledValue":[{{"value":"{self._register_wh()}","unit":"Wh",'
            f'"measurand":"Energy.Active.Import.Register"}},{{"value":"{POWER_W}","unit":"W",'
            '"measurand":"Power.Active.Import"}]}]}',
        )

    def _sample_later(self, seconds: float) -> None:
        self._timer = self._load.loop.call_later(seconds, self._sample)

    def stop(self) -> None:
        """Stop the transaction, or do so when the open call is answered."""
        self._stop_asked = True
        if self._timer is not None:
            self._timer.cancel()
        self._go_on()

    def _ask(self, action: str, payload: str) -> None:
        if self._socket is None:
            return
        self._action = action
        self._asked_at = self._load.clock.monotonic()
        text = f'[2,"{self._load.next_id()}","{action}",{payload}]'
        self._text = text if action in _KEPT else ""
        self._socket.send(text)

    # Answers

    def _came(self, data: bytes) -> None:
        if data.startswith((b"[3", b"[ 3")):
            action, self._action = self._action, ""
            load = self._load
            load.report.took(action, load.clock.monotonic() - self._asked_at)
            self._answered(action, data)
            self._go_on()
        elif data.startswith((b"[4", b"[ 4")):
            action, self._action = self._action, ""
            self._load.report.errors[f"{action} refused"] += 1
            if action != "MeterValues":
                self._dropped = action  # it goes no further
            self._go_on()
        elif self._socket is not None:
            message_id = json.loads(data)[1]
            self._socket.send(json.dumps([4, message_id, "NotImplemented", "a load only", {}]))

    def _answered(self, action: str, data: bytes) -> None:
        load = self._load
        if action == "BootNotification":
            status = json.loads(data)[2]["status"]
            if status == "Accepted":
                self._is_booted = True
            else:
                load.report.errors[f"boot {status}"] += 1
                self._dropped = action
        elif action == "StatusNotification":
            self._is_reported = True
        elif action == "StartTransaction":
            answer = json.loads(data)[2]
            self._tx = int(answer["transactionId"])
            if answer["idTagInfo"]["status"] != "Accepted":
                load.report.errors[f"id tag {answer['idTagInfo']['status']}"] += 1
            load.report.charging += 1
            # Spread over the interval: a fleet's clocks are not in step.
            self._sample_later(load.plan.interval_s * (self.number * 0.618034 % 1.0))
        elif action == "MeterValues":
            self._samples += 1
        elif action == "StopTransaction":
            load.report.stopped += 1
            self._is_stopped = True
