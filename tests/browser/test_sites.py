"""The pages of sites: who gets what and why, what would be otherwise, how it is set up."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, expect

from tests.app.bench import TOKEN
from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.stations import charge, charger

UNPROCESSABLE = "status of 422"


def part(page: Page, name: str):
    return page.get_by_role("region", name=name, exact=True)


async def test_who_gets_what_and_why(system, windows, accessibility):
    site = {
        "id": "dock",
        "name": "Dock",
        "gridCapacityKw": 40,
        "gridLimitA": 63,
        "circuits": [{"id": "pier", "name": "North pier", "limitKw": 15}],
    }
    await system.ask("POST", "/api/sites", site)
    async with charger(system, "P1", site="dock") as one, charger(system, "P2", site="dock") as two:
        for each in (one, two):
            await system.ask("PATCH", f"/api/stations/{each.identity}", {"circuitId": "pier"})
            await charge(system, each)
        page = await windows.open(system, "/sites")
        row = page.get_by_role("row").filter(has_text="Dock")
        await expect(row).to_contain_text(re.compile(r"1[0-5]\.\d kW\s*40\.0 kW"), timeout=30_000)
        await accessibility.no_violations(page)
        await row.get_by_role("link", name="Dock", exact=True).click()

        await expect(page.get_by_role("img", name=re.compile("Power of Dock"))).to_be_visible()
        sessions = part(page, "Sessions")
        why = sessions.get_by_role(
            "button", name="Fair share of the circuit North pier", exact=True
        )
        await expect(why).to_have_count(2)
        await why.first.click()
        await expect(sessions.get_by_text("so each gets an equal part")).to_be_visible()
        told = sessions.get_by_role("list", name="Decided for it, the newest first", exact=True)
        await expect(told.get_by_role("listitem").first).to_contain_text("kW")
        circuits = part(page, "Circuits")
        await expect(
            circuits.get_by_role("meter", name="Load of North pier", exact=True)
        ).to_be_visible()
        phases = circuits.get_by_role("list", name="Phases of Grid connection", exact=True)
        await expect(phases.get_by_role("listitem")).to_have_count(3)
        await expect(phases).to_contain_text("of 63.0 A")
        await accessibility.no_violations(page)
        await shot(page, "site", whole=True)
        phone = await windows.open(system, "/sites/dock", viewport=PHONE, color_scheme="dark")
        await expect(
            phone.get_by_role("meter", name="Load of North pier", exact=True)
        ).to_be_visible()
        await expect(phone.get_by_role("img", name=re.compile("Power of Dock"))).to_be_visible()
        await accessibility.no_violations(phone)
        await shot(phone, "site-phone-dark", whole=True)


async def test_what_if_is_seen_before_it_is_saved_and_then_done_by_the_charger(
    system, windows, accessibility
):
    await system.ask("POST", "/api/sites", {"id": "yard", "name": "Yard", "gridCapacityKw": 22})
    async with charger(system, "Y1", site="yard") as station, charger(system, "Y2", site="yard"):
        await charge(system, station)
        page = await windows.open(system, "/sites/yard")
        share = part(page, "Sessions").get_by_role("row").filter(has_text="Bay Y1")
        await expect(share).to_contain_text("11.0 kW of", timeout=30_000)
        await page.get_by_role("tab", name="What if", exact=True).click()
        await page.get_by_label("Grid connection, kW").fill("6.9")
        decided = part(page, "What would be decided")
        row = decided.get_by_role("row").filter(has_text="Bay Y1")
        await expect(row).to_contain_text("6.9 kW")
        assert (await system.ask("GET", "/api/sites/yard"))["gridCapacityKw"] == 22

        await page.get_by_role("combobox", name="Cars that come", exact=True).click()
        await page.get_by_role("option", name="Bay Y2 · 1", exact=True).click()
        await page.keyboard.press("Escape")
        await expect(decided.get_by_role("row").filter(has_text="supposed")).to_be_visible()
        await shot(page, "site-what-if")
        await accessibility.no_violations(page)

        await page.get_by_role("button", name="Save the limits", exact=True).click()
        await page.get_by_role("tab", name="Now", exact=True).click()
        await expect(share).to_contain_text("6.9 kW of 6.9 kW", timeout=30_000)
        async with asyncio.timeout(30):
            await station.wait_for(lambda state: state.connectors[1].limit == 10.0)
        assert (await system.ask("GET", "/api/sites/yard"))["gridCapacityKw"] == 6.9


async def test_what_is_not_safe_is_said_at_the_field_and_stays_typed(
    system, windows, accessibility
):
    await system.ask("POST", "/api/sites", {"id": "hall", "name": "Hall", "gridCapacityKw": 20})
    body = {"identity": "H1", "name": "Hall 1", "maxKw": 22, "connectors": 2, "siteId": "hall"}
    await system.ask("POST", "/api/stations", body)
    page = await windows.open(system, "/sites/hall?tab=setup")
    windows.watch_of(page).expect(UNPROCESSABLE)
    rules = part(page, "Rules")
    field = rules.get_by_label("Fallback share, A")
    await field.fill("32")
    await expect(page.get_by_text("The site would not be safe")).to_be_visible()
    await rules.get_by_role("button", name="Save", exact=True).click()
    await expect(rules.get_by_text("if all 2 connectors of the site fell back")).to_be_visible()
    await expect(field).to_have_value("32")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await shot(page, "site-unsafe", whole=True)
    await accessibility.no_violations(page)

    setup = part(page, "Connection, circuits and batteries")
    await setup.get_by_role("button", name="Add a circuit", exact=True).click()
    await setup.get_by_role("button", name="Save", exact=True).click()
    row = setup.get_by_role("group", name="Circuit 1", exact=True)
    await expect(row.get_by_text("This is needed")).to_have_count(2)
    await row.get_by_label("Id").fill("loop")
    await setup.get_by_label("Limit, kW").fill("10")
    await setup.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    (circuit,) = (await system.ask("GET", "/api/sites/hall"))["circuits"]
    assert (circuit["id"], circuit["limitKw"]) == ("loop", 10)


async def test_a_limit_from_outside_holds_and_ends_and_the_meter_is_heard(
    system, windows, accessibility
):
    await system.ask("POST", "/api/sites", {"id": "mill", "name": "Mill", "gridCapacityKw": 50})
    page = await windows.open(system, "/sites/mill?tab=limits")
    await page.get_by_role("button", name="Add a limit", exact=True).click()
    form = page.get_by_role("form", name="Add a limit", exact=True)
    await form.get_by_role("button", name="Add", exact=True).click()
    await expect(form.get_by_text("This is needed")).to_be_visible()
    await form.get_by_label("Limit, kW").fill("12")
    await form.get_by_label("Why").fill("section 14a")
    await form.get_by_role("button", name="Add", exact=True).click()
    row = page.get_by_role("row").filter(has_text="section 14a")
    await expect(row).to_contain_text("Holds")
    await expect(page.get_by_text("A limit holds")).to_be_visible()
    await system.ask("POST", "/api/sites/mill/meter", {"powerKw": -3.2, "solarKw": 4.4})
    meter = part(page, "Site meter")
    await expect(meter).to_contain_text("3.2 kW out, into the grid")
    await expect(meter).to_contain_text("Solar panels give4.4 kW")
    await shot(page, "site-limits")
    await accessibility.no_violations(page)
    await row.get_by_role("button", name="End now", exact=True).click()
    await expect(row).to_contain_text("Over")
    await page.get_by_role("tab", name="Now", exact=True).click()
    solar = page.get_by_role("definition").filter(has_text="as the site meter has told")
    await expect(solar).to_be_visible()
    await expect(page.get_by_text("A limit holds")).to_have_count(0)


async def test_a_new_site_gets_its_stations_and_viewers_only_look(system, windows, accessibility):
    await system.ask("POST", "/api/stations", {"identity": "N1", "name": "New bay", "maxKw": 11})
    page = await windows.open(system, "/sites")
    await page.get_by_role("button", name="Add a site", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a site", exact=True)
    await dialog.get_by_label("Name").fill("Wharf")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_text("This is needed")).to_be_visible()
    await dialog.get_by_label("Grid connection, kW").fill("30")
    await accessibility.no_violations(page)
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("heading", name="Wharf", level=1, exact=True)).to_be_visible()
    await expect(page.get_by_text("No station is assigned yet.")).to_be_visible()
    await page.get_by_role("combobox", name="Assign stations", exact=True).click()
    await page.get_by_role("option", name="New bay", exact=True).click()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Assign", exact=True).click()
    await expect(
        part(page, "Stations").get_by_role("row").filter(has_text="New bay")
    ).to_be_visible()

    seen = await windows.open(system, page.url, token=await system.key("viewer"))
    await expect(
        part(seen, "Stations").get_by_role("row").filter(has_text="New bay")
    ).to_be_visible()
    await expect(seen.get_by_role("tab", name="What if", exact=True)).to_have_count(0)
    for name in ("Save", "Assign", "Take out", "Remove the site"):
        await expect(seen.get_by_role("button", name=name, exact=True)).to_have_count(0)
    await accessibility.no_violations(seen)


async def test_a_browser_without_a_language_draws_too(system, windows):
    """Chromium calls it so where the machine has none (LANG=C); then `Intl` throws."""
    await system.ask("POST", "/api/sites", {"id": "dock", "name": "Dock", "gridCapacityKw": 40})
    context, _ = await windows.window(system)
    await context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'language',"
        " {configurable: true, get: () => 'en-US@posix'})"
    )
    await context.request.get(f"/sign-in?token={TOKEN}", max_redirects=0)
    page = await context.new_page()
    await page.goto("/sites/dock")
    await expect(page.get_by_role("heading", name="Dock", exact=True)).to_be_visible()
    await expect(part(page, "Sessions")).to_contain_text("No car is charging here now")
    await page.goto("/sites")
    await expect(page.get_by_text("1 grid connection, shared by its stations")).to_be_visible()
