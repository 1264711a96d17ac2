"""The operator's page about drivers' pages: what they may do, and the codes."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot


async def test_what_drivers_may_do_and_the_codes(system, windows, accessibility):
    await system.ask(
        "POST", "/api/sites", {"id": "dp", "name": "Harbour garage", "gridCapacityKw": 100}
    )
    for number in (1, 2):
        body = {"identity": f"DP-{number}", "name": f"Berth {number}", "maxKw": 22}
        await system.ask("POST", "/api/stations", {**body, "siteId": "dp", "connectors": 2})
    page = await windows.open(system, "/driver-pages")
    await expect(page.get_by_role("heading", level=1, name="Driver pages")).to_be_visible()
    choice = page.get_by_role("combobox", name="What drivers may do at Harbour garage", exact=True)
    await expect(choice).to_have_value("As the system says: no page")
    await choice.click()
    await page.get_by_role("option", name="Anybody may start", exact=True).click()
    await expect(choice).to_have_value("Anybody may start")
    rules = await system.ask("GET", "/api/stations/DP-1/driver-page")
    assert rules["effective"]["access"] == "open"

    await page.get_by_role("combobox", name="Station", exact=True).click()
    await page.get_by_role("option", name="Berth 2").click()
    own = page.get_by_role("combobox", name="What drivers may do at Berth 2", exact=True)
    await expect(own).to_have_value("As the site says: anybody may start")
    await expect(page.get_by_role("img", name="QR code of connector 2", exact=True)).to_be_visible()
    await expect(page.get_by_text("CSMS_PUBLIC_URL")).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "driver-pages", whole=True)
    phone = await windows.open(system, "/driver-pages", viewport=PHONE, color_scheme="dark")
    await expect(phone.get_by_role("combobox", name="Station", exact=True)).to_be_visible()
    await accessibility.no_violations(phone)
    await shot(phone, "driver-pages-phone-dark", whole=True)
    await page.get_by_role("checkbox", name="A start at Harbour garage takes a cable").click()
    await expect(
        page.get_by_role("checkbox", name="A start at Berth 2 takes a cable")
    ).to_be_checked()


async def test_viewers_see_and_change_nothing(system, windows):
    await system.ask("POST", "/api/sites", {"id": "dv", "name": "Quay", "gridCapacityKw": 100})
    page = await windows.open(system, "/driver-pages", token=await system.key("viewer"))
    choice = page.get_by_role("combobox", name="What drivers may do at Quay", exact=True)
    await expect(choice).to_be_disabled()
