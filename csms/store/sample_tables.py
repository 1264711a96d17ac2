"""The table of what sites were like, minute by minute; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from csms.store.metadata import TIME, metadata

site_samples = Table(
    "site_samples",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("at", TIME, nullable=False),  # the beginning of the minute
    Column("limit_w", BigInteger, nullable=False),
    Column("allocated_w", BigInteger),
    Column("battery_w", BigInteger),  # positive: discharging
    Column("meter_w", BigInteger),
    Column("building_w", BigInteger),
    Column("solar_w", BigInteger),
    PrimaryKeyConstraint("site_id", "at"),
    Index("ix_site_samples_at", "at", postgresql_using="brin"),
)
