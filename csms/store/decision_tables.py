"""The table of what was decided for sessions; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, Text

from csms.store.metadata import TIME, metadata

limit_decisions = Table(
    "limit_decisions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("transaction_id", Integer, nullable=False),
    Column("limit_w", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", TIME, nullable=False),
    Index("ix_limit_decisions_site_id", "site_id", "id"),
    Index("ix_limit_decisions_transaction_id", "transaction_id", "id"),
    Index("ix_limit_decisions_charge_point_id", "charge_point_id", "id"),
    Index("ix_limit_decisions_decided_at", "decided_at"),
)
