"""Files of charge points and firmware images.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-21 15:00:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "firmware_images",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text()),
        sa.Column("vendor", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text()),
        sa.Column("signing_certificate", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firmware_images")),
    )
    op.create_table(
        "file_ways",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("image_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "direction in ('upload', 'download')", name=op.f("ck_file_ways_direction")
        ),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_file_ways_charge_point_id_charge_points"),
        ),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["firmware_images.id"],
            name=op.f("fk_file_ways_image_id_firmware_images"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_ways")),
        sa.UniqueConstraint("call_id", name="uq_file_ways_call_id"),
        sa.UniqueConstraint("token_digest", name="uq_file_ways_token_digest"),
    )
    op.create_index("ix_file_ways_image_id", "file_ways", ["image_id"])
    op.create_index("ix_file_ways_expires_at", "file_ways", ["expires_at"])
    op.create_table(
        "station_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("way_id", sa.BigInteger(), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["way_id"], ["file_ways.id"], name=op.f("fk_station_files_way_id_file_ways")
        ),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_station_files_charge_point_id_charge_points"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_files")),
        sa.UniqueConstraint("way_id", "label", name="uq_station_files_label"),
    )
    op.create_index(
        "ix_station_files_charge_point_id", "station_files", ["charge_point_id", sa.text("id DESC")]
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("station_files")
    op.drop_table("file_ways")
    op.drop_table("firmware_images")
