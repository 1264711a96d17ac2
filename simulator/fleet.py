"""Many charge points at once, with vehicles that arrive, charge and leave.

Each charge point has its own seeded source of chance, so a fleet plays the same arrivals whatever
the order in which tasks run. ``speed`` makes stays shorter and batteries fill faster; meters,
timestamps and protocol times stay real.
"""

import asyncio
import math
import random
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.arrivals import choose_arrival
from simulator.charge_point import ChargePointSimulator
from simulator.clock import Clock, RealClock
from simulator.connector import Connector
from simulator.events import Event, EventHook
from simulator.flash import Flash
from simulator.fleet_file import FleetPlan, Group
from simulator.kinds import SHORT_CIRCUIT_ERROR
from simulator.ledger import Ledger
from simulator.settings import StationSettings

CONNECTS_PER_S = 200.0
"""How fast a fleet comes up; a real one does not connect in one instant either."""

FIRST_ARRIVALS_S = 6.0
"""Vehicles' time within which those that are there at the start plug in."""

HESITATION_S = (0.5, 2.0)
"""How long a driver takes from the cable to the tag, in the vehicles' time."""

LOOKS_S = 60.0
"""How often, in the vehicles' time, a driver looks whether the vehicle is full."""

SHORT_BY_PERCENT = 0.1
"""Vehicles that miss their target by less have not left short of it."""

