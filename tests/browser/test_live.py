"""What charge points do is on the screen; a cut line is told, heals, and leaves nothing wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from simulator.charge_point import ChargePointSimulator
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.browser.looks import shot

LOST = "net::ERR_|WebSocket connection"


@asynccontextmanager
async def charger(system, identity: str, **settings):
    """Give a charge point that has booted at this system."""
    body = {"identity": identity, "name": f"Bay {identity}", "maxKw": 22}
    await system.ask("POST", "/api/stations", body)
    url = system.serving.ocpp_url
    station = ChargePointSimulator(
        StationSettings(identity=identity, url=url, meter_interval_s=1, **settings)
    )
    async with station:
        await station.until_registered()
        yield station


async def charge(system, station, identity: str) -> str:
    """Plug a car in and start its session; returns the session's id."""
    station.plug(1, Vehicle(onboard_a=16))
    started = await system.ask("POST", "/api/sessions/start", {"stationId": identity})
    return str(started["id"])


def needs_you(page: Page):
    return page.get_by_role("region", name="Needs you")


def charging_now(page: Page):
    return page.get_by_role("region", name="Charging now")


async def test_a_session_comes_grows_and_goes(system, windows):
    async with charger(system, "L1") as station:
        page = await windows.open(system)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        row = charging_now(page).get_by_text("Bay L1")
        await expect(row).to_have_count(0)
        session = await charge(system, station, "L1")
        await expect(row).to_be_visible()
        await expect(charging_now(page).get_by_text("11.0 kW")).to_be_visible()
        await system.ask("POST", f"/api/sessions/{session}/stop", {})
        await expect(row).to_have_count(0)


async def test_a_fault_needs_somebody_until_it_is_over(system, windows):
    async with charger(system, "L2") as station:
        page = await windows.open(system)
        station.set_error(1, "GroundFailure")
        item = needs_you(page).get_by_role("listitem").filter(has_text="Bay L2")
        await expect(item).to_be_visible()
        await shot(page, "overview-fault")
        station.set_error(1, "NoError")
        await expect(item).to_have_count(0)


async def test_a_cut_line_is_told_and_heals_with_the_state_of_then(system, windows, accessibility):
    async with charger(system, "L3") as station:
        page = await windows.open(system)
        row = charging_now(page).get_by_text("Bay L3")
        first = await charge(system, station, "L3")
        await expect(row).to_be_visible()

        windows.watch_of(page).expect(LOST)
        system.wire.cut()
        banner = page.get_by_role("alert").filter(has_text="Connection lost")
        await expect(banner).to_be_visible()
        await expect(page.get_by_text("Cut off")).to_be_visible()
        await shot(page, "overview-cut")
        await accessibility.no_violations(page)
        await expect(row).to_be_visible()  # the last known state, and it says so
        await system.ask("POST", f"/api/sessions/{first}/stop", {})
        station.set_error(1, "OverCurrentFailure")

        system.wire.mend()
        await banner.get_by_role("button", name="Try now").click()
        await expect(banner).to_have_count(0)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(row).to_have_count(0)
        await expect(needs_you(page).get_by_text("Bay L3")).to_be_visible()
        station.set_error(1, "NoError")
        await expect(needs_you(page).get_by_text("Bay L3")).to_have_count(0)


async def test_it_heals_without_a_hand(system, windows):
    async with charger(system, "L4") as station:
        page = await windows.open(system)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        windows.watch_of(page).expect(LOST)
        system.wire.cut()
        await expect(page.get_by_text("Cut off")).to_be_visible()
        system.wire.mend()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await charge(system, station, "L4")
        await expect(charging_now(page).get_by_text("Bay L4")).to_be_visible()


async def test_a_line_that_is_silent_is_found_out(system, windows):
    """Nobody says that it is cut: both ends only hear nothing any more."""
    page = await windows.open(system)
    await page.clock.install()
    await page.reload()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    windows.watch_of(page).expect(LOST)
    system.wire.freeze()
    await page.clock.fast_forward("00:30")
    banner = page.get_by_role("alert").filter(has_text="Connection lost")
    await expect(banner).to_be_visible()
    system.wire.mend()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=20_000)
