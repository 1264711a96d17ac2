"""What charge points do is on the screen; a cut line is told, heals, and leaves nothing wrong."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.browser.looks import shot
from tests.browser.stations import charge, charger

LOST = "net::ERR_|WebSocket connection"


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
        session = await charge(system, station)
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


async def test_a_lower_limit_is_seen_at_the_charger_and_on_the_screen(system, windows):
    site = {"id": "quay", "name": "Quay", "gridCapacityKw": 22}
    await system.ask("POST", "/api/sites", site)
    async with charger(system, "L0", site="quay") as station:
        page = await windows.open(system)
        await charge(system, station)
        row = charging_now(page).get_by_role("row").filter(has_text="Bay L0")
        await expect(row).to_contain_text("11.0 kW", timeout=30_000)
        await system.ask("PATCH", "/api/sites/quay", {"gridCapacityKw": 6.9})
        await expect(row).to_contain_text("6.9 kW", timeout=30_000)
        async with asyncio.timeout(10):
            await station.wait_for(lambda state: state.connectors[1].limit == 10.0)
            await station.wait_for(lambda state: 6_700 <= state.connectors[1].power_w <= 6_900)


async def test_a_cut_line_is_told_and_heals_with_the_state_of_then(system, windows, accessibility):
    async with charger(system, "L3") as station:
        page = await windows.open(system)
        row = charging_now(page).get_by_text("Bay L3")
        first = await charge(system, station)
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
        await charge(system, station)
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
