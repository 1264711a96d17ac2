"""What `make fuzz` feeds with bytes; each target lets nothing out but a failure.

``python -m tests.fuzz.targets NAME [options of libFuzzer]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["csms.ocppj", "csms.domain"]):
    import tests.conftest  # noqa: F401  registers the profiles that shared tests ask for
    from csms.domain import masking
    from csms.ocppj import handshake
    from csms.ocppj.repairs import json_text, times
    from csms.ocppj.repairs.catalogue import CATALOGUE
    from csms.ocppj.repairs.requests import put_right
    from csms.ocppj.repairs.switches import Switches
    from tests.fuzz.harness import as_text, play

from websockets.server import ServerProtocol

SEPARATOR = "\x1e"
"""Stands between the frames of one input."""

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_ALL = Switches(on=CATALOGUE)


def frames(data: bytes) -> None:
    """Frames of one connection; the first byte says whether it is strict."""
    text = as_text(data[1:])
    if text is not None:
        play(text.split(SEPARATOR)[:20], strict=data[0] % 4 == 0)


def texts(data: bytes) -> None:
    """Readers of single texts."""
    text = as_text(data)
    if text is None:
        return
    masking.mask(None, text)
    times.read(text, _NOW, _ALL)
    try:
        json_text.mend(text)
    except json_text.Unmendable:
        return


def requests(data: bytes) -> None:
    """Heads of HTTP requests, as the library parses them."""
    protocol = ServerProtocol()
    protocol.receive_data(data.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    for request in protocol.events_received():
        identity = handshake.identity_of(request.path)
        handshake.identity_before(request.path)
        for given in request.headers.get_all("Authorization"):
            handshake.password_of(given, (identity or "x",))
            handshake.odd_passwords_of(given, identity or "x", _ALL)
        offers = request.headers.get_all("Sec-WebSocket-Protocol")
        handshake.subprotocol_of(offers, strict=False, switches=_ALL)
        put_right(request, _ALL)
        protocol.accept(request)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "frames": frames,
    "texts": texts,
    "requests": requests,
}


def _guarded(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        if data:
            target(data)

    return run


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], _guarded(TARGETS[sys.argv[1]]))
    atheris.Fuzz()
