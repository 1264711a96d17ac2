"""A WebSocket client of a few hundred bytes, for load: text frames over plain ``ws`` only.

No library's connection object, no tasks and no streams a connection: an asyncio protocol that
parses frames in place. It checks nothing that load does not need; faithful charge points use
:mod:`simulator.link`.
"""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import cast

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MAX_HANDSHAKE = 16 * 1024


class LeanSocket(asyncio.Protocol):
    """One connection.

    Args:
        host: for the Host header.
        path: of the handshake.
        on_open: called once the handshake is done.
        on_text: called with each text.
        on_lost: called once with a reason when it ends, also when it never opened.
        authorization: header of the handshake.
    """

    __slots__ = (
        "_authorization",
        "_buffer",
        "_host",
        "_is_open",
        "_path",
        "_refusal",
        "_transport",
        "on_lost",
        "on_open",
        "on_text",
    )

    def __init__(
        self,
        host: str,
        path: str,
        on_open: Callable[[], None],
        on_text: Callable[[bytes], None],
        on_lost: Callable[[str], None],
        *,
        authorization: str | None = None,
    ) -> None:
        self._authorization = authorization
        self._refusal = ""
        self._host, self._path = host, path
        self.on_open, self.on_text, self.on_lost = on_open, on_text, on_lost
        self._buffer = b""
        self._is_open = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        login = f"Authorization: {self._authorization}\r\n" if self._authorization else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: ocpp1.6\r\n{login}\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it has ended."""
        self._is_open = False
        self.on_lost(self._refusal or ("reset" if exc is not None else "closed"))

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        self._buffer += data
        if not self._is_open and not self._shake_hands():
            return
        while self._take_frame():
            pass

    def _shake_hands(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            if len(self._buffer) > MAX_HANDSHAKE:
                self.abort()
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            status = head.split(b"\r\n", 1)[0].decode("latin-1")[9:12]
            self._refusal = f"refused with HTTP {status}"
            self.abort()
            return False
        self._buffer, self._is_open = rest, True
        self.on_open()
        return True

    def _take_frame(self) -> bool:
        """Handle the first frame of the buffer; tell whether there was a whole one."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        start, size = 2, buffer[1] & 127
        if size == 126:
            start, size = 4, int.from_bytes(buffer[2:4])
        elif size == 127:
            start, size = 10, int.from_bytes(buffer[2:10])
        if len(buffer) < start + size:
            return False
        payload, self._buffer = buffer[start : start + size], buffer[start + size :]
        opcode = buffer[0] & 15
        if opcode == TEXT:
            self.on_text(payload)
        elif opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            self._send(CLOSE, payload[:2])
            if self._transport is not None:
                self._transport.close()
        return bool(self._buffer)

    def send(self, text: str) -> None:
        """Send a text."""
        self._send(TEXT, text.encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        if self._transport is None:
            return
        size = len(payload)
        # A mask of zeros is a mask (RFC 6455 5.3), and costs nothing.
        if size < 126:
            head = bytes((0x80 | opcode, 0x80 | size))
        else:
            head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
        self._transport.write(head + b"\0\0\0\0" + payload)

    def close(self) -> None:
        """Close with a close frame."""
        if self._is_open:
            self._send(CLOSE, (1000).to_bytes(2))
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()
