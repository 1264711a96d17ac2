"""Cars that do not wake after a pause: their limit up, then a new transaction, each once.

Some cars sleep through the end of a pause that they were told (0 A, and later 6 A or more again).
Smart charging rule 9: they get their full share for a while, whatever they took before; if that is
of no use, their transaction is ended and another one started, which wakes nearly all. Only who
charged when it was paused is meant: whoever took nothing then does not miss anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from csms.domain.ids import TransactionId
from csms.domain.reclaim import HUNGRY, IDLE_W
from csms.domain.rotation import WAKES_WITHIN
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot, Waking
from csms.domain.sites import ChargerId

RAISED, CYCLED = 1, 2


def waking(snapshot: SiteSnapshot, now: datetime) -> dict[TransactionId, Waking]:
    """Return where each session that was paused stands now; the others are not in it."""
    chargers = {state.charger.id: state for state in snapshot.chargers}
    found = {}
    for session in snapshot.sessions:
        after = _after(session, chargers, now)
        if after is not None:
            found[session.transaction_id] = after
    return found


def to_cycle(
    snapshot: SiteSnapshot, after: Mapping[TransactionId, Waking]
) -> tuple[TransactionId, ...]:
    """Return the transactions that are to be ended and begun anew: their turn has just come."""
    before = {each.transaction_id: each.waking for each in snapshot.sessions}
    return tuple(
        transaction
        for transaction, now in after.items()
        if now.tried == CYCLED and ((was := before[transaction]) is None or was.tried < CYCLED)
    )


def roused(snapshot: SiteSnapshot, after: Mapping[TransactionId, Waking]) -> SiteSnapshot:
    """Return the snapshot with cars that are to wake counted as hungry, whatever they took."""
    raised = {
        transaction
        for transaction, state in after.items()
        if state.tried == RAISED and state.since is not None and not state.paused
    }
    if not raised:
        return snapshot
    return replace(
        snapshot,
        sessions=tuple(
            replace(session, appetite=HUNGRY) if session.transaction_id in raised else session
            for session in snapshot.sessions
        ),
    )


def _after(
    session: SessionState, chargers: Mapping[ChargerId, ChargerState], now: datetime
) -> Waking | None:
    before, row = session.waking, session.own_limit
    told, told_at = row.acknowledged_w, row.acknowledged_at
    if told is None or told_at is None or row.in_flight_w is not None:
        return before
    tried = 0 if before is None else before.tried
    if told == 0:
        charger = chargers[session.charger_id].charger
        if before is None and (row.drew_w is None or row.drew_w < charger.volts):
            return None
        return Waking(paused=True, since=told_at, tried=tried)
    if before is None:
        return None
    if before.paused:
        return Waking(paused=False, since=told_at, tried=tried)
    reading = session.measured_at
    if before.since is None or reading is None or reading <= before.since:
        return before
    if (session.measured_w or 0) >= IDLE_W:
        return Waking(paused=False, since=None, tried=tried) if tried else None
    if tried < CYCLED and now - before.since >= WAKES_WITHIN:
        return Waking(paused=False, since=now, tried=tried + 1)
    return before
