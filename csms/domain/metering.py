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
_ELSEWHERE = ("Cable", "Body", "Inlet")
"""Other places to measure at, the nearest to the car first."""

_PERIODIC = "Sample.Periodic"  # the default (7.33), not worth a column
_BEGIN = "Transaction.Begin"

_ENERGY_SCALES: dict[str | None, int] = {None: 1, "Wh": 1, "kWh": 1000}
_POWER_SCALES: dict[str | None, int] = {None: 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000}
_CURRENT_SCALES: dict[str | None, int] = {None: 1000, "A": 1000}
_VOLTAGE_SCALES: dict[str | None, int] = {None: 1000, "V": 1000}
_SOC_SCALES: dict[str | None, int] = {None: 10, "Percent": 10}


# slots of a reading; those of phases are the first of three
_TOTAL_ENERGY, _TOTAL_POWER, _OFFERED, _SOC = range(4)
_CURRENT, _VOLTAGE, _PHASE_ENERGY, _PHASE_POWER, _SLOTS = range(4, 17, 3)

_Place = tuple[int, dict[str | None, int], int]


def _places() -> dict[tuple[str, str | None], _Place]:
    """Return measurand and phase -> slot, scale by unit, largest value."""
    places: dict[tuple[str, str | None], _Place] = {
        (_ENERGY, None): (_TOTAL_ENERGY, _ENERGY_SCALES, _MOST_ENERGY_WH),
        ("Power.Active.Import", None): (_TOTAL_POWER, _POWER_SCALES, _MOST),
        ("Power.Offered", None): (_OFFERED, _POWER_SCALES, _MOST),
        ("SoC", None): (_SOC, _SOC_SCALES, 1000),
        ("Current.Import", None): (_CURRENT, _CURRENT_SCALES, _MOST),
        ("Voltage", None): (_VOLTAGE, _VOLTAGE_SCALES, _MOST),
    }
    for index, phase in enumerate(("L1", "L2", "L3")):
        for name in (phase, f"{phase}-N"):
            places |= {
                (_ENERGY, name): (_PHASE_ENERGY + index, _ENERGY_SCALES, _MOST_ENERGY_WH),
                ("Power.Active.Import", name): (_PHASE_POWER + index, _POWER_SCALES, _MOST),
                ("Current.Import", name): (_CURRENT + index, _CURRENT_SCALES, _MOST),
                ("Voltage", name): (_VOLTAGE + index, _VOLTAGE_SCALES, _MOST),
            }
    return places


_PLACES = _places()

_Kept = tuple[str | None, str | None, str | None, str | None, str | None]
_Plan = tuple[int, int, int]
"""Slot, factor to our unit, largest value."""

_RAW = frozenset({None, "Raw"})
_PLANS: dict[_Kept, _Plan | None] = {}
"""By measurand, phase, unit, format and location, as they were sent; filled as they come by."""

_MOST_PLANS = 10_000
_SHAPES: dict[str | None, list[tuple[dict[str, Any], _Plan | None, str | None]]] = {}
"""By measurand: samples that have come before (with the value of whatever sample was compared
last), their plan and their context unless it is the usual one. To compare two samples costs a third
of looking a plan up by its key, and stations say the same all day."""

_MOST_MEASURANDS = 200
_MOST_SHAPES = 12  # of one measurand; stations that say it in yet another way take the longer way
_NO_PHASES: list[int | None] = [None] * 6
_TOTAL_OF = {_PHASE_ENERGY: _TOTAL_ENERGY, _PHASE_POWER: _TOTAL_POWER}
_SHORT = 18  # digits; longer numbers take the slow way
_POWERS_OF_TEN = [10**n for n in range(_SHORT)]


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


@dataclass(slots=True, kw_only=True)
class MeterValuesOutcome:
    """Which transaction the values were linked to; None: none that fits (M51).

    Not frozen: it stands on the hot path.
    """

    transaction_id: TransactionId | None


