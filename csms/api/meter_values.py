"""Meter values as the API spells them."""

from __future__ import annotations

from typing import Any, Self

from csms.api.fields import Out, PreciseTime, kilo
from csms.services.records import MeterReading


def _milli(values: tuple[int | None, ...]) -> list[float | None]:
    return [None if value is None else value / 1000 for value in values]


class MeterValuesOut(Out):
    """One reading; currents and voltages by phase, what fits no field in `other` as sent."""

    at: PreciseTime
    received_at: PreciseTime
    connector_id: int
    session_id: str | None
    context: str
    energy_kwh: float | None
    power_kw: float | None
    offered_kw: float | None
    current_a: list[float | None]
    voltage_v: list[float | None]
    soc_percent: float | None
    other: list[Any]

    @classmethod
    def of(cls, reading: MeterReading) -> Self:
        """Return a stored reading in the API's units."""
        transaction = reading.transaction_id
        return cls(
            at=reading.measured_at,
            received_at=reading.received_at,
            connector_id=reading.connector_id,
            session_id=None if transaction is None else str(transaction),
            context=reading.context or "Sample.Periodic",  # the default of OCPP
            energy_kwh=kilo(reading.energy_wh),
            power_kw=kilo(reading.power_w),
            offered_kw=kilo(reading.offered_w),
            current_a=_milli(reading.current_ma),
            voltage_v=_milli(reading.voltage_mv),
            soc_percent=None if reading.soc_permille is None else reading.soc_permille / 10,
            other=reading.rest or [],
        )
