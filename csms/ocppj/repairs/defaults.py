"""What a required field is when a station leaves it out, where a harmless answer exists.

Harmless means: nothing is billed, allowed or given by it. What it makes doubtful is told to the
domain by the field's name (`Repaired.defaulted`), and becomes a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

ANSWER = ".conf"
"""Behind an action: its answer."""

NO_TRANSACTION_ID = -1
"""The station has no id, or lost it (OCPP 1.6 errata 3.18)."""

METER_UNKNOWN = -1

_NOTHING = object()

_DEFAULTS: Mapping[tuple[str, str], Any] = {
    ("Authorize", "idTag"): "",
    ("BootNotification", "chargePointModel"): "",
    ("BootNotification", "chargePointVendor"): "",
    ("DataTransfer", "vendorId"): "",
    ("GetConfiguration" + ANSWER, "readonly"): False,
    ("MeterValues", "connectorId"): 0,
    ("MeterValues", "meterValue"): (),
    ("MeterValues", "sampledValue"): (),
    ("SecurityEventNotification", "type"): "",
    ("StartTransaction", "connectorId"): 1,
    ("StartTransaction", "idTag"): "",
    ("StartTransaction", "meterStart"): METER_UNKNOWN,
    ("StatusNotification", "connectorId"): 1,
    ("StopTransaction", "meterStop"): METER_UNKNOWN,
    ("StopTransaction", "sampledValue"): (),
    ("StopTransaction", "transactionId"): NO_TRANSACTION_ID,
}


def default(action: str, name: str, given: Mapping[str, Any], received_at: datetime) -> Any:
    """Return a field's default.

    Args:
        action: Of the message; an answer's with `ANSWER` behind.
        name: Of the field.
        given: What else stands beside it.
        received_at: When the message came, which stands for a time that is missing.

    Raises:
        KeyError: There is none.
    """
    if name == "timestamp":
        return received_at.isoformat()
    if (action, name) == ("StatusNotification", "errorCode"):
        return "OtherError" if given.get("status") == "Faulted" else "NoError"
    if (action, name) == ("StatusNotification", "status"):
        if given.get("errorCode") in (None, "NoError"):
            raise KeyError(name)
        return "Faulted"
    found = _DEFAULTS[action, name]
    return [] if found == () else found
