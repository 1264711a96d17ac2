"""Requests for a WebSocket that lack what RFC 6455 demands of them, put right after parsing.

Done only for a tolerant station whose password was right, and only where a `Sec-WebSocket-Key`
shows that a WebSocket is meant: nothing is upgraded that did not ask for it. What the library then
checks is the request as it was meant.
"""

from __future__ import annotations

from websockets.datastructures import Headers
from websockets.http11 import Request

from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.switches import Switches

_SUBPROTOCOLS = "Sec-WebSocket-Protocol"


def put_right(request: Request, switches: Switches) -> tuple[str, ...]:
    """Change an admitted request in its place and return the names of the repairs, if any."""
    headers = request.headers
    if request.method != "GET" or len(headers.get_all("Sec-WebSocket-Key")) != 1:
        return ()
    if _SUBPROTOCOLS in headers:
        # chosen already, see `handshake.subprotocol_of`; the library would refuse the request for
        # one that is empty or in quotes
        del headers[_SUBPROTOCOLS]
    done = []
    if not _upgrades(headers) and names.UPGRADE_HEADERS in switches:
        _set(headers, "Connection", "Upgrade")
        _set(headers, "Upgrade", "websocket")
        done.append(names.UPGRADE_HEADERS)
    if _may_be_13(headers) and names.WEBSOCKET_VERSION in switches:
        _set(headers, "Sec-WebSocket-Version", "13")
        done.append(names.WEBSOCKET_VERSION)
    if request.protocol == "HTTP/1.0" and names.HTTP_VERSION in switches:
        request.protocol = "HTTP/1.1"
        done.append(names.HTTP_VERSION)
    return tuple(done)


def _upgrades(headers: Headers) -> bool:
    connection = [part for text in headers.get_all("Connection") for part in text.split(",")]
    upgrade = headers.get_all("Upgrade")
    return (
        any(part.strip().lower() == "upgrade" for part in connection)
        and len(upgrade) == 1
        and upgrade[0].strip().lower() == "websocket"
    )


def _may_be_13(headers: Headers) -> bool:
    """Return whether version 13 is meant but not said so."""
    if headers.get_all("Sec-WebSocket-Version") == ["13"]:
        return False
    given = [
        part.strip() for v in headers.get_all("Sec-WebSocket-Version") for part in v.split(",")
    ]
    return not any(given) or "13" in given


def _set(headers: Headers, name: str, value: str) -> None:
    if name in headers:
        del headers[name]
    headers[name] = value
