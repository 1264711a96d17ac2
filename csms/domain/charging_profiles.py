"""Charging profiles of OCPP 1.6 (3.13, 5.16, 7.8 to 7.14): types, payloads, and the way back.

A payload is the JSON object of a SetChargingProfile.req. Three choices hold for every profile that
the control loop sends:

* **Start in the past.** Kind Absolute with `startSchedule` one minute ago: a charger whose clock is
  a little late would take a start at "now" for the future, and a profile valid in the future still
  replaces the present one, which leaves a gap without any limit. A lease is counted from that start
  and is a minute longer for it. What holds for good (a fallback share, a static cap) starts with
  the beginning of computer time: after a reboot without a clock, or a clock that is set back, it
  would be no limit at all.
* **A for AC, W for DC.** W to a charger means all phases and is divided by what it believes the
  number of phases to be; A is per phase and leaves nothing to believe. Limits have one decimal and
  are rounded down.
* **No `numberPhases` of 3.** It is the default (7.14), and some chargers refuse the field.

Nothing here knows what a charger holds already; `reconciliation` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from csms.domain.units import wire_number

CLOCK_SKEW = timedelta(minutes=1)
"""How late a charger's clock may be without taking our start for the future."""

FOR_GOOD = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of what is to hold whatever a charger's clock says."""

DEFAULT_PHASES = 3

Payload = dict[str, Any]
"""A JSON object, ready for the codec."""


