"""Firmware images that operators bring and charge points fetch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from csms.clock import Clock
from csms.domain import files
from csms.errors import Conflict, Invalid, NotFound
from csms.services.audit import AuditTrail
from csms.services.files import Content
from csms.services.ports.files import BlobStore, Image, NoRoom, Shelf, SignatureCheck, TooLarge
from csms.services.ports.store import UnitOfWork, UnitsOfWork
from csms.services.records import Station

_SHELF: Shelf = "firmware"


class TooMuch(Invalid):
    """An image has more bytes than are taken: 413."""

    status = 413


class DiskFull(Conflict):
    """There is no room for an image: 507."""

    status = 507


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What an operator says of an image; see `Image`."""

    name: str
    version: str | None = None
    vendor: str | None = None
    model: str | None = None
    signature: str | None = None
    signing_certificate: str | None = None


class FirmwareService:
    """Keeps images."""

    def __init__(
        self,
        units: UnitsOfWork,
        blobs: BlobStore,
        clock: Clock,
        audit: AuditTrail,
        *,
        largest_bytes: int,
        check: SignatureCheck | None = None,
    ) -> None:
        self._units = units
        self._blobs = blobs
        self._clock = clock
        self._audit = audit
        self._largest = largest_bytes
        self._check = check

    async def add(
        self, actor: str, description: Description, pieces: AsyncIterator[bytes]
    ) -> Image:
        """Take an image as it comes in and return it.

        Raises:
            Refusal: `empty_file`, `file_too_large` or `disk_full`; nothing is kept.

        Cancellation: nothing is kept.
        """
        try:
            writing = await asyncio.to_thread(
                self._blobs.begin, _SHELF, largest=self._largest, resume=None
            )
        except NoRoom:
            raise _disk_full() from None
        kept = False
        try:
            async for piece in pieces:
                await asyncio.to_thread(writing.write, piece)
            if not writing.size:
                raise Invalid("empty_file", "The image has no bytes.")
            sha256 = await asyncio.to_thread(writing.finish)
            image = Image(
                key=0,
                blob=writing.blob,
                name=files.firmware_name(description.name),
                version=description.version,
                vendor=description.vendor,
                model=description.model,
                size=writing.size,
                sha256=sha256,
                signature=description.signature,
                signing_certificate=description.signing_certificate,
                created_at=self._clock.now(),
                actor=actor,
            )
            async with self._units() as unit:
                image = replace(image, key=await unit.firmware_images.add(image))
                details = {"name": image.name, "sha256": sha256}
                await self._audit.note(unit, actor, "create", "firmware", str(image.key), details)
            kept = True
        except TooLarge:
            raise TooMuch(
                "file_too_large", f"An image may have at most {self._largest} bytes."
            ) from None
        except NoRoom:
            raise _disk_full() from None
        finally:
            writing.stop()
            if not kept:
                self._blobs.remove(_SHELF, [writing.blob])
        return image

    def is_signed(self, image: Image) -> bool | None:
        """Return whether the signature of an image holds; None where there is nothing to check."""
        certificate, signature = image.signing_certificate, image.signature
        if self._check is None or certificate is None or signature is None:
            return None
        return self._check(certificate, signature, image.sha256) is None

    async def page(self, limit: int, *, before: int | None = None) -> list[Image]:
        """Return images, the newest first."""
        async with self._units() as unit:
            return await unit.firmware_images.page(limit, before=before)

    async def get(self, key: int) -> Image:
        """Return one. Raises NotFound."""
        async with self._units() as unit:
            return await existing_image(unit, key)

    async def change(self, actor: str, key: int, changes: Mapping[str, Any]) -> Image:
        """Change what describes one; names as in `Description`. Raises NotFound."""
        async with self._units() as unit:
            image = replace(await existing_image(unit, key), **changes)
            image = replace(image, name=files.firmware_name(image.name))
            await unit.firmware_images.update(image)
            details = {"fields": sorted(changes)}
            await self._audit.note(unit, actor, "update", "firmware", str(key), details)
        return image

    async def content(self, key: int) -> Content:
        """Return one to be handed out. Raises NotFound, also where its bytes are not here."""
        image = await self.get(key)
        if await asyncio.to_thread(self._blobs.size, _SHELF, image.blob) != image.size:
            raise NotFound("file_lost", "The bytes of this image are not on this machine.")
        pieces = self._blobs.read(_SHELF, image.blob, 0, image.size)
        return Content(name=image.name, size=image.size, pieces=pieces)

    async def delete(self, actor: str, key: int) -> None:
        """Delete one; stations that were told of it cannot fetch it any more. Raises NotFound."""
        async with self._units() as unit:
            image = await existing_image(unit, key)
            await unit.firmware_images.delete(key)
            details = {"name": image.name, "sha256": image.sha256}
            await self._audit.note(unit, actor, "delete", "firmware", str(key), details)
        await asyncio.to_thread(self._blobs.remove, _SHELF, [image.blob])


async def existing_image(unit: UnitOfWork, key: int) -> Image:
    """Return an image. Raises NotFound `firmware_not_found`."""
    image = await unit.firmware_images.get(key) if abs(key) < 2**63 else None
    if image is None:
        raise NotFound("firmware_not_found", "There is no such firmware image.")
    return image


async def only_fitting(unit: UnitOfWork, station: Station) -> Image:
    """Return the one image that is for a station.

    Raises:
        Invalid: There is none, or the operator has to choose.
    """
    found = await unit.firmware_images.fitting(station.vendor, station.model, 2)
    if not found:
        raise Invalid(
            "firmware_missing",
            "No firmware image fits this station: POST one to /api/firmware, or give a location.",
        )
    if len(found) > 1:
        raise Invalid(
            "firmware_ambiguous", "Several firmware images fit this station: give firmwareId."
        )
    return found[0]


def _disk_full() -> DiskFull:
    return DiskFull("disk_full", "The disk of the server has no room for it.")
