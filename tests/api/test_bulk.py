"""Calls to many stations: seen first, some at a time, each outcome kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from csms.services import bulk
from csms.services.bulk import BulkService
from tests.waiting import wait_until

RESET = {"action": "Reset", "payload": {"type": "Soft"}}


async def fleet(bench, count=3, **fields):
    for number in range(count):
        await bench.station(f"CP{number}", **fields)
        await bench.online(f"CP{number}")


async def ended(bench, job_id):
    async def over():
        return (await bench.get(f"/api/bulk/{job_id}"))["state"] != "running"

    await wait_until(over)
    return await bench.get(f"/api/bulk/{job_id}")


async def test_a_preview_sends_nothing(bench):
    await fleet(bench)
    await bench.station("CP9")
    await bench.session("CP1")
    body = RESET | {"stations": {"all": True}, "preview": True}
    found = await bench.post("/api/bulk", body)
    assert (found["matched"], found["online"], found["sessions"]) == (4, 3, 1)
    assert found["disrupts"] is True
    assert [(s["stationId"], s["online"]) for s in found["stations"]][-1] == ("CP9", False)
    assert bench.gateway.sent == []
    assert (await bench.get("/api/bulk"))["items"] == []


async def test_each_station_gets_it_once_and_has_its_outcome(bench):
    await fleet(bench)
    await bench.station("CP9")
    keys = [await bench.key(f"CP{n}") for n in range(3)]
    answers = iter([{"status": "Accepted"}, {"status": "Rejected"}, {"status": "Accepted"}])
    bench.gateway.answers["Reset"] = lambda payload: next(answers)
    body = RESET | {"stations": {"all": True}, "concurrency": 1}
    job = await bench.post("/api/bulk", body, status=202)
    assert (job["total"], job["operator"]) == (4, "administrator")
    job = await ended(bench, job["id"])
    assert (job["state"], job["waiting"]) == ("done", 0)
    assert job["outcomes"] == {"accepted": 2, "rejected": 1, "station_offline": 1}
    assert [sent[:3] for sent in bench.gateway.sent] == [
        (key, "Reset", {"type": "Soft"}) for key in keys
    ]
    page = await bench.get(f"/api/bulk/{job['id']}/stations?limit=2")
    assert [row["stationId"] for row in page["items"]] == ["CP0", "CP1"]
    rest = await bench.get(f"/api/bulk/{job['id']}/stations?limit=9&cursor={page['nextCursor']}")
    assert [(row["stationId"], row["outcome"]) for row in rest["items"]] == [
        ("CP2", "accepted"), ("CP9", "station_offline"),
    ]  # fmt: skip
    rejected = await bench.get(f"/api/bulk/{job['id']}/stations?outcome=rejected")
    call = (await bench.get("/api/stations/CP1/calls"))["items"][0]
    assert rejected["items"][0]["callId"] == call["callId"]
    assert [one["id"] for one in (await bench.get("/api/bulk"))["items"]] == [job["id"]]
    entries = (await bench.get("/api/audit"))["items"]
    assert any(e["action"] == "bulk call" and e["objectId"] == job["id"] for e in entries)


async def test_not_more_at_a_time_than_asked_for(bench):
    await fleet(bench, 6)
    here, most, two = 0, 0, asyncio.Event()

    async def answer():
        nonlocal here, most
        here += 1
        most = max(most, here)
        if here == 2:
            two.set()
        async with asyncio.timeout(60):
            await two.wait()
        for _ in range(5):
            await asyncio.sleep(0)  # a third would come now
        here -= 1
        return {"status": "Accepted"}

    bench.gateway.answers["Reset"] = lambda payload: answer()
    body = RESET | {"stations": {"all": True}, "concurrency": 2}
    job = await bench.post("/api/bulk", body, status=202)
    assert (await ended(bench, job["id"]))["outcomes"] == {"accepted": 6}
    assert most == 2


async def test_stations_where_a_session_runs_are_left_out_when_asked_for(bench):
    await fleet(bench)
    await bench.session("CP1")
    body = RESET | {"stations": {"all": True}, "concurrency": 1, "skipBusy": True}
    job = await bench.post("/api/bulk", body, status=202)
    assert (await ended(bench, job["id"]))["outcomes"] == {"accepted": 2, "sessionRuns": 1}
    rows = (await bench.get(f"/api/bulk/{job['id']}/stations?outcome=sessionRuns"))["items"]
    assert [(row["stationId"], row["callId"]) for row in rows] == [("CP1", None)]
    assert await bench.key("CP1") not in [sent[0] for sent in bench.gateway.sent]


async def test_the_next_one_waits_for_the_job_of_the_one_before(bench, monkeypatch):
    monkeypatch.setattr(bulk, "_JOB_POLL_S", 0.01)
    await fleet(bench, 2)
    bench.gateway.answers["UpdateFirmware"] = {}
    body = {
        "action": "UpdateFirmware",
        "payload": {"location": "ftp://h/fw.bin", "retrieveDate": "2026-01-01T00:00:00Z"},
        "stations": {"all": True},
        "concurrency": 1,
        "awaitJobs": True,
    }
    job = await bench.post("/api/bulk", body, status=202)

    async def first():
        (row, _) = (await bench.get(f"/api/bulk/{job['id']}/stations"))["items"]
        return row if row["job"] else None

    row = await wait_until(first)
    assert (row["outcome"], row["job"]["kind"], row["job"]["state"]) == (
        "accepted", "firmware", "running",
    )  # fmt: skip
    assert len(bench.gateway.sent) == 1
    for number in (1, 2):
        await wait_until(lambda number=number: len(bench.gateway.sent) == number)
        assert (await bench.get(f"/api/bulk/{job['id']}"))["state"] == "running"

        async def failed():
            return await bench.sql.fetchval(
                "UPDATE jobs SET state = 'failed', status = 'DownloadFailed'"
                " WHERE state = 'running' RETURNING 1"
            )

        await wait_until(failed)
    await ended(bench, job["id"])
    rows = (await bench.get(f"/api/bulk/{job['id']}/stations"))["items"]
    assert [row["job"]["status"] for row in rows] == ["DownloadFailed", "DownloadFailed"]


async def test_an_image_of_ours_is_named_in_place_of_a_location(bench):
    await fleet(bench, 1)
    for action, payload, wrong in (
        ("UpdateFirmware", {"firmwareId": "1"}, []),
        ("SignedUpdateFirmware", {"firmwareId": "1"}, []),
        ("GetDiagnostics", {}, []),
        ("GetLog", {"logType": "SecurityLog", "log": {}}, []),
        ("GetLog", {"logType": "Diary", "log": {}}, ["payload.logType"]),
        ("UpdateFirmware", {"firmwareId": "1", "retries": "x"}, ["payload.retries"]),
    ):
        body = {"action": action, "payload": payload, "stations": {"all": True}, "preview": True}
        reply = await bench.ask("POST", "/api/bulk", body)
        assert (reply.status, list(reply.json.get("fields", {}))) == (422 if wrong else 200, wrong)


async def test_cancel_sends_to_nobody_more(bench):
    await fleet(bench)
    asked, go = asyncio.Event(), asyncio.Event()

    async def answer():
        asked.set()
        await go.wait()
        return {"status": "Accepted"}

    bench.gateway.answers["Reset"] = lambda payload: answer()
    body = RESET | {"stations": {"all": True}, "concurrency": 1}
    job = await bench.post("/api/bulk", body, status=202)
    await asyncio.wait_for(asked.wait(), 30)
    await bench.post(f"/api/bulk/{job['id']}/cancel")
    go.set()
    job = await ended(bench, job["id"])
    assert (job["state"], job["outcomes"]) == ("cancelled", {"accepted": 1, "cancelled": 2})
    again = await bench.ask("POST", f"/api/bulk/{job['id']}/cancel")
    assert (again.status, again.json["code"]) == (409, "not_running")


async def test_stations_are_chosen_by_what_is_known_of_them(bench):
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)
    await fleet(bench, 2, siteId="S1")
    await bench.station("XYZ_1", name="by the gate")
    await bench.sql.execute("UPDATE charge_points SET vendor = 'V' WHERE identity = 'CP1'")

    async def matched(**stations):
        body = RESET | {"stations": stations, "preview": True}
        return [s["stationId"] for s in (await bench.post("/api/bulk", body))["stations"]]

    assert await matched(siteId="S1") == ["CP0", "CP1"]
    assert await matched(siteId="S1", vendor="V") == ["CP1"]
    assert await matched(ids=["cp0", "nobody"]) == ["CP0"]
    assert await matched(text="GATE") == ["XYZ_1"]
    assert await matched(text="_1") == ["XYZ_1"]  # no wildcard
    assert await matched(online=False) == ["XYZ_1"]
    assert await matched(all=True, online=True) == ["CP0", "CP1"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (RESET | {"stations": {}}, "stations"),
        (RESET | {"stations": {"all": True, "text": "x"}}, "stations"),
        (RESET | {"stations": {"ids": []}}, "stations.ids"),
        (RESET | {"stations": {"all": True}, "concurrency": 101}, "concurrency"),
        (RESET | {"stations": {"ids": ["nobody"]}}, "stations"),
        ({"action": "Reset", "payload": {"type": "Softly"}, "stations": {"all": True}},
         "payload.type"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_said_at_its_field(bench, body, field):
    reply = await bench.ask("POST", "/api/bulk", body)
    assert (reply.status, list(reply.json["fields"])) == (422, [field])


async def test_unknown_things(bench):
    reply = await bench.ask("POST", "/api/bulk", {"action": "Explode", "stations": {"all": True}})
    assert (reply.status, reply.json["code"]) == (404, "action_not_found")
    for method, path in (("GET", ""), ("GET", "/stations"), ("POST", "/cancel")):
        reply = await bench.ask(method, f"/api/bulk/none{path}")
        assert (reply.status, reply.json["code"]) == (404, "job_not_found")


async def test_viewers_may_only_look(bench):
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    headers = {"Authorization": f"Bearer {key['token']}"}
    assert (await bench.ask("GET", "/api/bulk", headers=headers)).status == 200
    body = RESET | {"stations": {"all": True}, "preview": True}
    assert (await bench.ask("POST", "/api/bulk", body, headers=headers)).status == 403


async def test_secrets_are_not_stored(bench):
    await fleet(bench, 1)
    payload = {"key": "AuthorizationKey", "value": "0123456789abcdef0123456789abcdef"}
    body = {"action": "ChangeConfiguration", "payload": payload, "stations": {"all": True}}
    job = await bench.post("/api/bulk", body, status=202)
    await ended(bench, job["id"])
    assert bench.gateway.sent[0][2] == payload
    stored = await bench.sql.fetchval("SELECT payload::text FROM bulk_jobs")
    assert payload["value"] not in stored


async def test_old_jobs_are_forgotten_when_a_new_one_begins(bench):
    await fleet(bench, 1)
    await bench.sql.execute(
        "INSERT INTO bulk_jobs (id, action, payload, actor, node, concurrency, state, created_at,"
        " ended_at) VALUES"
        " ('old', 'Reset', '{}', 'me', 'n', 1, 'done', now(), now() - $1::interval),"
        " ('young', 'Reset', '{}', 'me', 'n', 1, 'done', now(), now())",
        timedelta(days=91),
    )
    job = await bench.post("/api/bulk", RESET | {"stations": {"all": True}}, status=202)
    assert {one["id"] for one in (await bench.get("/api/bulk"))["items"]} == {"young", job["id"]}
    await ended(bench, job["id"])


async def test_what_a_stopped_process_has_left_is_interrupted(bench):
    await fleet(bench, 2)
    await bench.sql.execute(
        "INSERT INTO bulk_jobs (id, action, payload, actor, node, concurrency, created_at)"
        " VALUES ('j', 'Reset', '{}', 'me', 'n1', 1, now()),"
        " ('other', 'Reset', '{}', 'me', 'n2', 1, now())"
    )
    await bench.sql.execute(
        "INSERT INTO bulk_stations (job_id, place, charge_point_id, outcome)"
        " SELECT 'j', row_number() OVER (ORDER BY id) - 1, id,"
        " CASE identity WHEN 'CP0' THEN 'accepted' END FROM charge_points"
    )
    service = BulkService(bench.units, None, None, bench.gateway, bench.clock, None, node="n1")
    running = asyncio.create_task(service.run())
    job = await ended(bench, "j")
    running.cancel()
    await asyncio.wait([running])
    assert (job["state"], job["outcomes"]) == ("interrupted", {"accepted": 1, "notSent": 1})
    assert (await bench.get("/api/bulk/other"))["state"] == "running"
