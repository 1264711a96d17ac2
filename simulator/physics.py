"""What happens to power between the grid, the meter, the cable and the battery.

Pure. The meter stands at the outlet. Invariants, held by property tests (the others of the list in
docs/simulator.md stand where they are made):

9. The voltage at an AC outlet falls with the current, by ``sag_v`` at the rating, and nothing else
   changes it; that at a DC outlet is the battery's and what the cable takes.
10. No energy comes from nowhere: what the grid gives is what the meter counts and the charger's
   losses; what the meter counts is what the cable takes and what reaches the inlet; that is what
   is stored and what the vehicle loses. Every part is 0 or more.
11. Losses in the cable grow with the square of the current.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.supply import Supply

if TYPE_CHECKING:
    from simulator.vehicle import Draw

LOADED_CONDUCTORS = {0: 0, 1: 2, 2: 3, 3: 3}
"""Conductors that carry the current, by phases used: one phase comes back through the neutral."""

MOST_OF_CABLE = 0.1
"""No cable takes more than this share of the power: it would have melted."""


def outlet_voltage_ac(supply: Supply, amps: float) -> int:
    """Return the phase voltage at an AC outlet in whole V, which carries ``amps`` a phase.

    >>> outlet_voltage_ac(Supply(sag_v=6.0), 16.0), outlet_voltage_ac(Supply(), 32.0)
    (227, 230)
    """
    rated = supply.max_a
    return round(supply.voltage_v - (supply.sag_v * amps / rated if rated > 0 else 0.0))


def outlet_voltage_dc(supply: Supply, power_w: float, battery_v: int) -> int:
    """Return the voltage at a DC outlet in whole V, behind which a battery takes ``power_w``."""
    amps = power_w / battery_v
    return round(battery_v + min(2 * amps * supply.cable_mohm / 1000, battery_v * MOST_OF_CABLE))


def cable_w(flow: "Draw", supply: Supply) -> float:
    """Return what the cable turns into heat, W."""
    conductors = 2 if supply.current_type == "DC" else LOADED_CONDUCTORS[flow.phases]
    lost = conductors * flow.current_a**2 * supply.cable_mohm / 1000
    return min(lost, flow.power_w * MOST_OF_CABLE)


def inlet_w(flow: "Draw", supply: Supply) -> float:
    """Return what reaches the vehicle, W."""
    return flow.power_w - cable_w(flow, supply)


def grid_w(flow: "Draw", supply: Supply) -> float:
    """Return what a connector takes from the grid, W: the meter's power and the charger's own."""
    return flow.power_w / supply.efficiency + supply.standby_w


@dataclass(slots=True, kw_only=True)
class EnergyAccount:
    """Where a connector's energy has gone so far, in W x s.

    Attributes:
        grid: taken from the grid.
        charger: lost before the meter.
        cable: lost after the meter.
        vehicle: lost in the vehicle.
        stored: in batteries.
    """

    grid: float = 0.0
    charger: float = 0.0
    cable: float = 0.0
    vehicle: float = 0.0
    stored: float = 0.0

    @property
    def metered(self) -> float:
        """What the meter has counted."""
        return self.grid - self.charger

    def book(self, flow: "Draw", supply: Supply, efficiency: float, seconds: float) -> None:
        """Let ``flow`` go on for ``seconds`` into a vehicle of this efficiency."""
        taken, arrives = grid_w(flow, supply), inlet_w(flow, supply)
        self.grid += taken * seconds
        self.charger += (taken - flow.power_w) * seconds
        self.cable += (flow.power_w - arrives) * seconds
        self.vehicle += arrives * (1 - efficiency) * seconds
        self.stored += arrives * efficiency * seconds
