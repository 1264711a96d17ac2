"""The simulator's page, with the simulator behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.emulator_api import emulator_routes
from simulator.serving import listening
from tests.browser.cockpit import PHONE, System
from tests.browser.looks import shot
from tests.waiting import wait_until


@asynccontextmanager
async def emulator() -> AsyncIterator[str]:
    """Give the address of a simulator that makes charge points up on request."""
    made = Emulator(meter_interval_s=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        routes = [*emulator_routes(made), *Panel(lambda: made.stations, made.clock).routes()]
        async with listening(routes, "127.0.0.1", 0) as port:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                for plugged in made.plugged:
                    made.remove(plugged, patience_s=0)
                made.stop()


@asynccontextmanager
async def with_emulator(start_system) -> AsyncIterator[System]:
    async with emulator() as url, start_system(simulator_url=url) as system:
        yield system


def connector(page: Page, identity: str, number: int = 1):
    return page.get_by_role("region", name=f"{identity}, connector {number}")


async def test_from_an_empty_system_to_a_charging_car_in_two_clicks(
    start_system, windows, accessibility
):
    async with with_emulator(start_system) as system:
        page = await windows.open(system)
        await page.get_by_role("navigation").get_by_role("link", name="Simulator").click()
        await expect(page.get_by_role("heading", name="No charge points yet")).to_be_visible()
        await shot(page, "simulator-empty")
        await accessibility.no_violations(page)
        await page.get_by_role("button", name="Charge a car").click()
        one = connector(page, "SIM-000001")
        await expect(one.get_by_text("Charging", exact=True)).to_be_visible()
        await expect(one.get_by_text("11.0 kW")).to_be_visible()
        (session,) = (await system.ask("GET", "/api/sessions"))["items"]
        assert (session["status"], session["stationId"]) == ("active", "SIM-000001")
        await expect(page.get_by_text(f"session {session['id']}")).to_be_visible()
        await shot(page, "simulator")
        await accessibility.no_violations(page)


async def test_what_drivers_and_weather_do(start_system, windows, accessibility):
    async with with_emulator(start_system) as system:
        page = await windows.open(system, "/simulator")
        await page.get_by_role("button", name="Charge a car").click()
        one = connector(page, "SIM-000001")
        await expect(one.get_by_text("Charging", exact=True)).to_be_visible()

        await one.get_by_role("button", name="Unplug").click()
        await expect(one.get_by_text("Available", exact=True)).to_be_visible()

        async def told() -> bool:
            (session,) = (await system.ask("GET", "/api/sessions"))["items"]
            return session["stopReason"] == "EVDisconnected"

        await wait_until(told)

        await one.get_by_role("button", name="Plug in").click()
        await expect(one.get_by_text("Preparing", exact=True)).to_be_visible()
        await one.get_by_role("button", name="Present tag").click()
        windows.watch_of(page).expect("409")
        await page.get_by_role("button", name="Hold it to the reader").click()
        await expect(page.get_by_text("Enter an id tag")).to_be_visible()
        await page.get_by_label("Id tag").fill("STRANGER")
        await page.get_by_role("button", name="Hold it to the reader").click()
        await expect(page.get_by_text("Not let in")).to_be_visible()
        await accessibility.no_violations(page)
        await system.ask("POST", "/api/id-tags", {"idTag": "FRIEND"})
        await page.get_by_label("Id tag").fill("FRIEND")
        await page.get_by_role("button", name="Hold it to the reader").click()
        await expect(one.get_by_text("Charging", exact=True)).to_be_visible()

        level = one.get_by_role("slider", name="Charge level")
        await level.focus()
        await level.press("End")
        await expect(one.get_by_text("Paused by car")).to_be_visible()

        await one.get_by_role("button", name="Fault at").click()
        await page.get_by_role("menuitem", name="GroundFailure").click()
        await expect(one.get_by_text("Faulted", exact=True)).to_be_visible()
        await shot(page, "simulator-fault")
        await one.get_by_role("button", name="Repair").click()
        await expect(one.get_by_text("Faulted", exact=True)).to_be_hidden()

        card = page.get_by_role("region", name="SIM-000001", exact=True)
        await page.get_by_role("button", name="Actions for SIM-000001").click()
        await page.get_by_role("menuitem", name="Pull the network cable").click()
        await expect(card.get_by_text("Cable pulled")).to_be_visible()

        async def offline() -> bool:
            return not (await system.ask("GET", "/api/stations/SIM-000001"))["online"]

        await wait_until(offline)
        await page.get_by_role("button", name="Actions for SIM-000001").click()
        await page.get_by_role("menuitem", name="Plug the network cable").click()
        await expect(card.get_by_text("Online")).to_be_visible()

        await page.get_by_role("button", name="Actions for SIM-000001").click()
        await page.get_by_role("menuitem", name="Faults and quirks").click()
        await page.get_by_label("Find a fault or quirk").fill("empty text frame")
        await page.get_by_role("switch", name="empty-frames").click(force=True)
        await expect(page.get_by_role("switch", name="empty-frames")).to_be_checked()
        await shot(page, "simulator-quirks")
        await page.keyboard.press("Escape")
        await expect(card.get_by_text("empty-frames")).to_be_visible()
        await page.set_viewport_size(PHONE)
        await shot(page, "simulator-phone")
        await accessibility.no_violations(page)


async def test_a_viewer_watches_only(start_system, windows):
    async with with_emulator(start_system) as system:
        await system.ask(
            "POST", "/api/stations", {"identity": "S1", "name": "S1", "maxKw": 22, "quiet": False}
        )
        await system.ask("POST", "/api/simulator/plug", {"chargePoint": "S1"})
        page = await windows.open(system, "/simulator", token=await system.key("viewer"))
        await expect(connector(page, "S1").get_by_text("Preparing")).to_be_visible()
        for button in ("Charge a car", "Unplug", "Present tag", "Actions for S1"):
            await expect(page.get_by_role("button", name=button)).to_have_count(0)


@pytest.mark.parametrize("configured", [False, True])
async def test_without_a_simulator_the_page_says_how(start_system, windows, free_port, configured):
    settings = {"simulator_url": f"http://127.0.0.1:{free_port}"} if configured else {}
    async with start_system(**settings) as system:
        page = await windows.open(system, "/simulator")
        entry = page.get_by_role("navigation").get_by_role("link", name="Simulator")
        title = "The simulator does not answer" if configured else "No simulator is connected"
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        await expect(entry).to_have_count(1 if configured else 0)
