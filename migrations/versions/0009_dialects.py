"""Vendor dialects.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-21 14:50:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "dialects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("firmware", sa.Text()),
        sa.Column("traits", JSON(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialects")),
    )
    op.create_table(
        "station_dialects",
        sa.Column("charge_point_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("own", JSON()),
        sa.Column("learned", JSON()),
        sa.Column("learned_firmware", sa.Text()),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_station_dialects_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_station_dialects")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("station_dialects")
    op.drop_table("dialects")
