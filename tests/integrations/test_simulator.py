"""The way to the simulator: fixed, bounded, and honest about what is not there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from csms.integrations.simulator import HttpSimulator
from csms.services.ports.simulator import SimulatorAway
from simulator.control import Panel
from simulator.emulator import Emulator
from simulator.emulator_api import emulator_routes
from simulator.serving import listening


@asynccontextmanager
async def link_to(port: int, *, host: str = "127.0.0.1", prefix: str = ""):
    url = f"http://127.0.0.1:{port}{prefix}"
    link = HttpSimulator(url, ocpp_host=host, ocpp_port=lambda: 9)
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def answering(handler):
    """Serve one handler at every address."""
    async with listening([web.route("*", "/{any:.*}", handler)], "127.0.0.1", 0) as port:
        yield port


@pytest.fixture
async def emulator():
    made = Emulator(patience_s=30)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        routes = [*emulator_routes(made), *Panel(lambda: made.stations, made.clock).routes()]
        async with listening(routes, "127.0.0.1", 0) as port:
            yield port
        made.stop()


async def test_its_charge_points_are_read_and_its_refusals_come_through(emulator):
    async with link_to(emulator) as link:
        answer = await link.ask("GET", ("api", "stations"), query={"q": "a b&c", "offset": "0"})
        assert (answer.status, answer.body) == (200, {"items": [], "total": 0, "offset": 0})
        answer = await link.ask("POST", ("api", "stations", "x/../y", "reset"), body={})
        assert (answer.status, answer.body["code"]) == (404, "unknown_station")
        assert "x/../y" in answer.body["detail"], "a slash is part of the name"


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104  what operators write
async def test_a_charge_point_is_sent_to_our_own_address(emulator, host):
    async with link_to(emulator, host=host) as link:
        answer = await link.plug("CP 1")
    assert (answer.status, answer.body["code"]) == (502, "cannot_connect")
    assert "ws://127.0.0.1:9/ocpp/CP%201" in answer.body["detail"]


@pytest.mark.parametrize("part", ["..", ".", ""])
async def test_nothing_leads_out_of_the_fixed_address(part):
    asked = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.json_response({})

    async with answering(note) as port, link_to(port, prefix="/sim") as link:
        assert (await link.ask("GET", ("api", part, "x"))).status == 404
        assert (await link.ask("GET", ("api", "?#%2e"))).status == 200
    assert asked == ["/sim/api/%3F%23%252e"]


async def test_a_redirect_is_not_followed():
    async def elsewhere(request: web.Request) -> web.Response:
        assert request.path != "/elsewhere"
        return web.json_response({}, status=302, headers={"Location": "/elsewhere"})

    async with answering(elsewhere) as port, link_to(port) as link:
        assert (await link.ask("GET", ("api",))).status == 302


@pytest.mark.parametrize(
    ("text", "reason"), [("<html>", "no simulator"), ('"' + "x" * 4_000_001, "too large")]
)
async def test_what_cannot_be_passed_back(text, reason):
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    async with answering(answer) as port, link_to(port) as link:
        with pytest.raises(SimulatorAway, match=reason):
            await link.ask("GET", ("api",))


async def test_nobody_is_there(free_port):
    async with link_to(free_port) as link:
        with pytest.raises(SimulatorAway, match="cannot be reached"):
            await link.ask("GET", ("api",))
