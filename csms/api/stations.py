"""Stations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from csms.api import pages
from csms.api.fields import (
    In,
    Kilo,
    Out,
    Page,
    PageQuery,
    Text,
    Time,
    amperes,
    kilo,
    whole,
)
from csms.api.routes import Route
from csms.domain.connectors import MOST_CONNECTORS
from csms.services.access import Principal, Role
from csms.services.records import Connector, Station
from csms.services.stations import StationService

_COLUMNS = {"max_kw": "max_power_w", "connectors": "connector_count"}
_NOT_NULL = frozenset(
    {
        "name",
        "registration",
        "current_type",
        "phases",
        "voltage_v",
        "phase_rotation",
        "strict",
        "quiet",
    }
)
_Rotation = Literal["RST", "RTS", "SRT", "STR", "TRS", "TSR", "Unknown"]


class Place(In):
    """Where a station stands."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    address: Annotated[str, Field(max_length=500)] | None = None


class _Fields(In):
    location: Text | Place | None = None
    connector_type: Text | None = None
    connectors: Annotated[int, Field(ge=1, le=MOST_CONNECTORS)] | None = None
    site_id: Text | None = None
    circuit_id: Text | None = None
    security_profile: Annotated[int, Field(ge=0, le=3)] | None = None
    password: Annotated[str, Field(max_length=256)] | None = None
    serial_number: Text | None = None
    subject_check: Literal["relaxed", "strict"] | None = None

    def columns(self) -> dict[str, Any]:
        """Return the given fields as columns, without identity and password."""
        values: dict[str, Any] = {}
        for name in self.model_fields_set - {"identity", "password"}:
            value = getattr(self, name)
            if name == "subject_check" and value is None:
                value = "relaxed"
            if name == "max_kw" and value is not None:
                value = whole(value)
            elif isinstance(value, Place):
                value = value.model_dump(exclude_none=True)
            values[_COLUMNS.get(name, name)] = value
        return values


class StationIn(_Fields):
    """A new station; `connectors` is how many it has."""

    identity: Text | None = None
    name: Text
    max_kw: Kilo
    current_type: Literal["AC", "DC"] = "AC"
    phases: Annotated[int, Field(ge=1, le=3)] = 3
    voltage_v: Annotated[int, Field(ge=50, le=2000)] = 230
    phase_rotation: _Rotation = "Unknown"
    registration: Literal["Accepted", "Pending", "Rejected"] = "Accepted"
    strict: bool = False
    quiet: bool | None = None


class StationPatch(_Fields):
    """Changes of a station; null clears a field."""

    name: Text | None = None
    max_kw: Kilo | None = None
    current_type: Literal["AC", "DC"] | None = None
    phases: Annotated[int, Field(ge=1, le=3)] | None = None
    voltage_v: Annotated[int, Field(ge=50, le=2000)] | None = None
    phase_rotation: _Rotation | None = None
    registration: Literal["Accepted", "Pending", "Rejected"] | None = None
    strict: bool | None = None
    quiet: bool | None = None

    @model_validator(mode="after")
    def _keeps_what_it_needs(self) -> Self:
        cleared = sorted(
            name for name in self.model_fields_set & _NOT_NULL if getattr(self, name) is None
        )
        if cleared:
            raise ValueError(f"cannot be cleared: {', '.join(cleared)}")
        return self


class ConnectorOut(Out):
    """A connector; `status` is null until the station has reported it.

    `availability` is what ChangeAvailability has told it to be (null: nothing); while
    `availabilityScheduled` it still has to become so, once its session is over.
    """

    connector_id: int
    status: str | None
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    status_at: Time | None
    availability: str | None
    availability_scheduled: bool
    power_kw: float | None
    limit_a: float | None
    limit_kw: float | None
    session_id: str | None


class StationOut(Out):
    """A station."""

    id: str
    identity: str
    name: str
    location: str | dict[str, Any] | None
    max_kw: float | None
    connector_type: str | None
    connector_count: int | None
    site_id: str | None
    circuit_id: str | None
    current_type: str
    phases: int
    voltage_v: int
    phase_rotation: str
    security_profile: int
    pending_security_profile: int | None
    password_pending: bool
    subject_check: str
    serial_number: str | None
    registration: str
    strict: bool
    quiet: bool
    online: bool
    last_seen_at: Time | None
    connected_at: Time | None
    vendor: str | None
    model: str | None
    firmware_version: str | None
    charge_point_serial_number: str | None
    charge_box_serial_number: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    booted_at: Time | None
    created_at: Time
    connectors: list[ConnectorOut]


class StationsQuery(PageQuery):
    """Filters of stations."""

    site_id: Text | None = None


