"""Requests through a trusted proxy look as the proxy saw them: the browser's address, its https."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Middleware

from csms.api.handling import Handler
from csms.proxies import TrustedProxies


def through(proxies: TrustedProxies) -> Middleware:
    """Return the middleware that believes these proxies, and nobody else."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        remote = request.remote or ""
        if remote not in proxies:
            return await handler(request)
        headers = request.headers
        peer = proxies.peer(
            remote,
            forwarded_for=headers.getall("X-Forwarded-For", ()),
            forwarded_proto=headers.getall("X-Forwarded-Proto", ()),
            forwarded=headers.getall("Forwarded", ()),
        )
        scheme = request.scheme
        if peer.secure is not None:
            scheme = "https" if peer.secure else "http"
        return await handler(request.clone(remote=peer.address, scheme=scheme))

    return middleware
