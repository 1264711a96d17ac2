"""Passwords whose rotation has an unknown outcome.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21 12:26:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("charge_points", sa.Column("pending_password_digest", sa.LargeBinary()))
    op.add_column(
        "charge_points",
        sa.Column(
            "pending_password_waits", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )


def downgrade() -> None:
    op.drop_column("charge_points", "pending_password_waits")
    op.drop_column("charge_points", "pending_password_digest")
