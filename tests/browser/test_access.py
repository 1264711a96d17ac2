"""Who is let in, and what a role sees and may do."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.app.bench import TOKEN
from tests.browser.cockpit import link
from tests.browser.looks import shot
from tests.browser.stations import charge, charger

_POST = """
async (path) => {
  const csrf = document.cookie.match(/csms_csrf=([^;]+)/)[1];
  const headers = {"X-CSRF-Token": decodeURIComponent(csrf), "Content-Type": "application/json"};
  return (await fetch(path, {method: "POST", headers, body: "{}"})).status;
}
"""


async def sign_in(page: Page, name: str, password: str) -> None:
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


def fault_of(page: Page, name: str):
    needs = page.get_by_role("region", name="Needs you")
    return needs.locator("li[data-kind=stationFaulted]").filter(has_text=name)


async def test_name_and_password(system, windows, accessibility):
    user = {"name": "Ada", "role": "operator", "password": "correct horse battery"}
    await system.ask("POST", "/api/users", user)
    page = await windows.open(system, token=None)
    windows.watch_of(page).expect("status of 401")
    await expect(page.get_by_role("heading", name="Sign in to csms", exact=True)).to_be_visible()
    await shot(page, "sign-in")
    await accessibility.no_violations(page)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_text("Enter your name")).to_be_visible()
    await sign_in(page, "Ada", "wrong horse battery")
    await expect(page.get_by_text("Name or password is wrong")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ada")  # what was typed stays
    await accessibility.no_violations(page)
    await sign_in(page, "Ada", "correct horse battery")
    await expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    await expect(link(page)).to_have_text("Live")  # ended before it is there, it is an error's line
    await page.get_by_role("button", name="Menu of Ada", exact=True).click()
    await page.get_by_role("menuitem", name="Sign out", exact=True).click()
    await expect(page.get_by_role("heading", name="Sign in to csms", exact=True)).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in to csms", exact=True)).to_be_visible()


async def test_the_link_that_a_start_prints_signs_in(system, windows):
    context, _ = await windows.window(system)
    page = await context.new_page()
    await page.goto(f"/sign-in?token={TOKEN}")
    await expect(page.get_by_role("button", name="Menu of administrator")).to_be_visible()
    assert "token" not in page.url


async def test_a_link_that_is_not_valid_says_so(system, windows):
    context, watch = await windows.window(system)
    watch.expect("status of 401")
    page = await context.new_page()
    await page.goto("/sign-in?token=csms_of-nobody-at-all-000")
    await expect(page.get_by_text("This link is not valid")).to_be_visible()
    assert "token" not in page.url


async def test_who_is_locked_out_meanwhile_is_asked_to_sign_in(system, windows):
    user = {"name": "Bob", "role": "operator", "password": "correct horse battery"}
    made = await system.ask("POST", "/api/users", user)
    page = await windows.open(system, token=None)
    await sign_in(page, "Bob", "correct horse battery")
    await expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    windows.watch_of(page).expect("status of 401|WebSocket connection")
    await system.ask("PATCH", f"/api/users/{made['id']}", {"disabled": True})
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in to csms", exact=True)).to_be_visible()


async def test_a_viewer_sees_no_buttons_and_the_api_refuses_too(system, windows):
    async with charger(system, "AC1") as station:
        session = await charge(system, station)
        station.set_error(1, "GroundFailure")
        admin = await windows.open(system)
        viewer = await windows.open(system, token=await system.key("viewer"))
        for page in (admin, viewer):
            await expect(fault_of(page, "Bay AC1")).to_be_visible()
        restart = {"role": "button", "name": "Restart", "exact": True}
        await expect(fault_of(admin, "Bay AC1").get_by_role(**restart)).to_be_visible()
        await expect(viewer.get_by_role(**restart)).to_have_count(0)
        windows.watch_of(viewer).expect("status of 403")
        assert await viewer.evaluate(_POST, f"/api/sessions/{session}/stop") == 403
        assert await viewer.evaluate(_POST, "/api/stations/AC1/calls/Reset") == 403
        assert (await system.ask("GET", f"/api/sessions/{session}"))["status"] == "active"
        assert await admin.evaluate(_POST, f"/api/sessions/{session}/stop") == 200


async def test_an_operator_runs_chargers_and_administers_nobody(system, windows):
    async with charger(system, "AC2") as station:
        session = await charge(system, station)
        page = await windows.open(system, "/stations/AC2", token=await system.key("operator"))
        windows.watch_of(page).expect("status of 403")
        connector = page.get_by_role("region", name="Connector 1", exact=True)
        await connector.get_by_role("button", name="Stop", exact=True).click()
        await expect(connector.get_by_role("button", name="Start", exact=True)).to_be_visible()
        assert (await system.ask("GET", f"/api/sessions/{session}"))["status"] == "completed"
        pages = page.get_by_role("navigation")
        await expect(pages.get_by_role("link", name="Id tags", exact=True)).to_be_visible()
        for name in ("Users and keys", "Settings"):
            await expect(pages.get_by_role("link", name=name, exact=True)).to_have_count(0)
        assert await page.evaluate(_POST, "/api/users") == 403


async def test_a_driver_is_told_where_to_go(system, windows, accessibility):
    page = await windows.open(system, "/stations", token=await system.key("driver"))
    windows.watch_of(page).expect("status of 403")
    await expect(page.get_by_text("You are signed in as a driver.")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_have_count(0)
    await accessibility.no_violations(page)
    await shot(page, "driver-role")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
