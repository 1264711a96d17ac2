"""Certificates of charge points; see `csms.services.ports.certificates`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.certificates import (
    CHARGE_POINT,
    CertificateFacts,
    ClientCertificate,
    HashData,
    folded_serial,
)
from csms.domain.charge_points import ChargePointRecord
from csms.domain.ids import ChargePointKey, Identity
from csms.domain.security_events import CERTIFICATE_SUBJECT_ODD, SecurityEventFact
from csms.services.ports.certificates import (
    EndingCertificate,
    StationCertificate,
)
from csms.store import certificate_tables, tables
from csms.store.database import Database
from csms.store.security_events import SecurityEvents
from csms.store.signing_requests import OPEN

_T = certificate_tables.station_certificates
_R = certificate_tables.certificate_requests
_C = tables.charge_points

_MOST_OF_A_TYPE = 100
"""Certificates of one type that a station may fill the table with."""
_MOST_DUE = 50
_RENEWAL_AGAIN_AFTER = timedelta(days=1)


class StationCertificates:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # -- what stations have

    async def of(self, charge_point: ChargePointKey) -> list[StationCertificate]:
        """See the port."""
        query = (
            select(_T)
            .where(_T.c.charge_point_id == charge_point)
            .order_by(_T.c.seen_at.desc(), _T.c.id.desc())
            .limit(4 * _MOST_OF_A_TYPE)
        )
        return [_certificate(row) for row in await self._connection.execute(query)]

    async def listed(
        self,
        charge_point: ChargePointKey,
        certificate_type: str,
        found: Sequence[HashData],
        at: datetime,
    ) -> None:
        """See the port."""
        these = (_T.c.charge_point_id == charge_point, _T.c.certificate_type == certificate_type)
        before = {
            row.serial_folded: row
            for row in await self._connection.execute(select(_T).where(*these))
        }
        await self._connection.execute(delete(_T).where(*these))
        for each in found[:_MOST_OF_A_TYPE]:
            # what was read out of the certificate itself when it was installed is known still
            known = before.get(folded_serial(each.serial_number))
            kept = {} if known is None else _read_of(known)
            await self._put(charge_point, certificate_type, each, kept, "listed", at)

    async def added(
        self,
        charge_point: ChargePointKey,
        certificate_type: str,
        facts: CertificateFacts,
        source: str,
        at: datetime,
    ) -> None:
        """See the port."""
        values = values_of(facts)
        await self._put(charge_point, certificate_type, _hash_data(facts), values, source, at)

    async def removed(self, charge_point: ChargePointKey, hash_data: HashData) -> None:
        """See the port."""
        await self._connection.execute(
            delete(_T).where(
                _T.c.charge_point_id == charge_point,
                _T.c.serial_folded == folded_serial(hash_data.serial_number),
                _T.c.issuer_folded.in_(["", hash_data.issuer_key_hash.lower()]),
            )
        )

    async def revoked(self, serial_number: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_T)
            .where(
                _T.c.serial_folded == folded_serial(serial_number),
                _T.c.certificate_type == CHARGE_POINT,
                _T.c.revoked_at.is_(None),
            )
            .values(revoked_at=at)
        )

    async def held_by(
        self, charge_point: ChargePointKey, serial_number: str
    ) -> StationCertificate | None:
        """See the port."""
        query = select(_T).where(
            _T.c.charge_point_id == charge_point,
            _T.c.certificate_type == CHARGE_POINT,
            _T.c.serial_folded == folded_serial(serial_number),
        )
        row = (await self._connection.execute(query)).first()
        return None if row is None else _certificate(row)

    async def others_named(self, charge_point: ChargePointKey, names: Sequence[str]) -> list[str]:
        """See the port. EXPLAIN: one scan of charge points; these requests are rare."""
        lower = {name.lower(): name for name in names}
        query = select(func.lower(_C.c.identity), func.lower(_C.c.serial_number)).where(
            _C.c.id != charge_point,
            _C.c.deleted_at.is_(None),
            or_(
                func.lower(_C.c.identity).in_(list(lower)),
                func.lower(_C.c.serial_number).in_(list(lower)),
            ),
        )
        rows = (await self._connection.execute(query.limit(10))).all()
        return sorted({lower[name] for row in rows for name in row if name in lower})

    async def _put(
        self,
        charge_point: ChargePointKey,
        certificate_type: str,
        hash_data: HashData,
        values: dict[str, Any],
        source: str,
        at: datetime,
    ) -> None:
        row = {
            **values,
            **_identifying(charge_point, certificate_type, hash_data),
            "source": source,
            "seen_at": at,
        }
        statement = insert(_T).values(row)
        await self._connection.execute(
            statement.on_conflict_do_update(
                constraint="uq_station_certificates_content",
                set_={**values, "source": source, "seen_at": at},
            )
        )

    # -- renewal

    async def ending(self, node: str, until: datetime, now: datetime) -> list[EndingCertificate]:
        """See the port. EXPLAIN: profile-3 stations of a node, their certificates by index."""
        newest = (
            select(_T.c.charge_point_id, _T.c.serial_number, _T.c.not_after)
            .ext(distinct_on(_T.c.charge_point_id))
            .where(
                _T.c.certificate_type == CHARGE_POINT,
                _T.c.not_after.is_not(None),
                _T.c.revoked_at.is_(None),
            )
            .order_by(_T.c.charge_point_id, _T.c.not_after.desc())
            .subquery()
        )
        asking = select(_R.c.id).where(_R.c.charge_point_id == _C.c.id, _R.c.state.in_(OPEN))
        query = (
            select(_C.c.id, _C.c.identity, newest.c.serial_number, newest.c.not_after)
            .join(newest, newest.c.charge_point_id == _C.c.id)
            .where(
                newest.c.not_after < until,
                _C.c.security_profile == 3,
                _C.c.node == node,
                _C.c.registration == "Accepted",
                _C.c.deleted_at.is_(None),
                or_(
                    _C.c.renewal_tried_at.is_(None),
                    _C.c.renewal_tried_at < now - _RENEWAL_AGAIN_AFTER,
                ),
                ~asking.exists(),
            )
            .order_by(newest.c.not_after)
            .limit(_MOST_DUE)
        )
        return [
            EndingCertificate(
                charge_point=ChargePointKey(row.id),
                identity=Identity(row.identity),
                serial_number=row.serial_number,
                not_after=row.not_after,
            )
            for row in await self._connection.execute(query)
        ]

    async def renewal_tried(self, charge_point: ChargePointKey, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            update(_C).where(_C.c.id == charge_point).values(renewal_tried_at=at)
        )


class SqlCertificateStore:
    """Each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shown(
        self, notes: Sequence[tuple[ChargePointRecord, ClientCertificate, datetime]]
    ) -> None:
        """See the port: one statement; of those that came twice the last counts.

        What is odd about one is a security event, once a day.
        """
        rows: dict[tuple[object, ...], dict[str, Any]] = {}
        for record, certificate, at in notes:
            facts = certificate.facts
            identifying = _identifying(record.key, CHARGE_POINT, _hash_data(facts))
            place = (record.key, identifying["serial_folded"], identifying["issuer_folded"])
            rows[place] = {
                **values_of(facts),
                **identifying,
                "source": "shown",
                "seen_at": at,
                "in_use_at": at,
            }
        if not rows:
            return
        statement = insert(_T).values([rows[place] for place in sorted(rows, key=str)])
        async with self._database.transaction() as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    constraint="uq_station_certificates_content",
                    set_={
                        "seen_at": statement.excluded.seen_at,
                        "in_use_at": statement.excluded.in_use_at,
                    },
                )
            )
            events = SecurityEvents(connection)
            for record, certificate, at in notes:
                if certificate.mismatch is not None:
                    await events.append(_odd(record.key, certificate.mismatch, at))


