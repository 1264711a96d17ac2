"""Every page of the cockpit over a busy system: usable for all, without errors, in pictures."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.cockpit import DESK, PHONE, WALL, System, link
from tests.browser.looks import dark, fits, shot

ON_THE_WALL = ("/", "/stations", "/sites", "/sites/garage")


async def links(page: Page) -> list[str]:
    """Return the addresses of all pages in the navigation, that of the simulator too."""
    found = page.get_by_role("navigation").get_by_role("link")
    await expect(found.and_(page.get_by_role("link", name="Simulator", exact=True))).to_be_visible()
    return await found.evaluate_all("links => links.map((each) => each.getAttribute('href'))")


async def go_to(page: Page, path: str) -> None:
    """Go by the navigation, and wait until the page that was there is gone."""
    entry = page.get_by_role("navigation").locator(f'a[href="{path}"]')
    if await entry.get_attribute("aria-current") == "page":
        return
    await page.evaluate("document.querySelector('h1').dataset.old = 'yes'")
    await entry.click()
    await expect(page.locator("h1[data-old]")).to_have_count(0)


async def details(demo: System) -> list[str]:
    """Return addresses of pages on one thing, which no navigation has."""
    (session,) = (await demo.ask("GET", "/api/sessions?status=active&limit=1"))["items"]
    return ["/stations/PARK-01", "/sites/garage", f"/sessions/{session['id']}"]


def name_of(path: str) -> str:
    """Return the name of a page's pictures, the same for each session."""
    path = re.sub(r"\d+", "one", path.lower().partition("?")[0])
    words = re.sub(r"[^a-z]+", "-", path).strip("-")
    return words or "overview"


async def settled(page: Page) -> None:
    """Wait until the page has its heading and the live link its first data."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(link(page)).to_have_text("Live")
    await expect(page.get_by_label("Loading")).to_have_count(0)


@pytest.mark.timeout(400)
async def test_every_page_by_desk_wall_and_phone(demo, windows, accessibility):
    page = await windows.open(demo)
    await settled(page)
    paths = await links(page)
    assert "/" in paths
    assert len(paths) == len(set(paths))
    found = []
    for path in [*paths, *await details(demo)]:
        await page.set_viewport_size(DESK)
        if path in paths:
            await go_to(page, path)
        else:
            await page.goto(path)
        await settled(page)
        assert await page.title() != "", path
        if await page.get_by_role("heading", name="There is no such page", exact=True).count():
            assert path not in paths, path
            continue
        name = name_of(path)
        await dark(page, back=True)
        await shot(page, f"page-{name}")
        found += await accessibility.violations(page)
        await dark(page)
        await shot(page, f"page-{name}-dark")
        found += await accessibility.violations(page, colours_only=True)
        await page.set_viewport_size(PHONE)
        await shot(page, f"page-{name}-phone")
        await fits(page, path)
        if path in ON_THE_WALL:
            await page.set_viewport_size(WALL)
            await shot(page, f"page-{name}-wall")
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.timeout(400)
async def test_one_more_car_charges_in_the_demo_by_one_click(demo, windows):
    page = await windows.open(demo, "/simulator")
    # a place that one of the demo's own drivers has just taken is passed over
    windows.watch_of(page).expect("status of 409 .*/plug")
    before = {each["id"] for each in (await demo.ask("GET", "/api/sessions"))["items"]}
    await page.get_by_role("button", name="Charge a car", exact=True).click()
    said = page.get_by_text(re.compile(r"connector \d+: session \d+"))
    await expect(said).to_be_visible(timeout=30_000)
    session = (await said.inner_text()).rpartition(" ")[2]
    assert session not in before
    assert (await demo.ask("GET", f"/api/sessions/{session}"))["status"] == "active"
