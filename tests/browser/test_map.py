"""The map of the stations: groups, sites, states by shape, mouse and keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, shot
from tests.waiting import wait_until

WALL = {"width": 2560, "height": 1440}


@pytest.mark.timeout(400)
async def test_the_demo_on_the_map(demo, windows, accessibility):
    page = await windows.open(demo, "/stations?view=map")
    area = page.get_by_role("region", name="Map", exact=True)
    marks = area.get_by_role("button", name=re.compile("^[0-9]+ stations"))
    await expect(marks).to_have_count(3)
    await expect(area.get_by_text("Riverside garage", exact=True)).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "map")

    # a group is looked at from nearer, until its stations stand apart
    await area.get_by_role("button", name=re.compile("^12 stations at Riverside garage:")).click()
    bay = area.get_by_role("button", name=re.compile("^Garage bay 7:"))
    await expect(bay).to_be_visible()
    await shot(page, "map-garage")
    await accessibility.no_violations(page)
    before = await bay.bounding_box()
    await area.press("ArrowRight")

    async def moved() -> bool:
        now = await bay.bounding_box()
        return now is not None and now["x"] < before["x"] - 50

    await wait_until(moved, 30)
    await area.press("0")
    await expect(marks).to_have_count(3)

    await page.set_viewport_size(WALL)
    await area.get_by_role("button", name="Show all").click()
    await shot(page, "map-wall")
    await page.set_viewport_size(PHONE)
    await dark(page)
    await area.get_by_role("button", name="Show all").click()
    await accessibility.no_violations(page)
    await shot(page, "map-phone-dark")
    await area.get_by_role("button", name=re.compile("^4 stations")).press("Enter")
    await area.get_by_role("button", name=re.compile("^Fast charger 2:")).press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Fast charger 2")).to_be_visible()


async def test_stations_in_one_spot_are_listed(system, windows, accessibility):
    for number in (1, 2):
        body = {"identity": f"SPOT{number}", "name": f"Spot {number}", "maxKw": 22}
        await system.ask("POST", "/api/stations", body | {"location": {"lat": 52.5, "lon": 13.4}})
    page = await windows.open(system, "/stations?view=map&q=spot")
    await page.get_by_role("button", name="2 stations: 2 offline").click()
    listed = page.get_by_role("dialog", name="2 stations here")
    await expect(listed.get_by_role("link", name="Spot 1")).to_be_focused()
    await accessibility.no_violations(page)
    await shot(page, "map-one-spot")
    await page.keyboard.press("Escape")
    await expect(listed).to_have_count(0)
