"""One connector as a synchronous model: vehicle, power, and the state of OCPP 1.6 4.9.

No I/O and no clock: callers pass the time. The status is derived from the facts, never stored, so
that it cannot contradict them. Who drives the model over the network stands in
:mod:`simulator.session`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from simulator.meter import Meter
from simulator.physics import EnergyAccount, inlet_w
from simulator.profiles import Limit
from simulator.schedule import ChargingProfile
from simulator.supply import Supply, floor_tenth
from simulator.thermal import Thermal
from simulator.transactions import Transaction
from simulator.vehicle import MINIMUM_AC_A, Draw, Vehicle, draw

Status = Literal[
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
]

MAX_STEP_MS = 5_000
"""Longest time for which power is held constant while a battery tapers."""

MAX_BATTERY_STEP_MS = 60_000
"""The same, in the battery's time, which may run faster than the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An authorization that waits for its cable until monotonic ``until`` (None: it is in)."""

    id_tag: str
    until: float | None = None
    profile: ChargingProfile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A reservation of this connector, or (``of_any``) of whichever is free (OCPP 1.6 5.13)."""

    reservation_id: int
    id_tag: str
    expires_at: datetime
    parent_id_tag: str | None = None
    of_any: bool = False


@dataclass(slots=True, kw_only=True)
class Connector:
    """The facts of one connector.

    Attributes:
        speed: the battery's time per clock time, 1 or more.
        energised: whether the contactor is closed (a transaction runs and may have energy).
        finished: a transaction has ended and its vehicle is still plugged in.
        limit: what the charging profiles allow now; None: no limit but the rating.
        flow: what flows since the last ``advance``.
        bends: what oddities make of the offer, in order; each gets the connector and the offer.
        overdraw: how many times the offer the vehicle takes, 1 for a vehicle that obeys.
        is_stuck: the contactor does not open.
        is_locked: the vehicle has gone, its cable is still locked in the socket.
        clock_ms: monotonic time of the last ``advance``; None before the first.
    """

    connector_id: int
    supply: Supply
    meter: Meter = field(default_factory=Meter)
    speed: float = 1.0
    vehicle: Vehicle | None = None
    transaction: Transaction | None = None
    grant: Grant | None = None
    reservation: Reservation | None = None
    operative: bool = True
    error_code: str = "NoError"
    energised: bool = False
    finished: bool = False
    limit: Limit | None = None
    flow: Draw = field(default_factory=Draw)
    bends: list[Callable[["Connector", float], float]] = field(default_factory=list)
    overdraw: float = 1.0
    is_stuck: bool = False
    is_locked: bool = False
    thermal: Thermal = field(default_factory=Thermal)
    account: EnergyAccount = field(default_factory=EnergyAccount)
    clock_ms: int | None = None

    @property
    def offer(self) -> float:
        """What is offered to the vehicle in the supply's own unit (A per phase or W)."""
        rating = self.supply.max_a if self.supply.native_unit == "A" else float(self.supply.max_w)
        offer = rating if self.limit is None else min(rating, self.limit.value)
        for bend in self.bends:
            offer = bend(self, offer)
        return offer if self.thermal.share >= 1.0 else floor_tenth(offer * self.thermal.share)

    @property
    def is_suspended_by_station(self) -> bool:
        """Whether nothing is offered, or too little for any vehicle."""
        floor = MINIMUM_AC_A if self.supply.current_type == "AC" else 1.0
        closed = self.energised and self.error_code == "NoError"
        return not closed or self.offer + 1e-9 < floor

    @property
    def status(self) -> Status:
        """The state of OCPP 1.6 4.9 that the facts make."""
        if self.error_code != "NoError":
            return "Faulted"
        if self.transaction is not None:
            return self._status_in_transaction()
        if not self.operative:
            return "Unavailable"
        if self.is_locked:
            return "Finishing"
        if self.vehicle is not None:
            return "Finishing" if self.finished and self.grant is None else "Preparing"
        if self.grant is not None:
            return "Preparing"
        return "Reserved" if self.reservation is not None else "Available"

    def _status_in_transaction(self) -> Status:
        if not self.energised and self.transaction is not None:
            waiting = not self.transaction.start_acknowledged
            return "Preparing" if waiting else "SuspendedEVSE"
        if self.is_suspended_by_station:
            return "SuspendedEVSE"
        return "Charging" if self.flow.power_w > 0 else "SuspendedEV"

    def advance(self, now_s: float) -> None:
        """Let power flow up to ``now_s`` (monotonic seconds), then settle what flows from there on.

        The limit is taken as constant since the last call: callers advance before they change it.
        Within, power is constant in steps, and a step ends when the vehicle is full, so that energy
        is exactly power over time.
        """
        now_ms = int(now_s * 1000)
        remaining = max(0, now_ms - (now_ms if self.clock_ms is None else self.clock_ms))
        self.clock_ms = max(now_ms, self.clock_ms or now_ms)
        while remaining > 0:
            self.flow = self._settle()
            power = self.flow.power_w
            if self.vehicle is None or power == 0:
                self._rest(remaining)
                break
            arrives = inlet_w(self.flow, self.supply)
            full_ms = math.ceil(self.vehicle.seconds_until_full(arrives) * 1000 / self.speed)
            longest = max(1, int(min(MAX_STEP_MS, MAX_BATTERY_STEP_MS / self.speed)))
            step = min(remaining, longest, max(1, full_ms))
            self.meter.run(power, step)
            self.account.book(self.flow, self.supply, self.vehicle.efficiency, step / 1000)
            lived_s = step / 1000 * self.speed
            self.vehicle = self.vehicle.after(arrives, lived_s, self.thermal.ambient_c)
            self.thermal.pass_time(power, self.supply.max_w, lived_s)
            remaining -= step
        self.flow = self._settle()

    def _rest(self, milliseconds: int) -> None:
        """Let time pass without power: what is warm cools down."""
        lived_s = milliseconds / 1000 * self.speed
        self.thermal.pass_time(0.0, self.supply.max_w, lived_s)
        self.account.book(Draw(), self.supply, 1.0, milliseconds / 1000)
        if self.vehicle is not None and self.vehicle.battery_c is not None:
            self.vehicle = self.vehicle.after(0.0, lived_s, self.thermal.ambient_c)

    def _settle(self) -> Draw:
        closed = self.transaction is not None and not self.is_suspended_by_station
        if self.vehicle is None or not (closed or self.is_stuck):
            return Draw(voltage_v=self.supply.voltage_v)
        phases = self.limit.phases if self.limit is not None else None
        if closed and self.overdraw == 1.0:
            return draw(self.vehicle, self.supply, self.offer, phases)
        # A broken charger or a vehicle that disobeys is bound by the supply's fuse alone.
        wanted = max(self.offer, MINIMUM_AC_A) if closed else math.inf
        greedy = replace(
            self.vehicle,
            onboard_a=self.vehicle.onboard_a * self.overdraw,
            battery_max_w=round(self.vehicle.battery_max_w * self.overdraw),
        )
        fuse = replace(self.supply, max_w=round(self.supply.max_w * max(1.0, self.overdraw)))
        return draw(greedy, fuse, wanted * self.overdraw, phases)

    def seconds_until_change(self) -> float:
        """Return when the vehicle itself next changes what flows (full, or a step of its taper)."""
        if self.vehicle is None:
            return math.inf
        if self.flow.power_w == 0:
            # A battery that is too hot or too cold comes back by itself.
            waits = self.vehicle.battery_c is not None and not self.vehicle.is_full
            return MAX_STEP_MS / 1000 if waits and self.energised else math.inf
        # Also for the temperature, which derates in steps of MAX_STEP_MS.
        full = self.vehicle.seconds_until_full(inlet_w(self.flow, self.supply)) / self.speed
        return max(0.001, min(full, MAX_STEP_MS / 1000, MAX_BATTERY_STEP_MS / 1000 / self.speed))
