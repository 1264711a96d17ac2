"""In a browser: sessions exported whole, changes told before and after, reservations live."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.looks import shot
from tests.browser.puppet import puppet

RESERVE = "ReserveNow"


async def test_sessions_are_filtered_and_exported_as_a_whole(system, windows, accessibility):
    async with puppet(system, "RE1") as doll:
        for tag in ("04A", "04B"):
            await system.ask("POST", "/api/id-tags", {"idTag": tag, "name": f"Owner of {tag}"})
            await doll.stops(await doll.starts(tag))
        page = await windows.open(system, "/sessions?status=completed&stationId=RE1")
        table = page.get_by_role("region", name="Ended sessions", exact=True)
        await expect(table.get_by_role("row")).to_have_count(3)
        row = table.get_by_role("row").filter(has_text="04A")
        await expect(row).to_contain_text("€0.00")
        await expect(row).to_contain_text("€0.30")
        await accessibility.no_violations(page)
        await shot(page, "sessions-ended")
        # a part of the owner's name finds the tag
        await page.get_by_role("combobox", name="Id tag", exact=True).fill("owner of 04B")
        await page.get_by_role("option", name="04B Owner of 04B", exact=True).click()
        await expect(table.get_by_role("row")).to_have_count(2)
        async with page.expect_download() as saved:
            await page.get_by_role("button", name="CSV", exact=True).click()
        text = (await (await saved.value).path()).read_text()
        header, line = text.splitlines()
        told = dict(zip(header.split(","), line.split(","), strict=True))
        assert (told["idTag"], told["cost"], told["currency"]) == ("04B", "0.0", "EUR")
        assert told["pricePerKwh"] == "0.3"
        await page.get_by_label("From", exact=True).fill("2020-01-01")
        await page.get_by_label("To", exact=True).fill("2020-01-02")
        await expect(
            page.get_by_role("heading", name="No session passes the filter")
        ).to_be_visible()
        await page.get_by_role("button", name="Show all", exact=True).click()
        await expect(table.get_by_text("04A", exact=True).first).to_be_visible()


async def test_stops_that_fit_no_session_are_told(system, windows, accessibility):
    async with puppet(system, "RE6") as doll:
        now = "2026-03-01T12:00:00Z"
        await doll.says(
            "StopTransaction", transactionId=2_000_000_001, meterStop=12_500, timestamp=now
        )
        page = await windows.open(
            system, "/unmatched-stops?stationId=RE6", token=await system.key("viewer")
        )
        stops = page.get_by_role("region", name="Stops that fit no session", exact=True)
        await expect(stops).to_contain_text("Number 2000000001, meter at 12.5 kWh")
        await expect(stops).to_contain_text("it began in another system")
        await stops.get_by_role("button", name="Show the StopTransaction").click()
        await expect(stops.locator("pre")).to_contain_text('"meterStop": 12500')
        await accessibility.no_violations(page)
        await shot(page, "unmatched-stops")


async def test_a_change_is_told_before_and_after(system, windows, accessibility):
    body = {"identity": "RE2", "name": "Bay RE2", "maxKw": 11}
    await system.ask("POST", "/api/stations", body)
    await system.ask("PATCH", "/api/stations/RE2", {"maxKw": 22, "quiet": False})
    page = await windows.open(system, "/audit?objectId=RE2")
    row = page.get_by_role("row").filter(has_text="changed station RE2")
    await expect(row).to_contain_text("Most power: 11.0 kW → 22.0 kW")
    await expect(row).not_to_contain_text("max_power_w")
    await expect(row).not_to_contain_text("Quiet")  # it was so before
    await accessibility.no_violations(page)
    await shot(page, "audit-changes")


async def test_settings_tell_what_is_set_and_what_else_would_hold(system, windows):
    page = await windows.open(system, "/settings")
    row = page.get_by_role("row").filter(has_text="CSMS_OCPP_PORT")
    await expect(row).to_contain_text("default: 9000")
    await expect(row).to_contain_text("it is set")
    usual = page.get_by_role("row").filter(has_text="CSMS_CURRENCY")
    await expect(usual).to_contain_text("the default")
    await expect(usual.get_by_text("EUR", exact=True)).to_have_count(1)
    await page.get_by_role("switch", name="Only what is set", exact=True).check()
    await expect(usual).to_have_count(0)
    await expect(row).to_be_visible()


async def test_a_reservation_is_pending_until_the_station_answers(system, windows):
    async with puppet(system, "RE3", RESERVE) as doll:
        page = await windows.open(system, "/reservations?stationId=RE3")
        other = await windows.open(system, "/stations/RE3")
        await page.get_by_role("button", name="Reserve", exact=True).first.click()
        dialog = page.get_by_role("dialog", name="Reserve", exact=True)
        await dialog.get_by_label("Id tag").fill("04KEEP")
        await dialog.get_by_role("button", name="Reserve", exact=True).click()
        asked = await doll.hears(RESERVE)
        await expect(dialog.get_by_text("Waiting for the station's answer")).to_be_visible()
        await dialog.get_by_role("button", name="Close", exact=True).last.click()
        table = page.get_by_role("region", name="Reservations", exact=True)
        await expect(table.get_by_text("Asking …", exact=True)).to_be_visible()
        await shot(page, "reservation-pending")
        await asked.answer(status="Accepted")
        # the notice goes by itself, the list may be asked later
        await expect(page.get_by_text("The station keeps it for 04KEEP.")).to_be_visible()
        await expect(table.get_by_text("Active", exact=True)).to_be_visible()
        # what happens at the charger is followed, here and elsewhere
        await doll.shows("Reserved")
        there = other.get_by_role("region", name="Reservations", exact=True).first
        await expect(there.get_by_text("Active", exact=True)).to_be_visible()
        await doll.starts("04KEEP")
        await expect(table.get_by_text("Used", exact=True)).to_be_visible()


async def test_a_refusal_of_a_reservation_is_told_and_what_was_typed_stays(system, windows):
    async with puppet(system, "RE4", RESERVE) as doll:
        page = await windows.open(system, "/reservations?stationId=RE4")
        await page.get_by_role("button", name="Reserve", exact=True).first.click()
        dialog = page.get_by_role("dialog", name="Reserve", exact=True)
        await dialog.get_by_label("Id tag").fill("04NO")
        await dialog.get_by_role("button", name="Reserve", exact=True).click()
        await (await doll.hears(RESERVE)).answer(status="Occupied")
        await expect(dialog.get_by_role("alert")).to_contain_text("refused")
        await expect(dialog.get_by_label("Id tag")).to_have_value("04NO")
