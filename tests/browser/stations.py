"""Charge points for pages to show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulator.charge_point import ChargePointSimulator
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.browser.cockpit import System
from tests.waiting import wait_until


@asynccontextmanager
async def charger(
    system: System, identity: str, site: str | None = None, **settings
) -> AsyncIterator[ChargePointSimulator]:
    """Give a charge point that has booted at this system; it is called ``Bay`` and its identity."""
    body = {"identity": identity, "name": f"Bay {identity}", "maxKw": 22, "siteId": site}
    await system.ask("POST", "/api/stations", body)
    station = ChargePointSimulator(
        StationSettings(
            identity=identity, url=system.serving.ocpp_url, **{"meter_interval_s": 1, **settings}
        )
    )
    async with station:
        async with asyncio.timeout(30):
            await station.until_registered()
        yield station


async def logged(system: System, query: str) -> None:
    """Wait until the log has such a message: a page that searches it asks once."""

    async def found() -> bool:
        return bool((await system.ask("GET", f"/api/messages?{query}"))["items"])

    await wait_until(found, 30, what=f"the log has a message with {query}")


async def charge(system: System, station: ChargePointSimulator) -> str:
    """Plug a car in and start its session; returns the session's id."""
    station.plug(1, Vehicle(onboard_a=16))
    asked = {"stationId": station.identity, "waitS": 60}
    started = await system.ask("POST", "/api/sessions/start", asked)
    return str(started["id"])
