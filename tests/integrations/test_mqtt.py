"""Site meters by MQTT, at a real broker."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from contextlib import suppress

import aiomqtt
import pytest

from csms.clock import SystemClock
from csms.errors import DatabaseAway, NotFound
from csms.integrations.mqtt import SiteMeters, read_power_w
from tests.integrations.broker import broker
from tests.waiting import wait_until


class Meters:
    """Hears; `fails` holds what the next words meet."""

    def __init__(self):
        self.heard, self.fails = [], []

    async def hear_meter(self, site_id, power_w, solar_w):
        if self.fails:
            raise self.fails.pop(0)
        if site_id == "unknown":
            raise NotFound("site_not_found", "There is no such site.")
        self.heard.append((site_id, power_w, *([] if solar_w is None else [solar_w])))


class QuickClock(SystemClock):
    """Pauses are cut short."""

    async def sleep(self, seconds):
        await super().sleep(min(seconds, 0.05))


async def publish(at, *messages, retain=False):
    async with aiomqtt.Client(
        "127.0.0.1",
        at.port,
        identifier=f"test-{secrets.token_hex(6)}",
        username="meter",
        password="secret",
        protocol=aiomqtt.ProtocolVersion.V311,
    ) as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=1, retain=retain)


@pytest.fixture
async def meters(tmp_path):
    async with broker(tmp_path) as at:
        made = Meters()
        made.broker = at
        made.task = asyncio.get_running_loop().create_task(
            SiteMeters(at.url, made, QuickClock()).run()
        )
        yield made
        made.task.cancel()


async def listening(meters):
    """Wait until words arrive: who listens too late hears nothing."""
    numbers = itertools.count(1)

    async def heard():
        number = next(numbers)
        await publish(meters.broker, ("charging/sites/probe/meter", str(number)))
        async with asyncio.timeout(0.5):
            await wait_until(lambda: ("probe", 1000 * number) in meters.heard)
        return True

    async def soon():
        with suppress(TimeoutError):
            return await heard()

    await wait_until(soon, what="it listens")
    meters.heard.clear()


@pytest.mark.slow
async def test_words_of_meters_are_heard_and_odd_ones_harm_nobody(meters):
    await listening(meters)
    meters.fails = [DatabaseAway("away")]
    at = "charging/sites/{}/meter".format
    await publish(
        meters.broker,
        (at("s"), "1"),  # lost: the database is away
        (at("s"), "12.345"),
        (at("s"), "nonsense"),
        (at("unknown"), "1"),
        (at("s"), b"\xff\x00"),
        (at("depot-7"), json.dumps({"powerKw": -2, "solarKw": 5.5, "more": 1})),
        ("charging/sites/s/other", "5"),
        (at("end"), "0"),
    )
    await wait_until(lambda: ("end", 0) in meters.heard)
    assert meters.heard == [("s", 12_345), ("depot-7", -2000, 5500), ("end", 0)]
    assert not meters.task.done()


@pytest.mark.slow
async def test_a_retained_word_is_old_and_a_broker_that_was_away_is_found_again(meters):
    await listening(meters)
    await publish(meters.broker, ("charging/sites/s/meter", "99"), retain=True)
    await wait_until(lambda: meters.heard)  # as it is told it is new
    await meters.broker.stop()
    await meters.broker.start()
    await listening(meters)
    assert ("s", 99_000) not in meters.heard


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x",
        b"NaN",
        b"1e999",
        b"true",
        b"null",
        b"[]",
        b'"5"',
        b'{"powerKw": null}',
        b'{"solarKw": 1}',
        b'{"powerKw": 1, "solarKw": -1}',
        b'{"powerKw": 1, "solarKw": "much"}',
        b"1e7",
        5,
    ],
)
def test_what_is_no_power_is_refused(payload):
    with pytest.raises(ValueError, match=r".+"):
        read_power_w(payload)
