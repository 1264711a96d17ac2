"""The control loop's transaction on one site; see `csms.services.ports.control`.

A step reads the site in five short statements and writes by sets; the row lock on the site makes
steps follow each other, also those of another node that believes it holds the lease.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.aio import in_turns
from csms.domain.allocation import Policy
from csms.domain.battery import Battery, BatteryId
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_decisions import LimitDecision
from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow
from csms.domain.phases import PhaseRotation, phases_seen, told_rotation
from csms.domain.power_tree import LoadId
from csms.domain.remembered import Remembered
from csms.domain.rotation import Turn
from csms.domain.site_control import ControlStep
from csms.domain.site_entries import managed_load
from csms.domain.site_rules import LEAD, LimitScope, MeterReading, OutsideLimit, read_rules
from csms.domain.site_snapshot import (
    BatteryRow,
    ChargerState,
    ManagedLoadState,
    SessionState,
    SiteSnapshot,
    Waking,
)
from csms.domain.site_status import SiteStatus
from csms.domain.sites import Charger, ChargerId, Circuit, CircuitId, CurrentType, Site
from csms.store import control_sql as sql
from csms.store import limit_decisions
from csms.store.database import Database
from csms.store.limit_rows import appetite, appetites_document, limit_row, rows_document
from csms.store.site_status import read_status, status_document
from csms.store.turns import read_turns, read_waking, turns_document, waking_document

_AC_CURRENT_A = 32
_TELLS_FOR = timedelta(minutes=10)
_DC_POWER_W = 150_000
_PRUNED_EVERY = timedelta(minutes=10)


class _Memory:
    """What was made of a site's rows the last time."""

    def __init__(self) -> None:
        self.stations = Remembered[ChargerState]()
        self.sessions = Remembered[SessionState]()
        self.turns = Remembered[dict[LoadId, Turn]]()


