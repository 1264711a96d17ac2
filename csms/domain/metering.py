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

from csms.domain import odd_samples
from csms.domain.ids import ChargePointKey, TransactionId

_ENERGY = "Energy.Active.Import.Register"
_MOST = 2**31 - 1
_MOST_ENERGY_WH = 10**15

_OUTLETS = frozenset({None, "Outlet", "EV"})
_PERIODIC = "Sample.Periodic"  # the default (7.33), not worth a column

_ENERGY_SCALES: dict[str | None, int] = {None: 1, "Wh": 1, "kWh": 1000}
_POWER_SCALES: dict[str | None, int] = {None: 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000}
_CURRENT_SCALES: dict[str | None, int] = {None: 1000, "A": 1000}
_VOLTAGE_SCALES: dict[str | None, int] = {None: 1000, "V": 1000}
_SOC_SCALES: dict[str | None, int] = {None: 10, "Percent": 10}


# fields of a Reading; plain numbers, because comparing enumerations would cost a microsecond
_TOTAL_ENERGY, _TOTAL_POWER, _OFFERED, _SOC, _CURRENT, _VOLTAGE, _PHASE_ENERGY, _PHASE_POWER = (
    range(8)
)

_Place = tuple[int, int, dict[str | None, int], int]


def _places() -> dict[tuple[str, str | None], _Place]:
    """Return measurand and phase -> field, place of the phase, scale by unit, largest value."""
    places: dict[tuple[str, str | None], _Place] = {
        (_ENERGY, None): (_TOTAL_ENERGY, 0, _ENERGY_SCALES, _MOST_ENERGY_WH),
        ("Power.Active.Import", None): (_TOTAL_POWER, 0, _POWER_SCALES, _MOST),
        ("Power.Offered", None): (_OFFERED, 0, _POWER_SCALES, _MOST),
        ("SoC", None): (_SOC, 0, _SOC_SCALES, 1000),
        ("Current.Import", None): (_CURRENT, 0, _CURRENT_SCALES, _MOST),
        ("Voltage", None): (_VOLTAGE, 0, _VOLTAGE_SCALES, _MOST),
    }
    for index, phase in enumerate(("L1", "L2", "L3")):
        for name in (phase, f"{phase}-N"):
            places |= {
                (_ENERGY, name): (_PHASE_ENERGY, index, _ENERGY_SCALES, _MOST_ENERGY_WH),
                ("Power.Active.Import", name): (_PHASE_POWER, index, _POWER_SCALES, _MOST),
                ("Current.Import", name): (_CURRENT, index, _CURRENT_SCALES, _MOST),
                ("Voltage", name): (_VOLTAGE, index, _VOLTAGE_SCALES, _MOST),
            }
    return places


_PLACES = _places()


@dataclass(slots=True, kw_only=True)
class Reading:
    """One `meterValue` element: all that was measured at one instant.

    Built once by `read` and not changed afterwards (not frozen: it stands on the hot path).

    Attributes:
        rest: Samples that have no field, and those that had to be interpreted for one.
        odd: Whether there are such, in a unit or under a name that OCPP does not have there.
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
    odd: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class MeterValuesFact:
    """A MeterValues.req; `transaction_id` is the number on the wire, which may be anything.

    Built once and not changed afterwards (not frozen: it stands on the hot path).

    Attributes:
        doubts: Findings for the transaction that the values belong to.
    """

    charge_point: ChargePointKey
    received_at: datetime
    connector_id: int
    transaction_id: int | None
    readings: tuple[Reading, ...]
    doubts: tuple[str, ...] = ()


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
    by_phase: list[list[int | None]] | None = None
    for sample in sampled_values:
        context = sample.get("context")
        if context is not None and context != _PERIODIC and reading.context is None:
            reading.context = context
        place = _PLACES.get((sample.get("measurand", _ENERGY), sample.get("phase")))
        value = None if place is None else _value(sample, place)
        if place is None or value is None:
            if reading.rest is None:
                reading.rest = []
            reading.rest.append(sample)
            meant = _interpreted(sample)
            if meant is None:
                continue
            place, value = meant
            reading.odd = True
        kind = place[0]
        if kind == _CURRENT:
            reading.current_ma[place[1]] = value
        elif kind == _TOTAL_ENERGY:
            reading.energy_wh = value
        elif kind == _TOTAL_POWER:
            reading.power_w = value
        elif kind == _VOLTAGE:
            reading.voltage_mv[place[1]] = value
        elif kind == _SOC:
            reading.soc_permille = value
        elif kind == _OFFERED:
            reading.offered_w = value
        else:
            by_phase = by_phase or [[None, None, None], [None, None, None]]
            by_phase[kind == _PHASE_POWER][place[1]] = value
    if by_phase is not None:
        _add_up(reading, *by_phase)
    return reading


def _interpreted(sample: Mapping[str, Any]) -> tuple[_Place, int] | None:
    """Return place and value of a sample that says something usual in an unusual way."""
    meant = odd_samples.usual(sample)
    place = None if meant is None else _PLACES.get((meant["measurand"], meant.get("phase")))
    value = None if meant is None or place is None else _value(meant, place)
    return None if place is None or value is None else (place, value)


def _add_up(reading: Reading, energies: list[int | None], powers: list[int | None]) -> None:
    """Sum what was measured by phase, where the total was not sent: energy only of all three."""
    if reading.energy_wh is None and None not in energies:
        reading.energy_wh = sum(energy or 0 for energy in energies)
    if reading.power_w is None and any(power is not None for power in powers):
        reading.power_w = sum(power or 0 for power in powers)


def _value(sample: Mapping[str, Any], place: _Place) -> int | None:
    """Return the sample's value in our unit, rounded, or None when it is no usable number."""
    field, _, scales, most = place
    scale = scales.get(sample.get("unit"))
    if (
        scale is None
        or sample.get("format", "Raw") != "Raw"
        or sample.get("location") not in _OUTLETS
    ):
        return None
    text = sample["value"]
    if text.isdecimal() and len(text) < 18:  # most values are whole
        value = int(text) * scale
    else:
        try:
            exact = Decimal(text.strip()) * scale
        except ArithmeticError:  # no number, or beyond what a Decimal can be scaled to
            return None
        if not exact.is_finite() or abs(exact) > most:
            return None
        value = round(exact)
    if value > most or (field == _SOC and value < 0):
        return None
    return value
