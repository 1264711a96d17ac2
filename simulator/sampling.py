"""A connector's readings: sampled, clock-aligned, triggered, and those of StopTransaction.

Owns when a reading is due and where it goes (OCPP 1.6 3.16, 4.7, 4.10). What a reading holds stands
in :mod:`simulator.readings`.
"""

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocpp.v16 import call

from simulator.connector import Connector
from simulator.readings import Context, meter_value
from simulator.transactions import Message, MeterValue

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator


def next_aligned(now: datetime, every_s: int) -> datetime | None:
    """Return the next moment of ClockAlignedDataInterval, counted from midnight; 0: None.

    >>> next_aligned(datetime(2026, 3, 2, 12, 0, 1), 900)
    datetime.datetime(2026, 3, 2, 12, 15)
    """
    if every_s <= 0:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = int((now - midnight).total_seconds()) // every_s
    return midnight + timedelta(seconds=(passed + 1) * every_s)


class Sampler:
    """Takes one connector's readings.

    Args:
        station: the charge point.
        connector: the connector that is read; callers advance it first.
    """

    def __init__(self, station: "ChargePointSimulator", connector: Connector) -> None:
        self._station = station
        self._connector = connector
        self._sampled_at = 0.0
        self._aligned_at: datetime | None = None
        self._stop_data: list[MeterValue] = []
        self._is_full = False
        self.last_message: Message | None = None

    @property
    def stop_data(self) -> list[MeterValue]:
        """The readings kept for StopTransaction so far."""
        return self._stop_data

    def recall(self, stop_data: list[MeterValue]) -> None:
        """Have the readings of a transaction that was running when the power was lost."""
        self._stop_data = stop_data

    def begin(self, at: datetime) -> None:
        """Take the reading with which a transaction begins; samples count from now."""
        self._stop_data = []
        if self._aligned_at is not None and self._aligned_at < at:
            # A moment that was not read in time is not one of the transaction.
            self._aligned_at = next_aligned(at, self._every_s)
        self._keep_for_stop(at, "StopTxnSampledData", "Transaction.Begin")
        self._sampled_at = self._station.clock.monotonic()

    def end(self, at: datetime) -> list[MeterValue] | None:
        """Take the last reading of a transaction; return its transactionData, None for none."""
        self._keep_for_stop(at, "StopTxnSampledData", "Transaction.End")
        data, self._stop_data = self._stop_data, []
        return data or None

    def take_due(self, now: datetime, moment: float) -> None:
        """Send what is due at ``now`` (by the clock on the wall) and ``moment`` (monotonic)."""
        configuration, temper = self._station.configuration, self._station.temper
        if temper.has("no-samples"):
            return
        interval = 0 if temper.has("aligned-only") else self._interval_s
        in_transaction = self._connector.transaction is not None
        if in_transaction and 0 < interval <= moment - self._sampled_at:
            # A late wake-up does not shift the later samples, but missed ones are not made up for.
            missed = int((moment - self._sampled_at) / interval)
            self._sampled_at += missed * interval
            self._send(now, configuration.items("MeterValuesSampledData"), "Sample.Periodic")
            self._keep_for_stop(now, "StopTxnSampledData", "Sample.Periodic")
        following = next_aligned(now, self._every_s)
        if self._aligned_at is not None and now >= self._aligned_at:
            aligned = configuration.items("MeterValuesAlignedData")
            self._send(self._aligned_at, aligned, "Sample.Clock")
            if in_transaction:
                self._keep_for_stop(self._aligned_at, "StopTxnAlignedData", "Sample.Clock")
        self._aligned_at = following

    def seconds_until_due(self, now: datetime, moment: float) -> float:
        """Return when the next reading is due, infinity for never."""
        due = [math.inf]
        if self._connector.transaction is not None and self._interval_s > 0:
            due.append(self._sampled_at + self._interval_s - moment)
        if self._aligned_at is not None:
            due.append((self._aligned_at - now).total_seconds())
        return min(due)

    async def send_triggered(self) -> None:
        """Send the present readings because the central system asked for them, also when Pending.

        Raises:
            CallFailed: without a transaction they are sent now or never.
        """
        measurands = self._station.configuration.items("MeterValuesSampledData")
        now = self._station.clock.now()
        if self._connector.transaction is not None:
            self._send(now, measurands, "Trigger")
            return
        value = meter_value(self._connector, now, measurands, "Trigger")
        if value is not None:
            number = self._connector.connector_id
            await self._station.link.send_triggered(
                call.MeterValues(connector_id=number, meter_value=[value])
            )

    @property
    def _interval_s(self) -> int:
        return self._station.configuration.integer("MeterValueSampleInterval")

    @property
    def _every_s(self) -> int:
        return self._station.configuration.integer("ClockAlignedDataInterval")

    def _send(self, at: datetime, measurands: list[str], context: Context) -> None:
        value = meter_value(self._connector, at, measurands, context)
        if value is None:
            return
        transaction = self._connector.transaction
        if transaction is None:
            number = self._connector.connector_id
            self._station.tell(call.MeterValues(connector_id=number, meter_value=[value]))
        else:
            queued = self._station.queue.put_meter_values(transaction, [value])
            if queued is None and not self._is_full:
                self._station.security_log.record("MemoryExhaustion", "MeterValues are skipped")
            self._is_full = queued is None
            self.last_message = queued or self.last_message

    def _keep_for_stop(self, at: datetime, key: str, context: Context) -> None:
        """Keep a reading for StopTransaction's transactionData, as far as there is room."""
        configuration = self._station.configuration
        most = configuration.integer("StopTransactionMaxMeterValues")
        value = meter_value(self._connector, at, configuration.items(key), context)
        if value is None:
            return
        if len(self._stop_data) >= most:
            # The end matters more than one in between.
            self._stop_data.pop()
        self._stop_data.append(value)
