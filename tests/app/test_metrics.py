"""`/metrics` of a running system: what happens is counted, and who may read it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from csms.errors import DatabaseAway
from csms.metrics import METRICS, Histogram
from csms.services.pulse import DATABASE_EVERY_S, watch_database, watch_loop
from tests.app.bench import TOKEN, system
from tests.waiting import wait_until


async def scrape(s):
    """Return all samples: (name, labels as text) -> value."""
    url = f"http://127.0.0.1:{s.running.http_port}/metrics"
    async with aiohttp.ClientSession() as anybody, anybody.get(url) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        text = await answer.text()
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_happens_is_counted(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        before = await scrape(s)

        def more(now, name, labels=""):
            return now.get((name, labels), 0) - before.get((name, labels), 0)

        await s.add("A")
        with pytest.raises(InvalidStatus):
            async with connect(f"{s.ocpp_url}/nobody", subprotocols=["ocpp1.6"]):
                pass
        async with connect(f"{s.ocpp_url}/A") as socket:  # no subprotocol: a repair
            await socket.send('[2,"1","Authorize",{"idTag":"TAG"}]')
            assert json.loads(await socket.recv())[0] == 3
            await socket.send('[2,"2","StopTransaction",[]]')
            assert json.loads(await socket.recv())[0] == 4

            async def connected():
                return (await scrape(s))["csms_connections", ""] == 1

            await wait_until(connected)

            async def quarantined():
                return (await scrape(s))["csms_quarantine_open", ""] == 1

            await wait_until(quarantined)
            now = await scrape(s)
        assert more(now, "csms_frames_total", "in,call") == 2
        assert more(now, "csms_frames_total", "out,callResult") == 1
        assert more(now, "csms_frames_total", "out,callError") == 1
        assert more(now, "csms_repairs_total", "missing_subprotocol") == 1
        assert more(now, "csms_handshakes_refused_total", "no such station") == 1
        assert more(now, "csms_connections_opened_total") == 1
        assert more(now, "csms_messages_quarantined_total") == 1
        assert more(now, "csms_intake_commit_seconds_count") >= 2
        assert more(now, "csms_intake_batch_facts_bucket", "1.0") >= 1
        assert now["csms_intake_facts_waiting", ""] == 0
        assert now["csms_database_up", ""] == 1
        assert now["csms_stations", ""] == 1
        assert ("csms_build_info", "0.1.0") in now


async def test_calls_are_counted_by_outcome(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        before = await scrape(s)
        await s.plug_in("A")
        await s.ask("POST", "/api/stations/A/calls/ClearCache", {})
        now = await scrape(s)
        key = ("csms_calls_total", "answered")
        assert now[key] - before.get(key, 0) >= 1
        key = ("csms_call_seconds_count", "")
        assert now[key] - before[key] >= 1


async def test_only_this_machine_reads_without_a_token(database_url, tmp_path):
    async with system(database_url, tmp_path) as s, aiohttp.ClientSession() as client:
        port = s.running.http_port

        async def status(**headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            url = f"http://127.0.0.1:{port}/metrics"
            async with client.get(url, headers=headers) as answer:
                return answer.status

        assert await status() == 200
        assert await status(Host=f"localhost:{port}") == 200
        assert await status(Host=f"[::1]:{port}") == 200
        assert await status(X_Forwarded_For="1.2.3.4") == 401
        assert await status(Forwarded="for=1.2.3.4") == 401
        assert await status(Host="charging.example.com") == 401
        assert await status(Origin=f"http://127.0.0.1:{port}") == 401
        token = {"Authorization": f"Bearer {TOKEN}"}
        assert await status(X_Forwarded_For="1.2.3.4", **token) == 200


async def test_it_answers_without_a_database(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        name = database_url.rsplit("/", 1)[1]
        admin = await asyncpg.connect(database_url.rsplit("/", 1)[0] + "/postgres")
        try:
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
                " AND application_name LIKE 'csms%'",
                name,
            )

            async def away():
                samples = await scrape(s)
                return samples["csms_database_up", ""] == 0 and samples

            samples = await wait_until(away)
            assert samples["csms_database_away_seconds_total", ""] > 0
            assert ("csms_stations", "") not in samples or samples["csms_stations", ""] == 0
        finally:
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await admin.close()


def test_a_histogram_counts_bounds_in():
    h = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.1):
        h.observe(value)
    assert h.counts == [2, 2, 1]
    assert h.total == pytest.approx(7.1)


class Units:
    def __init__(self):
        self.up = True

    async def ping(self):
        if not self.up:
            raise DatabaseAway("gone")


async def test_the_time_without_a_database_adds_up(clock):
    before, units = METRICS.database_away_seconds, Units()
    task = asyncio.create_task(watch_database(units, clock))
    await clock.advance(10)
    units.up = False
    await clock.advance(5 * DATABASE_EVERY_S)
    units.up = True
    await clock.advance(10)
    task.cancel()
    away = METRICS.database_away_seconds - before
    assert 4 * DATABASE_EVERY_S <= away <= 6 * DATABASE_EVERY_S
    assert METRICS.database_up


async def test_a_late_loop_is_seen():
    class Late:
        def __init__(self):
            self.at = datetime(2026, 1, 1, tzinfo=UTC)
            self.done = asyncio.Event()

        def monotonic(self):
            return self.at.timestamp()

        async def sleep(self, seconds):
            self.at += timedelta(seconds=seconds + 0.2)
            await asyncio.sleep(0)

    counts = METRICS.loop_lag_seconds
    before = counts.counts[counts.bounds.index(0.25)]
    task = asyncio.create_task(watch_loop(Late()))
    await wait_until(lambda: counts.counts[counts.bounds.index(0.25)] > before)
    task.cancel()