def new_station_values(body: StationIn) -> dict[str, Any]:
    """Return a new station's columns, without identity and password."""
    values = body.columns()
    values["max_power_w"] = whole(body.max_kw)
    if body.quiet is None:
        values.pop("quiet", None)
    return values


def connector_out(connector: Connector, station: Station) -> ConnectorOut:
    """Return a connector as the contract spells it."""
    session = connector.transaction_id
    return ConnectorOut(
        connector_id=connector.connector_id,
        status=connector.status,
        error_code=connector.error_code,
        info=connector.info,
        vendor_error_code=connector.vendor_error_code,
        status_at=connector.status_at,
        availability=connector.availability,
        availability_scheduled=connector.availability_scheduled,
        power_kw=kilo(connector.power_w),
        limit_a=amperes(
            connector.limit_w,
            current_type=station.current_type,
            phases=station.phases,
            voltage_v=station.voltage_v,
        ),
        limit_kw=kilo(connector.limit_w),
        session_id=None if session is None else str(session),
    )


def station_out(station: Station, *, online: bool, last_seen_at: datetime | None) -> StationOut:
    """Return a station as the contract spells it."""
    location = station.location
    return StationOut(
        id=station.identity,
        identity=station.identity,
        name=station.name,
        location=location if location is None or isinstance(location, str) else dict(location),
        max_kw=kilo(station.max_power_w),
        connector_type=station.connector_type,
        connector_count=station.connector_count,
        site_id=station.site_id,
        circuit_id=station.circuit_id,
        current_type=station.current_type,
        phases=station.phases,
        voltage_v=station.voltage_v,
        phase_rotation=station.phase_rotation,
        security_profile=station.security_profile,
        pending_security_profile=station.pending_security_profile,
        password_pending=station.password_pending,
        subject_check=station.subject_check,
        serial_number=station.serial_number,
        registration=station.registration.value,
        strict=station.strict,
        quiet=station.quiet,
        online=online,
        last_seen_at=last_seen_at,
        connected_at=station.connected_at,
        vendor=station.vendor,
        model=station.model,
        firmware_version=station.firmware_version,
        charge_point_serial_number=station.charge_point_serial_number,
        charge_box_serial_number=station.charge_box_serial_number,
        iccid=station.iccid,
        imsi=station.imsi,
        meter_type=station.meter_type,
        meter_serial_number=station.meter_serial_number,
        booted_at=station.booted_at,
        created_at=station.created_at,
        connectors=[connector_out(connector, station) for connector in station.connectors],
    )


class Stations:
    """The operations."""

    def __init__(self, stations: StationService) -> None:
        self._stations = stations

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/stations/{station_id}"
        absent = {404: "There is no such station."}
        viewer, operator = Role.VIEWER, Role.OPERATOR

        def route(method: str, path: str, handler: Any, role: Role = viewer, **more: Any) -> Route:
            return Route(
                method=method, path=path, handler=handler, role=role, tag="stations", **more
            )

        return [
            route("GET", "/api/stations", self.list_stations),
            route(
                "POST",
                "/api/stations",
                self.create_station,
                operator,
                status=201,
                refusals={409: "A station of this identity exists."},
            ),
            route("GET", one, self.get_station, refusals=absent),
            route("PATCH", one, self.change_station, operator, refusals=absent),
            route(
                "DELETE",
                one,
                self.delete_station,
                operator,
                status=204,
                refusals={**absent, 409: "A session runs on the station."},
            ),
        ]

    async def list_stations(self, query: StationsQuery) -> Page[StationOut]:
        """Return stations, the newest first."""
        before = None if query.cursor is None else pages.decode(query.cursor, int)[0]
        found = await self._stations.page(query.limit, before, query.site_id)
        return Page[StationOut](
            items=[self._out(station) for station in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def create_station(self, body: StationIn, principal: Principal) -> StationOut:
        """Add a station; without an identity one is generated."""
        values = new_station_values(body)
        station = await self._stations.create(principal.name, body.identity, values, body.password)
        return self._out(station)

    async def get_station(self, station_id: str) -> StationOut:
        """Return one station."""
        return self._out(await self._stations.get(station_id))

    async def change_station(
        self, station_id: str, body: StationPatch, principal: Principal
    ) -> StationOut:
        """Change what is given; null clears a field."""
        station = await self._stations.change(
            principal.name,
            station_id,
            body.columns(),
            password=body.password,
            password_given="password" in body.model_fields_set,
        )
        return self._out(station)

    async def delete_station(self, station_id: str, principal: Principal) -> None:
        """Remove a station; its sessions stay and its identity is free again."""
        await self._stations.delete(principal.name, station_id)

    def _out(self, station: Station) -> StationOut:
        return station_out(
            station,
            online=self._stations.is_online(station),
            last_seen_at=self._stations.last_seen_at(station),
        )
