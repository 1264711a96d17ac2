"""What nobody knows of a charger that is away; and many of one trouble among others."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.browser.looks import shot
from tests.browser.stations import charge, charger


async def test_the_last_power_of_a_charger_that_is_away_is_not_shown_as_its_present_one(
    system, windows, accessibility
):
    async with charger(system, "W1") as station:
        session = await charge(system, station)
        overview = await windows.open(system)
        running = overview.get_by_role("region", name="Charging now").get_by_role("row")
        await expect(running.filter(has_text="Bay W1")).to_contain_text("11.0 kW")
        detail = await windows.open(system, f"/sessions/{session}")
        facts = detail.get_by_role("main").locator("dl").first
        await expect(facts).to_contain_text("11.0 kW")
        station.go_offline()
        await expect(running.filter(has_text="Bay W1")).to_contain_text("offline")
        await expect(running.filter(has_text="Bay W1")).not_to_contain_text("11.0 kW")
        await expect(overview.get_by_text("1 not measured now", exact=True)).to_be_visible()
        await expect(facts.locator("div").filter(has_text="Power")).to_have_text("Poweroffline")
        await accessibility.no_violations(overview)
        await overview.goto("/sessions")
        row = overview.get_by_role("row").filter(has_text="Bay W1")
        await expect(row).to_contain_text("offline")
        await shot(overview, "sessions-away")
        station.go_online()
        await expect(row).to_contain_text("11.0 kW")
        await expect(facts).to_contain_text("11.0 kW")


async def test_many_of_one_trouble_hide_none_of_another(system, windows, accessibility):
    for number in range(7):
        with pytest.raises(InvalidStatus):
            await connect(f"{system.serving.ocpp_url}/STRANGER-{number}", subprotocols=["ocpp1.6"])
    async with charger(system, "W2") as station:
        station.set_error(1, "GroundFailure")
        page = await windows.open(system)
        needs = page.get_by_role("region", name="Needs you")
        await expect(needs.get_by_text("Connector 1 of Bay W2 is faulted.")).to_be_visible()
        refused = needs.locator("li[data-kind=refusedConnection]")
        more = needs.get_by_role("button", name=re.compile(r"^\d+ more that were refused$"))
        await expect(more).to_be_visible()
        await expect(refused).to_have_count(3)
        await more.focus()
        await page.keyboard.press("Enter")
        fewer = needs.get_by_role("button", name="Show fewer", exact=True)
        await expect(fewer).to_have_attribute("aria-expanded", "true")
        assert await refused.count() >= 7
        await accessibility.no_violations(page)
        await fewer.click()
        await expect(refused).to_have_count(3)