class SqlControlUnit:
    """One open transaction."""

    def __init__(self, connection: AsyncConnection, memories: dict[SiteId, _Memory]) -> None:
        self._connection = connection
        self._memories = memories

    async def lock(self, site_id: SiteId) -> bool:
        """See the port."""
        is_there = bool(await self._all(sql.LOCK_SITE, site=site_id))
        if not is_there:
            self._memories.pop(site_id, None)
        return is_there

    async def holder(self, site_id: SiteId) -> str | None:
        """See the port."""
        rows = await self._all(sql.HOLDER, site=site_id)
        return rows[0].holder if rows else None

    async def snapshot(self, site_id: SiteId, now: datetime) -> SiteSnapshot:
        """See the port."""
        site = await self._all(sql.SITE, site=site_id)
        circuits = await self._all(sql.CIRCUITS, site=site_id)
        batteries = await self._all(sql.BATTERIES, site=site_id)
        stations = await self._many(sql.STATIONS, site_id)
        externals = await self._all(sql.EXTERNALS, site=site_id)
        sessions = await self._many(sql.SESSIONS, site_id)
        managed = await self._all(sql.MANAGED, site=site_id)
        outside = await self._all(sql.OUTSIDE, site=site_id, now=now, soon=now + 2 * LEAD)
        others: dict[int, dict[int, LimitRow]] = {}
        for row in await self._all(sql.OTHER_LIMITS, site=site_id):
            others.setdefault(row.key, {})[row.connector_id] = limit_row(row)
        memory = self._memories.setdefault(site_id, _Memory())
        (turns,) = memory.turns.of([(site_id, site[0].turns)], read_turns)
        shares_phases = (
            any(row.phase_limit_da is not None for row in circuits)
            or site[0].grid_phase_limit_da is not None
        )
        drawn = await self._drawn(site_id, site[0], now) if shares_phases else {}
        awake = read_waking(site[0].waking)
        rotations = await self._rotations(site_id) if shares_phases else {}
        known_circuits = {row.id for row in circuits}
        # a station may leave between two statements
        identities = {row["identity"] for row in stations}
        charger_ids = identities | {row.id for row in externals}
        chargers = await in_turns(
            memory.stations.gathered(
                (
                    (
                        row["key"],
                        (
                            row,
                            row["circuit_id"] in known_circuits,
                            others.get(row["key"], {}),
                            rotations.get(row["key"]),
                        ),
                    )
                    for row in stations
                ),
                lambda content: _station(*content),
            )
        )
        running = await in_turns(
            memory.sessions.gathered(
                (
                    (
                        row["transaction_id"],
                        (row, drawn.get(row["transaction_id"]), awake.get(row["transaction_id"])),
                    )
                    for row in sessions
                    if row["identity"] in identities
                ),
                lambda content: _session(*content),
            )
        )
        return SiteSnapshot(
            site=Site(
                id=site_id,
                name=site[0].name,
                grid_limit_w=site[0].grid_limit_w,
                grid_phase_limit_da=site[0].grid_phase_limit_da,
                time_zone=site[0].time_zone,
                policy=Policy(site[0].policy),
                circuits=tuple(
                    Circuit(
                        id=CircuitId(row.id),
                        limit_w=row.limit_w,
                        phase_limit_da=row.phase_limit_da,
                        parent_id=None if row.parent_id is None else CircuitId(row.parent_id),
                    )
                    for row in circuits
                ),
                batteries=tuple(
                    Battery(id=BatteryId(row.id), capacity_wh=row.capacity_wh, power_w=row.power_w)
                    for row in batteries
                ),
            ),
            chargers=(
                *chargers,
                *(_external(row, known_circuits) for row in externals),
            ),
            sessions=running,
            managed=tuple(
                ManagedLoadState(
                    id=row.id,
                    charger_id=ChargerId(row.charger_id),
                    connector_id=row.connector_id,
                    vehicle_max_w=row.vehicle_max_power_w,
                    measured_w=row.consumed_power_w,
                )
                for row in managed
                if row.charger_id in charger_ids
            ),
            batteries={
                BatteryId(row.id): BatteryRow(
                    energy_mwh=row.energy_mwh, flow_w=row.flow_w, updated_at=row.updated_at
                )
                for row in batteries
            },
            version=site[0].version,
            turns=turns,
            rules=read_rules(site[0].rules),
            meter=None
            if site[0].metered_at is None
            else MeterReading(
                power_w=site[0].meter_w,
                building_w=site[0].building_w,
                building_at=site[0].building_at,
                at=site[0].metered_at,
            ),
            outside=tuple(
                OutsideLimit(
                    limit_w=row.limit_w,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    scope=LimitScope(row.scope),
                    circuit_id=row.circuit_id,
                )
                for row in outside
            ),
        )

    async def _rotations(self, site_id: SiteId) -> dict[int, PhaseRotation]:
        """Return how charge points say that they are wired, of those that say it."""
        told = {
            row.key: told_rotation(row.value)
            for row in await self._all(sql.ROTATIONS, site=site_id)
        }
        return {key: rotation for key, rotation in told.items() if rotation is not None}

    async def _drawn(self, site_id: SiteId, site: Any, now: datetime) -> dict[int, int]:
        """Return the phases that cars were seen to draw on; what was seen once is kept."""
        readings: dict[int, list[tuple[int, int, int]]] = {}
        for row in await self._all(sql.CURRENTS, site=site_id, since=now - _TELLS_FOR):
            readings.setdefault(row.transaction_id, []).append(
                (row.current_l1_ma, row.current_l2_ma, row.current_l3_ma)
            )
        seen = {int(transaction): phases for transaction, phases in (site.drawn or {}).items()}
        for transaction, currents in readings.items():
            phases = phases_seen(currents)
            if phases is not None:
                seen[transaction] = phases | seen.get(transaction, 0)
        return seen

    async def write(
        self, snapshot: SiteSnapshot, step: ControlStep, status: SiteStatus, now: datetime
    ) -> None:
        """See the port."""
        if step.rows:
            rows = await in_turns(rows_document(step.rows))
            await self._connection.execute(text(sql.ROWS), {"rows": rows})
        if step.appetites:
            await self._connection.execute(
                text(sql.APPETITES), {"rows": appetites_document(step.appetites)}
            )
        site_id = snapshot.site.id
        if snapshot.site.batteries:
            await self._connection.execute(
                text(sql.FLOW),
                [
                    {
                        "site": site_id,
                        "battery": battery.id,
                        "energy": step.energies[battery.id].energy_mwh,
                        "flow": step.decision.batteries_w[battery.id],
                        "at": now,
                    }
                    for battery in snapshot.site.batteries
                ],
            )
        if snapshot.managed:
            shares = {share.load_id: share.power_w for share in step.decision.shares}
            await self._connection.execute(
                text(sql.SHARE),
                [{"id": row.id, "share": shares[managed_load(row.id)]} for row in snapshot.managed],
            )
        decision = await in_turns(status_document(status))
        turns = await in_turns(turns_document(step.decision.turns))
        await self._connection.execute(
            text(sql.DECIDED),
            {
                "site": site_id,
                "version": status.version,
                "at": now,
                "decision": orjson.dumps(
                    decision
                    | {
                        "turns": turns,
                        "waking": waking_document(step.waking),
                        "drawn": {
                            str(each.transaction_id): each.drawn
                            for each in snapshot.sessions
                            if each.drawn is not None
                        },
                    }
                ).decode(),
            },
        )

    async def status(self, site_id: SiteId) -> SiteStatus | None:
        """See the port."""
        rows = await self._all(sql.STATUS, site=site_id)
        return read_status(site_id, rows[0].decided_at, rows[0].decision) if rows else None

    async def _all(self, statement: str, **values: object) -> Sequence[Any]:
        return (await self._connection.execute(text(statement), values)).all()

    async def _many(self, statement: str, site_id: SiteId) -> Sequence[Any]:
        """Return rows by the driver's own way: of a large site they are thousands, and wide.

        Within the transaction that `lock` has begun.
        """
        raw = await self._connection.get_raw_connection()
        driver: Any = raw.driver_connection
        rows: Sequence[Any] = await driver.fetch(statement, site_id)
        return rows