SHORTED_S = 30.0
"""How long, in the vehicles' time, a shorted vehicle stays in its port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A charge point, its group, and its number in the group from 0."""

    station: ChargePointSimulator
    group: Group
    number: int

    def begins_taken(self, connector_id: int) -> bool:
        """Whether a vehicle is there from the start: an even share, the first one too."""
        before = self.number * self.group.connectors + connector_id - 1
        share = self.group.vehicles.atStart
        return math.ceil((before + 1) * share) > math.ceil(before * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSummary:
    """Counts over the whole fleet at a moment; ``power_w`` is what flows.

    Attributes:
        left_short: vehicles that had to leave before they reached their target.
        metered_wh: what all meters have counted.
        grid_wh: what that took from the grid, with the chargers' losses.
        cable_wh: what of it was lost in cables.
        accepted: charge points that the central system has accepted at least once.
    """

    stations: int
    online: int
    charging: int
    power_w: int
    started: int
    stopped: int
    waiting_messages: int
    problems: int
    left_short: int
    metered_wh: int
    grid_wh: int
    cable_wh: int
    accepted: int

    def as_json(self) -> dict[str, int]:
        """Return the counts, JSON-ready."""
        return {
            "chargePoints": self.stations,
            "accepted": self.accepted,
            "online": self.online,
            "charging": self.charging,
            "powerW": self.power_w,
            "started": self.started,
            "stopped": self.stopped,
            "waitingMessages": self.waiting_messages,
            "leftShort": self.left_short,
            "meteredWh": self.metered_wh,
            "gridWh": self.grid_wh,
            "cableWh": self.cable_wh,
        }

    @property
    def energy_text(self) -> str:
        """Where the energy has gone, in words."""
        lost = f", {_energy(self.cable_wh)} lost in cables" if self.cable_wh else ""
        return f"{_energy(self.metered_wh)} metered, {_energy(self.grid_wh)} from the grid{lost}"

    def __str__(self) -> str:
        told = (
            f"{self.online}/{self.stations} online, {self.charging} charging, "
            f"{self.power_w / 1000:.1f} kW, {self.started} started, {self.stopped} stopped"
        )
        rare = {
            "waiting": self.waiting_messages,
            "problem" if self.problems == 1 else "problems": self.problems,
            "left short": self.left_short,
        }
        return told + "".join(f", {count} {what}" for what, count in rare.items() if count)


def _energy(watt_hours: int) -> str:
    """Return an energy in words.

    >>> _energy(999), _energy(12_345)
    ('999 Wh', '12.3 kWh')
    """
    return f"{watt_hours} Wh" if watt_hours < 1000 else f"{watt_hours / 1000:.1f} kWh"


class Fleet:
    """Charge points of a plan and the drivers who come to them.

    Args:
        plan: what there is.
        url: the central system's endpoint.
        speed: how many times faster vehicles live, 1 or more.
        clock: everybody's time.
        tls: how the central system's certificate is checked (None: by the system's store).
        on_event: told everything that happens to any charge point.
        flash: where the charge points keep what outlives a power cut (None: nowhere).
        changes: fields of ``StationSettings`` that all charge points have otherwise.
    """

    def __init__(
        self,
        plan: FleetPlan,
        url: str,
        *,
        speed: float = 1.0,
        clock: Clock | None = None,
        tls: ssl.SSLContext | None = None,
        on_event: EventHook | None = None,
        flash: Flash | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        self.ledger = Ledger()
        self._changes = changes or {}
        self.clock: Clock = clock or RealClock()
        self._plan = plan
        self._speed = speed
        self._tls = tls
        self._on_event = on_event
        self._counts: Counter[str] = Counter()
        self._accepted: set[str] = set()
        self._stop_asked = asyncio.Event()
        self.stations: list[ChargePointSimulator] = []
        self._places: list[_Place] = []
        for group in plan.groups:
            for number, name in enumerate(group.names):
                station = ChargePointSimulator(
                    self._settings(group, name, url),
                    clock=self.clock,
                    ledger=self.ledger,
                    on_event=self._watch,
                    memory=flash.of(name) if flash is not None else None,
                )
                self.stations.append(station)
                self._places.append(_Place(station=station, group=group, number=number))

    def _settings(self, group: Group, name: str, url: str) -> StationSettings:
        settings = StationSettings(
            identity=name,
            url=url,
            connectors=group.connectors,
            supply=group.supply,
            password=group.password,
            model=f"SIM-{group.currentType}",
            serial_number=name[:25],
            meter_interval_s=group.meterIntervalS,
            speed=self._speed,
            tls=self._tls,
            configuration=group.configuration,
            budget_w=group.budgetW,
            ambient_c=group.ambientC,
            oddities=group.oddities,
            security_profile=group.securityProfile,
            secure_url=group.secureUrl,
            identity_files=group.identity_files(name) if group.certificatesDir else None,
            central_roots=group.central_roots,
            makers=group.makers,
            security_events=group.securityEvents,
            main_meter=group.mainMeter,
            fixed_cable=group.fixedCable,
            ramp_s=group.rampS,
        )
        return replace(settings, **self._changes)

    def _watch(self, event: Event) -> None:
        self._counts[event.name] += 1
        if event.name == "registered" and event.data["status"] == "Accepted":
            self._accepted.add(event.charge_point)
        if self._on_event is not None:
            self._on_event(event)

    @property
    def summary(self) -> FleetSummary:
        """Counts at this moment; a problem is a call that was refused or a message given up."""
        connectors = [
            session.connector for station in self.stations for session in station.sessions.values()
        ]
        return FleetSummary(
            stations=len(self.stations),
            online=sum(station.link.is_registered for station in self.stations),
            charging=sum(connector.flow.power_w > 0 for connector in connectors),
            power_w=sum(connector.flow.power_w for connector in connectors),
            started=self._counts["started"],
            stopped=self._counts["stopped"],
            waiting_messages=sum(len(station.queue) for station in self.stations),
            problems=self._counts["call_failed"] + self._counts["not_connected"],
            accepted=len(self._accepted),
            left_short=self._counts["left_short"],
            metered_wh=round(sum(connector.account.metered for connector in connectors) / 3600),
            grid_wh=round(sum(connector.account.grid for connector in connectors) / 3600),
            cable_wh=round(sum(connector.account.cable for connector in connectors) / 3600),
        )

    async def run(self, duration_s: float | None = None) -> None:
        """Play until ``stop`` or for ``duration_s`` seconds; then unplug all and leave in order.

        Cancellation: leaves at once; the ledger says what was acknowledged.
        """
        async with asyncio.TaskGroup() as tasks:
            for order, place in enumerate(self._places):
                delay = order / CONNECTS_PER_S
                tasks.create_task(self._play(place, delay), name=place.station.identity)
            await self.clock.wait(self._stop_asked, duration_s)
            self._stop_asked.set()

    def stop(self) -> None:
        """Ask ``run`` to end in order."""
        self._stop_asked.set()

    async def _play(self, place: "_Place", delay: float) -> None:
        """Run one charge point and its drivers until the fleet stops."""
        if await self.clock.wait(self._stop_asked, delay):
            return
        station = place.station
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(station.run(), name=f"{station.identity} run")
            drivers = [tasks.create_task(self._drive(place, number)) for number in station.sessions]
            await self.clock.wait(self._stop_asked, None)
            for driver in drivers:
                driver.cancel()
            station.stop()

    async def _drive(self, place: "_Place", number: int) -> None:
        """Have vehicles arrive at one connector, charge and leave, for ever."""
        station, mix = place.station, place.group.vehicles
        # Chance in a simulation, not a secret; one source a connector keeps runs alike.
        chance = random.Random(f"{self._plan.seed} {station.identity} {number}")  # noqa: S311
        first_stay = place.begins_taken(number)
        while True:
            if first_stay:
                await self._live(chance.uniform(0, FIRST_ARRIVALS_S))
            elif mix.arrivalsPerHour > 0:
                await self._live(3600 * chance.expovariate(mix.arrivalsPerHour))
            else:
                await self._live(math.inf)
            await station.until_registered()
            stay_s = 60 * chance.uniform(*mix.stayMinutes)
            if first_stay:
                # Who was there before the start is on average halfway through the stay.
                stay_s *= chance.random()
            await self._visit(place, number, chance, stay_s)
            first_stay = False

    async def _visit(
        self, place: "_Place", number: int, chance: random.Random, stay_s: float
    ) -> None:
        station, group = place.station, place.group
        id_tag = chance.choice(group.idTags)
        arrival = choose_arrival(group.vehicles, chance, group.currentType)
        hesitation = chance.uniform(*HESITATION_S)
        connector = station.sessions[number].connector
        if connector.status != "Available":
            return
        departs_at = self.clock.monotonic() + (hesitation + stay_s) / self._speed
        station.plug(number, replace(arrival.vehicle, departs_at=departs_at))
        await self._live(hesitation)
        if arrival.fault == "shorted":
            station.set_error(number, SHORT_CIRCUIT_ERROR)
            await self._live(SHORTED_S)
        else:
            if connector.transaction is None:
                await station.present_tag(number, id_tag)
            await self._stay(connector, departs_at, leaves_when_full=group.vehicles.leaveWhenFull)
        if connector.vehicle is not None:
            gone = station.unplug(number)
            if gone is not None and gone.soc + SHORT_BY_PERCENT < gone.target_soc:
                self._counts["left_short"] += 1
        if arrival.fault == "shorted":
            station.set_error(number, "NoError")

    async def _stay(
        self, connector: Connector, departs_at: float, *, leaves_when_full: bool
    ) -> None:
        """Wait for a vehicle's departure, or until it is full or somebody else has unplugged it."""
        while connector.vehicle is not None:
            left_s = (departs_at - self.clock.monotonic()) * self._speed
            if left_s <= 0 or (leaves_when_full and connector.vehicle.is_full):
                return
            await self._live(min(left_s, LOOKS_S) if leaves_when_full else left_s)

    async def _live(self, seconds: float) -> None:
        """Wait in the vehicles' time, which may run faster than the clock."""
        await self.clock.sleep(min(seconds / self._speed, 86_400.0))
