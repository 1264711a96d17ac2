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
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
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

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TIME = DateTime(timezone=True)


def _created() -> Column[object]:
    return Column("created_at", _TIME, nullable=False, server_default=func.now())


sites = Table(
    "sites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("grid_limit_w", BigInteger, nullable=False),
    Column("policy", Text, nullable=False, server_default="fair"),
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
    Column("updated_at", _TIME, nullable=False, server_default=func.now()),
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
    Column("max_power_w", BigInteger),
    Column("connector_count", Integer),
    Column("connector_type", Text),
    Column("security_profile", SmallInteger, nullable=False, server_default="0"),
    Column("password_digest", LargeBinary),  # keyed hash under the secret of CSMS_SECRET_FILE
    # a new password that the station may know or not: both are let in until one is used
    Column("pending_password_digest", LargeBinary),
    # it holds after a reboot only: until then the old one settles nothing
    Column("pending_password_waits", Boolean, nullable=False, server_default=text("false")),
    Column("serial_number", Text),  # the asset data's; the CN expected of a client certificate
    Column("strict", Boolean, nullable=False, server_default=text("false")),
    Column("quiet", Boolean, nullable=False, server_default=text("true")),
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
    Column("booted_at", _TIME),
    # the connection row: routing table of the nodes; `epoch` grows with each connection
    Column("node", Text),  # None: not connected
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("connected_at", _TIME),
    Column("disconnected_at", _TIME),
    Column("last_seen_at", _TIME),
    Column("deleted_at", _TIME),  # its transactions stay; the identity is free again
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
    Column("reported_at", _TIME),  # the charge point's clock
    Column("received_at", _TIME),
    PrimaryKeyConstraint("charge_point_id", "connector_id"),
)

