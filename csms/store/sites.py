"""Sites with their circuits, batteries and chargers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, literal, select, text, union_all, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from csms.domain.battery import MWH_PER_WH
from csms.domain.ids import ChargePointKey, SiteId
from csms.services.ports.store import Changes
from csms.services.records import Battery, BatteryDraft, Charger, Circuit, Site
from csms.store import tables
from csms.store.charge_points import writable

_T = tables.sites
_P = tables.charge_points
_C = tables.circuits
_B = tables.batteries
_X = tables.external_chargers
_LOADS = tables.managed_loads
_WRITABLE = frozenset({"id", "name", "time_zone", "grid_limit_w", "grid_phase_limit_da", "policy"})
_READ = (
    _T.c.id,
    _T.c.name,
    _T.c.time_zone,
    _T.c.grid_limit_w,
    _T.c.grid_phase_limit_da,
    _T.c.policy,
)

_JOIN = text("""
    UPDATE charge_points p
       SET site_id = :site_id, max_power_w = v.max_power_w, connector_count = v.connector_count,
           circuit_id = CASE WHEN p.site_id = :site_id THEN p.circuit_id END
      FROM (SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:powers AS bigint[]),
                                 CAST(:counts AS integer[])) AS u (id, max_power_w, connector_count)
           ) v
     WHERE p.id = v.id
