"""One step of a site's control loop, pure: from a snapshot to what to store and what to send.

First what came back is looked at: does each charger follow what it has accepted, what does each car
take of its limit, which leases have ended. Then the site's power is shared, and what may be sent at
once is taken from the wishes by `reconciliation`, decreases first.

A charge point that is offline, not accepted, or does not take or follow limits is *unmanaged*: it
counts at the most that it may draw, and the others share what is left. One that has just connected
is told nothing for a moment, but its share is kept, so that a reconnect does not throttle the
others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from csms.domain.battery import BatteryId, BatteryState
from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_routes import routed
from csms.domain.limit_rows import LimitRow, sent, wished
from csms.domain.pieces import AT_ONCE, Pieces, collected, in_one_go
from csms.domain.possible_limits import PossibleLimits
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.reclaim import Appetite
from csms.domain.reconciliation import Step, changes_planned
from csms.domain.site_decision import Decision
from csms.domain.site_division import Division, divided
from csms.domain.site_entries import (
    before_floors,
    floor_load,
    session_load,
)
from csms.domain.site_observation import (
    ReadBack,
    ReadBackEnd,
    SendingEnd,
    as_drawn,
    observed,
    with_ends,
)
from csms.domain.site_rules import Supply
from csms.domain.site_snapshot import (
    Request,
    RowKey,
    SiteSnapshot,
    Waking,
)
from csms.domain.site_wishes import Target, Wishes, wishes
from csms.domain.sites import (
    Charger,
    ChargerId,
    charger_node,
)
from csms.domain.waking import roused, to_cycle, waking

_IDLE_LAST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A limit to send now; `version` is that of the wish it fulfils.

    Attributes:
        ends_at: None: it has no end.
    """

    target: Target
    limit_w: int
    version: int
    ends_at: datetime | None = None

    @property
    def request(self) -> Request:
        """Its name in the ledger."""
        return self.target.request(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlStep:
    """What one step decided.

    Attributes:
        unmanaged_w: What each load that cannot be controlled now counts for.
        held_w: What chargers count for that cannot be controlled now, by their nodes.
        rows: Rows of the ledger that have changed, requests about to leave included.
        appetites: Of the rows whose load's appetite has changed.
        sendings: Limits to send once the rows are stored.
        askings: Whom to ask which limit holds; nothing has to be stored for it.
        supply: What the site has now.
        chargers: Of our charge points.
        floors_w: What each connector falls back to, by charger.
        waking: Where sessions stand that were paused.
        cycles: Transactions to be ended and begun anew, so that their cars wake.
        is_waiting: An accepted decrease has still to be seen at work: look again soon.
        has_refusals: A refused limit has to be told again in a while.
    """

    decision: Decision
    energies: Mapping[BatteryId, BatteryState]
    unmanaged_w: Mapping[LoadId, int]
    rows: Mapping[RowKey, LimitRow]
    sendings: tuple[Sending, ...]
    supply: Supply
    appetites: Mapping[RowKey, Appetite] = field(default_factory=dict)
    askings: tuple[ReadBack, ...] = ()
    held_w: Mapping[NodeId, int] = field(default_factory=dict)
    chargers: Mapping[ChargePointKey, Charger] = field(default_factory=dict)
    floors_w: Mapping[ChargerId, int] = field(default_factory=dict)
    waking: Mapping[TransactionId, Waking] = field(default_factory=dict)
    cycles: tuple[TransactionId, ...] = ()
    is_waiting: bool = False
    has_refusals: bool = False


def controlled(
    snapshot: SiteSnapshot,
    now: datetime,
    *,
    ends: Iterable[SendingEnd | ReadBackEnd] = (),
    lost: Iterable[Request] = (),
    sends: bool = True,
) -> Pieces[ControlStep]:
    """Return the decision for a site, the rows that changed, and what may be sent at once.

    Args:
        snapshot: Of one instant, as it is stored; its site must be sound.
        now: For batteries, whose flow is integrated up to now, for leases and retries.
        ends: What came back since the last step, in any order.
        lost: Open requests that nobody waits for any more.
        sends: Whether sendings will go out; else only wishes change.
    """
    stored = snapshot
    answered = yield from with_ends(snapshot, ends, lost)
    seen = yield from observed(routed(answered), now)
    yield
    snapshot = as_drawn(seen.snapshot)
    yield
    awake = waking(snapshot, now) if snapshot.rules.wake_up else {}
    snapshot = roused(snapshot, awake)
    yield
    division = yield from divided(snapshot, now)
    yield
    wanted = yield from wishes(snapshot, division.limits, division.floors_w, now)
    yield
    rows = yield from _wished(wanted, now)
    sendings: list[Sending] = []
    if sends:
        sendings = yield from _sendings(snapshot, division, wanted, rows, now)
    changed = yield from _changed(stored, snapshot, wanted, rows)
    # who cannot be told anything now is waited for all the same
    rest = [
        each.limit for each in snapshot.sessions if session_load(each.transaction_id) not in rows
    ]
    rest += [each.floor for each in snapshot.chargers if floor_load(each) not in rows]
    rest += rows.values()
    yield
    return ControlStep(
        decision=division.decision,
        energies=division.energies,
        unmanaged_w=division.unmanaged_w,
        rows=changed,
        sendings=tuple(sendings),
        supply=division.supply,
        appetites=seen.appetites,
        askings=seen.askings if sends else (),
        chargers={each.key: each.charger for each in snapshot.chargers if each.key is not None},
        floors_w=division.floors_w,
        waking=awake,
        cycles=to_cycle(stored, awake) if sends else (),
        held_w=division.held_w,
        is_waiting=any(row.earlier_w and row.is_lingering for row in rest),
        has_refusals=any(row.refusals for row in rest),
    )


control = in_one_go(controlled)


def _sendings(
    snapshot: SiteSnapshot,
    division: Division,
    wanted: Wishes,
    rows: dict[LoadId, LimitRow],
    now: datetime,
) -> Pieces[list[Sending]]:
    """Return what may be sent at once, sessions' limits first; `rows` gets it as sent."""
    chargers = {state.charger.id: state for state in snapshot.chargers}
    entries = yield from _entries_as_wished(snapshot, division, wanted)
    plan = yield from changes_planned(division.decision.tree, entries, wanted.limits_w)
    steps = [
        step
        for step in plan.steps
        if not chargers[wanted.targets[step.load_id].charger.id].settling
    ]
    leaving = {step.load_id for step in steps}
    measured = {
        session_load(each.transaction_id): each.told_w(chargers[each.charger_id].charger)
        for each in snapshot.sessions
        if session_load(each.transaction_id) in leaving
    }
    sendings = yield from collected(
        _send(step, wanted, rows, measured.get(step.load_id), now) for step in steps
    )
    sendings.sort(key=lambda sending: sending.target.purpose is not ProfilePurpose.TX)
    return sendings


def _entries_as_wished(
    snapshot: SiteSnapshot, division: Division, wanted: Wishes
) -> Pieces[list[PossibleLimits]]:
    """Return the entries of the plan: with what is on its way, and who cannot be told anything."""
    found = division.entries
    trying = {floor_load(s) for s in snapshot.chargers if s.dialect.is_trying and s.reachable}
    if trying:
        found = [e._replace(unmanaged_w=None) if e.id in trying else e for e in found]
    found = before_floors(found, snapshot, division.floors_w)
    yield
    if wanted.due:
        found = [e._replace(is_doubtful=True) if e.id in wanted.due else e for e in found]
        yield
    found = found + [
        PossibleLimits(
            id=share.load_id,
            node=charger_node(share.at.charger_id),
            hardware_max_w=share.limit_w,
            acknowledged_w=share.limit_w,
            phases=share.phases,
        )
        for share in division.decision.shares
        if share.load_id not in wanted.targets
    ]
    yield
    return found


def _wished(wanted: Wishes, now: datetime) -> Pieces[dict[LoadId, LimitRow]]:
    """Return the rows with their wishes; unchanged ones as they are."""
    rows = {}
    for number, (load_id, target) in enumerate(wanted.targets.items()):
        if not number % AT_ONCE:
            yield
        row, limit = wanted.rows[load_id], wanted.limits_w[load_id]
        if row.desired_w != limit or row.transaction_id != target.transaction_id:
            row = wished(row, limit, wanted.reasons[load_id], target.transaction_id, now)
        rows[load_id] = row
    return rows


def _changed(
    stored: SiteSnapshot,
    snapshot: SiteSnapshot,
    wanted: Wishes,
    rows: Mapping[LoadId, LimitRow],
) -> Pieces[dict[RowKey, LimitRow]]:
    """Return the rows that are not as they were stored.

    Args:
        stored: The snapshot as it was read.
        snapshot: As it is after the look at it.
        wanted: The wishes, made of `snapshot`.
        rows: Those of the wishes, as they are now.
    """
    apart = stored.apart(snapshot)
    yield
    before, after = stored.rows(apart), snapshot.rows(apart)
    yield
    for number, (load, row) in enumerate(rows.items()):
        if not number % AT_ONCE:
            yield
        if row is not wanted.rows[load]:
            place = wanted.targets[load].row
            after[place] = row
            if wanted.targets[load].charger.id not in apart:
                before[place] = wanted.rows[load]
    return {
        place: row
        for place, row in after.items()
        if row is not (old := before.get(place)) and row != old
    }


def _send(
    step: Step,
    wanted: Wishes,
    rows: dict[LoadId, LimitRow],
    drew_w: int | None,
    now: datetime,
) -> Sending:
    lease = wanted.leases.get(step.load_id)
    # a limit that stands in for the wish for now may lie below what follows it
    ends_at = None if lease is None or step.limit_w < wanted.limits_w[step.load_id] else now + lease
    row = sent(
        rows[step.load_id],
        step.limit_w,
        before_w=step.worst_before_w,
        drew_w=drew_w,
        ends_at=ends_at,
        now=now,
    )
    rows[step.load_id] = row
    return Sending(
        target=wanted.targets[step.load_id],
        limit_w=step.limit_w,
        version=row.desired_version,
        ends_at=ends_at,
    )
