"""What the ledger of limits learns: leases, obedience, appetite; rules and outside limits of sites.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-21 15:20:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _columns() -> list[sa.Column]:
    return [
        sa.Column("before_w", sa.BigInteger()),
        sa.Column("drew_w", sa.BigInteger()),
        sa.Column("ends_at", _TIME),
        sa.Column("read_back_at", _TIME),
        sa.Column("judged_at", _TIME),
        sa.Column("over_readings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("follow_s", sa.Float()),
        sa.Column("raised_at", _TIME),
        sa.Column("writes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("written_on", sa.Date()),
        sa.Column("cap_w", sa.BigInteger()),
        sa.Column("under_readings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_w", sa.BigInteger()),
        sa.Column("weighed_at", _TIME),
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in _columns():
        op.add_column("charging_limits", column)
    op.add_column(
        "sites", sa.Column("rules", JSONB(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.create_table(
        "site_meters",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("power_w", sa.BigInteger(), nullable=False),
        sa.Column("building_w", sa.BigInteger(), nullable=False),
        sa.Column("building_at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_site_meters_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_meters")),
    )
    op.create_table(
        "site_limits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("circuit_id", sa.Text()),
        sa.Column("limit_w", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME),
        sa.Column("reason", sa.Text()),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.CheckConstraint("limit_w >= 0", name=op.f("ck_site_limits_limit")),
        sa.CheckConstraint("scope in ('site', 'charging')", name=op.f("ck_site_limits_scope")),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_site_limits_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_limits")),
    )
    op.create_index("ix_site_limits_site_id", "site_limits", ["site_id", "starts_at"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("site_limits")
    op.drop_table("site_meters")
    op.drop_column("sites", "rules")
    for column in reversed(_columns()):
        op.drop_column("charging_limits", column.name)
