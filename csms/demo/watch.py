"""Looks at the running system and makes a picture of it, with a few statements a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from csms import __version__
from csms.app import Running
from csms.demo.feed import Feed
from csms.demo.picture import (
    Addresses,
    BatteryPicture,
    CircuitPicture,
    Picture,
    SessionPicture,
    SitePicture,
    Totals,
)
from csms.domain.ids import ChargePointKey
from csms.domain.site_status import SiteStatus
from csms.domain.units import amperes
from csms.errors import DatabaseAway, NotFound
from csms.services.ports.sessions import StatisticsFilter
from csms.services.ports.store import UnitOfWork
from csms.services.records import Session, Site, Station
from csms.services.sessions import energy_wh

_MOST_SITES = 20
_MOST_STATIONS = 500
_MOST_SESSIONS = 500
_MOST_FRAMES = 1000
_SLOW_S = 5.0
"""How often is read what seldom changes: sites and statistics."""

_LATE = timedelta(seconds=30)
"""Frames are stored in order of their keys, but somewhat later than they were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seldom:
    sites: list[Site]
    finished: int
    energy_wh: int


class Watcher:
    """Reads pictures.

    Concurrency: one task looks.
    """

    def __init__(self, system: Running, addresses: Addresses) -> None:
        self._ports = system.ports
        self._addresses = addresses
        clock = system.ports.clock
        self._began = clock.monotonic()
        self._frames_from = clock.now()
        self._last_frame = 0
        self._feed = Feed()
        self._seldom: _Seldom | None = None
        self._seldom_at = 0.0
        self._last: Picture | None = None

    async def look(self, notices: Sequence[str] = ()) -> Picture:
        """Return the picture of this moment; the last one with a notice while Postgres is away."""
        try:
            picture = await self._look()
        except DatabaseAway:
            picture = replace(
                self._last or self._empty(), notices=("The database cannot be reached now.",)
            )
        else:
            self._last = picture
        return replace(
            picture,
            uptime_s=int(self._ports.clock.monotonic() - self._began),
            notices=(*picture.notices, *notices),
        )

    async def open_sessions(self) -> int:
        """Return how many sessions run. Raises DatabaseAway."""
        async with self._ports.units() as unit:
            return await unit.sessions.count_active()

    async def _look(self) -> Picture:
        clock = self._ports.clock
        now = clock.now()
        async with self._ports.units() as unit:
            if self._seldom is None or clock.monotonic() - self._seldom_at >= _SLOW_S:
                self._seldom = await _look_seldom(unit, now.date())
                self._seldom_at = clock.monotonic()
            stations = await unit.charge_points.page(_MOST_STATIONS)
            online = {one.key for one in stations if self._ports.gateway.is_online(one.key)}
            sessions = [
                # an old reading says nothing about what is drawn now
                session if session.charge_point in online else replace(session, power_w=None)
                for session in await unit.sessions.active(_MOST_SESSIONS)
            ]
            await self._take_frames(unit, stations)
        statuses = {}
        for site in self._seldom.sites:
            try:
                statuses[site.id] = await self._ports.allocator.status(site.id)
            except NotFound:  # deleted a moment ago
                continue
        return Picture(
            addresses=self._addresses,
            version=__version__,
            uptime_s=0,
            sites=tuple(
                _site(site, statuses[site.id], stations, sessions)
                for site in self._seldom.sites
                if site.id in statuses
            ),
            sessions=_sessions(sessions, stations, online, statuses.values()),
            messages=self._feed.newest(),
            totals=Totals(
                online=len(online),
                stations=len(stations),
                sessions=len(sessions),
                cars_w=_power(sessions),
                energy_today_wh=self._seldom.energy_wh + sum(map(energy_wh, sessions)),
                finished_today=self._seldom.finished,
                messages_per_s=self._feed.per_second(now),
                limits=self._feed.limits,
            ),
        )

    async def _take_frames(self, unit: UnitOfWork, stations: Sequence[Station]) -> None:
        names: Mapping[ChargePointKey, str] = {
            station.key: station.identity for station in stations
        }
        frames = await unit.messages.after(
            names.keys(), self._last_frame, _MOST_FRAMES, at_from=self._frames_from
        )
        if frames:
            newest = frames[-1][1]
            self._last_frame = newest.key
            self._frames_from = max(self._frames_from, newest.at - _LATE)
        self._feed.take((names[key], record) for key, record in frames)

    def _empty(self) -> Picture:
        return Picture(
            addresses=self._addresses,
            version=__version__,
            uptime_s=0,
            sites=(),
            sessions=(),
            messages=(),
            totals=Totals(
                online=0,
                stations=0,
                sessions=0,
                cars_w=0,
                energy_today_wh=0,
                finished_today=0,
                messages_per_s=0.0,
                limits=0,
            ),
        )


