"""Room on the pages of the ledger, so that rows that change are not indexed anew.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-21 18:10:00+00:00
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE charging_limits SET (fillfactor = 50)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE charging_limits RESET (fillfactor)")
