"""The simulator's page, with the simulator behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
from playwright.async_api import Page, expect

from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.emulator_api import emulator_routes
from simulator.serving import listening
from tests.browser.cockpit import PHONE, System, Windows
from tests.browser.looks import shot
from tests.ports import steady_port
from tests.waiting import wait_until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def awaiting(start_system) -> AsyncIterator[tuple[System, int]]:
    """A central system that expects a simulator on a port of this machine."""
    port = steady_port()
    async with start_system(simulator_url=f"http://127.0.0.1:{port}") as system:
        yield system, port


@pytest_asyncio.fixture(loop_scope="session")
async def simulated(awaiting: tuple[System, int], windows: Windows) -> AsyncIterator[System]:
    """An empty central system with its simulator."""
    system, port = awaiting
    async with emulator(port):
        yield system
        await windows.close()
    await system.empty()


@asynccontextmanager
async def emulator(port: int) -> AsyncIterator[None]:
    """Run a simulator that makes charge points up on request."""
    made = Emulator(meter_interval_s=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        routes = [*emulator_routes(made), *Panel(lambda: made.stations, made.clock).routes()]
        async with listening(routes, "127.0.0.1", port):
            try:
                yield
            finally:
                for plugged in made.plugged:
                    made.remove(plugged, patience_s=0)
                made.stop()


def connector(page: Page, identity: str, number: int = 1):
    return page.get_by_role("region", name=f"{identity}, connector {number}", exact=True)


async def test_from_an_empty_system_to_a_charging_car_in_two_clicks(
    simulated, windows, accessibility
):
    page = await windows.open(simulated)
    await page.get_by_role("navigation").get_by_role("link", name="Simulator", exact=True).click()
    await expect(
        page.get_by_role("heading", name="No charge points yet", exact=True)
    ).to_be_visible()
    await shot(page, "simulator-empty")
    await accessibility.no_violations(page)
    await page.get_by_role("button", name="Charge a car", exact=True).click()
    one = connector(page, "SIM-000001")
    await expect(one.get_by_text("Charging", exact=True)).to_be_visible()
    await expect(one.get_by_text("11.0 kW")).to_be_visible()
    session = (await simulated.ask("GET", "/api/sessions"))["items"][0]
    assert (session["status"], session["stationId"]) == ("active", "SIM-000001")
    await expect(page.get_by_text(f"session {session['id']}")).to_be_visible()
    await shot(page, "simulator")
    await accessibility.no_violations(page)


async def test_what_drivers_and_weather_do(simulated, windows, accessibility):
    page = await windows.open(simulated, "/simulator")
    await page.get_by_role("button", name="Charge a car", exact=True).click()
    one = connector(page, "SIM-000001")
    await expect(one.get_by_text("Charging", exact=True)).to_be_visible()

    await one.get_by_role("button", name="Unplug", exact=True).click()
    await expect(one.get_by_text("Available", exact=True)).to_be_visible()

    async def told() -> bool:
        session = (await simulated.ask("GET", "/api/sessions"))["items"][0]
        return session["stopReason"] == "EVDisconnected"

    await wait_until(told, 30)

    await one.get_by_role("button", name="Plug in", exact=True).click()
    await expect(one.get_by_text("Preparing", exact=True)).to_be_visible()
    await one.get_by_role("button", name="Present tag …", exact=True).click()
    windows.watch_of(page).expect("409")
    await page.get_by_role("button", name="Hold it to the reader", exact=True).click()
    await expect(page.get_by_text("Enter an id tag")).to_be_visible()
    await page.get_by_label("Id tag", exact=True).fill("STRANGER")
    await page.get_by_role("button", name="Hold it to the reader", exact=True).click()
    await expect(page.get_by_text("Not let in")).to_be_visible()
    await accessibility.no_violations(page)
    await simulated.ask("POST", "/api/id-tags", {"idTag": "FRIEND"})
    await page.get_by_label("Id tag", exact=True).fill("FRIEND")
    await page.get_by_role("button", name="Hold it to the reader", exact=True).click()
    await expect(one.get_by_text("Charging", exact=True)).to_be_visible()

    level = one.get_by_role("slider", name="Charge level")
    await level.focus()
    await level.press("End")
    await expect(one.get_by_text("Paused by car")).to_be_visible()

    await one.get_by_role("button", name="Fault at SIM-000001, connector 1", exact=True).click()
    await page.get_by_role("menuitem", name="GroundFailure", exact=True).click()
    await expect(one.get_by_text("Faulted", exact=True)).to_be_visible()
    await shot(page, "simulator-fault")
    await one.get_by_role("button", name="Repair", exact=True).click()
    await expect(one.get_by_text("Faulted", exact=True)).to_be_hidden()

    card = page.get_by_role("region", name="SIM-000001", exact=True)
    await page.get_by_role("button", name="Actions for SIM-000001", exact=True).click()
    await page.get_by_role("menuitem", name="Pull the network cable", exact=True).click()
    await expect(card.get_by_text("Cable pulled", exact=True)).to_be_visible()

    async def offline() -> bool:
        return not (await simulated.ask("GET", "/api/stations/SIM-000001"))["online"]

    await wait_until(offline, 30)
    await page.get_by_role("button", name="Actions for SIM-000001", exact=True).click()
    await page.get_by_role("menuitem", name="Plug the network cable", exact=True).click()
    await expect(card.get_by_text("Online", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Actions for SIM-000001", exact=True).click()
    await page.get_by_role("menuitem", name="Faults and quirks").click()
    await page.get_by_label("Find a fault or quirk").fill("empty text frame")
    frames = page.get_by_role("switch", name="empty-frames", exact=True)
    await frames.press("Space")
    await expect(frames).to_be_checked()
    await shot(page, "simulator-quirks")
    await page.keyboard.press("Escape")
    await expect(card.get_by_text("empty-frames", exact=True)).to_be_visible()
    await page.set_viewport_size(PHONE)
    await shot(page, "simulator-phone")
    await accessibility.no_violations(page)


async def test_a_viewer_watches_only(simulated, windows):
    await simulated.ask(
        "POST", "/api/stations", {"identity": "S1", "name": "S1", "maxKw": 22, "quiet": False}
    )
    await simulated.ask("POST", "/api/simulator/plug", {"chargePoint": "S1"})
    page = await windows.open(simulated, "/simulator", token=await simulated.key("viewer"))
    await expect(connector(page, "S1").get_by_text("Preparing")).to_be_visible()
    for button in ("Charge a car", "Unplug", "Present tag …", "Actions for S1"):
        await expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)


async def test_without_a_simulator_the_page_says_how(system, windows):
    page = await windows.open(system, "/simulator")
    await expect(page.get_by_role("heading", name="No simulator is connected")).to_be_visible()
    entry = page.get_by_role("navigation").get_by_role("link", name="Simulator", exact=True)
    await expect(entry).to_have_count(0)


async def test_a_simulator_that_is_away_is_said_to_be(awaiting, windows):
    system, _ = awaiting
    page = await windows.open(system, "/simulator")
    await expect(page.get_by_role("heading", name="The simulator does not answer")).to_be_visible()
    entry = page.get_by_role("navigation").get_by_role("link", name="Simulator", exact=True)
    await expect(entry).to_have_count(1)
