"""Who comes: vehicles of a mix, chosen by chance."""

import random
from dataclasses import dataclass, replace

from simulator.fleet_file import VehicleMix
from simulator.kinds import KINDS, VehicleFault, with_fault
from simulator.vehicle import Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A vehicle that comes, and what is wrong with it."""

    vehicle: Vehicle
    fault: VehicleFault | None = None


def choose_arrival(mix: VehicleMix, chance: random.Random, current_type: str) -> Arrival:
    """Return a vehicle of the mix by chance, with a fault where the mix has some."""
    vehicle = choose_vehicle(mix, chance, current_type)
    # No chance is used up for what a mix does not have: older files play as they did.
    if not mix.faults or chance.random() >= mix.faultShare:
        return Arrival(vehicle=vehicle)
    fault = chance.choice(mix.faults)
    return Arrival(vehicle=with_fault(vehicle, fault), fault=fault)


def choose_vehicle(mix: VehicleMix, chance: random.Random, current_type: str) -> Vehicle:
    """Return a sound vehicle of the mix by chance."""
    battery_wh = round(chance.choice(mix.batteryKwh) * 1000)
    soc = chance.uniform(*mix.socPercent)
    target = max(soc, chance.uniform(*mix.targetSocPercent))
    vehicle = Vehicle(
        battery_wh=battery_wh,
        stored_wh=battery_wh * soc / 100,
        target_soc=target,
        onboard_a=chance.choice(mix.onboardA),
        onboard_phases=chance.choice(mix.onboardPhases),
        battery_max_w=round(chance.choice(mix.dcMaxKw) * 1000),
        pack_v=mix.packVoltageV,
        efficiency=0.9 if current_type == "AC" else 0.97,
        minimum_a=mix.minimumA,
    )
    if mix.kinds:
        kind = KINDS[chance.choice(mix.kinds)]
        size = chance.choice(kind.battery_wh)
        vehicle = replace(
            vehicle,
            battery_wh=size,
            stored_wh=size * soc / 100,
            battery_max_w=chance.choice(kind.charger_w),
            pack_v=kind.pack_v,
            knee_soc=kind.knee_soc,
            efficiency=kind.efficiency,
        )
    if mix.batteryC is not None:
        vehicle = replace(vehicle, battery_c=chance.uniform(*mix.batteryC))
    return vehicle
