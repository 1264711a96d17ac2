"""Calls to many stations.

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-21 18:10:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "bulk_jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="running"),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.CheckConstraint(
            "state in ('running', 'done', 'cancelled', 'interrupted')",
            name=op.f("ck_bulk_jobs_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_jobs")),
    )
    op.create_index(
        "ix_bulk_jobs_created_at", "bulk_jobs", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "bulk_stations",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("ended_at", _TIME),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["bulk_jobs.id"],
            name=op.f("fk_bulk_stations_job_id_bulk_jobs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_bulk_stations_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("job_id", "place", name=op.f("pk_bulk_stations")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("bulk_stations")
    op.drop_table("bulk_jobs")
