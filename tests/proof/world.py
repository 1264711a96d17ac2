"""A site on a virtual clock: real messages, real rows, true chargers, and an observer.

The server is `control` and its rows, driven as `csms.services.smart_charging` does; a crash drops
everything but the rows. After every event the observer adds up what the chargers may be drawing.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from csms.bus.local import LocalBus
from csms.domain.dialects import NO_TRAITS, Traits, read_traits, written_traits
from csms.domain.ids import ChargePointKey, TransactionId
from csms.domain.limit_dialect import spoken_to
from csms.domain.limit_messages import limit_payload, question, said_limit_w
from csms.domain.limit_rows import LimitRow, forgotten
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.resting import FULL_AFTER_WH
from csms.domain.site_control import Sending, control
from csms.domain.site_observation import ReadBack, ReadBackEnd, SendingEnd
from csms.domain.site_rules import LEAD, OutsideLimit, SiteRules
from csms.domain.site_snapshot import ChargerState, Request, RowKey, SessionState, SiteSnapshot
from csms.domain.sites import ChargerId
from csms.services.limit_dialects import LimitDialects
from tests.proof.cars import Cars, Line, Session
from tests.proof.made import Odds, Result
from tests.proof.observer import START
from tests.proof.truth import TrueCharger

POLL_S = 10.0
TIMEOUT_S = 30.0


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what asynchronous work that waits for nothing comes to."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


class World(Cars):
    """A site at work: a server, wires, cars, and all that goes wrong."""

    def __init__(
        self,
        seed: int,
        *,
        odds: Odds | None = None,
        rules: SiteRules | None = None,
        max_transitions: int = 500,
        reads_back: bool = True,
        hours: float = 24,
        trace: bool = False,
    ) -> None:
        super().__init__(seed, odds or Odds(), rules, reads_back=reads_back)
        self.operators_w = self.built_w
        self.max_transitions = max_transitions
        self.end = START + timedelta(hours=hours)
        self.trace = trace
        self.log: list[str] = []
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, Any]] = []
        self._ids = itertools.count(1)
        # cars do the same whatever becomes of messages, so that two servers can be compared
        self.cars = {
            (true.number, number): random.Random(f"{seed} {true.number} {number}")
            for true in self.chargers
            for number in true.connectors
        }
        # the database
        self.rows: dict[RowKey, LimitRow] = {}
        self.backup: dict[RowKey, LimitRow] = {}
        self.appetites: dict[RowKey, tuple[int, Appetite]] = {}
        self.outside: list[OutsideLimit] = []
        self.sessions: dict[int, Session] = {}
        self.connected: set[int] = set()
        # the server's memory
        self.lines: dict[int, Line] = {}
        self.down_until = START
        self._epochs = itertools.count(1)
        self._boot_server()
        for true in self.chargers:
            self.after(self.chance.uniform(0, 5), self._connect, true)
            self.after(self._soon(self.odds.cut_every_s), self._cut, true)
            if self.odds.clock_every_s:
                first_s = self.more.expovariate(1 / self.odds.clock_every_s)
                self.after(first_s, self._clock, true)
            for number in true.connectors:
                first_s = self.cars[true.number, number].uniform(10, self.odds.car_every_s)
                self.after(first_s, self._car, true, number)
        self.after(POLL_S, self._poll)
        self.after(self._soon(self.odds.limit_every_s), self._move_limit)

    # Time

    def after(self, seconds: float, do: Any, *what: Any) -> datetime:
        at = self.now + timedelta(seconds=seconds)
        self.at(at, do, *what)
        return at

    def at(self, at: datetime, do: Any, *what: Any) -> None:
        heapq.heappush(self._events, (at, next(self._order), (do, what)))

    def run(self) -> Result:
        while self.result.transitions < self.max_transitions and self.now < self.end:
            at, _, (do, what) = heapq.heappop(self._events)
            if at > self.now:
                self._meter_energy(at)
                self.now = at
            self.result.events += 1
            do(*what)
            self.observe(do.__name__)
        return self.result

    def _meter_energy(self, until: datetime) -> None:
        hours = (until - self.now).total_seconds() / 3600
        for true in self.chargers:
            for number in true.connectors:
                self.result.energy_wh += true.draw_w(number, self.now) * hours

    def note(self, text: str) -> None:
        if self.trace:
            self.log.append(f"{(self.now - START).total_seconds():9.2f} {text}")

    def coming(self) -> Iterator[tuple[tuple[int, int], int]]:
        waiting = [(line.number, what) for line in self.lines.values() for what in line.queue]
        waiting += [
            (what[0].number, what[1]) for _, _, (do, what) in self._events if do == self._arrives
        ]
        for number, sending in waiting:
            if isinstance(sending, Sending):
                yield (number, sending.target.connector_id), sending.limit_w

    # The server

    def _boot_server(self) -> None:
        self.open: set[Request] = set()
        self.ends: list[SendingEnd | ReadBackEnd] = []
        self.asked: dict[ReadBack, datetime] = {}
        self.newcomers: dict[int, datetime] = {}
        self.unable: set[int] = set()
        self.life = next(self._epochs)
        self.hinted = False
        self.dialects = LimitDialects(self, LocalBus(), self, self._learn)

    async def traits(self, charge_points: Iterable[ChargePointKey]) -> dict[ChargePointKey, Traits]:
        """What is stored of charge points (`csms.services.ports.dialects.Manners`)."""
        return {key: self.manners.get(key, NO_TRAITS) for key in charge_points}

    async def _learn(self, key: ChargePointKey, traits: Mapping[str, Any]) -> None:
        known = written_traits(self.manners.get(key, NO_TRAITS))
        self.manners[key] = read_traits({**known, **traits})
        self.result.counts["learned"] += 1

    def monotonic(self) -> float:
        return (self.now - START).total_seconds()

    def crash(self) -> None:
        """All memory is dropped, all connections are lost; the rows stay."""
        self.result.crashes += 1
        away_s = 0.0
        if self.more.random() < self.odds.behind:
            # `csms restore` forgets what charge points enforce, and when that ends
            self.result.counts["restored"] += 1
            self.rows = {
                place: forgotten(row)._replace(
                    earlier_w=frozenset({0, max(forgotten(row).earlier_w, default=0)}),
                    ends_at=None,
                    may_end_at=None,
                )
                for place, row in self.backup.items()
            }
        if self.odd.random() < self.odds.down:
            away_s = self.odd.uniform(*self.odds.down_s)
            self.result.counts["long away"] += 1
        self.note(f"CRASH {away_s}")
        self._boot_server()
        self.down_until = self.now + timedelta(seconds=away_s)
        for true in self.chargers:
            self._drop(true, deliver=self.chance.random() < 0.5)
            self.after(away_s + self.chance.uniform(0.2, 20), self._connect, true)

    def hint(self) -> None:
        if not self.hinted:
            self.hinted = True
            self.after(0, self._step, self.life)

    def _poll(self) -> None:
        self.hint()
        if self.more.random() < 0.02:
            self.backup = dict(self.rows)
        self.after(POLL_S, self._poll)

    def snapshot(self) -> SiteSnapshot:
        dialects = at_once(self.dialects.of([ChargePointKey(t.number) for t in self.chargers]))
        return SiteSnapshot(
            site=replace(self.site, grid_limit_w=self.operators_w),
            rules=self.rules,
            outside=tuple(self.outside),
            chargers=tuple(
                ChargerState(
                    charger=spoken_to(self.assets[true.number], dialects[true.number]),
                    dialect=dialects[true.number],
                    key=ChargePointKey(true.number),
                    reachable=true.number in self.connected,
                    settling=true.number in self.newcomers,
                    occupied=sum(
                        each.transaction is not None and each.server_id is None
                        for each in true.connectors.values()
                    ),
                    reads_back=true.reads_back and true.number not in self.unable,
                    floor=self._row(true.number, 0, "TxDefaultProfile"),
                    defaults={
                        number: row
                        for number in true.connectors
                        if (row := self._row(true.number, number, "TxDefaultProfile")) != LimitRow()
                    },
                )
                for true in self.chargers
            ),
            sessions=tuple(
                SessionState(
                    transaction_id=TransactionId(each.transaction),
                    charger_id=ChargerId(f"CP{each.charger}"),
                    connector_id=each.connector,
                    measured_w=each.measured_w,
                    measured_at=each.measured_at,
                    limit=self._row(each.charger, each.connector, "TxProfile"),
                    appetite=self._appetite(each),
                    drawn=each.drawn if self.site.shares_phases else None,
                    clock_off_s=each.clock_off_s,
                    charged_wh=FULL_AFTER_WH,  # so that those who take nothing rest
                )
                for each in self.sessions.values()
            ),
        )

    def _row(self, number: int, connector: int, purpose: str) -> LimitRow:
        return self.rows.get(RowKey(ChargePointKey(number), connector, purpose), LimitRow())

    def _appetite(self, session: Session) -> Appetite:
        place = RowKey(ChargePointKey(session.charger), session.connector, "TxProfile")
        owner, appetite = self.appetites.get(place, (None, HUNGRY))
        return appetite if owner == session.transaction else HUNGRY

    def _step(self, life: int) -> None:
        if life != self.life:
            return
        self.hinted = False
        if self.now < self.down_until:
            return
        for number, ready in list(self.newcomers.items()):
            if self.now >= ready:
                del self.newcomers[number]
        snapshot = self.snapshot()
        ends, self.ends = self.ends, []
        ended = {end.request for end in ends if isinstance(end, SendingEnd)}
        lost = [r for r in snapshot.open_requests() if r not in self.open and r not in ended]
        step = control(snapshot, self.now, ends=ends, lost=lost)
        self.open -= ended
        for end in ends:
            if isinstance(end, SendingEnd):
                at_once(self.dialects.ended(end.request, end.status))
        if self._crashes(len(step.sendings) and 0.2):
            self.crash()  # before the commit
            return
        self.rows.update(step.rows)
        owners = {
            (each.charger, each.connector): each.transaction for each in self.sessions.values()
        }
        for place, appetite in step.appetites.items():
            self.appetites[place] = (owners[(place.key, place.connector_id)], appetite)
        for sending in step.sendings:
            if self._crashes():
                self.crash()  # committed, and not all sent
                return
            self.open.add(sending.request)
            self.result.transitions += 1
            self.note(
                f"send {sending.target.key}/{sending.target.connector_id} {sending.limit_w}"
                f" ends {sending.ends_at and (sending.ends_at - START).total_seconds()}"
            )
            self._call(sending.target.key, sending)
        for asking in step.askings:
            last = self.asked.get(asking)
            if last is None or self.now - last > timedelta(seconds=60):
                self.asked[asking] = self.now
                self._call(asking.key, asking)

    def _crashes(self, weight: float = 1.0) -> bool:
        return self.chance.random() < self.odds.crash * weight

    def _end(self, life: int, sending: Sending, status: str) -> None:
        if life != self.life:
            return
        self.result.counts[status] += 1
        self.note(f"end {sending.target.key}/{sending.target.connector_id} {status}")
        self.ends.append(
            SendingEnd(
                request=sending.request,
                limit_w=sending.limit_w,
                status=status,
                at=self.now,
                ends_at=sending.ends_at,
            )
        )
        if self._crashes():
            self.crash()  # answered, and not stored
            return
        self.hint()

    # The wire

    def _call(self, number: int, what: Sending | ReadBack) -> None:
        line = self.lines.get(number)
        if line is None:
            if isinstance(what, Sending):
                self.after(0, self._end, self.life, what, "station_offline")
            return
        line.queue.append(what)
        self._pump(line)

    def _pump(self, line: Line) -> None:
        if line.busy or not line.queue or self.lines.get(line.number) is not line:
            return
        what = line.queue.pop(0)
        line.busy = True
        ticket = [True]  # whether it is still open
        line.to_charger = max(line.to_charger, self.now + self._latency())
        payload = limit_payload(what, self.now) if isinstance(what, Sending) else question(what)
        self.at(line.to_charger, self._arrives, line, what, payload, ticket)
        self.after(TIMEOUT_S, self._times_out, line, what, ticket)

    def _arrives(self, line: Line, what: Any, payload: dict[str, Any], ticket: list[bool]) -> None:
        if self.lines.get(line.number) is not line:
            return  # its socket has gone
        true = self.chargers[line.number - 1]
        fate = self.chance.random()
        if isinstance(what, ReadBack):
            answer = None
            if fate > self.odds.unanswered:
                answer = self._composite(true, payload["connectorId"])
            if answer is not None:
                self._answer(line, what, answer, ticket)
            return
        status = "Accepted"
        if fate < self.odds.rejected or not true.takes(payload):
            status = "Rejected"
        elif fate < self.odds.rejected + self.odds.unanswered:
            self.result.counts["unanswered"] += 1
            if self.chance.random() < 0.5:
                true.install(payload, self.now)
            return
        elif (
            fate < self.odds.rejected + self.odds.unanswered + self.odds.not_installed
            and true.reads_back
        ):
            # who is asked nothing is found out only by what a car draws: see docs/power.md
            self.result.counts["not installed"] += 1
            self.pretended[line.number, what.target.connector_id] = what.limit_w
        else:
            true.install(payload, self.now)
            self.pretended.pop((line.number, what.target.connector_id), None)
            self._zero_ends(true)
        self._answer(line, what, status, ticket)

    def _composite(self, true: TrueCharger, number: int) -> dict[str, Any]:
        limit = true.composite_w(number, self.now)
        periods = [{"startPeriod": 0, "limit": limit}]
        schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods}
        return {"status": "Accepted", **({} if limit is None else {"chargingSchedule": schedule})}

    def _answer(self, line: Line, what: Any, answer: Any, ticket: list[bool]) -> None:
        line.to_server = max(line.to_server, self.now + self._latency(quick=True))
        self.at(line.to_server, self._answered, line, what, answer, ticket)

    def _answered(self, line: Line, what: Any, answer: Any, ticket: list[bool]) -> None:
        if self.lines.get(line.number) is not line or not ticket[0]:
            return
        ticket[0] = False
        line.busy = False
        if isinstance(what, Sending):
            self._end(self.life, what, answer)
        else:
            self._said(what, answer)
        self._pump(line)

    def _said(self, asking: ReadBack, answer: dict[str, Any]) -> None:
        if "chargingSchedule" not in answer:
            limit = None
        else:
            limit = said_limit_w(self.assets[asking.key], answer)
        self.ends.append(ReadBackEnd(asking=asking, limit_w=limit, at=self.now))
        self.hint()

    def _times_out(self, line: Line, what: Any, ticket: list[bool]) -> None:
        if self.lines.get(line.number) is not line or not ticket[0]:
            return
        ticket[0] = False
        line.busy = False
        if isinstance(what, Sending):
            self._end(self.life, what, "call_timeout")
        self._pump(line)

    def _latency(self, *, quick: bool = False) -> timedelta:
        low, high = self.odds.latency_s
        if quick or self.chance.random() < 0.5:
            high = min(high, 1.0)
        return timedelta(seconds=self._log(low, high))

    # Connections

    def _drop(self, true: TrueCharger, *, deliver: bool = False) -> None:
        """Cut a connection, before or after what is on its way has arrived."""
        line = self.lines.pop(true.number, None)
        self.connected.discard(true.number)
        self.newcomers.pop(true.number, None)
        if line is None:
            return
        for _, _, (do, what) in sorted(self._events, key=lambda event: event[:2]):
            if do == self._arrives and what[0] is line and deliver:
                _, sending, payload, _ = what
                if isinstance(sending, Sending) and true.takes(payload):
                    true.install(payload, self.now)
        for request in [r for r in self.open if r.key == true.number]:
            self.result.counts["connection_lost"] += 1
            row = self.rows[request.row]
            if row.in_flight_w is not None and row.in_flight_version == request.version:
                self.ends.append(
                    SendingEnd(
                        request=request,
                        limit_w=row.in_flight_w,
                        status="connection_lost",
                        at=self.now,
                    )
                )
            else:
                self.open.discard(request)
        self.hint()

    def _cut(self, true: TrueCharger) -> None:
        self.after(self._soon(self.odds.cut_every_s), self._cut, true)
        if true.number not in self.lines:
            return
        self.note(f"cut {true.number}")
        self._drop(true, deliver=self.chance.random() < 0.5)
        if self.chance.random() < self.odds.reboot:
            self.note(f"reboot {true.number}")
            for connector in true.connectors.values():
                # profiles outlive a reboot, transactions do not
                if connector.transaction is not None:
                    self._leave(true, connector)
        away = self._log(0.5, 120) if self.chance.random() < 0.8 else self._log(120, 3000)
        self.after(away, self._connect, true)

    def _connect(self, true: TrueCharger) -> None:
        if true.number in self.lines:
            return
        if self.now < self.down_until:
            self.at(self.down_until, self._connect, true)
            return
        self.lines[true.number] = Line(
            true.number, next(self._epochs), to_charger=self.now, to_server=self.now
        )
        self.note(f"connect {true.number}")
        if self.chance.random() < 0.2:
            self._lose_profiles(true)
        self.connected.add(true.number)
        for place, row in list(self.rows.items()):
            if place.key == true.number:
                self.rows[place] = forgotten(row)
        self.newcomers[true.number] = self.now + timedelta(seconds=self.chance.uniform(0, 3))
        for connector in true.connectors.values():
            self._report(true, connector)
        known = {
            (each.charger, each.connector): each.transaction for each in self.sessions.values()
        }
        for number, connector in true.connectors.items():
            old = known.get((true.number, number))
            if old is not None and connector.server_id != old:
                del self.sessions[old]  # its StopTransaction comes from the queue
        self.after(self.chance.uniform(1, 30), self._meter, true, self.lines[true.number])
        self.hint()

    def _lose_profiles(self, true: TrueCharger) -> None:
        """Come back without any limit, where that alone does no harm yet."""
        kept, true.profiles = true.profiles, []
        if self.is_crowded():
            true.profiles = kept
        else:
            self.note(f"{true.number} has lost its profiles")

    # The limit

    def _move_limit(self) -> None:
        """An operator, or the grid's, sets another limit: from now on, or foretold."""
        limit_w = int(self.built_w * self.chance.uniform(0.4, 1.0))
        if len(self.nodes) > 1 and self.more.random() < self.odds.circuit:
            self._narrow_circuit()
        elif self.odd.random() < self.odds.foretold:
            starts = self.now + timedelta(seconds=self.odd.uniform(0, 600))
            ends = starts + timedelta(seconds=self.odd.uniform(60, 900))
            self.outside.append(OutsideLimit(limit_w=limit_w, starts_at=starts, ends_at=ends))
            self.at(max(self.now, starts - LEAD), self._limit_moves)
            self.at(ends, self._limit_moves)
        else:
            self.operators_w = limit_w
        self._limit_moves()
        self.after(self._soon(self.odds.limit_every_s), self._move_limit)

    def _narrow_circuit(self) -> None:
        """A limit of one circuit, from now on for a while; it may be none at all for its cars."""
        node = self.more.choice(self.nodes[1:])
        ends = self.now + timedelta(seconds=self.more.uniform(60, 900))
        limit = OutsideLimit(
            limit_w=int(node.built_w * self.more.choice([0, self.more.uniform(0.2, 1)])),
            starts_at=self.now,
            ends_at=ends,
            circuit_id=node.name,
        )
        self.outside.append(limit)
        self.at(ends, self._limit_moves)

    def _limit_moves(self) -> None:
        if self.now < self.down_until:
            # nobody can act on a limit that begins while the server is away: see docs/power.md
            self.at(self.down_until, self._limit_moves)
            return
        for node in self.nodes:
            is_grid = node.name == "grid"
            before = node.limit_w
            holds = [
                each.limit_w
                for each in self.outside
                if each.holds(self.now) and each.circuit_id == (None if is_grid else node.name)
            ]
            node.limit_w = min([self.operators_w if is_grid else node.built_w, *holds])
            self.note(f"{node.name} limit {node.limit_w}")
            if node.limit_w < before:
                self.limit_fell(node)
        self.hint()

    # Chances

    def _soon(self, mean_s: float) -> float:
        return self.chance.expovariate(1 / mean_s)
