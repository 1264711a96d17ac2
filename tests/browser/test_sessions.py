"""A session's page: live, stopped by a click, closed by hand with a reason."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from playwright.async_api import expect
from websockets.asyncio.client import connect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.stations import charge, charger


async def test_a_session_is_watched_and_stopped(system, windows, accessibility):
    async with charger(system, "SE1") as station:
        number = await charge(system, station)
        page = await windows.open(system, "/sessions")
        table = page.get_by_role("region", name="Running sessions", exact=True)
        row = table.get_by_role("row").filter(has_text="Bay SE1")
        await expect(row).to_contain_text("11.0 kW")
        await accessibility.no_violations(page)
        await shot(page, "sessions")
        await row.get_by_role("link", name="Bay SE1", exact=True).click()
        await expect(
            page.get_by_role("heading", name=f"Session {number}", exact=True)
        ).to_be_visible()
        await expect(page.get_by_role("region", name="Power", exact=True)).to_be_visible()
        timeline = page.get_by_role("region", name="What has happened", exact=True)
        await timeline.get_by_role("button", name="Show", exact=True).first.click()
        await expect(timeline.get_by_text('[2,"').first).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "session")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.get_by_text("Completed", exact=True)).to_be_visible()
        await expect(page.get_by_text("Remote", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
        await shot(page, "session-ended")
        await page.goto("/sessions?status=completed")
        ended = page.get_by_role("region", name="Ended sessions", exact=True)
        await expect(ended.get_by_role("link", name="Bay SE1", exact=True)).to_be_visible()


async def test_a_stuck_session_is_closed_by_hand(system, windows, accessibility):
    await system.ask("POST", "/api/stations", {"identity": "SE2", "name": "Bay SE2", "maxKw": 22})
    async with gone_while_charging(system, "SE2") as number:
        page = await windows.open(
            system, f"/sessions/{number}", viewport=PHONE, color_scheme="dark"
        )
        await page.get_by_role("button", name="Close by hand …", exact=True).click()
        dialog = page.get_by_role("dialog", name=f"Close session {number} by hand", exact=True)
        await dialog.get_by_label("Meter at the end").fill("much")
        await dialog.get_by_role("button", name="Close it", exact=True).click()
        await expect(dialog.get_by_text("A whole number of Wh.")).to_be_visible()
        await expect(dialog.get_by_text("Say why")).to_be_visible()
        await dialog.get_by_label("Meter at the end").fill("7000")
        await dialog.get_by_label("Reason").fill("the charger was dismantled")
        await accessibility.no_violations(page)
        await shot(page, "session-close")
        windows.watch_of(page).expect("status of 409")
        await dialog.get_by_role("button", name="Close it", exact=True).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("stop the session instead")
    # the charge point is gone; what was typed is still there
    await dialog.get_by_role("checkbox").check()
    await dialog.get_by_role("button", name="Close it", exact=True).click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("Closed by hand").first).to_be_visible()
    session = await system.ask("GET", f"/api/sessions/{number}")
    assert (session["status"], session["meterStopWh"]) == ("completed", 7000)
    await shot(page, "session-closed")


@asynccontextmanager
async def gone_while_charging(system, identity):
    """Give the session of a charge point that is gone afterwards without a word of its stop."""
    url = f"{system.serving.ocpp_url}/{identity}"
    async with connect(url, subprotocols=["ocpp1.6"]) as socket:

        async def call(action, **payload):
            await socket.send(json.dumps([2, action, action, payload]))
            while (answer := json.loads(await socket.recv()))[1] != action:
                pass  # a call of the server
            return answer[2]

        await call("BootNotification", chargePointVendor="V", chargePointModel="M")
        now = datetime.now(UTC).isoformat()
        started = await call(
            "StartTransaction", connectorId=1, idTag="T", meterStart=0, timestamp=now
        )
        await call("StatusNotification", connectorId=1, status="Charging", errorCode="NoError")
        yield started["transactionId"]


async def test_a_viewer_only_looks(system, windows):
    async with charger(system, "SE3") as station:
        number = await charge(system, station)
        token = await system.key("viewer")
        page = await windows.open(system, f"/sessions/{number}", token=token)
        await expect(
            page.get_by_role("heading", name=f"Session {number}", exact=True)
        ).to_be_visible()
        await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
        await expect(page.get_by_role("button", name="Close by hand …", exact=True)).to_have_count(
            0
        )
