"""The export of a station's message log."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import aiohttp
from aiohttp import web
from yarl import URL

from csms.api import message_bundles as api
from csms.services import message_bundles
from csms.services.records import MessageRecord
from tests.waiting import wait_until

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(minutes=10)


async def log(bench, count: int, *, identity: str = "CP1", late: timedelta = timedelta()) -> None:
    """Put frames of one moment each second, in threes, in the order of their numbers."""
    day = START.replace(hour=0, minute=0, second=0)
    await bench.sql.execute(  # that of yesterday is not in a new database
        f"CREATE TABLE IF NOT EXISTS ocpp_messages_{day:%Y%m%d} PARTITION OF ocpp_messages"
        f" FOR VALUES FROM ('{day.isoformat()}') TO ('{(day + timedelta(days=1)).isoformat()}')"
    )
    await bench.sql.execute(
        "INSERT INTO ocpp_messages (at, charge_point_id, direction, type, action, message_id, raw)"
        " SELECT $3::timestamptz + (n / 3) * interval '1 second', $1, 'in', 2, 'Heartbeat',"
        " n::text, '[2,\"' || n || '\",\"Heartbeat\",{}]' FROM generate_series(0, $2 - 1) n",
        await bench.key(identity),
        count,
        START + late,
    )


async def lines(bench, query: str = "", identity: str = "CP1") -> list[dict]:
    _, text = await export(bench, URL(f"/api/stations/{identity}/messages/export{query}"))
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


async def export(bench, path: URL) -> tuple[aiohttp.ClientResponse, str]:
    address = URL(f"{bench.url}{path}", encoded=True)
    headers = {"Authorization": f"Bearer {bench.token}"}
    async with bench.client.get(address, headers=headers) as answer:
        assert answer.status == 200
        return answer, await answer.text()


async def test_header_frames_from_the_oldest_and_footer(bench, monkeypatch):
    monkeypatch.setattr(message_bundles, "_PAGE", 4)  # so that pages end within a second
    await bench.station()
    await bench.station("OTHER")
    await bench.sql.execute("UPDATE charge_points SET vendor = 'V', model = 'M'")
    await log(bench, 12)
    await log(bench, 2, identity="OTHER")
    first, *frames, last = await lines(bench)
    assert (first["format"], first["version"]) == ("csms-message-bundle", 1)
    assert (first["stationId"], first["from"]) == ("CP1", None)
    assert first["boot"] == {"chargePointVendor": "V", "chargePointModel": "M"}
    assert [one["messageId"] for one in frames] == [str(number) for number in range(12)]
    assert frames[0] == {
        "at": START.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "direction": "in",
        "type": "call",
        "action": "Heartbeat",
        "messageId": "0",
        "raw": '[2,"0","Heartbeat",{}]',
        "repairs": [],
        "latencyMs": None,
    }
    assert last == {"end": True, "messages": 12}


async def test_span_of_time_and_nothing_at_all(bench):
    await bench.station()
    await log(bench, 9)
    since = (START + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    until = (START + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    first, *frames, _ = await lines(bench, f"?from={since}&to={until}")
    assert (first["from"], first["to"]) == (since[:-1] + ".000Z", until[:-1] + ".000Z")
    assert [one["messageId"] for one in frames] == ["3", "4", "5"]
    assert [one.get("messages") for one in await lines(bench, f"?to={since[:4]}-01-01")] == [
        None,
        0,
    ]


async def test_frames_that_come_while_it_runs_are_left_out(bench, monkeypatch):
    monkeypatch.setattr(message_bundles, "_PAGE", 2)
    await bench.station()
    await log(bench, 4)
    await log(bench, 3, late=timedelta(hours=1))
    *_, last = await lines(bench)
    assert last == {"end": True, "messages": 4}


async def test_refusals(bench):
    path = "/api/stations/CP1/messages/export"
    assert (await bench.ask("GET", path)).json["code"] == "station_not_found"
    await bench.station()
    assert (await bench.ask("GET", f"{path}?limit=3")).status == 422
    bench.token = None
    assert (await bench.ask("GET", path)).status == 401


async def test_a_name_that_is_no_file_name(bench):
    await bench.station('A"/../B')
    path = URL("/api/stations/A%22%2F..%2FB/messages/export", encoded=True)
    answer, _ = await export(bench, path)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="A__.._B-messages.jsonl"'


class Endless:
    """A log without an end."""

    def __init__(self) -> None:
        self.pages_given = 0

    async def open(self, identity, *, since, until):
        return SimpleNamespace()

    async def pages(self, bundle):
        record = MessageRecord(
            key=1,
            at=NOW,
            direction="in",
            type=2,
            action="Heartbeat",
            message_id="1",
            raw="x" * 1000,
            repairs=(),
            latency_ms=None,
        )
        while True:
            self.pages_given += 1
            yield [record] * 100


async def nothing_to_settle() -> None:
    pass


async def stalled(monkeypatch, act) -> Endless:
    """Start an export, read nothing of it, and `act` with its server once it is stuck."""
    monkeypatch.setattr(api, "header", lambda bundle: {})
    log_without_end = Endless()
    export = api.MessageExport(log_without_end, nothing_to_settle)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await export.export_messages("CP1", api.BundleQuery(), request)

    app = web.Application()
    app.router.add_get("/", handle)
    app.on_shutdown.append(export.close)
    runner = web.AppRunner(app, shutdown_timeout=30)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in await reader.readline()
        writer.transport.pause_reading()
        given = -1
        while given != log_without_end.pages_given:
            given = log_without_end.pages_given
            await asyncio.sleep(0.05)  # stuck once nothing has been asked for in this time
        async with asyncio.timeout(20):
            await act(runner, export)
    finally:
        writer.transport.abort()
        await runner.cleanup()
    return log_without_end


async def test_a_stop_of_the_server_waits_for_no_slow_reader(monkeypatch):
    async def stop(runner, export):
        await runner.cleanup()

    await stalled(monkeypatch, stop)


async def test_a_reader_who_takes_nothing_is_dropped(monkeypatch):
    monkeypatch.setattr(api, "_SEND_S", 0.2)

    async def look(runner, export):
        await wait_until(lambda: not export._open)

    await stalled(monkeypatch, look)
