"""Id tags, reservations and statistics in a browser: made, learned, imported, kept, counted."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.stations import charge, charger
from tests.waiting import wait_until


async def test_a_tag_is_added_blocked_and_deleted(system, windows, accessibility):
    page = await windows.open(system, "/id-tags")
    await expect(page.get_by_role("heading", name="No id tag yet", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add an id tag", exact=True)
    await dialog.get_by_label("Name").fill("Ada")
    await dialog.get_by_label("Sessions at a time").fill("many")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_text("This is needed")).to_be_visible()
    await expect(dialog.get_by_text("A whole number")).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("Ada")
    await dialog.get_by_label("Id tag").fill("04ADA")
    await dialog.get_by_label("Sessions at a time").fill("1")
    await dialog.get_by_label("Group").fill("FLEET")
    await accessibility.no_violations(page)
    await shot(page, "id-tag-form")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    table = page.get_by_role("region", name="Id tags", exact=True)
    await expect(table.get_by_text("Valid", exact=True)).to_be_visible()

    dialog = page.get_by_role("dialog", name="Id tag 04ADA", exact=True)
    await table.get_by_role("link", name="04ADA", exact=True).click()
    await dialog.get_by_role("switch").check()
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await expect(table.get_by_text("Blocked", exact=True)).to_be_visible()
    tag = await system.ask("GET", "/api/id-tags/04ADA")
    assert (tag["status"], tag["parentIdTag"], tag["maxActiveSessions"]) == ("Blocked", "FLEET", 1)

    viewer = await windows.open(system, "/id-tags", token=await system.key("viewer"))
    await expect(viewer.get_by_role("link", name="04ADA", exact=True)).to_be_visible()
    await expect(viewer.get_by_role("button", name="Add", exact=True)).to_have_count(0)

    await table.get_by_role("link", name="04ADA", exact=True).click()
    # the list, asked for in the moment in which the tag goes, has it looked for
    windows.watch_of(page).expect("status of 404")
    await dialog.get_by_role("button", name="Delete …", exact=True).click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("heading", name="No id tag yet", exact=True)).to_be_visible()


async def test_tags_are_imported_after_a_look_at_every_row(system, windows, accessibility):
    page = await windows.open(system, "/id-tags", viewport=PHONE, color_scheme="dark")
    await page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.get_by_role("dialog", name="Import id tags from CSV", exact=True)
    text = f"idTag,name\n04B1,Bo\n{'x' * 21},Too long\n"
    await dialog.get_by_label("Or paste it here").fill(text)
    await dialog.get_by_role("button", name="Look what would come of it", exact=True).click()
    await expect(dialog.get_by_text("Nothing has been kept yet")).to_be_visible()
    await expect(dialog.get_by_text("Cannot be taken", exact=True)).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "id-tag-import")
    await dialog.get_by_role("button", name="Import 1 row", exact=True).click()
    await expect(dialog.get_by_text("Done", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(page.get_by_role("link", name="04B1", exact=True)).to_be_visible()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="CSV", exact=True).click()
    path = await (await saved.value).path()
    assert "04B1,Accepted" in path.read_text()


async def test_the_next_tag_is_learned_from_a_reader(system, windows):
    async with charger(system, "IT1") as station:
        page = await windows.open(system, "/id-tags")
        await page.get_by_role("button", name="Learn the next tag", exact=True).first.click()
        dialog = page.get_by_role("dialog", name="Learn the next tag", exact=True)
        await dialog.get_by_role("button", name="Wait for a card", exact=True).click()
        await expect(dialog.get_by_text("Waiting up to a minute")).to_be_visible()
        await shot(page, "id-tag-learn")
        dialog = page.get_by_role("dialog", name="Add an id tag", exact=True)

        async def is_read() -> bool:
            # it waits here already; that the server does too, nobody is told
            await station.present_tag(1, "04CARD")
            return await dialog.is_visible()

        await wait_until(is_read, 30)
        await expect(dialog.get_by_label("Id tag")).to_have_value("04CARD")
        await dialog.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_role("link", name="04CARD", exact=True)).to_be_visible()


async def test_a_connector_is_reserved_changed_and_freed(system, windows, accessibility):
    async with charger(system, "IT2"):
        page = await windows.open(system, "/reservations")
        await page.get_by_role("button", name="Reserve", exact=True).first.click()
        dialog = page.get_by_role("dialog", name="Reserve", exact=True)
        await dialog.get_by_role("button", name="Reserve", exact=True).click()
        await expect(dialog.get_by_text("This is needed")).to_have_count(2)
        await dialog.get_by_role("combobox", name="Station", exact=True).click()
        await page.get_by_role("option", name="Bay IT2 (IT2)", exact=True).click()
        await dialog.get_by_role("combobox", name="Connector", exact=True).click()
        await page.get_by_role("option", name="Connector 1", exact=True).click()
        await dialog.get_by_label("Id tag").fill("04KEEP")
        await accessibility.no_violations(page)
        await shot(page, "reserve")
        await dialog.get_by_role("button", name="Reserve", exact=True).click()
        table = page.get_by_role("region", name="Reservations", exact=True)
        await expect(table.get_by_text("Active", exact=True)).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "reservations")

        await table.get_by_role("button", name="Change", exact=True).click()
        dialog = page.get_by_role("dialog", name="Change the reservation of 04KEEP", exact=True)
        await dialog.get_by_label("Id tag").fill("04OTHER")
        await dialog.get_by_role("button", name="Change", exact=True).click()
        await expect(table.get_by_role("link", name="04OTHER", exact=True)).to_be_visible()
        await table.get_by_role("button", name="Cancel", exact=True).click()
        await page.get_by_role("button", name="Cancel it", exact=True).click()
        # the one before the change stays in the list too
        await expect(table.get_by_text("Cancelled", exact=True)).to_have_count(2)
        await expect(table.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
        made = (await system.ask("GET", "/api/reservations?stationId=IT2"))["items"]
        assert [(each["idTag"], each["status"]) for each in made] == [
            ("04OTHER", "cancelled"),
            ("04KEEP", "cancelled"),
        ]


async def test_a_session_that_has_ended_counts(system, windows, accessibility):
    page = await windows.open(system, "/statistics?stationId=IT3")
    await expect(
        page.get_by_role("heading", name=re.compile("^No session has ended"))
    ).to_be_visible()
    async with charger(system, "IT3") as station:
        number = await charge(system, station)
        await system.ask("POST", f"/api/sessions/{number}/stop")

    async def days() -> list[dict]:
        return (await system.ask("GET", "/api/stats/daily?stationId=IT3"))["items"]

    (row,) = await wait_until(days, 30)
    await page.reload()
    await expect(page.get_by_role("img", name="energy of each day")).to_be_visible()
    table = page.get_by_role("region", name="Sums by day", exact=True)
    await expect(table.get_by_text(row["date"], exact=True)).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "statistics")
    await page.get_by_text("By station", exact=True).click()
    await expect(page.get_by_role("link", name="Bay IT3", exact=True)).to_be_visible()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="CSV of this table", exact=True).click()
    path = await (await saved.value).path()
    assert path.read_text().splitlines()[1].startswith("IT3,1,")
    await page.get_by_label("Last day", exact=True).fill("2020-01-01")
    await expect(page.get_by_text("Must not be before the first day.")).to_be_visible()
