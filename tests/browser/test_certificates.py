"""Certificates of a station: asked for, signed by an own authority, ending soon, revoked."""

from __future__ import annotations

from playwright.async_api import expect

from tests.app.commands import csms
from tests.browser.cockpit import PHONE
from tests.browser.looks import dark, fits, shot
from tests.browser.stations import charger


async def test_from_an_authority_to_a_revoked_certificate(
    start_system, windows, accessibility, tmp_path
):
    made = await csms(
        "ca", "init", "--client-days", "10", "--server", "127.0.0.1", data_dir=tmp_path
    )
    assert made.code == 0, made.errors
    tls = {"ca_dir": tmp_path / "ca", "tls_dir": tmp_path / "tls", "ocpp_tls_port": 0}
    async with (
        start_system(quiet="false", **tls) as system,
        charger(system, "CE1"),
    ):
        page = await windows.open(system, "/stations/CE1?tab=security")
        known = page.get_by_role("region", name="Certificates", exact=True).first
        await page.get_by_role("button", name="Install our root").click()
        # asked for side by side, the station may hear of them in either order
        await expect(page.get_by_role("button", name="Installing …")).to_have_count(0)
        await page.get_by_role("button", name="Read from the station").click()
        root = known.get_by_role("row").filter(has_text="Root it trusts for us")
        await expect(root).to_be_visible()
        await expect(page.get_by_role("button", name="Install our root")).to_have_count(0)

        renew = page.get_by_role("button", name="Renew its certificate")
        requests = page.get_by_role("region", name="Requests for certificates").last
        await renew.click()
        # a key is made, and the lists are asked for each 10 s
        await expect(requests.get_by_text("Installed")).to_have_count(1, timeout=60_000)
        own = known.get_by_role("row").filter(has_text="The station's own")
        await expect(own).to_contain_text("Ends soon", timeout=60_000)
        await accessibility.no_violations(page)
        await shot(page, "station-certificates", whole=True)

        await own.get_by_role("button", name="Revoke").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(own).to_contain_text("Revoked")
        await expect(own.get_by_role("button", name="Revoke")).to_have_count(0)
        await renew.click()
        await expect(requests.get_by_text("Installed")).to_have_count(2, timeout=60_000)
        await expect(own).to_have_count(2)
        await accessibility.no_violations(page)
        await shot(page, "station-certificates-revoked", whole=True)
        await page.set_viewport_size(PHONE)
        await dark(page)
        await accessibility.no_violations(page)
        await fits(page, "the tab of certificates")
        await shot(page, "station-certificates-phone-dark", whole=True)
