"""What charge points do is on the screen; a cut line is told, heals, and leaves nothing wrong."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, WebSocket, expect

from tests.browser.cockpit import link
from tests.browser.looks import shot
from tests.browser.stations import charge, charger
from tests.waiting import wait_until

LOST = "net::ERR_|WebSocket connection"


def charging(page: Page, name: str):
    """Return the line of a station's session on the overview."""
    now = page.get_by_role("region", name="Charging now")
    return now.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def needing(page: Page, name: str):
    """Return what the overview says of a station's fault."""
    needs = page.get_by_role("region", name="Needs you")
    return needs.locator("li[data-kind=stationFaulted]").filter(has_text=name)


async def test_a_session_comes_grows_and_goes(system, windows):
    async with charger(system, "LV1") as station:
        page = await windows.open(system)
        await expect(link(page)).to_have_text("Live")
        row = charging(page, "Bay LV1")
        await expect(row).to_have_count(0)
        session = await charge(system, station)
        await expect(row).to_be_visible()
        await expect(row).to_contain_text("11.0 kW")
        await system.ask("POST", f"/api/sessions/{session}/stop", {})
        await expect(row).to_have_count(0)


async def test_a_fault_needs_somebody_until_it_is_over(system, windows):
    async with charger(system, "LV2") as station:
        page = await windows.open(system)
        station.set_error(1, "GroundFailure")
        item = needing(page, "Bay LV2")
        await expect(item).to_be_visible()
        await shot(page, "overview-fault")
        station.set_error(1, "NoError")
        await expect(item).to_have_count(0)


async def test_a_lower_limit_is_seen_at_the_charger_and_on_the_screen(system, windows):
    site = {"id": "quay", "name": "Quay", "gridCapacityKw": 22}
    await system.ask("POST", "/api/sites", site)
    async with charger(system, "LV3", site="quay") as station:
        page = await windows.open(system)
        await charge(system, station)
        row = charging(page, "Bay LV3")
        await expect(row).to_contain_text("11.0 kW", timeout=30_000)
        await system.ask("PATCH", "/api/sites/quay", {"gridCapacityKw": 6.9})
        await expect(row).to_contain_text("6.9 kW", timeout=30_000)
        async with asyncio.timeout(30):
            await station.wait_for(lambda state: state.connectors[1].limit == 10.0)
            await station.wait_for(lambda state: 6_700 <= state.connectors[1].power_w <= 6_900)


async def test_a_cut_line_is_told_and_heals_with_the_state_of_then(system, windows, accessibility):
    async with charger(system, "LV4") as station:
        page = await windows.open(system)
        row = charging(page, "Bay LV4")
        first = await charge(system, station)
        await expect(row).to_be_visible()

        windows.watch_of(page).expect(LOST)
        system.wire.cut()
        banner = page.get_by_role("alert").filter(has_text="Connection lost")
        await expect(banner).to_be_visible()
        await expect(link(page)).to_have_text("Cut off")
        await shot(page, "overview-cut")
        await accessibility.no_violations(page)
        await expect(row).to_be_visible()  # the last known state, and it says so
        await system.ask("POST", f"/api/sessions/{first}/stop", {})
        station.set_error(1, "OverCurrentFailure")

        system.wire.mend()
        await expect(banner).to_have_count(0)
        await expect(link(page)).to_have_text("Live")
        await expect(row).to_have_count(0)
        await expect(needing(page, "Bay LV4")).to_be_visible()
        station.set_error(1, "NoError")
        await expect(needing(page, "Bay LV4")).to_have_count(0)


async def test_it_heals_at_once_by_a_hand(system, windows):
    """The page's clock stands still once it is cut: only the button can heal it."""
    async with charger(system, "LV5") as station:
        page = await windows.open(system)
        await page.clock.install()
        await page.reload()
        await expect(link(page)).to_have_text("Live")
        windows.watch_of(page).expect(LOST)
        tries: list[WebSocket] = []
        page.on("websocket", lambda socket: tries.append(socket))
        system.wire.cut()
        again = page.get_by_role("alert").get_by_role("button", name="Try now", exact=True)
        await expect(again).to_be_visible()
        # well ahead: it goes on until it stands still
        await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 120"))
        await wait_until(lambda: all(each.is_closed() for each in tries), 30)
        system.wire.mend()
        await charge(system, station)
        await expect(link(page)).to_have_text("Cut off")
        await again.click()
        await expect(link(page)).to_have_text("Live")
        await expect(charging(page, "Bay LV5")).to_be_visible()


async def test_a_line_that_is_silent_is_found_out(system, windows):
    """Nobody says that it is cut: both ends only hear nothing any more."""
    page = await windows.open(system)
    await page.clock.install()
    await page.reload()
    await expect(link(page)).to_have_text("Live")
    windows.watch_of(page).expect(LOST)
    system.wire.freeze()
    await page.clock.fast_forward("00:30")
    banner = page.get_by_role("alert").filter(has_text="Connection lost")
    # what was on its way begins the 20 s of silence anew, and 5 s are given to an answer
    await expect(banner).to_be_visible(timeout=60_000)
    system.wire.mend()
    await expect(link(page)).to_have_text("Live", timeout=30_000)
