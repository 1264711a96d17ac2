"""Which limit each charger and session should have, when it may change, and how long it holds.

Three profiles a charge point: the *floor*, a TxDefaultProfile on connector 0, without an end; the
*cap*, a ChargePointMaxProfile with its maximum, for those that take one; a TxProfile for each
transaction, as a lease that the floor follows (`limit_routes` has those that refuse it). Raises,
also of floors, are kept apart: 30 s on one charger, 1 A at least unless nothing has changed on the
site for three minutes, a number a day. Decreases never wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_dialect import LimitDialect
from csms.domain.limit_routes import under
from csms.domain.limit_rows import LimitRow
from csms.domain.pieces import AT_ONCE, Pieces
from csms.domain.power_tree import LoadId
from csms.domain.site_entries import cap_load, connector_load, floor_load, session_load
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, Request, RowKey, SessionState, SiteSnapshot
from csms.domain.sites import (
    Charger,
    ChargerId,
    CurrentType,
    limit_power_w,
    rate_limit,
)

RAISES_APART = timedelta(seconds=30)
CALM = timedelta(minutes=3)
"""More than two intervals of most meters: what is going on shows in each of their readings."""

PATIENCE = timedelta(minutes=15)
"""Longest that a raise of less than 1 A waits for a site that is never calm."""

_DC_AMPERE_W = 690


class Target(NamedTuple):
    """Where a limit goes: a transaction's connector, or the whole charge point (connector 0).

    Attributes:
        clock_is_wrong: No time may be named to it.
    """

    key: ChargePointKey
    connector_id: int
    purpose: ProfilePurpose
    transaction_id: TransactionId | None
    charger: Charger
    dialect: LimitDialect
    clock_is_wrong: bool = False

    @property
    def row(self) -> RowKey:
        """Its row in the ledger."""
        return RowKey(self.key, self.connector_id, self.purpose)

    def request(self, version: int) -> Request:
        """Return the name of a request that tells it this version."""
        return Request(*self.row, self.transaction_id, version)


@dataclass(slots=True)
class Wishes:
    """What should hold, by load: where it goes, what is stored of it, the wish and its reason.

    Attributes:
        leases: Of the limits that end by themselves.
        due: Loads whose limit has to be told again though it is as it should be.
    """

    targets: dict[LoadId, Target] = field(default_factory=dict)
    rows: dict[LoadId, LimitRow] = field(default_factory=dict)
    limits_w: dict[LoadId, int] = field(default_factory=dict)
    reasons: dict[LoadId, str] = field(default_factory=dict)
    leases: dict[LoadId, timedelta] = field(default_factory=dict)
    due: set[LoadId] = field(default_factory=set)

    def add(
        self, load_id: LoadId, target: Target, row: LimitRow, limit_w: int, reason: str
    ) -> None:
        """Add one."""
        self.targets[load_id], self.rows[load_id] = target, row
        self.limits_w[load_id], self.reasons[load_id] = limit_w, reason


def ampere_w(charger: Charger) -> int:
    """Return what 1 A on all phases of a charger is, in W; of DC, what it is on three phases."""
    if charger.current_type is CurrentType.DC:
        return _DC_AMPERE_W
    return charger.phases * charger.voltage_v


def least_w(charger: Charger) -> int:
    """Return the least power that a car of a charger can be told: 6 A, as a rule."""
    return min(charger.max_w, int(charger.least_a * ampere_w(charger)))


def told_w(charger: Charger, power_w: int) -> int:
    """Return the most that a charger draws when it is told a limit for `power_w`."""
    return limit_power_w(charger, rate_limit(charger, power_w))


def wishes(
    snapshot: SiteSnapshot,
    limits: Mapping[LoadId, tuple[int, str]],
    floors_w: Mapping[ChargerId, int],
    now: datetime,
) -> Pieces[Wishes]:
    """Return what should hold now, in pieces.

    Args:
        snapshot: Of the site.
        limits: Limit and reason of each session that can be told one, in W as the wire says it.
        floors_w: The fallback share of each connector, by charger.
        now: Of the step.
    """
    found = Wishes()
    chargers = {state.charger.id: state for state in snapshot.chargers}
    spent = _spent(snapshot, now)
    half = timedelta(seconds=snapshot.rules.lease_s) / 2
    moved_at = max((at for s in snapshot.sessions if (at := s.own_limit.desired_at)), default=None)
    for number, session in enumerate(snapshot.sessions):
        if not number % AT_ONCE:
            yield
        load_id, state = session_load(session.transaction_id), chargers[session.charger_id]
        if load_id not in limits or state.key is None:
            continue
        share, reason = limits[load_id]
        row = session.own_limit
        # a car that has nothing at all does not wait for tomorrow
        is_spent = session.charger_id in spent and bool(row.acknowledged_w)
        ampere = ampere_w(state.charger)
        limit = _paced(row, share, ampere, now, moved_at=moved_at, is_spent=is_spent)
        target = Target(
            key=state.key,
            connector_id=session.connector_id,
            purpose=session.purpose,
            transaction_id=None if session.by_default else session.transaction_id,
            charger=state.charger,
            dialect=state.dialect,
            clock_is_wrong=session.clock_is_wrong,
        )
        found.add(load_id, target, session.limit, limit, reason)
        lease = _lease(session, state, limit, snapshot.rules)
        if lease is not None:
            found.leases[load_id] = lease
        if _is_due(row, lease, half, now):
            found.due.add(load_id)
    by_default = {(s.charger_id, s.connector_id) for s in snapshot.sessions if s.by_default}
    for number, state in enumerate(snapshot.chargers):
        if not number % AT_ONCE:
            yield
        if state.key is None or not state.reachable:
            continue
        is_spent = state.charger.id in spent
        for connector, purpose, load_id, row, limit, reason in _of_charger(state, floors_w):
            if (state.charger.id, connector) in by_default:
                continue
            target = Target(
                key=state.key,
                connector_id=connector,
                purpose=purpose,
                transaction_id=None,
                charger=state.charger,
                dialect=state.dialect,
            )
            ampere = ampere_w(state.charger)
            limit = _paced(row, limit, ampere, now, moved_at=row.desired_at, is_spent=is_spent)
            found.add(load_id, target, row, limit, reason)
    return found


def _of_charger(
    state: ChargerState, floors_w: Mapping[ChargerId, int]
) -> list[tuple[int, ProfilePurpose, LoadId, LimitRow, int, str]]:
    charger, takes = state.charger, state.dialect.purposes
    found = []
    if ProfilePurpose.TX_DEFAULT in takes:
        purpose = ProfilePurpose.TX_DEFAULT
        reason = "what a transaction may draw before it has its own limit"
        floor = floors_w[charger.id]
        found.append((0, purpose, floor_load(state), state.floor, floor, reason))
        found += [
            (number, purpose, connector_load(state, number), row, floor, reason)
            for number, row in state.defaults.items()
        ]
    if ProfilePurpose.CHARGE_POINT_MAX in takes:
        purpose = ProfilePurpose.CHARGE_POINT_MAX
        reason = "the most that this charger may draw at all"
        cap = told_w(charger, charger.max_w)
        found.append((0, purpose, cap_load(state), state.cap, cap, reason))
    return found


def _spent(snapshot: SiteSnapshot, now: datetime) -> set[ChargerId]:
    """Return the chargers that have been told as many limits today as they may be."""
    today, most = now.date(), snapshot.rules.daily_writes
    written: Counter[ChargerId] = Counter()
    for state in snapshot.chargers:
        for row in (state.floor, state.cap, *state.defaults.values()):
            if row.writes and row.written_on == today:
                written[state.charger.id] += row.writes
    for session in snapshot.sessions:
        row = session.beside if session.by_default else session.limit
        if row.writes and row.written_on == today:
            written[session.charger_id] += row.writes
    return {charger for charger, writes in written.items() if writes >= most}


def _paced(
    row: LimitRow,
    share_w: int,
    ampere: int,
    now: datetime,
    *,
    moved_at: datetime | None,
    is_spent: bool,
) -> int:
    """Return the share, or what the load has already while a raise has to wait.

    Args:
        row: Of the load.
        share_w: What it should have.
        ampere: What 1 A is, in W.
        now: Of the step.
        moved_at: When a wish of the site has changed last: a battery that is nearly full leaves a
            little more every minute, and that is not worth a message to all others.
        is_spent: No more may be told today.
    """
    has = row.acknowledged_w
    if has is None or share_w <= has or row.doubtful or row.may_be_unlimited:
        return share_w
    close = _since(row.raised_at, now) < RAISES_APART
    calm = _since(moved_at, now) >= CALM or _since(row.desired_at, now) >= PATIENCE
    small = share_w - has < ampere and not calm
    return has if is_spent or close or small else share_w


def _since(at: datetime | None, now: datetime) -> timedelta:
    """Return how long ago something was; for ever where it never was, or is yet to come."""
    return now - at if at is not None and at <= now else timedelta.max


def _lease(
    session: SessionState, state: ChargerState, limit_w: int, rules: SiteRules
) -> timedelta | None:
    """Return how long a limit may hold; None where nothing lower would follow its end."""
    floor = under(state, session.connector_id)
    if rules.lease_s <= 0 or not state.dialect.takes_leases or session.clock_is_wrong:
        return None
    if session.by_default:
        return None
    if not floor.is_firm or floor.acknowledged_w is None or floor.acknowledged_w >= limit_w:
        return None
    return timedelta(seconds=rules.lease_s)


def _is_due(row: LimitRow, lease: timedelta | None, half: timedelta, now: datetime) -> bool:
    """Return whether a limit must be told again so that it goes on, or to give it an end."""
    if row.acknowledged_w is None or row.acknowledged_at is None:
        return False
    if row.ends_at is not None:
        return row.ends_at - now < half
    return lease is not None and now - row.acknowledged_at >= half