id_tags = Table(
    "id_tags",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("id_tag", Text, nullable=False),
    Column("id_tag_key", Text, nullable=False),  # upper case: id tags are compared without case
    Column("status", Text, nullable=False, server_default="Accepted"),
    Column("expires_at", _TIME),
    Column("parent_id_tag", Text),
    Column("max_active_sessions", Integer),
    Column("name", Text),
    _created(),
    UniqueConstraint("id_tag_key", name="uq_id_tags_id_tag_key"),
    CheckConstraint("status in ('Accepted', 'Blocked')", name="status"),
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
    Column("started_at", _TIME, nullable=False),  # the charge point's clock
    Column("start_received_at", _TIME, nullable=False),
    Column("meter_stop_wh", BigInteger),
    Column("stopped_at", _TIME),  # the charge point's clock; of a missing stop our own
    Column("stop_received_at", _TIME),
    Column("stop_reason", Text),
    Column("stop_id_tag", Text),
    Column("findings", ARRAY(Text), nullable=False, server_default="{}"),
    # the newest reading of the running transaction
    Column("register_wh", BigInteger),
    Column("power_w", BigInteger),
    Column("soc_percent", Numeric(4, 1)),
    Column("metered_at", _TIME),
    Column("metered_received_at", _TIME),
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
    Column("received_at", _TIME, nullable=False),
    Column("charge_point_id", BigInteger, nullable=False),
    Column("transaction_id", Integer),  # None: none, or not of this charge point
    Column("connector_id", BigInteger, nullable=False),
    Column("measured_at", _TIME, nullable=False),  # the charge point's clock
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
    Column("received_at", _TIME, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("charge_point_id", BigInteger, ForeignKey("charge_points.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("received_at", _TIME, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("ended_at", _TIME),  # when an operator has settled it
    CheckConstraint("state in ('open', 'resolved', 'dismissed')", name="state"),
)
Index("ix_quarantine_open", quarantine.c.id, postgresql_where=quarantine.c.state == "open")

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
    Column("created_at", _TIME, nullable=False),
    Column("accepted_at", _TIME),  # None: the call is not answered, or its answer is not known
    Column("ended_at", _TIME),
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
    Column("received_at", _TIME, nullable=False),
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
    Column("at", _TIME, nullable=False),  # by the clock of its source
    Column("received_at", _TIME, nullable=False),
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
    Column("expires_at", _TIME, nullable=False),
    Column("status", Text, nullable=False, server_default="requested"),
    Column("confirmed", Boolean, nullable=False, server_default=text("false")),
    Column("call_id", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
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
    Column("read_at", _TIME),
    Column("desired", Text),
    Column("refused_status", Text),  # of just this desired value: not told again
    Column("reboot_since", _TIME),
    Column("tried_at", _TIME),  # when `desired` was told last
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
    Column("tried_at", _TIME),
)

connection_attempts = Table(
    "connection_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("identity", Text, nullable=False),  # as the path spelled it
    Column("identity_folded", Text, nullable=False),
    Column("charge_point_id", BigInteger),  # None: there was no such station
    Column("at", _TIME, nullable=False),
    Column("outcome", Text, nullable=False),  # connected, tookOver or refused
    Column("status", Integer, nullable=False),
    Column("reason", Text),
    Column("address", Text, nullable=False),
    Index("ix_connection_attempts_identity_folded", "identity_folded", text("id DESC")),
    Index("ix_connection_attempts_unknown", "id", postgresql_where=text("charge_point_id IS NULL")),
)

charging_limits = Table(
    "charging_limits",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),  # TxDefaultProfile (the floor) or TxProfile
    Column("transaction_id", Integer),  # of a TxProfile
    Column("desired_w", BigInteger),
    Column("desired_version", BigInteger, nullable=False, server_default="0"),
    Column("desired_at", _TIME),
    Column("reason", Text),
    Column("in_flight_w", BigInteger),  # sent, not answered: it may hold already
    Column("in_flight_version", BigInteger),
    Column("sent_at", _TIME),
    Column("acknowledged_w", BigInteger),  # None: nothing is known of what the charger enforces
    Column("acknowledged_version", BigInteger),
    Column("acknowledged_at", _TIME),
    Column("earlier_low_w", BigInteger),  # earlier limits that may still hold: the lowest
    Column("earlier_high_w", BigInteger),  # and the highest of them
    Column("doubtful", Boolean, nullable=False, server_default=text("false")),
    Column("may_be_unlimited", Boolean, nullable=False, server_default=text("false")),
    Column("refused_w", BigInteger),  # not sent again by itself
    Column("refused_status", Text),
    Column("refused_at", _TIME),
    Column("refusals", Integer, nullable=False, server_default="0"),  # since the last acceptance
    PrimaryKeyConstraint("charge_point_id", "connector_id", "purpose"),
)

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
    Column("started_at", _TIME, nullable=False),
    Column("stopped_at", _TIME),
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
    Column("decided_at", _TIME, nullable=False),
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
    Column("created_at", _TIME, nullable=False),
    Column("sent_at", _TIME),
    Column("ended_at", _TIME),
    # accepted, rejected, callError, or the code of the failure; None while open
    Column("outcome", Text),
    Column("status", Text),
    Column("response", JSON),
    Column("error_code", Text),
    Column("error_description", Text),
    Column("warnings", ARRAY(Text), nullable=False, server_default="{}"),
    Index("ix_calls_charge_point_id_created_at", "charge_point_id", text("created_at DESC")),
)

ocpp_messages = Table(
    "ocpp_messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("at", _TIME, nullable=False),
    Column("charge_point_id", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),  # in: from the charge point; out: to it
    Column("type", SmallInteger),  # 2 CALL, 3 CALLRESULT, 4 CALLERROR; None: not readable
    Column("action", Text),  # of an answer: that of its call
    Column("message_id", Text),
    Column("raw", Text, nullable=False),  # secrets are masked
    Column("repairs", ARRAY(Text)),
    Column("latency_ms", Numeric(10, 3)),  # of an answer
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
    Column("expires_at", _TIME),
    Column("last_used_at", _TIME),
    _created(),
    UniqueConstraint("token_digest", name="uq_api_keys_token_digest"),
    CheckConstraint("role in ('admin', 'operator', 'viewer', 'driver')", name="role"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _TIME, nullable=False),
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
    Column("expires_at", _TIME, nullable=False),
)
