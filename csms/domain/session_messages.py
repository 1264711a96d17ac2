"""Which OCPP messages of a charge point tell the story of one transaction, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csms.domain.ids import id_tag_key

QUIET_ACTIONS = frozenset({"Heartbeat"})
"""Tell nothing of a transaction."""

VALUES = "MeterValues"
"""So many that they are shown on request only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The transaction whose story is told."""

    transaction_id: int
    connector_id: int
    id_tag: str


def belongs(action: str | None, payload: object, about: About) -> bool:
    """Return whether a call tells of this transaction, its connector or the whole charge point.

    >>> about = About(transaction_id=7, connector_id=1, id_tag="T")
    >>> belongs("StopTransaction", {"transactionId": 8}, about)
    False
    >>> belongs("StatusNotification", {"connectorId": 0}, about)
    True
    """
    if action in QUIET_ACTIONS:
        return False
    if not isinstance(payload, Mapping):
        return True
    profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
    named = payload.get("transactionId")
    if named is None and isinstance(profile, Mapping):
        named = profile.get("transactionId")
    if isinstance(named, int):
        return named == about.transaction_id
    connector = payload.get("connectorId")
    if isinstance(connector, int):
        return connector in (0, about.connector_id)
    tag = payload.get("idTag")
    if isinstance(tag, str):
        return id_tag_key(tag) == id_tag_key(about.id_tag)
    return True


def words(action: str | None, kind: str | None, direction: str, payload: object) -> str:
    """Return one frame in a few words.

    >>> words("StatusNotification", "call", "in", {"connectorId": 1, "status": "Charging"})
    'Connector 1 is Charging'
    >>> words("SetChargingProfile", "callResult", "in", {"status": "Accepted"})
    'Answer to SetChargingProfile: Accepted'
    """
    name = action or "a frame that cannot be read"
    content: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    if kind == "callError":
        return f"Answer to {name}: error {content.get('errorCode', '')}".rstrip()
    if kind == "callResult":
        status = content.get("status")
        info = content.get("idTagInfo")
        if status is None and isinstance(info, Mapping):
            status = info.get("status")
        return f"Answer to {name}" + (f": {status}" if isinstance(status, str) else "")
    return _call(name, direction, content)


def _call(name: str, direction: str, content: Mapping[str, Any]) -> str:
    match name:
        case "StatusNotification":
            where = content.get("connectorId")
            error = content.get("errorCode")
            text = f"Connector {where} is {content.get('status')}"
            return text if error in (None, "NoError") else f"{text}: {error}"
        case "Authorize":
            return "A tag is presented"
        case "StartTransaction":
            return f"The session starts at {content.get('meterStart')} Wh"
        case "StopTransaction":
            reason = content.get("reason") or "Local"
            return f"The session stops at {content.get('meterStop')} Wh: {reason}"
        case "SetChargingProfile":
            limit = _limit(content)
            return "A limit is told" + (f": {limit}" if limit is not None else "")
        case "ClearChargingProfile":
            return "Limits are cleared"
        case "RemoteStartTransaction":
            return "A start is asked for"
        case "RemoteStopTransaction":
            return "A stop is asked for"
        case "MeterValues":
            return "Values are metered"
        case "BootNotification":
            return "The station has started anew"
        case _:
            pass
    return f"{name} {'comes' if direction == 'in' else 'is sent'}"


def _limit(content: Mapping[str, Any]) -> str | None:
    """Return the first limit of a profile with its unit."""
    profile = content.get("csChargingProfiles")
    schedule = profile.get("chargingSchedule") if isinstance(profile, Mapping) else None
    if not isinstance(schedule, Mapping):
        return None
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list) or not periods or not isinstance(periods[0], Mapping):
        return None
    limit, unit = periods[0].get("limit"), schedule.get("chargingRateUnit")
    return f"{limit:g} {unit}" if isinstance(limit, int | float) else None
