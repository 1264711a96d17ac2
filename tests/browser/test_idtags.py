"""Id tags, reservations and statistics in a browser: made, learned, imported, kept, counted."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot
from tests.browser.stations import charge, charger


async def test_a_tag_is_added_blocked_and_deleted(system, windows, accessibility):
    page = await windows.open(system, "/id-tags")
    await expect(page.get_by_role("heading", name="No id tag yet")).to_be_visible()
    await page.get_by_role("button", name="Add").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Ada")
    await dialog.get_by_label("Sessions at a time").fill("many")
    await dialog.get_by_role("button", name="Add").click()
    await expect(dialog.get_by_text("This is needed")).to_be_visible()
    await expect(dialog.get_by_text("A whole number")).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("Ada")
    await dialog.get_by_label("Id tag").fill("04ADA")
    await dialog.get_by_label("Sessions at a time").fill("1")
    await dialog.get_by_label("Group").fill("FLEET")
    await accessibility.no_violations(page)
    await shot(page, "id-tag-form")
    await dialog.get_by_role("button", name="Add").click()
    table = page.get_by_role("region", name="Id tags")
    await expect(table.get_by_text("Valid")).to_be_visible()

    await table.get_by_role("link", name="04ADA").click()
    await dialog.get_by_role("switch").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(table.get_by_text("Blocked")).to_be_visible()
    tag = await system.ask("GET", "/api/id-tags/04ADA")
    assert (tag["status"], tag["parentIdTag"], tag["maxActiveSessions"]) == ("Blocked", "FLEET", 1)

    viewer = await windows.open(system, "/id-tags", token=await system.key("viewer"))
    await expect(viewer.get_by_role("link", name="04ADA")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Add")).to_have_count(0)

    await table.get_by_role("link", name="04ADA").click()
    await dialog.get_by_role("button", name="Delete …").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("heading", name="No id tag yet")).to_be_visible()


async def test_tags_are_imported_after_a_look_at_every_row(system, windows, accessibility):
    page = await windows.open(system, "/id-tags", viewport=PHONE, color_scheme="dark")
    await page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    text = f"idTag,name\n04B1,Bo\n{'x' * 21},Too long\n"
    await dialog.get_by_label("Or paste it here").fill(text)
    await dialog.get_by_role("button", name="Look what").click()
    await expect(dialog.get_by_text("Nothing has been kept yet")).to_be_visible()
    await expect(dialog.get_by_text("Cannot be taken", exact=True)).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "id-tag-import")
    await dialog.get_by_role("button", name="Import 1 row").click()
    await expect(dialog.get_by_text("Done")).to_be_visible()
    await dialog.get_by_role("button", name="Close").last.click()
    await expect(page.get_by_role("link", name="04B1")).to_be_visible()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="CSV").click()
    path = await (await saved.value).path()
    assert "04B1,Accepted" in path.read_text()


async def test_the_next_tag_is_learned_from_a_reader(system, windows):
    async with charger(system, "L1") as station:
        page = await windows.open(system, "/id-tags")
        await page.get_by_role("button", name="Learn the next tag").first.click()
        dialog = page.get_by_role("dialog")
        async with page.expect_request("**/api/id-tags/learn"):
            await dialog.get_by_role("button", name="Wait for a card").click()
        await expect(dialog.get_by_text("Waiting up to a minute")).to_be_visible()
        await shot(page, "id-tag-learn")
        await station.present_tag(1, "04CARD")
        await expect(dialog.get_by_label("Id tag")).to_have_value("04CARD")
        await dialog.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("link", name="04CARD")).to_be_visible()


async def test_a_connector_is_reserved_changed_and_freed(system, windows, accessibility):
    async with charger(system, "R1"):
        page = await windows.open(system, "/reservations")
        await page.get_by_role("button", name="Reserve").first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Reserve").click()
        await expect(dialog.get_by_text("This is needed")).to_have_count(2)
        await dialog.get_by_role("combobox", name="Station").click()
        await page.get_by_role("option", name="Bay R1").click()
        await dialog.get_by_role("combobox", name="Connector").click()
        await page.get_by_role("option", name="Connector 1").click()
        await dialog.get_by_label("Id tag").fill("04KEEP")
        await accessibility.no_violations(page)
        await shot(page, "reserve")
        await dialog.get_by_role("button", name="Reserve").click()
        table = page.get_by_role("region", name="Reservations")
        await expect(table.get_by_text("Active")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "reservations")

        await table.get_by_role("button", name="Change").click()
        await dialog.get_by_label("Id tag").fill("04OTHER")
        await dialog.get_by_role("button", name="Change").click()
        await expect(table.get_by_text("04OTHER")).to_be_visible()
        await table.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Cancel it").click()
        # the one before the change stays in the list too
        await expect(table.get_by_text("Cancelled")).to_have_count(2)
        await expect(table.get_by_role("button", name="Cancel")).to_have_count(0)
        made = (await system.ask("GET", "/api/reservations"))["items"]
        assert [(each["idTag"], each["status"]) for each in made] == [
            ("04OTHER", "cancelled"),
            ("04KEEP", "cancelled"),
        ]


async def test_a_session_that_has_ended_counts(system, windows, accessibility):
    page = await windows.open(system, "/statistics?stationId=S1")
    await expect(page.get_by_role("heading", name="No session has ended")).to_be_visible()
    async with charger(system, "S1") as station:
        number = await charge(system, station)
        await system.ask("POST", f"/api/sessions/{number}/stop")
    (row,) = (await system.ask("GET", "/api/stats/daily?stationId=S1"))["items"]
    await page.reload()
    await expect(page.get_by_role("img", name="energy of each day")).to_be_visible()
    table = page.get_by_role("region", name="Sums by day")
    await expect(table.get_by_text(row["date"])).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "statistics")
    await page.get_by_text("By station", exact=True).click()
    await expect(page.get_by_role("link", name="Bay S1")).to_be_visible()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="CSV of this table").click()
    path = await (await saved.value).path()
    assert path.read_text().splitlines()[1].startswith("S1,1,")
    await page.get_by_label("Last day").fill("2020-01-01")
    await expect(page.get_by_text("Must not be before the first day.")).to_be_visible()
