"""Answers of the HTTP endpoint: short plain text, that a log of a charge point can hold."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

_COME_AGAIN_S = 30


class Refused(Exception):
    """A request that is not done."""

    def __init__(self, status: HTTPStatus, text: str, headers: dict[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers

    def response(self) -> web.Response:
        """Return the answer."""
        return answer(self.status, self.text, self.headers)


def refusal(status: HTTPStatus, text: str) -> Refused:
    """Return a refusal, with what a client needs to come again later."""
    later = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE}
    return Refused(status, text, {"Retry-After": str(_COME_AGAIN_S)} if status in later else {})


def answer(status: HTTPStatus, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an answer of one line."""
    response = web.Response(status=status, text=f"{text}\n", headers=headers)
    response.headers["Server"] = "csms"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
