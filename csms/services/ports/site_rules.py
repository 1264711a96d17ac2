"""The port of what narrows a site: its rules, limits from outside, and its meter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csms.domain.ids import ChargePointKey
from csms.domain.site_rules import MeterReading, OutsideLimit, SiteRules


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLimit:
    """A limit from outside, as it is stored.

    Attributes:
        reason: Who asks for it and why, for people.
    """

    id: int
    limit: OutsideLimit
    reason: str | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A limit that was decided for a session, and why it was not more."""

    id: int
    identity: str
    connector_id: int
    transaction_id: int
    limit_w: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimit:
    """The limit that a running session has, or would fall back to."""

    connector_id: int
    transaction_id: int
    limit_w: int


class SiteRulesRepository(Protocol):
    """Rules, limits and meters of sites."""

    async def rules(self, site_id: str) -> SiteRules | None:
        """Return the rules of a site; None when there is no such site."""
        ...

    async def set_rules(self, site_id: str, rules: SiteRules) -> None:
        """Keep the rules of a site."""
        ...

    async def limits(
        self, site_id: str, limit: int, *, before: int | None = None
    ) -> list[StoredLimit]:
        """Return limits of a site, the newest first."""
        ...

    async def limit(self, site_id: str, limit_id: int) -> StoredLimit | None:
        """Return one limit."""
        ...

    async def add_limit(
        self,
        site_id: str,
        limit: OutsideLimit,
        reason: str | None,
        created_by: str,
        now: datetime,
    ) -> StoredLimit:
        """Add a limit and return it."""
        ...

    async def end_limit(self, limit_id: int, ends_at: datetime | None) -> None:
        """Let a limit end at another time."""
        ...

    async def remove_limit(self, limit_id: int) -> None:
        """Remove a limit."""
        ...

    async def decisions(
        self,
        site_id: str,
        limit: int,
        *,
        before: int | None = None,
        transaction_id: int | None = None,
        identity: str | None = None,
    ) -> list[KeptDecision]:
        """Return what was decided for sessions of a site, the newest first."""
        ...

    async def meter(self, site_id: str) -> MeterReading | None:
        """Return the newest word of the site's meter; None: it has none."""
        ...

    async def set_meter(self, site_id: str, reading: MeterReading) -> None:
        """Keep the newest word of the site's meter."""
        ...

    async def remove_meter(self, site_id: str) -> None:
        """Forget the site's meter: there is none any more."""
        ...

    async def fallback_share_w(self, charge_point: ChargePointKey) -> int | None:
        """Return the fallback share that a charge point has, or would have if it took it.

        None: it was to be told none yet.
        """
        ...

    async def session_limit(self, charge_point: ChargePointKey) -> SessionLimit | None:
        """Return the limit of the newest session of a charge point; None: nothing runs there."""
        ...

    async def forget_limits(self, charge_point: ChargePointKey) -> None:
        """Let no limit of a charge point be certain any more; its site must be locked."""
        ...

    async def chargers_draw_w(self, site_id: str, since: datetime) -> tuple[int, int]:
        """Return what all chargers of a site draw, and what they may draw by now.

        The former as far as their meters have told since then; the latter with the limits that they
        were told later than that, and after it.
        """
        ...
