"""The port of charge points as the edge sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey

ConnectionEnd = tuple[ChargePointKey, int, datetime]
"""Whose connection of which epoch has ended when."""


class ConnectionStore(Protocol):
    """Reads and writes the connection part of charge point rows; each method is a transaction.

    All raise DatabaseAway when Postgres is away.
    """

    async def find(self, identities: Collection[str]) -> dict[str, ChargePointRecord]:
        """Return the live charge points of exactly these identities, by identity."""
        ...

    async def create(
        self, identities: Collection[str], *, quiet: bool
    ) -> dict[str, ChargePointRecord]:
        """Add unknown charge points and return them; without those that are there already.

        One is there also when it is spelled otherwise.
        """
        ...

    async def opened(
        self, counts: Mapping[ChargePointKey, int], node: str, at: datetime
    ) -> dict[ChargePointKey, int]:
        """Make `node` the owner of new connections and return the epoch of the last of each.

        Args:
            counts: How many connections each charge point has opened: so many epochs are used up.
            node: This one.
            at: When.
        """
        ...

    async def closed(self, ends: Collection[ConnectionEnd]) -> None:
        """Clear the owners of connections, each unless a newer epoch has taken over."""
        ...

    async def settle_password(
        self, before: ChargePointRecord, used: bytes, *, pending: bytes | None
    ) -> None:
        """Make the digest that a station has used the only one, and `pending` the one to come.

        Nothing happens when its digests are no longer those of `before`.
        """
        ...

    async def settle_profile(self, before: ChargePointRecord, profile: int, at: datetime) -> bool:
        """Make a profile that a station has come with its own; there is no way back down.

        Leaves an entry in the audit trail. False: it was not told this profile, or not any more.
        """
        ...

    async def release_node(self, node: str, at: datetime) -> None:
        """Clear all connections of a node that has started anew or stops."""
        ...

    async def seen(self, times: Mapping[ChargePointKey, datetime]) -> None:
        """Move `last_seen_at` forward."""
        ...
