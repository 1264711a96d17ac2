"""From the first boot to the receipt: real sockets, real Postgres, simulated charge points."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from simulator.vehicle import Vehicle
from tests.app.bench import system
from tests.waiting import wait_until

PHASE_V = 230


def car() -> Vehicle:
    return Vehicle(battery_wh=80_000, stored_wh=10_000, onboard_a=32, onboard_phases=3)


def limit_of(station, connector=1):
    return station.state.connectors[connector].limit


def told_w(stations) -> int:
    """What the charge points that charge may draw under the limits that they have now."""
    total = 0
    for station in stations:
        for connector in station.state.connectors.values():
            if connector.transaction_id is not None:
                total += 3 * PHASE_V * connector.offer
    return round(total)


async def test_sessions_share_a_site_and_leave_a_bill(database_url, tmp_path):
    async with system(database_url, tmp_path, price_per_kwh=Decimal(1000)) as s:
        await s.ask("POST", "/api/sites", {"id": "home", "name": "Home", "gridCapacityKw": 22})
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        for identity in ("A", "B"):
            await s.add(identity, siteId="home")
        a, b = [await s.plug_in(identity, meter_interval_s=1) for identity in ("A", "B")]

        async def floors_hold():
            return await s.sql.fetchval(
                "SELECT count(*) = 2 FROM charging_limits WHERE acknowledged_w = 0"
            )

        await wait_until(floors_hold)
        most = 0

        def watched() -> bool:
            nonlocal most
            most = max(most, told_w((a, b)))
            return True

        a.plug(1, car())
        await a.present_tag(1, "tag")
        await wait_until(lambda: watched() and limit_of(a) == 31.8, 60)
        b.plug(1, car())
        await b.present_tag(1, "TAG")
        await wait_until(lambda: watched() and (limit_of(a), limit_of(b)) == (15.9, 15.9), 60)
        assert most <= 22_000

        status = await s.ask("GET", "/api/sites/home/status")
        assert [(one["chargerId"], one["allocatedPowerKw"]) for one in status["sessions"]] == [
            ("A", 11),
            ("B", 11),
        ]
        number = a.state.connectors[1].transaction_id

        async def metered():
            session = await s.ask("GET", f"/api/sessions/{number}")
            return session if session["powerKw"] and session["energyKwh"] else None

        running = await wait_until(metered)
        assert running["status"] == "active"
        assert running["limitA"] == 15.9

        a.unplug(1)
        await wait_until(lambda: watched() and limit_of(b) == 31.8, 60)
        assert most <= 22_000

        async def completed():
            session = await s.ask("GET", f"/api/sessions/{number}")
            return session if session["status"] == "completed" else None

        bill = await wait_until(completed)
        entry = a.ledger.records()[0]
        assert (bill["meterStartWh"], bill["meterStopWh"]) == (
            entry["meterStart"],
            entry["meterStop"],
        )
        assert bill["stopReason"] == entry["reason"] == "EVDisconnected"
        assert bill["idTag"] == "tag"
        assert entry["energyWh"] > 0
        assert bill["cost"] == entry["energyWh"]  # at 1000 EUR/kWh
        assert datetime.fromisoformat(bill["stoppedAt"]) > datetime.fromisoformat(bill["startedAt"])


async def test_a_station_without_site_charges_without_limits(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        await s.add("A")
        a = await s.plug_in("A")
        a.plug(1, car())
        await a.present_tag(1, "TAG")
        await a.wait_for(lambda state: state.connectors[1].status == "Charging")
        assert limit_of(a) is None
        out = await s.sql.fetch(
            "SELECT action FROM ocpp_messages WHERE direction = 'out' AND type = 2"
        )
        assert out == []


async def test_an_unknown_tag_does_not_charge(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        a = await s.plug_in("A")
        a.plug(1, car())
        assert not await a.present_tag(1, "NOBODY")
        assert await s.sql.fetchval("SELECT count(*) FROM transactions") == 0


async def test_limits_come_back_after_the_connection_was_cut(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.ask("POST", "/api/sites", {"id": "home", "name": "Home", "gridCapacityKw": 11})
        await s.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
        await s.add("A", siteId="home")
        a = await s.plug_in("A", reconnect_min_s=0.01)
        a.plug(1, car())
        await a.present_tag(1, "TAG")
        # one that has just connected may take its time to follow its fallback share
        await wait_until(lambda: limit_of(a) == 15.9, 60)
        a.profiles.clear()  # as if it had forgotten everything
        a.drop_connection()
        await wait_until(lambda: limit_of(a) == 15.9, 60)
