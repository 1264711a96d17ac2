"""The first schema: meter values and messages are partitioned from the start.

Revision ID: 0001
Revises:
Create Date: 2026-11-21 11:38:03.800135+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# Makes the partitions of the present period and of `ahead` more, named after their first day.
# Idempotent; nodes that call it at once wait for each other.
_ENSURE_PARTITIONS = """
CREATE FUNCTION ensure_partitions(parent regclass, period text, ahead int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc(period, now(), 'UTC');
    step interval := ('1 ' || period)::interval;
    low timestamptz;
    name text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partitions of ' || parent::text));
    FOR i IN 0..ahead LOOP
        low := (first AT TIME ZONE 'UTC' + i * step) AT TIME ZONE 'UTC';
        name := parent::text || '_' || to_char(low AT TIME ZONE 'UTC', 'YYYYMMDD');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                name, parent, low, (low AT TIME ZONE 'UTC' + step) AT TIME ZONE 'UTC'
            );
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
"""


def upgrade() -> None:
    # A busy table must not make every other statement queue behind this one: give up, run again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE SEQUENCE transaction_ids AS bigint MINVALUE 1 MAXVALUE 2147483647")
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "id_tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id_tag", sa.Text(), nullable=False),
        sa.Column("id_tag_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="Accepted", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parent_id_tag", sa.Text(), nullable=True),
        sa.Column("max_active_sessions", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("status in ('Accepted', 'Blocked')", name=op.f("ck_id_tags_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_id_tags")),
        sa.UniqueConstraint("id_tag_key", name="uq_id_tags_id_tag_key"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "meter_values",
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.Integer(), nullable=True),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("power_w", sa.Integer(), nullable=True),
        sa.Column("offered_w", sa.Integer(), nullable=True),
        sa.Column("current_l1_ma", sa.Integer(), nullable=True),
        sa.Column("current_l2_ma", sa.Integer(), nullable=True),
        sa.Column("current_l3_ma", sa.Integer(), nullable=True),
        sa.Column("voltage_l1_mv", sa.Integer(), nullable=True),
        sa.Column("voltage_l2_mv", sa.Integer(), nullable=True),
        sa.Column("voltage_l3_mv", sa.Integer(), nullable=True),
        sa.Column("soc_permille", sa.SmallInteger(), nullable=True),
        sa.Column("rest", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index(
        "ix_meter_values_charge_point_id_received_at",
        "meter_values",
        ["charge_point_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "ocpp_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("repairs", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("latency_ms", sa.Numeric(precision=10, scale=3), nullable=True),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "ix_ocpp_messages_charge_point_id_at",
        "ocpp_messages",
        ["charge_point_id", sa.literal_column("at DESC")],
        unique=False,
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("grid_limit_w", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), server_default="fair", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("grid_limit_w >= 0", name=op.f("ck_sites_grid_limit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "role in ('admin', 'operator', 'viewer', 'driver')", name=op.f("ck_users_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "role in ('admin', 'operator', 'viewer', 'driver')", name=op.f("ck_api_keys_role")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("token_digest", name="uq_api_keys_token_digest"),
    )
    op.create_table(
        "batteries",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("capacity_wh", sa.BigInteger(), nullable=False),
        sa.Column("power_w", sa.BigInteger(), nullable=False),
        sa.Column("energy_mwh", sa.BigInteger(), nullable=False),
        sa.Column("flow_w", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_batteries_site_id_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_batteries")),
    )
    op.create_table(
        "charge_points",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("location", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("site_id", sa.Text(), nullable=True),
        sa.Column("circuit_id", sa.Text(), nullable=True),
        sa.Column("registration", sa.Text(), server_default="Accepted", nullable=False),
        sa.Column("current_type", sa.Text(), server_default="AC", nullable=False),
        sa.Column("phases", sa.SmallInteger(), server_default="3", nullable=False),
        sa.Column("voltage_v", sa.Integer(), server_default="230", nullable=False),
        sa.Column("max_power_w", sa.BigInteger(), nullable=True),
        sa.Column("connector_count", sa.Integer(), nullable=True),
        sa.Column("connector_type", sa.Text(), nullable=True),
        sa.Column("security_profile", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("password_digest", sa.LargeBinary(), nullable=True),
        sa.Column("serial_number", sa.Text(), nullable=True),
        sa.Column("strict", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("quiet", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("charge_point_serial_number", sa.Text(), nullable=True),
        sa.Column("charge_box_serial_number", sa.Text(), nullable=True),
        sa.Column("firmware_version", sa.Text(), nullable=True),
        sa.Column("iccid", sa.Text(), nullable=True),
        sa.Column("imsi", sa.Text(), nullable=True),
        sa.Column("meter_type", sa.Text(), nullable=True),
        sa.Column("meter_serial_number", sa.Text(), nullable=True),
        sa.Column("booted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("node", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_charge_points_site_id_sites"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge_points")),
    )
    op.create_index(op.f("ix_charge_points_site_id"), "charge_points", ["site_id"], unique=False)
    op.create_index(
        "uq_charge_points_identity",
        "charge_points",
        [sa.literal_column("lower(identity)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "circuits",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("limit_w", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_circuits_site_id_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_circuits")),
    )
    op.create_table(
        "external_chargers",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("circuit_id", sa.Text(), nullable=True),
        sa.Column("max_power_w", sa.BigInteger(), nullable=False),
        sa.Column("connector_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_external_chargers_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_external_chargers")),
    )
    op.create_table(
        "managed_loads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("charger_id", sa.Text(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("vehicle_max_power_w", sa.BigInteger(), nullable=False),
        sa.Column("consumed_power_w", sa.BigInteger(), nullable=True),
        sa.Column("consumed_energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("allocated_w", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_managed_loads_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_managed_loads")),
    )
    op.create_index(
        "uq_managed_loads_busy",
        "managed_loads",
        ["site_id", "charger_id", "connector_id"],
        unique=True,
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.create_table(
        "site_decisions",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_site_decisions_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_decisions")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("response", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_description", sa.Text(), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_calls_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(
        "ix_calls_charge_point_id_created_at",
        "calls",
        ["charge_point_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_table(
        "charging_limits",
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Integer(), nullable=True),
        sa.Column("desired_w", sa.BigInteger(), nullable=True),
        sa.Column("desired_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("desired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("in_flight_w", sa.BigInteger(), nullable=True),
        sa.Column("in_flight_version", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_w", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_version", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earlier_low_w", sa.BigInteger(), nullable=True),
        sa.Column("earlier_high_w", sa.BigInteger(), nullable=True),
        sa.Column("doubtful", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "may_be_unlimited", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("refused_w", sa.BigInteger(), nullable=True),
        sa.Column("refused_status", sa.Text(), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusals", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_charging_limits_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "charge_point_id", "connector_id", "purpose", name=op.f("pk_charging_limits")
        ),
    )
    op.create_table(
        "connectors",
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("info", sa.Text(), nullable=True),
        sa.Column("vendor_id", sa.Text(), nullable=True),
        sa.Column("vendor_error_code", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_connectors_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge_point_id", "connector_id", name=op.f("pk_connectors")),
    )
    op.create_table(
        "job_statuses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_job_statuses_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_statuses")),
    )
    op.create_index(
        "ix_job_statuses_charge_point_id_received_at",
        "job_statuses",
        ["charge_point_id", sa.literal_column("received_at DESC")],
        unique=False,
    )
    op.create_table(
        "orphan_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_orphan_messages_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orphan_messages")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_quarantine_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "transactions",
        sa.Column(
            "id",
            sa.Integer(),
            server_default=sa.text("nextval('transaction_ids')"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id_tag", sa.Text(), nullable=False),
        sa.Column("id_tag_key", sa.Text(), nullable=False),
        sa.Column("id_tag_status", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=True),
        sa.Column("reservation_id", sa.BigInteger(), nullable=True),
        sa.Column("meter_start_wh", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meter_stop_wh", sa.BigInteger(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("stop_id_tag", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("register_wh", sa.BigInteger(), nullable=True),
        sa.Column("power_w", sa.BigInteger(), nullable=True),
        sa.Column("soc_percent", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("metered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("metered_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price_per_kwh", sa.Numeric(precision=12, scale=6), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cost", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_transactions_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
    )
    op.create_index(
        "ix_transactions_active",
        "transactions",
        ["charge_point_id"],
        unique=False,
        postgresql_where="active",
    )
    op.create_index(
        "ix_transactions_active_tag",
        "transactions",
        ["id_tag_key"],
        unique=False,
        postgresql_where="active",
    )
    op.create_index(
        "ix_transactions_charge_point_id",
        "transactions",
        ["charge_point_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_transactions_stopped_at", "transactions", ["stopped_at"], unique=False)
    op.execute(_ENSURE_PARTITIONS)
    op.execute("SELECT ensure_partitions('meter_values', 'month', 3)")
    op.execute("SELECT ensure_partitions('ocpp_messages', 'day', 7)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_transactions_stopped_at", table_name="transactions")
    op.drop_index("ix_transactions_charge_point_id", table_name="transactions")
    op.drop_index(
        "ix_transactions_active_tag", table_name="transactions", postgresql_where="active"
    )
    op.drop_index("ix_transactions_active", table_name="transactions", postgresql_where="active")
    op.drop_table("transactions")
    op.drop_table("quarantine")
    op.drop_table("orphan_messages")
    op.drop_index("ix_job_statuses_charge_point_id_received_at", table_name="job_statuses")
    op.drop_table("job_statuses")
    op.drop_table("connectors")
    op.drop_table("charging_limits")
    op.drop_index("ix_calls_charge_point_id_created_at", table_name="calls")
    op.drop_table("calls")
    op.drop_table("site_decisions")
    op.drop_index(
        "uq_managed_loads_busy",
        table_name="managed_loads",
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.drop_table("managed_loads")
    op.drop_table("external_chargers")
    op.drop_table("circuits")
    op.drop_index(
        "uq_charge_points_identity",
        table_name="charge_points",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index(op.f("ix_charge_points_site_id"), table_name="charge_points")
    op.drop_table("charge_points")
    op.drop_table("batteries")
    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("sites")
    op.drop_index("ix_ocpp_messages_charge_point_id_at", table_name="ocpp_messages")
    op.drop_table("ocpp_messages")
    op.drop_index("ix_meter_values_charge_point_id_received_at", table_name="meter_values")
    op.drop_table("meter_values")
    op.drop_table("leases")
    op.drop_table("idempotency_keys")
    op.drop_table("id_tags")
    op.drop_table("audit")
    op.execute("DROP FUNCTION ensure_partitions")
    op.execute("DROP SEQUENCE transaction_ids")
