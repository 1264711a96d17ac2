"""Stations as those who watch live see them: rows kept in memory, moved by hints and sessions.

Nothing is read each second: a hint names the stations to read again, sessions bring power and
limits, and a slow poll finds what a lost hint has missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from csms.domain.ids import ChargePointKey, Identity, TransactionId
from csms.services.ports.gateway import Gateway
from csms.services.ports.live import ConnectorRow, StationRow
from csms.services.ports.store import UnitsOfWork
from csms.services.records import Session

_PAGE = 500  # stations read in one go; more would keep the event loop from charge points
_SEEN_AGAIN = timedelta(minutes=5)
_NO_CAR = frozenset({"Available", "Reserved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStation:
    """A station as it stands now.

    Attributes:
        last_seen_at: When it was heard of; of a silent wire not told more often than needed.
        sessions: What runs on each connector.
    """

    row: StationRow
    online: bool
    last_seen_at: datetime | None
    sessions: Mapping[int, Session] = field(default_factory=dict)


def power_now(session: Session, connector: ConnectorRow) -> int | None:
    """Return what a session draws now, in W, as far as its station, which is there, has told.

    What was measured last says nothing any more once the connector is free again: the session has
    ended without our knowing.
    """
    said_at = connector.received_at
    if connector.status in _NO_CAR and said_at is not None and said_at > session.start_received_at:
        return None
    return session.power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What differs from what was told before: things as they are now, and ids that are no more."""

    changed: tuple[LiveStation, ...]
    removed: tuple[Identity, ...]


class StationBoard:
    """Keeps all stations while somebody watches.

    Concurrency: for the event loop's thread; one task calls the async methods.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        gateway: Gateway,
        last_seen: Callable[[ChargePointKey], datetime | None],
    ) -> None:
        self._units = units
        self._gateway = gateway
        self._last_seen = last_seen
        self._stations: dict[ChargePointKey, LiveStation] = {}
        self._running: defaultdict[ChargePointKey, dict[TransactionId, Session]]
        self._running = defaultdict(dict)
        self._stale: set[ChargePointKey] = set()
        self._moved: set[ChargePointKey] = set()
        self._gone: dict[ChargePointKey, Identity] = {}

    def __len__(self) -> int:
        """Return how many stations there are."""
        return len(self._stations)

    def all(self) -> Collection[LiveStation]:
        """Return all of them."""
        return self._stations.values()

    def get(self, key: ChargePointKey) -> LiveStation | None:
        """Return one, if it is known here."""
        return self._stations.get(key)

    def drawn_w(self, session: Session) -> int:
        """Return what a session draws now as far as is known; of one that is offline nothing is."""
        if not session.power_w or not self._gateway.is_online(session.charge_point):
            return 0
        station = self._stations.get(session.charge_point)
        for connector in () if station is None else station.row.connectors:
            if connector.connector_id == session.connector_id:
                return power_now(session, connector) or 0
        return session.power_w

    def note(self, key: ChargePointKey) -> None:
        """Take a hint: this station is read again with the next `refresh`."""
        self._stale.add(key)

    def has_news(self) -> bool:
        """Return whether `refresh` and `take` have something to do."""
        return bool(self._stale or self._moved or self._gone)

    def take_sessions(self, sessions: Iterable[Session]) -> None:
        """Take sessions as they are now, whether they run or have ended."""
        for session in sessions:
            running = self._running[session.charge_point]
            if session.active:
                running[session.transaction_id] = session
            else:
                running.pop(session.transaction_id, None)
            self._moved.add(session.charge_point)

    async def load(self) -> None:
        """Read all stations, page by page. Raises DatabaseAway."""
        self._stale.clear()
        seen: set[ChargePointKey] = set()
        after = 0
        while True:
            async with self._units() as unit:
                rows = await unit.live.stations(_PAGE, after=after)
            self._put(rows)
            seen |= {row.key for row in rows}
            if len(rows) < _PAGE:
                break
            after = rows[-1].key
        self._drop(self._stations.keys() - seen)

    async def refresh(self) -> None:
        """Read the stations that hints have named. Raises DatabaseAway."""
        while self._stale:
            keys = [self._stale.pop() for _ in range(min(_PAGE, len(self._stale)))]
            try:
                async with self._units() as unit:
                    rows = await unit.live.stations_of(keys)
            except BaseException:
                self._stale.update(keys)
                raise
            self._put(rows)
            self._drop(set(keys) - {row.key for row in rows})

    def take(self) -> Moved:
        """Return what has moved since the last time."""
        changed = []
        for key in self._moved:
            before = self._stations.get(key)
            if before is not None:
                changed.append(self._now(before))
                self._stations[key] = changed[-1]
        self._moved.clear()
        gone, self._gone = self._gone, {}
        # an identity that was taken away and given again is there
        names = {station.row.identity for station in changed}
        return Moved(
            changed=tuple(changed),
            removed=tuple(name for name in gone.values() if name not in names),
        )

    def forget(self) -> None:
        """Nobody watches: what is known here grows old."""
        self._stations.clear()
        self._running.clear()
        self._stale.clear()
        self._moved.clear()
        self._gone.clear()

    def _put(self, rows: Iterable[StationRow]) -> None:
        for row in rows:
            before = self._stations.get(row.key)
            station = self._now(
                LiveStation(row=row, online=False, last_seen_at=None)
                if before is None
                else replace(before, row=row)
            )
            if before is None or _differs(before, station):
                self._stations[row.key] = station
                self._moved.add(row.key)

    def _drop(self, keys: Iterable[ChargePointKey]) -> None:
        for key in keys:
            station = self._stations.pop(key, None)
            if station is not None:
                self._gone[key] = station.row.identity
                self._moved.discard(key)

    def _now(self, station: LiveStation) -> LiveStation:
        """Return a station with what memory knows of it."""
        row = station.row
        times = (row.last_seen_at, self._last_seen(row.key), station.last_seen_at)
        running = self._running.get(row.key)
        return LiveStation(
            row=row,
            online=self._gateway.is_online(row.key),
            last_seen_at=max((at for at in times if at is not None), default=None),
            # the newest counts where a connector seems to have two
            sessions={s.connector_id: s for _, s in sorted(running.items())} if running else {},
        )


def _differs(before: LiveStation, now: LiveStation) -> bool:
    """Return whether somebody who knows `before` has to be told; a sign of life alone is no news.

    The times of connections and of signs of life are left out, and told with the next change.
    """
    if before.online != now.online or before.sessions != now.sessions:
        return True
    old, new = before.row, now.row
    same = replace(
        new,
        last_seen_at=old.last_seen_at,
        connected_at=old.connected_at,
        disconnected_at=old.disconnected_at,
    )
    if same != old:
        return True
    if before.last_seen_at is None or now.last_seen_at is None:
        return before.last_seen_at is not now.last_seen_at
    return now.last_seen_at - before.last_seen_at >= _SEEN_AGAIN
