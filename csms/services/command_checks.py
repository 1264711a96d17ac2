"""What is decided about a call before it is sent and after it is answered. Pure.

Warn, do not block: operators must be able to send what looks wrong. Refused is only what would do
harm (`refusal`); what breaks the schema never gets here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from csms.domain.charge_points import Registration
from csms.services.records import Session, Station

_DONE = frozenset({"Accepted", "Unlocked", "Scheduled", "RebootRequired", "AcceptedCanceled"})
_REMOTE = frozenset({"RemoteStartTransaction", "RemoteStopTransaction"})
_CONNECTOR_0_TOO = frozenset({"ChangeAvailability", "GetCompositeSchedule", "ReserveNow"})
_LINE_END = re.compile(r"\r\n?")
_KEY = re.compile(r"([0-9A-Fa-f]{2}){16,20}")
_INTEGER = re.compile(r"\s*[+-]?\d{1,9}\s*")


def outcome(response: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return outcome and status of a CALLRESULT.

    >>> outcome({"status": "Unlocked"}), outcome({"status": "NotSupported"}), outcome({})
    (('accepted', 'Unlocked'), ('rejected', 'NotSupported'), ('accepted', None))
    """
    status = response.get("status")
    if status is None or status in _DONE:
        return "accepted", status
    return "rejected", status


def refusal(station: Station, action: str, payload: Mapping[str, Any]) -> str | None:
    """Return why a call must not be sent, None when it may."""
    if station.registration is Registration.REJECTED:
        return "The station's registration is Rejected: nothing is sent to it."
    if station.registration is Registration.PENDING and action in _REMOTE:
        return f"The station's registration is Pending: {action} has to wait."
    if action == "ChangeConfiguration" and payload["key"].lower() == "securityprofile":
        value = payload["value"]
        if not _INTEGER.fullmatch(value) or int(value) <= station.security_profile:
            return f"SecurityProfile may only be raised; it is {station.security_profile}."
    return None


