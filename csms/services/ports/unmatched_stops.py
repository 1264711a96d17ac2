"""The port of the store for stops that fit no session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csms.domain.ids import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedStop:
    """A StopTransaction that was answered and has changed nothing.

    Attributes:
        key: Ascending with arrival, for paging.
        reason: ``unknownTransaction``, ``foreignTransaction`` or ``duplicateStop``.
        payload: What it said, by OCPP's names.
    """

    key: int
    identity: Identity
    reason: str
    payload: Mapping[str, Any]
    received_at: datetime


class UnmatchedStops(Protocol):
    """What the intake has kept aside; it is never changed."""

    async def page(
        self, limit: int, *, before: int | None = None, identity: str | None = None
    ) -> list[UnmatchedStop]:
        """Return one page, the newest first."""
        ...
