"""Learning the next id tag that is presented; who did what, found again."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.waiting import wait_until


def frame(action, **content):
    return json.dumps([2, "1", action, content])


async def learning(bench, body=None, count=1):
    """A request that waits, once it does."""
    before = len(bench.log_followers)
    task = asyncio.create_task(bench.post("/api/id-tags/learn", body or {"waitS": 10}))
    await wait_until(lambda: len(bench.log_followers) == before + count)
    return task


async def test_the_next_unknown_tag_is_told(bench):
    await bench.station()
    await bench.station("CP2")
    await bench.post("/api/id-tags", {"idTag": "KNOWN", "name": "Ann"}, status=201)
    key, other = await bench.key(), await bench.key("CP2")
    task = await learning(bench)
    bench.log(key, frame("Authorize", idTag="known"), action="Authorize")
    bench.log(key, frame("Heartbeat"), action="Heartbeat")
    bench.log(key, frame("Authorize", idTag="OUT"), action="Authorize", direction="out")
    bench.log(key, '[2,"1","Authorize",{"idTag":', action="Authorize")
    bench.log(key, frame("Authorize", idTag=7), action="Authorize")
    bench.log(key, frame("Authorize", idTag="x" * 21), action="Authorize")
    bench.log(
        other, frame("StartTransaction", idTag="04A2", connectorId=2), action="StartTransaction"
    )
    learned = await task
    assert (learned["idTag"], learned["stationId"], learned["connectorId"]) == ("04A2", "CP2", 2)
    assert learned["known"] == [{"idTag": "KNOWN", "name": "Ann", "status": "Accepted"}]
    assert bench.log_followers == []
    assert (await bench.ask("GET", "/api/id-tags/04A2")).status == 404  # nothing is stored


async def test_at_one_station_only(bench):
    await bench.station()
    await bench.station("CP2")
    task = await learning(bench, {"stationId": "cp2", "waitS": 10})
    bench.log(await bench.key(), frame("Authorize", idTag="A"), action="Authorize")
    bench.log(await bench.key("CP2"), frame("Authorize", idTag="B"), action="Authorize")
    assert (await task)["idTag"] == "B"


async def test_none_comes(bench):
    learned = await bench.post("/api/id-tags/learn", {"waitS": 0.05})
    assert (learned["idTag"], learned["known"]) == (None, [])


async def test_not_too_many_at_once(bench, monkeypatch):
    from csms.services import tag_learning

    monkeypatch.setattr(tag_learning, "_MOST_WAITING", 1)
    await bench.station()
    task = await learning(bench)
    reply = await bench.ask("POST", "/api/id-tags/learn", {})
    assert (reply.status, reply.json["code"]) == (409, "too_many_learn")
    bench.log(await bench.key(), frame("Authorize", idTag="A"), action="Authorize")
    await task


@pytest.mark.parametrize(
    ("body", "status"),
    [({"waitS": 61}, 422), ({"waitS": "x"}, 422), ({"stationId": "none"}, 404), ({"x": 1}, 422)],
)
async def test_nonsense(bench, body, status):
    assert (await bench.ask("POST", "/api/id-tags/learn", body)).status == status


async def test_viewers_learn_nothing(bench):
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    headers = {"Authorization": f"Bearer {key['token']}"}
    assert (await bench.ask("POST", "/api/id-tags/learn", {}, headers=headers)).status == 403


async def test_the_audit_trail_is_filtered(bench):
    await bench.station("CP1")
    await bench.station("CP2")
    await bench.ask("PATCH", "/api/stations/CP1", {"name": "new"})
    now = bench.clock.now()

    async def found(query):
        items = (await bench.get(f"/api/audit?{query}"))["items"]
        return [(item["action"], item["objectId"]) for item in items]

    assert await found("objectId=CP1") == [("change", "CP1"), ("create", "CP1")]
    assert await found("action=create&objectType=station") == [("create", "CP2"), ("create", "CP1")]
    assert await found("actor=nobody") == []
    assert len(await found("actor=administrator")) == 3
    later = f"{now.year + 1}-01-01T00:00:00Z"
    assert await found(f"from={later}") == []
    assert len(await found(f"to={later}&limit=2")) == 2
    page = await bench.get("/api/audit?objectId=CP1&limit=1")
    assert await found(f"objectId=CP1&limit=1&cursor={page['nextCursor']}") == [("create", "CP1")]
    assert (await bench.ask("GET", "/api/audit?from=soon")).status == 422
