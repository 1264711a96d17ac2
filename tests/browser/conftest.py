"""One browser and one central system a process, one set of windows a test.

The system is made empty after each test: starting one costs much more. All of it lives in one event
loop: what Playwright gives belongs to the loop that it was made in.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from csms.web import build
from tests.app.commands import serving
from tests.browser.chromium import Chromium, installed
from tests.browser.cockpit import System, Windows, close
from tests.browser.looks import Accessibility
from tests.browser.wire import Wire
from tests.postgres import fresh_database
from tests.waiting import wait_until

_HERE = Path(__file__).parent
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
expect.set_options(timeout=20_000)  # ms, on a machine that does much else
_LONGEST_S = 300  # with what the first test of a process starts, and perhaps installs
_FAILED = pytest.StashKey[bool]()

Start = Callable[..., AbstractAsyncContextManager[System]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_LONGEST_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """The browser's files; installed when they are not there yet."""
    return installed()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable,
            env={**os.environ, **chromium.environment},
            chromium_sandbox=os.geteuid() != 0,
            args=_ARGUMENTS,
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def cockpit_built() -> None:
    """`make` has built it; who runs these tests alone gets what was built last."""
    if not (build.DIST / "index.html").is_file():
        build.build()


@pytest.fixture(scope="session")
def start_system(cockpit_built: None, _server_url: str, _template: str, tmp_path_factory) -> Start:
    """Starts a central system with a database of its own: ``async with start_system(...) as s``."""

    @asynccontextmanager
    async def start(command: str = "serve", **settings: Any) -> AsyncIterator[System]:
        database = fresh_database(_server_url, _template)
        url = await asyncio.to_thread(database.__enter__)  # it runs a loop of its own
        try:
            async with (
                serving(
                    tmp_path_factory.mktemp("csms"), command, database_url=url, **settings
                ) as served,
                Wire(served.http_url) as wire,
            ):
                system = System(served, wire)
                try:
                    yield system
                except BaseException:
                    await close(system.contexts, failed=served.http_url.rpartition(":")[2])
                    raise
                await close(system.contexts)
        finally:
            await asyncio.to_thread(database.__exit__, None, None, None)

    return start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_system(start_system: Start) -> AsyncIterator[System]:
    """Ask for `system` instead."""
    async with start_system(quiet="false") as system:
        yield system


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Windows]:
    """Opens pages; afterwards none may have had errors or have asked anybody else."""
    node = request.node
    made = Windows(browser, lambda: node.name if node.stash.get(_FAILED, False) else None)
    yield made
    await made.close()
    made.assert_clean()


@pytest_asyncio.fixture(loop_scope="session")
async def system(shared_system: System, windows: Windows) -> AsyncIterator[System]:
    """A central system without stations, sites, id tags and users."""
    yield shared_system
    await windows.close()  # a page would miss what goes now
    await shared_system.empty()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(start_system: Start) -> AsyncIterator[System]:
    """The demo: three sites, 24 stations, cars that come and go. Tests of it leave it as it is."""
    async with start_system("demo") as system:

        async def busy() -> bool:
            found = (await system.ask("GET", "/api/sessions?status=active"))["items"]
            return sum((each["powerKw"] or 0) > 0 for each in found) > 12

        await wait_until(busy, 180)
        yield system


@pytest.fixture(scope="session")
def accessibility(chromium: Chromium) -> Accessibility:
    return Accessibility(chromium.axe.read_text())
