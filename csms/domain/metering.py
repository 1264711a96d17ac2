"""Meter values: from what OCPP 1.6 lets a charge point say to numbers in fixed units.

The usual measurands go into fields (energy Wh, power W, current mA, voltage mV, state of charge in
permille); everything else is kept as it was sent in `rest`. Nothing is refused here: a value
that is no number, or a unit that does not fit, stays in `rest` (M53-M56).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from csms.domain.ids import ChargePointKey, TransactionId

_ENERGY = "Energy.Active.Import.Register"
_MOST = 2**31 - 1
_MOST_ENERGY_WH = 10**15

_POWER: dict[str | None, int] = {None: 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000}
_SCALES: dict[str, dict[str | None, int]] = {
    "Energy.Active.Import.Register": {None: 1, "Wh": 1, "kWh": 1000},
    "Power.Active.Import": _POWER,
    "Power.Offered": _POWER,
    "Current.Import": {None: 1000, "A": 1000},
    "Voltage": {None: 1000, "V": 1000},
    "SoC": {None: 10, "Percent": 10},
}
_LARGEST = {"Energy.Active.Import.Register": _MOST_ENERGY_WH, "SoC": 1000}
_PHASES = {"L1": 0, "L2": 1, "L3": 2, "L1-N": 0, "L2-N": 1, "L3-N": 2}


@dataclass(slots=True, kw_only=True)
class Reading:
    """One `meterValue` element: all that was measured at one instant.

    Built once by `read` and not changed afterwards (not frozen: it stands on the hot path).
    """

    measured_at: datetime
    context: str | None = None
    energy_wh: int | None = None
    power_w: int | None = None
    offered_w: int | None = None
    current_ma: list[int | None] = field(default_factory=lambda: [None, None, None])
    voltage_mv: list[int | None] = field(default_factory=lambda: [None, None, None])
    soc_permille: int | None = None
    rest: list[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValuesFact:
    """A MeterValues.req; `transaction_id` is the number on the wire, which may be anything."""

    charge_point: ChargePointKey
    received_at: datetime
    connector_id: int
    transaction_id: int | None
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValuesOutcome:
    """Which transaction the values were linked to; None: none that fits (M51)."""

    transaction_id: TransactionId | None


def read(measured_at: datetime, sampled_values: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the reading of one `meterValue` element.

    Args:
        measured_at: Its timestamp, parsed and aware.
        sampled_values: SampledValue objects of OCPP 1.6 7.43.
    """
    reading = Reading(measured_at=measured_at)
    phase_power: list[int | None] = [None, None, None]
    phase_energy: list[int | None] = [None, None, None]
    for sample in sampled_values:
        if reading.context is None:
            reading.context = sample.get("context")
        if not _take(reading, sample, phase_power, phase_energy):
            if reading.rest is None:
                reading.rest = []
            reading.rest.append(sample)
    if reading.power_w is None and any(power is not None for power in phase_power):
        reading.power_w = sum(power or 0 for power in phase_power)
    if reading.energy_wh is None and all(energy is not None for energy in phase_energy):
        reading.energy_wh = sum(energy or 0 for energy in phase_energy)
    return reading


def _take(
    reading: Reading,
    sample: Mapping[str, Any],
    phase_power: list[int | None],
    phase_energy: list[int | None],
) -> bool:
    """Put one sampled value into its field; return False when it has none."""
    if sample.get("format", "Raw") != "Raw" or sample.get("location", "Outlet") not in (
        "Outlet",
        "EV",
    ):
        return False
    measurand = sample.get("measurand", _ENERGY)
    scales = _SCALES.get(measurand)
    phase = sample.get("phase")
    index = _PHASES.get(phase) if phase is not None else None
    if scales is None or (phase is not None and index is None):
        return False
    value = _number(sample, scales.get(sample.get("unit")), _LARGEST.get(measurand, _MOST))
    if value is None:
        return False
    match measurand:
        case "Energy.Active.Import.Register" if index is None:
            reading.energy_wh = value
        case "Energy.Active.Import.Register":
            phase_energy[index or 0] = value
        case "Power.Active.Import" if index is None:
            reading.power_w = value
        case "Power.Active.Import":
            phase_power[index or 0] = value
        case "Power.Offered" if index is None:
            reading.offered_w = value
        case "Current.Import":
            reading.current_ma[index or 0] = value
        case "Voltage":
            reading.voltage_mv[index or 0] = value
        case "SoC" if value >= 0:
            reading.soc_permille = value
        case _:
            return False
    return True


def _number(sample: Mapping[str, Any], scale: int | None, most: int) -> int | None:
    """Return the sample's value times `scale`, rounded, or None when it is no usable number."""
    if scale is None:
        return None
    try:
        value = Decimal(sample["value"].strip()) * scale
    except ArithmeticError:  # no number, or beyond what a Decimal can be scaled to
        return None
    if not value.is_finite() or abs(value) > most:
        return None
    return round(value)
