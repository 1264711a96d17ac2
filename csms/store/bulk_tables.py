"""The tables of calls to many stations; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from csms.store.metadata import TIME, metadata

bulk_jobs = Table(
    "bulk_jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("payload", JSON, nullable=False),  # secrets are masked
    Column("actor", Text, nullable=False),
    Column("node", Text, nullable=False),  # that sends it: another one does not know the payload
    Column("concurrency", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    CheckConstraint("state in ('running', 'done', 'cancelled', 'interrupted')", name="state"),
    Index("ix_bulk_jobs_created_at", text("created_at DESC"), text("id DESC")),
)

bulk_stations = Table(
    "bulk_stations",
    metadata,
    Column("job_id", Text, ForeignKey("bulk_jobs.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),  # in the order of sending
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("call_id", Text),
    # as of calls, the code of a refusal, cancelled or notSent; None: waits, or is on its way
    Column("outcome", Text),
    Column("status", Text),
    Column("detail", Text),
    Column("ended_at", TIME),
    PrimaryKeyConstraint("job_id", "place"),
)
