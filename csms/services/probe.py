"""Finding out how a charge point wants its limits told, by asking and by trying.

What is tried is harmless: its own fallback share, told again in one way after the other, its
maximum as a static cap, where a session runs the limit that it has already, and currents below
these, to find out which it takes. One that has refused its share so far counts in full, whatever it
takes now. The control loop tells it everything anew afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from csms.clock import Clock
from csms.domain.charging_profiles import (
    Payload,
    ProfileKind,
    ProfilePurpose,
    RateLimit,
    RateUnit,
    charge_point_max_profile,
    tx_default_profile,
    tx_profile,
)
from csms.domain.limit_messages import profile_id
from csms.domain.units import amperes
from csms.errors import CallFailed, Conflict
from csms.services.commands import CommandService
from csms.services.dialects import DialectService
from csms.services.ports.site_rules import SessionLimit
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Station
from csms.services.station_state import existing_station

_KEYS = (
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "MeterValuesSampledDataMaxLength",
    "ConnectorPhaseRotation",
)
_USUAL = (ProfilePurpose.TX_DEFAULT, ProfilePurpose.TX)
_LEAST_A, _HALF_A = Decimal(6), Decimal("0.5")
_WAYS = (
    (RateUnit.AMPERES, ProfileKind.ABSOLUTE),
    (RateUnit.WATTS, ProfileKind.ABSOLUTE),
    (RateUnit.AMPERES, ProfileKind.RELATIVE),
    (RateUnit.WATTS, ProfileKind.RELATIVE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One question and what came back: outcome of the call and, where it has one, its status."""

    what: str
    outcome: str
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """All trials in order, and the traits learned from them, by name."""

    trials: tuple[Trial, ...]
    learned: Mapping[str, Any]


