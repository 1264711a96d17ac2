"""Browsers' windows at a central system, signed in as whoever a test wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, BrowserContext, Locator, Page

from tests.app.bench import TOKEN
from tests.app.commands import Serving
from tests.browser.looks import shot
from tests.browser.watch import Watch
from tests.browser.wire import Wire
from tests.waiting import wait_until

DESK = {"width": 1440, "height": 900}
WALL = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
_PATIENCE_MS = 20_000
_KEPT = {"stations": "id", "sites": "id", "id-tags": "idTag", "users": "id", "api-keys": "id"}


@dataclass(eq=False)
class System:
    """A central system and the line that browsers reach it by.

    Attributes:
        contexts: Browsers that look at it; they are closed before it ends.
    """

    serving: Serving
    wire: Wire
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.wire.url

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the operator API as administrator, past the browser and its line."""
        return await self.serving.ask(method, path, body)

    async def key(self, role: str) -> str:
        """Return a token of somebody with this role."""
        made = await self.ask("POST", "/api/api-keys", {"name": f"a {role}", "role": role})
        return str(made["token"])

    async def empty(self) -> None:
        """Mend the line and remove what a test has left: the next one finds an empty system.

        What has been stays in the log, the audit trail and among the ended sessions.
        """
        self.wire.mend()
        self.wire.come_from_elsewhere()

        async def all_have_left() -> bool:
            return (await self.ask("GET", "/health"))["stations"]["online"] == 0

        await wait_until(all_have_left, 30)
        for session in await self._all("sessions?status=active&"):
            body = {"reason": "the test is over", "carIsGone": True}
            await self.ask("POST", f"/api/sessions/{session['id']}/close", body)
        for refused in await self._all("quarantine?state=open&"):
            await self.ask("DELETE", f"/api/quarantine/{refused['id']}")
        for kind, key in _KEPT.items():
            for each in await self._all(f"{kind}?"):
                await self.ask("DELETE", f"/api/{kind}/{quote(str(each[key]), safe='')}")

    async def _all(self, asked: str) -> list[dict[str, Any]]:
        return list((await self.ask("GET", f"/api/{asked}limit=1000"))["items"])


@dataclass
class Windows:
    """Opens pages; each window is a browser profile of its own, and is watched.

    Attributes:
        failed: Tells the name of the test once it has failed.
    """

    browser: Browser
    failed: Callable[[], str | None] = lambda: None
    watched: list[tuple[BrowserContext, Watch]] = field(default_factory=list)
    systems: list[System] = field(default_factory=list)

    async def window(self, system: System, **options: Any) -> tuple[BrowserContext, Watch]:
        """Return an empty browser profile; `options` are Playwright's."""
        given = {"locale": "en-US", "timezone_id": "UTC", "viewport": DESK} | options
        # moving parts are neither pictures nor contrasts that one can judge
        context = await self.browser.new_context(
            base_url=system.url, reduced_motion="reduce", **given
        )
        context.set_default_timeout(_PATIENCE_MS)
        watch = Watch(context, system.url)
        self.watched.append((context, watch))
        system.contexts.append(context)
        if system not in self.systems:
            self.systems.append(system)
        return context, watch

    async def open(
        self, system: System, path: str = "/", *, token: str | None = TOKEN, **options: Any
    ) -> Page:
        """Return a page; with a token somebody is signed in before it is loaded."""
        context, _ = await self.window(system, **options)
        if token is not None:
            answer = await context.request.get(f"/sign-in?token={token}", max_redirects=0)
            assert answer.status in (302, 303), await answer.text()
        page = await context.new_page()
        await page.goto(path)
        return page

    def watch_of(self, page: Page) -> Watch:
        return next(watch for context, watch in self.watched if context is page.context)

    async def close(self) -> None:
        """Close all windows; of a failed test with pictures of what they showed."""
        for system in self.systems:
            await close(system.contexts, failed=self.failed())
        self.systems.clear()

    def assert_clean(self) -> None:
        for _, watch in self.watched:
            watch.assert_clean()


def link(page: Page) -> Locator:
    """Return where the cockpit says how its line is: Live, Cut off, Connecting."""
    return page.get_by_role("banner").get_by_role("status")


async def close(contexts: list[BrowserContext], *, failed: str | None = None) -> None:
    """Close browsers' profiles; of a failed test with pictures of what they showed."""
    for context in contexts:
        for number, page in enumerate(context.pages):
            if failed is not None:
                await shot(page, f"failed-{failed}-{number}")
        await context.close()
    contexts.clear()
