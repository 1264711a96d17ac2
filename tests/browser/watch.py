"""What a page must never do: errors on its console, requests to anybody but its own server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebError, WebSocket

_LOCAL_SCHEMES = ("data", "blob", "about")


class Watch:
    """Notes it for all pages of a context; `assert_clean` at the end of a test."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self._found: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self.requests: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("page", lambda page: page.on("websocket", self._socket))

    def expect(self, pattern: str) -> None:
        """Let this test provoke such a problem, such as the 422 of a wrong form."""
        self._expected.append(re.compile(pattern))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self._found.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        self._check(request.url)

    def _socket(self, socket: WebSocket) -> None:
        self._check(socket.url)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _LOCAL_SCHEMES and parts.netloc != self._host:
            self._found.append(f"outside request: {url}")

    @property
    def problems(self) -> list[str]:
        return [each for each in self._found if not any(one.search(each) for one in self._expected)]

    def assert_clean(self) -> None:
        assert not self.problems, "\n".join(self.problems)
