"""The vehicle: its battery, what it accepts, and what it draws from an offer.

Pure values and functions. Invariants, held by property tests:

1. The state of charge stays within 0..100 %.
2. A vehicle never draws more than the offer, its on-board charger, or its battery's acceptance.
3. An AC offer below 6 A per phase draws nothing (IEC 61851-1: there is no pilot signal for it).
4. A vehicle that has reached its target draws nothing.
"""

import math
from dataclasses import dataclass, replace

from simulator.supply import Supply

MINIMUM_AC_A = 6.0
"""Smallest current per phase that IEC 61851-1 can offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A battery behind an on-board charger.

    Attributes:
        battery_wh: usable capacity.
        stored_wh: energy in the battery, 0..battery_wh.
        target_soc: state of charge in percent at which the vehicle stops.
        onboard_a: limit of the on-board AC charger per phase.
        onboard_phases: phases that the on-board charger uses, 1..3.
        battery_max_w: what the battery accepts below the knee (also its DC limit).
        knee_soc: percent up to which the battery takes its full power (constant current).
        end_share: share of ``battery_max_w`` that it still takes at 100 %, after a linear taper.
        pack_v: the battery's voltage at half charge.
        efficiency: stored energy per energy drawn, above 0 and at most 1.
    """

    battery_wh: int = 60_000
    stored_wh: float = 12_000.0
    target_soc: float = 100.0
    onboard_a: float = 16.0
    onboard_phases: int = 3
    battery_max_w: int = 100_000
    knee_soc: float = 80.0
    end_share: float = 0.05
    efficiency: float = 1.0
    pack_v: int = 365

    @classmethod
    def needing(cls, energy_wh: float, *, battery_wh: int = 60_000, **traits: float) -> "Vehicle":
        """Return a vehicle that asks for ``energy_wh`` (drawn at efficiency 1) and is full then."""
        target = float(traits.pop("target_soc", 80.0))
        stored = max(0.0, battery_wh * target / 100 - energy_wh)
        fields: dict[str, object] = dict(traits)
        vehicle = cls(battery_wh=battery_wh, stored_wh=stored, target_soc=target)
        return replace(vehicle, **fields)  # type: ignore[arg-type]  # traits are named like the fields

    @property
    def soc(self) -> float:
        """State of charge in percent, 0..100."""
        return min(100.0, max(0.0, 100.0 * self.stored_wh / self.battery_wh))

    @property
    def wants_wh(self) -> float:
        """Energy that is still to be stored until the target, 0 when it is reached."""
        return max(0.0, self.battery_wh * min(self.target_soc, 100.0) / 100 - self.stored_wh)

    @property
    def is_full(self) -> bool:
        """Whether the target is reached (to a thousandth of a Wh)."""
        return self.wants_wh < 0.001

    @property
    def acceptance_w(self) -> float:
        """Power that the battery takes at this state of charge: constant, then a linear taper."""
        if self.is_full:
            return 0.0
        if self.soc <= self.knee_soc or self.knee_soc >= 100:
            return float(self.battery_max_w)
        over = (self.soc - self.knee_soc) / (100 - self.knee_soc)
        return self.battery_max_w * (1 - (1 - self.end_share) * over)

    @property
    def pack_voltage_v(self) -> int:
        """Battery voltage in V, rising with the state of charge; a DC charger follows it."""
        return round((330 + 70 * self.soc / 100) * self.pack_v / 365)

    def after(self, power_w: int, seconds: float) -> "Vehicle":
        """Return the vehicle after drawing ``power_w`` for ``seconds``, at most full."""
        stored = self.stored_wh + power_w * self.efficiency * seconds / 3600
        return replace(self, stored_wh=min(float(self.battery_wh), stored))

    def seconds_until_full(self, power_w: int) -> float:
        """Return how long ``power_w`` takes to reach the target; infinite for no power."""
        return self.wants_wh * 3600 / (power_w * self.efficiency) if power_w > 0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What flows: W in all, A per used phase in steps of 0.1, phases used, their voltage."""

    power_w: int = 0
    current_a: float = 0.0
    phases: int = 0
    voltage_v: int = 230


def draw(vehicle: Vehicle, supply: Supply, offer: float, phases: int | None = None) -> Draw:
    """Return what ``vehicle`` takes of ``offer``.

    Args:
        vehicle: the vehicle at this moment.
        supply: the connector's rating, an upper bound beside the offer.
        offer: A per phase for AC, W for DC.
        phases: phases that may be used (None: all of the connector).

    Returns:
        For AC power is exactly current x voltage x phases, floored to whole W.

    >>> draw(Vehicle(onboard_a=16), Supply(), 10.0)
    Draw(power_w=6900, current_a=10.0, phases=3, voltage_v=230)
    >>> draw(Vehicle(), Supply(), 5.9).power_w
    0
    """
    if supply.current_type == "DC":
        power = int(max(0.0, min(offer, supply.max_w, vehicle.acceptance_w)))
        volts = vehicle.pack_voltage_v
        amps = round(power / volts, 1)
        return Draw(power_w=power, current_a=amps, phases=1 if power else 0, voltage_v=volts)
    volts = supply.voltage_v
    used = max(1, min(supply.phases, vehicle.onboard_phases, phases or supply.phases))
    offered = min(offer, supply.max_a)
    if offered + 1e-9 < MINIMUM_AC_A or vehicle.is_full:
        return Draw(voltage_v=volts)
    amps = min(offered, vehicle.onboard_a, vehicle.acceptance_w / (volts * used))
    tenths = math.floor(amps * 10 + 1e-6)
    if tenths <= 0:
        return Draw(voltage_v=volts)
    power = tenths * volts * used // 10
    return Draw(power_w=power, current_a=tenths / 10, phases=used, voltage_v=volts)
