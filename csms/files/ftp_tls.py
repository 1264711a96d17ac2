"""TLS for FTP (RFC 4217) on the standard library; the package's own wants pyOpenSSL.

A TLS socket that looks like a plain non-blocking one, and a mixin for channels that wait for its
handshake.
"""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import suppress
from typing import Any

HANDSHAKE = b"\x16"
"""The first byte of a client that begins with TLS at once (implicit FTPS)."""


class TlsSocket:
    """A socket under TLS; errors are those of plain sockets."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        self._tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)

    def __getattr__(self, name: str) -> Any:
        """Return what is the same under TLS, such as the addresses."""
        return getattr(self._tls, name)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return decrypted bytes; with flags those that come over the wire."""
        if flags:
            return socket.socket.recv(self._tls, size, flags)
        try:
            return self._tls.recv(size)
        except ssl.SSLError as error:
            raise _plain(error) from error

    def send(self, data: bytes) -> int:
        """Send some of the bytes and return how many."""
        try:
            return self._tls.send(data)
        except ssl.SSLError as error:
            raise _plain(error) from error

    def close(self) -> None:
        """Say goodbye, so that the other end knows that nothing was cut off, and close."""
        with suppress(OSError, ValueError):  # it does not wait for an answer
            self._tls.unwrap()
        self._tls.close()


def _plain(error: ssl.SSLError) -> OSError:
    if isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError):
        return BlockingIOError(errno.EAGAIN, "not now")
    return ConnectionResetError(errno.ECONNRESET, str(error.reason))


class TlsChannel:
    """Mixin of a channel of pyftpdlib: it may go over to TLS.

    Attributes:
        shaking: Whether the handshake is under way.
    """

    shaking = False
    socket: Any
    ioloop: Any
    _wanted_io_events: int

    def secure(self, context: ssl.SSLContext) -> None:
        """Go over to TLS; what is sent or received next comes after the handshake."""
        self.socket = TlsSocket(self.socket, context)
        self.shaking = True

    def readable(self) -> bool:
        """Return whether it wants to read."""
        return self.shaking or bool(super().readable())  # type: ignore[misc]  # a channel is beside

    def writable(self) -> bool:
        """Return whether it wants to write."""
        return self.shaking or bool(super().writable())  # type: ignore[misc]

    def handle_read_event(self) -> None:
        """Read, or go on with the handshake."""
        if self.shaking:
            self._shake()
        else:
            super().handle_read_event()  # type: ignore[misc]

    def handle_write_event(self) -> None:
        """Write, or go on with the handshake."""
        if self.shaking:
            self._shake()
        else:
            super().handle_write_event()  # type: ignore[misc]

    def secured(self) -> None:
        """Called after the handshake."""

    def _shake(self) -> None:
        channel: Any = self
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            channel.modify_ioloop_events(self.ioloop.READ)
        except ssl.SSLWantWriteError:
            channel.modify_ioloop_events(self.ioloop.WRITE)
        except (OSError, ValueError):
            channel.close()
        else:
            self.shaking = False
            channel.modify_ioloop_events(self._wanted_io_events)
            self.secured()
