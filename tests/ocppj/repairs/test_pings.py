"""Stations that speak but answer no ping (H13)."""

from __future__ import annotations

import asyncio

import pytest
from websockets.frames import Opcode

from csms.ocppj import repairs
from csms.ocppj.repairs.catalogue import PINGS_UNANSWERED
from csms.ocppj.repairs.switches import Switches
from tests.ocppj.playbook import ChargePoint, Closed, plug_in
from tests.ocppj.repairs.test_catalogue import make_strict, serving
from tests.waiting import wait_until

IMPATIENT = {"ping_interval_s": 0.05, "ping_timeout_s": 0.3}
"""A machine that stands still for less than that makes nobody mute."""


async def plug_in_mute(port: int) -> ChargePoint:
    """Connect a station whose pongs never leave."""
    cp = await plug_in(port)
    protocol = cp.socket.protocol
    send = protocol.send_frame

    def without_pongs(frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    protocol.send_frame = without_pongs
    return cp


async def dropped(server, connections, *, speaks: bool) -> None:
    ends = len(connections.ends)
    cp = await plug_in_mute(server.port)
    if speaks:
        await cp.call("Heartbeat", {})
    assert await cp.get() == Closed(1011)
    await wait_until(lambda: len(connections.ends) > ends)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("csms.ocppj.door._CLOSE_TIMEOUT_S", 0.1)


async def test_who_has_spoken_twice_is_kept_the_third_time(intake, connections, schemas):
    counted = repairs.COUNTS[PINGS_UNANSWERED]
    async with serving(intake, connections, schemas, Switches(), **IMPATIENT) as server:
        for _ in range(2):
            await dropped(server, connections, speaks=True)
        cp = await plug_in_mute(server.port)
        loop = asyncio.get_running_loop()
        later = loop.time() + 0.8  # by then it would have been dropped twice
        await wait_until(lambda: loop.time() > later)
        assert (await cp.call("Heartbeat", {}))[0] == 3
        await cp.close()
    assert repairs.COUNTS[PINGS_UNANSWERED] == counted + 1
    assert any(PINGS_UNANSWERED in (frame.repairs or ()) for frame in intake.frames)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["silent", "strict", "off"])
async def test_others_are_dropped_each_time(intake, connections, schemas, case):
    """A socket that never says anything is most likely nobody's any more."""
    if case == "strict":
        make_strict(connections)
    switches = Switches(off=[PINGS_UNANSWERED] if case == "off" else [])
    async with serving(intake, connections, schemas, switches, **IMPATIENT) as server:
        for _ in range(3):
            await dropped(server, connections, speaks=case != "silent")


async def test_who_answers_again_is_pinged_again(intake, connections, schemas):
    async with serving(intake, connections, schemas, Switches(), **IMPATIENT) as server:
        await dropped(server, connections, speaks=True)
        cp = await plug_in(server.port)
        await wait_until(lambda: server.registry.get(1)._socket.latency)
        await cp.close()
        await wait_until(lambda: len(connections.ends) == 2)
        for _ in range(2):
            await dropped(server, connections, speaks=True)
