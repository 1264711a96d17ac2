"""The cockpit: the built browser UI, served with the paths that its own router knows.

Owns `/`, `/assets/*`, the few files beside them, and every other path that a browser opens and
that no part of the API has claimed. Without a build a page says how to make one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_BESIDE = rf"{_NAME}\.(?:svg|png|ico|txt|webmanifest)"
# what a wrong path under these means is for the API to say, never a page
_CLAIMED = "api|ws|c|assets|health|ready|metrics|sign-in|sign-out"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_CSP = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
# what the machine's own table says of these differs from machine to machine
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_REVALIDATED = "no-cache"

_NOT_BUILT = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>csms</title>
  </head>
  <body>
    <h1>The cockpit is not built</h1>
    <p>This copy of csms runs from its sources, and its browser UI has not been built yet.
      <code>make web</code> builds it; then load this page again.</p>
    <p>Everything else works: <a href="/api/docs">the operator API</a>.</p>
  </body>
</html>
"""


class Web:
    """The built UI.

    Args:
        folder: Where the build is; it may come, or be replaced, while the server runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages: dict[str, tuple[tuple[int, int], bytes, str]] = {}

    def add_to(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the routes and return them."""
        return [
            router.add_get("/", self._cockpit),
            router.add_get(f"/assets/{{name:{_NAME}}}", self._asset),
            router.add_get(f"/{{name:{_BESIDE}}}", self._beside),
            router.add_get(f"/{{path:(?!(?:{_CLAIMED})(?:/|$)).+}}", self._within),
        ]

    @property
    def built(self) -> bool:
        """Whether there is a cockpit."""
        return (self._folder / "index.html").is_file()

    async def page(
        self, name: str = "index.html", status: int = HTTPStatus.OK
    ) -> web.Response | None:
        """Return an entry page with its content security policy; None when it is not built."""
        read = await asyncio.to_thread(self._read, name)
        if read is None:
            return None
        body, policy = read
        headers = {"Content-Security-Policy": policy, "Cache-Control": _REVALIDATED}
        return web.Response(
            body=body, status=status, content_type="text/html", charset="utf-8", headers=headers
        )

    async def _cockpit(self, request: web.Request) -> web.StreamResponse:
        del request
        page = await self.page()
        return page or web.Response(
            text=_NOT_BUILT, status=HTTPStatus.NOT_FOUND, content_type="text/html"
        )

    async def _within(self, request: web.Request) -> web.StreamResponse:
        """Return the page for a path of its own router; only what a browser opens is one."""
        if "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        return await self._cockpit(request)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return await self._file(f"assets/{request.match_info['name']}", _FOR_EVER)

    async def _beside(self, request: web.Request) -> web.StreamResponse:
        return await self._file(request.match_info["name"], _REVALIDATED)

    async def _file(self, name: str, caching: str) -> web.StreamResponse:
        """Return a file; aiohttp takes its compressed sibling where the browser can read it."""
        path = self._folder / name
        if name.endswith((".br", ".gz")) or not await asyncio.to_thread(path.is_file):
            raise web.HTTPNotFound
        headers = {"Cache-Control": caching}
        if (kind := _TYPES.get(path.suffix)) is not None:
            headers["Content-Type"] = kind
        return web.FileResponse(path, headers=headers)

    def _read(self, name: str) -> tuple[bytes, str] | None:
        """Return a page and its policy, read anew when another build has taken its place."""
        path = self._folder / name
        try:
            found = path.stat()
        except OSError:
            return None
        version = (found.st_mtime_ns, found.st_ino)
        known = self._pages.get(name)
        if known is None or known[0] != version:
            body = path.read_bytes()
            known = self._pages[name] = (version, body, _policy(body))
        return known[1], known[2]


def _policy(page: bytes) -> str:
    """Return the policy of a page: scripts from here, and the inline ones that it came with."""
    digests = [
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in _INLINE.findall(page)
    ]
    return _CSP.format(scripts="".join(f" 'sha256-{digest}'" for digest in digests))
