"""Refused messages: kept, shown, retried once their cause is gone, dismissed."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.app.bench import system
from tests.waiting import wait_until

START = {
    "connectorId": 1,
    "idTag": "TAG",
    "meterStart": 100,
    "timestamp": "2026-03-01T12:00:00Z",
}
HERTZ = {
    "timestamp": "2026-03-01T13:00:00Z",
    "sampledValue": [{"value": "50", "measurand": "Frequency", "unit": "Hertz"}],
}


class Station:
    """A charge point that speaks raw frames."""

    def __init__(self, socket):
        self._socket, self._number = socket, 0

    async def say(self, action, payload):
        self._number += 1
        text = payload if isinstance(payload, str) else json.dumps(payload)
        await self._socket.send(f'[2,"m{self._number}","{action}",{text}]')
        return json.loads(await self._socket.recv())


@asynccontextmanager
async def plugged(s, identity="A"):
    async with connect(f"{s.ocpp_url}/{identity}", subprotocols=["ocpp1.6"]) as socket:
        yield Station(socket)


async def listed(s, count, query=""):
    async def there():
        items = (await s.ask("GET", f"/api/quarantine{query}"))["items"]
        return items if len(items) == count else None

    return await wait_until(there)


async def refusal(s, method, path):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    async with s.client.request(method, url) as answer:
        return answer.status, (await answer.json())["code"]


async def test_a_stop_is_stored_once_its_station_gets_repairs(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A", strict=True)
        async with plugged(s) as station:
            _, _, answer = await station.say("StartTransaction", START)
            stop = {
                "transactionId": answer["transactionId"],
                "meterStop": 7100,
                "timestamp": "2026-03-01T13:00:00Z",
                "transactionData": [HERTZ],
            }
            error = await station.say("StopTransaction", stop)
            assert error[0] == 4
            (item,) = await listed(s, 1, "?state=open&stationId=a")
            assert item["stationId"] == "A"
            assert item["action"] == "StopTransaction"
            assert item["reason"].startswith(error[2])
            assert json.loads(item["raw"])[3] == stop
            assert item["state"] == "open"
            assert item["endedAt"] is None
            one = f"/api/quarantine/{item['id']}"

            assert await refusal(s, "POST", f"{one}/retry") == (409, "refused_again")
            assert len(await listed(s, 1)) == 1  # not kept twice
            (session,) = (await s.ask("GET", "/api/sessions"))["items"]
            assert session["status"] == "active"

            await s.ask("PATCH", "/api/stations/A", {"strict": False})
            resolved = await s.ask("POST", f"{one}/retry")
            assert resolved["state"] == "resolved"
            assert resolved["endedAt"]
            (session,) = (await s.ask("GET", "/api/sessions"))["items"]
            assert session["status"] == "completed"
            assert session["meterStopWh"] == 7100
            assert await refusal(s, "POST", f"{one}/retry") == (409, "not_open")
            assert await refusal(s, "DELETE", one) == (409, "not_open")
        audit = (await s.ask("GET", "/api/audit"))["items"]
        assert ("retry", "quarantine", item["id"]) in {
            (entry["action"], entry["objectType"], entry["objectId"]) for entry in audit
        }


async def test_an_old_start_does_not_end_the_session_that_came_after_it(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        async with plugged(s) as station:
            assert (await station.say("StartTransaction", {**START, "timestamp": "?"}))[0] == 4
            (item,) = await listed(s, 1)
            await station.say("StartTransaction", START)
            one = f"/api/quarantine/{item['id']}"
            assert await refusal(s, "POST", f"{one}/retry") == (409, "cannot_be_retried")
            await s.ask("DELETE", one)
            (item,) = await listed(s, 1, "?state=dismissed")
            assert (await s.ask("GET", "/api/quarantine?state=open"))["items"] == []
        (session,) = (await s.ask("GET", "/api/sessions"))["items"]
        assert session["status"] == "active"


async def test_what_the_database_refused_is_an_alarm_until_it_is_settled(database_url, tmp_path):
    """A poison fact: here a rule of somebody else's in the database."""
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        await s.sql.execute(
            "ALTER TABLE meter_values ADD CONSTRAINT poison CHECK (energy_wh <> 666)"
        )
        value = {"value": "666", "unit": "Wh"}
        values = {"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [value]}
        async with plugged(s) as station:
            answer = await station.say("MeterValues", {"connectorId": 1, "meterValue": [values]})
            assert answer[2] == "InternalError"
        (item,) = await listed(s, 1)

        async def alarmed():
            return (await s.ask("GET", "/health"))["quarantined"] == 1

        await wait_until(alarmed)
        one = f"/api/quarantine/{item['id']}"
        assert await refusal(s, "POST", f"{one}/retry") == (409, "refused_again")
        await s.sql.execute("ALTER TABLE meter_values DROP CONSTRAINT poison")
        assert (await s.ask("POST", f"{one}/retry"))["state"] == "resolved"
        row = await s.sql.fetchrow("SELECT energy_wh, received_at FROM meter_values")
        assert row["energy_wh"] == 666
        assert row["received_at"] == await s.sql.fetchval("SELECT received_at FROM quarantine")


@pytest.mark.parametrize("raw", ["what", '[3,"1",{}]', '[2,"1","Heartbeat",{}]'])
async def test_frames_that_hold_no_such_message_stay_refused(database_url, tmp_path, raw):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        key = await s.sql.fetchval(
            "INSERT INTO quarantine (charge_point_id, action, reason, raw, received_at)"
            " SELECT id, 'MeterValues', 'x', $1, now() FROM charge_points RETURNING id",
            raw,
        )
        answer = await refusal(s, "POST", f"/api/quarantine/{key}/retry")
        assert answer == (409, "refused_again")
        assert await refusal(s, "POST", "/api/quarantine/999999/retry") == (
            404,
            "message_not_found",
        )


async def test_viewers_look_and_touch_nothing(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        key = await s.ask("POST", "/api/api-keys", {"name": "v", "role": "viewer"})
        headers = {"Authorization": f"Bearer {key['token']}"}
        url = f"http://127.0.0.1:{s.running.http_port}/api/quarantine"
        async with aiohttp.ClientSession(headers=headers) as viewer:
            async with viewer.get(url) as answer:
                assert answer.status == 200
            async with viewer.post(f"{url}/1/retry") as answer:
                assert answer.status == 403
            async with viewer.delete(f"{url}/1") as answer:
                assert answer.status == 403
