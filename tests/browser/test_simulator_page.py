"""The page that the simulator brings itself: for whoever has another central system."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from simulator.charge_point import ChargePointSimulator
from simulator.clock import RealClock
from simulator.control import Panel
from simulator.serving import listening
from simulator.settings import StationSettings
from tests.browser.looks import shot
from tests.simulator.central import Central


@asynccontextmanager
async def page_of_a_simulator(browser: Browser, width: int) -> AsyncIterator[tuple[Page, Central]]:
    async with Central().listening() as central:
        settings = StationSettings(
            identity="CP1", url=central.url, connectors=2, sets_clock=False, reboot_s=0.2
        )
        async with ChargePointSimulator(settings) as station:
            panel = Panel(lambda: [station], RealClock())
            async with listening(panel.routes(), "127.0.0.1", 0) as port:
                context = await browser.new_context(viewport={"width": width, "height": 900})
                page = await context.new_page()
                troubles: list[str] = []
                page.on("pageerror", lambda error: troubles.append(str(error)))
                await page.goto(f"http://127.0.0.1:{port}/ui")
                yield page, central
                await context.close()
                assert troubles == []


def fits(page: Page):
    """Whether nothing of the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_session_a_fault_and_a_quirk(browser, accessibility, width):
    async with page_of_a_simulator(browser, width) as (page, central):
        one = page.locator("article").first
        await expect(one.locator(".status")).to_have_text("Available")
        await one.get_by_role("button", name="Plug in", exact=True).click()
        await expect(one.locator(".status")).to_have_text("Preparing")
        await one.get_by_role("button", name="Present tag", exact=True).click()
        await expect(one.locator(".status")).to_have_text("Charging")
        await expect(one.locator(".power")).to_have_text("11.0 kW")
        await expect(one.locator(".current")).to_have_text("3 × 16 A · 230 V")
        assert central.of("StartTransaction")[0]["idTag"] == "SIM-TAG-0001"

        await one.get_by_label("Error code").select_option("GroundFailure")
        await one.get_by_role("button", name="Set error", exact=True).click()
        await expect(one.locator(".status")).to_have_text("Faulted · GroundFailure")
        await one.get_by_label("Error code").select_option("NoError")
        await one.get_by_role("button", name="Set error", exact=True).click()
        await expect(one.locator(".status")).to_have_text("Charging")

        await page.get_by_text("Faults and quirks").click()
        await page.get_by_label("Fault or quirk").select_option("latency")
        await expect(page.locator(".does")).to_contain_text("either way (ms 300")
        await page.get_by_role("button", name="Switch on", exact=True).click()
        await expect(page.locator(".odd")).to_have_text("latency")
        assert await fits(page)
        await shot(page, f"simulator-own-page-{width}")
        await accessibility.no_violations(page)
        await page.get_by_role("button", name="Switch off", exact=True).click()
        await expect(page.locator(".odd")).to_have_text("")

        await page.get_by_role("button", name="Pull network cable", exact=True).click()
        await expect(page.locator(".link")).to_have_text("cable pulled")
        await page.get_by_role("button", name="Plug network cable", exact=True).click()
        await expect(page.locator(".link")).to_have_text("Accepted")
        await one.get_by_role("button", name="Unplug", exact=True).click()
        await expect(one.locator(".status")).to_have_text("Available")
