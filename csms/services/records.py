"""What the operator's services read from the store: frozen rows, in the units of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from csms.domain.charge_points import Registration
from csms.domain.ids import ChargePointKey, Identity, SiteId, TransactionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One connector, as reported and as it stands now.

    Attributes:
        status: None until the charge point has reported it.
        power_w: Of its active transaction; None without one or without a measurement.
        limit_w: Newest limit that the charge point acknowledged for its active transaction.
        status_at: When the charge point said so last, by our clock.
        availability: What it was told to be, Operative or Inoperative; None: nothing.
        availability_scheduled: Whether it still has to become so: its transaction goes first.
    """

    connector_id: int
    status: str | None = None
    error_code: str | None = None
    info: str | None = None
    vendor_error_code: str | None = None
    status_at: datetime | None = None
    availability: str | None = None
    availability_scheduled: bool = False
    power_w: int | None = None
    limit_w: int | None = None
    transaction_id: TransactionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A charge point with its asset data, its boot facts and its connectors, by number.

    Attributes:
        password_pending: A new password is on its way: the station may use it or the old one.
        pending_security_profile: A higher one that it was told and has not come with yet.
        profile_told_at: When it was told so.
        subject_check: Of its certificates and requests for them: relaxed or strict.
    """

    key: ChargePointKey
    identity: Identity
    name: str
    location: str | Mapping[str, Any] | None
    site_id: SiteId | None
    circuit_id: str | None
    registration: Registration
    current_type: str
    phases: int
    voltage_v: int
    phase_rotation: str = "Unknown"
    max_power_w: int | None
    connector_count: int | None
    connector_type: str | None
    security_profile: int
    has_password: bool
    serial_number: str | None
    strict: bool
    quiet: bool
    vendor: str | None
    model: str | None
    charge_point_serial_number: str | None
    charge_box_serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    booted_at: datetime | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    last_seen_at: datetime | None
    created_at: datetime
    connectors: tuple[Connector, ...] = ()
    password_pending: bool = False
    pending_security_profile: int | None = None
    profile_told_at: datetime | None = None
    subject_check: str = "relaxed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTag:
    """An id tag as the operator keeps it."""

    key: int
    id_tag: str
    status: str
    expires_at: datetime | None
    parent_id_tag: str | None
    max_active_sessions: int | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A transaction from the driver's side, with what its cost and limit are computed from.

    Attributes:
        limit_w: Newest limit that the charge point acknowledged; None when it is over.
        cost: Final; None while it runs or when it is not billable.
    """

    transaction_id: TransactionId
    charge_point: ChargePointKey
    identity: Identity
    site_id: SiteId | None
    connector_id: int
    id_tag: str
    vehicle_id: str | None
    active: bool
    started_at: datetime
    start_received_at: datetime
    stopped_at: datetime | None
    meter_start_wh: int
    meter_stop_wh: int | None
    register_wh: int | None
    power_w: int | None
    soc_percent: Decimal | None
    limit_w: int | None
    current_type: str
    phases: int
    voltage_v: int
    stop_reason: str | None
    findings: tuple[str, ...]
    price_per_kwh: Decimal
    currency: str
    cost: Decimal | None
    stop_received_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When its end came to be known here; the charge point's own time is `stopped_at`."""
        return self.stop_received_at or self.stopped_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """One stored reading; phases L1, L2, L3 in order."""

    received_at: datetime
    measured_at: datetime
    connector_id: int
    transaction_id: int | None
    context: str | None
    energy_wh: int | None
    power_w: int | None
    offered_w: int | None
    current_ma: tuple[int | None, int | None, int | None]
    voltage_mv: tuple[int | None, int | None, int | None]
    soc_permille: int | None
    rest: list[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A limit within a site; `parent_id` None hangs on the grid connection.

    Attributes:
        phase_limit_da: Of the current of each phase, in 0.1 A; None without one.
    """

    id: str
    parent_id: str | None
    name: str | None
    limit_w: int
    phase_limit_da: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryDraft:
    """A battery as the operator describes it; `capacity_wh` is the energy it starts with."""

    id: str
    capacity_wh: int
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery of a site.

    Attributes:
        energy_mwh: What is in it, in milliwatt-hours.
        flow_w: Positive while discharging.
    """

    id: str
    capacity_wh: int
    power_w: int
    energy_mwh: int
    flow_w: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """A charger of a site: a station of ours, or one that another system controls."""

    id: str
    external: bool
    circuit_id: str | None
    max_power_w: int | None
    connector_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site with its parts.

    Attributes:
        grid_phase_limit_da: Of the current of each phase, in 0.1 A; None without one.
    """

    id: SiteId
    name: str
    time_zone: str
    grid_limit_w: int
    policy: str
    grid_phase_limit_da: int | None = None
    circuits: tuple[Circuit, ...] = ()
    batteries: tuple[Battery, ...] = ()
    chargers: tuple[Charger, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedLoad:
    """A load on a charger that another system controls."""

    key: int
    site_id: SiteId
    charger_id: str
    connector_id: int
    vehicle_max_power_w: int
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Sessions of one station that stopped on one day (None: on all days of the question)."""

    day: date | None
    identity: Identity
    sessions: int
    energy_wh: int
    revenue: Decimal
    currency: str


SummedBy = Literal["day", "week", "month", "station", "site"]
"""What sessions are summed by; weeks begin on Monday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticSum:
    """Sessions that have ended, summed by something.

    Attributes:
        key: First day of the step (2026-11-16), identity of the station, or id of the site; empty:
            of no site.
    """

    key: str
    sessions: int
    energy_wh: int
    revenue: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in."""

    key: int
    name: str
    role: str
    disabled: bool
    generation: int
    has_password: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A bearer token, without the token."""

    key: int
    name: str
    role: str
    user_key: int | None
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which object."""

    key: int
    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call that was sent, or was about to be."""

    id: str
    action: str
    payload: Mapping[str, Any]
    actor: str
    created_at: datetime
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    status: str | None = None
    response: Mapping[str, Any] | None = None
    error_code: str | None = None
    error_description: str | None = None
    warnings: tuple[str, ...] = ()


ANY_REPAIR = "any"
"""Stands for every repair where the message log is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One frame of the message log; `type` is 2, 3, 4 or None (not readable).

    Attributes:
        repaired: The payload that the repairs made of it, as JSON.
    """

    key: int
    at: datetime
    direction: str
    type: int | None
    action: str | None
    message_id: str | None
    raw: str
    repairs: tuple[str, ...]
    latency_ms: float | None
    repaired: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message in quarantine.

    Attributes:
        strict: Whether its charge point gets no repairs, at present.
        state: open, resolved or dismissed.
    """

    key: int
    charge_point: ChargePointKey
    identity: Identity
    strict: bool
    action: str
    reason: str
    raw: str
    received_at: datetime
    state: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What an idempotency key has led to; `status` None: the first request is still at work."""

    request_digest: bytes
    status: int | None
    body: str | None
