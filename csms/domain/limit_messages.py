"""Limits as messages: what a charge point is told and asked, and what its answer says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from csms.domain.charging_profiles import (
    Payload,
    ProfileKind,
    ProfilePurpose,
    RateLimit,
    RateUnit,
    charge_point_max_profile,
    parse_schedule,
    tx_default_profile,
    tx_profile,
)
from csms.domain.site_control import Sending
from csms.domain.site_observation import ReadBack
from csms.domain.sites import Charger, CurrentType, limit_power_w, rate_limit

_FLOOR_PROFILE_ID = 1
_CAP_PROFILE_ID = 2
_SESSION_PROFILE_ID = 100
_CONNECTOR_PROFILE_ID = 10_000
_ASKED_FOR_S = 60
_STACK_LEVEL = 0


def profile_id(connector_id: int, purpose: ProfilePurpose = ProfilePurpose.TX) -> int:
    """Return the id of our profile: the floor's (connector 0), the cap's, or of a session.

    Always the same one, so that a charge point replaces it in place (smart charging rule 8).

    >>> profile_id(0), profile_id(2), profile_id(0, ProfilePurpose.CHARGE_POINT_MAX)
    (1, 102, 2)
    >>> profile_id(2, ProfilePurpose.TX_DEFAULT)
    10002
    """
    if purpose is ProfilePurpose.CHARGE_POINT_MAX:
        return _CAP_PROFILE_ID
    if connector_id == 0:
        return _FLOOR_PROFILE_ID
    if purpose is ProfilePurpose.TX_DEFAULT:
        return _CONNECTOR_PROFILE_ID + connector_id
    return _SESSION_PROFILE_ID + connector_id


def limit_payload(sending: Sending, now: datetime) -> Payload:
    """Return the SetChargingProfile payload of a limit that leaves now."""
    target = sending.target
    dialect = target.dialect
    limit = rate_limit(target.charger, sending.limit_w)
    kind = ProfileKind.RELATIVE if target.clock_is_wrong else dialect.kind
    if target.purpose is ProfilePurpose.CHARGE_POINT_MAX:
        return charge_point_max_profile(limit=limit, profile_id=profile_id(0, target.purpose))
    phases = _phases_named(target.charger, limit)
    if target.transaction_id is None:
        return tx_default_profile(
            connector_id=target.connector_id,
            limit=limit,
            now=now,
            profile_id=profile_id(target.connector_id, target.purpose),
            kind=kind,
            number_phases=phases,
        )
    lease = None if sending.ends_at is None else max(sending.ends_at - now, timedelta(0))
    return tx_profile(
        connector_id=target.connector_id,
        transaction_id=target.transaction_id,
        limit=limit,
        now=now,
        profile_id=profile_id(target.connector_id),
        stack_level=_STACK_LEVEL,
        lease=lease,
        kind=kind,
        number_phases=phases,
    )


class LimitPayloads:
    """Payloads of limits that leave together: what they have in common is made once.

    When a limit drops, a thousand chargers are told the same limit; only names differ.
    """

    def __init__(self, now: datetime) -> None:
        """Begin; all of them leave at `now`."""
        self._now = now
        self._made: dict[tuple[Any, ...], Payload] = {}

    def of(self, sending: Sending) -> Payload:
        """Return what `limit_payload` returns."""
        target, charger = sending.target, sending.target.charger
        if target.transaction_id is None or target.purpose is not ProfilePurpose.TX:
            return limit_payload(sending, self._now)
        alike = (
            sending.limit_w,
            sending.ends_at,
            target.clock_is_wrong,
            target.dialect.kind,
            charger.current_type,
            charger.phases,
            charger.voltage_v,
            charger.max_w,
            charger.rate_unit,
            charger.allowed_a,
        )
        like = self._made.get(alike)
        if like is None:
            like = self._made[alike] = limit_payload(sending, self._now)
        names = {
            "chargingProfileId": profile_id(target.connector_id),
            "transactionId": target.transaction_id,
        }
        return {
            "connectorId": target.connector_id,
            "csChargingProfiles": like["csChargingProfiles"] | names,
        }


def _phases_named(charger: Charger, limit: RateLimit) -> int | None:
    """Return the phases to name: where W are divided by them, and they are not the usual three."""
    divides = limit.unit is RateUnit.WATTS and charger.current_type is CurrentType.AC
    return charger.phases if divides else None


def question(asking: ReadBack) -> Payload:
    """Return the GetCompositeSchedule payload that asks which limit holds."""
    return {"connectorId": asking.connector_id, "duration": _ASKED_FOR_S}


def said_limit_w(charger: Charger, answer: Mapping[str, Any]) -> int | None:
    """Return the highest limit that an answer tells for now, in W; None: it has no limit.

    Raises:
        ValueError: It says nothing: not accepted, or no schedule that can be read.
    """
    if answer.get("status") != "Accepted" or not answer.get("chargingSchedule"):
        msg = "the charge point does not say which limit holds"
        raise ValueError(msg)
    schedule = parse_schedule(answer["chargingSchedule"])
    most = max(each.limit for each in schedule.periods if each.start_s < _ASKED_FOR_S)
    limit = RateLimit(unit=schedule.unit, value=most)
    if limit.unit is RateUnit.WATTS:
        return int(most.to_integral_value())
    return limit_power_w(charger, limit)
