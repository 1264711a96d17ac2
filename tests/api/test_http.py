"""The server itself: health, readiness, documents, refusals of HTTP, headers, start and stop."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, datetime

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from yarl import URL

from csms.api import pages, problems
from csms.api.app import require_declared
from csms.api.docs import FOLDER
from csms.api.server import ApiServer
from csms.errors import StartError
from tests.api.bench import ADMIN


async def test_health_counts(bench):
    await bench.station("A")
    await bench.station("B")
    await bench.online("A")
    await bench.session("A")
    assert await bench.get("/health") == {
        "status": "ok",
        "version": "1.2.3",
        "stations": {"total": 2, "online": 1},
        "sessions": {"active": 1},
        "quarantined": 0,
    }
    assert await bench.get("/ready") == {"status": "ready"}


async def test_without_a_database(bench):
    server, _, name = bench.allocator.url.rpartition("/")
    beside = await asyncpg.connect(f"{server}/postgres")
    await beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await beside.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2",
        name,
        bench.sql.get_server_pid(),
    )
    try:
        ready = await bench.ask("GET", "/ready")
        assert (ready.status, ready.json["code"]) == (503, "not_ready")
        assert "database" in ready.json["fields"]
        health = await bench.get("/health")
        assert (health["status"], health["stations"]["total"]) == ("degraded", None)
        stations = await bench.ask("GET", "/api/stations")
        assert (stations.status, stations.json["code"]) == (503, "database_away")
        assert stations.headers["Retry-After"]
    finally:
        await beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await beside.close()
    assert (await bench.ask("GET", "/ready")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/api/tariffs", 404, "not_found"),
        ("DELETE", "/api/stations", 405, "method_not_allowed"),
        ("GET", "/api/stations/%00", 404, "not_found"),
        ("GET", "/api/stations/%ff", 404, "station_not_found"),
        ("GET", "/api/stations/CP%2F1", 404, "station_not_found"),
    ],
)
async def test_refusals_are_problems(bench, method, path, status, code):
    reply = await bench.ask(method, path)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(reply.json)
    if status == 405:
        assert reply.headers["Allow"] == "GET,HEAD,POST"


@pytest.mark.parametrize(
    "path",
    [
        "/api/sessions?idTag=%ED%A0%80",
        "/api/sessions?stationId=%00",
        "/api/id-tags/%ED%A0%80",
        "/api/stations/%F0%9F%94%8C",
        f"/api/sessions?cursor={pages.encode(2**40)}",
        f"/api/stations?cursor={pages.encode(2**62)}",
        f"/api/stats/daily?cursor={pages.encode(2**62)}",
        f"/api/stations/CP1/meter-values?cursor={pages.encode(datetime(1, 1, 1, tzinfo=UTC), 1)}",
        f"/api/stations/CP1/messages?cursor={pages.encode(datetime.max.replace(tzinfo=UTC), 1)}",
        f"/api/sites?cursor={pages.encode('zzz')}",
        "/api/sessions?from=9998-12-31T23:59:59-00:01",
        "/api/stats/daily?from=0001-01-01&to=9999-12-31",
        "/api/stats/daily?from=-infinity",
        "/api/stations/CP1/calls?limit=%EF%BC%91",
    ],
)
async def test_odd_requests_never_break_the_server(bench, path):
    await bench.station()
    reply = await bench.ask("GET", URL(path, encoded=True))
    assert reply.status in (200, 404, 422), reply


async def test_bodies_that_are_not_read(bench):
    path = "/api/stations"
    text = await bench.ask("POST", path, data="x", headers={"Content-Type": "text/plain"})
    assert (text.status, text.json["code"]) == (415, "unsupported_media_type")
    large = await bench.ask(
        "POST",
        path,
        data=io.BytesIO(b'{"name": "' + b"x" * 1_100_000 + b'", "maxKw": 1}'),
        headers={"Content-Type": "application/json"},
    )
    assert (large.status, large.json["code"]) == (413, "body_too_large")
    for broken in (b"{", b"\xff", b'"\\ud800"', b"[" * 100_000):
        headers = {"Content-Type": "application/json"}
        reply = await bench.ask("POST", path, data=broken, headers=headers)
        assert reply.status in (400, 422), broken[:10]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_encoded_as_said(bench, encoding):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    reply = await bench.ask("POST", "/api/stations", data=b"not compressed", headers=headers)
    assert (reply.status, reply.json["code"]) == (400, "unreadable_body")


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\nx"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"name=a&password=b"),
    ],
)
async def test_a_form_that_cannot_be_read(bench, content_type, form):
    reply = await bench.ask("POST", "/sign-in", data=form, headers={"Content-Type": content_type})
    assert (reply.status, reply.json["code"]) == (400, "invalid_form")


@pytest.mark.parametrize(
    "request_text", [b"G\0T / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n"]
)
async def test_what_is_no_http_is_no_error_of_ours(bench, caplog, request_text):
    for text in (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", request_text):
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(bench.url).port)
        writer.write(text)
        assert (await reader.readline()).split()[1] in (b"404", b"400")
        writer.close()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/api/stations", "application/json"),
        ("/api/stations/import", "text/csv"),
        ("/sign-in", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_does_not_come(bench, monkeypatch, path, content_type):
    monkeypatch.setattr(problems, "BODY_S", 0.05)

    async def endless():
        yield b"{"
        await asyncio.Event().wait()

    reply = await bench.ask("POST", path, data=endless(), headers={"Content-Type": content_type})
    assert (reply.status, reply.json["code"]) == (400, "too_slow")


@pytest.mark.parametrize("said", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_who_asks_nothing_is_left(said):
    server = ApiServer(web.Application(), host="127.0.0.1", port=0, idle_s=0.05)
    await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(said)
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()
    finally:
        await server.stop()


async def test_security_headers_are_everywhere(bench):
    for path in ("/health", "/nothing", "/api/docs", "/sign-in", "/api/stations"):
        headers = (await bench.ask("GET", path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "script-src 'self'" in headers["Content-Security-Policy"] or (
            "default-src 'self'" in headers["Content-Security-Policy"]
        )
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert headers["Server"] == "csms"


async def test_the_docs_page_needs_nobody_else(bench):
    bench.token = None
    page = await bench.ask("GET", "/api/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 4
    for link in links:
        assert link.startswith("/api/docs/")
        assert (await bench.ask("GET", link)).status == 200, link
    assert not re.search(r"<script(?![^>]*src=)", page.text)
    assert "http" not in (FOLDER / "start.js").read_text()
    assert (await bench.ask("GET", "/favicon.ico")).status == 200


async def test_the_document_describes_what_is_there(bench):
    document = await bench.get("/api/openapi.json")
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    assert paths["/api/stations/{stationId}"]["patch"]["operationId"] == "changeStation"
    assert paths["/health"]["get"]["security"] == []
    start = paths["/api/sessions/start"]["post"]
    assert {"201", "202", "409", "401", "422"} <= set(start["responses"])
    schemas = document["components"]["schemas"]
    assert {"StationOut", "SessionOut", "Problem"} <= set(schemas)
    assert "stationId" in schemas["SessionOut"]["properties"]
    names = [parameter["name"] for parameter in paths["/api/sessions"]["get"]["parameters"]]
    assert {"limit", "cursor", "status", "from", "to", "idTag"} <= set(names)
    text = str(document)
    missing = set(re.findall(r"#/components/schemas/(\w+)", text)) - set(schemas)
    assert not missing


async def test_a_port_in_use_is_told_in_one_sentence():
    first = ApiServer(web.Application(), host="127.0.0.1", port=0)
    await first.start()
    try:
        second = ApiServer(web.Application(), host="127.0.0.1", port=first.port)
        with pytest.raises(StartError, match="port is in use"):
            await second.start()
    finally:
        await first.stop()


async def test_stop_lets_open_requests_finish():
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request):
        entered.set()
        await release.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)
    server = ApiServer(app, host="127.0.0.1", port=0)
    await server.start()
    url = f"http://127.0.0.1:{server.port}/"

    async def fetch():
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            return await answer.text()

    async with asyncio.TaskGroup() as tasks:
        fetching = tasks.create_task(fetch())
        await entered.wait()
        stopping = tasks.create_task(server.stop())
        release.set()
    assert fetching.result() == "done"
    assert stopping.done()


def test_a_route_without_declared_access_does_not_start():
    async def handler(request):
        return web.Response()

    for method, path in (("GET", "/smuggled"), ("POST", "/known")):
        app = web.Application()
        known = app.router.add_get("/known", handler)
        require_declared(app, [known])
        app.router.add_route(method, path, handler)
        with pytest.raises(StartError, match=path):
            require_declared(app, [known])


async def test_tokens_do_not_reach_answers(bench):
    for path in ("/api/stations", f"/sign-in?token={ADMIN}x"):
        assert ADMIN not in (await bench.ask("GET", path)).text
