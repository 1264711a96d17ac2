"""The table of stations: its choice in the address, by site, acted on together."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, fits, shot
from tests.browser.stations import charge, charger


async def test_a_choice_is_kept_in_the_address_and_acted_on(system, windows, accessibility):
    await system.ask("POST", "/api/sites", {"id": "quay", "name": "Quay", "gridCapacityKw": 50})
    async with charger(system, "MS1", "quay") as station, charger(system, "MS2"):
        await charge(system, station)
        page = await windows.open(system, "/stations?q=MS")
        table = page.get_by_role("region", name="Stations", exact=True)
        await page.get_by_label("By site").check()
        heading = table.get_by_role("row").filter(has_text="1 station")
        await expect(heading.first).to_contain_text("Quay 1 station, 1 charging at")
        await expect(heading.last).to_contain_text("Without a site")
        await table.get_by_role("button", name="Power").click()
        await accessibility.no_violations(page)
        await shot(page, "stations-by-site")
        await expect(page).to_have_url(re.compile("group=site"))
        await expect(page).to_have_url(re.compile("sort="))
        address = page.url
        again = await page.context.new_page()
        await again.goto(address)
        await expect(again.get_by_label("By site")).to_be_checked()
        await expect(again.get_by_role("row").filter(has_text="Quay 1 station")).to_be_visible()
        await expect(again.get_by_role("columnheader", name="Power")).to_have_attribute(
            "aria-sort", "descending"
        )
        await again.close()

        await page.get_by_label("Choose Bay MS2").check()
        await page.get_by_role("button", name="More to do with these stations").click()
        await page.get_by_role("menuitem", name="Restart").click()
        await expect(page.get_by_text("The 1 chosen in the list")).to_be_visible()
        await expect(page.get_by_role("combobox", name="Type")).to_have_value("Soft")
        await page.get_by_role("button", name="See who would get it").click()
        await expect(page.get_by_text("1 station matches, 1 online")).to_be_visible()

        await page.goto(address)
        await expect(heading.first).to_be_visible()
        await page.set_viewport_size(PHONE)
        await dark(page)
        await accessibility.no_violations(page)
        await fits(page, "the table by site")
        await shot(page, "stations-by-site-phone-dark")
