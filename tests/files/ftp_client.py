# ruff: noqa: S321  FTP is what is tested
"""FTP sessions as charge points have them."""

from __future__ import annotations

import asyncio
import ftplib
from contextlib import contextmanager

DATA = bytes(range(256)) * 400


@contextmanager
def session(bench, token, *, active=False):
    with ftplib.FTP(timeout=60) as ftp:
        ftp.connect("127.0.0.1", bench.ftp_port)
        ftp.login(token[:12], token[12:])
        ftp.set_pasv(not active)
        yield ftp


async def within(work, *arguments, **named):
    """Run what blocks in a thread: the loop has to answer it."""
    return await asyncio.to_thread(work, *arguments, **named)
