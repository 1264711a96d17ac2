"""What one FTP session may do: bring the files of its job, or fetch its image, and nothing else.

There are no directories, no listings and no other files: each name is a label, every path leads to
the same place. Transfers are binary whatever TYPE says, because diagnostics and firmware are no
text and charge points forget to say so.
"""

from __future__ import annotations

import errno
import socket
import ssl
import warnings
from collections.abc import Callable
from typing import Any

import structlog

from csms.domain import files
from csms.errors import DatabaseAway
from csms.files.ftp_bridge import Bridge
from csms.files.ftp_tls import HANDSHAKE, TlsChannel, TlsSocket
from csms.files.ftp_transfer import JobFolder, JobPassive, JobTransfer
from csms.services.ports.files import Grant

with warnings.catch_warnings():
    # see `csms.files.ftp_transfer`
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.exceptions import AuthenticationFailed
    from pyftpdlib.handlers import FTPHandler

_log = structlog.get_logger(__name__)

_IDLE_S = 120
_LONGEST_S = 6 * 3600
# so long we wait whether the client begins with TLS; others wait for our greeting
_IMPLICIT_S = 0.3
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
            _log.info("FTP login refused", reason=found, peer=handler.remote_ip)
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

    def add_channel(self, map: Any = None, events: int | None = None) -> None:  # noqa: A002
        """Listen again after a refused log-in was held up, unless the client has hung up.

        The names are the parent's.
        """
        if not self._closed:
            super().add_channel(map, events)

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
