"""What sites were like, minute by minute.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-21 18:20:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "site_samples",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("limit_w", sa.BigInteger(), nullable=False),
        sa.Column("allocated_w", sa.BigInteger()),
        sa.Column("battery_w", sa.BigInteger()),
        sa.Column("meter_w", sa.BigInteger()),
        sa.Column("building_w", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_site_samples_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", "at", name=op.f("pk_site_samples")),
    )
    op.create_index("ix_site_samples_at", "site_samples", ["at"], postgresql_using="brin")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("site_samples")
