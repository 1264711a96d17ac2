"""Reservations in lists: those that their station has not answered yet, when asked for."""

from __future__ import annotations

import asyncio

PATH = "/api/reservations"


async def test_one_on_its_way_is_pending_until_the_station_answers(bench):
    await bench.station()
    await bench.online()
    asked, answered = asyncio.Event(), asyncio.Event()

    async def later():
        asked.set()
        await answered.wait()
        return {"status": "Accepted"}

    bench.gateway.answers["ReserveNow"] = lambda _: later()
    body = {"stationId": "CP1", "idTag": "A", "expiresAt": "2099-01-01T00:00:00Z"}
    async with asyncio.TaskGroup() as tasks:
        making = tasks.create_task(bench.post(PATH, body, status=201))
        await asked.wait()
        assert (await bench.get(PATH))["items"] == []
        (waiting,) = (await bench.get(f"{PATH}?pending=true"))["items"]
        assert (waiting["status"], waiting["idTag"]) == ("pending", "A")
        assert (await bench.get(f"{PATH}?pending=true&status=active"))["items"] == []
        answered.set()
    assert making.result()["status"] == "active"
    (made,) = (await bench.get(f"{PATH}?pending=true"))["items"]
    assert made["status"] == "active"
