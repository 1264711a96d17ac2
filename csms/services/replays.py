"""As whom a recorded stretch of messages is played back: never as a station without saying so."""

from __future__ import annotations

from csms.domain.ids import REPLAY_PREFIX
from csms.errors import Conflict
from csms.services.audit import AuditTrail
from csms.services.ports.gateway import Gateway
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Station
from csms.services.stations import StationService

_LONGEST_BYTES = 255


def identity_of(station: str) -> str:
    """Return the identity that a station's messages are played under.

    >>> identity_of("CP1"), identity_of("REPLAY-CP1")
    ('REPLAY-CP1', 'REPLAY-CP1')
    """
    if station.startswith(REPLAY_PREFIX):
        return station
    return (REPLAY_PREFIX + station).encode()[:_LONGEST_BYTES].decode(errors="ignore")


class ReplayIdentities:
    """Finds the station that a replay plays, or makes it."""

    def __init__(
        self, units: UnitsOfWork, gateway: Gateway, stations: StationService, audit: AuditTrail
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._stations = stations
        self._audit = audit

    async def take(
        self, actor: str, recorded: Station, identity: str | None, *, take_over: bool
    ) -> str:
        """Return the identity to play under; there is a station of it from then on.

        One that is made is as strict as the recorded one, belongs to no site, gets no calls
        unasked, and is let in without a password.

        Args:
            actor: Who asks.
            recorded: Whose messages they are.
            identity: None: one of its own, see `identity_of`.
            take_over: Whether it may be a real station's.

        Raises:
            Conflict: `station_connected`, `station_exists`: it is another station's, and
                `take_over` was not said.
            Invalid: An unusable identity.
        """
        name = identity or identity_of(recorded.identity)
        async with self._units() as unit:
            known = await unit.charge_points.get(name)
        if known is not None and not take_over:
            if self._gateway.is_online(known.key):
                raise Conflict(
                    "station_connected",
                    f"{known.identity} is connected: a replay under its name would push it out.",
                )
            if not known.identity.startswith(REPLAY_PREFIX):
                raise Conflict(
                    "station_exists",
                    f"{known.identity} is a station: what is played under its name would stand"
                    " among its sessions.",
                )
        if known is None:
            values = {
                "name": f"Replay of {recorded.name}"[:_LONGEST_BYTES],
                "max_power_w": recorded.max_power_w,
                "current_type": recorded.current_type,
                "phases": recorded.phases,
                "voltage_v": recorded.voltage_v,
                "connector_count": recorded.connector_count,
                "strict": recorded.strict,
                "quiet": True,
            }
            name = (await self._stations.create(actor, name, values, None)).identity
        else:
            name = known.identity
        async with self._units() as unit:
            details = {"messagesOf": recorded.identity}
            await self._audit.note(unit, actor, "replay", "station", name, details)
        return name
