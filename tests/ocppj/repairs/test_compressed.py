"""Compressed frames that nobody has agreed on (H14-H16)."""

from __future__ import annotations

import struct
import zlib

import pytest

from csms.ocppj import repairs
from csms.ocppj.connection import LARGEST_MESSAGE
from csms.ocppj.repairs.catalogue import COMPRESSED_FRAMES
from csms.ocppj.repairs.switches import Switches
from tests.ocppj.playbook import ChargePoint, Closed, plug_in
from tests.ocppj.repairs.test_catalogue import make_strict, serving

HEARTBEAT = '[2,"1","Heartbeat",{}]'


class Deflating:
    """Sends frames with the mark of permessage-deflate, masked, past the client's library."""

    def __init__(self, cp: ChargePoint, *, takeover: bool = True) -> None:
        self._cp, self._takeover = cp, takeover
        self._deflate = zlib.compressobj(wbits=-15)

    def data(self, text: str) -> bytes:
        if not self._takeover:
            self._deflate = zlib.compressobj(wbits=-15)
        made = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return made.removesuffix(b"\x00\x00\xff\xff")

    def send(self, text: str) -> None:
        self.send_frame(0xC1, self.data(text))

    def send_frame(self, first: int, data: bytes) -> None:
        header = bytes([first])
        if len(data) < 126:
            header += bytes([0x80 | len(data)])
        else:
            header += bytes([0x80 | 126]) + struct.pack("!H", len(data))
        self._cp.socket.transport.write(header + bytes(4) + data)  # masked with zeros


@pytest.mark.parametrize("takeover", [True, False])
async def test_they_are_inflated_answered_counted_and_logged(
    intake, connections, schemas, takeover
):
    counted = repairs.COUNTS[COMPRESSED_FRAMES]
    async with serving(intake, connections, schemas, Switches()) as server:
        cp = await plug_in(server.port)
        deflating = Deflating(cp, takeover=takeover)
        for _ in range(3):
            deflating.send(HEARTBEAT)
            assert (await cp.get())[0] == 3
        assert (await cp.call("Heartbeat", {}))[0] == 3
        await cp.close()
    assert repairs.COUNTS[COMPRESSED_FRAMES] == counted + 3
    inward = [frame for frame in intake.frames if frame.direction == "in"]
    assert [COMPRESSED_FRAMES in (frame.repairs or ()) for frame in inward] == [True] * 3 + [False]
    assert inward[0].raw == HEARTBEAT


async def test_fragments_are_inflated(intake, connections, schemas):
    async with serving(intake, connections, schemas, Switches()) as server:
        cp = await plug_in(server.port)
        deflating = Deflating(cp)
        data = deflating.data(HEARTBEAT)
        deflating.send_frame(0x41, data[:5])
        deflating.send_frame(0x80, data[5:])
        assert (await cp.get())[:2] == [3, "1"]
        await cp.close()


@pytest.mark.parametrize("strict", [True, False])
async def test_they_end_the_connection_of_a_strict_station_or_when_it_is_off(
    intake, connections, schemas, strict
):
    off = Switches() if strict else Switches(off=[COMPRESSED_FRAMES])
    if strict:
        make_strict(connections)
    async with serving(intake, connections, schemas, off) as server:
        cp = await plug_in(server.port)
        Deflating(cp).send(HEARTBEAT)
        assert await cp.get() == Closed(1002)


@pytest.mark.parametrize(
    ("data", "code"), [(b"\xff\xff\xff", 1002), (None, 1009)], ids=["broken", "a bomb"]
)
async def test_what_cannot_be_inflated_ends_only_this_connection(
    intake, connections, schemas, data, code
):
    async with serving(intake, connections, schemas, Switches()) as server:
        cp, other = await plug_in(server.port), await plug_in(server.port, "/ocpp/CP2")
        deflating = Deflating(cp)
        deflating.send_frame(0xC1, data or deflating.data("x" * (20 * LARGEST_MESSAGE)))
        assert await cp.get() == Closed(code)
        assert (await other.call("Heartbeat", {}))[0] == 3
        await other.close()
