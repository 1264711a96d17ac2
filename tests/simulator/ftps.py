"""A real FTPS server (pyftpdlib) on a free port: explicit TLS for commands and data."""

import logging
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csms.files.ftp_tls import TlsChannel, TlsSocket

with warnings.catch_warnings():
    # asyncore is gone from newer Pythons, where a package of its own takes its place
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

COMMANDS = {
    name: {"perm": None, "auth": False, "arg": True, "help": ""}
    for name in ("AUTH", "PBSZ", "PROT")
}


class SecureTransfer(TlsChannel, DTPHandler):
    def __init__(self, sock, cmd_channel) -> None:
        super().__init__(sock, cmd_channel)
        if cmd_channel.protects and self.connected:
            self.secure(cmd_channel.context)


class SecureSession(TlsChannel, FTPHandler):
    proto_cmds = FTPHandler.proto_cmds | COMMANDS
    dtp_handler = SecureTransfer
    use_sendfile = False  # which would pass the TLS by
    context: ssl.SSLContext
    protects = False
    seen: list[str]

    def ftp_AUTH(self, line) -> None:
        self.respond("234 Go ahead.")
        self.secure(self.context)

    def ftp_PBSZ(self, line) -> None:
        self.respond("200 PBSZ=0")

    def ftp_PROT(self, line) -> None:
        self.protects = line.upper() == "P"
        self.respond("200 As you wish.")

    def pre_process_command(self, line, cmd, arg) -> None:
        self.seen.append(f"{cmd} {'secure' if isinstance(self.socket, TlsSocket) else 'plain'}")
        if cmd in ("USER", "PASS", "STOR", "RETR") and not isinstance(self.socket, TlsSocket):
            self.respond("522 Not in the clear.")
            return
        super().pre_process_command(line, cmd, arg)


@contextmanager
def ftps_files(
    folder: Path, context: ssl.SSLContext, password: str
) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder to one user; give the URL without a slash, and the commands that come."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("user", password, str(folder), perm="elrw")
    seen: list[str] = []
    kind = type(
        "Session", (SecureSession,), {"authorizer": authorizer, "context": context, "seen": seen}
    )
    logging.getLogger("pyftpdlib").setLevel(logging.ERROR)
    server = FTPServer(("127.0.0.1", 0), kind, ioloop=IOLoop())
    ending = threading.Event()

    def work() -> None:
        while not ending.is_set():
            server.ioloop.loop(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield f"ftps://user:{password}@127.0.0.1:{server.address[1]}", seen
    finally:
        ending.set()
        thread.join(5)