def read(measured_at: datetime, sampled_values: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the reading of one `meterValue` element.

    Args:
        measured_at: Its timestamp, parsed and aware.
        sampled_values: SampledValue objects of OCPP 1.6 7.43.
    """
    slots: list[int | None] = [None] * _SLOTS
    context: str | None = None
    rest: list[Mapping[str, Any]] | None = None
    odd = False
    for sample in sampled_values:
        text = sample["value"]
        for shape, plan, said in _SHAPES.get(sample.get("measurand"), ()):  # noqa: B007
            shape["value"] = text
            if sample == shape:
                break
        else:
            plan, said = _shape(sample)
        if said is not None:
            if context is None or context == _BEGIN:
                context = said
            elif said == _BEGIN:  # begin and end in one element: it tells of the end
                rest = [*(rest or ()), sample]
                continue
        value = None if plan is None else _value(text, plan)
        if plan is None or value is None:
            if rest is None:
                rest = []
            rest.append(sample)
            meant = _interpreted(sample)
            if meant is None:
                continue
            plan, value = meant
            odd = True
        slots[plan[0]] = value
    if slots[_PHASE_ENERGY:] != _NO_PHASES:
        _add_up(slots)
    if rest is not None:
        _from_elsewhere(slots, rest)
    return Reading(
        measured_at=measured_at,
        context=context,
        energy_wh=slots[_TOTAL_ENERGY],
        power_w=slots[_TOTAL_POWER],
        offered_w=slots[_OFFERED],
        current_ma=slots[_CURRENT:_VOLTAGE],
        voltage_mv=slots[_VOLTAGE:_PHASE_ENERGY],
        soc_permille=slots[_SOC],
        rest=rest,
        odd=odd,
    )


def _shape(sample: Mapping[str, Any]) -> tuple[_Plan | None, str | None]:
    """Return plan and unusual context of a sample, remembering its shape if there is room."""
    get = sample.get
    measurand, said = get("measurand"), get("context")
    kept = measurand, get("phase"), get("unit"), get("format"), get("location")
    plan = _PLANS[kept] if kept in _PLANS else _planned(kept)
    if said == _PERIODIC:
        said = None
    shapes = _SHAPES.get(measurand)
    if shapes is None and len(_SHAPES) < _MOST_MEASURANDS:
        shapes = _SHAPES[measurand] = []
    if shapes is not None and len(shapes) < _MOST_SHAPES:
        shapes.append((dict(sample), plan, said))
    return plan, said


def _planned(kept: _Kept) -> _Plan | None:
    """Return what is done with samples of this kind, None: they stay as they are; remembers it."""
    measurand, phase, unit, form, location = kept
    place = _PLACES.get((_ENERGY if measurand is None else measurand, phase))
    plan = None
    if place is not None and form in _RAW and location in _OUTLETS:
        slot, scales, most = place
        if unit in scales:
            plan = slot, scales[unit], most
    if len(_PLANS) < _MOST_PLANS:
        _PLANS[kept] = plan
    return plan


def _interpreted(sample: Mapping[str, Any]) -> tuple[_Plan, int] | None:
    """Return plan and value of a sample that says something usual in an unusual way."""
    meant = odd_samples.usual(sample)
    if meant is None:
        return None
    get = meant.get
    plan = _planned((get("measurand"), get("phase"), get("unit"), get("format"), get("location")))
    value = None if plan is None else _value(meant["value"], plan)
    return None if plan is None or value is None else (plan, value)


def _add_up(slots: list[int | None]) -> None:
    """Sum what was measured by phase, where the total was not sent: energy only of all three."""
    energies, powers = slots[_PHASE_ENERGY:_PHASE_POWER], slots[_PHASE_POWER:]
    if slots[_TOTAL_ENERGY] is None and None not in energies:
        slots[_TOTAL_ENERGY] = sum(energy or 0 for energy in energies)
    if slots[_TOTAL_POWER] is None and any(power is not None for power in powers):
        slots[_TOTAL_POWER] = sum(power or 0 for power in powers)


def _from_elsewhere(slots: list[int | None], rest: Sequence[Mapping[str, Any]]) -> None:
    """Take what was measured at another place alone, such as the power of a DC charger's inlet.

    Where the outlet tells a measurand, by whatever phase, other places say nothing about it.
    """
    there = [sample for sample in rest if sample.get("location") in _ELSEWHERE]
    if not there:
        return
    told = [value is not None for value in slots]
    for sample in sorted(there, key=lambda each: _ELSEWHERE.index(each["location"])):
        get = sample.get
        plan = _planned((get("measurand"), get("phase"), get("unit"), get("format"), None))
        if plan is None:
            continue
        slot = plan[0]
        first = slot if slot < _CURRENT else slot - (slot - _CURRENT) % 3
        is_told = told[slot] if first < _CURRENT else any(told[first : first + 3])
        if slots[slot] is None and not is_told and not told[_TOTAL_OF.get(first, slot)]:
            slots[slot] = _value(sample["value"], plan)
    if slots[_PHASE_ENERGY:] != _NO_PHASES:
        _add_up(slots)


def _value(text: str, plan: _Plan) -> int | None:
    """Return a value in our unit, rounded half to even, or None when it is no usable number."""
    slot, scale, most = plan
    if text.isdecimal() and len(text) < _SHORT:  # most values are whole
        value = int(text) * scale
    else:
        whole, _, part = text.partition(".")
        if whole.isdecimal() and part.isdecimal() and len(text) < _SHORT:
            # the same as with a Decimal, at a third of its cost
            power = _POWERS_OF_TEN[len(part)]
            value, rest = divmod(int(whole + part) * scale, power)
            if 2 * rest > power or (2 * rest == power and value % 2):
                value += 1
        else:
            try:
                exact = Decimal(text.strip()) * scale
            except ArithmeticError:  # no number, or beyond what a Decimal can be scaled to
                return None
            if not exact.is_finite() or abs(exact) > most:
                return None
            value = round(exact)
    if value > most or (slot == _SOC and value < 0):
        return None
    return value
