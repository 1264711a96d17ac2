"""Certificates of charge points, upgrades of their profile, rotations that follow each other.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-21 15:00:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _columns() -> list[sa.Column]:
    others = ARRAY(sa.LargeBinary())
    return [
        sa.Column("other_password_digests", others, server_default="{}", nullable=False),
        sa.Column("pending_security_profile", sa.SmallInteger()),
        sa.Column("profile_told_at", _TIME),
        sa.Column("subject_check", sa.Text(), server_default="relaxed", nullable=False),
        sa.Column("renewal_tried_at", _TIME),
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in _columns():
        op.add_column("charge_points", column)
    op.create_table(
        "station_certificates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("certificate_type", sa.Text(), nullable=False),
        sa.Column("serial_folded", sa.Text(), nullable=False),
        sa.Column("issuer_folded", sa.Text(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("hash_algorithm", sa.Text()),
        sa.Column("issuer_name_hash", sa.Text()),
        sa.Column("issuer_key_hash", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("issuer", sa.Text()),
        sa.Column("not_before", _TIME),
        sa.Column("not_after", _TIME),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("in_use_at", _TIME),
        sa.Column("revoked_at", _TIME),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_station_certificates_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_certificates")),
        sa.UniqueConstraint(
            "charge_point_id",
            "certificate_type",
            "serial_folded",
            "issuer_folded",
            name="uq_station_certificates_content",
        ),
    )
    op.create_index(
        "ix_station_certificates_serial_folded", "station_certificates", ["serial_folded"]
    )
    op.create_table(
        "certificate_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_point_id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("common_name", sa.Text()),
        sa.Column("key_type", sa.Text()),
        sa.Column("chain", sa.Text()),
        sa.Column("serial_folded", sa.Text()),
        sa.Column("fingerprint", sa.LargeBinary()),
        sa.Column("not_after", _TIME),
        sa.Column("detail", sa.Text()),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.CheckConstraint(
            "state in ('refused', 'requested', 'issued', 'installed', 'rejected', 'failed',"
            " 'superseded')",
            name=op.f("ck_certificate_requests_state"),
        ),
        sa.ForeignKeyConstraint(
            ["charge_point_id"],
            ["charge_points.id"],
            name=op.f("fk_certificate_requests_charge_point_id_charge_points"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_requests")),
    )
    op.create_index(
        "ix_certificate_requests_charge_point_id",
        "certificate_requests",
        ["charge_point_id", sa.text("id DESC")],
    )
    op.create_index(
        "ix_certificate_requests_open",
        "certificate_requests",
        ["charge_point_id"],
        postgresql_where=sa.text("state in ('requested', 'issued')"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("certificate_requests")
    op.drop_table("station_certificates")
    for column in _columns():
        op.drop_column("charge_points", column.name)
