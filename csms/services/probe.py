"""Finding out how a charge point wants its limits told, by asking and by trying.

What is tried is harmless: its own fallback share, told again in one way after the other, its
maximum as a static cap, and where a session runs the limit that it has already. The control loop
tells it everything anew afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
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
            Conflict: `no_fallback_share`: it stands on no site, or was not told its share yet.
            CallFailed: It is offline, or does not answer.
        """
        async with self._units() as unit:
            station = await existing_station(unit, identity)
            share_w = await unit.site_rules.fallback_share_w(station.key)
            running = await unit.site_rules.session_limit(station.key)
        if share_w is None:
            raise Conflict(
                "no_fallback_share",
                "The station has taken no fallback share yet: put it on a site and connect it.",
            )
        _, holds = await self._dialects.of_station(identity)
        purposes = {ProfilePurpose.TX_DEFAULT, *(holds.traits.profile_purposes or _USUAL)}
        trials = [await self._tried(actor, identity, "GetConfiguration", {"key": list(_KEYS)})]
        learned: dict[str, Any] = {}
        now = self._clock.now()
        ways = [way for way in _WAYS if station.current_type == "AC" or way[0] is RateUnit.WATTS]
        for unit_of, kind in ways:
            payload = tx_default_profile(
                connector_id=0,
                limit=_limit(station, share_w, unit_of),
                now=now,
                profile_id=profile_id(0),
                kind=kind,
            )
            trial = await self._tried(
                actor, identity, "SetChargingProfile", payload, f"{unit_of.value}, {kind.value}"
            )
            trials.append(trial)
            if trial.status == "Accepted":
                learned = {"rate_units": [unit_of.value], "profile_kinds": [kind.value]}
                break
        if learned and station.max_power_w is not None:
            payload = charge_point_max_profile(
                limit=_limit(station, station.max_power_w, RateUnit(learned["rate_units"][0])),
                profile_id=profile_id(0, ProfilePurpose.CHARGE_POINT_MAX),
            )
            cap = ProfilePurpose.CHARGE_POINT_MAX.value
            trials.append(await self._tried(actor, identity, "SetChargingProfile", payload, cap))
            if trials[-1].status == "Accepted":
                purposes.add(ProfilePurpose.CHARGE_POINT_MAX)
            else:
                purposes.discard(ProfilePurpose.CHARGE_POINT_MAX)
        if learned and running is not None:
            trials.append(await self._session_tried(actor, identity, station, running, learned))
            if trials[-1].status == "Accepted":
                purposes.add(ProfilePurpose.TX)
            else:
                purposes.discard(ProfilePurpose.TX)
        if learned:
            learned["profile_purposes"] = [
                each.value for each in ProfilePurpose if each in purposes
            ]
        if learned:
            await self._dialects.learn(station.key, learned)
        return Probed(trials=tuple(trials), learned=learned)

    async def _session_tried(
        self,
        actor: str,
        identity: str,
        station: Station,
        running: SessionLimit,
        way: Mapping[str, Any],
    ) -> Trial:
        """Tell a running session the limit that it has, as a TxProfile."""
        payload = tx_profile(
            connector_id=running.connector_id,
            transaction_id=running.transaction_id,
            limit=_limit(station, running.limit_w, RateUnit(way["rate_units"][0])),
            now=self._clock.now(),
            profile_id=profile_id(running.connector_id),
            stack_level=0,
            kind=ProfileKind(way["profile_kinds"][0]),
        )
        what = ProfilePurpose.TX.value
        return await self._tried(actor, identity, "SetChargingProfile", payload, what)

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


def _limit(station: Station, power_w: int, unit: RateUnit) -> RateLimit:
    if unit is RateUnit.WATTS:
        return RateLimit(unit=unit, value=Decimal(power_w))
    current = amperes(power_w, phases=station.phases, voltage_v=station.voltage_v)
    return RateLimit(unit=unit, value=current)
