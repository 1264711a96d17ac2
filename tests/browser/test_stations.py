"""The pages of stations: all that can be seen of one and told to it, and calls to many."""

from __future__ import annotations

from playwright.async_api import Page, expect

from simulator.vehicle import Vehicle
from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, fits, shot
from tests.browser.stations import charge, charger
from tests.waiting import wait_until

TABS = ["Calls", "Configuration", "Firmware and files", "Security", "Local list", "Diary", "Quirks"]


def connector(page: Page, number: int = 1):
    return page.get_by_role("region", name=f"Connector {number}", exact=True)


async def open_tab(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name, exact=True).click()
    await expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    await expect(page.get_by_label("Loading")).to_have_count(0)


async def test_what_a_station_does_and_is_told(system, windows, accessibility):
    async with charger(system, "T1") as station:
        page = await windows.open(system, "/stations")
        await page.get_by_role("link", name="Bay T1", exact=True).click()
        await expect(
            page.get_by_role("heading", level=1, name="Bay T1", exact=True)
        ).to_be_visible()
        one = connector(page)
        await expect(one.get_by_text("Available", exact=True)).to_be_visible()

        await one.get_by_role("button", name="Out of service", exact=True).click()
        await expect(one.get_by_text("Out of service", exact=True)).to_be_visible()
        await one.get_by_role("button", name="Back in service", exact=True).click()
        await expect(one.get_by_text("Available", exact=True)).to_be_visible()

        await charge(system, station)
        await expect(one.get_by_text("Charging", exact=True)).to_be_visible()
        await expect(one.get_by_text("11.0 kW").first).to_be_visible()
        await shot(page, "station")
        await one.get_by_role("button", name="Stop", exact=True).click()
        await expect(one.get_by_role("button", name="Start", exact=True)).to_be_visible()
        station.unplug(1)
        station.plug(1, Vehicle(onboard_a=16))
        await one.get_by_role("button", name="Start", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
        await expect(one.get_by_text("Charging", exact=True)).to_be_visible()
        await expect(one.get_by_role("button", name="Stop", exact=True)).to_be_visible()

        for tab in TABS:
            await open_tab(page, tab)
            await shot(page, f"station-{tab.lower().replace(' ', '-')}")
            await accessibility.no_violations(page)
        await dark(page)
        await page.set_viewport_size(PHONE)
        for tab in ["Now", *TABS]:
            await open_tab(page, tab)
            await accessibility.no_violations(page)
            await fits(page, tab)
        await shot(page, "station-phone-dark")


async def test_a_call_by_its_form(system, windows, accessibility):
    async with charger(system, "T2"):
        page = await windows.open(system, "/stations/T2?tab=calls")
        await page.get_by_role("button", name="SetChargingProfile").click()
        form = page.get_by_role("region", name="Set a charging profile")
        await form.get_by_role("button", name="Send", exact=True).click()
        await expect(form.get_by_text("This is needed").first).to_be_visible()
        await accessibility.no_violations(page)

        await form.get_by_label("Connector id").fill("1")
        await form.get_by_label("Charging profile id").fill("7")
        await form.get_by_label("Stack level").fill("low")
        for name, value in (
            ("Charging profile purpose", "TxDefaultProfile"),
            ("Charging profile kind", "Relative"),
            ("Charging rate unit", "A"),
        ):
            await form.get_by_role("combobox", name=name, exact=True).click()
            await page.get_by_role("option", name=value, exact=True).click()
        await form.get_by_label("Start period").fill("0")
        await form.get_by_label("Limit").fill("6.5")
        await form.get_by_role("button", name="Send", exact=True).click()
        await expect(form.get_by_text("Must be a whole number")).to_be_visible()
        await expect(form.get_by_label("Stack level")).to_have_value("low")
        await form.get_by_label("Stack level").fill("0")
        await form.get_by_text("JSON", exact=True).click()
        await expect(form.get_by_label("Payload as JSON")).to_have_value(
            '{\n  "connectorId": 1,\n  "csChargingProfiles": {\n    "chargingProfileId": 7,\n'
            '    "stackLevel": 0,\n    "chargingProfilePurpose": "TxDefaultProfile",\n'
            '    "chargingProfileKind": "Relative",\n    "chargingSchedule": {\n'
            '      "chargingRateUnit": "A",\n      "chargingSchedulePeriod": [\n        {\n'
            '          "startPeriod": 0,\n          "limit": 6.5\n        }\n      ]\n    }\n  }\n}'
        )
        await form.get_by_role("button", name="Send", exact=True).click()
        await expect(form.get_by_role("status", name="Answer")).to_contain_text("Accepted")
        await shot(page, "station-call")
        (sent,) = [
            each
            for each in (await system.ask("GET", "/api/stations/T2/calls"))["items"]
            if each["action"] == "SetChargingProfile"
        ]
        assert sent["payload"]["csChargingProfiles"]["stackLevel"] == 0

        windows.watch_of(page).expect("422")
        await form.get_by_label("Payload as JSON").fill('{"connectorId": "one"}')
        await form.get_by_role("button", name="Send", exact=True).click()
        await expect(form.get_by_text("connectorId: Must be of type integer")).to_be_visible()


async def test_configuration_until_the_station_has_it(system, windows):
    async with charger(system, "T3") as station:
        page = await windows.open(system, "/stations/T3?tab=configuration")
        await page.get_by_role("button", name="Read from the station", exact=True).click()
        row = page.get_by_role("row").filter(has_text="HeartbeatInterval")
        await page.get_by_label("Filter by key or value").fill("heartbeat")
        await row.get_by_role("button", name="Set HeartbeatInterval", exact=True).click()
        await page.get_by_label("Shall be").fill("77")
        await page.get_by_role("button", name="Set", exact=True).click()
        await expect(row.get_by_text("As it shall be")).to_be_visible()
        assert station.configuration.text("HeartbeatInterval") == "77"


async def test_one_call_to_many(system, windows, accessibility):
    async with charger(system, "T5"), charger(system, "T6"):
        await system.ask("POST", "/api/stations", {"identity": "T7", "name": "Away", "maxKw": 22})
        page = await windows.open(system, "/stations")
        for name in ("Bay T5", "Bay T6", "Away"):
            await page.get_by_label(f"Choose {name}", exact=True).check()
        await page.get_by_role("button", name="Send a call to 3 …", exact=True).click()
        await page.get_by_role("combobox", name="Call", exact=True).click()
        await page.get_by_role("option", name="(ClearCache)").click()
        online = page.get_by_label("Only those that are online")
        await online.press("Space")
        await expect(online).not_to_be_checked()
        await page.get_by_role("button", name="See who would get it", exact=True).click()
        await expect(page.get_by_text("3 stations match, 2 online")).to_be_visible()
        await shot(page, "bulk-preview")
        await accessibility.no_violations(page)
        await page.get_by_role("button", name="Send to 3 stations", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text("100 % done")).to_be_visible()
        stations = page.get_by_role("region", name="Stations").last
        await expect(stations.get_by_role("row").filter(has_text="T5")).to_contain_text("Accepted")
        await expect(stations.get_by_role("row").filter(has_text="T7")).to_contain_text("Offline")
        await shot(page, "bulk")
        await accessibility.no_violations(page)


async def test_stations_come_by_hand_and_from_a_file(system, windows, accessibility):
    page = await windows.open(system, "/stations")
    await page.wait_for_load_state("networkidle")  # the page draws its head anew when it knows all
    await expect(page.get_by_text("Loading …")).to_have_count(0)
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("menuitem", name="Import from CSV", exact=True).click()
    await page.get_by_label("Or paste it here").fill(
        "identity,name,maxKw\nF1,File 1,22\nF2,File 2,much\n"
    )
    await page.get_by_role("button", name="Look what would come of it", exact=True).click()
    await expect(page.get_by_text("Nothing has been kept yet")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="F2")).to_contain_text("maxKw")
    await shot(page, "stations-import")
    await accessibility.no_violations(page)
    await page.get_by_role("button", name="Import 1 row", exact=True).click()
    await expect(page.get_by_text("Added: 1")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()

    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("menuitem", name="Add a station by hand", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a station", exact=True)
    await dialog.get_by_label("Identity").fill("F1")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_text("This is needed")).to_be_visible()
    await dialog.get_by_label("Name").fill("By hand")
    # 404: its page, asked for by its own clock in the moment in which the station goes
    windows.watch_of(page).expect("status of (409|404)")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Identity").fill("F3")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="By hand", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog", name="Edit By hand", exact=True)
    await dialog.get_by_label("Most power, kW").fill("11")
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("11.0 kW", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete By hand?", exact=True)
    await dialog.get_by_role("button", name="Delete", exact=True).click()

    async def gone() -> bool:
        found = (await system.ask("GET", "/api/stations"))["items"]
        return "F3" not in [each["id"] for each in found]

    await wait_until(gone, 30)


async def test_a_viewer_changes_nothing(system, windows):
    async with charger(system, "T4"):
        page = await windows.open(system, "/stations", token=await system.key("viewer"))
        await page.get_by_role("link", name="Bay T4", exact=True).click()
        await expect(connector(page).get_by_text("Available", exact=True)).to_be_visible()
        for tab in ["Now", *TABS]:
            await open_tab(page, tab)
            for button in ("Start", "Restart", "Edit", "Delete", "Send", "Reserve", "Change"):
                await expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)
            await expect(
                page.get_by_role("button", name="Read from the station", exact=True)
            ).to_have_count(0)
