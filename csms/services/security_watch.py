"""What nobody asks for: certificates that end soon, upgrades that do not come.

Certificates of profile-3 stations are renewed by asking the station to ask for a new one
(whitepaper A03 leaves that to the station too); quiet stations are only reported.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from csms.clock import Clock
from csms.domain.security_events import CERTIFICATE_ENDS, PROFILE_OVERDUE
from csms.errors import Refusal
from csms.services.commands import CommandService
from csms.services.ports.certificates import EndingCertificate
from csms.services.ports.store import UnitsOfWork
from csms.services.signing import server_event

_log = structlog.get_logger(__name__)

_EVERY_S = 60.0
_OVERDUE = timedelta(hours=24)
_MOST = 100
_ACTOR = "system"


class SecurityWatch:
    """Looks once a minute.

    Concurrency: one task a node runs `run`; each node cares for its own connections.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        commands: CommandService,
        clock: Clock,
        *,
        node: str,
        renewal: timedelta,
    ) -> None:
        """Put the parts together.

        Args:
            units: The store.
            commands: Sends calls.
            clock: Time.
            node: Of this process.
            renewal: How long before its end a certificate is renewed.
        """
        self._units = units
        self._commands = commands
        self._clock = clock
        self._node = node
        self._renewal = renewal

    async def run(self) -> None:
        """Look, for ever; first say what is open."""
        async with self._units() as unit:
            unproven = await unit.charge_points.count_unproven()
        if unproven:
            _log.warning(
                "stations of security profile 0 need not prove who they are", count=unproven
            )
        while True:
            await self.look()
            await self._clock.sleep(_EVERY_S)

    async def look(self) -> None:
        """See to what is due."""
        await self._report_overdue()
        now = self._clock.now()
        async with self._units() as unit:
            ending = await unit.certificates.ending(self._node, now + self._renewal, now)
        for each in ending:
            await self._renew(each)

    async def _renew(self, ending: EndingCertificate) -> None:
        now = self._clock.now()
        async with self._units() as unit:
            await unit.certificates.renewal_tried(ending.charge_point, now)
            station = await unit.charge_points.get(ending.identity)
            if station is None:
                return
            text = f"Certificate {ending.serial_number} ends at {ending.not_after:%Y-%m-%d}."
            since = ending.not_after - self._renewal  # each certificate is told of once
            event = server_event(station, CERTIFICATE_ENDS, text, since, now)
            await unit.security_events.append(event)
        if station.quiet:
            return
        payload = {"requestedMessage": "SignChargePointCertificate"}
        try:
            await self._commands.send(_ACTOR, ending.identity, "ExtendedTriggerMessage", payload)
        except Refusal as error:
            _log.info("a renewal waits", station=ending.identity, why=error.code)

    async def _report_overdue(self) -> None:
        now = self._clock.now()
        async with self._units() as unit:
            for station in await unit.charge_points.overdue_upgrades(now - _OVERDUE, _MOST):
                told_at = station.profile_told_at or now
                text = (
                    f"The station was told profile {station.pending_security_profile} and still "
                    f"comes with {station.security_profile}."
                )
                event = server_event(station, PROFILE_OVERDUE, text, told_at + _OVERDUE, now)
                if await unit.security_events.append(event):
                    _log.warning("profile upgrade overdue", station=station.identity)
