"""Configuration of stations: read and desired."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from csms.api.fields import In, Out, Page, PageQuery, Time
from csms.api.routes import Route
from csms.domain.configuration import ConfigurationKey
from csms.services.access import Principal, Role
from csms.services.configuration import ConfigurationService

_Key = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Value = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class DesiredIn(In):
    """What a key shall be; null: whatever it is."""

    desired: _Value | None


class ConfigurationOut(Out):
    """A configuration key.

    `value` is null for secrets and for what was not read; `drift` is null when nothing is desired,
    else `inSync`, `pending`, `rebootRequired` or `refused` (by `refusedStatus`).
    """

    key: str
    value: str | None
    readonly: bool | None
    read_at: Time | None
    desired: str | None
    drift: str | None
    refused_status: str | None

    @classmethod
    def of(cls, found: ConfigurationKey) -> Self:
        """Return a key as the contract spells it."""
        return cls(
            key=found.key,
            value=found.value,
            readonly=found.readonly,
            read_at=found.read_at,
            desired=found.desired,
            drift=found.drift,
            refused_status=found.refused_status,
        )


class Configuration:
    """The operations."""

    def __init__(self, configuration: ConfigurationService) -> None:
        self._configuration = configuration

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        path = "/api/stations/{station_id}/configuration"
        return [
            Route(
                method="GET",
                path=path,
                handler=self.list_configuration,
                role=Role.VIEWER,
                tag="stations",
                refusals={404: "There is no such station."},
            ),
            Route(
                method="PUT",
                path=path + "/{key}",
                handler=self.desire_configuration,
                role=Role.OPERATOR,
                tag="stations",
                refusals={404: "There is no such station."},
            ),
        ]

    async def list_configuration(self, station_id: str, query: PageQuery) -> Page[ConfigurationOut]:
        """Return what is known of a station's configuration, by key; all on one page."""
        del query
        found = await self._configuration.of(station_id)
        return Page[ConfigurationOut](items=[ConfigurationOut.of(each) for each in found])

    async def desire_configuration(
        self, station_id: str, key: _Key, body: DesiredIn, principal: Principal
    ) -> ConfigurationOut:
        """Say what a key shall be: told to the station while it is connected and not quiet."""
        found = await self._configuration.desire(principal.name, station_id, key, body.desired)
        if found is None:
            return ConfigurationOut(
                key=key,
                value=None,
                readonly=None,
                read_at=None,
                desired=None,
                drift=None,
                refused_status=None,
            )
        return ConfigurationOut.of(found)