class Probe:
    """Tries what a charge point takes."""

    def __init__(
        self,
        units: UnitsOfWork,
        commands: CommandService,
        dialects: DialectService,
        clock: Clock,
    ) -> None:
        self._units = units
        self._commands = commands
        self._dialects = dialects
        self._clock = clock

    async def probe(self, actor: str, identity: str) -> Probed:
        """Ask and try, keep what was learned, and return it.

        Raises:
            NotFound: No such station.
            Conflict: `no_fallback_share`: it stands on no site, or has no share yet.
            CallFailed: It is offline, or does not answer.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            share_w = await unit.site_rules.fallback_share_w(station.key)
            running = await unit.site_rules.session_limit(station.key)
        if share_w is None:
            raise Conflict(
                "no_fallback_share",
                "The station has no fallback share yet: put it on a site and connect it.",
            )
        _, holds = await self._dialects.of_station(identity)
        takes_a = holds.traits.allowed_a or ()
        purposes = {ProfilePurpose.TX_DEFAULT, *(holds.traits.profile_purposes or _USUAL)}
        trials = [await self._tried(actor, identity, "GetConfiguration", {"key": list(_KEYS)})]
        learned: dict[str, Any] = {}
        ways = [way for way in _WAYS if station.current_type == "AC" or way[0] is RateUnit.WATTS]
        for unit_of, kind in ways:
            what = f"{unit_of.value}, {kind.value}"
            limit = _limit(station, share_w, unit_of, takes_a)
            trial = await self._share_tried(actor, identity, limit, kind, what)
            trials.append(trial)
            if trial.status == "Accepted":
                learned = {"rate_units": [unit_of.value], "profile_kinds": [kind.value]}
                break
        if learned and station.max_power_w is not None:
            payload = charge_point_max_profile(
                limit=_maximum(station, RateUnit(learned["rate_units"][0])),
                profile_id=profile_id(0, ProfilePurpose.CHARGE_POINT_MAX),
            )
            cap = ProfilePurpose.CHARGE_POINT_MAX.value
            trials.append(await self._tried(actor, identity, "SetChargingProfile", payload, cap))
            if trials[-1].status == "Accepted":
                purposes.add(ProfilePurpose.CHARGE_POINT_MAX)
            else:
                purposes.discard(ProfilePurpose.CHARGE_POINT_MAX)
        if learned and running is not None:
            limit = _limit(station, running.limit_w, RateUnit(learned["rate_units"][0]), takes_a)
            trials.append(await self._session_tried(actor, identity, running, limit, learned))
            if trials[-1].status == "Accepted":
                purposes.add(ProfilePurpose.TX)
            else:
                purposes.discard(ProfilePurpose.TX)
        if learned:
            learned["profile_purposes"] = [
                each.value for each in ProfilePurpose if each in purposes
            ]
        if learned.get("rate_units") == [RateUnit.AMPERES.value] and not takes_a:
            more, allowed_a = await self._currents(
                actor, identity, station, share_w, running, learned
            )
            trials += more
            learned |= {"allowed_a": allowed_a} if allowed_a else {}
        if learned:
            await self._dialects.learn(station.key, learned)
        return Probed(trials=tuple(trials), learned=learned)

    async def _share_tried(
        self, actor: str, identity: str, limit: RateLimit, kind: ProfileKind, what: str
    ) -> Trial:
        """Tell a fallback share."""
        payload = tx_default_profile(
            connector_id=0,
            limit=limit,
            now=self._clock.now(),
            profile_id=profile_id(0),
            kind=kind,
        )
        return await self._tried(actor, identity, "SetChargingProfile", payload, what)

    async def _session_tried(
        self,
        actor: str,
        identity: str,
        running: SessionLimit,
        limit: RateLimit,
        way: Mapping[str, Any],
        what: str = ProfilePurpose.TX.value,
    ) -> Trial:
        """Tell a running session a limit, as a TxProfile."""
        payload = tx_profile(
            connector_id=running.connector_id,
            transaction_id=running.transaction_id,
            limit=limit,
            now=self._clock.now(),
            profile_id=profile_id(running.connector_id),
            stack_level=0,
            kind=ProfileKind(way["profile_kinds"][0]),
        )
        return await self._tried(actor, identity, "SetChargingProfile", payload, what)

    async def _currents(
        self,
        actor: str,
        identity: str,
        station: Station,
        share_w: int,
        running: SessionLimit | None,
        way: Mapping[str, Any],
    ) -> tuple[Sequence[Trial], Sequence[int]]:
        """Try currents below those that hold: their trials, and the only ones that it takes.

        The latter are [] where it takes any, or where that cannot be told: nothing above what holds
        is tried.
        """
        kind = ProfileKind(way["profile_kinds"][0])
        takes_sessions = ProfilePurpose.TX.value in way["profile_purposes"]
        top = _limit(station, share_w, RateUnit.AMPERES).value
        session = running if top <= _LEAST_A and takes_sessions else None
        if session is not None:
            top = _limit(station, session.limit_w, RateUnit.AMPERES).value

        async def tell(current: Decimal) -> Trial:
            limit, what = RateLimit(unit=RateUnit.AMPERES, value=current), f"{current} A"
            if session is None:
                return await self._share_tried(actor, identity, limit, kind, what)
            return await self._session_tried(actor, identity, session, limit, way, what)

        most = _limit(station, station.max_power_w or 0, RateUnit.AMPERES).value
        return await _only_currents(tell, top, most)

    async def _tried(
        self, actor: str, identity: str, action: str, payload: Payload, what: str | None = None
    ) -> Trial:
        try:
            call = await self._commands.send(actor, identity, action, payload)
        except CallFailed as error:
            if error.code in {"station_offline", "call_timeout", "connection_lost"}:
                raise
            return Trial(what=what or action, outcome=error.code, status=None)
        status = call.status if call.error_code is None else call.error_code
        return Trial(what=what or action, outcome=str(call.outcome), status=status)


async def _only_currents(
    tell: Callable[[Decimal], Awaitable[Trial]], top: Decimal, most: Decimal
) -> tuple[Sequence[Trial], Sequence[int]]:
    """Return the trials of currents below one that it takes, and the only ones that it takes.

    Args:
        tell: Tries a current.
        top: A whole one that it takes and may draw now.
        most: The most that it draws at all, whole.
    """
    if top <= _LEAST_A:
        return [], []
    trials = [await tell(top - _HALF_A)]
    if trials[-1].status != "Rejected":
        return trials, []
    trials.append(await tell(top))
    if trials[-1].status != "Accepted":
        return trials, []  # it was not the current: it takes nothing so soon after another
    trials.append(await tell(top - 1))
    if trials[-1].status == "Accepted":
        return trials, [*range(int(_LEAST_A), int(most) + 1)]
    if top < most:
        return trials, []
    found = [int(top)]
    for current in range(int(top) - 2, int(_LEAST_A) - 1, -1):
        trials.append(await tell(Decimal(current)))
        if trials[-1].status == "Accepted":
            found.append(current)
    return trials, found[::-1]


def _limit(
    station: Station, power_w: int, unit: RateUnit, takes_a: Sequence[Decimal] = ()
) -> RateLimit:
    """Return a limit that is told for a trial: whole A, or one of those that it takes."""
    if unit is RateUnit.WATTS:
        return RateLimit(unit=unit, value=Decimal(power_w))
    current = amperes(power_w, phases=station.phases, voltage_v=station.voltage_v)
    fits = [each for each in takes_a if each <= current]
    told = (fits[-1] if fits else Decimal(0)) if takes_a else Decimal(int(current))
    return RateLimit(unit=unit, value=told)


def _maximum(station: Station, unit: RateUnit) -> RateLimit:
    """Return what it draws at most."""
    most_w = station.max_power_w or 0
    if unit is RateUnit.WATTS:
        return RateLimit(unit=unit, value=Decimal(most_w))
    current = amperes(most_w, phases=station.phases, voltage_v=station.voltage_v)
    return RateLimit(unit=unit, value=current)
