"""What a site's limits cost in messages: on real sockets, counted where they arrive."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.app.bench import system
from tests.app.station import plugged
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
FULL_A, HALF_A = 31.8, 15.9


def session_limits(station):
    return [
        profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
        for action, payload in station.got
        if action == "SetChargingProfile"
        and (profile := payload["csChargingProfiles"])["chargingProfilePurpose"] == "TxProfile"
    ]


def limits(station):
    return [payload for action, payload in station.got if action == "SetChargingProfile"]


async def start(station):
    payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 0}
    await station.say("StartTransaction", payload | {"timestamp": "2026-03-01T12:00:00Z"})


async def heard(stations):
    """What was sent before the answer to a heartbeat has come before it."""
    await asyncio.gather(*(station.say("Heartbeat", {}) for station in stations))


async def test_nothing_is_sent_without_a_change_and_a_drop_goes_to_everybody_once(
    database_url, tmp_path
):
    async with system(database_url, tmp_path) as s, AsyncExitStack() as stack:
        await s.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": 44})
        await s.ask("PATCH", "/api/sites/s/rules", {"leaseS": 0})
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        stations = []
        for identity in "AB":
            await s.add(identity, siteId="s")
            stations.append(await stack.enter_async_context(plugged(s, identity)))
        await wait_until(lambda: all(map(limits, stations)), what="fallback shares")
        for station in stations:
            await start(station)
        await wait_until(lambda: all(map(session_limits, stations)), what="own limits")
        assert [session_limits(station) for station in stations] == [[FULL_A], [FULL_A]]

        before = [len(limits(station)) for station in stations]
        for _ in range(3):
            await s.ask("PATCH", "/api/sites/s", {"gridCapacityKw": 44})
            await s.ask("PATCH", "/api/sites/s/rules", {"leaseS": 0})
        limit = await s.ask("POST", "/api/sites/s/limits", {"limitKw": 100})  # that limits nothing
        await heard(stations)
        assert [len(limits(station)) for station in stations] == before

        await s.ask("POST", "/api/sites/s/limits", {"limitKw": 22})
        await s.ask("DELETE", f"/api/sites/s/limits/{limit['id']}")
        await wait_until(
            lambda: all(session_limits(station)[-1] == HALF_A for station in stations),
            what="decreases",
        )
        await heard(stations)
        assert [session_limits(station) for station in stations] == [[FULL_A, HALF_A]] * 2
