"""Firmware images; see `csms.services.ports.files.FirmwareImages`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.services.ports.files import Image
from csms.store import file_tables

_T = file_tables.firmware_images


class FirmwareImages:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, image: Image) -> int:
        """See the port."""
        query = insert(_T).values(**_described(image), **_made(image)).returning(_T.c.id)
        return int((await self._connection.execute(query)).scalar_one())

    async def update(self, image: Image) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T).where(_T.c.id == image.key).values(**_described(image))
        )

    async def get(self, key: int) -> Image | None:
        """See the port."""
        row = (await self._connection.execute(select(_T).where(_T.c.id == key))).one_or_none()
        return None if row is None else read_image(row)

    async def fitting(self, vendor: str | None, model: str | None, limit: int) -> list[Image]:
        """See the port."""
        query = select(_T).order_by(_T.c.id.desc()).limit(limit)
        for column, own in ((_T.c.vendor, vendor), (_T.c.model, model)):
            same = func.lower(column) == func.lower(own or "")
            query = query.where(or_(column.is_(None), same))
        return [read_image(row) for row in await self._connection.execute(query)]

    async def page(self, limit: int, *, before: int | None = None) -> list[Image]:
        """See the port."""
        query = select(_T).order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_T.c.id < before)
        return [read_image(row) for row in await self._connection.execute(query)]

    async def delete(self, key: int) -> str | None:
        """See the port."""
        query = delete(_T).where(_T.c.id == key).returning(_T.c.blob)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def blobs(self) -> set[str]:
        """See the port."""
        return set((await self._connection.execute(select(_T.c.blob))).scalars())


def read_image(row: Any) -> Image:
    """Return an image from its row."""
    return Image(
        key=row.id,
        blob=row.blob,
        name=row.name,
        version=row.version,
        vendor=row.vendor,
        model=row.model,
        size=row.size,
        sha256=row.sha256,
        signature=row.signature,
        signing_certificate=row.signing_certificate,
        created_at=row.created_at,
        actor=row.actor,
    )


def _described(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "version": image.version,
        "vendor": image.vendor,
        "model": image.model,
        "signature": image.signature,
        "signing_certificate": image.signing_certificate,
    }


def _made(image: Image) -> dict[str, Any]:
    return {
        "blob": image.blob,
        "size": image.size,
        "sha256": image.sha256,
        "created_at": image.created_at,
        "actor": image.actor,
    }
