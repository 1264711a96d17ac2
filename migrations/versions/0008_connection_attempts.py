"""The connection diary.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-21 13:50:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "connection_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("identity_folded", sa.Text(), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_attempts")),
    )
    op.create_index(
        "ix_connection_attempts_identity_folded",
        "connection_attempts",
        ["identity_folded", sa.text("id DESC")],
    )
    op.create_index(
        "ix_connection_attempts_unknown",
        "connection_attempts",
        ["id"],
        postgresql_where=sa.text("charge_point_id IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("connection_attempts")
