"""The tables of the ledger of limits, and of what narrows a site; see `csms.store.tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from csms.store.metadata import TIME, metadata

charging_limits = Table(
    "charging_limits",
    metadata,
    Column(
        "charge_point_id",
        BigInteger,
        ForeignKey("charge_points.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("connector_id", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),  # TxDefaultProfile (the floor) or TxProfile
    Column("transaction_id", Integer),  # of a TxProfile
    Column("desired_w", BigInteger),
    Column("desired_version", BigInteger, nullable=False, server_default="0"),
    Column("desired_at", TIME),
    Column("reason", Text),
    Column("in_flight_w", BigInteger),  # sent, not answered: it may hold already
    Column("in_flight_version", BigInteger),
    Column("sent_at", TIME),
    Column("acknowledged_w", BigInteger),  # None: nothing is known of what the charger enforces
    Column("acknowledged_version", BigInteger),
    Column("acknowledged_at", TIME),
    Column("earlier_low_w", BigInteger),  # earlier limits that may still hold: the lowest
    Column("earlier_high_w", BigInteger),  # and the highest of them
    Column("doubtful", Boolean, nullable=False, server_default=text("false")),
    Column("may_be_unlimited", Boolean, nullable=False, server_default=text("false")),
    Column("refused_w", BigInteger),  # not sent again by itself
    Column("refused_status", Text),
    Column("refused_at", TIME),
    Column("refusals", Integer, nullable=False, server_default="0"),  # since it last worked
    Column("before_w", BigInteger),  # most that the load counted for when the newest was sent
    Column("drew_w", BigInteger),  # what it drew then
    Column("ends_at", TIME),  # when the last of all that may hold ends by itself; None: never
    Column("may_end_at", TIME),  # when the first of them does
    Column("read_back_at", TIME),  # the charge point said itself that the acknowledged one holds
    Column("judged_at", TIME),  # of the last reading that was held against it
    Column("over_readings", Integer, nullable=False, server_default="0"),
    Column("follow_s", Float),  # of a floor's row: how long the charge point takes to follow
    Column("raised_at", TIME),
    Column("writes", Integer, nullable=False, server_default="0"),  # on that day
    Column("written_on", Date),
    Column("cap_w", BigInteger),  # what its car takes, where that is less than its share
    Column("under_readings", Integer, nullable=False, server_default="0"),
    Column("last_w", BigInteger),
    Column("weighed_at", TIME),
    PrimaryKeyConstraint("charge_point_id", "connector_id", "purpose"),
    postgresql_with={"fillfactor": 50},  # all rows of a site change at once, none of their keys
)

site_meters = Table(
    "site_meters",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("power_w", BigInteger, nullable=False),  # through the grid connection
    Column("building_w", BigInteger, nullable=False),  # kept free for what is not a charger
    Column("building_at", TIME, nullable=False),  # when the load last came near that
    Column("recent_w", BigInteger),  # the most that was needed since
    Column("received_at", TIME, nullable=False),
    Column("solar_w", BigInteger),  # what solar panels give, where somebody tells
)

site_limits = Table(
    "site_limits",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_id", Text, ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column("circuit_id", Text),  # None: of the grid connection
    Column("limit_w", BigInteger, nullable=False),
    Column("scope", Text, nullable=False),  # all that the site draws, or its chargers alone
    Column("starts_at", TIME, nullable=False),
    Column("ends_at", TIME),
    Column("reason", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    CheckConstraint("limit_w >= 0", name="limit"),
    CheckConstraint("scope in ('site', 'charging')", name="scope"),
)
Index("ix_site_limits_site_id", site_limits.c.site_id, site_limits.c.starts_at)
