"""Facts from charge points: durable first, answered then.

Batches form by themselves: what arrives while a commit is in flight goes together into the next
one; there is no timer. A batch whose content Postgres refuses is split until the bad fact is alone:
only that one fails, and its neighbours never notice. While the database is away, facts wait up to
20 s. The message log goes beside them and never holds an answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, cast, overload

import structlog

from csms.aio import Hint, loop_turn
from csms.clock import Clock
from csms.domain import authorization
from csms.domain.authorization import AuthorizeFact, IdTagInfo
from csms.domain.charge_points import BootFact, BootOutcome, Registration
from csms.domain.connectors import StatusFact, is_storable
from csms.domain.events import SessionsChanged, SiteChanged, StationChanged, StationConnected
from csms.domain.ids import ChargePointKey, TransactionId, id_tag_key
from csms.domain.jobs import JobStatusFact
from csms.domain.messages import LoggedFrame
from csms.domain.metering import MeterValuesFact, MeterValuesOutcome
from csms.domain.transactions import StartFact, StartOutcome, StopFact, StopOutcome, is_no_id
from csms.errors import BadFact, DatabaseAway
from csms.metrics import METRICS
from csms.services.doubts import nameless_link, record_doubts
from csms.services.message_log import MessageLog
from csms.services.ports.bus import Bus
from csms.services.ports.intake import IntakeBatch, IntakeStore, Known, Quarantined
from csms.services.repetitions import Repetitions, Sifted
from csms.services.transactions import Price, Touched, record_starts, record_stops

_log = structlog.get_logger(__name__)

Fact = (
    BootFact | StatusFact | JobStatusFact | AuthorizeFact | StartFact | StopFact | MeterValuesFact
)
F = TypeVar("F")

WAIT_S = 20.0
"""How long a fact waits for a database that is away."""

_MOST_FACTS = 200  # more in one go keeps the event loop too long, and costs more for each
_MOST_REFUSED = 2_000
_RETRY_S = 0.2
_LOOK_EVERY_S = 0.5
_TROUBLE_LASTS_S = 5.0


@dataclass(slots=True, eq=False)
class _Entry:
    """A fact that waits; `done` gets its outcome or error once, then it is None."""

    fact: Fact
    done: Callable[[Any], None] | None
    deadline: float


class Intake:
    """Takes facts one by one, commits them together.

    Concurrency: any task may call `submit`; one task runs `run`.
    """

    def __init__(
        self,
        store: IntakeStore,
        bus: Bus,
        clock: Clock,
        *,
        price: Price,
        heartbeat_interval_s: int,
        retry_interval_s: int = 60,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._price = price
        self._heartbeat_interval_s = heartbeat_interval_s
        self._retry_interval_s = retry_interval_s
        self._facts: deque[_Entry] = deque()
        self._refused: deque[Quarantined] = deque(maxlen=_MOST_REFUSED)
        self._message_log = MessageLog(store, clock)
        self.log: Callable[[LoggedFrame], None] = self._message_log.add
        """Puts a frame into the message log. Never blocks."""
        self._repetitions = Repetitions()
        self._trouble: tuple[float, str] | None = None
        self._wake = Hint()
        self._closing = False
        # what it sends next may be something that another node has stored
        bus.subscribe(StationConnected, lambda e: self._repetitions.forget((e.charge_point,)))

    @overload
    async def submit(self, fact: BootFact) -> BootOutcome: ...
    @overload
    async def submit(self, fact: StatusFact | JobStatusFact) -> None: ...
    @overload
    async def submit(self, fact: AuthorizeFact) -> IdTagInfo: ...
    @overload
    async def submit(self, fact: StartFact) -> StartOutcome: ...
    @overload
    async def submit(self, fact: StopFact) -> StopOutcome: ...
    @overload
    async def submit(self, fact: MeterValuesFact) -> MeterValuesOutcome: ...
    async def submit(self, fact: Fact) -> object:
        """Make one fact durable and return what to answer.

        Raises:
            BadFact: Postgres refuses this fact; its neighbours are stored.
            DatabaseAway: It could not be stored in time; answer nothing, it will come again.

        Cancellation: the fact may still be stored.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def settle(outcome: object) -> None:
            if future.done():
                return
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.put(fact, settle)
        return await future

    def put(self, fact: Fact, done: Callable[[Any], None]) -> None:
        """Make one fact durable; `done` gets what to answer, or the error that `submit` raises.

        It is called once, by the event loop; what it raises is logged. Never blocks.
        """
        self._facts.append(_Entry(fact, done, self._clock.monotonic() + WAIT_S))
        self._wake.give()

    def quarantine(self, key: ChargePointKey, action: str, raw: str, reason: str) -> None:
        """Keep a refused transaction message as raw text, with the next batch."""
        METRICS.messages_quarantined += 1
        _log.error("message refused and kept", charge_point_key=key, action=action, reason=reason)
        self._refused.append(
            Quarantined(
                charge_point=key,
                action=action,
                reason=reason,
                raw=raw,
                received_at=self._clock.now(),
            )
        )
        self._wake.give()

    async def run(self) -> None:
        """Commit batches until `close` was called and nothing waits any more."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._message_log.run(), name="message log")
            late = tasks.create_task(self._watch_late(), name="late facts")
            while True:
                if self._facts or self._refused:
                    await self._commit_next()
                    await loop_turn()  # what the answers bring in goes into the same batch
                elif self._closing:
                    late.cancel()
                    return
                else:
                    await self._wake.taken()

    async def check(self) -> None:
        """Tell whether facts are stored.

        Raises:
            DatabaseAway: The last try, a moment ago, has failed.
        """
        if self._trouble is not None:
            at, reason = self._trouble
            if self._clock.monotonic() - at < _TROUBLE_LASTS_S:
                raise DatabaseAway(reason)

    async def settle_log(self) -> None:
        """Wait until every frame logged so far is stored, so that a reader misses none.

        Raises:
            DatabaseAway: It is not to be had.
        """
        await self._message_log.settle()

    def follow_log(self, receive: Callable[[Sequence[LoggedFrame]], None]) -> Callable[[], None]:
        """Call `receive` with frames of the message log once they are stored; see `MessageLog`."""
        return self._message_log.follow(receive)

    def close(self) -> None:
        """Let `run` end once all that waits is stored."""
        self._closing = True
        self._wake.give()
        self._message_log.close()

    async def _commit_next(self) -> None:
        entries = list(islice(self._facts, _MOST_FACTS))
        refused = list(self._refused)
        METRICS.facts_waiting = len(self._facts)
        began = self._clock.monotonic()
        try:
            await self._commit(entries, refused)
        except DatabaseAway as error:
            # perhaps it was stored, and only the word of it was lost
            self._repetitions.forget(entry.fact.charge_point for entry in entries)
            self._trouble = (self._clock.monotonic(), str(error))
            self._give_up_late(error)
            METRICS.facts_waiting = len(self._facts)
            await self._clock.sleep(_RETRY_S)
            return
        self._trouble = None
        for _ in entries:
            self._facts.popleft()
        for row in refused:
            # the deque drops its oldest when it is full, so these may be gone already
            if self._refused and self._refused[0] is row:
                self._refused.popleft()
        METRICS.facts_waiting = len(self._facts)
        METRICS.batch_facts.observe(len(entries))
        METRICS.commit_seconds.observe(self._clock.monotonic() - began)

    async def _watch_late(self) -> None:
        """Give up facts that a commit in flight, which may hang, keeps waiting for too long."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            now = self._clock.monotonic()
            for entry in self._facts:  # oldest first
                if entry.deadline > now:
                    break
                if entry.done is not None:
                    self._trouble = (now, "a commit takes too long")
                    self._settle([(entry, DatabaseAway("a commit takes too long"))])

    def _give_up_late(self, error: DatabaseAway) -> None:
        now = self._clock.monotonic()
        kept: deque[_Entry] = deque()
        for entry in self._facts:
            if entry.done is None:
                continue  # given up: the charge point will send it again
            if self._closing or entry.deadline <= now:
                self._settle([(entry, DatabaseAway(str(error)))])
            else:
                kept.append(entry)
        self._facts = kept
        if self._closing:
            self._refused.clear()

    async def _commit(self, entries: Sequence[_Entry], refused: Sequence[Quarantined]) -> None:
        """Commit all, or find out who spoils it and commit the others."""
        try:
            await self._commit_all(entries, refused)
        except BadFact as error:
            if entries and refused:
                await self._commit(entries, ())
                await self._commit((), refused)
            elif refused:
                _log.exception("messages that were refused cannot be kept", count=len(refused))
            elif len(entries) == 1:
                entry = entries[0]
                METRICS.facts_refused += 1
                _log.error(
                    "fact refused by the database", kind=type(entry.fact).__name__, error=str(error)
                )
                self._settle([(entry, error)])
            else:
                middle = len(entries) // 2
                await self._commit(entries[:middle], ())
                await self._commit(entries[middle:], ())

    async def _commit_all(self, entries: Sequence[_Entry], refused: Sequence[Quarantined]) -> None:
        touched = Touched(sites=set(), transactions=set())
        # facts that were answered in an earlier part of a split batch stay out
        waiting = [entry for entry in entries if entry.done is not None]
        try:
            async with self._store.batch() as batch:
                sifted = await self._sift(batch, waiting)
                outcomes = await self._record(batch, waiting, sifted, touched)
                if refused:
                    batch.quarantine(refused)
            touched.sites |= batch.sites
        except (DatabaseAway, BadFact):
            raise
        except Exception as error:
            # a fault of ours that one fact provokes must not stop the facts of all others
            _log.exception("batch failed inside")
            raise BadFact(f"{type(error).__name__}: {error}") from error
        self._repetitions.remember(sifted)
        self._settle(zip(waiting, outcomes, strict=True))
        self._publish(waiting, touched)

    @staticmethod
    def _settle(outcomes: Iterable[tuple[_Entry, object]]) -> None:
        """Tell those who wait, all in one turn of the loop, after the next commit is under way."""
        told = []
        for entry, outcome in outcomes:
            if entry.done is not None:  # else it was given up while the commit was in flight
                told.append((entry.done, outcome))
                entry.done = None
        asyncio.get_running_loop().call_soon(_tell, told)

    async def _record(
        self,
        batch: IntakeBatch,
        entries: Sequence[_Entry],
        sifted: Sifted,
        touched: Touched,
    ) -> list[object]:
        """Record the facts kind by kind and return their outcomes in the order of `entries`."""
        results: dict[int, object] = {}

        by_kind: dict[type[Fact], tuple[list[int], list[Any]]] = {}
        for place, entry in enumerate(entries):
            fact = entry.fact
            found = by_kind.get(type(fact))
            if found is None:
                found = by_kind[type(fact)] = [], []
            found[0].append(place)
            found[1].append(fact)

        def of(kind: type[F]) -> tuple[list[int], list[F]]:
            return by_kind.get(cast("type[Fact]", kind), ([], []))

        places, boots = of(BootFact)
        if boots:
            results.update(zip(places, await self._boot(batch, boots), strict=True))
        _, statuses = of(StatusFact)
        if statuses:
            storable = [fact for fact in statuses if is_storable(fact.connector_id)]
            batch.report_status(storable)
        _, jobs = of(JobStatusFact)
        if jobs:
            batch.report_jobs(jobs)
        a_places, asks = of(AuthorizeFact)
        s_places, starts = of(StartFact)
        v_places, values = of(MeterValuesFact)
        e_places, stops = of(StopFact)
        known = await _look_up(batch, asks, starts, values, stops)
        for place, ask in zip(a_places, asks, strict=True):
            tag = known.tags.get(id_tag_key(ask.id_tag))
            results[place] = authorization.authorize(tag, ask.received_at)
        if starts:
            answers = await record_starts(batch, starts, known, self._price, touched)
            results.update(zip(s_places, answers, strict=True))
        # values before stops: a batch may hold the last values of a transaction and its stop
        if values:
            stored = _record_values(batch, values, known, sifted, touched)
            results.update(zip(v_places, stored, strict=True))
        if stops:
            ends = await record_stops(batch, stops, known, touched)
            results.update(zip(e_places, ends, strict=True))
        return [results.get(place) for place in range(len(entries))]

    async def _sift(self, batch: IntakeBatch, entries: Sequence[_Entry]) -> Sifted:
        """Return which meter values of a batch are new, in the order of the meter values."""
        facts = [e.fact for e in entries if isinstance(e.fact, MeterValuesFact)]
        unknown = self._repetitions.unknown(facts)
        stored = await batch.stored_before(unknown) if unknown else []
        return self._repetitions.sift(
            facts, [fact for fact, there in zip(unknown, stored, strict=True) if there]
        )

    async def _boot(self, batch: IntakeBatch, facts: Sequence[BootFact]) -> list[BootOutcome]:
        registrations = await batch.boot(facts)
        outcomes = []
        for fact in facts:
            registration = registrations.get(fact.charge_point, Registration.REJECTED)
            accepted = registration is Registration.ACCEPTED
            outcomes.append(
                BootOutcome(
                    registration=registration,
                    interval_s=self._heartbeat_interval_s if accepted else self._retry_interval_s,
                )
            )
        return outcomes

    def _publish(self, entries: Sequence[_Entry], touched: Touched) -> None:
        for site in touched.sites:
            self._bus.publish(SiteChanged(site))
        if touched.transactions:
            self._bus.publish(SessionsChanged(frozenset(touched.transactions)))
        stations = {
            entry.fact.charge_point
            for entry in entries
            if isinstance(entry.fact, (StatusFact, BootFact))
        }
        for station in stations:
            self._bus.publish(StationChanged(station))


