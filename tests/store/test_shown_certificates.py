"""Certificates that stations have shown; what is odd about one is told once a day."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from csms.domain.certificates import CertificateFacts, ClientCertificate, HashData
from csms.domain.ids import ChargePointKey
from csms.store.certificates import SqlCertificateStore
from csms.store.database import Database
from tests.ocppj.standins import record


def shown(clock, **changes):
    facts = CertificateFacts(
        subject="CN=CP1",
        issuer="CN=Root",
        common_name="CP1",
        serial_number="0a",
        not_before=clock.now() - timedelta(days=1),
        not_after=clock.now() + timedelta(days=1),
        fingerprint=b"f",
        is_ca=False,
        key="EC 256",
        public_key=b"k",
        hash_data=HashData(
            hash_algorithm="SHA256", issuer_name_hash="a", issuer_key_hash="b", serial_number="0a"
        ),
    )
    return ClientCertificate(facts=facts, **changes)


async def test_a_mismatch_is_a_security_event_once_a_day(database_url, clock):
    database = Database(database_url)
    sql = await asyncpg.connect(database_url)
    try:
        key = await sql.fetchval(
            "INSERT INTO charge_points (identity, name) VALUES ('CP1', 'CP1') RETURNING id"
        )
        store, station = SqlCertificateStore(database), record(ChargePointKey(key))
        midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        odd = shown(clock, mismatch="The certificate's organization is 'X', not 'Y'.")
        for hours in (1, 2, 26):
            at = midnight + timedelta(hours=hours)
            await store.shown([(station, odd, at), (station, shown(clock), at)])
        rows = await sql.fetch("SELECT * FROM security_events ORDER BY id")
        assert [(row["type"], row["source"], row["at"]) for row in rows] == [
            ("CertificateSubjectOdd", "server", midnight),
            ("CertificateSubjectOdd", "server", midnight + timedelta(days=1)),
        ]
        assert "'X', not 'Y'" in rows[0]["tech_info"]
    finally:
        await sql.close()
        await database.close()
