"""Bytes handed out to operators: always as an attachment, never shown in place."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from csms.services.files import Content

_log = structlog.get_logger(__name__)

_STALL_S = 60.0


async def attachment(request: web.Request, content: Content) -> web.StreamResponse:
    """Send a file; a client that takes nothing for a minute is dropped."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/octet-stream",
            # names are ours: letters, digits, dots, dashes
            "Content-Disposition": f'attachment; filename="{content.name}"',
        }
    )
    response.content_length = content.size
    await response.prepare(request)
    try:
        if request.method != "HEAD":
            async for piece in content.pieces:
                async with asyncio.timeout(_STALL_S):
                    await response.write(piece)
        await response.write_eof()
    except (ConnectionError, TimeoutError) as error:  # the reader has gone, or sleeps
        _log.info("download broke off", name=content.name, reason=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response
