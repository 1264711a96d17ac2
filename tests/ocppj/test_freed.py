"""What a connection leaves behind: nothing that waits for the garbage collector.

Ten thousand stations that come back make it pause longest, and what they have left would stay until
then.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from csms.domain.ids import ChargePointKey
from csms.errors import CallFailed
from csms.ocppj.connection import Connection
from csms.ocppj.conversation import Conversation
from csms.ocppj.gate import Arrival
from csms.ocppj.handshake import Admission
from csms.ocppj.opening import OpeningProtocol
from csms.ocppj.outgoing import Outgoing, PendingCall
from csms.ocppj.repairs.tolerance import Tolerance
from csms.ocppj.server import OcppServer
from csms.ocppj.serving import Station
from csms.ocppj.session import Session
from tests.ocppj.playbook import plug_in
from tests.waiting import wait_until


@pytest.fixture
def collector() -> Iterator[None]:
    """Keep the garbage collector from tidying up by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


OF_A_CONNECTION = (
    Session, Connection, OpeningProtocol, Conversation, Outgoing, PendingCall, Station, Tolerance,
    Admission, Arrival,
)  # fmt: skip


def left_behind() -> set[str]:
    """Return what of a connection only the garbage collector can free."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    kinds = {type(each) for each in gc.garbage}  # `isinstance` would ask a weak proxy
    return {kind.__name__ for kind in kinds if issubclass(kind, OF_A_CONNECTION)}


async def closes(server: OcppServer) -> None:
    station = await plug_in(server.port)
    assert await station.call("Heartbeat", {})
    await station.close()


async def breaks_off(server: OcppServer) -> None:
    station = await plug_in(server.port)
    assert await station.call("Heartbeat", {})
    station.socket.transport.abort()


async def talks_nonsense(server: OcppServer) -> None:
    station = await plug_in(server.port)
    for _ in range(10):
        await station.send("[[")
    await station.socket.wait_closed()


async def leaves_our_call_open(server: OcppServer) -> None:
    station = await plug_in(server.port)
    call = server.gateway.call(ChargePointKey(1), "Reset", {"type": "Soft"}, message_id="1")
    open_call = asyncio.get_running_loop().create_task(call)
    assert (await station.get())[2] == "Reset"
    station.socket.transport.abort()
    await asyncio.wait([open_call])
    assert isinstance(open_call.exception(), CallFailed)  # raised here, it would hold this frame


async def is_refused(server: OcppServer) -> None:
    with pytest.raises(InvalidStatus):
        await plug_in(server.port, "/ocpp/NOBODY")


@pytest.mark.parametrize(
    "visit", [closes, breaks_off, talks_nonsense, leaves_our_call_open, is_refused]
)
async def test_who_has_left_is_freed_at_once(server, collector, visit):
    others = asyncio.all_tasks()
    await visit(server)
    await wait_until(lambda: asyncio.all_tasks() <= others, what="the connection has ended")
    assert left_behind() == set()
