"""The sans-I/O side of a connection that opens: requests as firmware writes them, and an answer.

websockets reads HTTP/1.1 to the letter and closes without a word where it finds another one. Here
what can mean one thing only is read (whether that station may do so is decided once it is known
which it is), and what cannot be read is answered with 400.
"""

from __future__ import annotations

from collections.abc import Generator
from http import HTTPStatus
from urllib.parse import quote

from websockets.exceptions import InvalidMessage
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

_BLANKS = b" \t"


def request_line(line: bytes) -> bytes:
    r"""Return a request line with one blank on each side of its path.

    >>> request_line(b"GET /ocpp/RDAM 123  http/1.1")
    b'GET /ocpp/RDAM%20123 HTTP/1.1'
    >>> request_line(b"get /ocpp/CP1 HTTP/1.1")
    b'GET /ocpp/CP1 HTTP/1.1'
    """
    method, _, rest = line.strip(_BLANKS).partition(b" ")
    path, _, protocol = rest.rpartition(b" ")
    path = path.strip(_BLANKS).replace(b" ", b"%20")
    if not path.isascii():
        path = _percent_encoded(path)
    return b" ".join((method.upper(), path, protocol.upper()))


def _percent_encoded(path: bytes) -> bytes:
    r"""Return a path whose letters outside ASCII were sent as they are, as UTF-8 or as Latin-1.

    >>> _percent_encoded("/Zürich%201".encode()), _percent_encoded(b"/Z\xfcrich")
    (b'/Z%C3%BCrich%201', b'/Z%C3%BCrich')
    """
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = path.decode("latin-1")
    return "".join(letter if letter.isascii() else quote(letter) for letter in text).encode()


def header_line(line: bytes) -> bytes:
    """Return a header line without blanks before its colon.

    >>> header_line(b"Upgrade : websocket"), header_line(b"")
    (b'Upgrade: websocket', b'')
    """
    name, colon, value = line.partition(b":")
    return name.rstrip(_BLANKS) + colon + value


class _OpeningReader(StreamReader):
    """Puts the lines of a request right; frames are no lines."""

    def __init__(self) -> None:
        super().__init__()
        self.mended = False
        self._first = True

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read a line; see the parent."""
        line = yield from super().read_line(m, too_long_exc_type)
        bare = bytes(line).rstrip(b"\r\n")
        if self._first and not bare:  # RFC 9112 2.2: one before a request means nothing
            line = yield from super().read_line(m, too_long_exc_type)
            bare = bytes(line).rstrip(b"\r\n")
        right = bytearray((request_line if self._first else header_line)(bare) + b"\r\n")
        self._first = False
        self.mended = self.mended or right != line
        return right


class OpeningProtocol(ServerProtocol):
    """websockets' protocol, with ears for odd requests."""

    _refusing = False

    @property
    def mended(self) -> bool:
        """Whether the request had to be put right before it could be read."""
        return isinstance(self.reader, _OpeningReader) and self.reader.mended

    def parse(self) -> Generator[None]:
        """Read the request, then frames."""
        self.reader = _OpeningReader()  # nothing has come yet: the parent starts with this
        yield from super().parse()

    def send_eof(self) -> None:
        """Say that nothing more comes; after a request that cannot be read, say so first."""
        unreadable = isinstance(self.handshake_exc, InvalidMessage) and not isinstance(
            self.handshake_exc.__cause__, EOFError
        )
        if unreadable and self.state is State.CONNECTING and not self._refusing:
            self._refusing = True
            self.send_response(self.reject(HTTPStatus.BAD_REQUEST, "This is no HTTP/1.1.\n"))
            return
        super().send_eof()
