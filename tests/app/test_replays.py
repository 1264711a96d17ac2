"""Messages read once more, and a stretch of them played again by the simulator."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from csms.api import replays
from simulator.clock import RealClock
from simulator.replays import Replays
from simulator.replays_api import replay_routes
from simulator.serving import listening
from tests.app.bench import system
from tests.waiting import wait_until

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
START = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"}
ODD = {"connectorId": "1", "status": "available", "errorCode": "NoError"}


@asynccontextmanager
async def with_simulator(database_url, folder):
    async with (
        Replays(RealClock()) as kept,
        listening(replay_routes(kept), "127.0.0.1", 0) as port,
        system(database_url, folder, simulator_url=f"http://127.0.0.1:{port}/") as s,
    ):
        yield s


async def say(s, identity, *calls):
    """Connect, say it and hear each answer; the socket stays open while it is held."""
    socket = await connect(f"{s.ocpp_url}/{identity}", subprotocols=["ocpp1.6"])
    answers = []
    for number, (action, payload) in enumerate(calls):
        await socket.send(json.dumps([2, f"{identity}-{number}", action, payload]))
        async with asyncio.timeout(30):
            answers.append(json.loads(await socket.recv()))
    return socket, answers


async def refused(s, method, path, body=None, token=None):
    url = f"http://127.0.0.1:{s.running.http_port}{path}"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with s.client.request(method, url, json=body, headers=headers) as answer:
        return answer.status, (await answer.json())["code"]


async def over(s, replay):
    async def ended():
        found = await s.ask("GET", f"/api/simulator/replays/{replay['id']}")
        return found if found["state"] != "playing" else None

    return await wait_until(ended)


@pytest.mark.slow
async def test_a_message_is_read_once_more_and_nothing_is_stored(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A", quiet=True)
        socket, _ = await say(s, "A", ("BootNotification", BOOT), ("StatusNotification", ODD))
        log = "/api/stations/A/messages"
        (odd,) = (await s.ask("GET", f"{log}?action=StatusNotification&direction=in"))["items"]
        frames = await s.sql.fetchval("SELECT count(*) FROM ocpp_messages")
        viewer = await s.ask("POST", "/api/api-keys", {"name": "v", "role": "viewer"})
        asked = {"at": odd["at"], "messageId": odd["messageId"]}
        url = f"http://127.0.0.1:{s.running.http_port}{log}/reread"
        headers = {"Authorization": f"Bearer {viewer['token']}"}
        async with s.client.post(url, json=asked, headers=headers) as answer:
            found = await answer.json()
        assert (found["message"]["raw"], found["message"]["stationId"]) == (odd["raw"], "A")
        assert (found["strict"]["verdict"], found["strict"]["code"]) == (
            "refused",
            "TypeConstraintViolation",
        )
        assert found["repaired"]["payload"] == odd["payload"]
        assert (found["asThen"], found["stationStrict"], found["masked"]) == (True, False, [])

        await s.ask("PATCH", "/api/stations/A", {"strict": True})
        found = await s.ask("POST", f"{log}/reread", asked)
        assert (found["asThen"], found["stationStrict"]) == (False, True)
        assert await s.sql.fetchval("SELECT count(*) FROM ocpp_messages") == frames
        assert await s.sql.fetchval("SELECT count(*) FROM transactions") == 0

        missing = {"at": "2026-01-01T00:00:00Z", "messageId": "x"}
        assert await refused(s, "POST", f"{log}/reread", missing) == (404, "message_not_found")
        nobody = "/api/stations/NOBODY/messages/reread"
        assert await refused(s, "POST", nobody, missing) == (404, "station_not_found")
        await socket.close()


@pytest.mark.slow
async def test_secrets_stay_masked_and_are_named(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A", quiet=True)
        socket, _ = await say(s, "A", ("BootNotification", BOOT))
        asking = asyncio.create_task(s.ask("POST", "/api/stations/A/calls/GetConfiguration", {}))
        async with asyncio.timeout(30):
            _, number, *_ = json.loads(await socket.recv())
        key = {"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef"}
        await socket.send(json.dumps([3, number, {"configurationKey": [key]}]))
        await asking
        found = await s.ask("GET", "/api/stations/A/messages?action=GetConfiguration&direction=in")
        (answer,) = found["items"]
        asked = {"at": answer["at"], "messageId": answer["messageId"]}
        found = await s.ask("POST", "/api/stations/A/messages/reread", asked)
        assert found["strict"]["verdict"] == "taken"
        assert found["masked"] == ["configurationKey[0].value"]
        assert "0123456789abcdef" not in json.dumps(found)
        await socket.close()


@pytest.mark.slow
async def test_a_stretch_is_played_under_a_name_of_its_own(database_url, tmp_path, monkeypatch):
    async with with_simulator(database_url, tmp_path) as s:
        await s.add("A", quiet=True)
        await s.ask("POST", "/api/id-tags", {"idTag": "T", "status": "Accepted"})
        socket, _ = await say(s, "A", ("BootNotification", BOOT), ("StartTransaction", START))
        await s.ask("PATCH", "/api/id-tags/T", {"status": "Blocked"})
        begun = await s.ask("POST", "/api/simulator/replays", {"stationId": "A"})
        assert begun["stationId"] == "REPLAY-A"
        done = await over(s, begun)
        assert (done["state"], done["sent"]) == ("done", 2)
        places = {each["place"]: each["got"] for each in done["differences"]}
        assert places["StartTransaction.idTagInfo.status"] == "Blocked"
        made = await s.ask("GET", "/api/stations/REPLAY-A")
        assert (made["name"], made["maxKw"], made["quiet"], made["siteId"]) == (
            "Replay of A", 22, True, None,
        )  # fmt: skip
        sessions = (await s.ask("GET", "/api/sessions?stationId=REPLAY-A"))["items"]
        assert len(sessions) == 1
        assert begun["movesTimes"] is True
        listed = await s.ask("GET", "/api/simulator/replays")
        assert [each["id"] for each in listed["items"]] == [begun["id"]]
        entries = (await s.ask("GET", "/api/audit?action=replay"))["items"]
        assert [entry["objectId"] for entry in entries] == ["REPLAY-A"]

        # never in the place of a real station without saying so
        begin = "/api/simulator/replays"
        body = {"stationId": "A", "identity": "A"}
        assert await refused(s, "POST", begin, body) == (409, "station_connected")
        await socket.close()

        async def away():
            return not (await s.ask("GET", "/api/stations/A"))["online"]

        await wait_until(away)
        assert await refused(s, "POST", begin, body) == (409, "station_exists")
        taken = await s.ask("POST", begin, body | {"takeOver": True, "moveTimes": False})
        assert (await over(s, taken))["stationId"] == "A"

        viewer = await s.ask("POST", "/api/api-keys", {"name": "v", "role": "viewer"})
        assert await refused(s, "POST", begin, body, viewer["token"]) == (403, "forbidden")
        assert await refused(s, "POST", begin, {"stationId": "X"}) == (404, "station_not_found")
        assert await refused(s, "POST", begin, {"stationId": "A", "speed": -1}) == (
            422,
            "invalid_request",
        )
        monkeypatch.setattr(replays, "MOST_BYTES", 100)
        assert await refused(s, "POST", begin, {"stationId": "A"}) == (413, "bundle_too_large")
        assert await refused(s, "GET", f"{begin}/99") == (404, "unknown_replay")


@pytest.mark.slow
async def test_without_a_simulator(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        assert await refused(s, "POST", "/api/simulator/replays", {"stationId": "A"}) == (
            404,
            "no_simulator",
        )
