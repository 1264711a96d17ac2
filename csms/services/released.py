"""Charge points that have left their site: our limits are taken off them.

A limit that stays behind would hold a charger at what its former site could spare, for ever. It is
an operator's act that takes a station off its site, so clearing is not unasked; what cannot be
told now is told when the charge point is back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import structlog

from csms.aio import Hint
from csms.clock import Clock
from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.events import SiteChanged, StationConnected
from csms.domain.ids import ChargePointKey
from csms.domain.limit_messages import profile_id
from csms.errors import CallFailed
from csms.services.ports.bus import Bus
from csms.services.ports.gateway import Gateway

_log = structlog.get_logger(__name__)

_POLL_S = 30.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """A profile of ours on a charge point that stands on no site."""

    charge_point: ChargePointKey
    connector_id: int
    purpose: str


class ReleasedStore(Protocol):
    """Finds and forgets limits that were left behind."""

    async def left_behind(self) -> list[LeftBehind]:
        """Return limits of connected, accepted charge points without a site; a bounded number."""
        ...

    async def forget(self, limit: LeftBehind) -> None:
        """Remove the row, unless the charge point has got a site meanwhile."""
        ...


class Released:
    """Clears what is left behind, by hint or poll.

    Concurrency: one task runs `run`.
    """

    def __init__(self, store: ReleasedStore, gateway: Gateway, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._hint = Hint()
        bus.subscribe(SiteChanged, lambda _: self._hint.give())
        bus.subscribe(StationConnected, lambda _: self._hint.give())

    async def run(self) -> None:
        """Clear profiles as they are left behind, for ever."""
        while True:
            for limit in await self._store.left_behind():
                await self._clear(limit)
            await self._hint.taken(_POLL_S)
            await self._clock.sleep(_PAUSE_S)

    async def _clear(self, limit: LeftBehind) -> None:
        try:
            answer = await self._gateway.call(
                limit.charge_point,
                "ClearChargingProfile",
                {"id": profile_id(limit.connector_id, ProfilePurpose(limit.purpose))},
                message_id=str(uuid4()),
            )
        except CallFailed as error:
            _log.info("limit stays for now", charge_point_key=limit.charge_point, why=error.code)
            return
        if answer.error_code is not None:
            _log.warning(
                "limit cannot be cleared",
                charge_point_key=limit.charge_point,
                error_code=answer.error_code,
            )
        await self._store.forget(limit)
