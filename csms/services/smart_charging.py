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
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from csms.aio import Hint, in_turns, loop_turn, supervise
from csms.clock import Clock
from csms.domain.events import SiteChanged, StationChanged, StationConnected
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_decisions import LimitDecision, limit_decisions
from csms.domain.limit_dialect import PLAIN, LimitDialect, spoken_to
from csms.domain.pieces import AT_ONCE, Pieces
from csms.domain.remembered import Remembered
from csms.domain.site_control import ControlStep, controlled
from csms.domain.site_observation import ACCEPTED, SendingEnd
from csms.domain.site_report import reported
from csms.domain.site_snapshot import ChargerState, SiteSnapshot
from csms.domain.site_status import SiteStatus
from csms.domain.what_if import Consequence, Supposition, considered
from csms.errors import DatabaseAway, NotFound
from csms.metrics import METRICS
from csms.services.agenda import Agenda
from csms.services.limit_calls import End, LimitCalls
from csms.services.limit_dialects import Learn, LimitDialects
from csms.services.ports.bus import Bus
from csms.services.ports.control import ControlStore
from csms.services.ports.dialects import Manners
from csms.services.ports.gateway import Gateway
from csms.services.reconnects import Reconnects

_log = structlog.get_logger(__name__)

POLL_S = 5.0
"""How often a site with loads is looked at without a hint; below the horizon of its batteries."""

PROOF_POLL_S = 1.0
"""The same while an accepted decrease has to be seen at work before its room is given away."""

IDLE_POLL_S = 30.0
_LEASE = timedelta(seconds=15)
_LEASE_EVERY_S = 5.0
_RELEASE_S = 2.0


