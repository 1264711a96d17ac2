"""What each connector of a site may be drawing: the rows of the ledger as `PossibleLimits`.

A transaction may be under its own limit, one of those that it replaced, or, before it has one and
after its lease has ended, under the charger's floor. An idle connector may start under the floor
at any time, or under a default of its own where it has one; and so may the next car at one that is
busy, so that a limit below the floor counts as the floor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from csms.domain.charging_profiles import CLOCK_SKEW, ProfilePurpose
from csms.domain.ids import TransactionId
from csms.domain.limit_routes import under
from csms.domain.limit_rows import IGNORED, LimitRow
from csms.domain.obedience import tolerance_w
from csms.domain.phases import grid_phases
from csms.domain.possible_limits import PossibleLimits, worst_case_w, worst_own_w
from csms.domain.power_tree import LoadId, NodeId
from csms.domain.reconciliation import unmanaged_reserves
from csms.domain.site_snapshot import ChargerState, SessionState, SiteSnapshot
from csms.domain.sites import GRID, Charger, ChargerId, Currents, charger_node, circuit_node


def session_load(transaction_id: TransactionId) -> LoadId:
    """Return the load of a transaction."""
    return LoadId(str(transaction_id))


def managed_load(managed_id: int) -> LoadId:
    """Return the load of a managed one; never equal to a session's."""
    return LoadId(f"m{managed_id}")


def floor_load(state: ChargerState) -> LoadId:
    """Return the load that stands for a charger's floor."""
    return LoadId(f"floor {state.charger.id}")


def connector_load(state: ChargerState, connector_id: int) -> LoadId:
    """Return the load that stands for an idle connector with a TxDefaultProfile of its own."""
    return LoadId(f"connector {connector_id} of {state.charger.id}")


def cap_load(state: ChargerState) -> LoadId:
    """Return the load that stands for a charger's static cap; it draws nothing."""
    return LoadId(f"cap {state.charger.id}")


def entries(snapshot: SiteSnapshot, now: datetime) -> list[PossibleLimits]:
    """Return what each transaction and each idle connector of ours may be drawing.

    A floor of a charge point whose connectors are all busy is an entry of no connector: it draws
    nothing, and is told all the same.
    """
    return list(each_entry(snapshot, now))


def each_entry(snapshot: SiteSnapshot, now: datetime) -> Iterator[PossibleLimits]:
    """Yield what `entries` returns."""
    chargers = {state.charger.id: state for state in snapshot.chargers}
    busy: dict[ChargerId, list[SessionState]] = {}
    for session in snapshot.sessions:
        state = chargers[session.charger_id]
        busy.setdefault(session.charger_id, []).append(session)
        entry = _as_measured(_session_entry(session, state, now), session, state)
        gives_up = session.own_limit.gives_up(now)
        if not state.reachable or gives_up or session.connector_id < 1:
            entry = _unmanaged(entry)
        if session.drawn is not None and _is_still_there(session, state):
            entry = _on_phases(entry, state.charger, session.drawn)
        yield entry
    for state in chargers.values():
        if state.key is not None and state.known:
            yield from _idle_entries(state, busy.get(state.charger.id, ()), now)


def _idle_entries(
    state: ChargerState, sessions: Sequence[SessionState], now: datetime
) -> list[PossibleLimits]:
    """Return what the connectors without a session may start with; what must be told is first."""
    charger = state.charger
    taken = {session.connector_id for session in sessions}
    apart = sum(number not in taken for number in state.defaults)
    idle = charger.connectors - len(sessions) - apart
    # what is told to one idle connector is told to all of them; to none where all are busy
    entry = _entry(
        floor_load(state), charger, state.floor, charger.most_w, now, connectors=max(0, idle)
    )
    found = [_unmanaged(entry) if not state.reachable or state.floor.gives_up(now) else entry]
    if not state.defaults and ProfilePurpose.CHARGE_POINT_MAX not in state.dialect.purposes:
        return found  # nearly always
    by_default = {session.connector_id for session in sessions if session.by_default}
    for number, row in state.defaults.items():
        if number in by_default:
            continue  # it is its session's
        load, count = connector_load(state, number), 0 if number in taken else 1
        entry = _entry(load, charger, row, charger.most_w, now, connectors=count)
        if row.acknowledged_w is None:
            entry = _from_floor(entry, row, state.floor)
        found.append(_unmanaged(entry) if not state.reachable or row.gives_up(now) else entry)
    if ProfilePurpose.CHARGE_POINT_MAX in state.dialect.purposes:
        found.append(_entry(cap_load(state), charger, state.cap, 0, now))
    return found


