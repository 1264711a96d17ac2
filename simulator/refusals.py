"""Why a connection was not made, in words that help whoever wants to make it.

Pure. Charge points meet central systems of all makers here, and people who see theirs for the
first time: a text names what was found and, where there is one, the usual cause.
"""

import json
import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidURI, NegotiationError

STATUSES: Mapping[int, str] = {
    200: "a web page answers at this path, no OCPP endpoint",
    400: "it refuses the path or the subprotocol ocpp1.6",
    401: "the password is missing or wrong",
    403: "transport, certificate or address are not what it expects of this charge point",
    404: "it does not know this charge point, or has no endpoint at this path",
    405: "there is no WebSocket endpoint at this path",
    426: "there is no WebSocket endpoint at this path",
    429: "it has had too many attempts",
    502: "a proxy stands there, and what is behind it does not answer",
    503: "it takes no connections at the moment",
    504: "a proxy stands there, and what is behind it does not answer",
}

NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
NO_SUBPROTOCOL = "the central system has not agreed to the subprotocol ocpp1.6"


def fault_of(url: str, schemes: tuple[str, ...] = ("ws", "wss")) -> str | None:
    """Return what is wrong with an endpoint's URL, None for nothing.

    >>> fault_of("ws://host:9000/ocpp"), fault_of("http://host/ocpp")
    (None, "'http://host/ocpp' does not begin with ws:// or wss://")
    """
    known = " or ".join(f"{scheme}://" for scheme in schemes)
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        return f"{url!r} does not begin with {known}"
    if any(ord(sign) <= 32 or ord(sign) > 126 for sign in url):
        return f"{url!r} has signs that are to be percent-encoded"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"{url!r} is not a URL: {error}"
    if not parts.hostname:
        return f"{url!r} names no host"
    if parts.query or parts.fragment:
        return f"{url!r} has more than a path: the identity is put at its end"
    return None


def reason(error: Exception, url: str) -> str:
    """Return why opening ``url`` has ended with ``error``."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    match error:
        case InvalidStatus():
            return _status(error.response.status_code)
        case NegotiationError():
            return f"{NO_SUBPROTOCOL}: {error}"
        case InvalidURI():
            return f"the central system leads elsewhere: {error}"
        case InvalidMessage():
            other = " (does it want wss://?)" if parts.scheme == "ws" else ""
            return f"what listens at {place} does not answer as a web server does{other}"
        case ssl.SSLCertVerificationError():
            return (
                f"the server's certificate is not trusted: {error.verify_message} "
                "(--ca FILE trusts one authority more)"
            )
        case ssl.SSLError() if error.reason in NOT_TLS:
            return f"what listens at {place} does not speak TLS (does it want ws://?)"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case TimeoutError():
            return f"{place} has not answered in time"
        case ConnectionRefusedError():
            return f"nobody listens at {place}"
        case socket.gaierror():
            return f"there is no host {parts.hostname}"
        case ConnectionResetError() | EOFError():
            other = " (does it want ws://, or another TLS?)" if parts.scheme == "wss" else ""
            return f"{place} has cut the connection in the handshake{other}"
        case OSError():
            return f"no way to {place}: {error.strerror or error}"
        case _:
            return f"{type(error).__name__}: {error}"


def api_reason(error: Exception, url: str) -> str:
    """Return why a request to the API at ``url`` got no answer."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    if isinstance(cause, OSError | TimeoutError):
        return reason(cause, url)
    return str(cause) or type(cause).__name__


def api_refusal(status: int, body: str) -> str:
    """Return what an API has answered in place of a result: its own words, where it has some.

    >>> api_refusal(401, '{"code": "unauthenticated", "detail": "Send a token."}')
    '401: Send a token.'
    >>> api_refusal(502, "<html>"), api_refusal(503, "")
    ('502: <html>', '503')
    """
    text = body.strip()[:200]
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if isinstance(problem, dict) and isinstance(problem.get("detail"), str):
        text = problem["detail"]
    return f"{status}: {text}" if text else str(status)


def _status(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    hint = STATUSES.get(status)
    text = f"the central system answered {status} {phrase}".rstrip()
    return f"{text}: {hint}" if hint else text