def _odd(charge_point: ChargePointKey, what: str, at: datetime) -> SecurityEventFact:
    return SecurityEventFact(
        charge_point=charge_point,
        received_at=at,
        type=CERTIFICATE_SUBJECT_ODD,
        at=at.replace(hour=0, minute=0, second=0, microsecond=0),
        tech_info=what,
        source="server",
    )


def values_of(facts: CertificateFacts) -> dict[str, Any]:
    """Return what is read out of a certificate, as columns."""
    return {
        "subject": _text(facts.subject),
        "issuer": _text(facts.issuer),
        "not_before": facts.not_before,
        "not_after": facts.not_after,
    }


def _identifying(
    charge_point: ChargePointKey, certificate_type: str, hash_data: HashData
) -> dict[str, Any]:
    return {
        "charge_point_id": charge_point,
        "certificate_type": certificate_type,
        "serial_folded": folded_serial(hash_data.serial_number),
        "issuer_folded": hash_data.issuer_key_hash.lower(),
        "serial_number": hash_data.serial_number,
        "hash_algorithm": hash_data.hash_algorithm or None,
        "issuer_name_hash": hash_data.issuer_name_hash or None,
        "issuer_key_hash": hash_data.issuer_key_hash or None,
    }


def _hash_data(facts: CertificateFacts) -> HashData:
    """Return how a certificate is named; without its issuer's key by its serial number alone."""
    return facts.hash_data or HashData(
        hash_algorithm="",
        issuer_name_hash="",
        issuer_key_hash="",
        serial_number=facts.serial_number,
    )


def _read_of(row: Row[Any]) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "issuer": row.issuer,
        "not_before": row.not_before,
        "not_after": row.not_after,
    }


def _text(value: str) -> str:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")[:1000]


def _certificate(row: Row[Any]) -> StationCertificate:
    hash_data = None
    if row.hash_algorithm is not None:
        hash_data = HashData(
            hash_algorithm=row.hash_algorithm,
            issuer_name_hash=row.issuer_name_hash or "",
            issuer_key_hash=row.issuer_key_hash or "",
            serial_number=row.serial_number,
        )
    return StationCertificate(
        certificate_type=row.certificate_type,
        serial_number=row.serial_number,
        hash_data=hash_data,
        subject=row.subject,
        issuer=row.issuer,
        not_before=row.not_before,
        not_after=row.not_after,
        source=row.source,
        seen_at=row.seen_at,
        in_use_at=row.in_use_at,
        revoked_at=row.revoked_at,
    )
