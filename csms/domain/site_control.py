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

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from csms.domain.allocation import Policy
from csms.domain.battery import BatteryId, BatteryState, advance
from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.fallback import fallback_shares
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_routes import routed
from csms.domain.limit_rows import LimitRow, sent, wished
from csms.domain.never_zero import kept_alive, reserved_for
from csms.domain.pieces import AT_ONCE, Pieces, collected, in_one_go
from csms.domain.possible_limits import PossibleLimits, worst_case_w
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.reclaim import Appetite
from csms.domain.reconciliation import Step, changes_planned
from csms.domain.resting import may_return, rests
from csms.domain.site_decision import Decision, site_decided
from csms.domain.site_entries import (
    astray,
    before_floors,
    each_entry,
    floor_load,
    idle_reserves,
    managed_load,
    next_currents,
    reserves,
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
from csms.domain.site_rules import Supply, supply
from csms.domain.site_sharing import LoadShare
from csms.domain.site_snapshot import (
    ChargerState,
    Request,
    RowKey,
    SessionState,
    SiteSnapshot,
    Waking,
)
from csms.domain.site_wishes import Target, Wishes, told_w, wishes
from csms.domain.sites import (
    GRID,
    Charger,
    ChargerId,
    ConnectorRef,
    Site,
    SiteLoad,
    charger_node,
    site_tree,
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
    chargers = {state.charger.id: state for state in snapshot.chargers}
    plain = [state.charger for state in snapshot.chargers]
    energies = _energies(snapshot, now)
    has = supply(
        grid_limit_w=snapshot.site.grid_limit_w,
        rules=snapshot.rules,
        limits=snapshot.outside,
        meter=snapshot.meter,
        now=now,
    )
    site = _narrowed(snapshot.site, has)
    floors = fallback_shares(
        site,
        plain,
        snapshot.rules.fallback_a,
        reserved_w=max(has.building_w, snapshot.rules.building_max_w),
        never_zero={s.charger.id for s in snapshot.chargers if s.dialect.zero_means_stop},
    )
    yield
    found = yield from collected(each_entry(snapshot, now))
    unmanaged = {e.id: worst_case_w(e) * e.connectors for e in found if e.unmanaged_w is not None}
    held = reserves(found, chargers)
    yield
    unbound = _unbound(snapshot, chargers, unmanaged, held)
    yield
    kept = Counter(held)
    if any(floors.values()):
        kept.update(idle_reserves(snapshot, floors, held))
    settled = unmanaged.keys() | unbound.keys()
    next_da = next_currents(snapshot, floors, settled) if site.shares_phases else {}

    yield
    has_w = _told_last(snapshot)

    def decide(settled: Collection[LoadId], held: Mapping[NodeId, int]) -> Pieces[Decision]:
        each = _each_load(snapshot, chargers, floors, now)
        loads = yield from collected(load for load in each if load.id not in settled)
        decided = yield from site_decided(
            site=site,
            chargers=plain,
            loads=loads,
            batteries=energies,
            reserved_w={GRID: has.building_w},
            unmanaged_w=held,
            next_da=next_da,
            turns=snapshot.turns,
            has_w=has_w,
            exact=not snapshot.rules.steady,
            now=now,
        )
        return decided

    decision = yield from decide(settled, kept)
    if any(state.dialect.zero_means_stop for state in snapshot.chargers):
        taken = Counter({GRID: has.building_w}) + kept
        tree = site_tree(site, plain, reserved_w=taken, supply_w=decision.available_w)
        if alive := kept_alive(decision.shares, chargers, tree):
            kept.update(reserved_for(alive))
            settled |= {share.load_id for share in alive}
            again = yield from decide(settled, kept)
            decision = _beside(alive, decision, again)
    if strays := astray(snapshot, found, settled):
        # told again as if they would follow, while others make room for what they draw
        for entry in strays.values():
            kept[entry.node] += worst_case_w(entry)
        settled |= strays.keys()
        again = yield from decide(settled, kept)
        told = {share.load_id for share in again.shares}
        fixed = [share for share in decision.shares if share.load_id not in told]
        decision = _beside(fixed, decision, again)
    limits = {share.load_id: (share.limit_w, share.reason) for share in decision.shares} | unbound
    yield
    wanted = yield from wishes(snapshot, limits, floors, now)
    yield
    trying = {floor_load(s) for s in snapshot.chargers if s.dialect.is_trying and s.reachable}
    if trying:
        found = [e._replace(unmanaged_w=None) if e.id in trying else e for e in found]
    found = before_floors(found, snapshot, floors)
    yield
    if wanted.due:
        found = [e._replace(is_doubtful=True) if e.id in wanted.due else e for e in found]
        yield
    found += [
        PossibleLimits(
            id=share.load_id,
            node=charger_node(share.at.charger_id),
            hardware_max_w=share.limit_w,
            acknowledged_w=share.limit_w,
            phases=share.phases,
        )
        for share in decision.shares
        if share.load_id not in wanted.targets
    ]
    yield
    rows = yield from _wished(wanted, now)
    sendings: list[Sending] = []
    if sends:
        plan = yield from changes_planned(decision.tree, found, wanted.limits_w)
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
    changed = yield from _changed(stored, snapshot, wanted, rows)
    # who cannot be told anything now is waited for all the same
    rest = [
        each.limit for each in snapshot.sessions if session_load(each.transaction_id) not in rows
    ]
    rest += [each.floor for each in snapshot.chargers if floor_load(each) not in rows]
    rest += rows.values()
    yield
    return ControlStep(
        decision=decision,
        energies=energies,
        unmanaged_w=unmanaged | {load_id: limit for load_id, (limit, _) in unbound.items()},
        rows=changed,
        sendings=tuple(sendings),
        supply=has,
        appetites=seen.appetites,
        askings=seen.askings if sends else (),
        chargers={each.key: each.charger for each in snapshot.chargers if each.key is not None},
        floors_w=floors,
        waking=awake,
        cycles=to_cycle(stored, awake) if sends else (),
        held_w=held,
        is_waiting=any(row.earlier_w and row.is_lingering for row in rest),
        has_refusals=any(row.refusals for row in rest),
    )


control = in_one_go(controlled)


def _beside(fixed: Sequence[LoadShare], before: Decision, again: Decision) -> Decision:
    """Return a decision about all others with some shares of the one before."""
    ids = {share.load_id for share in fixed}
    turns = {load: turn for load, turn in before.turns.items() if load in ids}
    return replace(again, shares=(*fixed, *again.shares), turns={**again.turns, **turns})


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


def _narrowed(site: Site, has: Supply) -> Site:
    """Return the site with the limits that hold now."""
    return replace(
        site,
        grid_limit_w=has.grid_limit_w,
        circuits=tuple(
            replace(each, limit_w=min(each.limit_w, has.circuits_w.get(each.id, each.limit_w)))
            for each in site.circuits
        ),
    )


def _told_last(snapshot: SiteSnapshot) -> dict[LoadId, int]:
    """Return the newest wish of each session that has been told a limit."""
    found = {}
    for session in snapshot.sessions:
        row = session.own_limit
        if row.desired_w is not None and row.acknowledged_w is not None:
            found[session_load(session.transaction_id)] = row.desired_w
    return found


def _energies(snapshot: SiteSnapshot, now: datetime) -> dict[BatteryId, BatteryState]:
    energies = {}
    for battery in snapshot.site.batteries:
        row = snapshot.batteries.get(battery.id)
        if row is not None:
            passed = max(now - row.updated_at, timedelta(0))
            energies[battery.id] = advance(
                battery, BatteryState(energy_mwh=row.energy_mwh), row.flow_w, passed
            )
    return energies


def _each_load(
    snapshot: SiteSnapshot,
    chargers: Mapping[ChargerId, ChargerState],
    floors: Mapping[ChargerId, int],
    now: datetime,
) -> Iterator[SiteLoad]:
    reclaim = snapshot.rules.reclaim
    # where all maxima fit there is nothing to share
    has_share = snapshot.rules.fallback_a is not None
    may_rest = reclaim and not has_share and snapshot.site.policy is Policy.FAIR
    for row in snapshot.sessions:
        state, idle = chargers[row.charger_id], reclaim and row.appetite.is_idle
        resting = idle and may_rest and not state.dialect.zero_means_stop
        resting = resting and rests(row.own_limit, row.charged_wh, now)
        most_w = _cap_w(row, state.charger) if reclaim else None
        yield SiteLoad(
            id=session_load(row.transaction_id),
            at=ConnectorRef(charger_id=row.charger_id, connector_id=row.connector_id),
            vehicle_max_w=0 if resting else most_w,
            drawn=row.drawn,
            idle=idle,
            rests=resting,
            returns=may_return(row.own_limit, now),
            least_w=_kept_w(state.charger, floors) if has_share else 0,
            # who takes nothing waits behind those who would
            order=row.transaction_id + (_IDLE_LAST if idle else 0),
        )
    for each in snapshot.managed:
        yield SiteLoad(
            id=managed_load(each.id),
            at=ConnectorRef(charger_id=each.charger_id, connector_id=each.connector_id),
            vehicle_max_w=each.vehicle_max_w,
            order=each.id,
        )


def _kept_w(charger: Charger, floors: Mapping[ChargerId, int]) -> int:
    """Return what is kept for one connector of a charger, for whoever comes there."""
    return min(floors[charger.id], charger.max_w // charger.connectors)


def _cap_w(session: SessionState, charger: Charger) -> int | None:
    """Return what a car takes at most on the phases that it uses, as far as that is known."""
    cap = session.appetite.cap_w
    return None if cap is None else cap * session.in_use(charger) // charger.phases


def _unbound(
    snapshot: SiteSnapshot,
    chargers: Mapping[ChargerId, ChargerState],
    unmanaged: Collection[LoadId],
    held: Mapping[NodeId, int],
) -> dict[LoadId, tuple[int, str]]:
    """Return limit and reason of sessions beside connectors that already count in full.

    Such a charger counts at its maximum whatever this session is told, so it is told that: nobody
    would gain from less.
    """
    found = {}
    for session in snapshot.sessions:
        charger = chargers[session.charger_id].charger
        load_id = session_load(session.transaction_id)
        if load_id not in unmanaged and held.get(charger_node(charger.id), 0) >= charger.max_w:
            limit_w = told_w(charger, charger.max_w)
            found[load_id] = limit_w, "its charger counts in full: it takes no limits elsewhere"
    return found
