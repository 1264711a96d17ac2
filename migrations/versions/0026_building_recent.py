"""The most that a building has needed since what is kept free for it was last needed.

Revision ID: 0026
Revises: 0025
Create Date: 2026-11-21 21:50:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("site_meters", sa.Column("recent_w", sa.BigInteger()))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("site_meters", "recent_w")
