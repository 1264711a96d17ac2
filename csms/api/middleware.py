"""The one border where errors become answers, and the headers that every answer carries."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from csms.api import problems
from csms.api.handling import Handler
from csms.errors import BadFact, DatabaseAway, Invalid, Refusal

_log = structlog.get_logger(__name__)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cache-Control": "no-store",
}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything that is raised into a problem document."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return problems.response(refusal)
    except web.HTTPException as error:
        return problems.of_http(error)
    except web.RequestPayloadError:
        return problems.response(
            problems.Malformed("unreadable_body", "The body ends early, or is not encoded as said.")
        )
    except DatabaseAway as error:
        _log.warning("request without a database", path=request.path, error=str(error))
        return problems.response(problems.database_away())
    except BadFact:
        _log.warning("content refused by the database", path=request.path)
        return problems.response(Invalid("invalid_request", "The content cannot be stored."))
    except asyncio.CancelledError:
        raise
    except Exception:
        _log.exception("request failed", method=request.method, path=request.path)
        return problems.response(
            problems.InternalError(
                "internal_error", "Something went wrong here; the log says what."
            )
        )


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers; a page that needs others has set its own."""
    del request
    response.headers["Server"] = "csms"
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
