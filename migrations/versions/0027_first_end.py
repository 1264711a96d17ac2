"""When the first of all limits that a charger may be under ends by itself.

Revision ID: 0027
Revises: 0026
Create Date: 2026-11-21 21:55:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("charging_limits", sa.Column("may_end_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("charging_limits", "may_end_at")
