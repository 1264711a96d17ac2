"""A client socket that does on the wire what a library would not let pass."""

import zlib
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from simulator.oddities.model import Door

FLUSH_TAIL = b"\x00\x00\xff\xff"
RSV1 = 0x40
"""The bit that marks a compressed message."""


class OddConnection(ClientConnection):
    """A connection with header lines taken away, or without pongs.

    Args:
        door: how it is opened.
    """

    def __init__(self, *args: Any, door: Door, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._door = door
        if not door.answers_pings:
            self._without_pongs()

    def _without_pongs(self) -> None:
        protocol: Any = self.protocol
        send = protocol.send_frame

        def send_unless_pong(frame: Frame) -> None:
            if frame.opcode is not Opcode.PONG:
                send(frame)

        protocol.send_frame = send_unless_pong

    async def handshake(self, *args: Any, **settings: Any) -> None:
        """Open as the library does, but for the header lines that the door takes away."""
        protocol: Any = self.protocol
        connect = protocol.connect

        def connect_without() -> Any:
            request = connect()
            for name, value in self._door.headers.items():
                if value is None and name in request.headers:
                    del request.headers[name]
            return request

        protocol.connect = connect_without
        await super().handshake(*args, **settings)

    def send_compressed(self, text: str) -> None:
        """Send a text as RFC 7692 compresses it, whether that was negotiated or not."""
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
        frame = bytearray(Frame(Opcode.TEXT, data.removesuffix(FLUSH_TAIL)).serialize(mask=True))
        frame[0] |= RSV1
        self.transport.write(bytes(frame))


def socket_for(door: Door) -> Any:
    """Return the class of connection, as ``websockets.connect`` wants it."""
    return partial(OddConnection, door=door)
