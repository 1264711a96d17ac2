"""What one FTP session may do: bring the files of its job, or fetch its image, and nothing else.

There are no directories, no listings and no other files: each name is a label, every path leads to
the same place. Transfers are binary whatever TYPE says, because diagnostics and firmware are no
text and charge points forget to say so.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from csms.domain import files
from csms.errors import DatabaseAway
from csms.files.ftp_bridge import Bridge, Incoming
from csms.files.ftp_tls import HANDSHAKE, TlsChannel, TlsSocket
from csms.services.ports.files import Grant, NoRoom

with warnings.catch_warnings():
    # asyncore is gone from newer Pythons, where a package of its own takes its place
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.exceptions import AuthenticationFailed, _RetryError
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.handlers.ftp.dispatchers import PassiveDTP

_log = logging.getLogger("pyftpdlib")

_STALL_S = 60
_IDLE_S = 120
_LONGEST_S = 6 * 3600
_MOST_PIECES = 64  # of a transfer that has ended; the system's buffer holds no more
_IMPLICIT_S = (
    0.3  # so long we wait whether the client begins with TLS; others wait for our greeting
)
_COMMANDS = (
    *("ABOR", "ALLO", "APPE", "CDUP", "CWD", "EPRT", "EPSV", "FEAT", "LIST", "MODE", "NLST"),
    *("NOOP", "OPTS", "PASS", "PASV", "PORT", "PWD", "QUIT", "REIN", "REST", "RETR", "SIZE"),
    *("STAT", "STOR", "STRU", "SYST", "TYPE", "USER", "XCUP", "XCWD", "XPWD"),
)
_TLS_COMMANDS = ("AUTH", "PBSZ", "PROT")


class JobAuthorizer:
    """Lets in whoever brings both parts of an open token, for the job of that token."""

    def validate_authentication(self, user: str, password: str, handler: JobSession) -> None:
        """Give the session its way. Raises AuthenticationFailed."""
        try:
            found = handler.bridge.way(f"{user}{password}")
        except DatabaseAway:
            raise AuthenticationFailed("come again") from None
        if isinstance(found, str):
            raise AuthenticationFailed("not open")
        handler.token, handler.grant = f"{user}{password}", found

    def get_home_dir(self, user: str) -> str:
        """Return the only directory."""
        del user
        return "/"

    def get_msg_login(self, user: str) -> str:
        """Return the greeting."""
        del user
        return "come in"

    def get_msg_quit(self, user: str) -> str:
        """Return the farewell."""
        del user
        return "bye"

    def impersonate_user(self, user: str, password: str) -> None:
        """Stay who we are."""

    def terminate_impersonation(self, user: str) -> None:
        """Stay who we are."""


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


class JobSession(TlsChannel, FTPHandler):  # type: ignore[misc]  # the package has no types
    """A control connection.

    Attributes:
        bridge: To the event loop.
        tls: Returns the TLS context of the day; None: there is no TLS.
        token: That it was opened with.
        grant: What that has opened; None before the log-in.
        protects: Whether data connections are under TLS.
    """

    bridge: Bridge
    tls: Callable[[], ssl.SSLContext] | None = None
    token = ""
    grant: Grant | None = None
    protects = False
    _greeting: Any = None

    authorizer = JobAuthorizer()
    abstracted_fs = JobFolder
    dtp_handler = JobTransfer
    passive_dtp = JobPassive
    banner = "csms ready."
    timeout = _IDLE_S
    log_prefix = "%(remote_ip)s:%(remote_port)s"
    # without permissions of the package's own: the methods below say what may be done
    proto_cmds = {  # noqa: RUF012  the parent's attribute
        **{name: {**FTPHandler.proto_cmds[name], "perm": None} for name in _COMMANDS},
        **{name: {"perm": None, "auth": False, "arg": True, "help": ""} for name in _TLS_COMMANDS},
    }

    @property
    def is_secure(self) -> bool:
        """Whether the session is under TLS."""
        return isinstance(self.socket, TlsSocket)

    def handle(self) -> None:
        """Greet; where there is TLS, once it is clear that the client does not begin with it."""
        if self.tls is None:
            super().handle()
        else:
            self._greeting = self.ioloop.call_later(
                _IMPLICIT_S, self._greet, _errback=self.handle_error
            )

    def _greet(self) -> None:
        self._greeting = None
        super().handle()

    def secured(self) -> None:
        """Greet a client that has begun with TLS."""
        if self._greeting is not None:
            self._greet()

    def handle_read_event(self) -> None:
        """Read; see whether the first byte is one of TLS."""
        if self._greeting is not None and not self.shaking and self.tls is not None:
            self._greeting.cancel()
            if self.socket.recv(1, socket.MSG_PEEK) == HANDSHAKE:
                self.protects = True
                self.secure(self.tls())
            else:
                self._greet()
        super().handle_read_event()

    def handle_timeout(self) -> None:
        """Tell a client that it took too long, if it can hear it."""
        if self.shaking:
            self.close()
        else:
            super().handle_timeout()

    def on_connect(self) -> None:
        """Bound the session."""
        self._current_type = "i"
        if self.tls is not None:
            self._extra_feats = ["AUTH TLS", "PBSZ", "PROT"]
        self._end = self.ioloop.call_later(
            _LONGEST_S, self.handle_timeout, _errback=self.handle_error
        )

    def close(self) -> None:
        """Close it and what it has open."""
        for timer in (getattr(self, "_end", None), self._greeting):
            if timer is not None and not timer.cancelled:
                timer.cancel()
        super().close()

    def require_grant(self) -> Grant:
        """Return the way of the session. Raises PermissionError before the log-in."""
        if self.grant is None:
            raise PermissionError(errno.EACCES, "not logged in")
        return self.grant

    def require_open(self) -> Grant:
        """Return the way, looked at again: a session may outlive its job. Raises OSError."""
        self.require_grant()
        try:
            found = self.bridge.way(self.token)
        except DatabaseAway:
            raise OSError(errno.EAGAIN, "come again") from None
        if isinstance(found, str):
            raise PermissionError(errno.EACCES, "the job is over")
        self.grant = found
        return found

    def flush_account(self) -> None:
        """Forget who it was."""
        super().flush_account()
        self.token, self.grant = "", None
        self._current_type = "i"

    def _make_epasv(self, extmode: bool = False) -> None:
        try:
            super()._make_epasv(extmode)
        except OSError:
            self.respond("425 There is no free passive port.")

    def ftp_AUTH(self, line: str) -> None:
        """Go over to TLS."""
        if self.tls is None or line.upper() not in {"TLS", "TLS-C", "SSL", "TLS-P"}:
            self.respond("502 There is no such protection.")
        elif self.is_secure:
            self.respond("503 TLS is on already.")
        else:
            self.respond("234 Go ahead.")
            self.ac_in_buffer = b""  # what was sent in the clear behind it was not the client's
            self.secure(self.tls())

    def ftp_PBSZ(self, line: str) -> None:
        """Say yes: TLS needs no buffer size."""
        del line
        self.respond("200 PBSZ=0" if self.is_secure else "503 Begin with AUTH.")

    def ftp_PROT(self, line: str) -> None:
        """Choose whether data connections are under TLS."""
        if not self.is_secure:
            self.respond("503 Begin with AUTH.")
        elif line.upper() in {"C", "P"}:
            self.protects = line.upper() == "P"
            self.respond("200 As you wish.")
        else:
            self.respond("536 There is no such protection.")

    def ftp_TYPE(self, line: str) -> None:
        """Say yes to both types, and stay binary."""
        if line.upper().replace(" ", "") in {"A", "AN", "I", "L8"}:
            self.respond("200 Type set; transfers are binary.")
        else:
            self.respond("504 Unsupported type.")

    def ftp_CWD(self, path: str) -> None:
        """Stay where we are: there is one directory."""
        del path
        self.respond('250 "/" is the current directory.')

    def ftp_XCWD(self, path: str) -> None:
        """See `ftp_CWD`."""
        self.ftp_CWD(path)

    def ftp_CDUP(self, path: str) -> None:
        """See `ftp_CWD`."""
        self.ftp_CWD(path)

    def ftp_XCUP(self, path: str) -> None:
        """See `ftp_CWD`."""
        self.ftp_CWD(path)

    def ftp_LIST(self, path: str) -> None:
        """List nothing."""
        del path
        self.push_dtp_data(b"", cmd="LIST")

    def ftp_NLST(self, path: str) -> None:
        """List nothing."""
        self.ftp_LIST(path)

    def ftp_STAT(self, path: str) -> None:
        """Tell nothing."""
        self.respond("550 There is no such file." if path else "211 csms is here.")

    def ftp_SIZE(self, path: str) -> None:
        """Tell how much there is, for REST."""
        try:
            self.respond(f"213 {self.fs.getsize(files.label(path))}")
        except OSError:
            self.respond("550 There is no such file.")

    def ftp_RETR(self, file: str) -> None:
        """Send the image of the job."""
        if self.require_grant().direction != "download":
            self.respond("550 There is no such file.")
            return
        super().ftp_RETR(files.label(file))

    def ftp_STOR(self, file: str, mode: str = "w") -> None:
        """Take a file of the job in."""
        if self.require_grant().direction != "upload":
            self.respond("550 Nothing is taken here.")
            return
        super().ftp_STOR(files.label(file), mode)
