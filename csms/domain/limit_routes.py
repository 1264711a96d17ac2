"""Which profile tells a session its limit, and what it is under without one.

A TxProfile, as a rule. Charge points that refuse these are told the TxDefaultProfile of the
session's connector, which goes before that of connector 0 (OCPP 1.6 3.13.2). Such a limit has no
end and outlives its session: so it goes on counting for the connector, and is told the fallback
share once the session is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow, superseded
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot
from csms.domain.sites import ChargerId


def routed(snapshot: SiteSnapshot) -> SiteSnapshot:
    """Return the snapshot with sessions that are told by TxDefaultProfile marked as such."""
    by_default = {
        state.charger.id: state for state in snapshot.chargers if state.dialect.tells_by_default
    }
    if not by_default:
        return snapshot
    return replace(
        snapshot, sessions=tuple(_routed(session, by_default) for session in snapshot.sessions)
    )


def _routed(session: SessionState, by_default: Mapping[ChargerId, ChargerState]) -> SessionState:
    state, own = by_default.get(session.charger_id), session.own_limit
    if state is None or session.by_default or session.connector_id < 1:
        return session
    if own.acknowledged_w is not None or own.in_flight_w is not None:
        return session  # a TxProfile that was taken goes before whatever else is told
    beside = session.limit
    if beside.transaction_id != session.transaction_id:
        beside = superseded(beside)._replace(transaction_id=session.transaction_id)
    return replace(
        session,
        by_default=True,
        drawn=None,  # the next car is under the same limit at once, on all of its phases
        beside=beside,
        limit=state.defaults.get(session.connector_id, NOTHING_KNOWN),
    )


def under(state: ChargerState, connector_id: int) -> LimitRow:
    """Return what a connector is under where no TxProfile holds: its own default, or the floor."""
    own = state.defaults.get(connector_id)
    if own is None or own == NOTHING_KNOWN:
        return state.floor
    if own.acknowledged_w is not None:
        return own
    floor = state.floor
    return floor._replace(
        earlier_w=floor.earlier_w | own.possible_w(),
        doubtful=floor.doubtful or own.doubtful or own.in_flight_w is not None,
        may_be_unlimited=floor.may_be_unlimited or own.may_be_unlimited,
    )
