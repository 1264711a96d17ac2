"""Transactions: what StartTransaction and StopTransaction mean, and what is odd about them.

A stop is a report, not a request: everything schema-valid is answered and kept; what is odd becomes
a *finding*, and sessions with a finding that spoils the energy are not billed (OCPP 1.6 4.8, 4.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from csms.domain.authorization import AuthorizationStatus, IdTagInfo
from csms.domain.ids import ChargePointKey, TransactionId, id_tag_key
from csms.domain.metering import Reading
from csms.domain.registers import taken_wh

_CENT = Decimal("0.01")
CLOCK_TOLERANCE = timedelta(minutes=5)
CLOCK_UNSET_BEFORE_YEAR = 2015
OFFLINE_AFTER = timedelta(minutes=5)
MOST_ENERGY_WH = 2_000_000  # no vehicle takes 2 MWh in one session
ROUNDING_WH = 10
MISSED_WH = 100
MISREAD_WH = 1_000
_ZONES = timedelta(minutes=15)
_ZONE_PRECISION = timedelta(minutes=2)
_FARTHEST_ZONE = timedelta(hours=14)


class Finding(StrEnum):
    """What is odd about a transaction."""

    UNAUTHORISED = "unauthorised"
    OFFLINE = "offline"
    TIME_SUSPECT = "timeSuspect"
    METER_SUSPECT = "meterSuspect"
    REGISTER_FELL = "registerFell"
    CONNECTOR_SUSPECT = "connectorSuspect"
    FOREIGN_TAG_STOP = "foreignTagStop"
    DUPLICATE_STOP = "duplicateStop"
    STOP_MISSING = "stopMissing"
    RESERVATION_UNKNOWN = "reservationUnknown"
    REGISTER_SUSPECT = "registerSuspect"
    UNIT_SUSPECT = "unitSuspect"
    LOCAL_TIME = "localTime"
    ID_MISSING = "idMissing"
    CLOSED_BY_HAND = "closedByHand"
    CORRECTED_BY_HAND = "correctedByHand"


UNBILLABLE = frozenset({Finding.METER_SUSPECT, Finding.CONNECTOR_SUSPECT, Finding.STOP_MISSING})


class StartContent(NamedTuple):
    """What makes two StartTransaction.req the same one."""

    charge_point: ChargePointKey
    connector_id: int
    id_tag_key: str
    meter_start_wh: int
    started_at: datetime


@dataclass(slots=True, kw_only=True)
class StartFact:
    """A StartTransaction.req; `doubts` are about what it left out."""

    charge_point: ChargePointKey
    received_at: datetime
    connector_id: int
    id_tag: str
    meter_start_wh: int
    started_at: datetime
    reservation_id: int | None = None
    doubts: tuple[Finding, ...] = ()

    @property
    def content(self) -> StartContent:
        """What makes a repeated message the same one (conventions, *Idempotency by content*)."""
        return StartContent(
            self.charge_point,
            self.connector_id,
            id_tag_key(self.id_tag),
            self.meter_start_wh,
            self.started_at,
        )


@dataclass(slots=True, kw_only=True)
class StartOutcome:
    """What StartTransaction.conf will say."""

    transaction_id: TransactionId
    id_tag_info: IdTagInfo


@dataclass(slots=True, kw_only=True)
class StopFact:
    """A StopTransaction.req; `transaction_id` is the number on the wire, which may be anything.

    `doubts` are about what it left out.
    """

    charge_point: ChargePointKey
    received_at: datetime
    transaction_id: int
    meter_stop_wh: int
    stopped_at: datetime
    id_tag: str | None = None
    reason: str | None = None
    readings: tuple[Reading, ...] = ()
    doubts: tuple[Finding, ...] = ()


@dataclass(slots=True, kw_only=True)
class StopOutcome:
    """What StopTransaction.conf will say; no id tag in the request, no info in the answer."""

    id_tag_info: IdTagInfo | None


@dataclass(slots=True, kw_only=True)
class OpenTransaction:
    """A transaction as it stands in the database, as far as a decision needs it."""

    id: TransactionId
    charge_point: ChargePointKey
    connector_id: int
    id_tag: str
    id_tag_status: AuthorizationStatus
    meter_start_wh: int
    started_at: datetime
    active: bool = True
    register_wh: int | None = None
    stopped_at: datetime | None = None
    meter_stop_wh: int | None = None
    findings: tuple[str, ...] = ()
    price_per_kwh: Decimal = field(default=Decimal(0))

    @property
    def content(self) -> StartContent:
        """The content of the StartTransaction that made it."""
        return StartContent(
            self.charge_point,
            self.connector_id,
            id_tag_key(self.id_tag),
            self.meter_start_wh,
            self.started_at,
        )


def is_no_id(transaction_id: int) -> bool:
    """Return whether a number on the wire can be no id of ours: 0, -1, 2^63-1 (Delta, Alfen).

    A charge point that sends one never got the id of its transaction, or has lost it (M44).

    >>> is_no_id(-1), is_no_id(0), is_no_id(2**63 - 1), is_no_id(7)
    (True, True, True, False)
    """
    return not 0 < transaction_id < 2**31


def is_foreign_tag(stopping: str | None, starting: str) -> bool:
    """Return whether somebody else's tag has stopped a transaction; a blank one is nobody's.

    >>> is_foreign_tag("B", "A"), is_foreign_tag("a", "A"), is_foreign_tag(" ", "A")
    (True, False, False)
    """
    key = "" if stopping is None else id_tag_key(stopping)
    return bool(key.strip()) and key != id_tag_key(starting)


def start_findings(fact: StartFact, status: AuthorizationStatus) -> list[Finding]:
    """Return what is odd about a start (M34, M37, M38)."""
    findings = list(fact.doubts)
    if status is not AuthorizationStatus.ACCEPTED:
        findings.append(Finding.UNAUTHORISED)
    if clock_is_suspect(fact.started_at, fact.received_at):
        findings.append(Finding.TIME_SUSPECT)
        if is_local_time(fact.started_at, fact.received_at):
            findings.append(Finding.LOCAL_TIME)
    elif fact.received_at - fact.started_at > OFFLINE_AFTER:
        findings.append(Finding.OFFLINE)
    if fact.connector_id <= 0:
        findings.append(Finding.CONNECTOR_SUSPECT)
    if fact.meter_start_wh < 0:
        findings.append(Finding.METER_SUSPECT)
    return list(dict.fromkeys(findings)) if len(findings) > 1 else findings


def stop_findings(fact: StopFact, opened: OpenTransaction, *, same_group: bool) -> list[Finding]:
    """Return what is odd about the stop of a transaction (M42, M47).

    Args:
        fact: The stop.
        opened: The transaction that it stops.
        same_group: Whether the stopping tag shares the starter's parent.
    """
    findings = list(fact.doubts)
    if is_no_id(fact.transaction_id):
        findings.append(Finding.ID_MISSING)
    if is_foreign_tag(fact.id_tag, opened.id_tag) and not same_group:
        findings.append(Finding.FOREIGN_TAG_STOP)
    if fact.stopped_at < opened.started_at or clock_is_suspect(fact.stopped_at, fact.received_at):
        findings.append(Finding.TIME_SUSPECT)
        if is_local_time(fact.stopped_at, fact.received_at):
            findings.append(Finding.LOCAL_TIME)
    energy_wh = fact.meter_stop_wh - opened.meter_start_wh
    if not 0 <= energy_wh <= MOST_ENERGY_WH or opened.meter_start_wh < 0:
        findings.append(Finding.METER_SUSPECT)
    elif energy_wh == 0 and taken_wh(opened.meter_start_wh, opened.register_wh) > MISSED_WH:
        findings.append(Finding.METER_SUSPECT)  # the start's value again (Fronius Wattpilot)
    elif opened.register_wh is not None and not (
        opened.meter_start_wh - MISREAD_WH <= opened.register_wh <= fact.meter_stop_wh + MISREAD_WH
    ):
        findings.append(Finding.REGISTER_SUSPECT)
    return list(dict.fromkeys(findings)) if len(findings) > 1 else findings


def cost(energy_wh: int, price_per_kwh: Decimal, findings: list[str]) -> Decimal | None:
    """Return the price of a session, rounded once to cents, or None when it is not billable.

    >>> cost(10_000, Decimal("0.30"), [])
    Decimal('3.00')
    >>> cost(10_000, Decimal("0.30"), ["meterSuspect"]) is None
    True
    """
    if UNBILLABLE.intersection(findings):
        return None
    return (Decimal(max(energy_wh, 0)) / 1000 * price_per_kwh).quantize(_CENT, ROUND_HALF_UP)


def findings_by_hand(findings: Sequence[str], *, meter_known: bool, closed: bool) -> list[str]:
    """Return the findings of a transaction that an operator has ended or corrected.

    A meter value that the operator vouches for takes away what kept it from being billed.

    >>> findings_by_hand(["offline"], meter_known=False, closed=True)
    ['offline', 'stopMissing', 'closedByHand']
    >>> findings_by_hand(["stopMissing", "closedByHand"], meter_known=True, closed=False)
    ['closedByHand', 'correctedByHand']
    """
    kept = [f for f in findings if not (meter_known and f in UNBILLABLE)]
    if closed and not meter_known:
        kept.append(Finding.STOP_MISSING)
    kept.append(Finding.CLOSED_BY_HAND if closed else Finding.CORRECTED_BY_HAND)
    return list(dict.fromkeys(str(f) for f in kept))


def clock_is_suspect(at: datetime, received_at: datetime) -> bool:
    """Return whether a time was told by a clock that was not set, or is ahead."""
    return at > received_at + CLOCK_TOLERANCE or at.year < CLOCK_UNSET_BEFORE_YEAR


def is_local_time(at: datetime, received_at: datetime) -> bool:
    """Return whether a time ahead looks like local time that calls itself UTC (Chago).

    Only times ahead: one that is hours late may just have waited in an offline queue.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> is_local_time(now + timedelta(hours=2), now), is_local_time(now + timedelta(minutes=7), now)
    (True, False)
    """
    ahead = at - received_at
    if not _ZONES - _ZONE_PRECISION <= ahead <= _FARTHEST_ZONE:
        return False
    beyond = ahead % _ZONES
    return min(beyond, _ZONES - beyond) <= _ZONE_PRECISION
