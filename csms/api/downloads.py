"""Bytes handed out to operators: always as an attachment, never shown in place."""

from __future__ import annotations

import asyncio

from aiohttp import web

from csms.services.files import Content

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
    if request.method != "HEAD":
        async for piece in content.pieces:
            async with asyncio.timeout(_STALL_S):
                await response.write(piece)
    await response.write_eof()
    return response
