"""Charging profiles and what they mean at a moment (OCPP 1.6 3.13, 5.16, 7.8-7.14).

Pure: a profile, a moment and the running transaction's start give the period that holds, or none.
The store of installed profiles and their combination stand in :mod:`simulator.profiles`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from simulator.clock import parse_iso
from simulator.supply import RateUnit

Purpose = Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]
Kind = Literal["Absolute", "Recurring", "Relative"]
Recurrency = Literal["Daily", "Weekly"]

RECURRENCE: Mapping[str, timedelta] = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


class ProfileError(ValueError):
    """A charging profile that no charge point can carry out; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A limit from ``start_s`` seconds after the schedule's start; ``phases`` None means 3."""

    start_s: int
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingProfile:
    """One charging profile with its schedule, as SetChargingProfile brings it.

    Attributes:
        start: ``startSchedule``; None for schedules that begin with the charging.
        duration_s: length of the schedule; None: the last period holds for ever.
        periods: at least one, the first at 0, rising.
    """

    profile_id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    unit: RateUnit
    periods: tuple[Period, ...]
    recurrency: Recurrency | None = None
    transaction_id: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    start: datetime | None = None
    duration_s: int | None = None
    min_rate: float | None = None

    def base(
        self, at: datetime, received_at: datetime, charging_since: datetime | None
    ) -> datetime:
        """Return the moment from which the schedule's periods count at ``at``.

        A schedule without ``startSchedule`` begins with the charging (7.13); before any charging a
        default counts from ``at``, and a limit of the whole charge point from when it was
        installed.
        """
        if self.start is None or self.kind == "Relative":
            if self.purpose == "ChargePointMaxProfile":
                return received_at
            return charging_since or at
        if self.kind == "Recurring" and self.recurrency and at > self.start:
            every = RECURRENCE[self.recurrency]
            return self.start + (at - self.start) // every * every
        return self.start

    def period_at(
        self, at: datetime, received_at: datetime, charging_since: datetime | None
    ) -> Period | None:
        """Return the period that holds at ``at``, or None when the profile says nothing then."""
        if self.valid_from is not None and at < self.valid_from:
            return None
        if self.valid_to is not None and at >= self.valid_to:
            return None
        elapsed = (at - self.base(at, received_at, charging_since)).total_seconds()
        if elapsed < 0 or (self.duration_s is not None and elapsed >= self.duration_s):
            return None
        held = [period for period in self.periods if period.start_s <= elapsed]
        return held[-1] if held else None

    def changes(
        self,
        since: datetime,
        until: datetime,
        received_at: datetime,
        charging_since: datetime | None,
    ) -> Iterator[datetime]:
        """Yield the moments between ``since`` and ``until`` at which ``period_at`` may change."""
        marks = [mark for mark in (self.valid_from, self.valid_to) if mark is not None]
        base = self.base(since, received_at, charging_since)
        offsets = [period.start_s for period in self.periods]
        if self.duration_s is not None:
            offsets.append(self.duration_s)
        every = (
            RECURRENCE[self.recurrency] if self.kind == "Recurring" and self.recurrency else None
        )
        while base < until:
            marks.extend(base + timedelta(seconds=offset) for offset in offsets)
            if every is None:
                break
            base += every
            marks.append(base)
        for mark in marks:
            if since < mark < until:
                yield mark


def parse_profile(payload: Mapping[str, Any]) -> ChargingProfile:
    """Return the profile that a SetChargingProfile or RemoteStartTransaction carries.

    Args:
        payload: ``csChargingProfiles`` with its keys in snake case, as the ``ocpp`` package's
            handlers get it.

    Raises:
        ProfileError: the profile contradicts itself or misses what it needs.
    """
    try:
        schedule = payload["charging_schedule"]
        periods = tuple(_period(item) for item in schedule["charging_schedule_period"])
        profile = ChargingProfile(
            profile_id=int(payload["charging_profile_id"]),
            stack_level=int(payload["stack_level"]),
            purpose=_one_of(Purpose, payload["charging_profile_purpose"]),
            kind=_one_of(Kind, payload["charging_profile_kind"]),
            unit=_one_of(RateUnit, schedule["charging_rate_unit"]),
            periods=periods,
            recurrency=_optional(payload, "recurrency_kind", lambda v: _one_of(Recurrency, v)),
            transaction_id=_optional(payload, "transaction_id", int),
            valid_from=_optional(payload, "valid_from", parse_iso),
            valid_to=_optional(payload, "valid_to", parse_iso),
            start=_optional(schedule, "start_schedule", parse_iso),
            duration_s=_optional(schedule, "duration", int),
            min_rate=_optional(schedule, "min_charging_rate", float),
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ProfileError(msg) from error
    except (TypeError, ValueError) as error:
        raise ProfileError(str(error)) from error
    _check(profile)
    return profile


def payload_of(profile: ChargingProfile) -> dict[str, Any]:
    """Return what ``parse_profile`` makes this profile of; JSON-ready."""
    schedule = {
        "charging_rate_unit": profile.unit,
        "charging_schedule_period": [
            _without_none(
                start_period=period.start_s, limit=period.limit, number_phases=period.phases
            )
            for period in profile.periods
        ],
    } | _without_none(
        start_schedule=_text(profile.start),
        duration=profile.duration_s,
        min_charging_rate=profile.min_rate,
    )
    return {
        "charging_profile_id": profile.profile_id,
        "stack_level": profile.stack_level,
        "charging_profile_purpose": profile.purpose,
        "charging_profile_kind": profile.kind,
        "charging_schedule": schedule,
    } | _without_none(
        recurrency_kind=profile.recurrency,
        transaction_id=profile.transaction_id,
        valid_from=_text(profile.valid_from),
        valid_to=_text(profile.valid_to),
    )


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _check(profile: ChargingProfile) -> None:
    starts = [period.start_s for period in profile.periods]
    faults = {
        "a schedule needs at least one period": not starts,
        "the first period starts at 0": bool(starts) and starts[0] != 0,
        "periods rise": sorted(set(starts)) != starts,
        "a limit is not negative": any(period.limit < 0 for period in profile.periods),
        "a stack level is not negative": profile.stack_level < 0,
        "Recurring needs a recurrencyKind": profile.kind == "Recurring" and not profile.recurrency,
        "Recurring needs a startSchedule": profile.kind == "Recurring" and profile.start is None,
        "only a TxProfile names a transaction": profile.transaction_id is not None
        and profile.purpose != "TxProfile",
        "a duration is not negative": profile.duration_s is not None and profile.duration_s < 0,
    }
    for fault, present in faults.items():
        if present:
            raise ProfileError(fault)


def _period(item: Mapping[str, Any]) -> Period:
    return Period(
        start_s=int(item["start_period"]),
        limit=round(float(item["limit"]), 1),
        phases=_optional(item, "number_phases", int),
    )


def _optional(payload: Mapping[str, Any], key: str, convert: Any) -> Any:
    value = payload.get(key)
    return None if value is None else convert(value)


def _one_of(kind: Any, value: object) -> Any:
    if value not in get_args(kind):
        msg = f"{value!r} is none of {', '.join(get_args(kind))}"
        raise ValueError(msg)
    return value
