"""Refusals as RFC 9457 problem documents with a stable `code`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from csms.errors import Invalid, Refusal

T = TypeVar("T")

CONTENT_TYPE = "application/problem+json"
BODY_S = 60.0
"""A megabyte comes within that over any line; who is slower holds a socket for nothing."""


class Problem(BaseModel):
    """RFC 9457 problem document."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable, machine-readable reason in snake case.")
    detail: str | None = None
    fields: dict[str, str] | None = Field(
        default=None, description="Path of each wrong field -> what is wrong with it."
    )


class Malformed(Refusal):
    """The request cannot be read: 400."""

    status = 400


class Unauthenticated(Refusal):
    """No credentials, or none that are known: 401."""

    status = 401


class TooLarge(Refusal):
    """There is more of it than is taken: 413."""

    status = 413


class UnsupportedMediaType(Refusal):
    """The body is not JSON: 415."""

    status = 415


class TooManyFailures(Refusal):
    """Too many failed attempts to sign in: 429."""

    status = 429


class InternalError(Refusal):
    """A fault of ours: 500."""

    status = 500


class Unavailable(Refusal):
    """Something that is needed is away: 503."""

    status = 503


def database_away() -> Refusal:
    """Return how the lack of a database is told: not in its own words, which name hosts."""
    return Unavailable("database_away", "The database cannot be reached now; try again soon.")


def of_validation(error: ValidationError) -> Refusal:
    """Return how wrong content is told: syntax 400, fields 422 with their paths."""
    problems: dict[str, str] = {}
    for line in error.errors(include_url=False, include_context=False, include_input=False):
        if line["type"] == "json_invalid":
            return Malformed("invalid_json", "The body is not valid JSON.")
        path = ".".join(str(part) for part in line["loc"]) or "body"
        problems.setdefault(path, line["msg"].removeprefix("Value error, "))
    return Invalid("invalid_request", "Some fields of the request are wrong.", problems)


async def in_time(reading: Awaitable[T]) -> T:
    """Return what is read of a request's body.

    Raises:
        Malformed: It takes longer than a minute.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await reading
    except TimeoutError:
        raise Malformed("too_slow", "The body has not come within a minute.") from None


def document(refusal: Refusal) -> dict[str, Any]:
    """Return the problem document of a refusal."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
    }
    if refusal.fields:
        problem["fields"] = refusal.fields
    return problem


def response(refusal: Refusal) -> web.Response:
    """Return the HTTP answer to a refused request."""
    answer = web.Response(
        body=orjson.dumps(document(refusal)), status=refusal.status, content_type=CONTENT_TYPE
    )
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="csms"'
    elif refusal.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        answer.headers["Retry-After"] = "5"
    return answer


_OF_HTTP = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


def of_http(error: web.HTTPException) -> web.Response:
    """Return aiohttp's own refusals (no such path, wrong method, too large) as problems."""
    refusal = Refusal(
        _OF_HTTP.get(error.status, "http_error"), HTTPStatus(error.status).description
    )
    refusal.status = error.status
    answer = response(refusal)
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer
