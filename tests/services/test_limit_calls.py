"""Limits on their way: what is open meanwhile, and what an outage does to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey
from csms.domain.site_control import control
from csms.domain.site_observation import ReadBack
from csms.domain.site_snapshot import RowKey
from csms.errors import DatabaseAway
from csms.services.limit_calls import LimitCalls
from tests.domain.test_site_control import MAX, NOW, charger, snapshot
from tests.fake_gateway import FakeGateway, quiet
from tests.fakes import FakeClock

SITE = "s"


@pytest.fixture(scope="module")
def step():
    count = 20
    chargers = [
        replace(charger(f"C{number}"), key=ChargePointKey(number)) for number in range(count)
    ]
    found = control(snapshot(MAX * count, chargers), NOW)
    assert len(found.sendings) == count
    return found


@pytest.fixture
async def telling(step):
    """Calls of a site that is ours, to charge points that never answer."""
    gateway = FakeGateway()
    for sending in step.sendings:
        gateway.connect(sending.target.key, None)
    calls = LimitCalls(gateway, FakeClock(), lambda site_id: None)
    async with asyncio.TaskGroup() as tasks:
        calls.start(tasks)
        calls.take_up(SITE)
        yield calls, gateway
        calls.stop()
        calls.let_go(SITE)
        for key in list(gateway.stations):
            gateway.disconnect(key)


def sent(gateway):
    return sum(len(station.calls) for station in gateway.stations.values())


async def test_all_are_open_before_the_first_leaves_and_all_leave(telling, step):
    calls, gateway = telling
    calls.tell(SITE, step)
    assert sent(gateway) == 0
    assert calls.open_count == len(step.sendings)
    await quiet()
    assert sent(gateway) == len(step.sendings)


async def test_nothing_is_sent_once_all_stops(telling, step):
    calls, gateway = telling
    calls.stop()
    calls.tell(SITE, step)
    await quiet()
    assert (sent(gateway), calls.open_count) == (0, 0)


async def test_an_outage_of_the_database_stops_no_call_but_its_own(step):
    class Away(FakeGateway):
        async def call(self, *args, **more):
            raise DatabaseAway("its pace cannot be looked up")

    calls, key = LimitCalls(Away(), FakeClock(), lambda site_id: None), ChargePointKey(7)
    asking = ReadBack(key=key, connector_id=1, row=RowKey(key, 1, ProfilePurpose.TX), version=1)
    async with asyncio.TaskGroup() as tasks:  # breaks where a task of its own does
        calls.start(tasks)
        calls.take_up(SITE)
        calls.tell(SITE, replace(step, askings=(asking,)))
    ends = calls.take_ends(SITE)
    assert {end.status for end in ends} == {"database_away"}
    assert len(ends) == len(step.sendings)
