"""Limits as the `ocpp` package hears them: charge points of another library, a store of their own.

Their routing validates every call against the schemas; what they enforce follows from what they
were handed, by names and numbers that nothing of ours has touched.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import connect

from tests.chaos.server import Server
from tests.ports import steady_port
from tests.waiting import wait_until

VOLT = 230
MOST_A = 32.0


class Point(ChargePoint):
    """One connector on three phases; a profile store keyed by purpose and connector."""

    def __init__(self, name, socket):
        super().__init__(name, socket)
        self.store = {}
        self.transaction = None

    @on("SetChargingProfile")
    def on_set(self, connector_id, cs_charging_profiles):
        profile = cs_charging_profiles
        purpose = profile["charging_profile_purpose"]
        if purpose == "TxProfile" and profile["transaction_id"] != self.transaction:
            return call_result.SetChargingProfile(status="Rejected")
        schedule = profile["charging_schedule"]
        assert schedule["charging_rate_unit"] == "A"
        starts = datetime.fromisoformat(schedule["start_schedule"])
        assert starts <= datetime.now(UTC)
        self.store[purpose, connector_id] = schedule["charging_schedule_period"][0]["limit"]
        return call_result.SetChargingProfile(status="Accepted")

    @on("GetCompositeSchedule")
    def on_ask(self, connector_id, duration, **_):
        period = {"start_period": 0, "limit": self.limit_a}
        schedule = {"charging_rate_unit": "A", "charging_schedule_period": [period]}
        return call_result.GetCompositeSchedule(
            status="Accepted", connector_id=connector_id, charging_schedule=schedule
        )

    @property
    def limit_a(self):
        """What works on its connector now."""
        own = self.store.get(("TxProfile", 1)) if self.transaction is not None else None
        return self.store.get(("TxDefaultProfile", 0), MOST_A) if own is None else own

    async def plug_in(self):
        now = datetime.now(UTC).isoformat()
        begun = await self.call(
            call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=0, timestamp=now)
        )
        self.transaction = begun.transaction_id

    async def report(self):
        """Tell what is drawn: all that is allowed."""
        watts = round(self.limit_a * 3 * VOLT)
        sample = {"value": str(watts), "measurand": "Power.Active.Import", "unit": "W"}
        value = {"timestamp": datetime.now(UTC).isoformat(), "sampled_value": [sample]}
        await self.call(
            call.MeterValues(connector_id=1, transaction_id=self.transaction, meter_value=[value])
        )


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_charge_points_of_the_ocpp_package_share_a_site_and_follow_a_drop(tmp_path):
    server = Server(tmp_path, ocpp_port=steady_port(), http_port=steady_port())
    try:
        await server.start()
        await _share(server)
        await server.stop()
    finally:
        server.close()


async def _share(server):
    await server.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": 33.12})
    await server.ask("POST", "/api/id-tags", {"idTag": "TAG", "status": "Accepted"})
    points, seen = [], []

    def total_a():
        seen.append(sum(each.limit_a for each in points if each.transaction is not None))
        return seen[-1]

    async with asyncio.TaskGroup() as tasks:
        running = []
        for name in ("O1", "O2", "O3"):
            body = {"identity": name, "name": name, "maxKw": 22.08, "connectors": 1, "siteId": "s"}
            await server.ask("POST", "/api/stations", body)
            socket = await connect(f"{server.ocpp_url}/{name}", subprotocols=["ocpp1.6"])
            points.append(Point(name, socket))
            running.append(tasks.create_task(points[-1].start()))
        for point in points:
            await point.call(call.BootNotification(charge_point_vendor="V", charge_point_model="M"))
        await wait_until(lambda: all(("TxDefaultProfile", 0) in p.store for p in points), 60)
        for point in points:
            await point.plug_in()

        async def reported(goal_a):
            for point in points:
                await point.report()
            return abs(total_a() - goal_a) < 0.4

        await wait_until(lambda: reported(48), 120, what="all of 48 A shared")
        assert max(seen) <= 48
        await server.ask("PATCH", "/api/sites/s", {"gridCapacityKw": 20.7})
        await wait_until(lambda: reported(30), 60, what="30 A after the drop")
        assert sorted(point.limit_a for point in points) == [10, 10, 10]
        for point, task in zip(points, running, strict=True):
            task.cancel()
            await point._connection.close()
