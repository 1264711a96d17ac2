"""What the simulator's HTTP servers share: bodies, errors and the guard against foreign pages.

Errors are ``application/problem+json`` with a stable ``code``. A page of another origin may not
steer charge points: browsers name their page in ``Origin``, which has to be this server.
"""

import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

MAX_BODY = 64 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def problem(status: int, code: str, detail: str) -> web.Response:
    """Return an error as RFC 9457 writes it."""
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other origins' pages, and turn errors into problems."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return problem(403, "foreign_origin", f"{origin} may not use this server")
    try:
        return await handler(request)
    except Problem as error:
        return problem(error.status, error.code, error.detail)
    except web.HTTPException as error:
        detail = error.text or ""
        if isinstance(error, web.HTTPNotFound):
            detail = f"there is nothing at {request.path}"
        elif isinstance(error, web.HTTPMethodNotAllowed):
            detail = f"{request.path} takes {', '.join(sorted(error.allowed_methods))}"
        return problem(error.status, error.reason.lower().replace(" ", "_"), detail)


async def read_object(request: web.Request, *, known: set[str] | None) -> dict[str, Any]:
    """Return the request's JSON object; no body counts as an empty one.

    Raises:
        Problem: 400 for what is not a JSON object, or has a field that is not ``known``
            (None: any may be there).
    """
    raw = await request.read()
    try:
        data = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise Problem(400, "bad_body", "the body is not a JSON object")
    if known is not None and (unknown := sorted(set(data) - known)):
        fields = ", ".join(sorted(known)) or "none"
        detail = f"unknown: {', '.join(unknown)}; known fields: {fields}"
        raise Problem(400, "unknown_field", detail)
    return data


def trust(ca: Path | None, *, insecure: bool) -> ssl.SSLContext | None:
    """Return how to check a server's certificate; None is by the system's store.

    Args:
        ca: a PEM file with the authority to trust.
        insecure: check nothing; for tests.

    Raises:
        OSError: the file cannot be read or holds no certificate (``ssl.SSLError`` is one).
    """
    if not insecure and ca is None:
        return None
    context = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
