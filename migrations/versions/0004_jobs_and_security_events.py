"""Jobs with their reports, and security events.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21 13:25:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger()),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("file_name", sa.Text()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("accepted_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.CheckConstraint("state in ('running', 'done', 'failed')", name=op.f("ck_jobs_state")),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_jobs_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("call_id", name="uq_jobs_call_id"),
    )
    op.create_index("ix_jobs_charge_point_id", "jobs", ["charge_point_id", sa.text("id DESC")])
    op.add_column("job_statuses", sa.Column("request_id", sa.BigInteger()))
    op.add_column("job_statuses", sa.Column("job_id", sa.BigInteger()))
    op.add_column("job_statuses", sa.Column("finding", sa.Text()))
    op.create_foreign_key(
        op.f("fk_job_statuses_job_id_jobs"),
        "job_statuses",
        "jobs",
        ["job_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_job_statuses_job_id"), "job_statuses", ["job_id"])
    op.create_table(
        "security_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("tech_info", sa.Text(), server_default="", nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_security_events_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
        sa.UniqueConstraint(
            "charge_point_id",
            "source",
            "type",
            "at",
            "tech_info",
            name="uq_security_events_content",
        ),
    )
    op.create_index(
        "ix_security_events_charge_point_id",
        "security_events",
        ["charge_point_id", sa.text("id DESC")],
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("security_events")
    op.drop_index(op.f("ix_job_statuses_job_id"), table_name="job_statuses")
    op.drop_constraint(op.f("fk_job_statuses_job_id_jobs"), "job_statuses", type_="foreignkey")
    op.drop_column("job_statuses", "finding")
    op.drop_column("job_statuses", "job_id")
    op.drop_column("job_statuses", "request_id")
    op.drop_table("jobs")
