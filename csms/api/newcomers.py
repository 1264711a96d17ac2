"""Chargers that are no stations yet: where to connect, who was refused, letting one in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from csms.api import qr
from csms.api.fields import In, Kilo, Out, Page, PreciseTime, Query, Text, whole
from csms.api.routes import Route
from csms.api.stations import StationOut, station_out
from csms.services.access import Principal, Role
from csms.services.diary import fix_of
from csms.services.first_run import Newcomers
from csms.services.ports.live import RefusedRow
from csms.services.stations import StationService

_MOST_DAYS = 30


class RefusedOut(Out):
    """An identity whose newest attempt to connect was refused.

    `known`: there is a station of this identity; `attempts` counts the refused ones. `fix` says
    what would let it in.
    """

    identity: str
    known: bool
    attempts: int
    first_at: PreciseTime
    at: PreciseTime
    status: int
    reason: str | None
    fix: str | None
    address: str

    @classmethod
    def of(cls, row: RefusedRow) -> RefusedOut:
        """Return a row as the API spells it."""
        return cls(
            identity=row.identity,
            known=row.known,
            attempts=row.count,
            first_at=row.first_at,
            at=row.at,
            status=row.status,
            reason=row.reason,
            fix=fix_of(row.reason),
            address=row.address,
        )


class FirstRunOut(Out):
    """What is needed to connect a charger.

    `ocppUrl` is what to enter in it, with its own name in place of `IDENTITY`; null where there is
    no such listener. `warnings` say what will keep it from coming.
    """

    stations: int
    online: int
    ocpp_url: str | None
    ocpp_tls_url: str | None
    accepts_unknown: bool
    warnings: list[str]
    refused: list[RefusedOut]


class RefusedQuery(Query):
    """Filters; `known`: only identities of stations, or only others."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    known: bool | None = None
    days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] = 7


class AddressQuery(Query):
    """The address that is shown."""

    url: Annotated[str, Field(max_length=500, pattern=r"^wss?://\S+$")]


class AcceptIn(In):
    """The station that an identity becomes; what is not said is as for new stations."""

    max_kw: Kilo
    name: Text | None = None
    connectors: Annotated[int, Field(ge=1, le=256)] | None = None
    site_id: Text | None = None
    current_type: Literal["AC", "DC"] = "AC"
    password: Annotated[str, Field(max_length=256)] | None = None


class NewcomersApi:
    """The operations."""

    def __init__(self, newcomers: Newcomers, stations: StationService) -> None:
        self._newcomers = newcomers
        self._stations = stations

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""

        def route(method: str, path: str, handler: Any, role: Role, **more: Any) -> Route:
            return Route(
                method=method, path=path, handler=handler, role=role, tag="connections", **more
            )

        return [
            route("GET", "/api/first-run", self.get_first_run, Role.VIEWER),
            route("GET", "/api/first-run/qr.svg", self.get_address_code, Role.VIEWER),
            route("GET", "/api/connections", self.list_refused, Role.VIEWER),
            route(
                "POST",
                "/api/connections/{identity}/accept",
                self.accept_newcomer,
                Role.OPERATOR,
                status=201,
                refusals={
                    404: "Nobody of this name has tried and was refused.",
                    409: "There is a station of this identity already: see its `fix`.",
                },
            ),
        ]

    async def get_first_run(self, request: web.Request) -> FirstRunOut:
        """Say where chargers have to connect and who was refused within the last day."""
        found = await self._newcomers.first_run(request.host)
        return FirstRunOut(
            stations=found.stations,
            online=found.online,
            ocpp_url=found.url,
            ocpp_tls_url=found.tls_url,
            accepts_unknown=found.accepts_unknown,
            warnings=list(found.warnings),
            refused=[RefusedOut.of(row) for row in found.refused],
        )

    async def get_address_code(self, query: AddressQuery) -> web.Response:
        """Return the QR code of an address that a charger shall connect to, as SVG."""
        return qr.picture(query.url)

    async def list_refused(self, query: RefusedQuery) -> Page[RefusedOut]:
        """Return identities whose newest attempt to connect was refused, the newest first."""
        rows = await self._newcomers.refused(
            query.limit, within=timedelta(days=query.days), known=query.known
        )
        return Page[RefusedOut](items=[RefusedOut.of(row) for row in rows])

    async def accept_newcomer(
        self, identity: str, body: AcceptIn, principal: Principal
    ) -> StationOut:
        """Make a station of an identity that has tried to connect: it is let in the next time."""
        row = await self._newcomers.require(identity, within=timedelta(days=_MOST_DAYS))
        values: dict[str, Any] = {
            "name": body.name or row.identity,
            "max_power_w": whole(body.max_kw),
            "current_type": body.current_type,
        }
        if body.connectors is not None:
            values["connector_count"] = body.connectors
        if body.site_id is not None:
            values["site_id"] = body.site_id
        station = await self._stations.create(principal.name, row.identity, values, body.password)
        return station_out(
            station,
            online=self._stations.is_online(station),
            last_seen_at=self._stations.last_seen_at(station),
        )
