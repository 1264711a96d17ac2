"""Whether the system is well: a few numbers, and whether it can take requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from csms.clock import Clock
from csms.errors import CsmsError, DatabaseAway
from csms.services.ports.gateway import Gateway
from csms.services.ports.store import UnitsOfWork

_FRESH_S = 1.0
_PATIENCE_S = 3.0
_AWAY = {"intake": "cannot store what charge points send"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Numbers for the operator; None while the database is away."""

    stations: int | None
    online: int
    active_sessions: int | None
    quarantined: int | None = None


class Overview:
    """Answers anybody, so it asks the database once a second at most.

    Args:
        checks: Name of a part -> a check that raises a `CsmsError` when it does not answer.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        clock: Clock,
        checks: Mapping[str, Callable[[], Awaitable[None]]],
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._clock = clock
        self._checks = checks
        self._counts: tuple[float, int, int, int] | None = None

    async def health(self) -> Health:
        """Return the numbers."""
        now = self._clock.monotonic()
        if self._counts is None or self._counts[0] + _FRESH_S <= now:
            try:
                async with asyncio.timeout(_PATIENCE_S), self._units() as unit:
                    stations = await unit.charge_points.count()
                    sessions = await unit.sessions.count_active()
                    quarantined = await unit.quarantine.count_open()
            except (DatabaseAway, TimeoutError):
                return Health(stations=None, online=self._gateway.online(), active_sessions=None)
            self._counts = (now, stations, sessions, quarantined)
        _, stations, sessions, quarantined = self._counts
        return Health(
            stations=stations,
            online=self._gateway.online(),
            active_sessions=sessions,
            quarantined=quarantined,
        )

    async def problems(self) -> dict[str, str]:
        """Return each part that does not answer, with the reason; {} when all do."""
        found: dict[str, str] = {}
        for name, check in {"database": self._units.ping, **self._checks}.items():
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await check()
            except TimeoutError:
                found[name] = "does not answer"
            except DatabaseAway:
                # no details: everybody may ask, and they name hosts; the log has them
                found[name] = _AWAY.get(name, "cannot be reached")
            except CsmsError as error:
                found[name] = str(error)
        return found
