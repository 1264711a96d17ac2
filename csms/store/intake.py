"""The intake's statements: set-based SQL on a held asyncpg connection, one round trip a kind.

The hot path of the whole system. Arrays travel as parameters and are unnested in Postgres, so the
text of each statement is constant and stays prepared on the connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from csms.domain.authorization import AuthorizationStatus, IdTagRecord
from csms.domain.charge_points import BootFact, Registration
from csms.domain.connectors import StatusFact
from csms.domain.ids import ChargePointKey, SiteId, TransactionId, id_tag_key
from csms.domain.jobs import JobStatusFact
from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact
from csms.domain.transactions import OpenTransaction
from csms.errors import DatabaseAway
from csms.services.ports.intake import (
    Known,
    NewTransaction,
    Orphan,
    Quarantined,
    StoppedTransaction,
)
from csms.store import intake_sql as sql
from csms.store import partitions
from csms.store.held import ContentRefused, HeldConnection

_REPEATED_WITHIN = timedelta(days=2)
"""How long after the first sending a repetition is looked for; an outage of ours may be long."""

_LOG_COLUMNS = (
    "at",
    "charge_point_id",
    "direction",
    "type",
    "action",
    "message_id",
    "raw",
    "latency_us",
    "repairs",
    "repaired",
)


_STATUSES = {str(status): status for status in AuthorizationStatus}


class MissingPartition(ContentRefused):
    """No partition holds these times: a clock has jumped. Never leaves this file."""

    def __init__(self, parent: str, times: Collection[datetime]) -> None:
        super().__init__(f"a partition of {parent} was missing and has been made")
        self.parent = parent
        self.times = times


_IDS_AT_ONCE = 200  # a round trip less for most starts; a restart leaves a gap


class SqlIntakeBatch:
    """The statements of one batch; see `csms.services.ports.intake.IntakeBatch`."""

    def __init__(self, connection: asyncpg.Connection, reserved_ids: list[TransactionId]) -> None:
        """Work on a connection; `reserved_ids` are off the sequence and not given yet."""
        self._connection = connection
        self._reserved_ids = reserved_ids
        self._writes: list[tuple[str, Sequence[Any]]] = []
        self._transaction: asyncpg.transaction.Transaction | None = None
        self._times: set[datetime] = set()
        self.sites: set[SiteId] = set()

    def _write(self, text: str, parameters: Sequence[Any]) -> None:
        self._writes.append((text, parameters))

    async def write(self) -> None:
        """Commit what was gathered: without BEGIN and COMMIT when it is one statement."""
        writes = self._writes
        if [text for text, _ in writes] == [sql.START, sql.STOP]:
            writes = [(sql.START_AND_STOP, (*writes[0][1], *writes[1][1]))]
        if len(writes) > 1:
            await self._begin()
        for text, parameters in writes:
            try:
                rows = await self._connection.fetch(text, *parameters)
            except asyncpg.CheckViolationError as error:
                if not _has_no_partition(error, "meter_values"):
                    raise
                raise MissingPartition("meter_values", self._times) from error
            self.sites.update(SiteId(row[0]) for row in rows if row[0] is not None)
        if self._transaction is not None:
            await self._transaction.commit()

    async def roll_back(self) -> None:
        """Undo what `boot` has written."""
        if self._transaction is not None and not self._connection.is_closed():
            await self._transaction.rollback()

    async def _begin(self) -> None:
        if self._transaction is None:
            self._transaction = self._connection.transaction()
            await self._transaction.start()

    async def boot(self, facts: Sequence[BootFact]) -> dict[ChargePointKey, Registration]:
        """See the port."""
        await self._begin()
        # in the order of keys, as all who lock several of these rows
        last = sorted(
            {fact.charge_point: fact for fact in facts}.values(), key=lambda f: f.charge_point
        )
        rows = await self._connection.fetch(
            sql.BOOT,
            *_columns(
                (
                    (
                        f.charge_point,
                        f.vendor,
                        f.model,
                        f.charge_point_serial_number,
                        f.charge_box_serial_number,
                        f.firmware_version,
                        f.iccid,
                        f.imsi,
                        f.meter_type,
                        f.meter_serial_number,
                        f.received_at,
                    )
                    for f in last
                ),
                11,
            ),
        )
        return {ChargePointKey(row[0]): Registration(row[1]) for row in rows}

    def report_status(self, facts: Sequence[StatusFact]) -> None:
        """See the port."""
        self._write(
            sql.STATUS,
            _columns(
                (
                    (
                        f.charge_point,
                        f.connector_id,
                        f.status,
                        f.error_code,
                        f.info,
                        f.vendor_id,
                        f.vendor_error_code,
                        f.reported_at,
                        f.received_at,
                    )
                    for f in facts
                ),
                9,
            ),
        )

    def report_jobs(self, facts: Sequence[JobStatusFact]) -> None:
        """See the port."""
        rows = ((f.charge_point, f.kind, f.status, f.received_at) for f in facts)
        self._write(sql.JOBS, _columns(rows, 4))

    async def look_up(
        self,
        id_tags: Collection[str],
        charge_points: Collection[ChargePointKey],
        transactions: Collection[int],
    ) -> Known:
        """See the port."""
        rows = await self._connection.fetch(
            sql.LOOK_UP,
            _array(tuple(charge_points)),
            _array(tuple(transactions)),
            _array(tuple(id_tags)),
        )
        known = Known(tags={}, active=[], transactions={})
        for row in rows:
            if row[13] is not None:
                known.tags[row[13]] = IdTagRecord(
                    id_tag=row[3],
                    blocked=row[4] == "Blocked",
                    expires_at=row[6],
                    parent_id_tag=row[14],
                    max_active_sessions=row[0],
                )
                continue
            opened = _opened(row)
            known.transactions[opened.id] = opened
            if opened.active and opened.charge_point in charge_points:
                known.active.append(opened)
        known.active.sort(key=lambda opened: opened.id)
        return known

    async def active_sessions(self, keys: Collection[str]) -> dict[str, int]:
        """See the port."""
        return {
            row[0]: row[1] for row in await self._connection.fetch(sql.ACTIVE_SESSIONS, list(keys))
        }

    async def stopped_at(
        self, charge_points: Collection[ChargePointKey], times: Collection[datetime]
    ) -> list[OpenTransaction]:
        """See the port."""
        rows = await self._connection.fetch(sql.STOPPED_AT, list(charge_points), list(times))
        return [_opened(row) for row in rows]

    def doubt(self, doubts: Sequence[tuple[TransactionId, ChargePointKey, str]]) -> None:
        """See the port."""
        self._write(sql.DOUBT, _columns(doubts, 3))

    async def next_transaction_ids(self, count: int) -> list[TransactionId]:
        """See the port."""
        reserve = self._reserved_ids
        if len(reserve) < count:
            more = await self._connection.fetch(sql.NEXT_IDS, max(count, _IDS_AT_ONCE))
            reserve += [TransactionId(row[0]) for row in more]
        taken = reserve[:count]
        del reserve[:count]  # also when the batch fails: an id is never given twice
        return taken

    def start(self, rows: Sequence[NewTransaction]) -> None:
        """See the port."""
        values = (
            (
                row.id,
                row.start.charge_point,
                row.start.connector_id,
                row.start.id_tag,
                id_tag_key(row.start.id_tag),
                row.id_tag_status,
                row.start.reservation_id,
                row.start.meter_start_wh,
                row.start.started_at,
                row.start.received_at,
                ",".join(row.findings),
                str(row.price_per_kwh),
                row.currency,
            )
            for row in rows
        )
        self._write(sql.START, _texts(values, 13, times=(8, 9)))

    def end_without_stop(self, ids: Sequence[TransactionId], at: datetime) -> None:
        """See the port."""
        self._write(sql.END_WITHOUT_STOP, (list(ids), at))

    def stop(self, rows: Sequence[StoppedTransaction]) -> None:
        """See the port."""
        values = (
            (
                row.id,
                row.meter_stop_wh,
                row.stopped_at,
                row.received_at,
                row.reason,
                row.id_tag,
                ",".join(row.findings),
                None if row.cost is None else str(row.cost),
            )
            for row in rows
        )
        self._write(sql.STOP, _texts(values, 8, times=(2, 3)))

    def meter(
        self, facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
    ) -> None:
        """See the port."""
        rows = [
            (
                fact.received_at,
                fact.charge_point,
                link,
                fact.connector_id,
                r.measured_at,
                r.context,
                r.energy_wh,
                r.power_w,
                r.offered_w,
                *r.current_ma,
                *r.voltage_mv,
                r.soc_permille,
                None if r.rest is None else orjson.dumps(r.rest).decode(),
            )
            for fact, link in zip(facts, links, strict=True)
            for r in fact.readings
        ]
        if not rows:
            return
        self._times = {fact.received_at for fact in facts}
        linked = [row[2] for row in rows if row[2] is not None]
        columns = _texts(rows, 17, times=(0, 4))
        if len(set(linked)) == len(linked):
            self._write(sql.METER_ONE_EACH, columns)
        else:
            self._write(sql.METER, (*columns, *_columns(_newest(facts, links), 7)))

    async def stored_before(self, facts: Sequence[MeterValuesFact]) -> list[bool]:
        """See the port."""
        rows = []
        for f in facts:
            r = f.readings[-1]
            rows.append(
                (
                    f.charge_point,
                    f.connector_id,
                    r.measured_at,
                    r.context,
                    r.energy_wh,
                    r.power_w,
                    r.offered_w,
                    *r.current_ma,
                    *r.voltage_mv,
                    r.soc_permille,
                    None if r.rest is None else orjson.dumps(r.rest).decode(),
                )
            )
        since = min(f.received_at for f in facts) - _REPEATED_WITHIN
        found = await self._connection.fetch(sql.STORED_BEFORE, *_columns(rows, 15), since)
        return [row[0] for row in found]

    def keep_orphans(self, rows: Sequence[Orphan]) -> None:
        """See the port."""
        values = (
            (r.charge_point, r.action, r.reason, orjson.dumps(r.payload).decode(), r.received_at)
            for r in rows
        )
        self._write(sql.ORPHANS, _columns(values, 5))

    def quarantine(self, rows: Sequence[Quarantined]) -> None:
        """See the port."""
        values = (
            (r.charge_point, r.action, r.reason, _storable(r.raw), r.received_at) for r in rows
        )
        self._write(sql.QUARANTINE, _columns(values, 5))


class SqlIntakeStore:
    """Works on two held connections, made again when they are lost: for facts, and for the log.

    Concurrency: one batch at a time, and one `log` beside it.
    """

    def __init__(self, url: str) -> None:
        self._reserved_ids: list[TransactionId] = []
        self._facts = HeldConnection(url, {"application_name": "csms intake"})
        self._frames = HeldConnection(
            url,
            # nobody bills by the log: its commits need not wait for the disk
            {"application_name": "csms message log", "synchronous_commit": "off"},
        )

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[SqlIntakeBatch]:
        """See the port.

        Cancellation: the transaction is rolled back and the connection closed.
        """
        async with self._facts.connection() as connection:
            batch = SqlIntakeBatch(connection, self._reserved_ids)
            try:
                yield batch
                await batch.write()
            except BaseException as error:
                await batch.roll_back()
                if isinstance(error, MissingPartition):
                    await partitions.make_missing(connection, error.parent, error.times)
                    raise DatabaseAway(str(error)) from error
                raise

    async def log(self, frames: Sequence[LoggedFrame]) -> None:
        """See the port.

        Cancellation: the connection is closed; the frames may have been stored.
        """
        async with self._frames.connection() as connection:
            try:
                await self._append(connection, frames)
            except asyncpg.CheckViolationError as error:
                if not _has_no_partition(error, "ocpp_messages"):
                    raise
                times = {f.at for f in frames}
                await partitions.make_missing(connection, "ocpp_messages", times)
                await self._append(connection, frames)
            except (asyncpg.DataError, UnicodeEncodeError):
                await self._append(connection, [f._replace(raw=_storable(f.raw)) for f in frames])

    @staticmethod
    async def _append(connection: asyncpg.Connection, frames: Sequence[LoggedFrame]) -> None:
        await connection.copy_records_to_table(
            "ocpp_messages", columns=_LOG_COLUMNS, records=frames
        )

    async def close(self) -> None:
        """See the port."""
        self._facts.close()
        self._frames.close()


def _newest(
    facts: Sequence[MeterValuesFact], links: Sequence[TransactionId | None]
) -> list[list[Any]]:
    """Return the newest of what was measured for each transaction."""
    newest: dict[TransactionId, list[Any]] = {}
    for fact, link in zip(facts, links, strict=True):
        if link is None:
            continue
        row = newest.setdefault(link, [link, fact.charge_point, None, None, None, None, None])
        for r in fact.readings:
            for place, value in ((2, r.energy_wh), (3, r.power_w), (4, r.soc_permille)):
                if value is not None:
                    row[place] = value
            row[5:] = r.measured_at, fact.received_at
    return list(newest.values())


def _has_no_partition(error: asyncpg.CheckViolationError, parent: str) -> bool:
    """Return whether there is no partition of `parent` for a row; real checks have a name."""
    named = getattr(error, "constraint_name", None)
    return named is None and getattr(error, "table_name", None) == parent


def _columns(rows: Any, count: int) -> list[Any]:
    """Return rows turned into `count` columns; no row gives empty columns.

    So does a column of nothing but None: `unnest` fills it up with NULL, and asyncpg, which looks
    at each element of an array, has nothing to look at. The first column must hold something.
    """
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * count
    return [() if None in c and c.count(None) == len(c) else c for c in columns]


def _texts(rows: Any, count: int, *, times: Collection[int]) -> list[Any]:
    """Return rows turned into columns, each as the text of an array, but for those of times."""
    columns = _columns(rows, count)
    return [c if place in times else _array(c) for place, c in enumerate(columns)]


def _array(values: Sequence[int | str | None]) -> str:
    r"""Return numbers or texts as Postgres writes an array of them.

    >>> _array((1, None, -3)), _array(("a, b", "null", None))
    ('{1,null,-3}', '{"a, b","null",null}')
    >>> print(_array(('say "x"', "a\\b")))
    {"say \"x\"","a\\b"}
    """
    try:
        text = orjson.dumps(values).decode()
    except orjson.JSONEncodeError:  # larger than 64 bits, or half a character: Postgres refuses it
        text = "\\"
    if "\\" in text:  # JSON writes control characters in its own way
        return "{" + ",".join(map(_element, values)) + "}"
    return "{" + text[1:-1] + "}"


def _element(value: int | str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _opened(row: Any) -> OpenTransaction:
    key, charge_point, connector, id_tag, status, start, started, active, *rest = row
    register, stopped, stop, findings, price = rest[:5]
    return OpenTransaction(
        id=TransactionId(key),
        charge_point=ChargePointKey(charge_point),
        connector_id=connector,
        id_tag=id_tag,
        id_tag_status=_STATUSES[status],
        meter_start_wh=start,
        started_at=started,
        active=active,
        register_wh=register,
        stopped_at=stopped,
        meter_stop_wh=stop,
        findings=tuple(findings),
        price_per_kwh=price,
    )


def _storable(text: str) -> str:
    """Return text that Postgres takes: it refuses NUL, and lone surrogates have no UTF-8."""
    if text.isascii() and "\x00" not in text:  # nearly all of it
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