def _tell(told: Sequence[tuple[Callable[[Any], None], object]]) -> None:
    for done, outcome in told:
        try:
            done(outcome)
        except Exception:  # one connection's fault must not keep the others waiting
            _log.exception("an answer could not be given")


_NOTHING_KNOWN = Known(tags={}, active=[], transactions={})


async def _look_up(
    batch: IntakeBatch,
    asks: Sequence[AuthorizeFact],
    starts: Sequence[StartFact],
    values: Sequence[MeterValuesFact],
    stops: Sequence[StopFact],
) -> Known:
    """Look up all that a batch needs to know, in one round trip; most meter values need nothing."""
    tags = {id_tag_key(fact.id_tag) for fact in asks}
    tags |= {id_tag_key(fact.id_tag) for fact in starts}
    tags |= {id_tag_key(fact.id_tag) for fact in stops if fact.id_tag is not None}
    charge_points = {fact.charge_point for fact in starts}
    charge_points |= {f.charge_point for f in stops if is_no_id(f.transaction_id)}
    charge_points |= {
        f.charge_point
        for f in values
        if f.transaction_id is not None and is_no_id(f.transaction_id)
    }
    ids = {fact.transaction_id for fact in stops if not is_no_id(fact.transaction_id)}
    if not (tags or charge_points or ids):
        return _NOTHING_KNOWN
    return await batch.look_up(tags, charge_points, ids)


def _link(fact: MeterValuesFact, known: Known) -> TransactionId | None:
    """Return the transaction a message claims; an impossible id: the active one there."""
    if fact.transaction_id is None:
        return None
    if not is_no_id(fact.transaction_id):
        return TransactionId(fact.transaction_id)
    return nameless_link(fact, known.active)


def _record_values(
    batch: IntakeBatch,
    facts: Sequence[MeterValuesFact],
    known: Known,
    sifted: Sifted,
    touched: Touched,
) -> list[MeterValuesOutcome]:
    """Store readings and return the answers; repeated messages are answered, not stored again."""
    links = [_link(fact, known) for fact in facts]
    fresh = sifted.fresh
    if fresh:
        batch.meter([facts[i] for i in fresh], [links[i] for i in fresh])
    record_doubts(batch, facts, links)
    touched.transactions.update(link for link in links if link is not None)
    return [MeterValuesOutcome(transaction_id=link) for link in links]
