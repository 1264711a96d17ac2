"""What the first view costs on the line; times are figures of bench/browser.py."""

from __future__ import annotations

from playwright.async_api import expect

from tests.app.bench import TOKEN
from tests.browser.cockpit import link

_FIRST_VIEW_BYTES = 300_000


async def test_the_first_view_is_small_and_the_second_smaller(system, windows):
    context, _ = await windows.window(system)
    page = await context.new_page()
    await page.goto("/api/docs")  # signs in without the cockpit
    await page.request.get(f"/sign-in?token={TOKEN}")
    line = await context.new_cdp_session(page)
    await line.send("Network.enable")
    sizes: list[float] = []
    line.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await page.goto("/")
    await expect(link(page)).to_have_text("Live")
    await page.wait_for_load_state("networkidle")
    assert 50_000 < sum(sizes) < _FIRST_VIEW_BYTES, f"{sum(sizes):,.0f} bytes"
    sizes.clear()
    await page.reload()
    await expect(link(page)).to_have_text("Live")
    await page.wait_for_load_state("networkidle")
    assert sum(sizes) < 20_000, f"{sum(sizes):,.0f} bytes when the rest is there already"
