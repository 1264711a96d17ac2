"""OCPP messages once more: read again, sent again, a stretch of them played again."""

from __future__ import annotations

import json

from playwright.async_api import expect
from websockets.asyncio.client import connect

from simulator.clock import RealClock
from simulator.replays import Replays
from simulator.replays_api import replay_routes
from simulator.serving import listening
from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, fits, shot
from tests.browser.stations import charge, charger, logged


async def test_a_message_is_read_once_more_beside_what_was_made_of_it(
    system, windows, accessibility
):
    await system.ask("POST", "/api/stations", {"identity": "M3", "name": "Bay M3", "maxKw": 22})
    url = f"{system.serving.ocpp_url}/M3"
    async with connect(url, subprotocols=["ocpp1.6"]) as socket:
        boot = {"chargePointVendor": "V", "chargePointModel": "M"}
        status = {"connectorId": "1", "status": "available", "errorCode": "NoError"}
        for number, call in enumerate((("BootNotification", boot), ("StatusNotification", status))):
            await socket.send(json.dumps([2, str(number), *call]))
        await logged(system, "stationId=M3&repair=any")
        viewer = await system.key("viewer")
        page = await windows.open(system, "/messages?view=log&stationId=M3", token=viewer)
        found = page.get_by_role("region", name="Logged messages")
        await found.get_by_role("button", name="from the station: StatusNotification").click()
        drawer = page.get_by_role("dialog")
        await drawer.get_by_role("button", name="Read once more").click()
        await expect(drawer.get_by_text("It would be read just as it was then.")).to_be_visible()
        strictly = drawer.get_by_role("region", name="Strictly, today")
        await expect(strictly).to_contain_text("Refused: TypeConstraintViolation")
        await expect(strictly).to_contain_text("connectorId must be of type integer")
        repaired = drawer.get_by_role("region", name="With repairs, today")
        await expect(repaired).to_contain_text("as this station is read")
        await expect(repaired).to_contain_text("number_from_text")
        await accessibility.no_violations(page)
        await shot(page, "message-read-again")
        await expect(drawer.get_by_role("button", name="Send again")).to_have_count(0)


async def test_a_call_is_sent_again_after_a_question(system, windows, accessibility):
    async with charger(system, "M4") as station:
        change = {"key": "HeartbeatInterval", "value": "77"}
        await system.ask("POST", "/api/stations/M4/calls/ChangeConfiguration", change)
        secret = {"key": "AuthorizationKey", "value": "0123456789abcdef"}
        await system.ask("POST", "/api/stations/M4/calls/ChangeConfiguration", secret)
        sent = "stationId=M4&action=ChangeConfiguration&direction=out"
        for key in ("HeartbeatInterval", "AuthorizationKey"):
            await logged(system, f"{sent}&text={key}")
        page = await windows.open(system, "/messages?view=log&stationId=M4&text=HeartbeatInterval")
        found = page.get_by_role("region", name="Logged messages")
        await found.get_by_role("button", name="to the station: ChangeConfiguration").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
        form = page.get_by_role("region", name="Change a configuration key")
        await expect(form.get_by_label("Value")).to_have_value("77")
        await expect(form.get_by_role("note")).to_contain_text("Filled with what was sent on")
        await form.get_by_label("Value").fill("78")
        await form.get_by_role("button", name="Send").click()
        question = page.get_by_role("dialog")
        await expect(question).to_contain_text("It is sent once more")
        assert station.configuration.text("HeartbeatInterval") == "77", "nobody has agreed yet"
        await accessibility.no_violations(page)
        await shot(page, "message-send-again")
        await question.get_by_role("button", name="Send").click()
        await expect(form.get_by_role("status", name="Answer")).to_contain_text("Accepted")
        assert station.configuration.text("HeartbeatInterval") == "78"
        (audited, *_) = (await system.ask("GET", "/api/audit?action=call"))["items"]
        assert audited["objectId"] == "M4"

        # the log has no secrets: nobody sends their mask
        await page.goto("/messages?view=log&stationId=M4&text=AuthorizationKey&direction=out")
        await found.get_by_role("button", name="to the station: ChangeConfiguration").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
        await expect(form.get_by_label("Value")).to_have_value("***")
        await form.get_by_role("button", name="Send").click()
        await question.get_by_role("button", name="Send").click()
        await expect(form.get_by_text("The log has masked it: type it again")).to_be_visible()


async def test_a_stretch_is_played_again(start_system, windows, accessibility):
    async with (
        Replays(RealClock()) as replays,
        listening(replay_routes(replays), "127.0.0.1", 0) as port,
        start_system(quiet="false", simulator_url=f"http://127.0.0.1:{port}") as system,
        charger(system, "M5") as station,
    ):
        session = await charge(system, station)
        await system.ask("POST", f"/api/sessions/{session}/stop", {})
        page = await windows.open(system, "/messages?stationId=M5")
        await page.get_by_role("button", name="Play again").click()
        await expect(page.get_by_role("heading", name="Play messages again")).to_be_visible()
        await page.get_by_role("button", name="Play", exact=True).click()
        played = page.get_by_role("region", name="Messages of M5, played as REPLAY-M5")
        await expect(played.get_by_text("Played", exact=True)).to_be_visible(timeout=30_000)
        await expect(played.get_by_role("progressbar")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "replay", whole=True)

        windows.watch_of(page).expect("409")
        await page.get_by_role("textbox", name="Played as").fill("M5")
        await expect(page.get_by_text("Bay M5 is a station, and it is connected")).to_be_visible()
        await page.get_by_role("button", name="Play", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("M5 is connected")
        await page.get_by_role("button", name="Play as M5 all the same").click()
        await expect(page.get_by_role("dialog")).to_contain_text("loses its connection")
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await page.set_viewport_size(PHONE)
        await dark(page)
        await accessibility.no_violations(page)
        await fits(page, "playing again")
        await shot(page, "replay-phone-dark", whole=True)
