"""A control step as operators see it."""

from __future__ import annotations

from datetime import datetime

from csms.domain.charging_profiles import RateUnit
from csms.domain.limit_rows import IGNORED
from csms.domain.obedience import METER_FRESH, tolerance_w
from csms.domain.pieces import AT_ONCE, Pieces, collected, in_one_go
from csms.domain.site_control import ControlStep
from csms.domain.site_entries import managed_load, session_load
from csms.domain.site_snapshot import SiteSnapshot
from csms.domain.site_status import BatteryStatus, CircuitStatus, LoadStatus, SiteStatus
from csms.domain.site_wishes import ampere_w
from csms.domain.sites import GRID, PHASES_UNHEARD, ChargerId, charger_node, circuit_node

_NAMED = 5


def reported(snapshot: SiteSnapshot, step: ControlStep, now: datetime) -> Pieces[SiteStatus]:
    """Return a step's decision as operators see it; unmanaged sessions at what they may draw."""
    decision = step.decision
    measured = {session_load(row.transaction_id): row.measured_w for row in snapshot.sessions}
    measured |= {managed_load(row.id): row.measured_w for row in snapshot.managed}
    yield
    loads = yield from collected(
        LoadStatus(
            id=share.load_id,
            charger_id=share.at.charger_id,
            connector_id=share.at.connector_id,
            allocated_w=share.power_w,
            measured_w=measured[share.load_id],
            limit_a=share.limit.value
            if share.limit is not None and share.limit.unit is RateUnit.AMPERES
            else None,
            reason=share.reason,
            phases=None
            if share.phases is None
            else tuple(n + 1 for n in range(3) if share.phases >> n & 1),
        )
        for share in decision.shares
    )
    loads += [
        LoadStatus(
            id=session_load(row.transaction_id),
            charger_id=row.charger_id,
            connector_id=row.connector_id,
            allocated_w=step.unmanaged_w[session_load(row.transaction_id)],
            measured_w=row.measured_w,
            limit_a=None,
            reason="not controllable now: counted at what it may draw",
        )
        for row in snapshot.sessions
        if step.unmanaged_w and session_load(row.transaction_id) in step.unmanaged_w
    ]
    yield
    warnings = yield from _warnings(snapshot, step, now)
    circuits = {GRID: "grid", **{circuit_node(c.id): c.id for c in snapshot.site.circuits}}
    return SiteStatus(
        site_id=snapshot.site.id,
        version=snapshot.version + 1,
        decided_at=now,
        loads=tuple(loads),
        circuits=tuple(
            CircuitStatus(
                id=circuits[node.id],
                limit_w=node.limit_w,
                load_w=node.load_w,
                phase_limit_da=node.phase_limit_da,
                load_da=node.load_da,
            )
            for node in decision.nodes
            if node.id in circuits
        ),
        battery=BatteryStatus(
            energy_wh=sum(state.energy_wh for state in step.energies.values()),
            power_w=decision.battery_w,
        )
        if snapshot.site.batteries
        else None,
        grid_power_w=decision.grid_w,
        warnings=(*step.supply.warnings, *warnings),
    )


site_status = in_one_go(reported)


