"""The first charger: where it has to connect, who has tried, and how to let somebody in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from csms.clock import Clock
from csms.errors import NotFound
from csms.services.diary import Diary
from csms.services.ports.entrance import Entrance
from csms.services.ports.gateway import Gateway
from csms.services.ports.live import RefusedRow
from csms.services.ports.store import UnitsOfWork

_RECENT = timedelta(days=1)
_MOST = 50
_MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """What somebody needs who connects a charger.

    Attributes:
        stations: How many there are; `online` of them are connected here.
        url: What to enter in the charger, with `IDENTITY` for its own name; None without an edge.
        tls_url: The same over TLS, if there is a listener.
        accepts_unknown: Whether who comes under a new name becomes a station by itself.
        warnings: What will keep a charger from coming, a sentence each.
        refused: Identities whose newest attempt of the last day was refused, the newest first.
    """

    stations: int
    online: int
    url: str | None
    tls_url: str | None
    accepts_unknown: bool
    warnings: tuple[str, ...]
    refused: tuple[RefusedRow, ...]


class Newcomers:
    """Tells of chargers that are no stations yet.

    Args:
        entrance: Of charge points; None in a system without them.
        diary: What was noted of attempts and is not written yet; None alike.
        accepts_unknown: The setting.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        clock: Clock,
        *,
        entrance: Entrance | None,
        diary: Diary | None,
        accepts_unknown: bool,
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._clock = clock
        self._entrance = entrance
        self._diary = diary
        self._accepts_unknown = accepts_unknown

    async def first_run(self, host: str) -> FirstRun:
        """Return what a wizard shows.

        Args:
            host: By which the asker has reached us, as in the Host header.
        """
        name = urlsplit(f"//{host}").hostname or "localhost"
        refused = await self.refused(_MOST, within=_RECENT)
        async with self._units() as unit:
            stations = await unit.charge_points.count()
        entrance = self._entrance
        tls = None if entrance is None else entrance.tls_port
        return FirstRun(
            stations=stations,
            online=self._gateway.online(),
            url=None if entrance is None else _url("ws", name, entrance.port),
            tls_url=None if tls is None else _url("wss", name, tls),
            accepts_unknown=self._accepts_unknown,
            warnings=(_LOOPBACK,) if _is_loopback(name) else (),
            refused=tuple(refused),
        )

    async def refused(
        self, limit: int, *, within: timedelta, known: bool | None = None
    ) -> list[RefusedRow]:
        """Return identities whose newest attempt was refused, the newest first.

        Args:
            limit: Most of them.
            within: How old it may be.
            known: Only those of stations, or only others.
        """
        if self._diary is not None:
            await self._diary.flush()
        since = self._clock.now() - within
        async with self._units() as unit:
            rows = await unit.live.refused(since, _MOST_LISTED)
        return [row for row in rows if known in (None, row.known)][:limit]

    async def require(self, identity: str, *, within: timedelta) -> RefusedRow:
        """Return what is known of an identity that was refused.

        Raises:
            NotFound: Nobody of this name was refused.
        """
        for row in await self.refused(_MOST_LISTED, within=within):
            if row.identity.lower() == identity.lower():
                return row
        raise NotFound("attempt_not_found", "Nobody of this name has tried and was refused.")


_LOOPBACK = (
    "You have opened this page by a name that means this machine itself: in the charger enter this "
    "machine's address in your network instead."
)


def _url(scheme: str, host: str, port: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}:{port}/ocpp/IDENTITY"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
