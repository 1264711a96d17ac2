"""What was decided for the sessions of a site, and why."""

from __future__ import annotations

from typing import Self

from csms.api import pages
from csms.api.fields import Out, Page, PageQuery, PreciseTime, Text
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.ports.site_rules import KeptDecision
from csms.services.site_rules import SiteRulesService

_LARGEST_ID = 2**31 - 1


class DecisionQuery(PageQuery):
    """Of one session or station alone."""

    session_id: Text | None = None
    station_id: Text | None = None


class DecisionOut(Out):
    """A limit that was decided for a session; `reason` says why it is not more."""

    decided_at: PreciseTime
    station_id: str
    connector_id: int
    session_id: str
    limit_kw: float
    reason: str

    @classmethod
    def of(cls, kept: KeptDecision) -> Self:
        """Return a decision in the API's units."""
        return cls(
            decided_at=kept.at,
            station_id=kept.identity,
            connector_id=kept.connector_id,
            session_id=str(kept.transaction_id),
            limit_kw=kept.limit_w / 1000,
            reason=kept.reason,
        )


class SiteDecisions:
    """The operation."""

    def __init__(self, rules: SiteRulesService) -> None:
        self._rules = rules

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/sites/{site_id}/decisions",
                handler=self.list_site_decisions,
                role=Role.VIEWER,
                tag="sites",
            )
        ]

    async def list_site_decisions(self, site_id: str, query: DecisionQuery) -> Page[DecisionOut]:
        """Return what was decided in the last 30 days, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        session = query.session_id
        if session is not None and not _is_id(session):
            return Page[DecisionOut](items=[], next_cursor=None)
        found = await self._rules.decisions(
            site_id,
            query.limit,
            before=before,
            transaction_id=None if session is None else int(session),
            identity=query.station_id,
        )
        return Page[DecisionOut](
            items=[DecisionOut.of(each) for each in found],
            next_cursor=pages.encode(found[-1].id) if len(found) == query.limit else None,
        )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:11]) <= _LARGEST_ID
