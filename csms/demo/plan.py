"""What the demo plays: sites, stations, id tags and the fleet file. Pure data.

The limits are low enough that cars have to share: each site has a bottleneck of another kind (a
circuit, the grid connection, the grid connection with a battery).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from csms.services.records import BatteryDraft, Circuit

_CIRCUIT_W = 43_470
"""63 A on three phases of 230 V."""

_DRIVERS_A_CONNECTOR = 4

_AC_STAYS: Mapping[str, Any] = {
    "arrivalsPerHour": 40,
    "atStart": 0.75,
    "stayMinutes": [2, 9],
    "batteryKwh": [28, 40, 58, 77],
    "onboardA": [16, 16, 32],
    "onboardPhases": [1, 3, 3, 3],
    "socPercent": [15, 79],
    "targetSocPercent": [80, 100],
}
_DC_STAYS: Mapping[str, Any] = {
    "arrivalsPerHour": 40,
    "atStart": 0.75,
    "stayMinutes": [2, 7],
    "batteryKwh": [58, 77, 100],
    "dcMaxKw": [75, 100, 150],
    "socPercent": [8, 60],
    "targetSocPercent": [75, 90],
}


_METRES_A_DEGREE = 111_320


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a site lies, in a town on a river; its stations stand on a grid of its own.

    Attributes:
        lat: Degrees north, of the corner that the grid begins at; `lon` degrees east.
        bearing: Degrees clockwise from north, of the rows.
    """

    lat: float
    lon: float
    bearing: float
    address: str

    def place(self, along_m: float, across_m: float) -> tuple[float, float]:
        """Return latitude and longitude of a spot, as far along and right of the rows.

        >>> Ground(lat=49.0, lon=12.0, bearing=0.0, address="").place(111.32, 0.0)
        (49.001, 12.0)
        """
        turn = math.radians(self.bearing)
        north = along_m * math.cos(turn) - across_m * math.sin(turn)
        east = along_m * math.sin(turn) + across_m * math.cos(turn)
        wide = _METRES_A_DEGREE * math.cos(math.radians(self.lat))
        return round(self.lat + north / _METRES_A_DEGREE, 7), round(self.lon + east / wide, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStation:
    """One simulated charge point.

    Attributes:
        max_power_w: Of the whole charge point, over all its connectors.
        along_m: Where it stands on its site's ground, see `Ground.place`; `across_m` alike.
    """

    identity: str
    name: str
    max_power_w: int
    along_m: float
    across_m: float
    circuit_id: str | None = None
    current_type: str = "AC"
    phases: int = 3
    connectors: int = 1
    connector_type: str = "Type 2"

    @property
    def id_tags(self) -> tuple[str, ...]:
        """The id tags of the drivers who come here, so many that most are elsewhere."""
        count = _DRIVERS_A_CONNECTOR * self.connectors
        return tuple(f"{self.identity}-{letter}" for letter in ascii_uppercase[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSite:
    """One site.

    Attributes:
        meter_interval_s: Between two MeterValues of a session.
        vehicles: As the fleet file describes them.
    """

    id: str
    name: str
    ground: Ground
    grid_limit_w: int
    stations: tuple[PlannedStation, ...]
    meter_interval_s: int
    vehicles: Mapping[str, Any]
    circuits: tuple[Circuit, ...] = ()
    batteries: tuple[BatteryDraft, ...] = ()


SITES = (
    PlannedSite(
        id="garage",
        name="Riverside garage",
        ground=Ground(lat=49.0204, lon=12.0943, bearing=78.0, address="Riverside 5"),
        grid_limit_w=100_000,
        circuits=(
            Circuit(id="east", parent_id=None, name="East wing, 63 A", limit_w=_CIRCUIT_W),
            Circuit(id="west", parent_id=None, name="West wing, 63 A", limit_w=_CIRCUIT_W),
        ),
        stations=tuple(
            PlannedStation(
                identity=f"GARAGE-{number:02}",
                name=f"Garage bay {number}",
                max_power_w=22_000,
                circuit_id="east" if number <= 6 else "west",
                along_m=2.7 * ((number - 1) % 6) + (22.0 if number <= 6 else 0.0),
                across_m=0.0 if number <= 6 else 16.5,
            )
            for number in range(1, 13)
        ),
        meter_interval_s=10,
        vehicles=_AC_STAYS,
    ),
    PlannedSite(
        id="depot",
        name="Delivery depot",
        ground=Ground(lat=49.0181, lon=12.1397, bearing=22.0, address="Harbour road 14"),
        grid_limit_w=60_000,
        stations=tuple(
            PlannedStation(
                identity=f"DEPOT-{number:02}",
                name=f"Depot gate {number}",
                max_power_w=11_000 if number <= 4 else 22_000,
                along_m=4.5 * (number - 1),
                across_m=0.0,
            )
            for number in range(1, 9)
        ),
        meter_interval_s=10,
        vehicles=_AC_STAYS,
    ),
    PlannedSite(
        id="park",
        name="Fast charging park",
        ground=Ground(lat=48.9893, lon=12.1152, bearing=135.0, address="Motorway exit 101"),
        grid_limit_w=250_000,
        batteries=(BatteryDraft(id="battery", capacity_wh=200_000, power_w=100_000),),
        stations=tuple(
            PlannedStation(
                identity=f"PARK-{number:02}",
                name=f"Fast charger {number}",
                max_power_w=150_000,
                along_m=9.0 * ((number - 1) % 2),
                across_m=14.0 * ((number - 1) // 2),
                current_type="DC",
                connectors=2,
                connector_type="CCS 2",
            )
            for number in range(1, 5)
        ),
        meter_interval_s=5,
        vehicles=_DC_STAYS,
    ),
)


def stations_of(sites: tuple[PlannedSite, ...] = SITES) -> dict[str, PlannedStation]:
    """Return all stations by identity."""
    return {station.identity: station for site in sites for station in site.stations}


def fleet_document(seed: int, sites: tuple[PlannedSite, ...] = SITES) -> dict[str, Any]:
    """Return the simulator's fleet file as JSON-ready data, one group a station.

    Args:
        seed: Another one plays other arrivals.
        sites: What to play.
    """
    groups = [
        {
            "identities": [station.identity],
            "currentType": station.current_type,
            "phases": station.phases,
            "maxKw": station.max_power_w / 1000,
            "connectors": station.connectors,
            "idTags": list(station.id_tags),
            "meterIntervalS": site.meter_interval_s,
            "vehicles": dict(site.vehicles),
        }
        for site in sites
        for station in site.stations
    ]
    return {"seed": seed, "groups": groups}
