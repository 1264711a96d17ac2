"""The port of stations, as the operator's services see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, Protocol

from csms.domain.ids import ChargePointKey
from csms.services.records import Station

Verdict = Literal["adopted", "waits", "refused"]
"""Of a new password: the only one now, let in from a reboot on, forgotten."""

Changes = Mapping[str, object]
"""Column -> new value, for one row; repositories refuse columns that are not the operator's."""


class ChargePoints(Protocol):
    """Stations; deleted ones are not seen."""

    async def insert(self, values: Changes) -> ChargePointKey:
        """Add a station. Raises Conflict `station_exists`."""
        ...

    async def get(self, identity: str, *, lock: bool = False) -> Station | None:
        """Return the station of this identity, in any case of letters."""
        ...

    async def page(
        self, limit: int, *, before: int | None = None, site_id: str | None = None
    ) -> list[Station]:
        """Return one page, the newest first."""
        ...

    async def update(self, key: ChargePointKey, changes: Changes) -> None:
        """Change some columns of one row."""
        ...

    async def begin_rotation(self, key: ChargePointKey, digest: bytes) -> None:
        """Let a new password in beside the present one, and beside those whose fate is unknown."""
        ...

    async def end_rotation(self, key: ChargePointKey, digest: bytes, verdict: Verdict) -> None:
        """Draw the conclusion from what the station has answered to a new password."""
        ...

    async def begin_upgrade(self, key: ChargePointKey, profile: int, at: datetime) -> None:
        """Let a higher security profile in beside the present one."""
        ...

    async def end_upgrade(
        self, key: ChargePointKey, profile: int | None, told_at: datetime | None
    ) -> None:
        """Make this the higher profile that is expected; None: none is."""
        ...

    async def count_unproven(self) -> int:
        """Return how many need not prove who they are (security profile 0)."""
        ...

    async def overdue_upgrades(self, told_before: datetime, limit: int) -> list[Station]:
        """Return stations that were told a higher profile before that time, the earliest first."""
        ...

    async def delete(self, key: ChargePointKey, at: datetime) -> None:
        """Remove one."""
        ...

    async def has_active_session(self, key: ChargePointKey) -> bool:
        """Return whether a transaction runs here."""
        ...

    async def count(self) -> int:
        """Return how many there are."""
        ...

    async def keys_of(self, identities: Collection[str]) -> dict[str, ChargePointKey]:
        """Return the key of each identity that is a station, by the spelling asked for."""
        ...
