"""Who may charge: the answer to Authorize, StartTransaction and StopTransaction.

Pure: the caller brings the id tag's record and the number of its running sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from csms.domain.ids import ChargePointKey


class AuthorizationStatus(StrEnum):
    """AuthorizationStatus of OCPP 1.6 7.2."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"


@dataclass(slots=True, kw_only=True)
class IdTagRecord:
    """An id tag as the operator keeps it; never changed (not frozen: it stands on the hot path).

    Attributes:
        max_active_sessions: None means no limit.
    """

    id_tag: str
    blocked: bool = False
    expires_at: datetime | None = None
    parent_id_tag: str | None = None
    max_active_sessions: int | None = None


@dataclass(slots=True, kw_only=True)
class IdTagInfo:
    """IdTagInfo of OCPP 1.6 7.27; never changed (not frozen: it stands on the hot path)."""

    status: AuthorizationStatus
    expires_at: datetime | None = None
    parent_id_tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeFact:
    """An Authorize.req; it leaves no trace (M23)."""

    charge_point: ChargePointKey
    received_at: datetime
    id_tag: str


INVALID = IdTagInfo(status=AuthorizationStatus.INVALID)


def authorize(record: IdTagRecord | None, now: datetime) -> IdTagInfo:
    """Return what the tag itself is worth now.

    Unknown is Invalid; Blocked wins over Expired; a tag expires at its `expires_at`, not after it
    (M20). ConcurrentTx is never an answer here (M21).
    """
    if record is None:
        return INVALID
    if record.blocked:
        status = AuthorizationStatus.BLOCKED
    elif record.expires_at is not None and record.expires_at <= now:
        status = AuthorizationStatus.EXPIRED
    else:
        status = AuthorizationStatus.ACCEPTED
    return IdTagInfo(
        status=status, expires_at=record.expires_at, parent_id_tag=record.parent_id_tag
    )


def authorize_start(record: IdTagRecord | None, now: datetime, active_sessions: int) -> IdTagInfo:
    """Return the answer to a StartTransaction of this tag (M30, M32).

    Args:
        record: The tag, or None when it is unknown.
        now: Time of the answer.
        active_sessions: Sessions of this tag that run already, this one not counted.
    """
    info = authorize(record, now)
    if (
        record is not None
        and info.status is AuthorizationStatus.ACCEPTED
        and record.max_active_sessions is not None
        and active_sessions >= record.max_active_sessions
    ):
        return IdTagInfo(
            status=AuthorizationStatus.CONCURRENT_TX,
            expires_at=info.expires_at,
            parent_id_tag=info.parent_id_tag,
        )
    return info
