"""Files to and from servers, as diagnostics, logs and firmware need them: HTTP, HTTPS, FTP, FTPS.

An upload to a location that ends with a slash gets the file's name appended, else the location is
the file. HTTP uploads are PUT, and POST where a server knows no PUT.
"""

import asyncio
import ftplib
import io
import socket
import ssl
from collections.abc import Collection
from functools import partial
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import aiohttp

TIMEOUT_S = 60.0
MAX_FILE = 256 * 1024 * 1024
MAX_CHUNK = 256 * 1024


SECURED = ("https:", "ftps:")
ALL_PROTOCOLS = ("FTP", "FTPS", "HTTP", "HTTPS")


class TransferError(Exception):
    """A file could not be sent or fetched; the text says why."""


class UnknownProtocol(TransferError):
    """The location's protocol is none that the charge point speaks."""


async def upload(
    location: str,
    name: str,
    data: bytes,
    protocols: Collection[str] = ALL_PROTOCOLS,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Send ``data`` as ``name`` to ``location``; ``tls`` checks the server of HTTPS and FTPS.

    Raises:
        TransferError: it did not get there.
        UnknownProtocol: the location's is none of ``protocols``.
    """
    target = location + quote(name) if location.endswith("/") else location
    try:
        if _scheme(target, protocols) in ("http", "https"):
            await _put(target, data, tls)
        else:
            await asyncio.to_thread(_ftp, target, data, tls)
    except (aiohttp.ClientError, OSError, ValueError, ftplib.Error, EOFError) as error:
        raise TransferError(f"{type(error).__name__}: {error}") from error


async def download(
    location: str,
    protocols: Collection[str] = ALL_PROTOCOLS,
    tls: ssl.SSLContext | None = None,
) -> bytes:
    """Return the file at ``location``; ``tls`` checks the server of HTTPS and FTPS.

    Raises:
        TransferError: it is not to be had, or larger than ``MAX_FILE``.
        UnknownProtocol: the location's is none of ``protocols``.
    """
    try:
        if _scheme(location, protocols) in ("http", "https"):
            return await _get(location, tls)
        return await asyncio.to_thread(_ftp, location, None, tls)
    except (aiohttp.ClientError, OSError, ValueError, ftplib.Error, EOFError) as error:
        raise TransferError(f"{type(error).__name__}: {error}") from error


def without_secrets(location: str) -> str:
    """Return a location as it may be shown: without user, password and query.

    >>> without_secrets("ftp://user:secret@host:21/a/b?token=x")
    'ftp://host:21/a/b'
    >>> without_secrets("ftp://[")
    '(no location)'
    """
    try:
        parts = urlsplit(location)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(no location)"


def _scheme(location: str, protocols: Collection[str]) -> str:
    scheme = urlsplit(location).scheme.lower()
    if scheme.upper() not in protocols or scheme.upper() not in ALL_PROTOCOLS:
        msg = f"{scheme or 'no scheme'} is not spoken here"
        raise UnknownProtocol(msg)
    return scheme


async def _put(target: str, data: bytes, tls: ssl.SSLContext | None) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        async with http.put(target, data=data, ssl=tls or True) as answer:
            status = answer.status
        if status in (405, 501):
            async with http.post(target, data=data, ssl=tls or True) as answer:
                status = answer.status
    if not 200 <= status < 300:
        msg = f"the server answered {status}"
        raise TransferError(msg)


async def _get(location: str, tls: ssl.SSLContext | None) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.get(location, ssl=tls or True) as answer,
    ):
        if answer.status != 200:
            msg = f"the server answered {answer.status}"
            raise TransferError(msg)
        data = bytearray()
        async for chunk in answer.content.iter_chunked(MAX_CHUNK):
            data += chunk
            if len(data) > MAX_FILE:
                msg = f"the file has more than {MAX_FILE} bytes"
                raise TransferError(msg)
        return bytes(data)


class _SecureFtp(ftplib.FTP_TLS):  # what it adds to FTP is the TLS
    """FTPS that takes up the TLS session of its commands for data, as many servers demand."""

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """Open a data connection under TLS."""
        plain, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        return self.context.wrap_socket(plain, server_hostname=self.host, session=session), size


def _ftp(location: str, data: bytes | None, tls: ssl.SSLContext | None) -> bytes:
    """Send ``data``, or fetch the file when there is none; blocks, so it runs in a thread."""
    parts = urlsplit(location)
    is_secured = parts.scheme.lower() == "ftps"
    kind = partial(_SecureFtp, context=tls) if is_secured else ftplib.FTP
    fetched = io.BytesIO()
    # FTP is what the specification names; its passwords go in the clear.
    with kind(timeout=TIMEOUT_S) as ftp:
        ftp.connect(parts.hostname or "", parts.port or 21)
        ftp.login(unquote(parts.username or "anonymous"), unquote(parts.password or "anonymous@"))
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        path = unquote(parts.path.lstrip("/"))
        if data is not None:
            ftp.storbinary(f"STOR {path}", io.BytesIO(data))
        else:
            ftp.retrbinary(f"RETR {path}", fetched.write)
    return fetched.getvalue()
