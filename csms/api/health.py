"""Whether the system is well; open to everybody."""

from __future__ import annotations

from typing import Literal

from csms.api.fields import Out
from csms.api.problems import Unavailable
from csms.api.routes import Route
from csms.services.overview import Overview


class StationCounts(Out):
    """Stations; `total` is null while the database is away."""

    total: int | None
    online: int


class SessionCounts(Out):
    """Sessions; null while the database is away."""

    active: int | None


class HealthOut(Out):
    """`degraded`: the process runs and its database is away.

    `quarantined` counts the refused messages that wait for an operator.
    """

    status: Literal["ok", "degraded"]
    version: str
    stations: StationCounts
    sessions: SessionCounts
    quarantined: int | None


class ReadyOut(Out):
    """All parts answer."""

    status: Literal["ready"] = "ready"


class Health:
    """The operations."""

    def __init__(self, overview: Overview, version: str) -> None:
        self._overview = overview
        self._version = version

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(method="GET", path="/health", handler=self.get_health, role=None, tag="system"),
            Route(
                method="GET",
                path="/ready",
                handler=self.get_ready,
                role=None,
                tag="system",
                refusals={503: "A part does not answer; `fields` says which and why."},
            ),
        ]

    async def get_health(self) -> HealthOut:
        """Return a few numbers; always answers while the process runs."""
        health = await self._overview.health()
        return HealthOut(
            status="degraded" if health.stations is None else "ok",
            version=self._version,
            stations=StationCounts(total=health.stations, online=health.online),
            sessions=SessionCounts(active=health.active_sessions),
            quarantined=health.quarantined,
        )

    async def get_ready(self) -> ReadyOut:
        """Say whether requests can be taken: database and bus answer."""
        problems = await self._overview.problems()
        if problems:
            reasons = "; ".join(f"{part} {why}" for part, why in sorted(problems.items()))
            refusal = Unavailable("not_ready", f"Not ready: {reasons}.", problems)
            raise refusal
        return ReadyOut()