def _warnings(snapshot: SiteSnapshot, step: ControlStep, now: datetime) -> Pieces[list[str]]:
    """Return what is wrong with chargers, a sentence each."""
    found = [*_overloads(step)]
    yield
    found += _uncontrolled(snapshot, step, now)
    yield
    if snapshot.site.limits_phases and not snapshot.site.shares_phases:
        found.append(PHASES_UNHEARD)
    for number, session in enumerate(snapshot.sessions):
        if not number % AT_ONCE:
            yield
        row = session.own_limit
        if row.refused_status == IGNORED and row.refusals:
            found.append(
                f"charger {session.charger_id} draws more than the limit that it has accepted: it "
                "counts at what it may draw"
            )
        if session.clock_is_wrong and session.clock_off_s is not None:
            found.append(
                f"the clock of charger {session.charger_id} is {abs(session.clock_off_s):.0f} s "
                f"{'ahead' if session.clock_off_s > 0 else 'late'}: its limits hold without an end"
            )
    found += _beyond_maximum(snapshot, now)
    yield
    for state in snapshot.chargers:
        told, wired = state.told_rotation, state.charger.rotation
        if told is not None and told is not wired:
            found.append(
                f"charger {state.charger.id} says that its phases are wired {told}, but {wired} is "
                f"set: {wired} counts"
            )
        if state.dialect.zero_means_stop and not step.floors_w.get(state.charger.id, 0):
            found.append(
                f"charger {state.charger.id} ends its sessions at 0 A, and there is no room to "
                "let each of its connectors start with more"
            )
    asked = snapshot.rules.fallback_a
    if asked is not None and not any(step.floors_w.values()) and step.floors_w:
        found.append(
            f"the fallback share of {float(asked):g} A does not fit the limits that hold now: "
            "0 A instead"
        )
    return found


def _beyond_maximum(snapshot: SiteSnapshot, now: datetime) -> list[str]:
    """Return which chargers draw more than they are said to be able to: they count for that."""
    draws: dict[ChargerId, int] = {}
    for session in snapshot.sessions:
        if session.measured_at is not None and now - session.measured_at < METER_FRESH:
            drawn = session.measured_w or 0
            draws[session.charger_id] = draws.get(session.charger_id, 0) + drawn
    chargers = {state.charger.id: state.charger for state in snapshot.chargers}
    return [
        f"charger {name} draws {drawn / 1000:g} kW, more than its maximum of {most / 1000:g} kW: "
        "it counts for what it draws; set the maximum that it really has"
        for name, drawn in draws.items()
        if drawn > (most := chargers[name].max_w) + tolerance_w(most, ampere_w(chargers[name]))
    ]


def _overloads(step: ControlStep) -> list[str]:
    """Return where more may flow than may be, because it is not ours to lower."""
    found = []
    for node in step.decision.nodes:
        if node.id in step.held_w:
            continue  # a charger keeps its own maximum
        if node.load_w > node.limit_w:
            found.append(
                f"up to {node.load_w / 1000:g} kW may flow through the {node.id} where "
                f"{node.limit_w / 1000:g} kW may: what cannot be controlled counts in full"
            )
        most_da = max(node.load_da or (0,))
        if node.phase_limit_da is not None and most_da > node.phase_limit_da:
            found.append(
                f"up to {most_da / 10:g} A may flow through a phase of the {node.id} where "
                f"{node.phase_limit_da / 10:g} A may: what cannot be controlled counts in full"
            )
    return found


def _uncontrolled(snapshot: SiteSnapshot, step: ControlStep, now: datetime) -> list[str]:
    """Return which chargers count for more than their fallback share because nobody steers them."""
    rows = snapshot.rows() | dict(step.rows) if step.held_w else {}
    refusals = {place.key: row.refused_status for place, row in rows.items() if row.gives_up(now)}
    away, found = [], []
    away_w = 0
    for state in snapshot.chargers:
        charger = state.charger
        counts_w = step.held_w.get(charger_node(charger.id), 0)
        if state.key is None or not state.known or not counts_w:
            continue
        if not state.reachable:
            share_w = step.floors_w.get(charger.id, 0) * charger.connectors
            if counts_w > min(charger.max_w, share_w):
                away.append(charger.id)
                away_w += counts_w
        elif state.key in refusals:
            found.append(
                f"charger {charger.id} does not take limits ({refusals[state.key]}): it counts "
                f"for {counts_w / 1000:g} kW"
            )
    if away:
        one = len(away) == 1
        names = ", ".join(away[:_NAMED])
        names += f" and {len(away) - _NAMED} more" if len(away) > _NAMED else ""
        found.append(
            f"{names} cannot be told limits (offline, or not accepted) and "
            f"count{'s' if one else ''} for {away_w / 1000:g} kW: what {'it' if one else 'they'} "
            f"had last, or {'its' if one else 'their'} maximum"
        )
    return found
