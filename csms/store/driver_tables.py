"""The tables of drivers' pages; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from csms.store.metadata import TIME, metadata

_ACCESS = "access in ('off', 'idTag', 'open')"

# what the operator has said for one station, and for the stations of a site; NULL: nothing
driver_page_stations = Table(
    "driver_page_stations",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("access", Text),
    Column("plug_first", Boolean),
    CheckConstraint(_ACCESS, name="access"),
)

driver_page_sites = Table(
    "driver_page_sites",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("access", Text),
    Column("plug_first", Boolean),
    CheckConstraint(_ACCESS, name="access"),
)

driver_starts = Table(
    "driver_starts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("token_digest", LargeBinary, nullable=False),  # keyed hash of the driver's token
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("id_tag", Text, nullable=False),  # as sent
    Column("made", Boolean, nullable=False),  # whether the tag was made for this driver
    Column("after_transaction", Integer, nullable=False),  # what comes of it has a higher id
    Column("asked_at", TIME, nullable=False),
    Column("outcome", Text),  # of the call; None: open
    Column("transaction_id", Integer),
    Column("stop_asked_at", TIME),
    Column("stop_outcome", Text),
    Index("ix_driver_starts_token_digest", "token_digest", text("id DESC")),
    Index("ix_driver_starts_asked_at", "asked_at"),
    Index("ix_driver_starts_transaction_id", "transaction_id"),
    Index(
        "ix_driver_starts_open",
        "charge_point_id",
        "connector_id",
        postgresql_where=text("transaction_id IS NULL"),
    ),
)
