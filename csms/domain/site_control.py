"""One step of a site's control loop, pure: from a snapshot to what to store and what to send.

Two layers for each charge point, as smart-charging practice has it:

* the *floor*, a TxDefaultProfile on connector 0: what a transaction may draw before it has a limit
  of its own, and what an unreachable charge point does with new cars. It is the charger's maximum
  where everything fits the site's limits anyway, else 0: a floor above 0 would have to be kept free
  beside every idle connector, or the breaker trusted to a car that comes unannounced;
* a TxProfile for each running transaction, with the share that the allocator gives it.

A charge point that is offline, not accepted, or does not take limits is *unmanaged*: it counts at
the most that it may draw, and the others share what is left. One that has just connected is told
nothing for a moment, but its share is kept, so that a reconnect does not throttle the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from csms.domain.battery import BatteryId, BatteryState, advance
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.possible_limits import PossibleLimits, worst_case_w
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.reconciliation import Step, plan_changes, unmanaged_reserves
from csms.domain.site_decision import Decision, decide_site
from csms.domain.site_snapshot import (
    ChargerState,
    LimitRow,
    Request,
    SessionState,
    SiteSnapshot,
)
from csms.domain.sites import (
    GRID,
    Charger,
    ChargerId,
    ConnectorRef,
    SiteLoad,
    charger_node,
    circuit_node,
    limit_power_w,
    rate_limit,
)

_FLOOR_PROFILE_ID = 1
_SESSION_PROFILE_ID = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a limit goes: a transaction's connector, or the whole charge point (the floor)."""

    key: ChargePointKey
    connector_id: int
    transaction_id: TransactionId | None
    charger: Charger

    def request(self, version: int) -> Request:
        """Return the name of a request that tells it this version."""
        return Request(self.key, self.connector_id, self.transaction_id, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A desired limit that differs from the stored one."""

    target: Target
    limit_w: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A limit to send now; `version` is that of the wish it fulfils."""

    target: Target
    limit_w: int
    version: int

    @property
    def request(self) -> Request:
        """Its name in the ledger."""
        return self.target.request(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlStep:
    """What one step decided."""

    decision: Decision
    energies: Mapping[BatteryId, BatteryState]
    unmanaged_w: Mapping[LoadId, int]
    wishes: tuple[Wish, ...]
    sendings: tuple[Sending, ...]


def control(snapshot: SiteSnapshot, now: datetime) -> ControlStep:
    """Return the decision for a site, the wishes that changed, and what may be sent at once.

    Args:
        snapshot: Of one instant; its site must be sound.
        now: For batteries, whose flow is integrated up to now, and for retries.
    """
    chargers = {state.charger.id: state for state in snapshot.chargers}
    energies = _energies(snapshot, now)
    entries = _entries(snapshot, chargers, now)
    unmanaged = {e.id: worst_case_w(e) for e in entries if e.unmanaged_w is not None}
    reserves = _reserves(entries, chargers)
    unbound = _unbound(snapshot, chargers, unmanaged, reserves)
    decision = decide_site(
        site=snapshot.site,
        chargers=[state.charger for state in snapshot.chargers],
        loads=_loads(snapshot, unmanaged.keys() | unbound.keys()),
        batteries=energies,
        unmanaged_w=reserves,
    )
    limits = {share.load_id: (share.limit_w, share.reason) for share in decision.shares} | unbound
    targets, rows, wanted, reasons = _wanted(snapshot, chargers, limits, _floors(snapshot))
    entries += [
        PossibleLimits(
            id=share.load_id,
            node=charger_node(share.at.charger_id),
            hardware_max_w=share.limit_w,
            acknowledged_w=share.limit_w,
        )
        for share in decision.shares
        if share.load_id not in targets
    ]
    plan = plan_changes(decision.tree, entries, wanted)
    versions = {
        load_id: rows[load_id].desired_version + (rows[load_id].desired_w != limit)
        for load_id, limit in wanted.items()
    }
    return ControlStep(
        decision=decision,
        energies=energies,
        unmanaged_w=unmanaged | {load_id: limit for load_id, (limit, _) in unbound.items()},
        wishes=tuple(
            Wish(target=targets[load_id], limit_w=limit, reason=reasons[load_id])
            for load_id, limit in wanted.items()
            if rows[load_id].desired_w != limit or _is_of_an_older_session(rows, targets, load_id)
        ),
        sendings=tuple(
            _sending(step, targets, versions)
            for step in plan.steps
            if not chargers[targets[step.load_id].charger.id].settling
        ),
    )


def profile_id(connector_id: int) -> int:
    """Return the id of our profile: the floor's (connector 0) or that of a connector's session.

    Always the same one, so that a charge point replaces it in place (smart charging rule 8).

    >>> profile_id(0), profile_id(2)
    (1, 102)
    """
    return _FLOOR_PROFILE_ID if connector_id == 0 else _SESSION_PROFILE_ID + connector_id


def session_load(transaction_id: TransactionId) -> LoadId:
    """Return the load of a transaction."""
    return LoadId(str(transaction_id))


def managed_load(managed_id: int) -> LoadId:
    """Return the load of a managed one; never equal to a session's."""
    return LoadId(f"m{managed_id}")


def _floor_load(state: ChargerState) -> LoadId:
    return LoadId(f"floor {state.charger.id}")


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


def _loads(snapshot: SiteSnapshot, unmanaged: Collection[LoadId]) -> list[SiteLoad]:
    sessions = [
        SiteLoad(
            id=session_load(row.transaction_id),
            at=ConnectorRef(charger_id=row.charger_id, connector_id=row.connector_id),
            order=row.transaction_id,
        )
        for row in snapshot.sessions
    ]
    managed = [
        SiteLoad(
            id=managed_load(row.id),
            at=ConnectorRef(charger_id=row.charger_id, connector_id=row.connector_id),
            vehicle_max_w=row.vehicle_max_w,
            order=row.id,
        )
        for row in snapshot.managed
    ]
    return [load for load in (*sessions, *managed) if load.id not in unmanaged]


def _entries(
    snapshot: SiteSnapshot, chargers: Mapping[ChargerId, ChargerState], now: datetime
) -> list[PossibleLimits]:
    """Return what each transaction and each idle connector of ours may be drawing.

    A floor that no connector of a busy charge point depends on is an entry that draws nothing, so
    that it is told all the same.
    """
    busy: dict[ChargerId, int] = {}
    entries = []
    for session in snapshot.sessions:
        state = chargers[session.charger_id]
        busy[session.charger_id] = busy.get(session.charger_id, 0) + 1
        entry = _session_entry(session, state, now)
        gives_up = session.own_limit.gives_up(now)
        if not state.reachable or gives_up or session.connector_id < 1:
            entry = _unmanaged(entry)
        entries.append(entry)
    for state in chargers.values():
        if state.key is None or not state.known:
            continue
        idle = state.charger.connectors - busy.get(state.charger.id, 0)
        entry = _entry(
            _floor_load(state),
            state.charger,
            state.floor,
            hardware_max_w=state.charger.max_w if idle > 0 else 0,
            now=now,
        )
        if not state.reachable or state.floor.gives_up(now):
            entry = _unmanaged(entry)
        entries.append(entry)
        # the other idle connectors are under the same limit; what is told to one is told to all
        entries += [
            replace(entry, id=LoadId(f"idle {n} of {state.charger.id}")) for n in range(1, idle)
        ]
    return entries


def _session_entry(session: SessionState, state: ChargerState, now: datetime) -> PossibleLimits:
    own, floor = session.own_limit, state.floor
    entry = replace(
        _entry(
            session_load(session.transaction_id),
            state.charger,
            own,
            hardware_max_w=state.charger.max_w,
            now=now,
        ),
        order=session.transaction_id,
    )
    if own.acknowledged_w is not None:
        return entry
    # without an accepted limit of its own a transaction draws what the floor allows
    told = () if floor.in_flight_w is None else (floor.in_flight_w,)
    return replace(
        entry,
        acknowledged_w=floor.acknowledged_w,
        earlier_w=entry.earlier_w | floor.earlier_w | frozenset(told),
        # where the floor would do it is told a limit of its own all the same, but for 0 A
        is_doubtful=own.doubtful or floor.doubtful or bool(told) or bool(floor.acknowledged_w),
        may_be_unlimited=own.may_be_unlimited or floor.may_be_unlimited,
    )


def _entry(
    load_id: LoadId, charger: Charger, row: LimitRow, *, hardware_max_w: int, now: datetime
) -> PossibleLimits:
    return PossibleLimits(
        id=load_id,
        node=charger_node(charger.id),
        hardware_max_w=hardware_max_w,
        acknowledged_w=row.acknowledged_w,
        in_flight_w=row.in_flight_w,
        earlier_w=row.earlier_w,
        refused_w=row.refused_w if row.pauses(now) else None,
        is_doubtful=row.doubtful,
        may_be_unlimited=row.may_be_unlimited,
    )


def _reserves(
    entries: Collection[PossibleLimits], chargers: Mapping[ChargerId, ChargerState]
) -> dict[NodeId, int]:
    """Return the power to reserve by charger; whatever its connectors may do, its maximum holds."""
    most_w = {charger_node(state.charger.id): state.charger.max_w for state in chargers.values()}
    return {
        node: min(power_w, most_w[node]) for node, power_w in unmanaged_reserves(entries).items()
    }


def _unbound(
    snapshot: SiteSnapshot,
    chargers: Mapping[ChargerId, ChargerState],
    unmanaged: Collection[LoadId],
    reserves: Mapping[NodeId, int],
) -> dict[LoadId, tuple[int, str]]:
    """Return limit and reason of sessions beside connectors that already count in full.

    Such a charger counts at its maximum whatever this session is told, so it is told that: nobody
    would gain from less.
    """
    found = {}
    for session in snapshot.sessions:
        charger = chargers[session.charger_id].charger
        load_id = session_load(session.transaction_id)
        if load_id not in unmanaged and reserves.get(charger_node(charger.id), 0) >= charger.max_w:
            limit_w = _told_w(charger, charger.max_w)
            found[load_id] = limit_w, "its charger counts in full: it takes no limits elsewhere"
    return found


def _unmanaged(entry: PossibleLimits) -> PossibleLimits:
    return replace(entry, unmanaged_w=worst_case_w(entry))


def _floors(snapshot: SiteSnapshot) -> dict[ChargerId, int]:
    """Return each charger's floor: its maximum where all maxima fit together, else 0."""
    limits = {GRID: snapshot.site.grid_limit_w}
    parents: dict[NodeId, NodeId] = {}
    for circuit in snapshot.site.circuits:
        node = circuit_node(circuit.id)
        limits[node] = circuit.limit_w
        parents[node] = GRID if circuit.parent_id is None else circuit_node(circuit.parent_id)
    through = dict.fromkeys(limits, 0)
    for state in snapshot.chargers:
        circuit_id = state.charger.circuit_id
        at: NodeId | None = GRID if circuit_id is None else circuit_node(circuit_id)
        while at is not None:
            through[at] += state.charger.max_w
            at = parents.get(at)
    fits = all(through[node] <= limit for node, limit in limits.items())
    return {
        state.charger.id: _told_w(state.charger, state.charger.max_w) if fits else 0
        for state in snapshot.chargers
    }


def _told_w(charger: Charger, power_w: int) -> int:
    """Return the most that a charger draws when it is told a limit for `power_w`."""
    return limit_power_w(charger, rate_limit(charger, power_w))


def _wanted(
    snapshot: SiteSnapshot,
    chargers: Mapping[ChargerId, ChargerState],
    limits: Mapping[LoadId, tuple[int, str]],
    floors_w: Mapping[ChargerId, int],
) -> tuple[dict[LoadId, Target], dict[LoadId, LimitRow], dict[LoadId, int], dict[LoadId, str]]:
    """Return for each limit of ours where it goes, what is stored, what it should be, and why."""
    targets: dict[LoadId, Target] = {}
    rows: dict[LoadId, LimitRow] = {}
    wanted: dict[LoadId, int] = {}
    reasons: dict[LoadId, str] = {}
    for session in snapshot.sessions:
        load_id, state = session_load(session.transaction_id), chargers[session.charger_id]
        if load_id not in limits or state.key is None:
            continue
        targets[load_id] = Target(
            key=state.key,
            connector_id=session.connector_id,
            transaction_id=session.transaction_id,
            charger=state.charger,
        )
        rows[load_id] = session.limit
        wanted[load_id], reasons[load_id] = limits[load_id]
    for state in snapshot.chargers:
        if state.key is None or not state.reachable:
            continue
        load_id = _floor_load(state)
        targets[load_id] = Target(
            key=state.key, connector_id=0, transaction_id=None, charger=state.charger
        )
        rows[load_id] = state.floor
        wanted[load_id] = floors_w[state.charger.id]
        reasons[load_id] = "what a transaction may draw before it has its own limit"
    return targets, rows, wanted, reasons


def _is_of_an_older_session(
    rows: Mapping[LoadId, LimitRow], targets: Mapping[LoadId, Target], load_id: LoadId
) -> bool:
    return rows[load_id].transaction_id != targets[load_id].transaction_id


def _sending(
    step: Step, targets: Mapping[LoadId, Target], versions: Mapping[LoadId, int]
) -> Sending:
    return Sending(
        target=targets[step.load_id], limit_w=step.limit_w, version=versions[step.load_id]
    )
