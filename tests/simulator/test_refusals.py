"""Why a connection was not made: told in words, whatever the other side is."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime

import pytest
from aiohttp import web
from websockets.asyncio.server import serve

from simulator.charge_point import ChargePointSimulator
from simulator.events import Event
from simulator.playing import Problems
from simulator.refusals import fault_of
from simulator.settings import StationSettings
from tests.simulator.central import CallError, Central, Silence
from tests.simulator.fast_clock import FastClock
from tests.simulator.pki import authority, server_context


async def told(url: str, **settings) -> str:
    """What a charge point says of its first attempt."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def hear(event) -> None:
        if event.name == "not_connected" and not found.done():
            found.set_result(event.data["why"])

    station = ChargePointSimulator(
        StationSettings(identity="CP1", url=url, **settings), clock=FastClock(), on_event=hear
    )
    async with asyncio.timeout(60), station:
        why = await found
        station.stop(patience_s=0)
    return why


async def test_nobody_listens_and_nobody_knows_the_host():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        assert await told(f"ws://{place}/ocpp") == f"nobody listens at {place}"
    assert await told("ws://no-such-host.invalid/ocpp") == "there is no host no-such-host.invalid"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "a web page"),
        (401, "the password is missing or wrong"),
        (403, "403 Forbidden: transport, certificate"),
        (404, "404 Not Found: it does not know this charge point"),
        (503, "takes no connections"),
        (599, "answered 599"),
    ],
)
async def test_a_refused_handshake(status, words):
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="no")

    site = web.Application()
    site.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        assert words in await told(f"ws://127.0.0.1:{runner.addresses[0][1]}/ocpp")
    finally:
        await runner.cleanup()


async def test_a_server_that_does_not_agree_to_the_subprotocol():
    seen = []

    async def listen(connection) -> None:
        seen.extend([message async for message in connection])

    async with serve(listen, "127.0.0.1", 0, subprotocols=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        why = await told(f"ws://127.0.0.1:{port}/ocpp")
    assert why == "the central system has not agreed to the subprotocol ocpp1.6"
    assert seen == [], "not a word without an agreement"


async def test_tls_that_is_not_trusted_not_spoken_or_spoken_alone(central, tmp_path):
    context = server_context(tmp_path, authority())
    async with Central(tls=context).listening() as secured:
        why = await told(secured.url)
        assert why.startswith("the server's certificate is not trusted: ")
        assert "--ca FILE" in why
        assert "does it want wss://?" in await told(secured.url.replace("wss:", "ws:"))
    assert "does it want ws://" in await told(central.url.replace("ws:", "wss:"))


async def test_no_common_version_of_tls(tmp_path):
    old = server_context(tmp_path, authority())
    old.minimum_version = ssl.TLSVersion.TLSv1_3
    modern = ssl.create_default_context()
    modern.maximum_version = ssl.TLSVersion.TLSv1_2
    async with Central(tls=old).listening() as secured:
        assert "TLS" in await told(secured.url, tls=modern)


async def test_a_server_that_says_nothing_or_cuts():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        place = "{}:{}".format(*server.sockets[0].getsockname())
        why = await told(f"ws://{place}/ocpp", response_timeout_s=0.1)
        assert why == f"{place} has not answered in time"

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.transport.abort()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        place = "{}:{}".format(*server.sockets[0].getsockname())
        assert place in await told(f"ws://{place}/ocpp")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h/ocpp", "does not begin with ws:// or wss://"),
        ("ws://", "names no host"),
        ("ws://h:99999/ocpp", "is not a URL"),
        ("ws://h/ocpp#x", "more than a path"),
        ("ws://h/a b", "percent-encoded"),
        ("ws://[::1/ocpp", "is not a URL"),
    ],
)
def test_urls_that_cannot_be_opened(url, words):
    assert words in (fault_of(url) or "")
    assert fault_of("wss://[::1]:9443/ocpp") is None


@pytest.fixture
def problems():
    lines: list[str] = []
    return Problems(lines.append), lines


async def test_no_answer_a_call_error_and_a_close_are_told_once_each(problems, central):
    heard, lines = problems
    central.once("BootNotification", Silence(), Silence(), CallError("InternalError"))
    settings = StationSettings(
        identity="CP1", url=central.url, response_timeout_s=0.6, sets_clock=False
    )
    async with ChargePointSimulator(settings, clock=FastClock(), on_event=heard) as station:
        await station.until_registered()
        await central._sockets["CP1"].close(1008, "not today")
        await central.until(lambda: central.connections >= 4)
        await station.until_registered()
    assert lines == [
        "problem: CP1: BootNotification: no answer in 0.6 s",
        "problem: CP1: BootNotification: InternalError: scripted",
        "problem: CP1: the central system has closed the connection: 1008 not today",
    ]
    told = {one["what"]: one["count"] for one in heard.as_json()}
    assert told["BootNotification: no answer in 0.6 s"] == 2


def test_only_so_many_kinds_of_problems_are_told(problems):
    heard, lines = problems
    for number in range(100):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        why = {"why": f"reason {number}"}
        heard(Event(name="not_connected", charge_point="CP1", at=at, data=why))
    assert len(lines) == len(heard.as_json()) == 50
