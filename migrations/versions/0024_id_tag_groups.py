"""The members of a group of id tags are found among all id tags.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-21 21:05:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_id_tags_parent",
        "id_tags",
        [sa.text("upper(parent_id_tag)"), "id"],
        postgresql_where=sa.text("parent_id_tag IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_id_tags_parent", "id_tags")
