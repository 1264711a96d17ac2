"""The tables of certificates; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from csms.store.metadata import TIME, metadata

station_certificates = Table(
    "station_certificates",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("certificate_type", Text, nullable=False),  # as OCPP names it; ChargePointCertificate
    Column("serial_folded", Text, nullable=False),  # lower case, without leading zeros
    Column("issuer_folded", Text, nullable=False),  # issuer's key hash, lower case; or empty
    Column("serial_number", Text, nullable=False),  # as its source spelled it, like the hashes
    Column("hash_algorithm", Text),
    Column("issuer_name_hash", Text),
    Column("issuer_key_hash", Text),
    Column("subject", Text),
    Column("issuer", Text),
    Column("not_before", TIME),
    Column("not_after", TIME),
    Column("source", Text, nullable=False),  # listed, installed, signed or shown
    Column("seen_at", TIME, nullable=False),
    Column("in_use_at", TIME),  # when the station last connected with it
    Column("revoked_at", TIME),
    UniqueConstraint(
        "charge_point_id",
        "certificate_type",
        "serial_folded",
        "issuer_folded",
        name="uq_station_certificates_content",
    ),
    Index("ix_station_certificates_serial_folded", "serial_folded"),
)

certificate_requests = Table(
    "certificate_requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("received_at", TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("csr", Text, nullable=False),
    Column("common_name", Text),  # what the certificate will name
    Column("key_type", Text),
    Column("chain", Text),  # PEM, the station's certificate first
    Column("serial_folded", Text),
    Column("fingerprint", LargeBinary),  # SHA-256 of the certificate
    Column("not_after", TIME),
    Column("detail", Text),  # why it was refused or has failed
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("tried_at", TIME),
    Column("ended_at", TIME),
    CheckConstraint(
        "state in ('refused', 'requested', 'issued', 'installed', 'rejected', 'failed',"
        " 'superseded')",
        name="state",
    ),
    Index("ix_certificate_requests_charge_point_id", "charge_point_id", text("id DESC")),
    Index(
        "ix_certificate_requests_open",
        "charge_point_id",
        postgresql_where=text("state in ('requested', 'issued')"),
    ),
)
