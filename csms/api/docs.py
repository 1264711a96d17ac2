"""The API's documentation page, served from here: nothing is asked of other servers."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "docs_ui"

_FILES = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "start.js",
    "favicon.svg",
    "LICENSE",
    "NOTICE",
)
# the page sets style attributes and draws small images from data URLs
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Docs:
    """Index page, its files and the favicon."""

    def __init__(self) -> None:
        self._files = {name: (FOLDER / name).read_bytes() for name in _FILES}
        self._index = (FOLDER / "index.html").read_bytes()

    def add_to(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the routes and return them."""
        routes = [
            router.add_get("/api/docs", self._page),
            router.add_get("/favicon.ico", self._favicon),
        ]
        routes += [router.add_get(f"/api/docs/{name}", self._file) for name in _FILES]
        return routes

    async def _page(self, request: web.Request) -> web.Response:
        del request
        return web.Response(
            body=self._index,
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": _CSP},
        )

    async def _file(self, request: web.Request) -> web.Response:
        name = request.path.rsplit("/", 1)[-1]
        return web.Response(
            body=self._files[name],
            content_type=mimetypes.guess_type(name)[0] or "text/plain",
            charset="utf-8",
            headers={"Cache-Control": "public, max-age=3600"},
        )

    async def _favicon(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._files["favicon.svg"], content_type="image/svg+xml")
