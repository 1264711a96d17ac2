"""What a site's phases may carry, and how stations are wired to them.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-21 15:40:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("sites", sa.Column("grid_phase_limit_da", sa.Integer()))
    op.add_column("circuits", sa.Column("phase_limit_da", sa.Integer()))
    op.add_column(
        "charge_points",
        sa.Column("phase_rotation", sa.Text(), nullable=False, server_default="Unknown"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("charge_points", "phase_rotation")
    op.drop_column("circuits", "phase_limit_da")
    op.drop_column("sites", "grid_phase_limit_da")
