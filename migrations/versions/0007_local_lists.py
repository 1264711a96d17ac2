"""Local authorization lists of charge points: installed and desired.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-21 13:45:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "local_lists",
        sa.Column("charge_point_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("installed_version", sa.BigInteger()),
        sa.Column("installed", sa.JSON()),
        sa.Column("desired_version", sa.BigInteger()),
        sa.Column("desired", sa.JSON()),
        sa.Column("force_full", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refused_status", sa.Text()),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_local_lists_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_local_lists")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("local_lists")
