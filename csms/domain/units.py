"""Units of the domain: power int W, energy int Wh, current Decimal A in steps of 0.1.

Conversions round in the safe direction and say so; no other file turns kW into W or W into A.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NewType

Watts = NewType("Watts", int)
WattHours = NewType("WattHours", int)
Amperes = NewType("Amperes", Decimal)
"""Current per phase, a multiple of 0.1 A."""

KILO = 1000
_STEP = Decimal("0.1")


def watts(kilowatts: Decimal | float | int) -> Watts:
    """Return a power in kW as whole W, rounded down.

    A float counts as the decimal number that it prints as, so 0.7 kW is 700 W.

    >>> watts(0.7), watts(22), watts(Decimal("11.0409"))
    (700, 22000, 11040)

    Raises:
        ValueError: NaN or infinite.
    """
    return Watts(_thousandfold(kilowatts))


def watt_hours(kilowatt_hours: Decimal | float | int) -> WattHours:
    """Return an energy in kWh as whole Wh, rounded down.

    >>> watt_hours(1.0016)
    1001

    Raises:
        ValueError: NaN or infinite.
    """
    return WattHours(_thousandfold(kilowatt_hours))


def thousandth(amount: int) -> Decimal:
    """Return W as kW, or Wh as kWh, exactly.

    >>> thousandth(3680), thousandth(-50)
    (Decimal('3.680'), Decimal('-0.050'))
    """
    return Decimal(amount).scaleb(-3)


def floor_amperes(current: Decimal | int) -> Amperes:
    """Return a current cut down to the step of 0.1 A that the wire has.

    >>> floor_amperes(Decimal("15.99"))
    Decimal('15.9')
    """
    return Amperes(Decimal(current).quantize(_STEP, rounding=ROUND_FLOOR))


def amperes(power_w: int, *, phases: int, voltage_v: int) -> Amperes:
    """Return the current per phase that draws at most `power_w`, cut down to 0.1 A.

    Args:
        power_w: Total of all phases.
        phases: 1 to 3.
        voltage_v: Phase to neutral.

    >>> amperes(11_040, phases=3, voltage_v=230), amperes(4_139, phases=3, voltage_v=230)
    (Decimal('16.0'), Decimal('5.9'))
    """
    # Whole tenths of an ampere by integer division: no rounding can creep in.
    return Amperes(Decimal(power_w * 10 // (phases * voltage_v)).scaleb(-1))


def power_of(current: Decimal, *, phases: int, voltage_v: int) -> Watts:
    """Return the most power that a current per phase lets through, in W, rounded up.

    >>> power_of(Decimal("6.1"), phases=3, voltage_v=230)
    4209
    """
    product = current * phases * voltage_v
    return Watts(int(product.to_integral_value(rounding=ROUND_CEILING)))


def wire_number(value: Decimal) -> float:
    """Return a limit as the JSON number that goes out: one decimal, rounded down, no artefact.

    A float made from a decimal with one digit prints as that decimal again (6.1, never
    6.1000000000000005), so the schema's `multipleOf: 0.1` and strict chargers see what was meant.

    >>> wire_number(Decimal("6.1999")), wire_number(Decimal(6000))
    (6.1, 6000.0)
    """
    return float(value.quantize(_STEP, rounding=ROUND_FLOOR))


def _thousandfold(amount: Decimal | float | int) -> int:
    exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    if not exact.is_finite():
        msg = f"not a finite amount: {amount}"
        raise ValueError(msg)
    return int((exact * KILO).to_integral_value(rounding=ROUND_FLOOR))
