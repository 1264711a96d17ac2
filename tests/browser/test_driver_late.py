"""A driver's page over a slow line, and with a charger that answers late, refuses or is gone."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from csms.api.driver_texts import LANGUAGES, Texts
from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.puppet import again, puppet

START, STOP = "RemoteStartTransaction", "RemoteStopTransaction"
SAY = Texts("en").say
# what a phone has at the edge of its net: 400 kbit/s down, 200 up, 400 ms there and back
SLOW = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 25_000,
}


@asynccontextmanager
async def offered(system, identity: str):
    """Give a charge point whose page is open to anybody, with a car at it."""
    async with puppet(system, identity, START, STOP) as doll:
        await system.ask("PATCH", f"/api/stations/{identity}/driver-page", {"access": "open"})
        await doll.shows("Preparing")
        yield doll


async def opened(windows, system, identity: str, **options) -> Page:
    options = {"viewport": PHONE, "has_touch": True} | options
    return await windows.open(system, f"/c/{identity}/1", token=None, **options)


async def says(page: Page, headline: str, sentence: str | None = None, language="en") -> None:
    say = Texts(language).say
    await expect(page.locator(".state h2")).to_have_text(say(headline))
    if sentence is not None:
        await expect(page.locator(".state p")).to_have_text(say(sentence))


def button(page: Page, key: str):
    return page.get_by_role("button", name=SAY(key), exact=True)


async def test_a_start_is_asked_for_agreed_to_and_done(system, windows):
    async with offered(system, "DL1") as doll:
        page = await opened(windows, system, "DL1")
        await says(page, "state.plugged")
        await button(page, "action.start").click()
        asked = await doll.hears(START)
        await says(page, "starting", "starting.asking")
        await expect(button(page, "action.starting")).to_be_disabled()
        await asked.answer(status="Accepted")
        await says(page, "starting", "starting.waiting")
        await expect(page.locator(".session")).to_have_count(0)
        await doll.starts(asked.payload["idTag"])
        await says(page, "charging", "charging.text")
        await expect(page.locator("[data-key=power] dd")).to_have_text("7.0 kW")


async def test_a_start_that_is_refused_can_be_tried_again(system, windows, accessibility):
    async with offered(system, "DL2") as doll:
        page = await opened(windows, system, "DL2")
        await button(page, "action.start").click()
        await (await doll.hears(START)).answer(status="Rejected")
        await says(page, "failed", "problem.rejected")
        await accessibility.no_violations(page)
        await shot(page, "driver-refused")
        await button(page, "action.again").click()
        asked = await doll.hears(START)
        await says(page, "starting", "starting.asking")
        await doll.vanishes()
        await says(page, "failed", "problem.noAnswer")
        await expect(button(page, "action.again")).to_have_count(0)
    # what was asked for before the line went is still done, and seen
    async with again(system, "DL2") as doll:
        await doll.starts(asked.payload["idTag"])
        await says(page, "charging", "charging.text")


async def test_a_stop_that_is_refused_then_done_late(system, windows):
    async with offered(system, "DL3") as doll:
        page = await opened(windows, system, "DL3")
        await button(page, "action.start").click()
        asked = await doll.hears(START)
        await asked.answer(status="Accepted")
        number = await doll.starts(asked.payload["idTag"])
        await button(page, "action.stop").click()
        await (await doll.hears(STOP)).answer(status="Rejected")
        await says(page, "charging", "problem.stopRejected")
        await shot(page, "driver-stop-refused")
        await button(page, "action.stop").click()
        asked = await doll.hears(STOP)
        await says(page, "stopping", "stopping.text")
        await asked.answer(status="Accepted")
        await expect(button(page, "action.stopping")).to_be_disabled()
        await expect(page.locator("[data-key=cost] dt")).to_have_text(SAY("value.cost"))
        await doll.stops(number)
        await says(page, "done")
        await expect(page.locator("[data-key=cost] dt")).to_have_text(SAY("value.total"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_charger_that_is_gone_while_it_charges(system, windows, accessibility, language):
    identity = f"DL4-{language}"
    async with offered(system, identity) as doll:
        page = await opened(windows, system, identity, locale=language)
        say = Texts(language).say
        await page.get_by_role("button", name=say("action.start"), exact=True).click()
        asked = await doll.hears(START)
        await asked.answer(status="Accepted")
        number = await doll.starts(asked.payload["idTag"])
        await says(page, "charging", "charging.text", language)
    await says(page, "charging.offline", "charging.offline.text", language)
    await expect(page.locator("[data-key=power] dd")).to_have_text("–")
    await accessibility.no_violations(page)
    await shot(page, f"driver-gone-{language}", whole=True)
    await page.get_by_role("button", name=say("action.stop"), exact=True).click()
    await expect(page.locator(".state p")).to_have_text(say("problem.stopOffline"))
    async with again(system, identity) as doll:
        await doll.shows("Charging")
        await doll.stops(number)
        await says(page, "done", None, language)


async def test_over_a_slow_line(system, windows):
    async with offered(system, "DL5") as doll:
        context, _ = await windows.window(system, viewport=PHONE, has_touch=True)
        page = await context.new_page()
        line = await context.new_cdp_session(page)
        await line.send("Network.enable")
        await line.send("Network.emulateNetworkConditions", SLOW)
        await page.goto("/c/DL5/1", wait_until="commit")
        await says(page, "state.plugged")  # in the very first answer
        await expect(page.locator(".price")).to_contain_text("€0.30")
        await button(page, "action.start").click()
        await says(page, "starting", "starting.asking")
        asked = await doll.hears(START)
        await asked.answer(status="Accepted")
        number = await doll.starts(asked.payload["idTag"])
        await says(page, "charging", "charging.text")
        await expect(page.locator("[data-key=power] dd")).to_have_text("7.0 kW")
        system.wire.cut()
        await expect(page.locator("[data-key=link]")).to_contain_text("Connection lost")
        await doll.stops(number)
        await says(page, "charging")  # nobody has told it yet, and it says so
        system.wire.mend()
        await says(page, "done")
        await expect(page.locator("[data-key=link]")).to_have_count(0)
        windows.watch_of(page).expect("ERR_")
