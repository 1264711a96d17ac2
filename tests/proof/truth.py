"""Charge points as they really are: what they enforce follows from the messages they have taken.

Nothing here imports the control loop. A charge point keeps profiles by purpose, stack level and
connector as OCPP 1.6 says, takes its time to follow, and its clock may be a little off. What flows
at most is computed from that alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

VOLT = 230


@dataclass(frozen=True)
class Installed:
    connector: int
    purpose: str
    level: int
    number: int
    transaction: int | None
    limit_w: int
    start: datetime | None
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        """By the charge point's own clock."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


@dataclass
class Connector:
    """`wants_w` is what its car would take now, `car_w` the most that it ever takes.

    `car_phases`: how many of the charger's phases the car uses, the first ones; None: all.
    """

    transaction: int | None = None
    server_id: int | None = None  # once StartTransaction was answered
    car_w: int = 0
    wants_w: int = 0
    car_phases: int | None = None
    known_w: float = 0.0  # in force when last looked at
    fading: list[tuple[int, datetime]] = field(default_factory=list)


@dataclass
class TrueCharger:
    number: int
    max_w: int
    phases: int
    connectors: dict[int, Connector]
    follows_s: float  # from the acceptance until it works
    clock_off: timedelta
    reads_back: bool = True
    refuses: frozenset[str] = frozenset()  # units, kinds and purposes of profiles
    allowed_a: tuple[int, ...] = ()  # it refuses others
    zero_stops: bool = False  # a limit of 0 ends the transaction
    profiles: list[Installed] = field(default_factory=list)

    def install(self, payload: dict[str, Any], now: datetime) -> None:
        """Take a SetChargingProfile."""
        before = self._enforced(now)
        profile = payload["csChargingProfiles"]
        schedule = profile["chargingSchedule"]
        (period,) = schedule["chargingSchedulePeriod"]
        unit_w = 1 if schedule["chargingRateUnit"] == "W" else self.phases * VOLT
        start = _time(schedule.get("startSchedule"))
        duration = schedule.get("duration")
        # a schedule without a start begins with its transaction, some time before now
        end = None if duration is None else (start or now) + timedelta(seconds=duration)
        new = Installed(
            connector=payload["connectorId"],
            purpose=profile["chargingProfilePurpose"],
            level=profile["stackLevel"],
            number=profile["chargingProfileId"],
            transaction=profile.get("transactionId"),
            limit_w=round(period["limit"] * unit_w),
            start=start,
            end=end,
        )
        self.profiles = [
            each
            for each in self.profiles
            if each.number != new.number
            and (each.connector, each.purpose, each.level)
            != (new.connector, new.purpose, new.level)
        ]
        self.profiles.append(new)
        self.fade(before, now)

    def takes(self, payload: dict[str, Any]) -> bool:
        """Whether it takes a SetChargingProfile; a TxProfile needs its transaction (3.13.2)."""
        profile = payload["csChargingProfiles"]
        schedule = profile["chargingSchedule"]
        (period,) = schedule["chargingSchedulePeriod"]
        is_step = period["limit"] in (0, *self.allowed_a) or schedule["chargingRateUnit"] == "W"
        if self.allowed_a and not is_step:
            return False
        if self.refuses & {
            schedule["chargingRateUnit"],
            profile["chargingProfileKind"],
            profile["chargingProfilePurpose"],
        }:
            return False
        if profile["chargingProfilePurpose"] != "TxProfile":
            return True
        connector = self.connectors.get(payload["connectorId"])
        return connector is not None and (
            connector.transaction is not None
            and connector.server_id == profile.get("transactionId")
        )

    def composite_w(self, number: int, now: datetime) -> int | None:
        """What a GetCompositeSchedule would tell; None: no limit."""
        connector = self.connectors[number]
        at = now + self.clock_off
        own = [
            each
            for each in self.profiles
            if each.purpose == "TxProfile"
            and each.connector == number
            and connector.transaction is not None
            and each.transaction == connector.server_id
            and each.holds(at)
        ]
        if not own:
            return self._default_w(number, at)
        return min([max(own, key=lambda each: each.level).limit_w, *self._caps_w(at)])

    def next_w(self, number: int, now: datetime) -> int:
        """What the next car at a connector may start with."""
        default = self._default_w(number, now + self.clock_off)
        return self.max_w if default is None else default

    def _default_w(self, number: int, at: datetime) -> int | None:
        default = [
            each
            for each in self.profiles
            if each.purpose == "TxDefaultProfile"
            and each.connector in (0, number)
            and each.holds(at)
        ]
        limits = self._caps_w(at)
        if default:
            limits.append(max(default, key=lambda each: (each.connector, each.level)).limit_w)
        return min(limits, default=None)

    def _caps_w(self, at: datetime) -> list[int]:
        return [
            each.limit_w
            for each in self.profiles
            if each.purpose == "ChargePointMaxProfile" and each.holds(at)
        ]

    def in_force_w(self, number: int, now: datetime) -> int:
        """The highest limit that works now: what was taken, or what still works for a moment."""
        connector = self.connectors[number]
        composite = self.composite_w(number, now)
        limit = self.max_w if composite is None else composite
        connector.fading = [(w, until) for w, until in connector.fading if until > now]
        return max([limit, *(w for w, _ in connector.fading)])

    def most_w(self, now: datetime) -> float:
        """The most that it may draw at this instant, whatever its cars want at it."""
        total = 0.0
        for number, connector in self.connectors.items():
            if connector.transaction is not None:
                total += self._taken_w(connector, self.in_force_w(number, now), connector.car_w)
        return min(self.max_w, total)

    def most_a(self, now: datetime) -> list[float]:
        """The same on each of its own phases."""
        currents = [0.0] * self.phases
        for number, connector in self.connectors.items():
            if connector.transaction is None:
                continue
            used = self._used(connector)
            taken = self._taken_w(connector, self.in_force_w(number, now), connector.car_w)
            for phase in range(used):
                currents[phase] += taken / used / VOLT
        return [min(current, self.max_w / self.phases / VOLT) for current in currents]

    def draw_w(self, number: int, now: datetime) -> int:
        """What a meter shows."""
        connector = self.connectors[number]
        if connector.transaction is None:
            return 0
        return int(self._taken_w(connector, self.in_force_w(number, now), connector.wants_w))

    def draw_ma(self, number: int, now: datetime) -> tuple[int, int, int]:
        """What a meter shows of each phase."""
        used = self._used(self.connectors[number])
        current = round(1000 * self.draw_w(number, now) / used / VOLT)
        first, second, third = (current if phase < used else 0 for phase in range(3))
        return first, second, third

    def _used(self, connector: Connector) -> int:
        return min(self.phases, connector.car_phases or self.phases)

    def _taken_w(self, connector: Connector, limit_w: float, most_w: float) -> float:
        """A limit is a current on each phase: who uses fewer phases takes less of it."""
        return min(limit_w * self._used(connector) / self.phases, most_w)

    def fade(self, before: dict[int, int], now: datetime) -> None:
        """Let what was enforced before work on for as long as this charge point takes."""
        until = now + timedelta(seconds=self.follows_s)
        for number, limit in before.items():
            if self.connectors[number].transaction is not None:
                self.connectors[number].fading.append((limit, until))

    def _enforced(self, now: datetime) -> dict[int, int]:
        found = {}
        for number in self.connectors:
            composite = self.composite_w(number, now)
            found[number] = self.max_w if composite is None else composite
        return found


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
