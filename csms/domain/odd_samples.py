"""Samples of a MeterValues that mean something usual in an unusual way.

Asked only for samples that the usual table does not know. What a measurand is decides what its unit
can mean: energy in kW is energy in kWh, because nothing else in a charger is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ENERGY = "Energy.Active.Import.Register"
_MEASURANDS = {
    "energy": _ENERGY,
    "energyactive": _ENERGY,
    "energyactiveimport": _ENERGY,
    "energyactiveimportregister": _ENERGY,
    "importregister": _ENERGY,
    "requestenergy": _ENERGY,
    "sessionenergy": _ENERGY,
    "power": "Power.Active.Import",
    "poweractive": "Power.Active.Import",
    "poweractiveimport": "Power.Active.Import",
    "poweroffered": "Power.Offered",
    "current": "Current.Import",
    "currentimport": "Current.Import",
    "voltage": "Voltage",
    "soc": "SoC",
    "stateofcharge": "SoC",
}
_PHASES = {
    **dict.fromkeys(("l1", "1", "phase1", "a", "r"), "L1"),
    **dict.fromkeys(("l2", "2", "phase2", "b", "s"), "L2"),
    **dict.fromkeys(("l3", "3", "phase3", "c", "t"), "L3"),
    **dict.fromkeys(("l1n", "an"), "L1-N"),
    **dict.fromkeys(("l2n", "bn"), "L2-N"),
    **dict.fromkeys(("l3n", "cn"), "L3-N"),
}
_ALL_PHASES = frozenset({"", "all", "total", "sum", "l1l2l3", "l1l2l3n", "l123", "3phase"})
_UNIT = re.compile(
    r"(kilo|milli|mega|k|m)?(?:w|watts?|wh|watt[- ]?hours?|va|a|amps?|amperes?|v|volts?)",
    re.IGNORECASE,
)
_BASE = {"Energy": "Wh", "Power": "W", "Current": "A", "Voltage": "V"}
_OTHERS = frozenset(
    {
        "Current.Export",
        "Current.Offered",
        "Energy.Active.Export.Interval",
        "Energy.Active.Export.Register",
        "Energy.Active.Import.Interval",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Interval",
        "Energy.Reactive.Import.Register",
        "Frequency",
        "Power.Active.Export",
        "Power.Factor",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "RPM",
        "Temperature",
    }
)
_NOT_LETTER = re.compile(r"[^A-Za-z0-9]+")
_NUMBER = re.compile(r"\s*([+-]?[0-9]+(?:[.,][0-9]+)?)\s*([A-Za-z%]*)\s*")
# thousands set apart: by blanks or apostrophes, or by the one of comma and point that comes first
_GROUPS = re.compile(
    r"(?<![0-9.,])[0-9]{1,3}(?:(?P<apart>[ '\u00a0\u2019])[0-9]{3}(?:(?P=apart)[0-9]{3})*"
    r"|,[0-9]{3}(?:,[0-9]{3})*(?=\.)|\.[0-9]{3}(?:\.[0-9]{3})*(?=,))(?![0-9])"
)
_APART = re.compile(r"[^0-9]")
_SHIFTS = {"m": -3, "k": 3, "M": 6}


def usual(sample: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a sample as the usual table has it, or None when it means nothing there.

    Args:
        sample: A SampledValue of OCPP 1.6 7.43, its texts unchecked.

    >>> usual({"value": "2.5", "measurand": "Current.Import.L1", "unit": "Amp"})
    {'value': '2.5', 'measurand': 'Current.Import', 'unit': 'A', 'phase': 'L1'}
    >>> usual({"value": "7.2", "measurand": "Energy.Active.Import.Register", "unit": "kW"})
    {'value': '7.2', 'measurand': 'Energy.Active.Import.Register', 'unit': 'kWh'}
    >>> usual({"value": "1", "measurand": "Temperature"}) is None
    True
    """
    text = str(sample.get("measurand", _ENERGY))
    if text in _OTHERS:
        return None
    head, _, tail = text.rpartition(".")
    phase = sample.get("phase")
    measurand = _MEASURANDS.get(_folded(text))
    if measurand is None and _folded(tail) in _PHASES:
        measurand, phase = _MEASURANDS.get(_folded(head)), phase or tail
    if measurand is None:
        return None
    value, unit = _value_and_unit(measurand, str(sample["value"]), sample.get("unit"))
    if value is None:
        return None
    made = {**sample, "value": value, "measurand": measurand}
    made.pop("phase", None)
    made.pop("unit", None)
    if unit is not None:
        made["unit"] = unit
    if phase is not None and _folded(str(phase)) not in _ALL_PHASES:
        known = _PHASES.get(_folded(str(phase)))
        if known is None:
            return None
        made["phase"] = known
    return None if made == sample else made


def _value_and_unit(measurand: str, value: str, unit: object) -> tuple[str | None, str | None]:
    found = _NUMBER.fullmatch(_GROUPS.sub(lambda m: _APART.sub("", m[0]), value, count=1))
    if found is None:
        return None, None
    number = found[1].replace(",", ".")
    kind = measurand.partition(".")[0]
    # a unit beside the number is meant for it; the field may have a default of the firmware
    beside = found[2] if kind != "SoC" and _UNIT.fullmatch(found[2]) else None
    named = str(beside or unit or found[2] or "").strip()
    if kind == "SoC":
        return number, None if named.lower() in ("", "%", "percent", "pct") else named
    base = _BASE[kind]
    if not named:
        return number, None
    read = _UNIT.fullmatch(named)
    if read is None:
        return number, named
    prefix = _prefix(read[1], kind)
    if prefix == "k" and kind in ("Energy", "Power"):
        return number, f"k{base}"
    return _shifted(number, _SHIFTS.get(prefix, 0)), base


def _prefix(letter: str | None, kind: str) -> str:
    """Return the prefix that is meant: nobody measures a car in milliwatts."""
    if letter is None:
        return ""
    if letter[0] in ("m", "M") and kind in ("Energy", "Power"):
        return "M"
    return letter[0].lower()


def _shifted(number: str, places: int) -> str:
    """Return a decimal number times ten to the power of `places`, without a float.

    >>> _shifted("12.5", 3), _shifted("16000", -3)
    ('12500', '16.000')
    """
    if places == 0:
        return number
    sign = number[0] if number[0] in "+-" else ""
    whole, _, fraction = number.lstrip("+-").partition(".")
    if places > 0:
        fraction = fraction.ljust(places, "0")
        whole, fraction = whole + fraction[:places], fraction[places:]
    else:
        whole = whole.rjust(1 - places, "0")
        whole, fraction = whole[:places], whole[places:] + fraction
    return f"{sign}{whole.lstrip('0') or '0'}" + (f".{fraction}" if fraction else "")


def _folded(text: str) -> str:
    return _NOT_LETTER.sub("", text).lower()
