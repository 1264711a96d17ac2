"""The control loop of sites: lease, hint or poll, snapshot, decide, write, send.

The decision itself is `csms.domain.site_control`. Who holds a site's lease runs its loop and sends
its limits, so that decreases on one charge point are known before increases on another leave.
Limits are stored as open requests before they are sent, and as acknowledged before the room that
they make is given away; a crash between any two steps leaves a ledger that counts the worst.

Fencing: each step asks in its own transaction whether the lease is still ours. A request that is
stored as open and that no task of ours waits for (a crash, a commit of unknown outcome, a former
holder, a former site) is in doubt: both limits count until the charge point is told again.
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
from csms.domain.site_control import Sending, control, profile_id
from csms.domain.site_report import site_status
from csms.domain.site_snapshot import Request, SiteSnapshot
from csms.domain.site_status import SiteStatus
from csms.domain.sites import rate_limit
from csms.errors import CallFailed, DatabaseAway, NotFound
from csms.metrics import METRICS
from csms.services.ports.bus import Bus
from csms.services.ports.control import ControlStore, ControlUnit, SendingEnd
from csms.services.ports.gateway import Gateway
from csms.services.reconnects import Reconnects

_log = structlog.get_logger(__name__)

POLL_S = 5.0
"""How often a site with loads is looked at without a hint; below the horizon of its batteries."""

IDLE_POLL_S = 30.0
_LEASE = timedelta(seconds=15)
_LEASE_EVERY_S = 5.0
_RELEASE_S = 2.0
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
        self._open: set[Request] = set()  # sent by us, their end not stored yet
        self._ends: dict[SiteId, list[SendingEnd]] = {}
        self._calls: asyncio.TaskGroup | None = None
        self._lease_hint = Hint()
        self._asked_for: set[SiteId] = set()
        self._reconnects = Reconnects(clock)
        # not in `run`: what connects while that starts again must not be missed
        bus.subscribe(SiteChanged, self._site_changed)
        bus.subscribe(StationConnected, self._station_connected)
        bus.subscribe(StationChanged, self._station_changed)

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
        try:
            async with asyncio.TaskGroup() as tasks:
                self._calls = tasks
                tasks.create_task(
                    supervise("reconnects", self._take_reconnects, self._clock), name="reconnects"
                )
                try:
                    await self._keep_leases(tasks)
                finally:
                    # before the tasks are waited for: nothing new may be sent meanwhile
                    self._calls = None
                    for site_id in list(self._held):
                        self._let_go(site_id)
        finally:
            with suppress(Exception):  # the lease runs out by itself
                async with asyncio.timeout(_RELEASE_S):
                    await self._store.release(self._node)

    def _site_changed(self, event: SiteChanged) -> None:
        self._hints[event.site_id].give()
        if event.site_id not in self._held and event.site_id not in self._asked_for:
            self._asked_for.add(event.site_id)  # new, or another node's: ask once a round
            self._lease_hint.give()

    def _station_connected(self, event: StationConnected) -> None:
        self._reconnects.connected(event.charge_point)

    def _station_changed(self, event: StationChanged) -> None:
        self._reconnects.spoke(event.charge_point)

    async def _keep_leases(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                await self._lease(tasks)
            except DatabaseAway as error:
                # steps ask for the lease themselves, so that nothing is sent without it
                _log.warning("leases of sites cannot be renewed", error=str(error))
            if not await self._lease_hint.taken(_LEASE_EVERY_S):
                self._asked_for.clear()

    async def _lease(self, tasks: asyncio.TaskGroup) -> None:
        now = self._clock.now()
        held = await self._store.lease_sites(self._node, now, now + _LEASE)
        for site_id in self._held.keys() - held:
            self._let_go(site_id)
            _log.warning("lease of a site is gone", site=site_id)
        for site_id in held - self._held.keys():
            self._held[site_id] = tasks.create_task(
                supervise(f"site {site_id}", partial(self._loop, site_id), self._clock),
                name=f"site {site_id}",
            )

    def _let_go(self, site_id: SiteId) -> None:
        """Hold a site no more; what is open there is in doubt for whoever holds it next."""
        self._held.pop(site_id).cancel()
        for end in self._ends.pop(site_id, ()):
            self._open.discard(end.request)

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
            new = self._reconnects.to_forget()
            if new:
                sites = await self._store.forget(new.keys())
                self._reconnects.forgotten(new, sites)
                self._hint(set(sites.values()))
            self._hint(self._reconnects.take_ready())
            await self._reconnects.wait()

    def _hint(self, site_ids: set[SiteId]) -> None:
        for site_id in site_ids:
            self._hints[site_id].give()

    async def _step(self, site_id: SiteId) -> tuple[SiteSnapshot, SiteStatus]:
        """Do one step: store what came back, decide, store what goes out, send it."""
        async with self._locks[site_id]:
            began = self._clock.monotonic()
            ends = self._ends.pop(site_id, [])
            now = self._clock.now()
            sendings: tuple[Sending, ...] = ()
            try:
                async with self._store.unit() as unit:
                    if not await unit.lock(site_id):
                        raise NotFound("no_such_site", f"There is no site {site_id}.")
                    await unit.end(ends)
                    ours = site_id in self._held and await unit.holder(site_id) == self._node
                    snapshot = await self._snapshot(unit, site_id, ours=ours)
                    step = control(snapshot, now)
                    status = site_status(snapshot, step, now)
                    await unit.write(snapshot, step, status, now)
                    if ours and step.sendings:
                        sendings = step.sendings
                        await unit.send(sendings, now)
            except NotFound:
                self._open.difference_update(end.request for end in ends)
                raise
            except BaseException:
                if site_id in self._held:  # perhaps nothing was written: again with the next step
                    self._ends[site_id] = ends + self._ends.get(site_id, [])
                else:
                    self._open.difference_update(end.request for end in ends)
                raise
            self._open.difference_update(end.request for end in ends)
            METRICS.allocator_steps += 1
            METRICS.allocator_seconds.observe(self._clock.monotonic() - began)
            self._send_all(site_id, sendings)
            METRICS.limits_in_flight = len(self._open)
            here = {state.key for state in snapshot.chargers}
            if any(end.target.key not in here for end in ends):
                self._hint(set(self._held))  # it has gone to another site, which waits for this
            return snapshot, status

    async def _snapshot(self, unit: ControlUnit, site_id: SiteId, *, ours: bool) -> SiteSnapshot:
        snapshot = await unit.snapshot(site_id)
        if ours:
            lost = [request for request in snapshot.open_requests() if request not in self._open]
            if lost:
                await unit.doubt(lost)
                snapshot = await unit.snapshot(site_id)
        news = self._reconnects
        return replace(
            snapshot,
            chargers=tuple(
                replace(
                    state,
                    settling=news.is_settling(state.key),
                    reachable=state.reachable and not news.is_held_back(state.key),
                )
                if state.key is not None
                else state
                for state in snapshot.chargers
            ),
        )

    def _send_all(self, site_id: SiteId, sendings: tuple[Sending, ...]) -> None:
        if self._calls is None:
            return  # we stop; whoever runs the site next finds these in doubt
        for sending in sendings:
            self._calls.create_task(
                self._send(site_id, sending), name=f"limit {sending.target.key}"
            )
            self._open.add(sending.request)

    async def _send(self, site_id: SiteId, sending: Sending) -> None:
        try:
            status = await self._tell(sending)
        except BaseException:
            self._open.discard(sending.request)  # its outcome is unknown
            raise
        if site_id not in self._held:
            self._open.discard(sending.request)  # whoever has taken over doubts it
            return
        self._ends.setdefault(site_id, []).append(
            SendingEnd(
                target=sending.target,
                limit_w=sending.limit_w,
                version=sending.version,
                status=status,
                at=self._clock.now(),
            )
        )
        self._hints[site_id].give()

    async def _tell(self, sending: Sending) -> str:
        """Send a limit and return its status: the answer's, or the code of what went wrong."""
        key = sending.target.key
        try:
            answer = await self._gateway.call(
                key, "SetChargingProfile", self._payload(sending), message_id=str(uuid4())
            )
            status = "callError" if answer.error_code else str(answer.payload.get("status"))
        except CallFailed as error:
            status = error.code
        except Exception:
            # a fault of ours in one sending must not stop the loops of all sites
            _log.exception("limit could not be sent", charge_point_key=key)
            status = "failed"
        METRICS.limits[status] += 1
        if status != "Accepted":
            _log.warning(
                "limit not taken", charge_point_key=key, limit_w=sending.limit_w, status=status
            )
        return status

    def _payload(self, sending: Sending) -> Payload:
        target = sending.target
        limit = rate_limit(target.charger, sending.limit_w)
        now = self._clock.now()
        if target.transaction_id is None:
            return tx_default_profile(
                connector_id=0,
                limit=limit,
                now=now,
                profile_id=profile_id(0),
                stack_level=_STACK_LEVEL,
            )
        return tx_profile(
            connector_id=target.connector_id,
            transaction_id=target.transaction_id,
            limit=limit,
            now=now,
            profile_id=profile_id(target.connector_id),
            stack_level=_STACK_LEVEL,
        )
