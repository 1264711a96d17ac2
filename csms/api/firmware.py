"""Firmware images: brought by operators, fetched by stations through calls that name them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Self

from aiohttp import BodyPartReader, web
from pydantic import Field, StringConstraints, ValidationError

from csms.api import pages, problems
from csms.api.downloads import attachment
from csms.api.fields import In, Out, Page, PageQuery, PreciseTime, Query, Text
from csms.api.routes import Route
from csms.errors import NotFound
from csms.services.access import Principal, Role
from csms.services.firmware import Description, FirmwareService
from csms.services.ports.files import Image

_STALL_S = 60.0
_PIECE = 64 * 1024
_MOST_FIELD = 8_192
_MOST_FIELDS = 20

Signature = Annotated[str, StringConstraints(max_length=800, pattern=r"^[A-Za-z0-9+/=\s]+$")]
Certificate = Annotated[str, StringConstraints(max_length=5500, pattern=r"-----BEGIN ")]


class FirmwareOut(Out):
    """A firmware image; without `vendor` and `model` it is for any station.

    `signatureValid`: whether the signature is one of this image by the certificate; null: none.
    """

    id: str
    name: str
    version: str | None
    vendor: str | None
    model: str | None
    size_bytes: int
    sha256: str
    signature: str | None
    signing_certificate: str | None
    signature_valid: bool | None
    created_at: PreciseTime
    created_by: str
    url: str

    @classmethod
    def of(cls, image: Image, signed: bool | None) -> Self:
        """Return an image as the contract spells it."""
        return cls(
            id=str(image.key),
            name=image.name,
            version=image.version,
            vendor=image.vendor,
            model=image.model,
            size_bytes=image.size,
            sha256=image.sha256,
            signature=image.signature,
            signing_certificate=image.signing_certificate,
            signature_valid=signed,
            created_at=image.created_at,
            created_by=image.actor,
            url=f"/api/firmware/{image.key}/content",
        )


class FirmwareIn(Query):
    """What an image is, as query parameters or fields of a form."""

    name: Text | None = None
    version: Text | None = None
    vendor: Text | None = None
    model: Text | None = None
    signature: Signature | None = None
    signing_certificate: Certificate | None = None


class FirmwareChange(In):
    """What shall be different; null clears a field."""

    name: Text = Field(default="")
    version: Text | None = None
    vendor: Text | None = None
    model: Text | None = None
    signature: Signature | None = None
    signing_certificate: Certificate | None = None


class Firmware:
    """The operations."""

    def __init__(self, service: FirmwareService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        missing = {404: "There is no such image."}
        one = "/api/firmware/{firmware_id}"

        def route(method: str, path: str, handler: Any, **more: Any) -> Route:
            role = more.pop("role", Role.OPERATOR)
            return Route(
                method=method, path=path, handler=handler, role=role, tag="firmware", **more
            )

        return [
            route("GET", "/api/firmware", self.list_firmware, role=Role.VIEWER),
            route(
                "POST",
                "/api/firmware",
                self.add_firmware,
                status=201,
                takes_bytes=True,
                refusals={
                    400: "The form cannot be read.",
                    413: "`file_too_large`.",
                    507: "`disk_full`.",
                },
            ),
            route("GET", one, self.get_firmware, role=Role.VIEWER, refusals=missing),
            route("PATCH", one, self.change_firmware, refusals=missing),
            route("DELETE", one, self.delete_firmware, status=204, refusals=missing),
            route("GET", f"{one}/content", self.get_firmware_content, refusals=missing),
        ]

    def _out(self, image: Image) -> FirmwareOut:
        return FirmwareOut.of(image, self._service.is_signed(image))

    async def list_firmware(self, query: PageQuery) -> Page[FirmwareOut]:
        """Return all images, the newest first."""
        before = None if query.cursor is None else int(pages.decode(query.cursor, int)[0])
        found = await self._service.page(query.limit, before=before)
        return Page[FirmwareOut](
            items=[self._out(image) for image in found],
            next_cursor=pages.encode(found[-1].key) if len(found) == query.limit else None,
        )

    async def add_firmware(
        self, request: web.Request, query: FirmwareIn, principal: Principal
    ) -> FirmwareOut:
        """Take an image as it comes in, of any size up to the limit.

        The body is the image itself, described by query parameters; or `multipart/form-data` with
        fields of the same names before the field `file`.
        """
        given = query.model_dump(exclude_none=True)
        if request.content_type == "multipart/form-data":
            try:
                part = await _file_part(request, given)
                given = FirmwareIn.model_validate(
                    {"name": part.filename, **given}, by_name=True
                ).model_dump(exclude_none=True)
            except ValidationError as error:
                raise problems.of_validation(error) from None
            pieces = _pieces(part.read_chunk)
        else:
            pieces = _pieces(request.content.read)
        description = Description(**{"name": "", **given})
        return self._out(await self._service.add(principal.name, description, pieces))

    async def get_firmware(self, firmware_id: str) -> FirmwareOut:
        """Return what is known of an image."""
        return self._out(await self._service.get(_key(firmware_id)))

    async def change_firmware(
        self, firmware_id: str, body: FirmwareChange, principal: Principal
    ) -> FirmwareOut:
        """Change what describes an image: its bytes stay what they are."""
        changes = body.model_dump(exclude_unset=True)
        key = _key(firmware_id)
        return self._out(await self._service.change(principal.name, key, changes))

    async def delete_firmware(self, firmware_id: str, principal: Principal) -> None:
        """Delete an image; a station that was told of it cannot fetch it any more."""
        await self._service.delete(principal.name, _key(firmware_id))

    async def get_firmware_content(
        self, firmware_id: str, request: web.Request
    ) -> web.StreamResponse:
        """Hand out an image."""
        return await attachment(request, await self._service.content(_key(firmware_id)))


async def _file_part(request: web.Request, given: dict[str, Any]) -> BodyPartReader:
    """Read the fields before the file into `given` and return the file, not read yet."""
    unreadable = problems.Malformed("invalid_form", "The form cannot be read, or has no file.")
    try:
        form = await request.multipart()
        for _ in range(_MOST_FIELDS):
            async with asyncio.timeout(_STALL_S):
                part = await form.next()
            if not isinstance(part, BodyPartReader):
                break
            if part.filename is not None or part.name == "file":
                return part
            async with asyncio.timeout(_STALL_S):
                text = await part.read_chunk(_MOST_FIELD)
            names = {name.replace("_", ""): name for name in FirmwareIn.model_fields}
            name = names.get((part.name or "").replace("_", "").lower())
            if name is None or not part.at_eof():
                raise unreadable
            given[name] = text.decode()
    except (ValueError, TimeoutError, AssertionError) as error:
        raise unreadable from error
    raise unreadable


async def _pieces(read: Any) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(_STALL_S):
                piece = await read(_PIECE)
        except TimeoutError:
            raise problems.Malformed("too_slow", "Nothing has come for a minute.") from None
        if not piece:
            return
        yield bytes(piece)


def _key(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("firmware_not_found", "There is no such firmware image.")
    return int(text)
