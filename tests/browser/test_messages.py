"""OCPP messages: live, held still, searched, raw beside what was understood."""

from __future__ import annotations

import json
import re

from playwright.async_api import expect
from websockets.asyncio.client import connect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.puppet import puppet
from tests.browser.stations import charge, charger, logged

STATES = ("Available", "Preparing", "Faulted", "Finishing")


async def test_messages_are_seen_as_they_come_and_found_again(system, windows, accessibility):
    async with charger(system, "ME1", meter_interval_s=600) as station:
        page = await windows.open(system, "/messages?stationId=ME1")
        live = page.get_by_role("region", name="Live messages", exact=True)
        await charge(system, station)
        call = live.get_by_role("button", name="→ from the station: StartTransaction", exact=True)
        answer = page.get_by_role(
            "button", name="← to the station: StartTransaction answer", exact=True
        )
        await expect(call).to_be_visible()
        await expect(live.get_by_role("row").filter(has=answer)).to_contain_text(" ms")
        await accessibility.no_violations(page)
        await shot(page, "messages")

        await page.get_by_role("button", name="Pause", exact=True).click()
        await expect(page.get_by_text(re.compile("shown, held still$"))).to_be_visible()
        await call.click()
        drawer = page.get_by_role("dialog", name="StartTransaction", exact=True)
        await expect(
            drawer.get_by_role("heading", name="Call from the station", exact=True)
        ).to_be_visible()
        await expect(
            drawer.get_by_role("heading", name="Answer to the station", exact=True)
        ).to_be_visible()
        await expect(drawer.get_by_text('"idTagInfo"').first).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "message")
        await drawer.get_by_role("button", name="Close", exact=True).click()

        await page.get_by_role("search", name="Messages").get_by_text("Log", exact=True).click()
        await page.get_by_label("Text in the message").fill("meterStart")
        found = page.get_by_role("region", name="Logged messages", exact=True)
        await expect(found.get_by_role("button", name="StartTransaction")).to_have_count(1)
        await shot(page, "messages-search")
        await page.get_by_label("Text in the message").fill("nobody ever said this")
        await expect(page.get_by_role("heading", name="Nothing found", exact=True)).to_be_visible()


async def test_what_came_while_the_line_was_cut_is_there_afterwards(system, windows):
    async with puppet(system, "ME3") as doll:
        page = await windows.open(system, "/messages?stationId=ME3")
        windows.watch_of(page).expect("net::ERR_|WebSocket connection")
        live = page.get_by_role("region", name="Live messages", exact=True)
        told = live.get_by_role("row").filter(has_text="StatusNotification").filter(has_text="{")
        await expect(told.filter(has_text="Available")).to_be_visible()
        await doll.shows("Preparing")
        await expect(told.filter(has_text="Preparing")).to_be_visible()
        system.wire.cut()
        await expect(page.get_by_role("alert").filter(has_text="Connection lost")).to_be_visible()
        await doll.shows("Faulted")
        system.wire.mend()
        await expect(told.filter(has_text="Faulted")).to_be_visible()
        await doll.shows("Finishing")
        await expect(told.filter(has_text="Finishing")).to_be_visible()
        order = [await row.inner_text() for row in await told.all()]
        states = [state for text in order for state in STATES if state in text]
        assert states == ["Finishing", "Faulted", "Preparing", "Available"]


async def test_what_was_repaired_is_marked_and_shown_beside_what_was_sent(system, windows):
    await system.ask("POST", "/api/stations", {"identity": "ME2", "name": "Bay ME2", "maxKw": 22})
    url = f"{system.serving.ocpp_url}/ME2"
    async with connect(url, subprotocols=["ocpp1.6"]) as socket:
        boot = {"chargePointVendor": "V", "chargePointModel": "M"}
        await socket.send(json.dumps([2, "1", "BootNotification", boot]))
        status = {"connectorId": "1", "status": "available", "errorCode": "NoError"}
        await socket.send(json.dumps([2, "2", "StatusNotification", status]))
        await logged(system, "stationId=ME2&repair=any")
        page = await windows.open(
            system,
            "/messages?view=log&stationId=ME2&repair=any",
            viewport=PHONE,
            color_scheme="dark",
        )
        found = page.get_by_role("region", name="Logged messages", exact=True)
        sent = "→ from the station: StatusNotification"
        await found.get_by_role("button", name=sent, exact=True).click()
        drawer = page.get_by_role("dialog", name="StatusNotification", exact=True)
        await expect(drawer.get_by_text("As it was understood", exact=True)).to_be_visible()
        await expect(drawer.get_by_text(re.compile('"status": "Available"'))).to_be_visible()
        await expect(drawer.get_by_text(re.compile('"status": "available"'))).to_be_visible()
        await expect(drawer.get_by_text("As it was sent", exact=True)).to_be_visible()
        await shot(page, "message-repaired")
