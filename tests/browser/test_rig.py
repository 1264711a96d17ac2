"""The browser, the line and the watch themselves: what they are to notice, they notice."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.serving import listening
from tests.browser.cockpit import System, Windows
from tests.browser.looks import shot

_LOOKS = "document.body.innerHTML = `<main><p style='color: #ddd'>pale</p></main>`"


async def documentation(system: System, windows: Windows) -> Page:
    """Return a page that has all that it wants, for nobody who is signed in."""
    page = await windows.open(system, "/api/docs", token=None)
    await expect(page.get_by_text("/api/stations", exact=True).first).to_be_visible()
    return page


async def test_the_documentation_is_shown(system, windows):
    page = await documentation(system, windows)
    assert (await shot(page, "api-docs")).stat().st_size > 10_000


async def test_the_simulators_own_page_is_shown(windows, browser, accessibility):
    emulator = Emulator()
    panel = Panel(lambda: emulator.stations, emulator.clock)
    async with listening(panel.routes(), "127.0.0.1", 0) as port:
        context = await browser.new_context(locale="en-US", timezone_id="UTC")
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/ui")
        await expect(page.get_by_text("No charge points yet")).to_be_visible()
        await accessibility.no_violations(page)
        await context.close()


async def test_errors_and_outside_requests_are_noticed(system, windows):
    page = await documentation(system, windows)
    async with page.context.expect_event("console"):
        await page.evaluate("console.error('oh dear')")
    async with page.context.expect_event("weberror"):
        await page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    elsewhere = f"{system.serving.http_url}/health"  # past the line: another origin
    await page.goto(elsewhere)
    watch = windows.watch_of(page)
    with pytest.raises(AssertionError) as found:
        watch.assert_clean()
    for text in ("oh dear", "thrown", f"outside request: {elsewhere}"):
        assert text in str(found.value)
    watch.expect("oh dear|thrown|outside request")


async def test_what_people_cannot_read_is_noticed(system, windows, accessibility):
    page = await documentation(system, windows)
    await page.evaluate(_LOOKS)
    (found,) = await accessibility.violations(page)
    assert found.startswith("color-contrast")


async def test_the_line_can_be_cut_and_mended(system, windows):
    page = await documentation(system, windows)
    asks = "fetch('/health').then((answer) => answer.status, () => 'no answer')"
    assert await page.evaluate(asks) == 200
    system.wire.cut()
    assert await page.evaluate(asks) == "no answer"
    system.wire.mend()
    assert await page.evaluate(asks) == 200
    windows.watch_of(page).expect("net::ERR_")
