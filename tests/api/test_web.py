"""The built UI as it is served, on a folder of this test's own."""

from __future__ import annotations

import base64
import hashlib
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from csms.api import middleware
from csms.api.server import ApiServer
from csms.api.sign_in import SignIn
from csms.api.web import Web
from csms.clock import SystemClock

INLINE = "document.documentElement.dataset.ready = 1"
INDEX = f"<!doctype html><title>csms</title><script>{INLINE}</script><div id=root></div>"
PAGE = {"Accept": "text/html,application/xhtml+xml"}


class FakeAccess:
    """Knows one token."""

    async def by_token(self, token):
        return SimpleNamespace(name="ann") if token == "right" else None

    def cookie(self, principal, lifetime_s):
        return "cookie"

    def csrf_token(self, cookie):
        return "csrf"


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "main-abc123.js").write_text("let a = 1")
    (folder / "assets" / "main-abc123.js.br").write_bytes(b"br")
    (folder / "assets" / "main-abc123.js.gz").write_bytes(b"gz")
    return folder


@pytest.fixture
async def ask(dist):
    app = web.Application(middlewares=[middleware.errors])
    app.on_response_prepare.append(middleware.add_headers)

    async def health(request):
        return web.json_response({"status": "ok"})

    app.router.add_get("/health", health)
    ui = Web(dist)
    SignIn(FakeAccess(), None, SystemClock(), secure=False, ui=ui).add_to(app.router)
    ui.add_to(app.router)
    server = ApiServer(app, host="127.0.0.1", port=0)
    await server.start()
    async with aiohttp.ClientSession(auto_decompress=False) as client:

        async def get(path, **headers):
            address = f"http://127.0.0.1:{server.port}{path}"
            async with client.get(address, headers=headers, allow_redirects=False) as answer:
                return SimpleNamespace(
                    status=answer.status, headers=answer.headers, body=await answer.read()
                )

        yield get
    await server.stop()


async def test_the_page_and_its_policy(ask):
    page = await ask("/")
    assert (page.status, page.body.decode()) == (200, INDEX)
    policy = page.headers["Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(INLINE.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert page.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/stations", "/stations/CP.1", "/sites/a/b", "/apiary", "/wsx"])
async def test_paths_of_its_router_are_the_page(ask, path):
    assert (await ask(path, **PAGE)).body.decode() == INDEX
    program = await ask(path, Accept="*/*")
    assert program.status == 404
    assert program.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api", "/ws/x", "/health/x", "/c/1/2", "/metrics"]
)
async def test_what_the_api_claims_is_never_the_page(ask, path):
    answer = await ask(path, **PAGE)
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_nothing_is_shadowed(ask):
    assert (await ask("/health", **PAGE)).body == b'{"status": "ok"}'


async def test_assets_are_kept_for_ever_and_compressed(ask):
    plain = await ask("/assets/main-abc123.js", **{"Accept-Encoding": "identity"})
    assert plain.body == b"let a = 1"
    assert plain.headers["Content-Type"].startswith("text/javascript")
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    both = await ask("/assets/main-abc123.js", **{"Accept-Encoding": "gzip, br"})
    assert (both.body, both.headers["Content-Encoding"]) == (b"br", "br")
    assert both.headers["Vary"] == "Accept-Encoding"
    gzip = await ask("/assets/main-abc123.js", **{"Accept-Encoding": "gzip"})
    assert (gzip.body, gzip.headers["Content-Encoding"]) == (b"gz", "gzip")
    assert (await ask("/favicon.svg")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone-1.js",
        "/assets/main-abc123.js.br",
        "/assets/..%2f..%2findex.html",
        "/assets/%2e%2e/index.html",
        "/assets/.stamp",
        "/assets/",
        "/gone.svg",
    ],
)
async def test_other_files_are_not_there(ask, path):
    answer = await ask(path)
    assert answer.status == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


async def test_a_new_build_takes_its_place_while_the_server_runs(ask, dist):
    await ask("/")
    newer = dist / "newer.html"
    newer.write_text("<!doctype html><title>newer</title>")
    newer.rename(dist / "index.html")
    assert b"newer" in (await ask("/")).body


async def test_without_a_build_a_page_says_how_to_make_one(ask, dist):
    (dist / "index.html").unlink()
    for path in ("/", "/stations"):
        page = await ask(path, **PAGE)
        assert page.status == 404
        assert b"make web" in page.body
    assert (await ask("/sign-in?token=right")).headers["Location"] == "/api/docs"
    assert b'name="password"' in (await ask("/sign-in")).body


async def test_the_sign_in_link_leads_to_the_cockpit(ask):
    right = await ask("/sign-in?token=right")
    assert (right.status, right.headers["Location"]) == (303, "/")
    wrong = await ask("/sign-in?token=wrong")
    assert (wrong.status, wrong.body.decode()) == (401, INDEX)
    assert (await ask("/sign-in")).status == 200