def before_floors(
    found: Iterable[PossibleLimits], snapshot: SiteSnapshot, floors_w: Mapping[ChargerId, int]
) -> list[PossibleLimits]:
    """Return the entries with floors counted that are about to be told to busy chargers.

    A session that has no limit of its own yet, or whose lease ends, draws what the floor allows as
    soon as the charger has taken it; where it has one, the next car does.

    Args:
        found: From `entries`.
        snapshot: Of the site.
        floors_w: The floors that chargers should have.
    """
    coming: dict[LoadId, int] = {}
    following: dict[LoadId, int] = {}
    chargers = {state.charger.id: state for state in snapshot.chargers}
    for session in snapshot.sessions:
        state, own = chargers[session.charger_id], session.own_limit
        floor_w = floors_w[session.charger_id]
        if floor_w in state.floor.possible_w():
            continue
        if own.acknowledged_w is None or own.first_end is not None:
            coming[session_load(session.transaction_id)] = floor_w
        if state.reachable and not session.by_default:
            following[session_load(session.transaction_id)] = floor_w
    if not coming and not following:
        return list(found)
    return [_with_floor(entry, coming, following) for entry in found]


def _with_floor(
    entry: PossibleLimits, coming: Mapping[LoadId, int], following: Mapping[LoadId, int]
) -> PossibleLimits:
    if coming.get(entry.id, 0) > worst_own_w(entry):
        entry = entry._replace(earlier_w=entry.earlier_w | {coming[entry.id]})
    if following.get(entry.id, 0) > entry.next_w:
        entry = entry._replace(next_w=following[entry.id])
    return entry


def _is_still_there(session: SessionState, state: ChargerState) -> bool:
    """Return whether what was seen of a session's car counts: another one may have come since.

    While its charger is away nobody tells us; but where others start with nothing it is no matter.
    """
    floor = under(state, session.connector_id)
    starts_at_zero = not floor.may_be_unlimited and floor.possible_w() == {0}
    return state.reachable or starts_at_zero


def _on_phases(entry: PossibleLimits, charger: Charger, drawn: int) -> PossibleLimits:
    """Return the entry of a car that is known to use only some of its charger's phases."""
    conductors = drawn & charger.conductors or charger.conductors
    return entry._replace(
        phases=grid_phases(charger.rotation, conductors),
        volts=charger.voltage_v * conductors.bit_count(),
    )


def reserves(
    found: Collection[PossibleLimits], chargers: Mapping[ChargerId, ChargerState]
) -> dict[NodeId, int]:
    """Return the power to reserve by charger; whatever its connectors may do, its maximum holds."""
    most_w = {charger_node(state.charger.id): state.charger.most_w for state in chargers.values()}
    return {node: min(power_w, most_w[node]) for node, power_w in unmanaged_reserves(found).items()}


def idle_reserves(
    snapshot: SiteSnapshot, floors_w: Mapping[ChargerId, int], held: Collection[NodeId]
) -> dict[NodeId, int]:
    """Return what idle connectors may start with, by the node that feeds their charger.

    Args:
        snapshot: Of the site.
        floors_w: What each idle connector may start with.
        held: Nodes of chargers whose connectors are reserved already.
    """
    busy: dict[ChargerId, int] = {}
    for session in snapshot.sessions:
        busy[session.charger_id] = busy.get(session.charger_id, 0) + 1
    kept: dict[NodeId, int] = {}
    for state in snapshot.chargers:
        charger = state.charger
        if state.key is None or not state.known or charger_node(charger.id) in held:
            continue
        idle = max(0, charger.connectors - busy.get(charger.id, 0))
        node = GRID if charger.circuit_id is None else circuit_node(charger.circuit_id)
        draw = min(charger.max_w, idle * floors_w[charger.id])
        if draw:
            kept[node] = kept.get(node, 0) + draw
    return kept


