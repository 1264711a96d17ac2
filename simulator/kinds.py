"""Kinds of small vehicles with their chargers, and what may be wrong with a vehicle.

Typical figures of the trade: packs of 10, 13 and 20 cells in series, chargers of 2 to 10 A. A small
vehicle takes what its own charger gives, so ``charger_w`` is what it asks of a port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from simulator.vehicle import Vehicle

KindName = Literal["e-bike", "cargo-bike", "scooter", "moped", "board"]
VehicleFault = Literal["bms-cutoff", "deep-discharged", "hot-pack", "worn", "shorted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of small vehicle.

    Attributes:
        battery_wh: sizes on the market; one is chosen.
        charger_w: its chargers; one is chosen.
        pack_v: battery voltage at half charge.
        knee_soc: percent up to which the charger gives constant current.
        efficiency: of charger and battery together.
    """

    battery_wh: tuple[int, ...]
    charger_w: tuple[int, ...]
    pack_v: int
    knee_soc: float = 85.0
    efficiency: float = 0.88


KINDS: Mapping[KindName, Kind] = {
    "e-bike": Kind(battery_wh=(400, 500, 625, 750), charger_w=(84, 144, 168), pack_v=36),
    "cargo-bike": Kind(battery_wh=(725, 1000, 1450), charger_w=(168, 240), pack_v=48),
    "scooter": Kind(battery_wh=(280, 360, 550), charger_w=(71, 84, 126), pack_v=36),
    "moped": Kind(battery_wh=(1800, 2700), charger_w=(400, 600), pack_v=72),
    "board": Kind(battery_wh=(200, 350, 500), charger_w=(84, 126, 200), pack_v=43),
}

HOT_C = 58.0
"""A pack that has stood in the sun after a ride."""

SHORT_CIRCUIT_ERROR = "OverCurrentFailure"
"""What the port reports while a shorted vehicle is plugged in."""


def with_fault(vehicle: Vehicle, fault: VehicleFault) -> Vehicle:
    """Return the vehicle with something wrong; ``shorted`` is seen by the port, not by it.

    >>> with_fault(Vehicle(stored_wh=30_000), "bms-cutoff").cutoff_soc
    60.0
    """
    match fault:
        case "bms-cutoff":
            # One weak cell reaches its limit long before the others.
            return replace(vehicle, cutoff_soc=min(100.0, vehicle.soc + 10.0))
        case "deep-discharged":
            stored = min(vehicle.stored_wh, vehicle.battery_wh * 0.02)
            return replace(vehicle, stored_wh=stored, precharge_soc=10.0)
        case "hot-pack":
            return replace(vehicle, battery_c=HOT_C)
        case "worn":
            size = max(1, round(vehicle.battery_wh * 0.6))
            stored = min(vehicle.stored_wh * 0.6, float(size))
            return replace(vehicle, battery_wh=size, stored_wh=stored, knee_soc=50.0)
        case "shorted":
            return vehicle
