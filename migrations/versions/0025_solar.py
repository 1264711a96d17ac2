"""What solar panels give, beside what a site's meter tells.

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-21 21:40:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("site_meters", "site_samples"):
        op.add_column(table, sa.Column("solar_w", sa.BigInteger()))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("site_samples", "site_meters"):
        op.drop_column(table, "solar_w")
