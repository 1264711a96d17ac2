"""Diagnostics and logs from charge points over HTTP: raw or as a form, at once or in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import structlog
from aiohttp import BodyPartReader, ClientError, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from csms.clock import Clock
from csms.domain import files
from csms.files import ranges
from csms.files.answers import Refused, answer, refusal
from csms.services.files import FileService
from csms.services.ports.files import Grant, NewFile, NoRoom, Superseded, TooLarge, Writing

_log = structlog.get_logger(__name__)

_STALL_S = 60.0
_MOST_PARTS = 20
_MOST_FORM_OVERHEAD = 64 * 1024
_PIECE = 64 * 1024

# what reading raises when the other end goes away or sends nonsense
_BROKEN = (OSError, ClientError, HttpProcessingError, RequestPayloadError, ValueError)


class Receiver:
    """Takes files in."""

    def __init__(self, service: FileService, clock: Clock, *, scheme: str) -> None:
        self._service = service
        self._clock = clock
        self._scheme = scheme

    async def receive(
        self, request: web.BaseRequest, grant: Grant, name: str, address: str
    ) -> web.StreamResponse:
        """Take in the file, or the files, of a request.

        Args:
            request: PUT or POST, its body not read yet.
            grant: The way that it has come by.
            name: What the path calls the file; may be empty.
            address: Of the client.

        Raises:
            Refused: 400, 408, 409, 413, 507.
            DatabaseAway: What came is not kept.
        """
        most = self._service.keeping.largest_bytes
        is_form = request.content_type == "multipart/form-data"
        length = request.content_length
        if length is not None and length > most + (_MOST_FORM_OVERHEAD if is_form else 0):
            raise _too_large(most)
        if is_form:
            await self._form(request, grant, name, address)
        else:
            disposition = request.headers.get("Content-Disposition", "")
            called = name or files.label(_file_name(disposition))
            resume, last = await self._resumed(request, grant, called)
            pieces = _pieces(request)
            await self._file(pieces, grant, called, address, resume=resume, last=last)
        created = request.method == "PUT"
        return answer(HTTPStatus.CREATED if created else HTTPStatus.OK, "kept")

    async def _form(self, request: web.BaseRequest, grant: Grant, name: str, address: str) -> None:
        _go_ahead(request)
        found = 0
        try:
            form = await request.multipart()
            for _ in range(_MOST_PARTS):
                async with asyncio.timeout(_STALL_S):
                    part = await form.next()
                if part is None:
                    break
                if isinstance(part, MultipartReader) or part.filename is None:
                    continue  # next() passes over what was not read
                called = files.label(part.filename) or name
                await self._file(_part_pieces(part), grant, called, address)
                found += 1
            else:
                raise refusal(HTTPStatus.BAD_REQUEST, "the form has too many fields")
        except (TimeoutError, *_BROKEN) as error:
            raise refusal(HTTPStatus.BAD_REQUEST, "the form cannot be read") from error
        if not found:
            raise refusal(HTTPStatus.BAD_REQUEST, "the form has no file")

    async def _resumed(
        self, request: web.BaseRequest, grant: Grant, called: str
    ) -> tuple[tuple[str, int] | None, bool]:
        """Return what a request goes on with, and whether it brings the end of the file."""
        header = request.headers.get("Content-Range")
        if header is None:
            return None, True
        asked = ranges.given(header)
        if asked is None:
            raise refusal(HTTPStatus.BAD_REQUEST, "the Content-Range cannot be read")
        part, total = asked
        if request.content_length not in {None, part.length}:
            raise refusal(HTTPStatus.BAD_REQUEST, "Content-Range and Content-Length differ")
        last = total is not None and part.start + part.length == total
        if part.start == 0:
            return None, last
        present = await self._service.part(grant, called)
        if present is None or present[1] < part.start:
            refused = refusal(HTTPStatus.CONFLICT, "there are not so many bytes yet")
            refused.headers["Upload-Offset"] = str(0 if present is None else present[1])
            raise refused
        return (present[0], part.start), last

    async def _file(
        self,
        pieces: AsyncIterator[bytes],
        grant: Grant,
        called: str,
        address: str,
        *,
        resume: tuple[str, int] | None = None,
        last: bool = True,
    ) -> None:
        """Take in one file; where it breaks off, what came is kept as a part."""
        most = self._service.keeping.largest_bytes
        blobs = self._service.blobs
        try:
            writing = await asyncio.to_thread(
                blobs.begin, "uploads", largest=most, claim=(grant.key, called), resume=resume
            )
        except NoRoom:
            raise _no_room() from None
        except FileNotFoundError:
            raise refusal(HTTPStatus.CONFLICT, "the first part is not here any more") from None
        kept = False
        try:
            async for piece in pieces:
                await asyncio.to_thread(writing.write, piece)
            sha256 = await asyncio.to_thread(writing.finish)
            whole = sha256 if last else None
            await self._service.came(grant, self._new(grant, called, address, writing, whole))
            kept = True
        except TooLarge:
            raise _too_large(most) from None
        except NoRoom:
            raise _no_room() from None
        except Superseded:
            kept = resume is not None  # by the newer one, which goes on with the same bytes
            raise refusal(HTTPStatus.CONFLICT, "a newer transfer has taken over") from None
        except (TimeoutError, *_BROKEN) as error:
            _log.info("upload broke off", station=grant.identity, error=type(error).__name__)
            writing.stop()
            if writing.size:
                kept = True
                await self._service.came(grant, self._new(grant, called, address, writing, None))
            raise refusal(HTTPStatus.REQUEST_TIMEOUT, "the transfer broke off") from error
        finally:
            writing.stop()
            if not kept:
                blobs.remove("uploads", [writing.blob])

    def _new(
        self, grant: Grant, called: str, address: str, writing: Writing, sha256: str | None
    ) -> NewFile:
        return NewFile(
            grant=grant.key,
            label=called,
            blob=writing.blob,
            size=writing.size,
            sha256=sha256,
            complete=sha256 is not None,
            scheme=self._scheme,
            address=address,
            received_at=self._clock.now(),
        )


def _go_ahead(request: web.BaseRequest) -> None:
    """Answer `Expect: 100-continue`, now that the request is known to be worth its body."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def _pieces(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """Return the body as it comes. Raises TimeoutError when nothing comes for a minute."""
    _go_ahead(request)
    while True:
        async with asyncio.timeout(_STALL_S):
            piece = await request.content.readany()
        if not piece:
            return
        yield piece


async def _part_pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    """Return the file of a form. Raises ValueError when the form ends before the file does."""
    while not part.at_eof():
        async with asyncio.timeout(_STALL_S):
            piece = await part.read_chunk(_PIECE)
        if not piece and not part.at_eof():
            raise ValueError("the form ends within a file")
        yield piece


def _file_name(disposition: str) -> str:
    _, _, rest = disposition.partition("filename=")
    return rest.partition(";")[0].strip().strip('"')


def _too_large(most: int) -> Refused:
    return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {most} bytes are taken")


def _no_room() -> Refused:
    return refusal(HTTPStatus.INSUFFICIENT_STORAGE, "there is no room for it")
