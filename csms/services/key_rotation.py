"""A new password for a station, sent as its AuthorizationKey (OCPP-J 6.2, whitepaper A01). Pure.

The new one is stored before it is sent. Accepted: it alone is let in from then on. Refused, or
never sent: forgotten. All else is unknown: both are let in until the station uses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.errors import Invalid
from csms.services import credentials
from csms.services.call_effects import NOT_SENT
from csms.services.ports.charge_points import Verdict


def new_key(action: str, payload: Mapping[str, Any]) -> bytes | None:
    """Return the password that a call would set; None when it sets none that could be used."""
    if action != "ChangeConfiguration" or payload["key"].lower() != "authorizationkey":
        return None
    try:
        return credentials.parse_password(payload["value"])
    except Invalid:
        return None


def verdict(outcome: str, status: str | None) -> Verdict | None:
    """Return what follows for the new password once its call has ended; None: it is unknown.

    Args:
        outcome: As recorded: accepted, rejected, callError, or the code of a failure.
        status: Of the answer.
    """
    if outcome == "accepted":
        return "waits" if status == "RebootRequired" else "adopted"
    if outcome == "rejected" or outcome in NOT_SENT:
        return "refused"
    return None
