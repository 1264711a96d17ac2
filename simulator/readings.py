"""Meter readings as OCPP writes them: MeterValue objects from a connector's present state.

Pure. Keys are in snake case; the ``ocpp`` package turns them into the wire's spelling.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

from simulator.clock import iso
from simulator.connector import Connector
from simulator.keys import split_measurand

Context = Literal[
    "Sample.Periodic", "Sample.Clock", "Transaction.Begin", "Transaction.End", "Trigger"
]


def meter_value(
    connector: Connector, at: datetime, measurands: Iterable[str], context: Context
) -> dict[str, Any] | None:
    """Return one MeterValue with the wanted measurands that this connector has, or None for none.

    SoC is there for DC only: an AC vehicle does not tell it. An item such as ``Voltage.L1`` asks
    for one phase. Frequency has no unit in OCPP 1.6.
    """
    values = [
        {"context": context, **value}
        for measurand, phase in map(split_measurand, measurands)
        for value in _sampled(connector, measurand)
        if phase is None or str(value.get("phase", "")).removesuffix("-N") == phase
    ]
    return {"timestamp": iso(at), "sampled_value": values} if values else None


def _energy(register_wh: int) -> dict[str, Any]:
    return {
        "measurand": "Energy.Active.Import.Register",
        "value": str(register_wh),
        "unit": "Wh",
        "location": "Outlet",
    }


def _sampled(connector: Connector, measurand: str) -> Iterator[dict[str, Any]]:
    flow, supply = connector.flow, connector.supply
    is_ac = supply.current_type == "AC"
    match measurand:
        case "Energy.Active.Import.Register":
            yield _energy(connector.meter.register_wh)
        case "Power.Active.Import":
            yield {"measurand": measurand, "value": str(flow.power_w), "unit": "W"}
        case "Current.Import" if is_ac:
            for phase in range(1, supply.phases + 1):
                amps = flow.current_a if phase <= flow.phases else 0.0
                value = {"measurand": measurand, "value": f"{amps:.1f}", "unit": "A"}
                yield {**value, "phase": f"L{phase}"}
        case "Current.Import":
            yield {"measurand": measurand, "value": f"{flow.current_a:.1f}", "unit": "A"}
        case "Voltage" if is_ac:
            for phase in range(1, supply.phases + 1):
                value = {"measurand": measurand, "value": str(flow.voltage_v), "unit": "V"}
                yield {**value, "phase": f"L{phase}-N"}
        case "Voltage":
            yield {"measurand": measurand, "value": str(flow.voltage_v), "unit": "V"}
        case "SoC" if not is_ac and connector.vehicle is not None:
            soc = f"{connector.vehicle.soc:.1f}"
            yield {"measurand": measurand, "value": soc, "unit": "Percent", "location": "EV"}
        case "Current.Offered" if is_ac:
            yield {"measurand": measurand, "value": f"{connector.offer:.1f}", "unit": "A"}
        case "Current.Offered":
            amps = connector.offer / max(1, flow.voltage_v)
            yield {"measurand": measurand, "value": f"{amps:.1f}", "unit": "A"}
        case "Power.Offered":
            watts = supply.convert(connector.offer, supply.native_unit, "W", None)
            yield {"measurand": measurand, "value": str(round(watts)), "unit": "W"}
        case _:
            yield from _surroundings(connector, measurand)


def _surroundings(connector: Connector, measurand: str) -> Iterator[dict[str, Any]]:
    match measurand:
        case "Frequency":
            yield {"measurand": measurand, "value": "50.0"}
        case "Temperature":
            celsius = f"{connector.thermal.celsius:.1f}"
            yield {"measurand": measurand, "value": celsius, "unit": "Celsius", "location": "Body"}
        case _:
            return
