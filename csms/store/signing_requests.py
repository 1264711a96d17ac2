"""Certificate requests of charge points; see `csms.services.ports.certificates.SigningRequests`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.certificates import CertificateFacts
from csms.domain.ids import ChargePointKey, Identity
from csms.services.ports.certificates import SigningRequest
from csms.store import certificate_tables, tables

_R = certificate_tables.certificate_requests
_C = tables.charge_points

OPEN = ("requested", "issued")
"""States of requests that are under way."""

_KEPT = 50
_MOST_DUE = 50
_MOST_TRIES = 10
_AGAIN_AFTER = timedelta(minutes=1)

_PRUNE = text("""
DELETE FROM certificate_requests WHERE charge_point_id = :key AND id <= (
    SELECT id FROM certificate_requests WHERE charge_point_id = :key
    ORDER BY id DESC OFFSET :kept LIMIT 1
)
""")


class SigningRequests:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(
        self,
        charge_point: ChargePointKey,
        *,
        csr: str,
        at: datetime,
        common_name: str | None = None,
        key_type: str | None = None,
        refused: str | None = None,
    ) -> int:
        """See the port."""
        if refused is None:
            await self._connection.execute(
                update(_R)
                .where(_R.c.charge_point_id == charge_point, _R.c.state.in_(OPEN))
                .values(state="superseded", ended_at=at)
            )
        statement = (
            insert(_R)
            .values(
                charge_point_id=charge_point,
                received_at=at,
                state="requested" if refused is None else "refused",
                csr=csr,
                common_name=common_name,
                key_type=key_type,
                detail=refused,
                ended_at=None if refused is None else at,
            )
            .returning(_R.c.id)
        )
        key = int((await self._connection.execute(statement)).scalar_one())
        await self._connection.execute(_PRUNE, {"key": charge_point, "kept": _KEPT})
        return key

    async def asked_since(self, charge_point: ChargePointKey, since: datetime) -> int:
        """See the port."""
        query = select(func.count()).where(
            _R.c.charge_point_id == charge_point, _R.c.received_at > since
        )
        return int((await self._connection.execute(query)).scalar_one())

    async def page(
        self, charge_point: ChargePointKey, limit: int, *, before: int | None = None
    ) -> list[SigningRequest]:
        """See the port."""
        query = _requests(_R.c.charge_point_id == charge_point).order_by(_R.c.id.desc())
        if before is not None:
            query = query.where(_R.c.id < before)
        return [_request(row) for row in await self._connection.execute(query.limit(limit))]

    async def due(self, node: str, now: datetime) -> list[SigningRequest]:
        """See the port. EXPLAIN: the partial index of open requests."""
        query = (
            _requests(
                _R.c.state.in_(OPEN),
                _R.c.tries < _MOST_TRIES,
                or_(_R.c.tried_at.is_(None), _R.c.tried_at < now - _AGAIN_AFTER),
                _C.c.node == node,
                _C.c.registration != "Rejected",
                _C.c.deleted_at.is_(None),
            )
            .order_by(_R.c.id)
            .limit(_MOST_DUE)
        )
        return [_request(row) for row in await self._connection.execute(query)]

    async def tried(self, request: int, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_R).where(_R.c.id == request).values(tried_at=at, tries=_R.c.tries + 1)
        )

    async def issued(self, request: int, chain: str, facts: CertificateFacts, at: datetime) -> bool:
        """See the port."""
        statement = (
            update(_R)
            .where(_R.c.id == request, _R.c.state == "requested")
            .values(
                state="issued",
                chain=chain,
                serial_folded=facts.serial_number,
                fingerprint=facts.fingerprint,
                not_after=facts.not_after,
                tries=1,  # it is sent at once
                tried_at=at,
            )
            .returning(_R.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def end(self, request: int, state: str, at: datetime, detail: str | None = None) -> None:
        """See the port."""
        await self._connection.execute(
            update(_R)
            .where(_R.c.id == request, _R.c.state.in_(OPEN))
            .values(state=state, ended_at=at, detail=detail)
        )

    async def answered(
        self, charge_point: ChargePointKey, chain: str, *, accepted: bool, at: datetime
    ) -> bool:
        """See the port."""
        statement = (
            update(_R)
            .where(
                _R.c.charge_point_id == charge_point,
                _R.c.chain == chain,
                # one that a newer request has made late may be taken all the same
                _R.c.state.in_(["issued", "superseded"]),
            )
            .values(state="installed" if accepted else "rejected", ended_at=at)
            .returning(_R.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None


def _requests(*conditions: ColumnElement[bool]) -> Any:
    return select(_R, _C.c.identity).join(_C, _C.c.id == _R.c.charge_point_id).where(*conditions)


def _request(row: Row[Any]) -> SigningRequest:
    return SigningRequest(
        key=row.id,
        charge_point=ChargePointKey(row.charge_point_id),
        identity=Identity(row.identity),
        received_at=row.received_at,
        state=row.state,
        csr=row.csr,
        common_name=row.common_name,
        key_type=row.key_type,
        chain=row.chain,
        serial_number=row.serial_folded,
        not_after=row.not_after,
        detail=row.detail,
        tries=row.tries,
        ended_at=row.ended_at,
    )
