"""All tables, as SQLAlchemy Core metadata; the words are the domain's.

Units stand in the column names. Constraints are named: `csms.store.database` maps a violated
name to a domain error. Meter values and OCPP messages are partitioned by the server's time,
because a charge point's own clock may say 1970.
"""

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
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from csms.store import bulk_tables as bulk_tables
from csms.store import certificate_tables as certificate_tables
from csms.store import decision_tables as decision_tables
from csms.store import driver_tables as driver_tables

# by way of the other tables: whoever takes the metadata from here has all of them
from csms.store.file_tables import metadata as metadata
from csms.store.limit_tables import charging_limits as charging_limits
from csms.store.metadata import TIME
from csms.store.sample_tables import site_samples as site_samples


def _created() -> Column[object]:
    return Column("created_at", TIME, nullable=False, server_default=func.now())


sites = Table(
    "sites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("grid_limit_w", BigInteger, nullable=False),
    Column("grid_phase_limit_da", Integer),  # 0.1 A a phase; None: phases are not looked at
    Column("policy", Text, nullable=False, server_default="fair"),
    Column("rules", JSONB, nullable=False, server_default="{}"),  # see csms.domain.site_rules
    _created(),
    CheckConstraint("grid_limit_w >= 0", name="grid_limit"),
)

circuits = Table(
    "circuits",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("parent_id", Text),  # None: hangs on the grid connection
    Column("name", Text),
    Column("limit_w", BigInteger, nullable=False),
    Column("phase_limit_da", Integer),  # 0.1 A a phase; None: phases are not looked at
    PrimaryKeyConstraint("site_id", "id"),
)