class SmartCharging:
    """Runs the sites that this node holds; implements `csms.services.ports.smart_charging`.

    Concurrency: `decide` and `status` from any task; steps on one site follow each other.
    """

    def __init__(
        self,
        store: ControlStore,
        gateway: Gateway,
        bus: Bus,
        clock: Clock,
        *,
        node: str,
        manners: Manners | None = None,
        learn: Learn | None = None,
        wake: Callable[[TransactionId], None] | None = None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._node = node
        self._wake = wake
        self._held: dict[SiteId, asyncio.Task[None]] = {}
        self._agendas: defaultdict[SiteId, Agenda] = defaultdict(Agenda)
        self._locks: defaultdict[SiteId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._calls = LimitCalls(gateway, clock, lambda site_id: self._agendas[site_id].give())
        self._lease_hint = Hint()
        self._asked_for: set[SiteId] = set()
        self._reconnects = Reconnects(clock)
        self._dialects = LimitDialects(manners, bus, clock, learn)
        self._keys: dict[SiteId, set[ChargePointKey]] = {}
        self._known: defaultdict[SiteId, Remembered[ChargerState]] = defaultdict(
            Remembered[ChargerState]
        )
        # not in `run`: what connects while that starts again must not be missed
        bus.subscribe(SiteChanged, self._site_changed)
        bus.subscribe(StationConnected, self._station_connected)
        bus.subscribe(StationChanged, self._station_changed)

    async def decide(self, site_id: SiteId) -> SiteStatus:
        """See the port."""
        begun = self._agendas[site_id].begun
        async with self._locks[site_id]:
            return self._agendas[site_id].decided_since(begun) or await self._step(site_id)

    async def status(self, site_id: SiteId) -> SiteStatus:
        """See the port."""
        async with self._store.unit() as unit:
            status = await unit.status(site_id)
        return status or await self.decide(site_id)

    async def what_if(self, site_id: SiteId, supposition: Supposition) -> Consequence:
        """See the port."""
        async with self._store.unit() as unit:
            if not await unit.lock(site_id):
                raise NotFound("site_not_found", "There is no such site.")
            snapshot = await unit.snapshot(site_id, self._clock.now())
        keys = [state.key for state in snapshot.chargers if state.key is not None]
        dialects = await self._dialects.of(keys)
        # beside a step, which has a memory of its own
        snapshot = await in_turns(self._as_known(snapshot, dialects, Remembered()))
        return await in_turns(considered(snapshot, supposition, self._clock.now()))

    async def run(self) -> None:
        """Hold leases and run the loops of the sites held.

        Cancellation: open calls are cancelled, leases given back if the database is there.
        """
        await self._store.release(self._node)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._calls.start(tasks)
                tasks.create_task(
                    supervise("reconnects", self._take_reconnects, self._clock), name="reconnects"
                )
                try:
                    await self._keep_leases(tasks)
                finally:
                    # before the tasks are waited for: nothing new may be sent meanwhile
                    self._calls.stop()
                    for site_id in list(self._held):
                        self._let_go(site_id)
        finally:
            with suppress(Exception):  # the lease runs out by itself
                async with asyncio.timeout(_RELEASE_S):
                    await self._store.release(self._node)

    def _site_changed(self, event: SiteChanged) -> None:
        self._agendas[event.site_id].give()
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
            self._calls.take_up(site_id)
            self._held[site_id] = tasks.create_task(
                supervise(f"site {site_id}", partial(self._loop, site_id), self._clock),
                name=f"site {site_id}",
            )

    def _let_go(self, site_id: SiteId) -> None:
        """Hold a site no more."""
        self._held.pop(site_id).cancel()
        self._calls.let_go(site_id)

    async def _loop(self, site_id: SiteId) -> None:
        agenda = self._agendas[site_id]
        agenda.give()  # whoever has stepped before was not its holder
        while True:
            try:
                async with self._locks[site_id]:
                    if agenda.is_due:  # else somebody else's step has come first
                        await self._step(site_id)
            except NotFound:
                self._held.pop(site_id, None)
                self._calls.let_go(site_id)
                return
            await self._dialects.refresh(self._keys.get(site_id, ()))
            await agenda.wait()

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
            self._agendas[site_id].give()

    async def _step(self, site_id: SiteId) -> SiteStatus:
        """Look at what came back, decide, store what goes out, send it; the site is locked."""
        agenda = self._agendas[site_id]
        agenda.begin()
        began = self._clock.monotonic()
        ends = self._calls.take_ends(site_id)
        now = self._clock.now()
        try:
            dialects = await self._dialects.of(self._keys.get(site_id, ()))
            async with self._store.unit() as unit:
                if not await unit.lock(site_id):
                    raise NotFound("no_such_site", f"There is no site {site_id}.")
                ours = site_id in self._held and await unit.holder(site_id) == self._node
                stored = await unit.snapshot(site_id, now)
                snapshot = await in_turns(self._as_known(stored, dialects))
                decided = controlled(
                    snapshot,
                    now,
                    ends=ends,
                    lost=self._calls.lost(snapshot, ends) if ours else (),
                    sends=ours,
                )
                # one snapshot; what comes meanwhile is the next step's
                step = await in_turns(decided)
                status = await in_turns(reported(snapshot, step, now))
                await unit.write(snapshot, step, status, now)
        except NotFound:
            self._calls.drop(ends)
            raise
        except BaseException:
            self._calls.put_back(site_id, ends)  # perhaps nothing was written
            agenda.fail()
            raise
        self._calls.drop(ends)
        METRICS.allocator_steps += 1
        METRICS.allocator_seconds.observe(self._clock.monotonic() - began)
        self._calls.tell(site_id, step)
        if step.sendings:
            await loop_turn()  # they leave before anything else is done
        if self._wake is not None:
            for transaction in step.cycles:
                self._wake(transaction)
        METRICS.limits_in_flight = self._calls.open_count
        agenda.end(status, _pause_s(snapshot, step))
        self._pass_on(site_id, snapshot, ends)
        self._note_keys(site_id, snapshot)
        for end in ends:
            if isinstance(end, SendingEnd):
                await self._dialects.ended(end.request, end.status)
                if end.status != ACCEPTED:
                    agenda.give()  # perhaps it is told in another way now
        await self._keep(site_id, limit_decisions(snapshot, step), now)
        return status

    async def _keep(
        self, site_id: SiteId, decisions: Sequence[LimitDecision], now: datetime
    ) -> None:
        """Keep the reasons of what was decided; limits do not wait for it."""
        if decisions:
            try:
                await self._store.keep(site_id, decisions, now)
            except DatabaseAway as error:
                _log.warning("reasons of decisions are lost", site=site_id, error=str(error))

    def _pass_on(self, site_id: SiteId, snapshot: SiteSnapshot, ends: Iterable[End]) -> None:
        """Give the ends of stations that have left, once, to the sites where they may be now."""
        here = {state.key for state in snapshot.chargers}
        gone: list[End] = [
            replace(end, passed_on=True)
            for end in ends
            if isinstance(end, SendingEnd) and end.request.key not in here and not end.passed_on
        ]
        for other in self._held.keys() - {site_id} if gone else ():
            self._calls.put_back(other, gone)
            self._agendas[other].give()

    def _note_keys(self, site_id: SiteId, snapshot: SiteSnapshot) -> None:
        """Remember whose dialects the next step needs; at once, where there is somebody new."""
        keys = {state.key for state in snapshot.chargers if state.key is not None}
        if keys - self._keys.get(site_id, set()):
            self._agendas[site_id].give()
        self._keys[site_id] = keys

    def _as_known(
        self,
        snapshot: SiteSnapshot,
        dialects: Mapping[ChargePointKey, LimitDialect],
        known: Remembered[ChargerState] | None = None,
    ) -> Pieces[SiteSnapshot]:
        """Return a snapshot with what only this process knows of its charge points, in pieces."""
        news, calls = self._reconnects, self._calls
        contents = []
        for number, state in enumerate(snapshot.chargers):
            if not number % AT_ONCE:
                yield
            key = state.key
            if key is None:
                contents.append((state.charger.id, (state, PLAIN, False, False, False)))
                continue
            held_back, reads_back = news.is_held_back(key), calls.reads_back(key)
            # whose dialect is not known yet is told nothing for this step
            settling = news.is_settling(key) or key not in dialects
            dialect = dialects.get(key, PLAIN)
            contents.append((state.charger.id, (state, dialect, settling, held_back, reads_back)))
        if known is None:
            known = self._known[snapshot.site.id]
        chargers = yield from known.gathered(contents, lambda each: _known(*each))
        return replace(snapshot, chargers=chargers)


def _known(
    state: ChargerState, dialect: LimitDialect, settling: bool, held_back: bool, reads_back: bool
) -> ChargerState:
    if state.key is None:
        return state
    return replace(
        state,
        charger=spoken_to(state.charger, dialect),
        dialect=dialect,
        settling=settling,
        reachable=state.reachable and not held_back,
        reads_back=state.reads_back and reads_back,
    )


def _pause_s(snapshot: SiteSnapshot, step: ControlStep) -> float:
    """Return after how long to look at a site again without a hint."""
    busy = snapshot.sessions or snapshot.managed or snapshot.site.batteries or step.has_refusals
    return PROOF_POLL_S if step.is_waiting else POLL_S if busy else IDLE_POLL_S
