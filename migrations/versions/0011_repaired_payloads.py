"""What repairs have made of a frame, beside the frame.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-21 15:00:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("ocpp_messages", sa.Column("repaired", sa.Text()))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("ocpp_messages", "repaired")
