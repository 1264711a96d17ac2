"""`/ws/live` over real sockets: topics by snapshot and changes, the tail of the message log."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import aiohttp
import pytest

from csms.api import live as live_api
from csms.domain.events import SessionsChanged, StationChanged
from csms.errors import DatabaseAway
from csms.services import live as live_feed
from csms.services import message_tail, session_feed
from tests.api.bench import ADMIN
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """Let a second be shorter: what is told is the same."""
    monkeypatch.setattr(live_feed, "_STEP_S", 0.2)
    monkeypatch.setattr(message_tail, "_STEP_S", 0.2)
    monkeypatch.setattr(session_feed, "_TICK_S", 0.2)
    monkeypatch.setattr(session_feed, "_POLL_S", 0.2)


def connect(bench, topics="", **headers):
    headers.setdefault("Authorization", f"Bearer {ADMIN}")
    wanted = {name: value for name, value in headers.items() if value is not None}
    return bench.client.ws_connect(f"{bench.url}/ws/live?topics={topics}", headers=wanted)


async def told(socket, timeout=30):
    message = await socket.receive(timeout=timeout)
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return json.loads(message.data)


async def until(socket, topic, event, timeout=60):
    """Return the next frame of this topic and event."""
    async with asyncio.timeout(timeout):
        while True:
            frame = await told(socket, timeout)
            if (frame["topic"], frame["event"]) == (topic, event):
                return frame


async def change_of(socket, topic, key, *fields):
    """Return what is told next of one object and has these fields."""
    while True:
        frame = await until(socket, topic, "changed")
        for item in frame["data"]:
            if item["id"] == key and all(field in item for field in fields):
                return item


def is_part_of(view, resource):
    """Return whether all that a view says stands in the resource too."""
    if isinstance(view, dict):
        return all(is_part_of(value, resource[name]) for name, value in view.items())
    if isinstance(view, list):
        return len(view) == len(resource) and all(map(is_part_of, view, resource))
    return view == resource


async def test_stations_by_snapshot_and_changes(bench):
    station = await bench.station(connectors=2)
    async with connect(bench, "stations") as socket:
        frame = await told(socket)
        assert (frame["topic"], frame["event"]) == ("stations", "snapshot")
        (found,) = frame["data"]
        assert [each["connectorId"] for each in found["connectors"]] == [1, 2]
        assert is_part_of(found, station)
        assert set(found) == {
            "id", "name", "siteId", "online", "lastSeenAt", "vendor", "model",
            "firmwareVersion", "bootedAt", "registration", "quiet", "connectors",
        }  # fmt: skip

        key = await bench.online()
        bench.bus.publish(StationChanged(key))
        assert await change_of(socket, "stations", "CP1") == {"id": "CP1", "online": True}

        await bench.sql.execute("UPDATE charge_points SET booted_at = '2026-01-01T12:00:00Z'")
        bench.bus.publish(StationChanged(key))
        change = await change_of(socket, "stations", "CP1")
        assert change == {"id": "CP1", "bootedAt": "2026-01-01T12:00:00Z"}

        number = await bench.session(power_w=7000)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "stations", "CP1")
        assert set(change) == {"id", "connectors"}
        assert is_part_of(change, await bench.get("/api/stations/CP1"))
        assert change["connectors"][0]["sessionId"] == str(number)

        await bench.stop(number)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "stations", "CP1")
        assert change["connectors"][0]["sessionId"] is None

        await bench.station("CP2")
        assert (await change_of(socket, "stations", "CP2"))["name"] == "CP2"
        await bench.ask("DELETE", "/api/stations/CP2")
        assert (await until(socket, "stations", "changed"))["removed"] == ["CP2"]


async def test_a_lost_hint_is_found_by_the_poll(bench, monkeypatch):
    monkeypatch.setattr(live_feed, "_POLL_S", 0.4)
    await bench.station()
    async with connect(bench, "stations") as socket:
        await told(socket)
        await bench.sql.execute("UPDATE charge_points SET name = 'renamed'")  # nobody publishes
        assert await change_of(socket, "stations", "CP1") == {"id": "CP1", "name": "renamed"}


async def test_sessions_end_once_and_are_gone_then(bench):
    await bench.station()
    number = await bench.session(register_wh=2000)
    key = str(number)
    async with connect(bench, "sessions") as socket:
        frame = await told(socket)
        assert frame["event"] == "snapshot"
        assert frame["data"] == [await bench.get(f"/api/sessions/{number}")]

        await bench.sql.execute(
            "UPDATE transactions SET register_wh = 6000, power_w = 7000 WHERE id = $1", number
        )
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "sessions", key)
        assert change == {"id": key, "energyKwh": 5.0, "powerKw": 7.0, "cost": 1.5}

        await bench.stop(number)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "sessions", key)
        assert (change["status"], change["stopReason"]) == ("completed", "Local")
        frame = await until(socket, "sessions", "changed")
        assert (frame["data"], frame["removed"]) == ([], [key])


async def test_when_a_vehicle_will_be_full(bench):
    await bench.station()
    number = await bench.session(meter_start_wh=0, register_wh=6000, power_w=7200, soc_percent=30)
    await bench.sql.execute("SELECT ensure_partitions('meter_values', 'month', 3)")
    await bench.sql.execute(
        "INSERT INTO meter_values (received_at, charge_point_id, transaction_id, connector_id,"
        " measured_at, energy_wh, soc_permille) VALUES (now(), $1, $2, 1, now(), 0, 200)",
        await bench.key(),
        number,
    )
    # 6 kWh for 10 %: 70 % more, the last 5 % at half the power
    expected = bench.clock.now() + timedelta(hours=45 / 7.2)
    one = await bench.get(f"/api/sessions/{number}")
    (listed,) = (await bench.get("/api/sessions"))["items"]
    async with connect(bench, "sessions") as socket:
        (told_live,) = (await told(socket))["data"]
        for found in (one, listed, told_live):
            eta = datetime.fromisoformat(found["etaAt"])
            assert abs(eta - expected) < timedelta(minutes=2)
        await bench.sql.execute("UPDATE transactions SET power_w = 3600 WHERE id = $1", number)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "sessions", str(number))
        later = datetime.fromisoformat(change["etaAt"])
        assert abs(later - expected - timedelta(hours=45 / 7.2)) < timedelta(minutes=2)
    await bench.stop(number)
    assert (await bench.get(f"/api/sessions/{number}"))["etaAt"] is None


async def test_sites_with_the_newest_decision(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "Depot", "gridCapacityKw": 100}, status=201)
    async with connect(bench, "sites,today") as socket:
        frame = await until(socket, "sites", "snapshot")
        (site,) = frame["data"]
        assert (site["id"], site["gridCapacityKw"], site["powerKw"]) == ("S1", 100, 0)
        document = {
            "version": 3, "gridPowerW": 9000, "warnings": ["the meter is silent"],
            "battery": None, "circuits": [["grid", 80_000, 9000, None, None]],
            "loads": [["m1", "X", 1, 9000, 8000, None, "all that it takes"]],
        }  # fmt: skip
        await bench.sql.execute(
            "INSERT INTO site_decisions (site_id, version, decided_at, decision)"
            " VALUES ('S1', 3, now(), $1)",
            json.dumps(document),
        )
        change = await change_of(socket, "sites", "S1", "sessions")
        assert (change["limitKw"], change["powerKw"], change["gridPowerKw"]) == (80, 8, 9)
        assert change["sessions"][0]["allocatedPowerKw"] == 9
        assert change["warnings"] == ["the meter is silent"]
        assert "name" not in change  # it has not changed
        sunny = {"powerKw": -3, "solarKw": 9}
        await bench.post("/api/sites/S1/meter", sunny, status=200)
        change = await change_of(socket, "sites", "S1", "meterKw")
        assert (change["meterKw"], change["solarKw"]) == (-3, 9)
        reply = await bench.ask("DELETE", "/api/sites/S1")
        assert reply.status == 204, reply
        assert (await until(socket, "sites", "changed"))["removed"] == ["S1"]


async def test_today_counts_what_has_ended_and_what_runs(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)
    await bench.station(siteId="S1")
    await bench.station("CP2")
    one = await bench.online("CP1")
    await bench.online("CP2")
    await bench.stop(await bench.session(site_id="S1"))  # 10 kWh, 3 EUR
    yesterday = await bench.session(site_id="S1")
    await bench.stop(yesterday)
    await bench.sql.execute(
        "UPDATE transactions SET stopped_at = stopped_at - interval '36 hours' WHERE id = $1",
        yesterday,
    )
    await bench.session(site_id="S1", register_wh=3000, power_w=7000)  # 2 kWh, 0.60 EUR
    await bench.session("CP2", register_wh=2000, power_w=4000)  # 1 kWh, 0.30 EUR
    async with connect(bench, "today") as socket:
        frame = await told(socket)
        everything, site = frame["data"]
        assert everything == {
            "id": "all", "powerKw": 11, "capacityKw": 50, "energyKwh": 13, "sessions": 3,
            "activeSessions": 2, "revenue": 3.9, "currency": "EUR",
            "revenues": [{"currency": "EUR", "amount": 3.9}],
        }  # fmt: skip
        assert (site["id"], site["energyKwh"], site["revenue"]) == ("S1", 12, 3.6)
        number = await bench.session("CP2", currency="CHF", register_wh=2000)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        change = await change_of(socket, "today", "all")
        assert (change["revenue"], change["currency"], change["sessions"]) == (None, None, 4)
        assert [row["currency"] for row in change["revenues"]] == ["CHF", "EUR"]
        bench.gateway.online_keys.discard(one)  # what it draws now nobody knows
        change = await change_of(socket, "today", "S1", "powerKw")
        assert change["powerKw"] == 0


async def test_attention_comes_and_goes(bench):
    await bench.station(connectors=1)
    key = await bench.online()
    await bench.sql.execute(
        "INSERT INTO connectors (charge_point_id, connector_id, status, error_code, info,"
        " received_at) VALUES ($1, 1, 'Faulted', 'GroundFailure', 'call me', now())",
        key,
    )
    async with connect(bench, "attention") as socket:
        frame = await told(socket)
        (item,) = frame["data"]
        assert (item["kind"], item["severity"]) == ("stationFaulted", "critical")
        assert (item["stationId"], item["connectorId"]) == ("CP1", 1)
        assert item["text"] == "Connector 1 of CP1 is faulted."
        assert item["detail"] == "error GroundFailure, call me"
        await bench.sql.execute("UPDATE connectors SET status = 'Available'")
        bench.bus.publish(StationChanged(key))
        assert (await until(socket, "attention", "changed"))["removed"] == [item["id"]]


async def test_attention_from_what_only_the_database_knows(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "Depot", "gridCapacityKw": 9}, status=201)
    await bench.station(siteId="S1", connectors=1)
    key, number = await bench.online(), await bench.session(site_id="S1")
    await bench.sql.execute(
        "INSERT INTO charging_limits (charge_point_id, connector_id, purpose, transaction_id,"
        " desired_w, refused_w, refused_status, refusals, refused_at)"
        " VALUES ($1, 1, 'TxProfile', $2, 7000, 7000, 'ignored', 1, now())",
        key,
        number,
    )
    await bench.sql.execute(
        "INSERT INTO station_certificates (charge_point_id, certificate_type, serial_folded,"
        " issuer_folded, serial_number, not_after, source, seen_at, in_use_at) VALUES"
        " ($1, 'ChargePointCertificate', '1', '', '1', now() + interval '9 days', 'shown', now(),"
        " now()), ($1, 'ChargePointCertificate', '0', '', '0', now(), 'shown', now(), now())",
        key,
    )
    for reason in ("one", "another"):
        await bench.sql.execute(
            "INSERT INTO quarantine (charge_point_id, action, reason, raw, received_at)"
            " VALUES ($1, 'StopTransaction', $2, '[]', now())",
            key,
            reason,
        )
    for identity, outcome in (("WB-7", "refused"), ("WB-8", "refused"), ("WB-8", "connected")):
        await bench.sql.execute(
            "INSERT INTO connection_attempts (identity, identity_folded, at, outcome, status,"
            " reason, address)"
            " VALUES ($1, lower($1), now(), $2, 404, 'no such station', '10.0.0.9')",
            identity,
            outcome,
        )
    async with connect(bench, "attention") as socket:
        found = {item["kind"]: item for item in (await told(socket))["data"]}
    assert set(found) == {
        "limitNotObeyed", "certificateEndsSoon", "quarantined", "refusedConnection",
    }  # fmt: skip
    assert (
        found["limitNotObeyed"]["text"] == "Connector 1 of CP1 draws more than its limit of 7 kW."
    )
    assert found["limitNotObeyed"]["sessionId"] == str(number)
    assert found["certificateEndsSoon"]["severity"] == "warning"
    assert found["quarantined"]["text"] == "2 messages of CP1 were refused and kept."
    assert found["quarantined"]["detail"] == "The newest: StopTransaction, another"
    assert found["refusedConnection"]["stationId"] == "WB-7"
    assert found["refusedConnection"]["detail"].startswith("Add a station")


async def test_messages_with_filters(bench):
    await bench.station()
    await bench.station("CP2")
    key, other = await bench.key(), await bench.key("CP2")
    async with connect(bench, "messages") as everything, connect(bench) as one:
        assert (await told(everything))["data"] == []
        ask = {"subscribe": {"topic": "messages", "stationId": "CP2", "action": "Heartbeat"}}
        await one.send_json(ask)
        assert (await told(one))["event"] == "appended"
        bench.log(key, '[2,"a","Heartbeat",{}]', action="Heartbeat")
        bench.log(other, '[2,"b","Heartbeat",{}]', action="Heartbeat")
        bench.log(other, '[2,"c","BootNotification",{}]', action="BootNotification")
        frame = await told(everything)
        assert [(m["stationId"], m["messageId"]) for m in frame["data"]] == [
            ("CP1", "a"), ("CP2", "b"), ("CP2", "c"),
        ]  # fmt: skip
        assert set(frame["data"][0]) == {
            "stationId", "direction", "type", "action", "messageId", "payload", "raw", "at",
            "repairs", "latencyMs",
        }  # fmt: skip
        assert [m["messageId"] for m in (await told(one))["data"]] == ["b"]
        await one.send_json({"unsubscribe": "messages"})
        await one.send_json({"subscribe": {"topic": "messages", "stationId": "nobody"}})
        assert (await told(one))["event"] == "refused"
        bench.log(other, '[2,"d","Heartbeat",{}]', action="Heartbeat")
        assert (await told(everything))["data"][0]["messageId"] == "d"
    await wait_until(lambda: not bench.log_followers)


async def test_a_flood_of_messages_is_cut_and_counted(bench):
    await bench.station()
    key = await bench.key()
    async with connect(bench, "messages") as socket:
        await told(socket)
        bench.log(key, *(f'[2,"{n}","Heartbeat",{{}}]' for n in range(500)), action="Heartbeat")
        frame = await told(socket)
        assert len(frame["data"]) == 200
        assert (frame["data"][-1]["messageId"], frame["dropped"]) == ("499", 300)


async def test_subscribe_later_and_leave(bench):
    await bench.station()
    async with connect(bench) as socket:
        await socket.send_json({"subscribe": {"topic": "stations"}})
        assert (await told(socket))["event"] == "snapshot"
        await socket.send_json({"unsubscribe": "stations"})
        await socket.send_json({"subscribe": {"topic": "sessions"}})
        assert (await told(socket))["topic"] == "sessions"
        await bench.station("CP2")
        await socket.send_json({"subscribe": {"topic": "stations"}})
        frame = await told(socket)
        assert (frame["event"], len(frame["data"])) == ("snapshot", 2)


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", '{"subscribe": {"topic": "weather"}}', '{"unsubscribe": 3}', '{"x": 1}',
     '{"subscribe": {"topic": "messages", "stationId": ""}}'],
)  # fmt: skip
async def test_nonsense_is_refused_in_words_and_the_socket_stays(bench, text):
    async with connect(bench) as socket:
        await socket.send_str(text)
        frame = await told(socket)
        assert frame["event"] == "refused"
        assert frame["data"]["detail"]
        await socket.send_json({"subscribe": {"topic": "sessions"}})
        assert (await told(socket))["event"] == "snapshot"


async def test_unknown_topics_are_refused(bench):
    reply = await bench.ask("GET", "/ws/live?topics=stations,weather")
    assert reply.status == 422
    assert "topics" in reply.json["fields"]


@pytest.mark.parametrize("token", [None, "Bearer wrong"])
async def test_no_credentials(bench, token):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(bench, Authorization=token)
    assert refused.value.status == 401


async def test_who_may_watch(bench):
    statuses = {}
    for role in ("driver", "viewer"):
        key = await bench.post("/api/api-keys", {"name": role, "role": role}, status=201)
        try:
            async with connect(bench, Authorization=f"Bearer {key['token']}"):
                statuses[role] = 101
        except aiohttp.WSServerHandshakeError as refused:
            statuses[role] = refused.status
    assert statuses == {"driver": 403, "viewer": 101}


async def test_who_may_not_watch_any_more_is_closed(bench, monkeypatch):
    monkeypatch.setattr(live_api, "_CHECKED_EVERY_S", 0.1)
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    headers = {"Authorization": f"Bearer {key['token']}"}
    async with connect(bench, **headers) as socket, connect(bench) as other:
        await bench.ask("DELETE", f"/api/api-keys/{key['id']}")
        message = await socket.receive(timeout=30)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        await other.send_json({"subscribe": {"topic": "sessions"}})
        assert (await told(other))["event"] == "snapshot"


async def test_what_happens_while_the_database_is_away_is_told_afterwards(bench, monkeypatch):
    from csms.store.live import LiveRows

    await bench.station()
    async with connect(bench, "stations,sites") as socket:
        await until(socket, "stations", "snapshot")
        await until(socket, "sites", "snapshot")
        away = asyncio.Event()
        original = LiveRows.sites

        async def sites(self, *args):
            if not away.is_set():
                # a change whose hint comes while nobody listens, and a topic that begins then
                await bench.sql.execute("UPDATE charge_points SET name = 'renamed'")
                await socket.send_json({"subscribe": {"topic": "attention"}})
                away.set()
                raise DatabaseAway("just now")
            return await original(self, *args)

        monkeypatch.setattr(LiveRows, "sites", sites)
        assert await change_of(socket, "stations", "CP1") == {"id": "CP1", "name": "renamed"}


async def test_many_sockets_share_questions_and_nobody_asks_for_nobody(bench, monkeypatch):
    from csms.store.live import LiveRows

    asked = []
    for name in ("stations", "stations_of", "sites", "completed_today", "limit_troubles"):
        original = getattr(LiveRows, name)

        async def counted(self, *args, _original=original, **more):
            asked.append(_original.__name__)
            return await _original(self, *args, **more)

        monkeypatch.setattr(LiveRows, name, counted)
    await bench.station()
    topics = "stations,sessions,sites,attention,today"
    sockets = [await connect(bench, topics) for _ in range(10)]
    for socket in sockets:
        for topic in topics.split(","):
            await until(socket, topic, "snapshot")
    assert asked.count("stations") == 1
    assert asked.count("completed_today") == 1
    asked.clear()
    key = await bench.online()
    bench.bus.publish(StationChanged(key))
    for socket in sockets:
        await change_of(socket, "stations", "CP1")
    assert asked.count("stations_of") == 1
    for socket in sockets:
        await socket.close()
    await bench.session()
    async with connect(bench, "sessions") as socket:  # for which none of these is asked
        await until(socket, "sessions", "snapshot")
        asked.clear()
        bench.bus.publish(StationChanged(key))
        number = await bench.session(connector_id=2)
        bench.bus.publish(SessionsChanged(frozenset({number})))
        await change_of(socket, "sessions", str(number))
    assert asked == []


async def test_who_does_not_read_is_closed_with_1013(bench, monkeypatch):
    await bench.station()
    async with connect(bench, "stations") as other:
        await until(other, "stations", "snapshot")
        monkeypatch.setattr(live_api, "_MOST_WAITING", 2)
        monkeypatch.setattr(live_api.Live, "_send", staticmethod(_never_sends))
        async with connect(bench) as socket:
            for _ in range(3):
                await socket.send_json({"subscribe": {"topic": "stations"}})
            message = await socket.receive(timeout=30)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert message.data == 1013


async def _never_sends(socket, reader):
    await asyncio.Event().wait()


async def test_who_can_inflate_gets_a_fraction(bench):
    """Thousands of stations are megabytes of text, nearly all of it the same words."""
    for number in range(60):
        await bench.station(f"CP{number}")
    async with connect(bench, "stations") as socket:
        whole = len(json.dumps(await until(socket, "stations", "snapshot")))
    _, _, place = bench.url.partition("//")
    host, _, port = place.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /ws/live?topics=stations HTTP/1.1\r\nHost: %b\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nAuthorization: Bearer %b\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" % (place.encode(), ADMIN.encode())
    )
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"permessage-deflate" in head
        first, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2))
        assert first & 0x40, "the frame is marked as compressed"
        assert 100 < length < whole / 5
    writer.close()
    await writer.wait_closed()
