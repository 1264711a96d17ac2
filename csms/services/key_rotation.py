"""A new password for a station, sent as its AuthorizationKey (OCPP-J 6.2, whitepaper A01). Pure.

The new one is stored before it is sent. Accepted: it alone is let in from then on. Refused, or
never sent: forgotten. All else is unknown: both are let in until the station uses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.errors import Invalid
from csms.services import credentials

_NOT_SENT = frozenset({"station_offline", "queue_full", "too_early"})


def new_key(action: str, payload: Mapping[str, Any]) -> bytes | None:
    """Return the password that a call would set; None when it sets none that could be used."""
    if action != "ChangeConfiguration" or payload["key"].lower() != "authorizationkey":
        return None
    try:
        return credentials.parse_password(payload["value"])
    except Invalid:
        return None


def before(digest: bytes) -> dict[str, object]:
    """Return what is stored before the call is sent."""
    return {"pending_password_digest": digest, "pending_password_waits": False}


def after(digest: bytes, outcome: str, status: str | None) -> dict[str, object]:
    """Return what is stored once the call has ended; nothing when the outcome is unknown.

    Args:
        digest: Of the new password.
        outcome: As recorded: accepted, rejected, callError, or the code of a failure.
        status: Of the answer.
    """
    if outcome == "accepted" and status == "RebootRequired":
        return {"pending_password_waits": True}
    if outcome == "accepted":
        return {"password_digest": digest, "pending_password_digest": None}
    if outcome == "rejected" or outcome in _NOT_SENT:
        return {"pending_password_digest": None}
    return {}
