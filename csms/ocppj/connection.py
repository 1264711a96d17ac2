"""One socket: websockets' connection, with a short way in and out for the frames nearly all are.

A whole, unfragmented text frame that comes in one piece while nothing else is under way is decoded
here and handed on from the socket's callback; a short text is written without a task switch. Both
follow RFC 6455 5.2 and leave websockets' state as it was, so everything else (fragments, control
frames, broken frames, the closing handshake) goes the library's own way before and after them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import GeneratorType
from typing import cast

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State
from websockets.speedups import apply_mask

from csms.ocppj.gate import Arrival
from csms.ocppj.handshake import Admission
from csms.ocppj.pace import WAITING
from csms.ocppj.repairs.catalogue import COMPRESSED_FRAMES
from csms.ocppj.repairs.compressed import Inflation

LARGEST_MESSAGE = 2**20

_MOST_EARLY = 64
_WHOLE_TEXT = 0x81  # FIN and the opcode of text
_MASKED = 0x80
_TWO_BYTES_LENGTH = 126
_LARGEST_SHORT = 0xFFFF


class Connection(ServerConnection):
    """A websockets connection that carries who was let in, with a short way in and out for text.

    Texts go straight from the socket's callback to `on_text`. A station that sends without waiting
    takes the library's own way, `recv`, from then on to the end of the connection, so that frames
    keep their order; so does one that sends binary or broken text.
    """

    admission: Admission | None = None
    arrival: Arrival
    on_repair: Callable[[str], None] | None = None
    """Told the name of a repair before the text that needed it is handed over."""
    inflates = False
    """Whether frames are inflated that come compressed though it was not agreed."""
    _on_text: Callable[[str], None] | None = None
    _directly = True
    _early: tuple[str, ...] = ()
    _aligned = False
    _pushed = 0

    @property
    def waiting(self) -> int:
        """How many frames wait for `recv`."""
        return len(self.recv_messages.frames)

    def take_texts(self, on_text: Callable[[str], None]) -> None:
        """Hand over texts as they come, those that have come already first."""
        early, self._early = self._early, ()
        self._on_text = on_text
        for text in early:
            on_text(text)

    def use_recv(self) -> None:
        """Let what comes from here on wait for `recv`."""
        self._directly = self._aligned = False

    def let_go(self) -> None:
        """Forget who was told of texts and repairs: the connection has ended."""
        self.use_recv()
        self._on_text = self.on_repair = None
        self.protocol.extensions = []

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket; whole text frames the short way."""
        self._pushed = 0
        while self._aligned:
            end = self._whole_text(data)
            if end == 0:
                break
            if end == len(data):
                return
            data = data[end:]
        super().data_received(data)
        self._aligned = self._directly and self._on_text is not None and self._at_frame_start()

    def _whole_text(self, data: bytes) -> int:
        """Hand on the text frame that `data` begins with; return its length, 0: another way."""
        size = len(data)
        if size < 6 or data[0] != _WHOLE_TEXT:
            return 0
        length = data[1] - _MASKED
        start = 6
        if length == _TWO_BYTES_LENGTH and size >= 8:
            length = (data[2] << 8) | data[3]
            start = 8
        elif not 0 <= length < _TWO_BYTES_LENGTH:
            return 0
        end = start + length
        if end > size or self.protocol.state is not State.OPEN:
            return 0
        try:
            text = str(apply_mask(data[start:end], data[start - 4 : start]), "utf-8")
        except UnicodeDecodeError:
            return 0
        self._hand_on(text, cast("Callable[[str], None]", self._on_text))
        return end

    def _hand_on(self, text: str, on_text: Callable[[str], None]) -> None:
        self._pushed += 1
        if self._pushed > WAITING:
            self.use_recv()  # so many in one go: it sends without waiting; there it can be held up
        on_text(text)

    def _at_frame_start(self) -> bool:
        """Return whether websockets waits for the first byte of a new message."""
        protocol = self.protocol
        if (
            protocol.state is not State.OPEN
            or protocol.current_size is not None  # fragments of a message are there
            or protocol.reader.buffer
        ):
            return False
        innermost: object = protocol.parser  # waits in `StreamReader.at_eof`, or inside of a frame
        while isinstance(inner := getattr(innermost, "gi_yieldfrom", None), GeneratorType):
            innermost = inner
        return getattr(innermost, "__name__", "") == "at_eof"

    def process_event(self, event: Event) -> None:
        """Take one event of the protocol; see the class."""
        if self._directly and isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            text = _text(event)
            if text is not None and len(self._early) < _MOST_EARLY:
                if self._on_text is None:
                    self._early += (text,)
                else:
                    self._hand_on(text, self._on_text)
                return
            self.use_recv()
        super().process_event(event)

    def write_now(self, text: str) -> bool:
        """Write a text and return True; False, and nothing written, where only `send` can do it."""
        if self.paused or self.protocol.state is not State.OPEN:
            return False
        payload = text.encode()
        length = len(payload)
        if length < _TWO_BYTES_LENGTH:
            header = bytes((_WHOLE_TEXT, length))
        elif length <= _LARGEST_SHORT:
            header = bytes((_WHOLE_TEXT, _TWO_BYTES_LENGTH, length >> 8, length & 0xFF))
        else:
            self.protocol.send_text(payload)
            self.send_data()
            return True
        self.transport.write(header + payload)
        return True

    def inflate(self) -> None:
        """Let compressed frames be inflated from here on."""
        self.protocol.extensions = [Inflation(self._note_inflated)]

    def _note_inflated(self) -> None:
        if self.on_repair is not None:
            self.on_repair(COMPRESSED_FRAMES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; our own task does what the parent would spawn one for."""
        super(ServerConnection, self).connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the transport; nothing is read any more."""
        super().connection_lost(exc)
        # a generator that waits for more, and a traceback with its frame: each keeps the protocol
        self.protocol.parser.close()
        self.protocol.parser_exc = None


def _text(frame: Frame) -> str | None:
    """Return the text of a whole text frame; None when it is another one, or broken."""
    if frame.opcode is not Opcode.TEXT or not frame.fin:
        return None
    try:
        return str(frame.data, "utf-8")
    except UnicodeDecodeError:
        return None
