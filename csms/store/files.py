"""Ways and files of charge points; see `csms.services.ports.files.Files`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.files import Direction
from csms.domain.ids import ChargePointKey, Identity
from csms.services.ports.files import Grant, JobFiles, NewFile, StationFile
from csms.store import file_tables, state_tables, tables
from csms.store.firmware import read_image

_T = file_tables.station_files
_W = file_tables.file_ways
_I = file_tables.firmware_images
_J = state_tables.jobs
_C = tables.charge_points

_LARGEST_REQUEST_ID = 2**31 - 1
_SPENT_AFTER = timedelta(days=90)
_MOST_AT_ONCE = 1_000


class Files:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open_way(
        self,
        charge_point: ChargePointKey,
        *,
        call_id: str,
        direction: Direction,
        digest: bytes,
        image: int | None,
        at: datetime,
        expires_at: datetime,
    ) -> None:
        """See the port."""
        await self._connection.execute(
            insert(_W).values(
                charge_point_id=charge_point,
                call_id=call_id,
                direction=direction,
                token_digest=digest,
                image_id=image,
                created_at=at,
                expires_at=expires_at,
            )
        )

    async def next_request_id(self, charge_point: ChargePointKey) -> int:
        """See the port."""
        query = select(func.max(_J.c.request_id)).where(
            _J.c.charge_point_id == charge_point, _J.c.request_id < _LARGEST_REQUEST_ID
        )
        highest = (await self._connection.execute(query)).scalar_one()
        return max(highest or 0, 0) + 1

    async def way(self, digest: bytes) -> Grant | None:
        """See the port."""
        whole = select(_T.c.id).where(_T.c.way_id == _W.c.id, _T.c.complete).exists()
        query = (
            select(
                _W,
                _C.c.identity,
                _J.c.state,
                _J.c.status,
                whole.label("has_file"),
            )
            .join(_C, _C.c.id == _W.c.charge_point_id)
            .outerjoin(_J, _J.c.call_id == _W.c.call_id)
            .where(_W.c.token_digest == digest, _C.c.deleted_at.is_(None))
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        image = None
        if row.image_id is not None:
            found = await self._connection.execute(select(_I).where(_I.c.id == row.image_id))
            image = read_image(found.one())
        return Grant(
            key=row.id,
            charge_point=ChargePointKey(row.charge_point_id),
            identity=Identity(row.identity),
            call_id=row.call_id,
            direction=row.direction,
            digest=row.token_digest,
            expires_at=row.expires_at,
            state=row.state,
            status=row.status,
            has_file=row.has_file,
            image=image,
        )

    async def of_label(self, grant: int, label: str) -> StationFile | None:
        """See the port."""
        query = _files().where(_T.c.way_id == grant, _T.c.label == label)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else _read(row)

    async def keep(self, new: NewFile, most: int) -> Sequence[str]:
        """See the port."""
        # whoever keeps a file of this way waits here for the others
        query = select(_W.c.charge_point_id).where(_W.c.id == new.grant).with_for_update()
        charge_point = (await self._connection.execute(query)).scalar_one_or_none()
        if charge_point is None:
            return [new.blob]
        query = (
            select(_T.c.id, _T.c.label, _T.c.blob, _T.c.complete)
            .where(_T.c.way_id == new.grant)
            .order_by(_T.c.complete.desc(), _T.c.id.desc())
        )
        present = (await self._connection.execute(query)).all()
        former = next((row for row in present if row.label == new.label), None)
        if former is not None and former.complete and not new.complete:
            return [] if former.blob == new.blob else [new.blob]
        others = [row for row in present if row is not former]
        gone = [*others[most - 1 :], *([former] if former is not None else [])]
        await self._connection.execute(delete(_T).where(_T.c.id.in_([row.id for row in gone])))
        await self._connection.execute(
            upsert(_T).values(
                way_id=new.grant,
                charge_point_id=charge_point,
                label=new.label,
                blob=new.blob,
                size=new.size,
                sha256=new.sha256,
                complete=new.complete,
                scheme=new.scheme,
                address=new.address,
                received_at=new.received_at,
            )
        )
        return [row.blob for row in gone if row.blob != new.blob]

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, JobFiles]:
        """See the port."""
        query = select(_W.c.call_id, _W.c.direction).where(_W.c.call_id.in_(call_ids))
        ways = (await self._connection.execute(query)).all()
        found: dict[str, list[StationFile]] = {row.call_id: [] for row in ways}
        if found:
            query_files = _files().where(_W.c.call_id.in_(found)).order_by(_T.c.id)
            for row in await self._connection.execute(query_files):
                found[row.call_id].append(_read(row))
        return {
            row.call_id: JobFiles(
                expected=row.direction == "upload", files=tuple(found[row.call_id])
            )
            for row in ways
        }

    async def get(self, key: int) -> StationFile | None:
        """See the port."""
        row = (await self._connection.execute(_files().where(_T.c.id == key))).one_or_none()
        return None if row is None else _read(row)

    async def page(
        self, limit: int, *, before: int | None = None, identity: str | None = None
    ) -> list[StationFile]:
        """See the port."""
        query = _files().order_by(_T.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_T.c.id < before)
        if identity is not None:
            query = query.where(_C.c.identity == identity, _C.c.deleted_at.is_(None))
        return [_read(row) for row in await self._connection.execute(query)]

    async def delete(self, key: int) -> str | None:
        """See the port."""
        query = delete(_T).where(_T.c.id == key).returning(_T.c.blob)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def expire(self, before: datetime, largest: int, now: datetime) -> list[str]:
        """See the port."""
        newer = func.sum(_T.c.size).over(order_by=_T.c.id.desc())
        sums = select(_T.c.id, _T.c.received_at, newer.label("sum")).subquery()
        gone = select(sums.c.id).where((sums.c.received_at < before) | (sums.c.sum > largest))
        query = (
            delete(_T)
            .where(_T.c.id.in_(gone.order_by(sums.c.id).limit(_MOST_AT_ONCE)))
            .returning(_T.c.blob)
        )
        blobs = list((await self._connection.execute(query)).scalars())
        spent = (
            select(_W.c.id)
            .where(
                _W.c.expires_at < now - _SPENT_AFTER,
                ~select(_T.c.id).where(_T.c.way_id == _W.c.id).exists(),
            )
            .limit(_MOST_AT_ONCE)
        )
        await self._connection.execute(delete(_W).where(_W.c.id.in_(spent)))
        return blobs

    async def blobs(self) -> set[str]:
        """See the port."""
        return set((await self._connection.execute(select(_T.c.blob))).scalars())


def _files() -> Select[Any]:
    return (
        select(_T, _C.c.identity, _W.c.call_id, _J.c.kind)
        .join(_C, _C.c.id == _T.c.charge_point_id)
        .join(_W, _W.c.id == _T.c.way_id)
        .outerjoin(_J, and_(_J.c.call_id == _W.c.call_id))
    )


def _read(row: Any) -> StationFile:
    return StationFile(
        key=row.id,
        identity=Identity(row.identity),
        call_id=row.call_id,
        kind=row.kind or "file",
        label=row.label,
        blob=row.blob,
        size=row.size,
        sha256=row.sha256,
        complete=row.complete,
        received_at=row.received_at,
    )
