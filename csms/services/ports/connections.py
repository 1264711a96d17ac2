"""The port of charge points as the edge sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey, Identity


class ConnectionStore(Protocol):
    """Reads and writes the connection part of charge point rows; each method is a transaction.

    All raise DatabaseAway when Postgres is away.
    """

    async def find(self, identity: str) -> ChargePointRecord | None:
        """Return the live charge point of exactly this identity."""
        ...

    async def create(self, identity: Identity, *, quiet: bool) -> ChargePointRecord | None:
        """Add an unknown charge point and return it; None when another spelling of it exists."""
        ...

    async def opened(self, key: ChargePointKey, node: str, at: datetime) -> int:
        """Make `node` the owner of the connection and return its epoch, larger than all before."""
        ...

    async def closed(self, key: ChargePointKey, epoch: int, at: datetime) -> None:
        """Clear the owner unless a newer connection has taken over."""
        ...

    async def settle_password(
        self, key: ChargePointKey, pending_digest: bytes, *, adopted: bool
    ) -> None:
        """End the rotation to this password: it is the only one now, or it is forgotten."""
        ...

    async def release_node(self, node: str, at: datetime) -> None:
        """Clear all connections of a node that has started anew or stops."""
        ...

    async def seen(self, times: Mapping[ChargePointKey, datetime]) -> None:
        """Move `last_seen_at` forward."""
        ...
