"""The main meter, before all connectors of a charge point: connector 0 in MeterValues (4.7, 3.16).

It counts what the charge point takes from the grid, its own losses included, and tells
clock-aligned values, whether transactions run or not. Currents are those of the grid's phases, so
it matters how each connector is wired: ConnectorPhaseRotation.
"""

import asyncio
import math
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call

from simulator.clock import iso
from simulator.connector import Connector
from simulator.keys import split_list, split_measurand
from simulator.physics import grid_w
from simulator.sampling import next_aligned

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator

PHASE_LETTERS = "RST"
GRID_V = 230


class MainMeter:
    """The main meter of one charge point.

    Args:
        station: the charge point.
    """

    def __init__(self, station: "ChargePointSimulator") -> None:
        self._station = station
        self._wake = asyncio.Event()

    @property
    def is_there(self) -> bool:
        """Whether the charge point has one: by its settings, else where it has several outlets."""
        wanted = self._station.settings.main_meter
        return self._station.settings.connectors > 1 if wanted is None else wanted

    @property
    def register_wh(self) -> int:
        """The register's reading, whole Wh; never falls."""
        connectors = (session.connector for session in self._station.sessions.values())
        return int(math.fsum(one.account.grid for one in connectors) / 3600)

    @property
    def phase_w(self) -> tuple[float, ...]:
        """Power taken from each phase of the grid, W; one phase where the outlets have one."""
        station = self._station
        supply = station.settings.supply
        phases = 1 if supply.current_type == "AC" and supply.phases == 1 else 3
        taken = [0.0] * phases
        rotations = _rotations(station.configuration.text("ConnectorPhaseRotation"))
        for number, session in station.sessions.items():
            for phase, watts in _by_phase(session.connector, phases, rotations.get(number, "RST")):
                taken[phase] += watts
        return tuple(taken)

    def wake(self) -> None:
        """Have it look again at when the next reading is due."""
        self._wake.set()

    async def run(self) -> None:
        """Tell clock-aligned values, where it is there, until cancelled; offline ones are lost."""
        station = self._station
        while True:
            self._wake.clear()
            now = station.clock.now()
            every = station.configuration.integer("ClockAlignedDataInterval")
            due = next_aligned(now, every)
            wait_s = (due - now).total_seconds() if due is not None else None
            if await station.clock.wait(self._wake, wait_s) or due is None:
                continue
            if not station.temper.has("no-samples"):
                self._tell(due)

    def _tell(self, at: datetime) -> None:
        station = self._station
        for session in station.sessions.values():
            session.settle()
        wanted = split_list(station.configuration.text("MeterValuesAlignedData"))
        values = [
            {"context": "Sample.Clock", **value}
            for item in wanted
            for value in self._sampled(*split_measurand(item))
        ]
        if values:
            value = {"timestamp": iso(at), "sampled_value": values}
            station.tell(call.MeterValues(connector_id=0, meter_value=[value]))

    def _sampled(self, measurand: str, only: str | None) -> Iterator[dict[str, Any]]:
        for phase, value, unit in self._readings(measurand):
            if only in (None, (phase or "").removesuffix("-N")):
                sampled = {"measurand": measurand, "value": value, "location": "Inlet"}
                sampled |= {"unit": unit} if unit else {}
                yield sampled | ({"phase": phase} if phase else {})

    def _readings(self, measurand: str) -> list[tuple[str | None, str, str | None]]:
        """Return phase, value and unit of each reading of a measurand; none of those it lacks."""
        volts, phase_w = self._volts, self.phase_w
        match measurand:
            case "Energy.Active.Import.Register":
                return [(None, str(self.register_wh), "Wh")]
            case "Power.Active.Import":
                return [(None, str(round(sum(phase_w))), "W")]
            case "Current.Import":
                return [
                    (f"L{n}", f"{watts / volts:.1f}", "A") for n, watts in enumerate(phase_w, 1)
                ]
            case "Voltage":
                return [(f"L{n}-N", str(volts), "V") for n in range(1, len(phase_w) + 1)]
            case "Frequency":
                return [(None, "50.0", None)]
            case _:
                return []

    @property
    def _volts(self) -> int:
        """The grid's phase voltage: a DC charger's own says nothing of it."""
        supply = self._station.settings.supply
        return supply.voltage_v if supply.current_type == "AC" else GRID_V


def _rotations(text: str) -> dict[int, str]:
    """Return how connectors are wired, by number; ``RST`` is straight.

    >>> _rotations("0.RST,1.STR,2.Unknown")
    {0: 'RST', 1: 'STR'}
    """
    pairs = (item.partition(".") for item in split_list(text))
    return {
        int(number): letters
        for number, _, letters in pairs
        if set(letters) == set(PHASE_LETTERS) and len(letters) == len(PHASE_LETTERS)
    }


def _by_phase(connector: Connector, phases: int, rotation: str) -> Iterator[tuple[int, float]]:
    """Yield phases of the grid, from 0, and what the connector takes from each, W.

    A rectifier takes the same from all; what an AC outlet's electronics take comes from its L1.
    """
    flow, supply = connector.flow, connector.supply
    watts = grid_w(flow, supply)
    if supply.current_type == "DC":
        yield from ((phase, watts / phases) for phase in range(phases))
        return
    places = [PHASE_LETTERS.index(letter) for letter in rotation] if phases > 1 else [0]
    used = min(flow.phases, phases)
    drawn = watts - supply.standby_w
    for place in places[:used]:
        yield place, drawn / used
    yield places[0], float(supply.standby_w)
