"""Chargers that refuse what others take, played by the simulator: each gets its limit.

The simulator's cars draw what its charge point offers: that is what is looked at.
"""

from __future__ import annotations

import pytest

from simulator.vehicle import Vehicle
from tests.app.bench import system
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
SITE_KW = 11


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": SITE_KW})
        await s.ask("PATCH", "/api/sites/s/rules", {"fallbackA": 6})
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        await s.add("A", siteId="s", connectors=1)
        yield s


async def charging(s, *oddities, **settings):
    """Plug a car in at a station; returns the station once it charges."""
    station = await s.plug_in("A", oddities=oddities, step_s=0.1, meter_interval_s=1, **settings)
    station.plug(1, Vehicle(onboard_a=32))
    assert await station.present_tag(1, "TAG")
    await station.wait_for(lambda state: state.connectors[1].status == "Charging")
    return station


async def traits(s):
    return (await s.ask("GET", "/api/stations/A/dialect"))["traits"]


@pytest.mark.parametrize(
    ("oddity", "trait", "value"),
    [
        ("no-session-profile", "profilePurposes", ["TxDefaultProfile"]),
        ("watts-only", "rateUnits", ["W"]),
        ("relative-only", "profileKinds", ["Relative"]),
    ],
)
async def test_who_refuses_one_way_gets_its_limit_in_another(s, oddity, trait, value):
    station = await charging(s, oddity)

    async def limited():
        # 11 kW on three phases: 15.9 A, or 15.8 A where W are cut down on the way
        return 15.8 <= station.state.connectors[1].offer <= 15.9

    await wait_until(limited, 60, what="its share of the site")

    async def learned():
        return (await traits(s))[trait] if (await traits(s))[trait]["value"] == value else None

    assert (await wait_until(learned))["origin"] in {"learned", "reported"}
    shown = await s.ask("GET", "/api/sessions?status=active")
    assert 10.8 <= shown["items"][0]["limitKw"] <= SITE_KW
    await s.ask("PATCH", "/api/sites/s", {"gridCapacityKw": 7})

    async def lowered():
        return 9.9 <= station.state.connectors[1].offer <= 10.1

    await wait_until(lowered, 60, what="the lower share")


@pytest.mark.parametrize(
    ("oddities", "learned"),
    [
        ((), {"rateUnits": ["A"], "profileKinds": ["Absolute"]}),
        (
            ("no-session-profile",),
            {"profilePurposes": ["ChargePointMaxProfile", "TxDefaultProfile"]},
        ),
        (("watts-only", "no-station-profile"), {"rateUnits": ["W"]}),
        (("relative-only",), {"profileKinds": ["Relative"]}),
    ],
)
async def test_a_probe_finds_what_the_simulator_plays(s, oddities, learned):
    station = await charging(s, *oddities)
    taken = await wait_until(lambda: _share(s), 60, what="its fallback share")
    assert taken == 4140
    found = await s.ask("POST", "/api/stations/A/probe", {})
    assert {name: found["learned"][name] for name in learned} == learned
    purposes = found["learned"]["profilePurposes"]
    # a static cap is always Absolute
    takes_caps = not {"no-station-profile", "relative-only"} & set(oddities)
    assert ("ChargePointMaxProfile" in purposes) is takes_caps
    assert ("TxProfile" in purposes) is ("no-session-profile" not in oddities)

    async def told_anew():
        return station.state.connectors[1].offer >= 15.8

    await wait_until(told_anew, 60, what="its share again")


async def _share(s):
    return await s.sql.fetchval(
        "SELECT acknowledged_w FROM charging_limits WHERE connector_id = 0"
        " AND purpose = 'TxDefaultProfile' AND NOT doubtful"
    )
