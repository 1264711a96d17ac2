"""Hundreds of id tags in a browser: looked for by the server, changed in one go, exported whole."""

from __future__ import annotations

import re

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.stations import charge, charger

MANY = 450  # more than two pages of the list


@pytest_asyncio.fixture(loop_scope="session")
async def tags(system):
    """Tags M000 to M449; each third of the group FLEET, M001 named after somebody."""
    rows = [
        f"M{n:03},{'Ada Lovelace' if n == 1 else ''},{'FLEET' if n % 3 == 0 else ''}"
        for n in range(MANY)
    ]
    text = "\n".join(["idTag,name,parentIdTag", *rows])
    url = f"{system.serving.http_url}/api/id-tags/import"
    headers = {"Content-Type": "text/csv"}
    async with system.serving.client.post(url, data=text, headers=headers) as answer:
        assert (await answer.json())["created"] == MANY
    yield system
    gone = {"idTags": [f"M{n:03}" for n in range(MANY)], "change": "delete"}
    await system.ask("POST", "/api/id-tags/bulk", gone)  # one by one takes its time


async def states(system, query: str = "") -> list[str]:
    page = await system.ask("GET", f"/api/id-tags?limit=1000{query}")
    return [tag["status"] for tag in page["items"]]


async def test_tags_are_found_among_many(tags, windows):
    page = await windows.open(tags, "/id-tags")
    table = page.get_by_role("region", name="Id tags", exact=True)
    await expect(page.get_by_text("the newest first: 200 so far")).to_be_visible()
    await page.get_by_label("Search", exact=True).fill("lovelace")
    await expect(page.get_by_text("Those that match: 1", exact=True)).to_be_visible()
    await expect(table.get_by_role("link", name="M001", exact=True)).to_be_visible()
    await page.get_by_label("Search", exact=True).fill("")
    await page.get_by_role("combobox", name="Group", exact=True).click()
    await page.get_by_role("option", name="FLEET (150)", exact=True).click()
    await expect(page.get_by_text("Those that match: 150", exact=True)).to_be_visible()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="CSV", exact=True).click()
    text = (await (await saved.value).path()).read_text()
    assert len(text.splitlines()) == 1 + 150
    await page.goto("/id-tags?search=nobody")
    await expect(page.get_by_role("heading", name="No tag matches", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Show all", exact=True).click()
    # at the end of what is there more comes by itself
    for shown in ("200 so far", "400 so far", "450"):
        await expect(page.get_by_text(re.compile(f"{shown}$"))).to_be_visible()
        await table.evaluate("(it) => it.scrollTo(0, it.scrollHeight)")
    await expect(table.get_by_role("link", name="M000", exact=True)).to_be_visible()


async def test_a_group_is_blocked_in_one_go_after_a_look(tags, windows, accessibility):
    async with charger(tags, "MT1") as station:
        session = await charge(tags, station)
        tag = (await tags.ask("GET", f"/api/sessions/{session}"))["idTag"]
        await tags.ask("PATCH", f"/api/id-tags/{tag}", {"parentIdTag": "FLEET"})
        await tags.ask("PATCH", "/api/id-tags/M000", {"status": "Blocked"})
        page = await windows.open(tags, "/id-tags?group=FLEET")
        await expect(page.get_by_text("Those that match: 151", exact=True)).to_be_visible()
        await page.get_by_label("Choose all that are shown", exact=True).check()
        bar = page.get_by_role("group", name="What is done with the chosen tags", exact=True)
        await expect(bar.get_by_text("151 chosen", exact=True)).to_be_visible()
        await accessibility.no_violations(page)
        await bar.get_by_role("button", name="Block …", exact=True).click()
        dialog = page.get_by_role("dialog", name="Block 151 tags", exact=True)
        await expect(dialog.get_by_text("150 will be blocked", exact=True)).to_be_visible()
        await expect(dialog.get_by_text("1 blocked already", exact=True)).to_be_visible()
        await expect(dialog.get_by_text("1 session runs with them, and goes on")).to_be_visible()
        assert (await states(tags)).count("Blocked") == 1  # it has only looked
        # somebody else is faster
        await tags.ask("DELETE", "/api/id-tags/M003")
        await accessibility.no_violations(page)
        await shot(page, "id-tags-block-look")
        await dialog.get_by_role("button", name="Block 150 tags", exact=True).click()
        await expect(dialog.get_by_text("149 blocked", exact=True)).to_be_visible()
        row = dialog.get_by_role("row").filter(has_text="M003")
        await expect(row).to_contain_text("There is no such id tag")
        progress = dialog.get_by_role("progressbar", name="Tags that are done", exact=True)
        await expect(progress).to_have_attribute("aria-valuenow", "151")
        await accessibility.no_violations(page)
        await shot(page, "id-tags-blocked")
        await dialog.get_by_role("button", name="Close", exact=True).last.click()
        await expect(bar).to_have_count(0)
        assert (await states(tags, "&parentIdTag=FLEET")).count("Accepted") == 0
        session = await tags.ask("GET", f"/api/sessions/{session}")
        assert session["status"] == "active"


async def test_all_that_match_are_deleted_on_a_phone(tags, windows):
    page = await windows.open(tags, "/id-tags", viewport=PHONE, color_scheme="dark")
    await page.get_by_label("Choose M449", exact=True).check()
    await page.get_by_role("button", name="Choose all that match", exact=True).click()
    await expect(page.get_by_text("450 chosen", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Delete …", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete 450 tags", exact=True)
    await expect(dialog.get_by_text("450 will be deleted", exact=True)).to_be_visible()
    await shot(page, "id-tags-delete-phone")
    await dialog.get_by_role("button", name="Delete 450 tags", exact=True).click()
    await expect(dialog.get_by_text("450 deleted", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Close", exact=True).last.click()
    await expect(page.get_by_role("heading", name="No id tag yet", exact=True)).to_be_visible()


async def test_a_cut_in_between_is_told_and_gone_on_from(tags, windows):
    page = await windows.open(tags, "/id-tags?group=FLEET")
    await expect(page.get_by_text("Those that match: 150", exact=True)).to_be_visible()
    await page.get_by_label("Choose all that are shown", exact=True).check()
    await page.get_by_role("button", name="Block …", exact=True).click()
    dialog = page.get_by_role("dialog", name="Block 150 tags", exact=True)
    await expect(dialog.get_by_text("150 will be blocked", exact=True)).to_be_visible()
    pieces = 0

    async def second_is_lost(route):
        nonlocal pieces
        pieces += 1
        if pieces == 2:
            body = '{"title": "Gone", "status": 503, "code": "away", "detail": "Away for now."}'
            kind = "application/problem+json"
            await route.fulfill(status=503, body=body, content_type=kind)
        else:
            await route.continue_()

    windows.watch_of(page).expect("503")
    await page.route("**/api/id-tags/bulk", second_is_lost)
    await dialog.get_by_role("button", name="Block 150 tags", exact=True).click()
    await expect(dialog.get_by_text("Away for now.")).to_be_visible()
    await expect(dialog.get_by_text("100 blocked", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Go on", exact=True).click()
    await expect(dialog.get_by_text("150 blocked", exact=True)).to_be_visible()
    assert (await states(tags, "&parentIdTag=FLEET")).count("Blocked") == 150
