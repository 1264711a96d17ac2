"""Replays over HTTP: ``/api/replays``.

``POST /api/replays?url=ws://...`` plays the bundle in its body; what has come of it stands under
``GET /api/replays/{id}``.
"""

import io

from aiohttp import web

from simulator.bundle import Bundle, parse_bundle
from simulator.errors import BundleError, ReplayError
from simulator.replay import ReplayPlan
from simulator.replays import Playing, Replays
from simulator.web import Problem

MAX_BUNDLE = 16 * 1024 * 1024
MAX_SPEED = 1_000_000.0
MAX_IDENTITY = 255
_OPTIONS = {"url", "identity", "speed", "moveTimes"}


def replay_routes(replays: Replays) -> list[web.RouteDef]:
    """Return the routes."""

    def find(request: web.Request) -> Playing:
        playing = replays.find(request.match_info["id"])
        if playing is None:
            raise Problem(404, "unknown_replay", "there is no such replay (any more)")
        return playing

    async def begin(request: web.Request) -> web.Response:
        plan = _plan(request)
        bundle = await _bundle(request)
        try:
            playing = replays.begin(bundle, plan)
        except ReplayError as error:
            raise Problem(error.status, error.code, str(error)) from error
        return web.json_response(playing.shown(), status=202)

    async def show_all(request: web.Request) -> web.Response:
        del request
        shown = [one.shown() | {"differences": []} for one in replays.all]
        return web.json_response({"items": shown})

    async def show(request: web.Request) -> web.Response:
        return web.json_response(find(request).shown())

    async def stop(request: web.Request) -> web.Response:
        playing = find(request)
        replays.stop(playing)
        return web.json_response(playing.shown())

    return [
        web.post("/api/replays", begin),
        web.get("/api/replays", show_all),
        web.get("/api/replays/{id}", show),
        web.post("/api/replays/{id}/stop", stop),
    ]


def _plan(request: web.Request) -> ReplayPlan:
    query = request.query
    if unknown := sorted(set(query) - _OPTIONS):
        known = ", ".join(sorted(_OPTIONS))
        raise Problem(400, "unknown_field", f"unknown: {', '.join(unknown)}; known: {known}")
    url = query.get("url", "")
    if not url.startswith(("ws://", "wss://")):
        raise Problem(400, "bad_url", "url is a ws:// or wss:// address")
    identity = query.get("identity")
    if identity is not None and not 0 < len(identity) <= MAX_IDENTITY:
        raise Problem(400, "bad_identity", f"identity is a text of 1 to {MAX_IDENTITY} signs")
    moves = query.get("moveTimes", "false")
    if moves not in ("true", "false"):
        raise Problem(400, "bad_moveTimes", "moveTimes is true or false")
    try:
        speed = float(query.get("speed", "1"))
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= MAX_SPEED:
        raise Problem(400, "bad_speed", f"speed is a number from 0 to {MAX_SPEED:g}")
    return ReplayPlan(url=url, identity=identity, speed=speed, shifts_times=moves == "true")


async def _bundle(request: web.Request) -> Bundle:
    raw = bytearray()
    async for piece in request.content.iter_any():
        raw += piece
        if len(raw) > MAX_BUNDLE:
            raise Problem(413, "too_large", f"a bundle has at most {MAX_BUNDLE:,} bytes")
    try:
        return parse_bundle(io.StringIO(raw.decode()))  # splits at line feeds only
    except (UnicodeDecodeError, BundleError) as error:
        raise Problem(400, "bad_bundle", str(error)) from error
