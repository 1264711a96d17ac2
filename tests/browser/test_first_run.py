"""From an empty system to a charging car, without a word of documentation."""

from __future__ import annotations

from playwright.async_api import expect

from simulator.charge_point import ChargePointSimulator
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, shot


async def test_the_first_charger_is_let_in_named_and_started(start_system, windows, accessibility):
    async with start_system(accept_unknown_stations="false", quiet="false") as system:
        await system.ask("PUT", "/api/sites/depot/config", DEPOT)
        page = await windows.open(system)
        await page.get_by_role("link", name="Connect your first charger", exact=True).click()
        await page.get_by_label("What the charger is called").fill("WB-7")
        await page.get_by_label("Address of this machine").fill("ws://10.0.0.5")
        await expect(page.get_by_text("no ws://, no port")).to_be_visible()
        await page.get_by_label("Address of this machine").fill("10.0.0.5")
        address = page.get_by_role("status", name="Enter this address in the charger")
        await expect(address).to_have_text(
            system.serving.ocpp_url.replace("127.0.0.1", "10.0.0.5") + "/WB-7"
        )
        await expect(page.get_by_role("img", name="The address as QR code")).to_have_js_property(
            "complete", True
        )
        await expect(page.get_by_text("WB-7 has not tried yet")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "wizard")
        station = ChargePointSimulator(
            StationSettings(
                identity="WB-7",
                url=system.serving.ocpp_url,
                meter_interval_s=1,
                reconnect_max_s=2.0,
            )
        )
        async with station:
            await expect(page.get_by_text("was refused: no such station")).to_be_visible()
            await page.get_by_role("button", name="Let it in", exact=True).click()
            form = page.get_by_role("form", name="Let WB-7 in", exact=True)
            await form.get_by_label("Most power, kW").fill("much")
            await form.get_by_role("button", name="Let WB-7 in", exact=True).click()
            await expect(form.get_by_text("Must be a number")).to_be_visible()
            await form.get_by_label("Most power, kW").fill("22")
            await accessibility.no_violations(page)
            await shot(page, "wizard-refused")
            await form.get_by_role("button", name="Let WB-7 in", exact=True).click()
            await expect(page.get_by_text("WB-7 is connected")).to_be_visible(timeout=30_000)
            naming = page.get_by_role("form", name="Name and site", exact=True)
            await naming.get_by_label("Name").fill("Bay 7")
            await shot(page, "wizard-name")
            await naming.get_by_role("button", name="Save and go on", exact=True).click()
            await expect(page.get_by_text("Bay 7 is connected")).to_be_visible()
            await page.set_viewport_size(PHONE)
            await dark(page)
            station.plug(1, Vehicle(onboard_a=16))
            await page.get_by_role("button", name="Start", exact=True).click()
            await expect(page.get_by_text("Charging", exact=True)).to_be_visible()
            await expect(page.get_by_role("link", name="Session 1", exact=True)).to_be_visible()
            await accessibility.no_violations(page)
            await shot(page, "wizard-start")
            found = await system.ask("GET", "/api/stations/WB-7")
            assert (found["name"], found["siteId"], found["maxKw"]) == ("Bay 7", "depot", 22)
            await page.get_by_role("button", name="Stop", exact=True).click()
            await expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


async def test_who_is_expected_or_has_a_wrong_password(system, windows, accessibility):
    body = {"identity": "WB-1", "name": "Bay 1", "maxKw": 22, "password": "the right password"}
    await system.ask("POST", "/api/stations", body)
    settings = {"url": system.serving.ocpp_url, "reconnect_max_s": 2.0}
    wrong = StationSettings(identity="WB-1", password="not the right one", **settings)
    async with ChargePointSimulator(wrong):
        page = await windows.open(system, "/wizard", viewport=PHONE)
        await expect(page.get_by_text("was refused: wrong password")).to_be_visible()
        await expect(page.get_by_text("Set the station's password to")).to_be_visible()
        await expect(page.get_by_role("link", name="Its page", exact=True)).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "wizard-password")
    await page.get_by_label("What the charger is called").fill("WB-2")
    await page.get_by_role("button", name="Let it in when it comes", exact=True).click()
    await page.get_by_role("button", name="Let WB-2 in", exact=True).click()
    await expect(page.get_by_text("Waiting for WB-2")).to_be_visible()
    await page.get_by_role("button", name="Save and go on", exact=True).click()
    await expect(page.get_by_text("The charger is not connected")).to_be_visible()
    await shot(page, "wizard-expected")
    async with ChargePointSimulator(StationSettings(identity="WB-2", **settings)):
        await expect(page.get_by_text("WB-2 is connected")).to_be_visible()
        await expect(page.get_by_text("Connector 1", exact=True)).to_be_visible()


DEPOT = {
    "stationId": "depot",
    "gridCapacity": 100,
    "chargers": [],
    "battery": None,
}
