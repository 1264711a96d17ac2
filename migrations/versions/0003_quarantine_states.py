"""Refused messages are worked on: retried or dismissed.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21 12:55:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "quarantine", sa.Column("state", sa.Text(), server_default="open", nullable=False)
    )
    op.add_column("quarantine", sa.Column("ended_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        op.f("ck_quarantine_state"), "quarantine", "state in ('open', 'resolved', 'dismissed')"
    )
    op.create_index(
        "ix_quarantine_open", "quarantine", ["id"], postgresql_where=sa.text("state = 'open'")
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_quarantine_open", table_name="quarantine")
    op.drop_constraint(op.f("ck_quarantine_state"), "quarantine", type_="check")
    op.drop_column("quarantine", "ended_at")
    op.drop_column("quarantine", "state")
