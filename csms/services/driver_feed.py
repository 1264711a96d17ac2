"""What drivers' pages show, followed once a second for all that are open; nothing without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from csms.aio import Hint
from csms.clock import Clock
from csms.services.driver_pages import DriverPageService
from csms.services.driver_views import Asked, PageView

_TICK_S = 1.0
_PAUSE_S = 0.1  # so that pages that are opened together are looked at together
_FORGET_EVERY_S = 3600.0
_FORGET_AT_ONCE = 1000
_STALE_S = 5.0


class Watch:
    """One open page.

    Attributes:
        view: What it shows at present; None: nothing (yet, or any more).
        looked_at: When that was looked at, monotonic; None: not yet.
        hint: Given at each look.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.view: PageView | None = None
        self.looked_at: float | None = None
        self.hint = Hint()


class DriverFeed:
    """Looks at all open pages at once.

    Concurrency: for the event loop's thread; one task runs `run`.
    """

    def __init__(self, pages: DriverPageService, clock: Clock) -> None:
        self._pages = pages
        self._clock = clock
        self._watches: set[Watch] = set()
        self._wake = Hint()

    @contextmanager
    def watching(self, asked: Asked) -> Iterator[Watch]:
        """Follow a page inside the block; its first look comes at once."""
        watch = Watch(asked)
        self._watches.add(watch)
        self._wake.give()
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def is_stale(self, watch: Watch) -> bool:
        """Return whether a page shows what was some time ago: the database is away."""
        return watch.looked_at is not None and (
            self._clock.monotonic() - watch.looked_at > _STALE_S
        )

    def wake_all(self) -> None:
        """Wake those who follow pages: the server stops."""
        for watch in self._watches:
            watch.hint.give()

    async def run(self) -> None:
        """Look once a second while somebody watches. Raises DatabaseAway: start it again."""
        forgot_at = None
        while True:
            await self._wake.taken(_TICK_S if self._watches else _FORGET_EVERY_S)
            await self._look()
            await self._clock.sleep(_PAUSE_S)
            now = self._clock.monotonic()
            if forgot_at is None or now - forgot_at > _FORGET_EVERY_S:
                forgot_at = now
                await self._pages.forget_old(_FORGET_AT_ONCE)

    async def _look(self) -> None:
        watches = list(self._watches)
        if not watches:
            return
        asked = list({watch.asked for watch in watches})
        views = dict(zip(asked, await self._pages.views(asked), strict=True))
        now = self._clock.monotonic()
        for watch in watches:
            watch.view, watch.looked_at = views[watch.asked], now
            watch.hint.give()
