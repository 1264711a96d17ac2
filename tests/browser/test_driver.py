"""A connector's page on a phone, against a real server and a simulated charger."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, expect

from csms.api.driver_texts import LANGUAGES, Texts
from simulator.charge_point import ChargePointSimulator
from simulator.settings import StationSettings
from simulator.supply import Supply
from simulator.vehicle import Vehicle
from tests.browser.cockpit import PHONE, System
from tests.browser.looks import shot
from tests.waiting import wait_until

NARROW = {"width": 320, "height": 640}
_NUMBERS = itertools.count(1)
_BUDGET_BYTES = 30_000


@pytest.fixture
def charger(system: System):
    """Makes connected simulated chargers whose pages are open."""

    @asynccontextmanager
    async def make(
        *, access: str = "open", name: str = "Garage bay", **settings: Any
    ) -> AsyncIterator[ChargePointSimulator]:
        identity = f"PAGE-{next(_NUMBERS)}"
        await system.ask(
            "POST",
            "/api/stations",
            {
                "identity": identity,
                "name": name,
                "maxKw": 22,
                "connectors": 1,
                "connectorType": "Type 2",
            },
        )
        await system.ask("PATCH", f"/api/stations/{identity}/driver-page", {"access": access})
        given = {"meter_interval_s": 1, "reconnect_min_s": 0.1, "reconnect_max_s": 0.3} | settings
        station = ChargePointSimulator(
            StationSettings(identity=identity, url=system.serving.ocpp_url, **given)
        )
        async with station:
            await station.until_registered()
            yield station

    return make


Charger = AbstractAsyncContextManager[ChargePointSimulator]


def path(station: ChargePointSimulator) -> str:
    return f"/c/{station.identity}/1"


async def opened(windows, system: System, station: ChargePointSimulator, **options: Any) -> Page:
    given = {"viewport": PHONE, "has_touch": True} | options
    return await windows.open(system, path(station), token=None, **given)


def car(**more: Any) -> Vehicle:
    return Vehicle(battery_wh=60_000, stored_wh=24_000, **more)


async def headline(page: Page, text: str | re.Pattern[str]) -> None:
    await expect(page.locator(".state h2")).to_have_text(text)


async def test_a_driver_charges_from_scan_to_end(system, windows, charger, accessibility):
    fast = Supply(current_type="DC", voltage_v=400, max_w=50_000)
    async with charger(speed=30, supply=fast) as station:
        page = await opened(windows, system, station)
        await headline(page, "Free")
        await expect(page.locator(".price")).to_contain_text("per kWh")
        await accessibility.no_violations(page)
        await shot(page, "driver-free")
        station.plug(1, car())
        await headline(page, "Ready to start")

        await page.get_by_role("button", name="Start charging", exact=True).click()
        await headline(page, re.compile("Starting|Charging"))
        await expect(page.get_by_role("button", name="Start charging", exact=True)).to_have_count(0)
        await headline(page, "Charging")
        await expect(page.locator("[data-key=power] dd")).to_have_text(
            re.compile(r"[1-9]\d*\.\d\skW")
        )
        await expect(page.locator("[data-key=energy] dd")).not_to_have_text("0.00 kWh")
        await expect(page.locator(".level")).to_have_text(re.compile(r"\d+\s%"))
        await expect(page.locator(".battery")).to_contain_text(re.compile(r"(80|100) % at about"))
        await accessibility.no_violations(page)
        await shot(page, "driver-charging", whole=True)

        await page.get_by_role("button", name="Stop charging", exact=True).click()
        await headline(page, "Charging has ended")
        await expect(page.locator(".state p")).to_have_text("You stopped it.")
        await expect(page.locator("[data-key=cost] dt")).to_have_text("Total")
        await wait_until(lambda: station.state.connectors[1].status == "Finishing", 30)
        sessions = await system.ask("GET", f"/api/sessions?stationId={station.identity}")
        assert [each["status"] for each in sessions["items"]] == ["completed"]
        await accessibility.no_violations(page)
        await shot(page, "driver-done", whole=True)


async def test_the_charger_waits_for_the_cable(system, windows, charger):
    async with charger() as station:
        page = await opened(windows, system, station)
        await page.get_by_role("button", name="Start charging", exact=True).click()
        await headline(page, "Starting")
        await expect(page.locator(".state p")).to_contain_text("plug it in now")
        await shot(page, "driver-waits-for-cable")
        station.plug(1, car())
        await headline(page, "Charging")


async def test_a_stranger_sees_only_that_it_is_in_use(system, windows, charger, accessibility):
    async with charger() as station:
        station.plug(1, car())
        mine = await opened(windows, system, station)
        await mine.get_by_role("button", name="Start charging", exact=True).click()
        await headline(mine, "Charging")
        stranger = await opened(windows, system, station)
        await headline(stranger, "In use")
        await expect(stranger.get_by_role("button", name=re.compile("Start|Stop"))).to_have_count(0)
        await expect(stranger.locator(".session")).to_have_count(0)
        refused = await stranger.evaluate(
            """path => fetch(`${path}/stop`, {method: 'POST', body: '{}',
                headers: {'Content-Type': 'application/json'}}).then((answer) => answer.status)""",
            path(station),
        )
        assert refused == 404
        windows.watch_of(stranger).expect("404")
        await headline(mine, "Charging")
        await accessibility.no_violations(stranger)
        await shot(stranger, "driver-in-use")
        await mine.reload()  # whoever started it finds it again
        await expect(mine.get_by_role("button", name="Stop charging", exact=True)).to_be_visible()


async def test_the_line_is_cut_and_heals(system, windows, charger):
    async with charger() as station:
        station.plug(1, car())
        page = await opened(windows, system, station)
        await page.get_by_role("button", name="Start charging", exact=True).click()
        await headline(page, "Charging")
        system.wire.cut()
        try:
            await expect(page.get_by_text("Connection lost")).to_be_visible()
            await shot(page, "driver-lost")
            station.unplug(1)
        finally:
            system.wire.mend()
        await headline(page, "Charging has ended")
        await expect(page.locator(".state p")).to_have_text("The car was unplugged.")
        await expect(page.get_by_text("Connection lost")).to_have_count(0)
        windows.watch_of(page).expect("ERR_")


async def test_faults_in_plain_words(system, windows, charger, accessibility):
    async with charger() as station:
        page = await opened(windows, system, station)
        station.set_error(1, "GroundFailure")
        await headline(page, "Out of order")
        await expect(page.locator(".fault")).to_contain_text("switched off for your safety")
        await expect(page.get_by_role("button", name="Start charging", exact=True)).to_have_count(0)
        await accessibility.no_violations(page)
        await shot(page, "driver-fault")
        station.set_error(1, "NoError")
        await headline(page, "Free")
        station.go_offline()
        await headline(page, "No connection to the charger")
        station.go_online()
        await headline(page, "Free")


async def test_the_code_of_a_card(system, windows, charger, accessibility):
    async with charger(access="idTag") as station:
        await system.ask("POST", "/api/id-tags", {"idTag": f"CARD-{station.identity}"})
        station.plug(1, car())
        page = await opened(windows, system, station)
        button = page.get_by_role("button", name="Start with this code", exact=True)
        field = page.get_by_label("Code of your card")
        await button.click()
        await expect(page.get_by_role("alert")).to_have_text("Enter the code of your card.")
        await field.fill("MISTYPED")
        await button.click()
        await expect(page.get_by_role("alert")).to_contain_text("cannot be used here")
        await expect(field).to_have_value("MISTYPED")
        await expect(field).to_be_focused()
        await accessibility.no_violations(page)
        await shot(page, "driver-code")
        windows.watch_of(page).expect("403")
        await field.fill(f"card-{station.identity}".lower())
        await button.click()
        await headline(page, "Charging")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_language_light_and_dark(system, windows, charger, accessibility, language):
    say = Texts(language).say
    async with charger(name="Tiefgarage Rathausplatz, Stellplatz 14") as station:
        station.plug(1, car())
        page = await opened(
            windows, system, station, locale=language, viewport=NARROW, color_scheme="dark"
        )
        assert await page.locator("html").get_attribute("lang") == language
        await page.get_by_role("button", name=say("action.start"), exact=True).click()
        await headline(page, say("charging"))
        await expect(page.locator("[data-key=power] dd")).not_to_have_text("–")
        await accessibility.no_violations(page)
        await shot(page, f"driver-{language}-dark-320", whole=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        await page.emulate_media(color_scheme="light")
        await accessibility.no_violations(page, colours_only=True)
        await shot(page, f"driver-{language}-light-320", whole=True)
        other = LANGUAGES[(LANGUAGES.index(language) + 1) % len(LANGUAGES)]
        await page.get_by_role("link", name=other.upper(), exact=True).click()
        await headline(page, Texts(other).say("charging"))
        await page.goto(path(station))  # the choice stays
        await headline(page, Texts(other).say("charging"))


async def test_without_script_and_how_much_comes_over_the_line(system, windows, charger):
    async with charger() as station:
        plain = await opened(windows, system, station, java_script_enabled=False)
        await headline(plain, "Free")
        await expect(plain.locator(".price")).to_have_text("€0.30 per kWh")
        assert "this page needs JavaScript" in await plain.content()
        await shot(plain, "driver-no-script")

        page = await opened(windows, system, station)
        await headline(page, "Free")
        sizes = await page.evaluate(
            """() => [...performance.getEntriesByType('navigation'),
                      ...performance.getEntriesByType('resource')]
                .filter((each) => !each.name.endsWith('/events'))
                .map((each) => [new URL(each.name).pathname, each.transferSize])"""
        )
        assert len(sizes) >= 3, sizes
        assert sum(size for _, size in sizes) < _BUDGET_BYTES, sizes


async def test_a_page_that_is_not_offered(system, windows, accessibility):
    page = await windows.open(system, "/c/NOBODY/1", token=None, viewport=PHONE, locale="fr")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Aucune page pour cette borne")
    await accessibility.no_violations(page)
    await shot(page, "driver-missing")
    windows.watch_of(page).expect("404")


async def test_the_codes_to_print(system, windows, charger, accessibility):
    async with charger(name="Bay 7", supply=Supply()) as station:
        sheet = f"/api/stations/{station.identity}/qr-sheet"
        page = await windows.open(system, sheet)
        await expect(page.get_by_text(f"{system.url}{path(station)}")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "driver-qr-sheet")
