"""Five charge points charge, the server is killed, and afterwards both sides tell the same."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from csms.store.embedded import EmbeddedPostgres
from simulator.fleet import Fleet
from simulator.fleet_file import parse_fleet
from tests.chaos.comparison import differences, stored_transactions
from tests.chaos.server import Server
from tests.ports import steady_port
from tests.waiting import wait_until

STATIONS = [f"CP{n}" for n in range(1, 6)]

PLAN = {
    "groups": [
        {
            "identities": STATIONS,
            "connectors": 2,
            "idTags": ["TAG-1", "TAG-2", "TAG-3"],
            "meterIntervalS": 2,
            "configuration": {"TransactionMessageRetryInterval": "1"},
            "vehicles": {
                # in the vehicles' time, which runs 60 times faster than the clock
                "arrivalsPerHour": 120,
                "atStart": 1,
                "stayMinutes": [2, 6],
            },
        }
    ]
}


@pytest.fixture
def server(tmp_path):
    ocpp_port, http_port = steady_port(), steady_port()
    made = Server(tmp_path, ocpp_port=ocpp_port, http_port=http_port)
    yield made
    made.close()


async def set_up(server: Server) -> None:
    await server.ask("POST", "/api/sites", {"id": "s", "name": "S", "gridCapacityKw": 60})
    for identity in STATIONS:
        body = {"identity": identity, "name": identity, "maxKw": 44, "connectors": 2}
        await server.ask("POST", "/api/stations", body | {"siteId": "s"})
    for tag in PLAN["groups"][0]["idTags"]:
        await server.ask("POST", "/api/id-tags", {"idTag": tag, "status": "Accepted"})


@pytest.mark.slow
async def test_nothing_is_lost_when_the_server_is_killed(server):
    await server.start()
    await set_up(server)
    fleet = Fleet(parse_fleet(PLAN), server.ocpp_url, speed=60)

    def count(of) -> int:
        return sum(of(entry) for entry in fleet.ledger.records())

    def running() -> int:
        return count(lambda e: e["startAcknowledged"] and e["stopTimestamp"] is None)

    def metered() -> int:
        return count(lambda e: e["meterValuesAcknowledged"] > 0)

    def stopped() -> int:
        return count(lambda e: e["stopAcknowledged"])

    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(fleet.run())
        await wait_until(
            lambda: running() >= 5 and metered() >= 5 and stopped() >= 3, 60, what="charging"
        )
        before = len(fleet.ledger)
        await server.kill()
        await wait_until(  # life goes on without the server
            lambda: fleet.summary.online == 0 and fleet.summary.waiting_messages >= 3,
            30,
            what="messages wait",
        )
        await server.start()
        goal = stopped() + 5
        await wait_until(
            lambda: fleet.summary.online == 5 and stopped() >= goal and len(fleet.ledger) > before,
            60,
            what="charging again",
        )
        fleet.stop()
        await playing
    assert fleet.summary.waiting_messages == 0
    await server.stop()

    ledger = fleet.ledger.records()
    assert all(entry["stopAcknowledged"] and not entry["dropped"] for entry in ledger)
    with EmbeddedPostgres(server.postgres_folder) as postgres:
        sql = await asyncpg.connect(postgres.url)
        try:
            stored = await stored_transactions(sql)
            readings = {
                row["transaction_id"]: row["readings"]
                for row in await sql.fetch(
                    "SELECT transaction_id, count(*) AS readings FROM meter_values"
                    " WHERE context IS DISTINCT FROM 'Transaction.End' GROUP BY 1"
                )
            }
            kept = await sql.fetch("SELECT action, reason FROM orphan_messages")
            kept += await sql.fetch("SELECT action, reason FROM quarantine")
        finally:
            await sql.close()
    assert differences(ledger, stored) == []
    assert [tuple(row) for row in kept] == []
    fewer = {
        entry["transactionId"]: (entry["meterValuesAcknowledged"], readings)
        for entry in ledger
        if readings.get(entry["transactionId"], 0) < entry["meterValuesAcknowledged"]
    }
    assert fewer == {}
