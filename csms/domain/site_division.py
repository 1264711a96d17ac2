"""How a site's power is divided at one instant: what counts already, then shares of the rest.

What chargers count for that take no limits now is held back first. The others share what is left;
where that would take a car below what keeps it charging, or leave out somebody who still draws,
those are settled by themselves and the rest is shared once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from csms.domain.allocation import Policy
from csms.domain.battery import BatteryId, BatteryState, advance
from csms.domain.fallback import fallback_shares
from csms.domain.never_zero import kept_alive, reserved_for
from csms.domain.pieces import Pieces, collected
from csms.domain.possible_limits import PossibleLimits, worst_case_w
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.resting import may_return, rests
from csms.domain.site_decision import Decision, site_decided
from csms.domain.site_entries import (
    astray,
    each_entry,
    idle_reserves,
    managed_load,
    next_currents,
    reserves,
    session_load,
)
from csms.domain.site_rules import Supply, supply
from csms.domain.site_sharing import LoadShare
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot
from csms.domain.site_wishes import told_w
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

_IDLE_LAST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a site's power is divided, and what was counted for it.

    Attributes:
        limits: Limit and its reason of each load.
        entries: The limits that each load may be under at this instant.
        unmanaged_w: What each load that cannot be controlled now counts for.
        held_w: What chargers count for that cannot be controlled now, by their nodes.
        floors_w: What each connector falls back to, by charger.
        supply: What the site has now.
    """

    decision: Decision
    limits: Mapping[LoadId, tuple[int, str]]
    entries: list[PossibleLimits]
    unmanaged_w: Mapping[LoadId, int]
    held_w: Mapping[NodeId, int]
    floors_w: Mapping[ChargerId, int]
    supply: Supply
    energies: Mapping[BatteryId, BatteryState]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What all decisions about one instant go by."""

    snapshot: SiteSnapshot
    now: datetime
    chargers: Mapping[ChargerId, ChargerState]
    plain: Sequence[Charger]
    site: Site
    supply: Supply
    energies: Mapping[BatteryId, BatteryState]
    floors_w: Mapping[ChargerId, int]
    told_w: Mapping[LoadId, int]
    next_da: Mapping[NodeId, tuple[int, int, int]]


@dataclass(slots=True, kw_only=True)
class _Apart:
    """Loads that share nothing with the others, and what they count for, by node."""

    loads: set[LoadId]
    held_w: Counter[NodeId] = field(default_factory=Counter)


def divided(snapshot: SiteSnapshot, now: datetime) -> Pieces[Division]:
    """Return how the power of a site is divided; its site must be sound."""
    chargers = {state.charger.id: state for state in snapshot.chargers}
    plain = [state.charger for state in snapshot.chargers]
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
    entries = yield from collected(each_entry(snapshot, now))
    unmanaged = {e.id: worst_case_w(e) * e.connectors for e in entries if e.unmanaged_w is not None}
    held = reserves(entries, chargers)
    yield
    unbound = _unbound(snapshot, chargers, unmanaged, held)
    yield
    apart = _Apart(loads=unmanaged.keys() | unbound.keys(), held_w=Counter(held))
    if any(floors.values()):
        apart.held_w.update(idle_reserves(snapshot, floors, held))
    basis = _Basis(
        snapshot=snapshot,
        now=now,
        chargers=chargers,
        plain=plain,
        site=site,
        supply=has,
        energies=_energies(snapshot, now),
        floors_w=floors,
        told_w=_told_last(snapshot),
        next_da=next_currents(snapshot, floors, apart.loads) if site.shares_phases else {},
    )
    yield
    decision = yield from _decided(basis, apart)
    decision = yield from _with_kept_alive(basis, apart, decision)
    decision = yield from _with_strays(basis, apart, decision, entries)
    shared = {share.load_id: (share.limit_w, share.reason) for share in decision.shares}
    return Division(
        decision=decision,
        limits=shared | unbound,
        entries=entries,
        unmanaged_w=unmanaged | {load_id: limit for load_id, (limit, _) in unbound.items()},
        held_w=held,
        floors_w=floors,
        supply=has,
        energies=basis.energies,
    )


def _decided(basis: _Basis, apart: _Apart) -> Pieces[Decision]:
    """Return how those share who are not apart."""
    loads = yield from collected(load for load in _each_load(basis) if load.id not in apart.loads)
    decision = yield from site_decided(
        site=basis.site,
        chargers=basis.plain,
        loads=loads,
        batteries=basis.energies,
        reserved_w={GRID: basis.supply.building_w},
        unmanaged_w=apart.held_w,
        next_da=basis.next_da,
        turns=basis.snapshot.turns,
        has_w=basis.told_w,
        exact=not basis.snapshot.rules.steady,
        now=basis.now,
    )
    return decision


def _with_kept_alive(basis: _Basis, apart: _Apart, decision: Decision) -> Pieces[Decision]:
    """Return a decision that gives those whose charger takes 0 W for a stop the least current."""
    if not any(state.dialect.zero_means_stop for state in basis.chargers.values()):
        return decision
    taken = Counter({GRID: basis.supply.building_w}) + apart.held_w
    tree = site_tree(basis.site, basis.plain, reserved_w=taken, supply_w=decision.available_w)
    alive = kept_alive(decision.shares, basis.chargers, tree)
    if not alive:
        return decision
    apart.held_w.update(reserved_for(alive))
    apart.loads |= {share.load_id for share in alive}
    again = yield from _decided(basis, apart)
    return _beside(alive, decision, again)


def _with_strays(
    basis: _Basis, apart: _Apart, decision: Decision, entries: Sequence[PossibleLimits]
) -> Pieces[Decision]:
    """Return a decision in which others make room for what those draw who do not follow.

    They are told again as if they would.
    """
    strays = astray(basis.snapshot, entries, apart.loads)
    if not strays:
        return decision
    for entry in strays.values():
        apart.held_w[entry.node] += worst_case_w(entry)
    apart.loads |= strays.keys()
    again = yield from _decided(basis, apart)
    told = {share.load_id for share in again.shares}
    fixed = [share for share in decision.shares if share.load_id not in told]
    return _beside(fixed, decision, again)


def _beside(fixed: Sequence[LoadShare], before: Decision, again: Decision) -> Decision:
    """Return a decision about all others with some shares of the one before."""
    ids = {share.load_id for share in fixed}
    turns = {load: turn for load, turn in before.turns.items() if load in ids}
    return replace(again, shares=(*fixed, *again.shares), turns={**again.turns, **turns})


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


def _each_load(basis: _Basis) -> Iterator[SiteLoad]:
    snapshot, rules = basis.snapshot, basis.snapshot.rules
    # where all maxima fit there is nothing to share
    has_share = rules.fallback_a is not None
    may_rest = rules.reclaim and not has_share and snapshot.site.policy is Policy.FAIR
    for row in snapshot.sessions:
        state, idle = basis.chargers[row.charger_id], rules.reclaim and row.appetite.is_idle
        resting = idle and may_rest and not state.dialect.zero_means_stop
        resting = resting and rests(row.own_limit, row.charged_wh, basis.now)
        most_w = _cap_w(row, state.charger) if rules.reclaim else None
        yield SiteLoad(
            id=session_load(row.transaction_id),
            at=ConnectorRef(charger_id=row.charger_id, connector_id=row.connector_id),
            vehicle_max_w=0 if resting else most_w,
            drawn=row.drawn,
            idle=idle,
            rests=resting,
            returns=may_return(row.own_limit, basis.now),
            least_w=_kept_w(state.charger, basis.floors_w) if has_share else 0,
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
