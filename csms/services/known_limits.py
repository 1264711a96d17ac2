"""What a station has said that it takes: a call beyond that is sent, with a warning (N08-N17)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from csms.domain.charge_points import Registration
from csms.services.ports.store import UnitOfWork
from csms.services.records import Station

_FEATURE_OF: Mapping[str, str] = {
    "CancelReservation": "Reservation",
    "ClearChargingProfile": "SmartCharging",
    "GetCompositeSchedule": "SmartCharging",
    "GetDiagnostics": "FirmwareManagement",
    "GetLocalListVersion": "LocalAuthListManagement",
    "ReserveNow": "Reservation",
    "SendLocalList": "LocalAuthListManagement",
    "SetChargingProfile": "SmartCharging",
    "TriggerMessage": "RemoteTrigger",
    "UpdateFirmware": "FirmwareManagement",
}
_UNITS = {"A": ("a", "current"), "W": ("w", "power")}
_WITH_LIMITS = frozenset({*_FEATURE_OF, "GetConfiguration", "RemoteStartTransaction"})


class KnownLimits:
    """Advises by the configuration that was read; a station that never told has no limits."""

    async def warnings(
        self,
        unit: UnitOfWork,
        station: Station,
        action: str,
        payload: Mapping[str, Any],
        now: datetime,
    ) -> list[str]:
        """Return sentences; see `csms.services.call_effects.CallAdviser`."""
        del now
        if action not in _WITH_LIMITS:
            return []
        known = {
            each.key.lower(): each.value
            for each in await unit.configurations.of(station.key)
            if each.value is not None
        }
        found = limit_warnings(known, action, payload)
        if action == "TriggerMessage" and payload["requestedMessage"] == "BootNotification":
            found += _boot_warnings(station)
        return found


def limit_warnings(known: Mapping[str, str], action: str, payload: Mapping[str, Any]) -> list[str]:
    """Return what about a call is beyond what the station has said.

    Args:
        known: Values of its configuration by key in lower case.
        action: One of the 26.
        payload: Valid after its schema.

    >>> limit_warnings({"getconfigurationmaxkeys": "1"}, "GetConfiguration", {"key": ["A", "B"]})
    ['The station takes 1 keys a call (GetConfigurationMaxKeys); these are 2.']
    """
    found = []
    feature, features = _FEATURE_OF.get(action), _words(known.get("supportedfeatureprofiles"))
    if feature is not None and features and feature.lower() not in features:
        found.append(f"The station does not list {feature} in SupportedFeatureProfiles.")
    if action == "GetConfiguration":
        count = len(payload.get("key") or ())
        found += _beyond(known, "GetConfigurationMaxKeys", count, "keys a call")
    elif action == "SendLocalList":
        count = len(payload.get("localAuthorizationList") or ())
        found += _beyond(known, "SendLocalListMaxLength", count, "entries a call")
        if payload["updateType"] == "Full":
            found += _beyond(known, "LocalAuthListMaxLength", count, "entries in its list")
        if known.get("localauthlistenabled", "").strip().lower() == "false":
            found.append("LocalAuthListEnabled is false: the station does not use its list.")
    elif (
        action == "ReserveNow"
        and payload["connectorId"] == 0
        and known.get("reserveconnectorzerosupported", "").strip().lower() == "false"
    ):
        found.append("The station takes no reservation of connector 0.")
    profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
    return found + ([] if profile is None else _profile_warnings(known, profile))


def _profile_warnings(known: Mapping[str, str], profile: Mapping[str, Any]) -> list[str]:
    schedule = profile["chargingSchedule"]
    found = _beyond(
        known,
        "ChargingScheduleMaxPeriods",
        len(schedule["chargingSchedulePeriod"]),
        "periods in a schedule",
    )
    found += _beyond(known, "ChargeProfileMaxStackLevel", profile["stackLevel"], "as stackLevel")
    units = _words(known.get("chargingscheduleallowedchargingrateunit"))
    unit = schedule["chargingRateUnit"]
    if units and not units & set(_UNITS[unit]):
        found.append(
            f"The station does not list {_UNITS[unit][1].capitalize()} ({unit}) in"
            " ChargingScheduleAllowedChargingRateUnit."
        )
    return found


def _beyond(known: Mapping[str, str], key: str, given: int, what: str) -> list[str]:
    try:
        most = int(known.get(key.lower(), ""))
    except ValueError:
        return []
    if given <= most:
        return []
    return [f"The station takes {most} {what} ({key}); these are {given}."]


def _words(value: str | None) -> set[str]:
    return {word for part in (value or "").split(",") if (word := part.strip().lower())}


def _boot_warnings(station: Station) -> list[str]:
    if station.registration is not Registration.ACCEPTED or station.booted_at is None:
        return []
    return ["Once a BootNotification was accepted, the station should boot before the next one."]
