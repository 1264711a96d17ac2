"""The tables of files of charge points and of firmware images; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from csms.store.metadata import TIME
from csms.store.state_tables import metadata as metadata

firmware_images = Table(
    "firmware_images",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("blob", Text, nullable=False),  # name of the bytes in the data folder
    Column("name", Text, nullable=False),
    Column("version", Text),
    Column("vendor", Text),  # None: for stations of any
    Column("model", Text),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("signature", Text),
    Column("signing_certificate", Text),
    Column("created_at", TIME, nullable=False),
    Column("actor", Text, nullable=False),
)

file_ways = Table(
    "file_ways",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("call_id", Text, nullable=False),  # the call that told it, and that began the job
    Column("direction", Text, nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    Column("image_id", BigInteger, ForeignKey("firmware_images.id", ondelete="CASCADE")),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    CheckConstraint("direction in ('upload', 'download')", name="direction"),
    UniqueConstraint("call_id", name="uq_file_ways_call_id"),
    UniqueConstraint("token_digest", name="uq_file_ways_token_digest"),
    Index("ix_file_ways_image_id", "image_id"),
    Index("ix_file_ways_expires_at", "expires_at"),
)

station_files = Table(
    "station_files",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("way_id", BigInteger, ForeignKey("file_ways.id"), nullable=False),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("label", Text, nullable=False),  # what the charge point calls it
    Column("blob", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text),  # None: a part
    Column("complete", Boolean, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("received_at", TIME, nullable=False),
    UniqueConstraint("way_id", "label", name="uq_station_files_label"),
    Index("ix_station_files_charge_point_id", "charge_point_id", text("id DESC")),
)
