"""Configuration of charge points: read and desired.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-21 13:40:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "configuration_keys",
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("key_folded", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("readonly", sa.Boolean()),
        sa.Column("read_at", _TIME),
        sa.Column("desired", sa.Text()),
        sa.Column("refused_status", sa.Text()),
        sa.Column("reboot_since", _TIME),
        sa.Column("tried_at", _TIME),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_configuration_keys_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "charge_point_id", "key_folded", name=op.f("pk_configuration_keys")
        ),
    )
    op.create_index(
        "ix_configuration_keys_desired",
        "configuration_keys",
        ["charge_point_id"],
        postgresql_where=sa.text("desired IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("configuration_keys")
