"""A site's power over time, for a picture."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from csms.api.fields import Out, Query, Time, When, kilo
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.ports.power import SiteSample
from csms.services.power_history import MOST_SERIES, PowerHistories


class PowerQuery(Query):
    """A span of time; without `from` the day before `to`, without `stepS` one that fits."""

    from_: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    step_s: Annotated[int, Field(ge=60, le=172_800)] | None = None
    top: Annotated[int, Field(ge=1, le=MOST_SERIES)] = 12


class StationPowerOut(Out):
    """One charger's power by step; `stationId` null: all others together."""

    station_id: str | None
    name: str | None
    energy_kwh: float
    power_kw: list[float | None]


class SitePowerOut(Out):
    """Power by step; each list has a value a step, null where nothing is known.

    `times` are the beginnings of the steps. `limitKw` is what held for the grid connection,
    `allocatedKw` what was counted on there, `batteryKw` positive while discharging, `meterKw` the
    site meter's (positive: import), `buildingKw` what is no charger, `solarKw` what solar panels
    gave; they are kept for 35 days.
    """

    step_s: int
    times: list[Time]
    grid_capacity_kw: float
    series: list[StationPowerOut]
    limit_kw: list[float | None]
    allocated_kw: list[float | None]
    battery_kw: list[float | None]
    meter_kw: list[float | None]
    building_kw: list[float | None]
    solar_kw: list[float | None]


class SitePowers:
    """The operation."""

    def __init__(self, histories: PowerHistories) -> None:
        self._histories = histories

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/sites/{site_id}/power",
                handler=self.get_site_power,
                role=Role.VIEWER,
                tag="sites",
                refusals={404: "There is no such site.", 422: "Too long, or `too_much`."},
            )
        ]

    async def get_site_power(self, site_id: str, query: PowerQuery) -> SitePowerOut:
        """Return what a site's chargers drew over time, stacked by charger."""
        found = await self._histories.of_site(
            site_id, query.from_, query.to, query.step_s, query.top
        )

        def column(name: str) -> list[float | None]:
            return [_kilo(sample, name) for sample in found.samples]

        return SitePowerOut(
            step_s=found.step_s,
            times=[
                found.begin + timedelta(seconds=step * found.step_s) for step in range(found.steps)
            ],
            grid_capacity_kw=found.grid_limit_w / 1000,
            series=[
                StationPowerOut(
                    station_id=line.identity,
                    name=line.name,
                    energy_kwh=line.energy_wh / 1000,
                    power_kw=[kilo(value) for value in line.power_w],
                )
                for line in found.series
            ],
            limit_kw=column("limit_w"),
            allocated_kw=column("allocated_w"),
            battery_kw=column("battery_w"),
            meter_kw=column("meter_w"),
            building_kw=column("building_w"),
            solar_kw=column("solar_w"),
        )


def _kilo(sample: SiteSample | None, name: str) -> float | None:
    return None if sample is None else kilo(getattr(sample, name))
