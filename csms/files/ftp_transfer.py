"""One FTP transfer: from the wire into the folder, kept before the client hears of it."""

from __future__ import annotations

import errno
import logging
import socket
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from csms.errors import DatabaseAway
from csms.files.ftp_bridge import Incoming
from csms.files.ftp_tls import TlsChannel, TlsSocket
from csms.services.ports.files import NoRoom

with warnings.catch_warnings():
    # asyncore is gone from newer Pythons, where a package of its own takes its place
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.exceptions import _RetryError
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import DTPHandler
    from pyftpdlib.handlers.ftp.dispatchers import PassiveDTP

if TYPE_CHECKING:
    from csms.files.ftp_session import JobSession

_log = logging.getLogger("pyftpdlib")

_STALL_S = 60
_MOST_PIECES = 64  # of a transfer that has ended; the system's buffer holds no more


class JobFolder(AbstractedFS):  # type: ignore[misc]  # the package has no types
    """Opens the files of one job; nothing here takes a path."""

    def open(self, filename: str, mode: str) -> Any:
        """Open a label for a transfer. Raises OSError."""
        session: JobSession = self.cmd_channel
        grant = session.require_open()
        if mode == "rb":
            if grant.image is None:
                raise FileNotFoundError(errno.ENOENT, "no such file")
            return session.bridge.folder.open("firmware", grant.image.blob)
        try:
            return session.bridge.incoming(
                grant, filename, session.remote_ip, append=mode != "wb", secure=session.is_secure
            )
        except NoRoom:
            raise OSError(errno.ENOSPC, "no room") from None
        except DatabaseAway:
            raise OSError(errno.EAGAIN, "come again") from None

    def getsize(self, path: str) -> int:
        """Return how many bytes there are under a label. Raises FileNotFoundError, OSError."""
        session: JobSession = self.cmd_channel
        grant = session.require_grant()
        if grant.image is not None:
            return grant.image.size
        try:
            part = session.bridge.part(grant, path)
        except DatabaseAway:
            raise OSError(errno.EAGAIN, "come again") from None
        if part is None:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return part[1]


class JobTransfer(TlsChannel, DTPHandler):  # type: ignore[misc]  # the package has no types
    """A data connection; the reply to an upload is sent when the file is kept."""

    timeout = _STALL_S
    transfer_finished: bool
    _broken = False

    def __init__(self, sock: socket.socket, cmd_channel: JobSession) -> None:
        super().__init__(sock, cmd_channel)
        if cmd_channel.protects and cmd_channel.tls is not None and self.connected:
            self.secure(cmd_channel.tls())

    def use_sendfile(self) -> bool:
        """Return whether the kernel can send by itself."""
        return not isinstance(self.socket, TlsSocket) and bool(super().use_sendfile())

    def recv(self, size: int) -> bytes:
        """Read; a connection that is reset is no end of a file, as the parent has it."""
        try:
            data: bytes = self.socket.recv(size)
        except (BlockingIOError, InterruptedError):
            raise _RetryError from None
        except OSError:
            self._broken = True
            data = b""
        if not data:
            self.handle_close()
        return data

    def handle_error(self) -> None:
        """Tell what a full file or disk is called; all else is a fault of ours."""
        incoming = self.file_obj
        if isinstance(incoming, Incoming) and incoming.refusal is not None:
            self._resp = (incoming.refusal, _log.info)
            self.close()
        else:
            super().handle_error()

    def close(self) -> None:
        """Keep what came before the client hears of it."""
        incoming = self.file_obj
        if not self._closed and isinstance(incoming, Incoming) and not incoming.closed:
            if not self.transfer_finished:
                self._drain(incoming)
            whole = self.transfer_finished and not self._broken and not self._control_is_gone()
            if not incoming.end(whole=whole) and self.transfer_finished:
                self._resp = (incoming.refusal or "451 It could not be kept.", _log.info)
                self.transfer_finished = False
        super().close()

    def _drain(self, incoming: Incoming) -> None:
        """Take what has come by now: the client may have vanished, its bytes are good."""
        with suppress(OSError):
            for _ in range(_MOST_PIECES):
                piece = self.socket.recv(self.ac_in_buffer_size)
                if not piece or incoming.refusal is not None:
                    break
                incoming.write(piece)

    def _control_is_gone(self) -> bool:
        """Return whether the client has vanished.

        The end of a data connection is the end of the file, and looks the same when a client dies;
        but then its control connection ends as well, without QUIT.
        """
        try:
            seen = self.cmd_channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not seen


class JobPassive(PassiveDTP):  # type: ignore[misc]  # the package has no types
    """Listens for a data connection on a port of the range, and on no other."""

    def bind(self, address: tuple[str, int]) -> None:
        """Bind. Raises OSError where all ports of the range are taken."""
        session = self.cmd_channel
        if session.passive_ports and address[1] == 0 and session.socket.family == socket.AF_INET:
            raise OSError(errno.EADDRNOTAVAIL, "no free passive port")
        super().bind(address)
