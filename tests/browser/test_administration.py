"""Users and keys, the audit trail, settings and quarantine: what keeps a system in order."""

from __future__ import annotations

import json

from playwright.async_api import expect
from websockets.asyncio.client import connect

from tests.browser.cockpit import PHONE
from tests.browser.looks import shot


async def test_a_user_and_a_key_are_made_and_taken_back(system, windows, accessibility):
    page = await windows.open(system, "/users")
    await page.get_by_role("button", name="Add a user", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a user", exact=True)
    await dialog.get_by_label("Name").fill("Anna")
    await dialog.get_by_label("Password", exact=True).fill("short")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_text("At least 10 characters", exact=True)).to_be_visible()
    await expect(dialog.get_by_label("Name")).to_have_value("Anna")
    await accessibility.no_violations(page)
    await shot(page, "user-form")
    await dialog.get_by_label("Password", exact=True).fill("long enough it is")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    users = page.get_by_role("region", name="Users", exact=True).last
    await expect(users.get_by_text("Anna", exact=True)).to_be_visible()
    await expect(users.get_by_text("Password", exact=True)).to_be_visible()

    await page.get_by_role("button", name="Make a key", exact=True).click()
    dialog = page.get_by_role("dialog", name="Make an API key", exact=True)
    await dialog.get_by_label("Name").fill("billing")
    await dialog.get_by_role("button", name="Make it", exact=True).click()
    dialog = page.get_by_role("dialog", name="The key billing", exact=True)
    await expect(dialog.get_by_text("It is shown this once", exact=True)).to_be_visible()
    token = await dialog.locator("pre").inner_text()
    await accessibility.no_violations(page)
    await shot(page, "key-once")
    await dialog.get_by_role("button", name="I have it", exact=True).click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text(token)).to_have_count(0)
    await shot(page, "users")
    program = await windows.open(system, "/stations", token=token)
    await expect(
        program.get_by_role("heading", level=1, name="Stations", exact=True)
    ).to_be_visible()
    await program.close()
    await page.get_by_role("button", name="Delete billing", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete the key billing?", exact=True)
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("worth nothing any more")).to_be_visible()
    keys = (await system.ask("GET", "/api/api-keys"))["items"]
    assert "billing" not in {key["name"] for key in keys}

    await page.goto("/audit?objectType=user")
    trail = page.get_by_role("region", name="Audit trail", exact=True)
    entry = trail.get_by_role("row").filter(has_text="added user Anna")
    await expect(entry).to_contain_text("Role: operator")
    await accessibility.no_violations(page)
    await shot(page, "audit")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="CSV", exact=True).click()
    assert (await download.value).suggested_filename == "audit.csv"
    await page.get_by_label("Who", exact=True).fill("nobody")
    await expect(page.get_by_text("No entry passes the filter")).to_be_visible()
    await page.get_by_role("button", name="Show all", exact=True).click()
    await expect(trail.get_by_text("added API key").first).to_be_visible()


async def test_settings_have_a_meaning(system, windows, accessibility):
    page = await windows.open(system, "/settings", viewport=PHONE, color_scheme="dark")
    await expect(page.get_by_role("heading", name="Chargers", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="Other", exact=True)).to_have_count(0)
    await expect(page.get_by_text("set, never shown")).to_be_visible()
    await accessibility.no_violations(page)
    await shot(page, "settings")
    await page.get_by_label("Filter by name or meaning").fill("heartbeat")
    await expect(page.get_by_text("CSMS_HEARTBEAT_INTERVAL_S")).to_be_visible()
    await expect(page.get_by_text("CSMS_OCPP_PORT")).to_have_count(0)


async def test_who_only_looks_administers_nothing(system, windows):
    page = await windows.open(system, "/quarantine", token=await system.key("viewer"))
    await expect(page.get_by_role("heading", name="Quarantine", exact=True)).to_be_visible()
    for name in ("Users and keys", "Audit trail", "Settings"):
        await expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    await page.goto("/wizard")
    await expect(page.get_by_text("This page is for operators")).to_be_visible()
    await page.goto("/users")
    await expect(page.get_by_text("This page is for administrators")).to_be_visible()


async def test_a_message_in_quarantine_is_found_and_dismissed(system, windows, accessibility):
    await system.ask("POST", "/api/stations", {"identity": "AD1", "name": "Bay AD1", "maxKw": 22})
    await refused_message(system, "AD1")
    page = await windows.open(system)
    needs = page.get_by_role("region", name="Needs you")
    await needs.get_by_role("link", name="Look", exact=True).click()
    messages = page.get_by_role("region", name="Messages in quarantine", exact=True)
    await expect(messages.get_by_text("StopTransaction").first).to_be_visible()
    await messages.get_by_role("button", name="Show the StopTransaction").click()
    await expect(messages.locator("pre")).to_contain_text("StopTransaction")
    await accessibility.no_violations(page)
    await shot(page, "quarantine")
    windows.watch_of(page).expect("status of 409")
    await messages.get_by_role("button", name="Try again", exact=True).click()
    await expect(page.get_by_text("This did not work")).to_be_visible()
    await messages.get_by_role("button", name="Dismiss", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Dismiss", exact=True).click()
    await expect(
        page.get_by_role("heading", name="Nothing of this station is in quarantine")
    ).to_be_visible()
    states = page.get_by_role("search", name="Quarantine").get_by_role("radiogroup", name="State")
    await states.get_by_text("Dismissed", exact=True).click()
    await expect(messages.get_by_text("StopTransaction").first).to_be_visible()


async def refused_message(system, identity):
    """Send a stop that no decoder can make sense of."""
    async with connect(f"{system.serving.ocpp_url}/{identity}", subprotocols=["ocpp1.6"]) as socket:
        boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
        await socket.send(json.dumps([2, "1", "BootNotification", boot]))
        while json.loads(await socket.recv())[1] != "1":
            pass
        await socket.send(json.dumps([2, "2", "StopTransaction", []]))
        while (answer := json.loads(await socket.recv()))[1] != "2":
            pass
        assert answer[0] == 4
