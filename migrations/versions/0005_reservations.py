"""Reservations.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-21 13:30:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        sa.schema.CreateSequence(sa.Sequence("reservation_ids", minvalue=1, maxvalue=2**31 - 1))
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("id_tag", sa.Text(), nullable=False),
        sa.Column("id_tag_key", sa.Text(), nullable=False),
        sa.Column("parent_id_tag", sa.Text()),
        sa.Column("parent_key", sa.Text()),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("status", sa.Text(), server_default="requested", nullable=False),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("transaction_id", sa.Integer()),
        sa.CheckConstraint(
            "status in ('requested', 'active', 'used', 'expired', 'cancelled', 'dropped',"
            " 'refused')",
            name=op.f("ck_reservations_status"),
        ),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_reservations_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("call_id", name="uq_reservations_call_id"),
    )
    op.create_index("ix_reservations_reservation_id", "reservations", ["reservation_id"])
    op.create_index("ix_reservations_transaction_id", "reservations", ["transaction_id"])
    op.create_index(
        "ix_reservations_open",
        "reservations",
        ["charge_point_id"],
        postgresql_where=sa.text("status in ('requested', 'active')"),
    )
    op.create_index(
        "ix_transactions_reserved",
        "transactions",
        ["start_received_at"],
        postgresql_where=sa.text("reservation_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_transactions_reserved", table_name="transactions")
    op.drop_table("reservations")
    op.execute("DROP SEQUENCE reservation_ids")
