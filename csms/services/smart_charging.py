"""The control loop of sites: lease, hint or poll, snapshot, decide, write, send.

The decision itself is `csms.domain.site_control`. Who holds a site's lease runs its loop and sends
its limits, so that decreases on one charge point are known before increases on another leave.
Limits are stored as open requests before they are sent, and as acknowledged before the room that
they make is given away; a crash between any two steps leaves a ledger that counts the worst.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import structlog

from csms.aio import Hint, supervise
from csms.clock import Clock
from csms.domain.charging_profiles import Payload, tx_default_profile, tx_profile
from csms.domain.events import SiteChanged, StationChanged, StationConnected
from csms.domain.ids import SiteId
from csms.domain.site_control import Sending, SiteSnapshot, control, site_status
from csms.domain.site_status import SiteStatus
from csms.domain.sites import rate_limit
from csms.errors import CallFailed, NotFound
from csms.services.ports.bus import Bus
from csms.services.ports.control import ControlStore, SendingEnd
from csms.services.ports.gateway import Gateway
from csms.services.reconnects import Reconnects

_log = structlog.get_logger(__name__)

POLL_S = 5.0
"""How often a site with loads is looked at without a hint; below the horizon of its batteries."""

IDLE_POLL_S = 30.0
_LEASE = timedelta(seconds=15)
_LEASE_EVERY_S = 5.0
_FLOOR_PROFILE_ID = 1
_SESSION_PROFILE_ID = 100
_STACK_LEVEL = 0


class SmartCharging:
    """Runs the sites that this node holds; implements `csms.services.ports.smart_charging`.

    Concurrency: `decide` and `status` from any task; steps on one site follow each other.
    """

    def __init__(
        self, store: ControlStore, gateway: Gateway, bus: Bus, clock: Clock, *, node: str
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._bus = bus
        self._clock = clock
        self._node = node
        self._held: dict[SiteId, asyncio.Task[None]] = {}
        self._hints: defaultdict[SiteId, Hint] = defaultdict(Hint)
        self._locks: defaultdict[SiteId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ends: defaultdict[SiteId, list[SendingEnd]] = defaultdict(list)
        self._calls: asyncio.TaskGroup | None = None
        self._lease_hint = Hint()
        self._reconnects = Reconnects(clock)

    async def decide(self, site_id: SiteId) -> SiteStatus:
        """See the port."""
        _, status = await self._step(site_id)
        return status

    async def status(self, site_id: SiteId) -> SiteStatus:
        """See the port."""
        async with self._store.unit() as unit:
            status = await unit.status(site_id)
        return status or await self.decide(site_id)

    async def run(self) -> None:
        """Hold leases and run the loops of the sites held.

        Cancellation: open calls are cancelled, leases given back if the database is there.
        """
        await self._store.release(self._node)
        unsubscribe = (
            self._bus.subscribe(SiteChanged, self._site_changed),
            self._bus.subscribe(StationConnected, self._station_connected),
            self._bus.subscribe(StationChanged, self._station_changed),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._calls = tasks
                tasks.create_task(
                    supervise("reconnects", self._take_reconnects, self._clock), name="reconnects"
                )
                while True:
                    await self._lease(tasks)
                    await self._lease_hint.taken(_LEASE_EVERY_S)
        finally:
            self._calls = None
            for end in unsubscribe:
                end()
            self._held.clear()
            with suppress(Exception):  # the lease runs out by itself
                await self._store.release(self._node)

    def _site_changed(self, event: SiteChanged) -> None:
        self._hints[event.site_id].give()
        if event.site_id not in self._held:
            self._lease_hint.give()  # a new site

    def _station_connected(self, event: StationConnected) -> None:
        self._reconnects.connected(event.charge_point)

    def _station_changed(self, event: StationChanged) -> None:
        self._reconnects.spoke(event.charge_point)

    async def _lease(self, tasks: asyncio.TaskGroup) -> None:
        now = self._clock.now()
        held, new = await self._store.lease_sites(self._node, now, now + _LEASE)
        for site_id in [site for site in self._held if site not in held]:
            self._held.pop(site_id).cancel()
            _log.warning("lease of a site is gone", site=site_id)
        for site_id in held - self._held.keys():
            if site_id in new:
                async with self._store.unit() as unit:
                    await unit.reopen(site_id)
            self._held[site_id] = tasks.create_task(
                supervise(f"site {site_id}", partial(self._loop, site_id), self._clock),
                name=f"site {site_id}",
            )

    async def _loop(self, site_id: SiteId) -> None:
        while True:
            try:
                snapshot, _ = await self._step(site_id)
            except NotFound:
                self._held.pop(site_id, None)
                return
            busy = snapshot.sessions or snapshot.managed or snapshot.site.batteries
            await self._hints[site_id].taken(POLL_S if busy else IDLE_POLL_S)

    async def _take_reconnects(self) -> None:
        while True:
            for charge_point in await self._reconnects.ready():
                site_id = await self._store.site_of(charge_point)
                if site_id is not None:
                    self._reconnects.to_forget[site_id].add(charge_point)
                    self._hints[site_id].give()

    async def _step(self, site_id: SiteId) -> tuple[SiteSnapshot, SiteStatus]:
        """Do one step: store what came back, decide, store what goes out, send it."""
        async with self._locks[site_id]:
            ends, self._ends[site_id] = self._ends[site_id], []
            forget = self._reconnects.to_forget.pop(site_id, set())
            now = self._clock.now()
            try:
                async with self._store.unit() as unit:
                    if ends:
                        await unit.end(ends)
                    if forget:
                        await unit.forget(forget)
                    snapshot = await unit.snapshot(site_id)
                    if snapshot is None:
                        raise NotFound("no_such_site", f"There is no site {site_id}.")
                    snapshot = self._without_newcomers(snapshot)
                    step = control(snapshot, now)
                    status = site_status(snapshot, step, now)
                    await unit.write(snapshot, step, status, now)
                    sendings = step.sendings if site_id in self._held else ()
                    if sendings:
                        await unit.send(sendings, now)
            except BaseException:
                # nothing was written: what came back is stored with the next step
                self._ends[site_id] = ends + self._ends[site_id]
                self._reconnects.to_forget[site_id] |= forget
                raise
            for sending in sendings:
                self._spawn(site_id, sending)
            return snapshot, status

    def _without_newcomers(self, snapshot: SiteSnapshot) -> SiteSnapshot:
        """Leave charge points alone that are connected and have not said anything yet."""
        newcomers = self._reconnects.newcomers()
        if not newcomers:
            return snapshot
        return replace(
            snapshot,
            chargers=tuple(
                replace(state, reachable=False) if state.key in newcomers else state
                for state in snapshot.chargers
            ),
        )

    def _spawn(self, site_id: SiteId, sending: Sending) -> None:
        if self._calls is not None:
            self._calls.create_task(
                self._send(site_id, sending), name=f"limit {sending.target.key}"
            )

    async def _send(self, site_id: SiteId, sending: Sending) -> None:
        target = sending.target
        try:
            answer = await self._gateway.call(
                target.key, "SetChargingProfile", self._payload(sending), message_id=str(uuid4())
            )
            status = "callError" if answer.error_code else str(answer.payload.get("status"))
        except CallFailed as error:
            status = error.code
        if status != "Accepted":
            _log.warning(
                "limit not taken",
                charge_point_key=target.key,
                limit_w=sending.limit_w,
                status=status,
            )
        self._ends[site_id].append(
            SendingEnd(
                target=target,
                limit_w=sending.limit_w,
                version=sending.version,
                status=status,
                at=self._clock.now(),
            )
        )
        self._hints[site_id].give()

    def _payload(self, sending: Sending) -> Payload:
        target = sending.target
        limit = rate_limit(target.charger, sending.limit_w)
        now = self._clock.now()
        if target.transaction_id is None:
            return tx_default_profile(
                connector_id=0,
                limit=limit,
                now=now,
                profile_id=_FLOOR_PROFILE_ID,
                stack_level=_STACK_LEVEL,
            )
        return tx_profile(
            connector_id=target.connector_id,
            transaction_id=target.transaction_id,
            limit=limit,
            now=now,
            profile_id=_SESSION_PROFILE_ID + target.connector_id,
            stack_level=_STACK_LEVEL,
        )