class SqlControlStore:
    """Control transactions and leases."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memories: dict[SiteId, _Memory] = {}
        self._pruned_at: datetime | None = None

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[SqlControlUnit]:
        """See the port."""
        async with self._database.transaction() as connection:
            yield SqlControlUnit(connection, self._memories)

    async def lease_sites(self, holder: str, now: datetime, until: datetime) -> set[SiteId]:
        """See the port."""
        values = {"holder": holder, "now": now, "until": until}
        async with self._database.transaction() as connection:
            renewed = (await connection.execute(text(sql.RENEW_LEASES), values)).scalars().all()
            taken = (await connection.execute(text(sql.TAKE_LEASES), values)).scalars().all()
        return {SiteId(name) for name in (*renewed, *taken)}

    async def release(self, holder: str) -> None:
        """See the port."""
        async with self._database.transaction() as connection:
            await connection.execute(text(sql.RELEASE_LEASES), {"holder": holder})

    async def keep(
        self, site_id: SiteId, decisions: Sequence[LimitDecision], now: datetime
    ) -> None:
        """See the port."""
        async with self._database.transaction() as connection:
            await limit_decisions.keep(connection, site_id, decisions, now)
            if self._pruned_at is None or now - self._pruned_at >= _PRUNED_EVERY:
                await limit_decisions.prune(connection, now)
                self._pruned_at = now

    async def forget(
        self, charge_points: Collection[ChargePointKey]
    ) -> dict[ChargePointKey, SiteId]:
        """See the port."""
        values = {"keys": list(charge_points)}
        async with self._database.transaction() as connection:
            # like a step, so that no step is in the middle of what it decided before
            await connection.execute(text(sql.LOCK_SITES_OF), values)
            await connection.execute(text(sql.FORGET), values)
            rows = (await connection.execute(text(sql.SITES_OF), values)).all()
        return {ChargePointKey(row.id): SiteId(row.site_id) for row in rows}


def _circuit(circuit_id: str | None, known: set[str]) -> CircuitId | None:
    """Return a charger's circuit; one that is not there any more leaves it on the grid."""
    return CircuitId(circuit_id) if circuit_id in known and circuit_id is not None else None


def _station(
    row: Any, on_circuit: bool, others: Mapping[int, LimitRow], told: PhaseRotation | None
) -> ChargerState:
    rotation = PhaseRotation(row["phase_rotation"])
    if rotation is PhaseRotation.UNKNOWN and told is not None:
        rotation = told  # the operator has set nothing
    phases, voltage_v, max_w = row["phases"], row["voltage_v"], row["max_power_w"]
    if max_w is None:
        max_w = _DC_POWER_W if row["current_type"] == "DC" else _AC_CURRENT_A * phases * voltage_v
    return ChargerState(
        charger=Charger(
            id=ChargerId(row["identity"]),
            max_w=max_w,
            circuit_id=CircuitId(row["circuit_id"]) if on_circuit else None,
            connectors=row["connectors"],
            current_type=CurrentType(row["current_type"]),
            phases=phases,
            voltage_v=voltage_v,
            rotation=rotation,
        ),
        key=ChargePointKey(row["key"]),
        reachable=row["node"] is not None and row["registration"] == "Accepted",
        known=row["connected_at"] is not None,
        occupied=row["occupied"],
        floor=limit_row(row),
        cap=others.get(0, NOTHING_KNOWN),
        defaults={number: limit for number, limit in others.items() if number},
        reads_back=not row["quiet"],
        told_rotation=told,
    )


def _session(row: Any, drawn: int | None, awake: Waking | None) -> SessionState:
    return SessionState(
        transaction_id=TransactionId(row["transaction_id"]),
        charger_id=ChargerId(row["identity"]),
        connector_id=row["connector_id"],
        measured_w=row["power_w"],
        measured_at=row["metered_received_at"],
        limit=limit_row(row),
        appetite=appetite(row),
        clock_off_s=row["clock_off_s"],
        drawn=drawn,
        waking=awake,
        charged_wh=row["charged_wh"],
    )


def _external(row: Any, known_circuits: set[str]) -> ChargerState:
    return ChargerState(
        charger=Charger(
            id=ChargerId(row.id),
            max_w=row.max_power_w,
            circuit_id=_circuit(row.circuit_id, known_circuits),
            connectors=row.connector_count,
            controlled_elsewhere=True,
        ),
        key=None,
    )