class ProfilePurpose(StrEnum):
    """ChargingProfilePurposeType (7.11)."""

    CHARGE_POINT_MAX = "ChargePointMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class ProfileKind(StrEnum):
    """ChargingProfileKindType (7.10)."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class RecurrencyKind(StrEnum):
    """RecurrencyKindType (7.38)."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class RateUnit(StrEnum):
    """ChargingRateUnitType (7.12)."""

    AMPERES = "A"
    WATTS = "W"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A limit as a charger is told it: A per phase, or W over all phases."""

    unit: RateUnit
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePeriod:
    """ChargingSchedulePeriod (7.14).

    Attributes:
        start_s: Seconds from the start of the schedule.
        limit: In the unit of the schedule.
        number_phases: None means 3.
    """

    start_s: int
    limit: Decimal
    number_phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSchedule:
    """ChargingSchedule (7.13).

    Attributes:
        periods: By `start_s`, the first at 0.
        duration_s: After it the charger falls back to the next profile, or to no limit at all
            (5.16.4). None: the last period has no end.
        start: None for kind Relative.
        min_rate: Below it charging is inefficient; in the unit of the schedule.
    """

    unit: RateUnit
    periods: tuple[SchedulePeriod, ...]
    duration_s: int | None = None
    start: datetime | None = None
    min_rate: Decimal | None = None

    def __post_init__(self) -> None:
        starts = [period.start_s for period in self.periods]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            msg = f"schedule periods must start at 0 and rise, not {starts}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingProfile:
    """ChargingProfile (7.8)."""

    id: int
    stack_level: int
    purpose: ProfilePurpose
    kind: ProfileKind
    schedule: ChargingSchedule
    transaction_id: int | None = None
    recurrency: RecurrencyKind | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def tx_profile(
    *,
    connector_id: int,
    transaction_id: int,
    limit: RateLimit,
    now: datetime,
    profile_id: int,
    stack_level: int,
    lease: timedelta | None = None,
    kind: ProfileKind = ProfileKind.ABSOLUTE,
    number_phases: int | None = None,
) -> Payload:
    """Return the SetChargingProfile payload that limits one running transaction.

    Args:
        connector_id: From 1; a TxProfile for connector 0 is an error (3.13.2).
        transaction_id: The running transaction.
        limit: Rounded down to one decimal.
        now: Aware.
        profile_id: Same id and stack level as before: the charger replaces in place.
        stack_level: At most the charger's ChargeProfileMaxStackLevel; 0 for some makers.
        lease: How long it holds without word from us; None until the transaction ends.
        kind: ABSOLUTE, or RELATIVE for makers that take nothing else (without a lease: its
            duration would count from the start of the transaction).
        number_phases: For chargers that switch phases, or take W for fewer than 3 phases.

    Raises:
        ValueError: A connector below 1, a naive time, or a lease with kind RELATIVE.
    """
    if connector_id < 1:
        msg = f"a TxProfile needs a connector from 1, not {connector_id}"
        raise ValueError(msg)
    profile = ChargingProfile(
        id=profile_id,
        stack_level=stack_level,
        purpose=ProfilePurpose.TX,
        kind=kind,
        transaction_id=transaction_id,
        schedule=_constant(limit, now - CLOCK_SKEW, lease, kind, number_phases),
    )
    return set_charging_profile(connector_id, profile)


def tx_default_profile(
    *,
    connector_id: int,
    limit: RateLimit,
    now: datetime,
    profile_id: int,
    stack_level: int = 0,
    lease: timedelta | None = None,
    kind: ProfileKind = ProfileKind.ABSOLUTE,
    number_phases: int | None = None,
) -> Payload:
    """Return the SetChargingProfile payload for transactions that have no profile of their own.

    As the base layer of a charger it stands at level 0 without a lease: what it may draw when it
    starts alone, is offline, or when the lease of a TxProfile has run out.

    Args:
        connector_id: 0 is for each connector (3.13.2).
        limit: Rounded down to one decimal.
        now: Aware; where a lease starts.
        profile_id: Same id and stack level as before: the charger replaces in place.
        stack_level: From 0.
        lease: None: for good, whatever the charger's clock says.
        kind: ABSOLUTE, or RELATIVE for makers that take nothing else.
        number_phases: For chargers that switch phases, or take W for fewer than 3 phases.

    Raises:
        ValueError: A negative connector, a naive time, or a lease with kind RELATIVE.
    """
    if connector_id < 0:
        msg = f"a TxDefaultProfile needs a connector from 0, not {connector_id}"
        raise ValueError(msg)
    profile = ChargingProfile(
        id=profile_id,
        stack_level=stack_level,
        purpose=ProfilePurpose.TX_DEFAULT,
        kind=kind,
        schedule=_constant(
            limit, FOR_GOOD if lease is None else now - CLOCK_SKEW, lease, kind, number_phases
        ),
    )
    return set_charging_profile(connector_id, profile)


def charge_point_max_profile(*, limit: RateLimit, profile_id: int, stack_level: int = 0) -> Payload:
    """Return the SetChargingProfile payload for what all connectors together may draw at most.

    Kind Relative is refused here by some (3.13.1), so it is always Absolute and without an end.
    """
    profile = ChargingProfile(
        id=profile_id,
        stack_level=stack_level,
        purpose=ProfilePurpose.CHARGE_POINT_MAX,
        kind=ProfileKind.ABSOLUTE,
        schedule=_constant(limit, FOR_GOOD, None, ProfileKind.ABSOLUTE, None),
    )
    return set_charging_profile(0, profile)


def set_charging_profile(connector_id: int, profile: ChargingProfile) -> Payload:
    """Return the payload of SetChargingProfile.req for any profile."""
    return {"connectorId": connector_id, "csChargingProfiles": profile_payload(profile)}


def profile_payload(profile: ChargingProfile) -> Payload:
    """Return a profile as a JSON object, fields in the order of the specification."""
    fields = {
        "chargingProfileId": profile.id,
        "transactionId": profile.transaction_id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": profile.purpose.value,
        "chargingProfileKind": profile.kind.value,
        "recurrencyKind": profile.recurrency.value if profile.recurrency else None,
        "validFrom": _wire_time(profile.valid_from),
        "validTo": _wire_time(profile.valid_to),
        "chargingSchedule": schedule_payload(profile.schedule),
    }
    return _given(fields)


def schedule_payload(schedule: ChargingSchedule) -> Payload:
    """Return a schedule as a JSON object."""
    fields = {
        "duration": schedule.duration_s,
        "startSchedule": _wire_time(schedule.start),
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [_period_payload(period) for period in schedule.periods],
        "minChargingRate": None if schedule.min_rate is None else wire_number(schedule.min_rate),
    }
    return _given(fields)


def parse_profile(payload: Mapping[str, Any]) -> ChargingProfile:
    """Return the profile of a JSON object that is valid after its schema.

    Raises:
        ValueError: Periods that do not rise from 0, or a time that cannot be read.
    """
    recurrency = payload.get("recurrencyKind")
    return ChargingProfile(
        id=payload["chargingProfileId"],
        stack_level=payload["stackLevel"],
        purpose=ProfilePurpose(payload["chargingProfilePurpose"]),
        kind=ProfileKind(payload["chargingProfileKind"]),
        schedule=parse_schedule(payload["chargingSchedule"]),
        transaction_id=payload.get("transactionId"),
        recurrency=None if recurrency is None else RecurrencyKind(recurrency),
        valid_from=_read_time(payload.get("validFrom")),
        valid_to=_read_time(payload.get("validTo")),
    )


def parse_schedule(payload: Mapping[str, Any]) -> ChargingSchedule:
    """Return the schedule of a JSON object; also the one of GetCompositeSchedule.conf.

    Raises:
        ValueError: Periods that do not rise from 0, or a time that cannot be read.
    """
    min_rate = payload.get("minChargingRate")
    return ChargingSchedule(
        unit=RateUnit(payload["chargingRateUnit"]),
        periods=tuple(
            SchedulePeriod(
                start_s=period["startPeriod"],
                limit=Decimal(str(period["limit"])),
                number_phases=period.get("numberPhases"),
            )
            for period in payload["chargingSchedulePeriod"]
        ),
        duration_s=payload.get("duration"),
        start=_read_time(payload.get("startSchedule")),
        min_rate=None if min_rate is None else Decimal(str(min_rate)),
    )


def _constant(
    limit: RateLimit,
    start: datetime,
    lease: timedelta | None,
    kind: ProfileKind,
    number_phases: int | None,
) -> ChargingSchedule:
    """Return the schedule of one limit that holds from a start on."""
    if kind is ProfileKind.RELATIVE and lease is not None:
        msg = "a lease cannot be Relative: it would count from the start of the transaction"
        raise ValueError(msg)
    period = SchedulePeriod(start_s=0, limit=limit.value, number_phases=number_phases)
    return ChargingSchedule(
        unit=limit.unit,
        periods=(period,),
        start=None if kind is ProfileKind.RELATIVE else start,
        duration_s=None if lease is None else int((lease + CLOCK_SKEW).total_seconds()),
    )


def _period_payload(period: SchedulePeriod) -> Payload:
    phases = period.number_phases
    return _given(
        {
            "startPeriod": period.start_s,
            "limit": wire_number(period.limit),
            "numberPhases": None if phases == DEFAULT_PHASES else phases,
        }
    )


def _given(fields: Payload) -> Payload:
    return {name: value for name, value in fields.items() if value is not None}


def _wire_time(time: datetime | None) -> str | None:
    """Return a time as chargers read it best: UTC, whole seconds, Z."""
    if time is None:
        return None
    if time.tzinfo is None:
        msg = f"a time without a zone: {time}"
        raise ValueError(msg)
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
