"""The tables of what follows from calls and notices of charge points; see `csms.store.tables`."""

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
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from csms.store.metadata import TIME
from csms.store.metadata import metadata as metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("kind", Text, nullable=False),  # firmware, diagnostics or log
    Column("request_id", BigInteger),  # of GetLog and SignedUpdateFirmware
    Column("call_id", Text, nullable=False),  # the call that began it
    Column("state", Text, nullable=False, server_default="running"),
    Column("status", Text),  # the newest report that counted
    Column("file_name", Text),
    Column("created_at", TIME, nullable=False),
    Column("accepted_at", TIME),  # None: the call is not answered, or its answer is not known
    Column("ended_at", TIME),
    CheckConstraint("state in ('running', 'done', 'failed')", name="state"),
    UniqueConstraint("call_id", name="uq_jobs_call_id"),
    Index("ix_jobs_charge_point_id", "charge_point_id", text("id DESC")),
)

job_statuses = Table(
    "job_statuses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("kind", Text, nullable=False),  # firmware, diagnostics or log
    Column("status", Text, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("request_id", BigInteger),  # as sent
    Column("job_id", BigInteger, ForeignKey("jobs.id", ondelete="SET NULL"), index=True),
    Column("finding", Text),  # what is odd about it
    Index(
        "ix_job_statuses_charge_point_id_received_at", "charge_point_id", text("received_at DESC")
    ),
)

security_events = Table(
    "security_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("source", Text, nullable=False),  # station or server
    Column("type", Text, nullable=False),
    Column("at", TIME, nullable=False),  # by the clock of its source
    Column("received_at", TIME, nullable=False),
    Column("tech_info", Text, nullable=False, server_default=""),
    Column("critical", Boolean, nullable=False),
    # charge points repeat them until they are answered: each stands here once
    UniqueConstraint(
        "charge_point_id", "source", "type", "at", "tech_info", name="uq_security_events_content"
    ),
    Index("ix_security_events_charge_point_id", "charge_point_id", text("id DESC")),
)

reservation_ids = Sequence("reservation_ids", minvalue=1, maxvalue=2**31 - 1, metadata=metadata)

reservations = Table(
    "reservations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("reservation_id", BigInteger, nullable=False),  # as sent; a newer one may have the same
    Column("connector_id", BigInteger, nullable=False),
    Column("id_tag", Text, nullable=False),
    Column("id_tag_key", Text, nullable=False),
    Column("parent_id_tag", Text),
    Column("parent_key", Text),  # in the spelling under which id tags are compared
    Column("expires_at", TIME, nullable=False),
    Column("status", Text, nullable=False, server_default="requested"),
    Column("confirmed", Boolean, nullable=False, server_default=text("false")),
    Column("call_id", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("transaction_id", Integer),  # that has used it
    CheckConstraint(
        "status in ('requested', 'active', 'used', 'expired', 'cancelled', 'dropped', 'refused')",
        name="status",
    ),
    UniqueConstraint("call_id", name="uq_reservations_call_id"),
    Index("ix_reservations_reservation_id", "reservation_id"),
    Index("ix_reservations_transaction_id", "transaction_id"),
    Index(
        "ix_reservations_open",
        "charge_point_id",
        postgresql_where=text("status in ('requested', 'active')"),
    ),
)

configuration_keys = Table(
    "configuration_keys",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("key_folded", Text, nullable=False),  # lower case: keys are compared without case
    Column("key", Text, nullable=False),
    Column("value", Text),  # never a secret
    Column("readonly", Boolean),  # None: never read
    Column("read_at", TIME),
    Column("desired", Text),
    Column("refused_status", Text),  # of just this desired value: not told again
    Column("reboot_since", TIME),
    Column("tried_at", TIME),  # when `desired` was told last
    PrimaryKeyConstraint("charge_point_id", "key_folded"),
    Index(
        "ix_configuration_keys_desired",
        "charge_point_id",
        postgresql_where=text("desired IS NOT NULL"),
    ),
)

local_lists = Table(
    "local_lists",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("installed_version", BigInteger),  # None: not known; -1: no lists; 0: empty
    Column("installed", JSON),  # entries; None: not known
    Column("desired_version", BigInteger),
    Column("desired", JSON),
    Column("force_full", Boolean, nullable=False, server_default=text("false")),
    Column("refused_status", Text),  # of just this desired version: not told again
    Column("tried_at", TIME),
)

connection_attempts = Table(
    "connection_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("identity", Text, nullable=False),  # as the path spelled it
    Column("identity_folded", Text, nullable=False),
    Column("charge_point_id", BigInteger),  # None: there was no such station
    Column("at", TIME, nullable=False),
    Column("outcome", Text, nullable=False),  # connected, tookOver or refused
    Column("status", Integer, nullable=False),
    Column("reason", Text),
    Column("address", Text, nullable=False),
    Index("ix_connection_attempts_identity_folded", "identity_folded", text("id DESC")),
    Index("ix_connection_attempts_unknown", "id", postgresql_where=text("charge_point_id IS NULL")),
)

connector_statuses = Table(
    "connector_statuses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("info", Text),
    Column("vendor_id", Text),
    Column("vendor_error_code", Text),
    Column("reported_at", TIME),  # the charge point's clock; None: it sent no time
    Column("received_at", TIME, nullable=False),
    Column("late", Boolean, nullable=False, server_default=text("false")),  # never was the state
    Index(
        "ix_connector_statuses_charge_point_id_received_at",
        "charge_point_id",
        text("received_at DESC"),
        text("id DESC"),
    ),
    Index("ix_connector_statuses_received_at", "received_at", postgresql_using="brin"),
)

availability_orders = Table(
    "availability_orders",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),  # 0: the whole charge point
    Column("type", Text, nullable=False),  # Operative or Inoperative
    Column("scheduled", Boolean, nullable=False),  # for when the transaction is over
    Column("told_at", TIME, nullable=False),
    PrimaryKeyConstraint("charge_point_id", "connector_id"),
)

dialects = Table(
    "dialects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("vendor", Text),  # patterns; None: any
    Column("model", Text),
    Column("firmware", Text),
    Column("traits", JSON, nullable=False),  # by the names of `csms.domain.dialects.Traits`
    Column("source", Text),
)

station_dialects = Table(
    "station_dialects",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("own", JSON),  # set by the operator
    Column("learned", JSON),
    Column("learned_firmware", Text),  # with which it was learned
)