def with_unix_line_ends(value: Any) -> Any:
    r"""Return a payload whose PEM texts have LF line ends; nothing else changes.

    >>> with_unix_line_ends({"certificate": "-----BEGIN X\r\n", "other": "\r\n"})
    {'certificate': '-----BEGIN X\n', 'other': '\r\n'}
    """
    if isinstance(value, dict):
        return {name: with_unix_line_ends(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_unix_line_ends(item) for item in value]
    if isinstance(value, str) and "-----BEGIN " in value:
        return _LINE_END.sub("\n", value)
    return value


def named_transaction(action: str, payload: Mapping[str, Any]) -> int | None:
    """Return the transaction id that a call names, if it names one."""
    if action == "RemoteStopTransaction":
        return int(payload["transactionId"])
    if action == "SetChargingProfile":
        found = payload["csChargingProfiles"].get("transactionId")
        return None if found is None else int(found)
    return None


def warnings(
    station: Station,
    action: str,
    payload: Mapping[str, Any],
    session: Session | None,
    now: datetime,
) -> list[str]:
    """Return what looks wrong about a call.

    Args:
        station: Whom it goes to.
        action: One of the 26.
        payload: Valid after its schema.
        session: The transaction that it names, None when there is none of that number.
        now: Time of sending.
    """
    found = _connector_warnings(station, action, payload)
    transaction = named_transaction(action, payload)
    if transaction is not None:
        found += _transaction_warnings(station, transaction, session)
    if action == "SetChargingProfile":
        found += _profile_warnings(payload["connectorId"], payload["csChargingProfiles"])
    elif action == "RemoteStartTransaction" and "chargingProfile" in payload:
        found += _start_profile_warnings(payload["chargingProfile"])
    elif action == "ChangeConfiguration" and payload["key"].lower() == "authorizationkey":
        if not _KEY.fullmatch(payload["value"]):
            found.append("AuthorizationKey is not 32 to 40 hex digits (16 to 20 bytes).")
    elif action == "SendLocalList":
        found += _local_list_warnings(payload)
    elif action == "ReserveNow" and _is_past(payload["expiryDate"], now):
        found.append("expiryDate is past.")
    return found


def _connector_warnings(station: Station, action: str, payload: Mapping[str, Any]) -> list[str]:
    number = payload.get("connectorId")
    if number is None:
        return []
    if number < 0:
        return [f"connectorId {number} is negative."]
    if number == 0:
        profile = payload.get("csChargingProfiles", {})
        fits = action in _CONNECTOR_0_TOO or action == "ClearChargingProfile" or profile
        return [] if fits else [f"connectorId 0 does not fit {action}."]
    known = {connector.connector_id for connector in station.connectors} - {0}
    if known and number not in known:
        return [f"The station has no connector {number} as far as is known."]
    return []


def _transaction_warnings(station: Station, transaction: int, session: Session | None) -> list[str]:
    if session is None:
        return [f"There is no transaction {transaction}."]
    if session.charge_point != station.key:
        return [f"Transaction {transaction} belongs to another station."]
    if not session.active:
        return [f"Transaction {transaction} has ended."]
    return []


def _profile_warnings(connector: int, profile: Mapping[str, Any]) -> list[str]:
    """Check the rules of a charging profile (OCPP 1.6 3.13, 5.16)."""
    found = []
    purpose = profile["chargingProfilePurpose"]
    if purpose == "ChargePointMaxProfile" and connector != 0:
        found.append("ChargePointMaxProfile goes to connector 0 only.")
    if purpose == "TxProfile":
        if connector <= 0:
            found.append("TxProfile needs a connector greater than 0.")
        if "transactionId" not in profile:
            found.append("TxProfile needs the transactionId of the running transaction.")
    elif "transactionId" in profile:
        found.append(f"{purpose} takes no transactionId.")
    return found + _kind_warnings(profile) + _schedule_warnings(profile["chargingSchedule"])


def _start_profile_warnings(profile: Mapping[str, Any]) -> list[str]:
    found = []
    if profile["chargingProfilePurpose"] != "TxProfile":
        found.append("A remote start takes a TxProfile only.")
    if "transactionId" in profile:
        found.append("The profile of a remote start takes no transactionId.")
    return found + _kind_warnings(profile) + _schedule_warnings(profile["chargingSchedule"])


def _kind_warnings(profile: Mapping[str, Any]) -> list[str]:
    found = []
    kind, schedule = profile["chargingProfileKind"], profile["chargingSchedule"]
    if ("recurrencyKind" in profile) != (kind == "Recurring"):
        found.append("recurrencyKind belongs to Recurring profiles, and only to them.")
    if kind == "Relative" and "startSchedule" in schedule:
        found.append("A Relative profile has no startSchedule.")
    if kind != "Relative" and "startSchedule" not in schedule:
        found.append(f"An {kind} profile needs a startSchedule.")
    if profile["stackLevel"] < 0:
        found.append("stackLevel is negative.")
    return found


def _schedule_warnings(schedule: Mapping[str, Any]) -> list[str]:
    found = []
    periods: Sequence[Mapping[str, Any]] = schedule["chargingSchedulePeriod"]
    starts = [period["startPeriod"] for period in periods]
    if not starts:
        found.append("The schedule has no periods.")
    elif starts[0] != 0:
        found.append("The first startPeriod is not 0.")
    if any(later <= earlier for earlier, later in itertools.pairwise(starts)):
        found.append("startPeriod does not rise from period to period.")
    limits = [period["limit"] for period in periods]
    if "minChargingRate" in schedule:
        limits.append(schedule["minChargingRate"])
    if any(Decimal(str(limit)) * 10 % 1 for limit in limits):
        found.append("A limit has more than one decimal.")
    if any(limit < 0 for limit in limits):
        found.append("A limit is negative.")
    return found


def _local_list_warnings(payload: Mapping[str, Any]) -> list[str]:
    found = []
    if payload["listVersion"] <= 0:
        found.append("listVersion must be greater than 0.")
    entries: Sequence[Mapping[str, Any]] = payload.get("localAuthorizationList", ())
    tags = [entry["idTag"].upper() for entry in entries]
    if len(set(tags)) != len(tags):
        found.append("An id tag is there more than once.")
    if payload["updateType"] == "Full" and any("idTagInfo" not in entry for entry in entries):
        found.append("Each entry of a Full list needs idTagInfo.")
    return found


def _is_past(text: str, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)) <= now
