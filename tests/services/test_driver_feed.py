"""One look a second for all open pages; an old picture is told as such."""

from __future__ import annotations

import asyncio

import pytest

from csms.services.driver_feed import DriverFeed
from csms.services.driver_views import Asked


class Pages:
    """Counts looks; the picture is the number of the look."""

    def __init__(self):
        self.asked, self.forgot = [], 0

    async def views(self, asked):
        self.asked.append(list(asked))
        return [f"look {len(self.asked)}" for _ in asked]

    async def forget_old(self, limit):
        self.forgot += 1
        return 0


@pytest.fixture
async def feed(clock):
    pages = Pages()
    feed = DriverFeed(pages, clock)
    running = asyncio.create_task(feed.run())
    yield feed, pages
    running.cancel()
    await asyncio.wait([running])


async def test_equal_pages_are_looked_at_once(feed, clock):
    feed, pages = feed
    one, other = Asked(place=("a", 1), digest=None), Asked(place=("b", 1), digest=b"x")
    with feed.watching(one) as first, feed.watching(one) as second, feed.watching(other) as third:
        await clock.advance(0)
        assert first.view == second.view == third.view == "look 1"
        assert len(pages.asked[0]) == 2
    before = len(pages.asked)
    await clock.advance(5)
    assert len(pages.asked) == before  # nothing is looked at for those who have gone


async def test_an_old_picture_is_stale(feed, clock):
    feed, _ = feed
    with feed.watching(Asked(place=("a", 1), digest=None)) as watch:
        await clock.advance(0)
        assert not feed.is_stale(watch)
        watch.looked_at -= 6
        assert feed.is_stale(watch)