async def _look_seldom(unit: UnitOfWork, today: date) -> _Seldom:
    sites = await unit.sites.page(_MOST_SITES)
    rows = await unit.statistics.daily(_MOST_STATIONS, StatisticsFilter(first=today, last=today))
    return _Seldom(
        sites=sites,
        finished=sum(row.sessions for row in rows),
        energy_wh=sum(row.energy_wh for row in rows),
    )


def _power(sessions: Iterable[Session]) -> int:
    return sum(session.power_w or 0 for session in sessions)


def _site(
    site: Site, status: SiteStatus, stations: Sequence[Station], sessions: Sequence[Session]
) -> SitePicture:
    at_site = [session for session in sessions if session.site_id == site.id]
    cars_w = _power(at_site)
    battery = status.battery
    circuits = {
        station.identity: station.circuit_id for station in stations if station.site_id == site.id
    }
    through: Counter[str] = Counter()
    parents = {circuit.id: circuit.parent_id for circuit in site.circuits}
    for session in at_site:
        at = circuits.get(session.identity)
        while at is not None and at in parents:
            through[at] += session.power_w or 0
            at = parents[at]
    return SitePicture(
        id=site.id,
        name=site.name,
        limit_w=site.grid_limit_w,
        cars_w=cars_w,
        grid_w=cars_w if battery is None else max(0, cars_w - battery.power_w),
        sessions=len(at_site),
        connectors=sum(charger.connector_count or 1 for charger in site.chargers),
        circuits=tuple(
            CircuitPicture(id=circuit.id, power_w=through[circuit.id], limit_w=circuit.limit_w)
            for circuit in site.circuits
        ),
        battery=None
        if battery is None
        else BatteryPicture(
            energy_wh=battery.energy_wh,
            capacity_wh=sum(each.capacity_wh for each in site.batteries),
            power_w=battery.power_w,
        ),
    )


def _sessions(
    sessions: Sequence[Session],
    stations: Sequence[Station],
    online: Collection[ChargePointKey],
    statuses: Iterable[SiteStatus],
) -> tuple[SessionPicture, ...]:
    reasons = {load.id: load.reason for status in statuses for load in status.loads}
    reported = {
        (station.key, connector.connector_id): connector.status
        for station in stations
        for connector in station.connectors
        if station.key in online
    }
    pictures = [
        SessionPicture(
            site_id=session.site_id or "",
            station=session.identity,
            connector_id=session.connector_id,
            id_tag=session.id_tag,
            status=reported.get((session.charge_point, session.connector_id)) or ""
            if session.charge_point in online
            else "offline",
            power_w=session.power_w,
            limit_a=None
            if session.limit_w is None or session.current_type == "DC"
            else amperes(session.limit_w, phases=session.phases, voltage_v=session.voltage_v),
            limit_w=session.limit_w,
            energy_wh=energy_wh(session),
            soc_percent=session.soc_percent,
            reason=reasons.get(str(session.transaction_id), ""),
        )
        for session in sessions
    ]
    pictures.sort(key=lambda one: (one.site_id, one.station, one.connector_id))
    return tuple(pictures)