def next_currents(
    snapshot: SiteSnapshot, floors_w: Mapping[ChargerId, int], settled: Collection[LoadId]
) -> dict[NodeId, Currents]:
    """Return what next cars may take of phases that the present ones do not use, by charger.

    Args:
        snapshot: Of the site.
        floors_w: What each connector's next car may start with.
        settled: Sessions that are reserved already, on all phases.
    """
    chargers = {state.charger.id: state.charger for state in snapshot.chargers}
    kept: dict[NodeId, Currents] = {}
    for session in snapshot.sessions:
        charger, drawn = chargers[session.charger_id], session.drawn
        if drawn is None or session_load(session.transaction_id) in settled:
            continue
        used = grid_phases(charger.rotation, drawn & charger.conductors or charger.conductors)
        free = grid_phases(charger.rotation, charger.conductors) & ~used
        current = -(-floors_w[charger.id] * 10 // charger.volts)
        before = kept.get(charger_node(charger.id), (0, 0, 0))
        first, second, third = (
            min(charger.max_da, before[n] + current * (free >> n & 1)) for n in range(3)
        )
        kept[charger_node(charger.id)] = first, second, third
    return {node: currents for node, currents in kept.items() if any(currents)}


def astray(
    snapshot: SiteSnapshot, found: Iterable[PossibleLimits], settled: Collection[LoadId]
) -> dict[LoadId, PossibleLimits]:
    """Return the sessions that draw more than they were told, and are still told again.

    Either more than anything that may hold, so that more flows than was counted, or for the second
    time. The others have to make room for all that these may draw (smart charging rule 5).
    """
    rows = {session_load(each.transaction_id): each.own_limit for each in snapshot.sessions}
    return {
        entry.id: entry
        for entry in found
        if entry.id not in settled
        and (row := rows.get(entry.id)) is not None
        and row.refused_status == IGNORED
        and (row.may_be_unlimited or row.refusals > 1)
    }


def _session_entry(session: SessionState, state: ChargerState, now: datetime) -> PossibleLimits:
    own = session.own_limit
    floor = state.floor if session.by_default else under(state, session.connector_id)
    load_id, charger = session_load(session.transaction_id), state.charger
    # the car may leave, and the next one start with what the floor allows, before the others
    # could be told; while the charger is away we do not even hear of it
    next_w = 0 if session.by_default else _next_w(state, floor, now)
    entry = _entry(
        load_id, charger, own, charger.most_w, now, order=session.transaction_id, next_w=next_w
    )
    if own.acknowledged_w is None:
        entry = _from_floor(entry, own, floor)
    elif own.first_end is not None:
        # what follows when its lease ends; below what may hold anyway it adds nothing, until the
        # end may have come: then a limit that it had may be a raise
        may_have_ended = session.clock_is_wrong or now >= own.first_end - CLOCK_SKEW
        worst = worst_own_w(entry)
        after = frozenset(w for w in floor.possible_w() if w > worst or may_have_ended)
        unlimited = floor.acknowledged_w is None or floor.may_be_unlimited
        if after or unlimited:
            entry = entry._replace(
                earlier_w=entry.earlier_w | after,
                may_be_unlimited=entry.may_be_unlimited or unlimited,
            )
    if session.by_default and (others := session.beside.possible_w()):
        # a refused TxProfile may hold all the same, until another limit was taken and seen at work
        return entry._replace(earlier_w=entry.earlier_w | others, is_doubtful=True)
    return entry


def _as_measured(
    entry: PossibleLimits, session: SessionState, state: ChargerState
) -> PossibleLimits:
    """Return the entry with a draw that is more than all limits that may hold.

    Without a limit of its own it is under none then: some apply a TxDefaultProfile only to the next
    transaction (smart charging section 4).
    """
    charger, own = state.charger, session.own_limit
    reading, worst = session.reading(charger), worst_own_w(entry)
    if reading is None or reading.power_w <= worst + tolerance_w(worst, charger.volts):
        return entry
    if own.acknowledged_w is None:
        return entry._replace(may_be_unlimited=True)
    if own.acknowledged_at is None or reading.at <= own.acknowledged_at:
        return entry
    return entry._replace(earlier_w=entry.earlier_w | {reading.power_w})


def _next_w(state: ChargerState, floor: LimitRow, now: datetime) -> int:
    """Return what the next car at a connector may start with."""
    unlimited = floor.acknowledged_w is None or floor.may_be_unlimited
    if unlimited:  # who takes none counts in full once he is idle
        takes = ProfilePurpose.TX_DEFAULT in state.dialect.purposes and not floor.gives_up(now)
        if takes:
            return state.charger.most_w
    return max(floor.possible_w(), default=0)


def _from_floor(entry: PossibleLimits, own: LimitRow, floor: LimitRow) -> PossibleLimits:
    """Return the entry of a load without an accepted limit of its own: the floor allows it."""
    told = () if floor.in_flight_w is None else (floor.in_flight_w,)
    return entry._replace(
        acknowledged_w=floor.acknowledged_w,
        earlier_w=entry.earlier_w | floor.earlier_w | frozenset(told),
        # where the floor would do it is told a limit of its own all the same, but for 0 A
        is_doubtful=own.doubtful or floor.doubtful or bool(told) or bool(floor.acknowledged_w),
        may_be_unlimited=own.may_be_unlimited or floor.may_be_unlimited,
    )


def _entry(
    load_id: LoadId,
    charger: Charger,
    row: LimitRow,
    hardware_max_w: int,
    now: datetime,
    *,
    order: int = 0,
    connectors: int = 1,
    next_w: int = 0,
) -> PossibleLimits:
    return PossibleLimits(
        id=load_id,
        node=charger_node(charger.id),
        hardware_max_w=hardware_max_w,
        acknowledged_w=row.acknowledged_w,
        in_flight_w=row.in_flight_w,
        earlier_w=row.earlier_w,
        refused_w=row.refused_w if row.refusals and row.pauses(now) else None,
        is_doubtful=row.doubtful,
        may_be_unlimited=row.may_be_unlimited,
        order=order,
        connectors=connectors,
        next_w=next_w,
    )


def _unmanaged(entry: PossibleLimits) -> PossibleLimits:
    return entry._replace(unmanaged_w=worst_case_w(entry))
