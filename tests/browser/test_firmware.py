"""Firmware and files: brought, described, installed at many, fetched from stations, deleted."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, fits, shot
from tests.browser.stations import charge, charger


async def bring(page, name: str, **fields: str) -> None:
    """Bring an image of a few bytes by the page's own form."""
    await page.get_by_role("button", name="Bring an image").click()
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        await dialog.get_by_label(label.capitalize(), exact=True).fill(value)
    content = {"name": name, "mimeType": "application/octet-stream", "buffer": b"\x7fFW" * 5000}
    await dialog.locator("input[type=file]").set_input_files([content])
    await dialog.get_by_role("button", name="Bring it").click()
    await expect(dialog).to_have_count(0)


async def test_an_image_goes_to_many_stations(start_system, windows, accessibility):
    async with (
        start_system(quiet="false", files_port=0) as system,
        charger(system, "FW1", vendor="Volt", model="Twin"),
        charger(system, "FW2", vendor="Volt", model="Twin") as busy,
        charger(system, "FW3", vendor="Acme", model="One"),
    ):
        await charge(system, busy)
        page = await windows.open(system, "/firmware")
        await expect(page.get_by_role("heading", name="No image yet")).to_be_visible()
        await expect(page.get_by_text("Stations reach it by HTTP")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "firmware-empty")

        await page.get_by_role("button", name="Bring an image").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Bring it").click()
        await expect(dialog.get_by_text("This is needed")).to_be_visible()
        await accessibility.no_violations(page)
        await shot(page, "firmware-bring")
        await dialog.get_by_role("button", name="Cancel").click()
        await bring(page, "twin 9.9.bin", version="9.9.0", vendor="Volt", model="Twin")
        row = page.get_by_role("row").filter(has_text="twin_9.9.bin")
        await expect(row).to_contain_text("Volt Twin")
        await expect(row).to_contain_text("Not signed")
        await shot(page, "firmware-images")

        await row.get_by_role("link", name="Install …").click()
        stations = page.get_by_role("region", name="Stations that it fits")
        await expect(stations.get_by_role("row")).to_have_count(3)
        await expect(stations.get_by_role("row").filter(has_text="FW2")).to_contain_text(
            "left out while it charges"
        )
        await accessibility.no_violations(page)
        await shot(page, "firmware-update")
        await page.get_by_role("button", name="Update 1 station").click()
        await dialog.get_by_role("button", name="Install", exact=True).click()
        await expect(
            page.get_by_role("heading", name="UpdateFirmware to 1 station")
        ).to_be_visible()
        outcome = page.get_by_role("row").filter(has_text="FW1")
        await expect(outcome.get_by_text("Installed")).to_be_visible(timeout=30_000)
        await shot(page, "firmware-rollout")
        await accessibility.no_violations(page)

        await page.goto("/firmware?tab=update")
        await expect(page.get_by_role("region", name="Updates so far").first).to_contain_text(
            "twin_9.9.bin 9.9.0"
        )

        # diagnostics come back, and are listed and deleted
        await system.ask("POST", "/api/stations/FW3/calls/GetDiagnostics", {})
        await page.get_by_role("tab", name="Sent by stations").click()
        sent = page.get_by_role("region", name="Files").get_by_role("row").filter(has_text="FW3")
        await expect(sent).to_contain_text("Whole", timeout=30_000)
        await shot(page, "firmware-files")
        await page.set_viewport_size(PHONE)
        await dark(page)
        for tab in ("Sent by stations", "Update stations", "Images"):
            await page.get_by_role("tab", name=tab).click()
            await expect(page.get_by_label("Loading")).to_have_count(0)
            await accessibility.no_violations(page)
            await fits(page, tab)
            await shot(page, f"firmware-{tab.lower().replace(' ', '-')}-phone-dark", whole=True)
        await page.get_by_role("button", name="Delete twin_9.9.bin").click()
        await dialog.get_by_role("button", name="Delete", exact=True).click()
        await expect(page.get_by_role("heading", name="No image yet")).to_be_visible()


async def test_without_an_endpoint_it_says_so_and_viewers_only_look(system, windows):
    page = await windows.open(system, "/firmware", token=await system.key("viewer"))
    await expect(page.get_by_text("Stations cannot reach these files yet")).to_be_visible()
    await expect(page.get_by_role("button", name="Bring an image")).to_have_count(0)
    await expect(page.get_by_role("tab", name="Update stations")).to_have_count(0)
