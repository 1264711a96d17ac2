"""The book of dialects: what is looked up again, and what is known without asking."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from csms.bus.local import LocalBus
from csms.domain.dialects import Device, Dialect, Origin, Pattern, Traits
from csms.domain.events import DialectChanged, StationChanged, StationConnected
from csms.domain.ids import ChargePointKey
from csms.services.dialect_book import DialectBook
from csms.services.ports.dialects import Acquaintance, Pace

ONE, TWO = ChargePointKey(1), ChargePointKey(2)


class Rows:
    """Stands in for the repository: the rows of two charge points; counts the questions."""

    def __init__(self, clock):
        connected = {"connected_at": clock.now(), "booted_at": clock.now()}
        self.known = {
            key: Acquaintance(device=Device(vendor="Acme"), **connected) for key in (ONE, TWO)
        }
        self.operators = []
        self.asked = []
        self.gate = None

    @property
    def dialects(self):
        return self

    async def all(self):
        return self.operators

    async def acquaintances(self, keys):
        self.asked.append(set(keys))
        found = {key: self.known[key] for key in keys if key in self.known}
        if self.gate is not None:
            await self.gate.wait()
        return found

    @asynccontextmanager
    async def __call__(self):
        yield self


@pytest.fixture
def rows(clock):
    return Rows(clock)


@pytest.fixture
def bus():
    return LocalBus()


@pytest.fixture
def book(rows, bus, clock):
    return DialectBook(rows, bus, clock)


def spaced(name="x", seconds=30):
    return Dialect(
        id=name,
        pattern=Pattern(vendor="Acme"),
        traits=Traits(call_spacing_s=Decimal(seconds)),
        origin=Origin.OPERATOR,
    )


async def test_what_is_known_is_not_asked_again_for_a_minute(book, rows, bus, clock):
    for _ in range(3):
        assert await book.of(ONE) is None
        bus.publish(StationChanged(ONE))  # each status says that
    assert len(rows.asked) == 1
    await clock.advance(61)
    await book.of(ONE)
    assert len(rows.asked) == 2


async def test_many_are_looked_up_together(book, rows):
    rows.gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for key in (ONE, TWO, TWO, ChargePointKey(9)):
            tasks.create_task(book.of(key))
        await asyncio.sleep(0)
        rows.gate.set()
    assert rows.asked == [{1}, {2, 9}]


@pytest.mark.parametrize(
    ("event", "key"),
    [(StationConnected(ONE), ONE), (DialectChanged(ONE), ONE), (DialectChanged(None), ONE)],
)
async def test_what_may_have_changed_is_asked_again(book, rows, bus, event, key):
    assert await book.of(key) is None
    rows.operators.append(spaced())
    assert await book.of(key) is None
    bus.publish(event)
    assert await book.of(key) == Pace(spacing_s=30.0)


async def test_a_charge_point_that_has_not_booted_yet_is_asked_again_with_each_change(
    book, rows, bus, clock
):
    connected = clock.now() + timedelta(seconds=1)
    rows.known[ONE] = Acquaintance(
        device=Device(vendor="Acme"), connected_at=connected, booted_at=clock.now()
    )
    assert await book.of(ONE) is None
    rows.known[ONE] = Acquaintance(
        device=Device(vendor="Easee"), connected_at=connected, booted_at=connected
    )
    bus.publish(StationChanged(ONE))
    assert await book.of(ONE) == Pace(spacing_s=30.0)


async def test_quiet_time_begins_anew_with_each_boot(book, rows, bus, clock):
    quiet = Traits(quiet_after_boot_s=Decimal(120))

    def booted(at):
        return Acquaintance(own=quiet, connected_at=clock.now(), booted_at=at)

    rows.known[ONE] = booted(None)
    assert await book.of(ONE) == Pace(quiet_until=clock.now() + timedelta(seconds=5))
    for _ in range(2):
        rows.known[ONE] = booted(clock.now())
        bus.publish(StationChanged(ONE))
        assert await book.of(ONE) == Pace(quiet_until=clock.now() + timedelta(seconds=120))
        await clock.advance(30)


async def test_what_changes_while_it_is_looked_up_is_asked_again(book, rows, bus):
    rows.gate = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(book.of(ONE))
        await asyncio.sleep(0)
        rows.operators.append(spaced())
        bus.publish(DialectChanged(None))
        rows.gate.set()
    del first
    await book.of(ONE)
    assert rows.asked == [{1}, {1}]


async def test_one_that_is_deleted_has_no_pace(book, rows):
    assert await book.of(ChargePointKey(9)) is None


async def test_who_asks_for_traits_knows_the_paces_too(book, rows):
    rows.operators = [spaced()]
    await book.traits([ONE, TWO])
    assert await book.of(ONE) == Pace(spacing_s=30)
    assert await book.of(TWO) == Pace(spacing_s=30)
    assert rows.asked == [{ONE, TWO}]


async def test_a_pace_that_changes_while_traits_are_looked_up_is_asked_again(book, rows, bus):
    rows.gate = asyncio.Event()
    looking = asyncio.ensure_future(book.traits([ONE, TWO]))
    for _ in range(3):
        await asyncio.sleep(0)
    bus.publish(DialectChanged(ONE))
    rows.gate.set()
    await looking
    await book.of(TWO)
    assert rows.asked == [{ONE, TWO}]
    await book.of(ONE)
    assert rows.asked == [{ONE, TWO}, {ONE}]
