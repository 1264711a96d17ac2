"""Firmware images to charge points over HTTP, whole or from where a transfer broke off."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from aiohttp import web

from csms.files import ranges
from csms.files.answers import refusal
from csms.services.ports.files import BlobStore, Grant

_log = structlog.get_logger(__name__)

_STALL_S = 60.0


async def hand_out(request: web.BaseRequest, grant: Grant, blobs: BlobStore) -> web.StreamResponse:
    """Send the image of a way, or the part that was asked for.

    A client that takes nothing for a minute is dropped.

    Raises:
        Refused: 404 where the bytes are not here, 416.
    """
    image = grant.image
    if image is None or await asyncio.to_thread(blobs.size, "firmware", image.blob) != image.size:
        raise refusal(HTTPStatus.NOT_FOUND, "the file is not here")
    etag = f'"{image.sha256[:32]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{image.name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-transform",
        "Server": "csms",
    }
    if ranges.matches(request.headers.get("If-None-Match"), etag):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    start, length, status = 0, image.size, HTTPStatus.OK
    try:
        part = ranges.wanted(
            request.headers.get("Range"), request.headers.get("If-Range"), etag, image.size
        )
    except ranges.Unsatisfiable:
        refused = refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "there are no such bytes")
        refused.headers["Content-Range"] = f"bytes */{image.size}"
        raise refused from None
    if part is not None:
        start, length, status = part.start, part.length, HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{image.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = length
    response.force_close()
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        async for piece in blobs.read("firmware", image.blob, start, length):
            async with asyncio.timeout(_STALL_S):
                await response.write(piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError) as error:
        # chargers lose their networks; they come again and ask for the rest
        _log.info("download broke off", name=image.name, reason=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response
