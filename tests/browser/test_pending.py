"""What a charger has not done is not shown as done: late answers, refusals, a line that goes."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.looks import shot
from tests.browser.puppet import again, puppet

START, STOP = "RemoteStartTransaction", "RemoteStopTransaction"


def connector(page: Page) -> Locator:
    return page.get_by_role("region", name="Connector 1", exact=True)


def button(scope: Page | Locator, name: str) -> Locator:
    return scope.get_by_role("button", name=name, exact=True)


async def ask_to_start(page: Page) -> Locator:
    """Open the dialog of connector 1 and send it; returns the dialog."""
    await button(connector(page), "Start").click()
    dialog = page.get_by_role("dialog")
    await button(dialog, "Start").click()
    return dialog


async def test_a_start_that_is_answered_late_and_done_later(system, windows):
    async with puppet(system, "PU1", START) as doll:
        page = await windows.open(system, "/stations/PU1")
        dialog = await ask_to_start(page)
        asked = await doll.hears(START)
        await expect(dialog.locator("button[type=submit]")).to_have_attribute(
            "data-loading", "true"
        )
        await expect(connector(page).get_by_text("Available", exact=True)).to_be_visible()
        await asked.answer(status="Accepted")
        await expect(dialog).to_be_hidden()
        starting = button(connector(page), "Starting …")
        await expect(starting).to_have_attribute("aria-busy", "true")
        await doll.shows("Preparing")
        await expect(connector(page).get_by_text("Preparing", exact=True)).to_be_visible()
        await expect(starting).to_be_visible()
        await expect(connector(page).get_by_text("Session", exact=True)).to_have_count(0)
        await doll.starts(asked.payload["idTag"])
        await expect(button(connector(page), "Stop")).to_be_visible()
        await expect(connector(page).get_by_text("7.0 kW").first).to_be_visible()


async def test_a_start_that_is_refused_or_lost_on_its_way(system, windows):
    async with puppet(system, "PU2", START) as doll:
        page = await windows.open(system, "/stations/PU2")
        windows.watch_of(page).expect("status of (409|504)")
        dialog = await ask_to_start(page)
        await (await doll.hears(START)).answer(status="Rejected")
        await expect(dialog.get_by_role("alert")).to_contain_text("Rejected")
        await button(dialog, "Start").click()
        await doll.hears(START)
        await doll.vanishes()
        await expect(dialog.get_by_role("alert")).not_to_contain_text("Rejected")
        await expect(dialog.get_by_role("alert")).to_be_visible()
        await shot(page, "start-lost")
        await button(dialog, "Cancel").click()
        away = "Nothing can be done from here while the station is offline."
        await expect(connector(page).get_by_text(away, exact=True)).to_be_visible()
    assert (await system.ask("GET", "/api/sessions?stationId=PU2"))["items"] == []


async def test_a_stop_is_pending_until_the_session_is_over(system, windows):
    async with puppet(system, "PU3", STOP) as doll:
        number = await doll.starts("SOMEBODY")
        page = await windows.open(system, f"/sessions/{number}")
        windows.watch_of(page).expect("status of 409")
        await button(page, "Stop").click()
        await (await doll.hears(STOP)).answer(status="Rejected")
        await expect(page.get_by_text("This did not work", exact=True)).to_be_visible()
        await button(page, "Stop").click()
        asked = await doll.hears(STOP)
        stopping = button(page, "Stopping …")
        await expect(stopping).to_have_attribute("aria-busy", "true")
        await asked.answer(status="Accepted")
        await expect(stopping).to_have_attribute("data-phase", "waiting")
        await expect(page.get_by_text("Completed", exact=True)).to_have_count(0)
        await doll.stops(number)
        await expect(page.get_by_text("Completed", exact=True)).to_be_visible()
        await expect(stopping).to_have_count(0)


async def test_a_connector_is_out_of_service_once_the_charger_says_so(system, windows):
    async with puppet(system, "PU4", "ChangeAvailability") as doll:
        page = await windows.open(system, "/stations/PU4")
        one = connector(page)
        await button(one, "Out of service").click()
        await (await doll.hears("ChangeAvailability")).answer(status="Accepted")
        going = button(one, "Going out of service …")
        await expect(going).to_have_attribute("data-phase", "waiting")
        await expect(one.get_by_text("Available", exact=True)).to_be_visible()
        await doll.shows("Unavailable")
        await expect(button(one, "Back in service")).to_be_visible()


async def test_a_restart_is_done_when_the_charger_is_back(system, windows):
    async with puppet(system, "PU5", "Reset") as doll:
        page = await windows.open(system, "/stations/PU5")
        await button(page, "Restart").click()
        await (await doll.hears("Reset")).answer(status="Accepted")
        await expect(button(page, "Restarting …")).to_be_disabled()
        await doll.vanishes()
        await expect(button(page, "Restarting …")).to_be_visible()
    async with again(system, "PU5"):
        await expect(button(page, "Restart")).to_be_enabled()
