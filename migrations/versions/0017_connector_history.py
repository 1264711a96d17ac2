"""The history of connectors.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-21 17:45:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "connector_statuses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("info", sa.Text()),
        sa.Column("vendor_id", sa.Text()),
        sa.Column("vendor_error_code", sa.Text()),
        sa.Column("reported_at", _TIME),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_connector_statuses_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connector_statuses")),
    )
    op.create_index(
        "ix_connector_statuses_charge_point_id_received_at",
        "connector_statuses",
        ["charge_point_id", sa.text("received_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "ix_connector_statuses_received_at",
        "connector_statuses",
        ["received_at"],
        postgresql_using="brin",
    )
    # what is known now is where the history begins
    op.execute(
        """
        INSERT INTO connector_statuses (charge_point_id, connector_id, status, error_code, info,
                                        vendor_id, vendor_error_code, reported_at, received_at)
        SELECT charge_point_id, connector_id, status, error_code, info, vendor_id,
               vendor_error_code, reported_at, received_at
        FROM connectors
        WHERE status IS NOT NULL AND error_code IS NOT NULL AND received_at IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("connector_statuses")
