"""A session started and stopped by a click: pending until the charge point has really done it."""

from __future__ import annotations

from playwright.async_api import expect

from simulator.vehicle import Vehicle
from tests.browser.looks import shot
from tests.browser.stations import charger


async def test_started_once_the_cable_is_in_and_stopped(system, windows, accessibility):
    async with charger(system, "GO1") as station:
        page = await windows.open(system, "/stations")
        await page.get_by_role("link", name="Bay GO1", exact=True).click()
        connector = page.get_by_role("region", name="Connector 1", exact=True)
        await connector.get_by_role("button", name="Start", exact=True).click()
        dialog = page.get_by_role("dialog", name="Start at Bay GO1, connector 1", exact=True)
        await accessibility.no_violations(page)
        await dialog.get_by_role("button", name="Start", exact=True).click()
        await expect(dialog).to_be_hidden()

        # accepted is not started: the charge point waits for the cable
        pending = connector.get_by_role("button", name="Starting …", exact=True)
        await expect(pending).to_have_attribute("aria-busy", "true")
        assert (await system.ask("GET", "/api/sessions?stationId=GO1"))["items"] == []
        await shot(page, "station-starting")
        station.plug(1, Vehicle(onboard_a=16))
        await expect(connector.get_by_text("Charging", exact=True)).to_be_visible()
        await expect(pending).to_have_count(0)
        await expect(connector.get_by_text("11.0 kW").first).to_be_visible()
        await shot(page, "station-charging")

        await connector.get_by_role("button", name="Stop", exact=True).click()
        await expect(connector.get_by_role("button", name="Start", exact=True)).to_be_visible()
        (session,) = (await system.ask("GET", "/api/sessions?stationId=GO1"))["items"]
        assert (session["status"], session["stopReason"]) == ("completed", "Remote")
        await expect(connector.get_by_text("Finishing", exact=True)).to_be_visible()
        station.unplug(1)
        await expect(connector.get_by_text("Available", exact=True)).to_be_visible()


async def test_a_refusal_is_told_and_what_was_typed_stays(system, windows):
    async with charger(system, "GO2") as station:
        page = await windows.open(system, "/stations/GO2")
        connector = page.get_by_role("region", name="Connector 1", exact=True)
        await connector.get_by_role("button", name="Start", exact=True).click()
        dialog = page.get_by_role("dialog", name="Start at Bay GO2, connector 1", exact=True)
        await dialog.get_by_label("Id tag").fill("SOMEBODY")
        station.set_error(1, "GroundFailure")
        windows.watch_of(page).expect("status of 409")
        await dialog.get_by_role("button", name="Start", exact=True).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("Rejected")
        await expect(dialog.get_by_label("Id tag")).to_have_value("SOMEBODY")