""")


class Sites:
    """See `csms.services.ports.sites.Sites`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, values: Changes) -> None:
        """Add a site."""
        await self._connection.execute(insert(_T).values(writable(values, _WRITABLE)))

    async def insert_if_missing(self, values: Changes) -> bool:
        """Add a site unless its id is there; returns whether it was added."""
        statement = (
            upsert(_T)
            .values(writable(values, _WRITABLE))
            .on_conflict_do_nothing()
            .returning(_T.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def begin_change(self) -> None:
        """Wait for others who change which station stands where, and keep them out.

        Then nobody but this transaction moves stations, and the sites to lock can be read.
        """
        await self._connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('stations of sites'))")
        )

    async def lock(self, *site_ids: str) -> bool:
        """Hold these sites' rows until the end of the transaction; False when one is missing.

        Always before rows of their stations, as the allocator does: else the two wait for each
        other.
        """
        statement = (
            select(_T.c.id)
            .where(_T.c.id.in_(site_ids))
            .order_by(_T.c.id)
            .with_for_update(key_share=True)
        )
        return len((await self._connection.execute(statement)).all()) == len(set(site_ids))

    async def sites_of(self, charge_points: Collection[ChargePointKey]) -> set[SiteId]:
        """Return the sites on which these stations stand now."""
        statement = (
            select(_P.c.site_id)
            .where(_P.c.id.in_(list(charge_points)), _P.c.site_id.is_not(None))
            .distinct()
        )
        return {SiteId(row.site_id) for row in await self._connection.execute(statement)}

    async def get(self, site_id: str) -> Site | None:
        """Return one site with its parts."""
        statement = select(*_READ).where(_T.c.id == site_id)
        sites = await self._with_parts((await self._connection.execute(statement)).all())
        return sites[0] if sites else None

    async def page(self, limit: int, *, after: str | None = None) -> list[Site]:
        """Return sites by id: four statements, whatever the number."""
        statement = select(*_READ).order_by(_T.c.id).limit(limit)
        if after is not None:
            statement = statement.where(_T.c.id > after)
        return await self._with_parts((await self._connection.execute(statement)).all())

    async def update(self, site_id: str, changes: Changes) -> None:
        """Change some columns."""
        if changes:
            values = writable(changes, _WRITABLE - {"id"})
            await self._connection.execute(update(_T).where(_T.c.id == site_id).values(values))

    async def delete(self, site_id: str) -> None:
        """Remove the site; its stations stay, without a site."""
        await self._connection.execute(
            update(_P).where(_P.c.site_id == site_id).values(circuit_id=None)
        )
        await self._connection.execute(delete(_T).where(_T.c.id == site_id))

    async def replace_circuits(self, site_id: str, circuits: Sequence[Circuit]) -> None:
        """Make exactly these the site's circuits; chargers of others hang on the grid again."""
        await self._connection.execute(delete(_C).where(_C.c.site_id == site_id))
        if circuits:
            await self._connection.execute(
                insert(_C),
                [
                    {
                        "site_id": site_id,
                        "id": circuit.id,
                        "parent_id": circuit.parent_id,
                        "name": circuit.name,
                        "limit_w": circuit.limit_w,
                        "phase_limit_da": circuit.phase_limit_da,
                    }
                    for circuit in circuits
                ],
            )
        kept = [circuit.id for circuit in circuits]
        for table in (_P, _X):
            await self._connection.execute(
                update(table)
                .where(table.c.site_id == site_id, table.c.circuit_id.not_in(kept))
                .values(circuit_id=None)
            )

    async def replace_batteries(
        self, site_id: str, batteries: Sequence[BatteryDraft], now: datetime
    ) -> None:
        """Make exactly these the site's batteries.

        A new one is full; one that stays keeps its energy, cut to its capacity, and its flow.
        """
        await self._connection.execute(
            delete(_B).where(
                _B.c.site_id == site_id, _B.c.id.not_in([battery.id for battery in batteries])
            )
        )
        if not batteries:
            return
        statement = upsert(_B).values(
            [
                {
                    "site_id": site_id,
                    "id": battery.id,
                    "capacity_wh": battery.capacity_wh,
                    "power_w": battery.power_w,
                    "energy_mwh": battery.capacity_wh * MWH_PER_WH,
                    "updated_at": now,
                }
                for battery in batteries
            ]
        )
        new = statement.excluded
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["site_id", "id"],
                set_={
                    "capacity_wh": new.capacity_wh,
                    "power_w": new.power_w,
                    "energy_mwh": func.least(_B.c.energy_mwh, new.energy_mwh),
                },
            )
        )

    async def replace_stations(
        self, site_id: str, stations: Sequence[tuple[ChargePointKey, int, int]]
    ) -> None:
        """Make exactly these the site's stations, wherever they stood before."""
        keys = [key for key, _, _ in stations]
        await self._connection.execute(
            update(_P)
            .where(_P.c.site_id == site_id, _P.c.id.not_in(keys))
            .values(site_id=None, circuit_id=None)
        )
        if stations:
            await self._connection.execute(
                _JOIN,
                {
                    "site_id": site_id,
                    "keys": keys,
                    "powers": [power for _, power, _ in stations],
                    "counts": [count for _, _, count in stations],
                },
            )

    async def replace_external(
        self, site_id: str, chargers: Sequence[tuple[str, int, int]], now: datetime
    ) -> None:
        """Make exactly these the site's external chargers; those that stay keep their circuit."""
        ids = [charger_id for charger_id, _, _ in chargers]
        await self._connection.execute(
            update(_LOADS)
            .where(
                _LOADS.c.site_id == site_id,
                _LOADS.c.stopped_at.is_(None),
                _LOADS.c.charger_id.not_in(ids),
            )
            .values(stopped_at=now)
        )
        await self._connection.execute(
            delete(_X).where(_X.c.site_id == site_id, _X.c.id.not_in(ids))
        )
        if chargers:
            statement = upsert(_X).values(
                [
                    {
                        "site_id": site_id,
                        "id": charger_id,
                        "max_power_w": power,
                        "connector_count": count,
                    }
                    for charger_id, power, count in chargers
                ]
            )
            await self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["site_id", "id"],
                    set_={
                        "max_power_w": statement.excluded.max_power_w,
                        "connector_count": statement.excluded.connector_count,
                    },
                )
            )

    async def take_over(self, identity: str, site_id: str | None) -> tuple[SiteId, int, int] | None:
        """Remove the idle external charger of this id; without a site exactly one must have it."""
        statement = (
            select(_X.c.site_id, _X.c.max_power_w, _X.c.connector_count)
            .where(_X.c.id == identity)
            .limit(2)
        )
        if site_id is not None:
            statement = statement.where(_X.c.site_id == site_id)
        found = (await self._connection.execute(statement)).all()
        if len(found) != 1 or not await self.lock(found[0].site_id):
            return None
        found = (await self._connection.execute(statement)).all()  # as it is under the lock
        if len(found) != 1:
            return None
        row = found[0]
        busy = select(
            exists().where(
                _LOADS.c.site_id == row.site_id,
                _LOADS.c.charger_id == identity,
                _LOADS.c.stopped_at.is_(None),
            )
        )
        if (await self._connection.execute(busy)).scalar_one():
            return None
        await self._connection.execute(
            delete(_X).where(_X.c.site_id == row.site_id, _X.c.id == identity)
        )
        return SiteId(row.site_id), row.max_power_w, row.connector_count

    async def _with_parts(self, rows: Collection[Row[*tuple[Any, ...]]]) -> list[Site]:
        ids = [row.id for row in rows]
        if not ids:
            return []
        circuits: dict[str, list[Circuit]] = defaultdict(list)
        found = select(_C).where(_C.c.site_id.in_(ids)).order_by(_C.c.site_id, _C.c.id)
        for row in await self._connection.execute(found):
            circuits[row.site_id].append(
                Circuit(
                    id=row.id,
                    parent_id=row.parent_id,
                    name=row.name,
                    limit_w=row.limit_w,
                    phase_limit_da=row.phase_limit_da,
                )
            )
        batteries: dict[str, list[Battery]] = defaultdict(list)
        found = select(_B).where(_B.c.site_id.in_(ids)).order_by(_B.c.site_id, _B.c.id)
        for row in await self._connection.execute(found):
            batteries[row.site_id].append(
                Battery(
                    id=row.id,
                    capacity_wh=row.capacity_wh,
                    power_w=row.power_w,
                    energy_mwh=row.energy_mwh,
                    flow_w=row.flow_w,
                )
            )
        chargers = await self._chargers(ids)
        return [
            Site(
                id=SiteId(row.id),
                name=row.name,
                time_zone=row.time_zone,
                grid_limit_w=row.grid_limit_w,
                grid_phase_limit_da=row.grid_phase_limit_da,
                policy=row.policy,
                circuits=tuple(circuits[row.id]),
                batteries=tuple(batteries[row.id]),
                chargers=tuple(chargers[row.id]),
            )
            for row in rows
        ]

    async def _chargers(self, ids: list[str]) -> dict[str, list[Charger]]:
        ours = select(
            _P.c.site_id,
            _P.c.identity.label("charger_id"),
            literal(False).label("external"),
            _P.c.circuit_id,
            _P.c.max_power_w,
            _P.c.connector_count,
        ).where(_P.c.site_id.in_(ids), _P.c.deleted_at.is_(None))
        others = select(
            _X.c.site_id,
            _X.c.id,
            literal(True),
            _X.c.circuit_id,
            _X.c.max_power_w,
            _X.c.connector_count,
        ).where(_X.c.site_id.in_(ids))
        both = union_all(ours, others).order_by("site_id", "charger_id")
        chargers: dict[str, list[Charger]] = defaultdict(list)
        for row in await self._connection.execute(both):
            chargers[row.site_id].append(
                Charger(
                    id=row.charger_id,
                    external=row.external,
                    circuit_id=row.circuit_id,
                    max_power_w=row.max_power_w,
                    connector_count=row.connector_count,
                )
            )
        return chargers
