"""What a step has decided for each session, for whoever asks later why."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_rows import NOTHING_KNOWN
from csms.domain.site_control import ControlStep
from csms.domain.site_snapshot import SiteSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDecision:
    """A new limit that a session should have, and why it is not more."""

    charge_point: ChargePointKey
    connector_id: int
    transaction_id: TransactionId
    limit_w: int
    reason: str


def limit_decisions(snapshot: SiteSnapshot, step: ControlStep) -> list[LimitDecision]:
    """Return the decisions that are new in a step, by charge point and connector."""
    before = snapshot.rows() if step.rows else {}
    keys = {state.charger.id: state.key for state in snapshot.chargers}
    running = {
        (keys[session.charger_id], session.connector_id): session.transaction_id
        for session in snapshot.sessions
    }
    found = []
    for place, row in step.rows.items():
        is_sessions = place.purpose is ProfilePurpose.TX or place.connector_id > 0
        transaction = row.transaction_id or running.get((place.key, place.connector_id))
        if not is_sessions or transaction is None:
            continue
        known = before.get(place, NOTHING_KNOWN)
        is_known = (known.transaction_id, known.desired_w) == (row.transaction_id, row.desired_w)
        if is_known or row.desired_w is None:
            continue  # it was decided before
        found.append(
            LimitDecision(
                charge_point=place.key,
                connector_id=place.connector_id,
                transaction_id=transaction,
                limit_w=row.desired_w,
                reason=row.reason or "",
            )
        )
    return sorted(found, key=lambda one: (one.charge_point, one.connector_id))
