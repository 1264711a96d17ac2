"""The vehicle: its battery, what it accepts, and what it draws from an offer.

Pure values and functions. Invariants, held by property tests:

1. The state of charge stays within 0..100 %.
2. A vehicle never draws more than the offer, its on-board charger, or its battery's acceptance.
3. An AC offer below 6 A per phase draws nothing (IEC 61851-1: there is no pilot signal for it).
4. A vehicle that has reached its target, or at which its battery management cuts off, draws
   nothing, nor does one that is offered less than its own minimum.
"""

import math
from dataclasses import dataclass, replace

from simulator.physics import outlet_voltage_ac, outlet_voltage_dc
from simulator.supply import Supply
from simulator.thermal import battery_after, battery_share

MINIMUM_AC_A = 6.0
"""Smallest current per phase that IEC 61851-1 can offer."""

PRECHARGE_SHARE = 0.1
"""What a deeply discharged battery takes of its power."""


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
        efficiency: stored energy per energy at the inlet, above 0 and at most 1.
        minimum_a: smallest current per phase that its on-board charger starts with.
        cutoff_soc: percent at which the battery management ends charging, whatever the target.
        precharge_soc: percent below which a deeply discharged battery takes a tenth.
        battery_c: the battery's temperature; None: always what it likes.
        departs_at: monotonic seconds at which it leaves; None: not known.
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
    minimum_a: float = MINIMUM_AC_A
    cutoff_soc: float = 100.0
    precharge_soc: float = 0.0
    battery_c: float | None = None
    departs_at: float | None = None

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
        """Energy that is still to be stored until it ends charging, 0 when that is reached."""
        end_soc = min(self.target_soc, self.cutoff_soc, 100.0)
        return max(0.0, self.battery_wh * end_soc / 100 - self.stored_wh)

    @property
    def is_full(self) -> bool:
        """Whether the target is reached (to a thousandth of a Wh)."""
        return self.wants_wh < 0.001

    @property
    def acceptance_w(self) -> float:
        """Power that the battery takes now: constant, then a taper; less when cold or hot."""
        if self.is_full:
            return 0.0
        power = float(self.battery_max_w)
        if self.battery_c is not None:
            power *= battery_share(self.battery_c)
        if self.soc < self.precharge_soc:
            return power * PRECHARGE_SHARE
        if self.soc <= self.knee_soc or self.knee_soc >= 100:
            return power
        over = (self.soc - self.knee_soc) / (100 - self.knee_soc)
        return power * (1 - (1 - self.end_share) * over)

    @property
    def pack_voltage_v(self) -> int:
        """Battery voltage in V, rising with the state of charge; a DC charger follows it."""
        return round((330 + 70 * self.soc / 100) * self.pack_v / 365)

    def after(self, power_w: float, seconds: float, ambient_c: float = 20.0) -> "Vehicle":
        """Return the vehicle after ``power_w`` at its inlet for ``seconds``, at most full."""
        stored = self.stored_wh + power_w * self.efficiency * seconds / 3600
        battery_c = self.battery_c
        if battery_c is not None:
            battery_c = battery_after(battery_c, ambient_c, power_w, self.battery_wh, seconds)
        return replace(self, stored_wh=min(float(self.battery_wh), stored), battery_c=battery_c)

    def needed_w(self, now_s: float, speed: float = 1.0) -> float | None:
        """Return the mean power at the inlet that has it ready at its departure.

        Args:
            now_s: monotonic seconds.
            speed: the battery's time per clock time.

        Returns:
            W; infinite when it is too late, None when no departure is known.
        """
        if self.departs_at is None:
            return None
        left_h = max(0.0, self.departs_at - now_s) * speed / 3600
        needed_wh = self.wants_wh / self.efficiency
        return 0.0 if needed_wh == 0 else needed_wh / left_h if left_h > 0 else math.inf

    def seconds_until_full(self, power_w: float) -> float:
        """Return how long ``power_w`` at the inlet takes to reach the target; infinite for none."""
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
        For AC power is exactly current x voltage x phases, floored to whole W. The voltage is
        that at the outlet: it sags with an AC current, and is above the battery's by what a DC
        cable takes.

    >>> draw(Vehicle(onboard_a=16), Supply(), 10.0)
    Draw(power_w=6900, current_a=10.0, phases=3, voltage_v=230)
    >>> draw(Vehicle(), Supply(), 5.9).power_w
    0
    """
    if supply.current_type == "DC":
        power = int(max(0.0, min(offer, supply.max_w, vehicle.acceptance_w)))
        volts = outlet_voltage_dc(supply, power, vehicle.pack_voltage_v)
        amps = round(power / volts, 1)
        return Draw(power_w=power, current_a=amps, phases=1 if power else 0, voltage_v=volts)
    volts = supply.voltage_v
    used = max(1, min(supply.phases, vehicle.onboard_phases, phases or supply.phases))
    offered = min(offer, supply.max_a)
    if offered + 1e-9 < max(MINIMUM_AC_A, vehicle.minimum_a) or vehicle.is_full:
        return Draw(voltage_v=volts)
    amps = min(offered, vehicle.onboard_a, vehicle.acceptance_w / (volts * used))
    tenths = math.floor(amps * 10 + 1e-6)
    if tenths <= 0:
        return Draw(voltage_v=volts)
    volts = outlet_voltage_ac(supply, tenths / 10)
    power = tenths * volts * used // 10
    return Draw(power_w=power, current_a=tenths / 10, phases=used, voltage_v=volts)
