"""Replays over the control API: begun, watched, stopped, bounded."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from simulator import replays, replays_api
from simulator.clock import RealClock
from simulator.replays import Replays
from simulator.replays_api import replay_routes
from simulator.serving import listening
from tests.simulator.bundles import BOOT, BOOTED, Recording
from tests.waiting import wait_until

HEARTBEAT = ({}, {"currentTime": "2020-01-01T00:00:00Z"})


@asynccontextmanager
async def api(central, client_of=aiohttp.ClientSession):
    """Give a function that asks the API; status and body."""
    async with (
        Replays(RealClock()) as kept,
        listening(replay_routes(kept), "127.0.0.1", 0) as port,
        client_of() as client,
    ):

        async def ask(method, path="", data=None, **query):
            url = f"http://127.0.0.1:{port}/api/replays{path}"
            async with client.request(method, url, params=query, data=data) as answer:
                return answer.status, await answer.json(content_type=None)

        async def play(recording, **query):
            given = {"url": central.url, "speed": "0"} | query
            return await ask("POST", data="".join(recording.lines()), **given)

        yield ask, play


async def over(ask, replay):
    async def ended():
        found = (await ask("GET", f"/{replay['id']}"))[1]
        return found if found["state"] != "playing" else None

    return await wait_until(ended)


def recording(every_s=1.0):
    return (
        Recording(every_s=every_s)
        .asks("1", "BootNotification", BOOT, {**BOOTED, "interval": 1})
        .asks("2", "Heartbeat", *HEARTBEAT)
    )


async def test_a_bundle_is_played_and_its_differences_are_told(central):
    async with api(central) as (ask, play):
        status, begun = await play(recording(), identity="OTHER")
        assert (status, begun["state"], begun["stationId"]) == (202, "playing", "OTHER")
        done = await over(ask, begun)
        assert (done["state"], done["sent"], done["total"]) == ("done", 2, 2)
        assert [one["place"] for one in done["differences"]] == ["BootNotification.interval"]
        assert done["differenceCount"] == 1
        status, listed = await ask("GET")
        assert [(one["id"], one["differences"]) for one in listed["items"]] == [(begun["id"], [])]


async def test_one_that_takes_long_is_stopped(central):
    async with api(central) as (ask, play):
        _, begun = await play(recording(1800), speed="1")
        await wait_until(lambda: len(central.of("BootNotification")) == 1)
        _, twice = await play(recording())
        assert twice["code"] == "playing", "one charge point has one connection"
        assert (await ask("POST", f"/{begun['id']}/stop"))[0] == 200
        stopped = await over(ask, begun)
        assert (stopped["state"], stopped["sent"]) == ("stopped", 1)


async def test_nobody_is_there(free_port):
    class Nobody:
        url = f"ws://127.0.0.1:{free_port}/ocpp"

    async with api(Nobody) as (ask, play):
        failed = await over(ask, (await play(recording()))[1])
        assert failed["state"] == "failed"
        assert "cannot connect" in failed["brokenOff"]


async def test_it_is_bounded(central, monkeypatch):
    monkeypatch.setattr(replays, "MAX_PLAYING", 1)
    monkeypatch.setattr(replays, "MAX_KEPT", 2)
    async with api(central) as (ask, play):
        _, first = await play(recording(1800), identity="A", speed="1")
        status, refused = await play(recording(), identity="B")
        assert (status, refused["code"]) == (503, "too_many")
        await ask("POST", f"/{first['id']}/stop")
        await over(ask, first)
        for name in "ABC":
            await over(ask, (await play(recording(), identity=name))[1])
        _, listed = await ask("GET")
        assert [one["stationId"] for one in listed["items"]] == ["C", "B"]
        monkeypatch.setattr(replays_api, "MAX_BUNDLE", 100)
        status, refused = await play(recording())
        assert (status, refused["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"url": "http://x"}, "bad_url"),
        ({"speed": "-1"}, "bad_speed"),
        ({"speed": "fast"}, "bad_speed"),
        ({"moveTimes": "yes"}, "bad_moveTimes"),
        ({"identity": "x" * 256}, "bad_identity"),
        ({"loud": "1"}, "unknown_field"),
    ],
)
async def test_what_makes_no_sense(central, query, code):
    async with api(central) as (_, play):
        status, refused = await play(recording(), **query)
        assert (status, refused["code"]) == (400, code)


async def test_what_is_no_bundle(central):
    async with api(central) as (ask, _):
        for data, code in (
            ("", "bad_bundle"),
            (b"\xff\xfe", "bad_bundle"),
            (json.dumps({"format": "csms-message-bundle", "version": 1, "stationId": "A"}) + "\n",
             "nothing_to_play"),
        ):  # fmt: skip
            status, refused = await ask("POST", data=data, url=central.url)
            assert (status < 500, refused["code"]) == (True, code)
        assert (await ask("GET", "/9"))[0] == 404
        assert (await ask("POST", "/9/stop"))[0] == 404