batteries = Table(
    "batteries",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("capacity_wh", BigInteger, nullable=False),  # the initial energy it is charged back to
    Column("power_w", BigInteger, nullable=False),
    Column(
        "energy_mwh", BigInteger, nullable=False
    ),  # state, in milliwatt-hours: integrated each second
    Column("flow_w", BigInteger, nullable=False, server_default="0"),  # positive: discharging
    Column("updated_at", TIME, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("site_id", "id"),
)

charge_points = Table(
    "charge_points",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("identity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("location", JSONB),
    Column("site_id", Text, ForeignKey("sites.id", ondelete="SET NULL"), index=True),
    Column("circuit_id", Text),
    Column("registration", Text, nullable=False, server_default="Accepted"),
    Column("current_type", Text, nullable=False, server_default="AC"),
    Column("phases", SmallInteger, nullable=False, server_default="3"),
    Column("voltage_v", Integer, nullable=False, server_default="230"),
    Column("phase_rotation", Text, nullable=False, server_default="Unknown"),
    Column("max_power_w", BigInteger),
    Column("connector_count", Integer),
    Column("connector_type", Text),
    Column("security_profile", SmallInteger, nullable=False, server_default="0"),
    Column("password_digest", LargeBinary),  # keyed hash under the secret of CSMS_SECRET_FILE
    # a new password that the station may know or not: both are let in until one is used
    Column("pending_password_digest", LargeBinary),
    # it holds after a reboot only: until then the old one settles nothing
    Column("pending_password_waits", Boolean, nullable=False, server_default=text("false")),
    # of earlier rotations whose outcome was never known: let in until one password is used
    Column("other_password_digests", ARRAY(LargeBinary), nullable=False, server_default="{}"),
    # a higher profile that the station was told: both are let in until it has come with this one
    Column("pending_security_profile", SmallInteger),
    Column("profile_told_at", TIME),
    Column("serial_number", Text),  # the asset data's; the CN expected of a client certificate
    Column("strict", Boolean, nullable=False, server_default=text("false")),
    Column("quiet", Boolean, nullable=False, server_default=text("true")),
    Column("subject_check", Text, nullable=False, server_default="relaxed"),  # certificates
    Column("renewal_tried_at", TIME),  # when it was last asked to renew its certificate
    # what the charge point said of itself at its last boot
    Column("vendor", Text),
    Column("model", Text),
    Column("charge_point_serial_number", Text),
    Column("charge_box_serial_number", Text),
    Column("firmware_version", Text),
    Column("iccid", Text),
    Column("imsi", Text),
    Column("meter_type", Text),
    Column("meter_serial_number", Text),
    Column("booted_at", TIME),
    # the connection row: routing table of the nodes; `epoch` grows with each connection
    Column("node", Text),  # None: not connected
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("connected_at", TIME),
    Column("disconnected_at", TIME),
    Column("last_seen_at", TIME),
    Column("deleted_at", TIME),  # its transactions stay; the identity is free again
    _created(),
)
# one live charge point a spelling: `cp1` and `CP1` are never two stations
Index(
    "uq_charge_points_identity",
    func.lower(charge_points.c.identity),
    unique=True,
    postgresql_where=charge_points.c.deleted_at.is_(None),
)

connectors = Table(
    "connectors",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("status", Text),  # None: configured, never reported
    Column("error_code", Text),
    Column("info", Text),
    Column("vendor_id", Text),
    Column("vendor_error_code", Text),
    Column("reported_at", TIME),  # the charge point's clock
    Column("received_at", TIME),
    PrimaryKeyConstraint("charge_point_id", "connector_id"),
)

id_tags = Table(
    "id_tags",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("id_tag", Text, nullable=False),
    Column("id_tag_key", Text, nullable=False),  # upper case: id tags are compared without case
    Column("status", Text, nullable=False, server_default="Accepted"),
    Column("expires_at", TIME),
    Column("parent_id_tag", Text),
    Column("max_active_sessions", Integer),
    Column("name", Text),
    _created(),
    UniqueConstraint("id_tag_key", name="uq_id_tags_id_tag_key"),
    CheckConstraint("status in ('Accepted', 'Blocked')", name="status"),
)
Index(
    "ix_id_tags_parent",
    func.upper(id_tags.c.parent_id_tag),
    id_tags.c.id,
    postgresql_where=id_tags.c.parent_id_tag.is_not(None),
)

transaction_ids = Sequence("transaction_ids", minvalue=1, maxvalue=2**31 - 1, metadata=metadata)

transactions = Table(
    "transactions",
    metadata,
    Column(
        "id",
        Integer,
        primary_key=True,
        server_default=transaction_ids.next_value(),
        autoincrement=False,
    ),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("connector_id", BigInteger, nullable=False),
    Column("site_id", Text),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("id_tag", Text, nullable=False),  # as the charge point sent it
    Column("id_tag_key", Text, nullable=False),
    Column("id_tag_status", Text, nullable=False),  # what StartTransaction.conf said
    Column("vehicle_id", Text),
    Column("reservation_id", BigInteger),
    Column("meter_start_wh", BigInteger, nullable=False),
    Column("started_at", TIME, nullable=False),  # the charge point's clock
    Column("start_received_at", TIME, nullable=False),
    Column("meter_stop_wh", BigInteger),
    Column("stopped_at", TIME),  # the charge point's clock; of a missing stop our own
    Column("stop_received_at", TIME),
    Column("stop_reason", Text),
    Column("stop_id_tag", Text),
    Column("findings", ARRAY(Text), nullable=False, server_default="{}"),
    # the newest reading of the running transaction
    Column("register_wh", BigInteger),
    Column("power_w", BigInteger),
    Column("soc_percent", Numeric(4, 1)),
    Column("metered_at", TIME),
    Column("metered_received_at", TIME),
    # the price that held at the start
    Column("price_per_kwh", Numeric(12, 6), nullable=False),
    Column("currency", Text, nullable=False),
    Column("cost", Numeric(14, 4)),  # None: running or not billable
)
Index(
    "ix_transactions_active", transactions.c.charge_point_id, postgresql_where=transactions.c.active
)
Index(
    "ix_transactions_active_tag", transactions.c.id_tag_key, postgresql_where=transactions.c.active
)
Index("ix_transactions_charge_point_id", transactions.c.charge_point_id, transactions.c.id.desc())
Index("ix_transactions_stopped_at", transactions.c.stopped_at)
Index(
    "ix_transactions_reserved",
    transactions.c.start_received_at,
    postgresql_where=transactions.c.reservation_id.is_not(None),
)

meter_values = Table(
    "meter_values",
    metadata,
    Column("received_at", TIME, nullable=False),
    Column("charge_point_id", BigInteger, nullable=False),
    Column("transaction_id", Integer),  # None: none, or not of this charge point
    Column("connector_id", BigInteger, nullable=False),
    Column("measured_at", TIME, nullable=False),  # the charge point's clock
    Column("context", Text),  # None: Sample.Periodic
    Column("energy_wh", BigInteger),
    Column("power_w", Integer),
    Column("offered_w", Integer),
    Column("current_l1_ma", Integer),
    Column("current_l2_ma", Integer),
    Column("current_l3_ma", Integer),
    Column("voltage_l1_mv", Integer),
    Column("voltage_l2_mv", Integer),
    Column("voltage_l3_mv", Integer),
    Column("soc_permille", SmallInteger),
    Column("rest", JSONB),  # sampled values that fit no column, as sent
    Index("ix_meter_values_charge_point_id_received_at", "charge_point_id", "received_at"),
    postgresql_partition_by="RANGE (received_at)",
)

orphans = Table(
    "orphan_messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("received_at", TIME, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("ended_at", TIME),  # when an operator has settled it
    CheckConstraint("state in ('open', 'resolved', 'dismissed')", name="state"),
)
Index("ix_quarantine_open", quarantine.c.id, postgresql_where=quarantine.c.state == "open")

external_chargers = Table(
    "external_chargers",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("circuit_id", Text),
    Column("max_power_w", BigInteger, nullable=False),
    Column("connector_count", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
)

managed_loads = Table(
    "managed_loads",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("charger_id", Text, nullable=False),
    Column("connector_id", Integer, nullable=False),
    Column("vehicle_max_power_w", BigInteger, nullable=False),
    Column("consumed_power_w", BigInteger),
    Column("consumed_energy_wh", BigInteger),
    Column("allocated_w", BigInteger),
    Column("started_at", TIME, nullable=False),
    Column("stopped_at", TIME),
)
Index(
    "uq_managed_loads_busy",
    managed_loads.c.site_id,
    managed_loads.c.charger_id,
    managed_loads.c.connector_id,
    unique=True,
    postgresql_where=managed_loads.c.stopped_at.is_(None),
)

site_decisions = Table(
    "site_decisions",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("decided_at", TIME, nullable=False),
    Column("decision", JSONB, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),  # the OCPP message id, a UUID
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("payload", JSON, nullable=False),  # json keeps the order of keys; secrets are masked
    Column("actor", Text, nullable=False),  # user or api key name, or "system"
    Column("created_at", TIME, nullable=False),
    Column("sent_at", TIME),
    Column("ended_at", TIME),
    # accepted, rejected, callError, or the code of the failure; None while open
    Column("outcome", Text),
    Column("status", Text),
    Column("response", JSON),
    Column("error_code", Text),
    Column("error_description", Text),
    Column("warnings", ARRAY(Text), nullable=False, server_default="{}"),
    Index("ix_calls_charge_point_id_created_at", "charge_point_id", text("created_at DESC")),
    Index("ix_calls_open", "created_at", postgresql_where=text("outcome IS NULL")),
)

ocpp_messages = Table(
    "ocpp_messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("at", TIME, nullable=False),
    Column("charge_point_id", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),  # in: from the charge point; out: to it
    Column("type", SmallInteger),  # 2 CALL, 3 CALLRESULT, 4 CALLERROR; None: not readable
    Column("action", Text),  # of an answer: that of its call
    Column("message_id", Text),
    Column("raw", Text, nullable=False),  # secrets are masked
    Column("repairs", ARRAY(Text)),
    Column("repaired", Text),  # the payload that they made of it, as JSON; masked like `raw`
    Column("latency_ms", Numeric(10, 3)),  # of an answer; written no more, see latency_us
    Column("latency_us", Integer),
    Index("ix_ocpp_messages_charge_point_id_at", "charge_point_id", text("at DESC")),
    postgresql_partition_by="RANGE (at)",
)

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("generation", Integer, nullable=False, server_default="0"),  # grows: cookies end
    _created(),
    UniqueConstraint("name", name="uq_users_name"),
    CheckConstraint("role in ('admin', 'operator', 'viewer', 'driver')", name="role"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE")),
    Column("token_digest", LargeBinary, nullable=False),
    Column("expires_at", TIME),
    Column("last_used_at", TIME),
    _created(),
    UniqueConstraint("token_digest", name="uq_api_keys_token_digest"),
    CheckConstraint("role in ('admin', 'operator', 'viewer', 'driver')", name="role"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("object_id", Text),
    Column("details", JSONB, nullable=False, server_default="{}"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer),  # None: the first request is still at work
    Column("body", Text),
    _created(),
    PrimaryKeyConstraint("actor", "key"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("version", BigInteger, nullable=False),  # fencing: grows with each new holder
    Column("expires_at", TIME, nullable=False),
)
