"""Pages of connectors for drivers: where they are, and who has started what.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-21 17:55:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ACCESS = "access in ('off', 'idTag', 'open')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "driver_page_stations",
        sa.Column("charge_point_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access", sa.Text()),
        sa.Column("plug_first", sa.Boolean()),
        sa.CheckConstraint(_ACCESS, name=op.f("ck_driver_page_stations_access")),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_driver_page_stations_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge_point_id", name=op.f("pk_driver_page_stations")),
    )
    op.create_table(
        "driver_page_sites",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("access", sa.Text()),
        sa.Column("plug_first", sa.Boolean()),
        sa.CheckConstraint(_ACCESS, name=op.f("ck_driver_page_sites_access")),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.id"],
            name=op.f("fk_driver_page_sites_site_id_sites"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_driver_page_sites")),
    )
    op.create_table(
        "driver_starts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("connector_id", sa.BigInteger(), nullable=False),
        sa.Column("id_tag", sa.Text(), nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("after_transaction", sa.Integer(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("transaction_id", sa.Integer()),
        sa.Column("stop_asked_at", _TIME),
        sa.Column("stop_outcome", sa.Text()),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_driver_starts_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_driver_starts")),
    )
    op.create_index(
        "ix_driver_starts_token_digest", "driver_starts", ["token_digest", sa.text("id DESC")]
    )
    op.create_index("ix_driver_starts_asked_at", "driver_starts", ["asked_at"])
    op.create_index("ix_driver_starts_transaction_id", "driver_starts", ["transaction_id"])
    op.create_index(
        "ix_driver_starts_open",
        "driver_starts",
        ["charge_point_id", "connector_id"],
        postgresql_where=sa.text("transaction_id IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("driver_starts")
    op.drop_table("driver_page_sites")
    op.drop_table("driver_page_stations")
