"""Calls that are open are found among all that have ended.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-21 16:30:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_calls_open", "calls", ["created_at"], postgresql_where=sa.text("outcome IS NULL")
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_calls_open", "calls")
