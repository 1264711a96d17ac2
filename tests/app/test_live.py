"""What the cockpit is told live of a whole system: refused, let in, charging, metered, stopped."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.app.bench import TOKEN, system
from tests.app.station import plugged

TOPICS = "stations,sessions,attention,messages"


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path, accept_unknown_stations=False, quiet=True) as s:
        yield s


class Watcher:
    """Merges what comes, as the cockpit does."""

    def __init__(self, socket):
        self.socket = socket
        self.topics = {topic: {} for topic in TOPICS.split(",")}
        self.messages = []

    async def until(self, predicate):
        async with asyncio.timeout(30):
            while not predicate(self):
                self.take(json.loads((await self.socket.receive()).data))

    def take(self, frame):
        if frame["topic"] == "messages":
            self.messages += frame["data"]
            return
        things = self.topics[frame["topic"]]
        if frame["event"] == "snapshot":
            things.clear()
        for item in frame["data"]:
            things.setdefault(item["id"], {}).update(item)
        for key in frame.get("removed", ()):
            del things[key]

    def station(self):
        return self.topics["stations"].get("WB-7", {})

    def session(self, number):
        return self.topics["sessions"].get(number, {})

    def connector(self):
        return next((c for c in self.station().get("connectors", ()) if c["connectorId"] == 1), {})


async def test_a_charger_from_its_refusal_to_its_receipt(s):
    url = f"http://127.0.0.1:{s.running.http_port}/ws/live?topics={TOPICS}"
    async with s.client.ws_connect(url, headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        watcher = Watcher(socket)
        first = await s.ask("GET", "/api/first-run")
        assert first["ocppUrl"] == f"ws://127.0.0.1:{s.running.ocpp_port}/ocpp/IDENTITY"
        with pytest.raises(InvalidStatus):
            await connect(f"{s.ocpp_url}/WB-7", subprotocols=["ocpp1.6"])
        (refused,) = (await s.ask("GET", "/api/first-run"))["refused"]
        assert (refused["identity"], refused["reason"]) == ("WB-7", "no such station")
        await watcher.until(lambda w: "refusedConnection:wb-7" in w.topics["attention"])

        await s.ask("POST", "/api/connections/WB-7/accept", {"maxKw": 11, "connectors": 1})
        await watcher.until(lambda w: w.station().get("online") is False)
        async with plugged(s, "WB-7") as station:
            await watcher.until(lambda w: w.station().get("online") is True)
            await station.say(
                "StatusNotification",
                {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"},
            )
            await watcher.until(lambda w: w.connector().get("status") == "Faulted")
            await watcher.until(lambda w: "stationFaulted:WB-7:1" in w.topics["attention"])
            started = await station.say(
                "StartTransaction",
                {"connectorId": 1, "idTag": "NOBODY", "meterStart": 0,
                 "timestamp": "2026-11-21T18:00:00Z"},
            )  # fmt: skip
            number = str(started["transactionId"])
            await watcher.until(lambda w: w.connector().get("sessionId") == number)
            values = [{"value": "7000", "measurand": "Power.Active.Import", "unit": "W"}]
            await station.say(
                "MeterValues",
                {"connectorId": 1, "transactionId": started["transactionId"],
                 "meterValue": [{"timestamp": "2026-11-21T18:01:00Z", "sampledValue": values}]},
            )  # fmt: skip
            await watcher.until(lambda w: w.connector().get("powerKw") == 7)
            await watcher.until(lambda w: w.session(number).get("powerKw") == 7)
            await station.say(
                "StopTransaction",
                {"transactionId": started["transactionId"], "meterStop": 2000,
                 "timestamp": "2026-11-21T18:30:00Z"},
            )  # fmt: skip
            await watcher.until(lambda w: number not in w.topics["sessions"])
            await watcher.until(lambda w: w.connector().get("sessionId") is None)
        await watcher.until(lambda w: w.station().get("online") is False)
        await watcher.until(lambda w: any(m["action"] == "StopTransaction" for m in w.messages))
        assert {m["stationId"] for m in watcher.messages} == {"WB-7"}
        story = (await s.ask("GET", f"/api/sessions/{number}/timeline"))["items"]
        assert "The session stops at 2000 Wh: Local" in [item["text"] for item in story]
        found = await s.ask("GET", "/api/messages?text=NOBODY")
        assert [item["action"] for item in found["items"]] == ["StartTransaction"]
