"""A site on a virtual clock: real messages, real rows, true chargers, and an observer.

The server is `control` and its rows, driven as `csms.services.smart_charging` does; a crash drops
everything but the rows. After every event the observer adds up what the chargers may be drawing.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_messages import limit_payload, question, said_limit_w
from csms.domain.limit_rows import LimitRow, forgotten
from csms.domain.phases import PhaseRotation
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.site_control import Sending, control
from csms.domain.site_observation import ReadBack, ReadBackEnd, SendingEnd
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, Request, RowKey, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, Circuit, CircuitId, Site
from tests.proof.truth import VOLT, Connector, TrueCharger

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLL_S = 10.0
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Odds:
    """How often what goes wrong."""

    rejected: float = 0.05
    unanswered: float = 0.01
    not_installed: float = 0.01  # accepted all the same
    latency_s: tuple[float, float] = (0.05, 60.0)
    follows_s: tuple[float, float] = (0.05, 14.9)
    cut_every_s: float = 900.0  # each charger
    reboot: float = 0.3  # of cuts
    crash: float = 0.01  # of messages
    car_every_s: float = 600.0  # each connector
    change_every_s: float = 120.0  # each car's appetite
    limit_every_s: float = 900.0  # the site's limit


@dataclass
class Session:
    """What the server's tables hold of a transaction."""

    transaction: int
    charger: int
    connector: int
    measured_w: int | None = None
    measured_at: datetime | None = None


@dataclass(eq=False)
class Line:
    """One connection."""

    number: int
    epoch: int
    busy: bool = False
    queue: list[Any] = field(default_factory=list)
    to_charger: datetime = START  # when the newest frame arrives there
    to_server: datetime = START


@dataclass
class Result:
    transitions: int = 0
    events: int = 0
    crashes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    energy_wh: float = 0.0


class World:
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
        self.chance = random.Random(seed)
        self.seed, self.odds = seed, odds or Odds()
        self.now = START
        self.result = Result()
        self.max_transitions = max_transitions
        self.reads_back = reads_back
        self.end = START + timedelta(hours=hours)
        self.trace = trace
        self.log: list[str] = []
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, Any]] = []
        self._ids = itertools.count(1)
        self._build(rules)
        # cars do the same whatever becomes of messages, so that two servers can be compared
        self.cars = {
            (true.number, number): random.Random(f"{seed} {true.number} {number}")
            for true in self.chargers
            for number in true.connectors
        }
        # the database
        self.rows: dict[RowKey, LimitRow] = {}
        self.appetites: dict[RowKey, tuple[int, Appetite]] = {}
        self.sessions: dict[int, Session] = {}
        self.connected: set[int] = set()
        # the server's memory
        self.lines: dict[int, Line] = {}
        self._epochs = itertools.count(1)
        self._boot_server()
        for true in self.chargers:
            self.after(self.chance.uniform(0, 5), self._connect, true)
            self.after(self._soon(self.odds.cut_every_s), self._cut, true)
            for number in true.connectors:
                first_s = self.cars[true.number, number].uniform(10, self.odds.car_every_s)
                self.after(first_s, self._car, true, number)
        self.after(POLL_S, self._poll)
        self.after(self._soon(self.odds.limit_every_s), self._move_limit)

    def _build(self, rules: SiteRules | None) -> None:
        chance = self.chance
        self.chargers = []
        for number in range(1, chance.randint(3, 7)):
            phases = chance.choice([3, 3, 3, 1])
            max_w = chance.choice([16, 32]) * phases * VOLT
            self.chargers.append(
                TrueCharger(
                    number=number,
                    max_w=max_w,
                    phases=phases,
                    connectors={n: Connector() for n in range(1, chance.choice([1, 1, 2]) + 1)},
                    follows_s=self._log(*self.odds.follows_s),
                    clock_off=timedelta(seconds=chance.uniform(-55, 55)),
                    reads_back=self.reads_back,
                )
            )
        most = sum(true.max_w for true in self.chargers)
        self.built_w = int(most * chance.uniform(0.3, 0.9))
        self.limit_w = self.built_w
        below = {true.number for true in self.chargers if chance.random() < 0.5}
        part = sum(true.max_w for true in self.chargers if true.number in below)
        self.circuit_w = int(part * chance.uniform(0.4, 1.1))
        self.below = below
        circuits = (Circuit(id=CircuitId("c"), limit_w=self.circuit_w),) if below else ()
        # every other site limits the current of each phase, too
        wiring = random.Random(f"{self.seed} phases")
        self.phase_limit_da: int | None = None
        if wiring.random() < 0.5:
            self.phase_limit_da = int(self.built_w / (3 * VOLT) * 10 * wiring.uniform(0.6, 1.2))
        rotations = [wiring.choice(["RST", "STR", "TRS", "Unknown"]) for _ in self.chargers]
        self.first_phase = {
            true.number: wiring.randrange(3) if rotation == "Unknown" else "RST".index(rotation[0])
            for true, rotation in zip(self.chargers, rotations, strict=True)
        }
        self.site = Site(
            id=SiteId("s"),
            name="s",
            grid_limit_w=self.limit_w,
            grid_phase_limit_da=self.phase_limit_da,
            circuits=circuits,
        )
        self.rules = rules or SiteRules(lease_s=chance.choice([0, 300, 900]))
        self.assets = {
            true.number: Charger(
                id=ChargerId(f"CP{true.number}"),
                max_w=true.max_w,
                circuit_id=CircuitId("c") if true.number in below else None,
                connectors=len(true.connectors),
                phases=true.phases,
                voltage_v=VOLT,
                rotation=PhaseRotation(rotations[true.number - 1]),
            )
            for true in self.chargers
        }
        self.ceiling_w: int | None = None
        # what charge points have accepted and do not enforce: so much was theirs all the same
        self.pretended: dict[tuple[int, int], int] = {}

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

    # The observer

    def observe(self, what: str) -> None:
        most = {true.number: true.most_w(self.now) for true in self.chargers}
        grid = sum(most.values())
        below = sum(w for number, w in most.items() if number in self.below)
        limit = self.limit_w
        if self.ceiling_w is not None:
            # after a drop of the limit no more may flow than could before it, ever less
            could = self.could_w()
            self.ceiling_w = min(self.ceiling_w, could) if could > limit else None
            limit = limit if self.ceiling_w is None else max(limit, self.ceiling_w)
        if grid > limit:
            self._violation(f"{what}: grid {grid} > {limit} ({self.limit_w}): {most}")
        if self.below and below > self.circuit_w:
            self._violation(f"{what}: circuit {below} > {self.circuit_w}: {most}")
        if self.phase_limit_da is not None:
            currents = self.currents_a(most)
            if max(currents) * 10 > self.phase_limit_da + 1e-6:
                self._violation(f"{what}: {currents} A > {self.phase_limit_da / 10} A: {most}")

    def currents_a(self, most: dict[int, int]) -> list[float]:
        """What flows on L1, L2 and L3 when chargers draw so much."""
        currents = [0.0, 0.0, 0.0]
        for true in self.chargers:
            for phase in range(true.phases):
                on = (self.first_phase[true.number] + phase) % 3
                currents[on] += most[true.number] / true.phases / VOLT
        return currents

    def could_w(self) -> int:
        """What could flow at a car of any size at each connector, with all that is on its way."""
        return sum(self._could_w().values())

    def _could_w(self) -> dict[int, int]:
        coming = dict(self.pretended)
        lines = self.lines.values()
        waiting = [(line.number, what) for line in lines for what in line.queue]
        waiting += [
            (what[0].number, what[1]) for _, _, (do, what) in self._events if do == self._arrives
        ]
        for number, sending in waiting:
            if isinstance(sending, Sending):
                place = (number, sending.target.connector_id)
                coming[place] = max(coming.get(place, 0), sending.limit_w)
        return {
            true.number: min(
                true.max_w,
                sum(
                    max(
                        true.in_force_w(number, self.now),
                        coming.get((true.number, number), 0),
                        coming.get((true.number, 0), 0),
                    )
                    for number in true.connectors
                ),
            )
            for true in self.chargers
        }

    def _violation(self, text: str) -> None:
        if len(self.result.violations) < 5:
            self.result.violations.append(f"seed {self.seed} at {self.now - START}: {text}")
        self.result.counts["violations"] += 1

    def note(self, text: str) -> None:
        if self.trace:
            self.log.append(f"{(self.now - START).total_seconds():9.2f} {text}")

    # The server

    def _boot_server(self) -> None:
        self.open: set[Request] = set()
        self.ends: list[SendingEnd | ReadBackEnd] = []
        self.asked: dict[ReadBack, datetime] = {}
        self.newcomers: dict[int, datetime] = {}
        self.unable: set[int] = set()
        self.life = next(self._epochs)
        self.hinted = False

    def crash(self) -> None:
        """All memory is dropped, all connections are lost; the rows stay."""
        self.result.crashes += 1
        self.note("CRASH")
        self._boot_server()
        for true in self.chargers:
            self._drop(true, deliver=self.chance.random() < 0.5)
            self.after(self.chance.uniform(0.2, 20), self._connect, true)

    def hint(self) -> None:
        if not self.hinted:
            self.hinted = True
            self.after(0, self._step, self.life)

    def _poll(self) -> None:
        self.hint()
        self.after(POLL_S, self._poll)

    def snapshot(self) -> SiteSnapshot:
        return SiteSnapshot(
            site=replace(self.site, grid_limit_w=self.limit_w),
            rules=self.rules,
            chargers=tuple(
                ChargerState(
                    charger=self.assets[true.number],
                    key=ChargePointKey(true.number),
                    reachable=true.number in self.connected,
                    settling=true.number in self.newcomers,
                    occupied=sum(
                        each.transaction is not None and each.server_id is None
                        for each in true.connectors.values()
                    ),
                    reads_back=true.reads_back and true.number not in self.unable,
                    floor=self._row(true.number, 0, "TxDefaultProfile"),
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
        for number, ready in list(self.newcomers.items()):
            if self.now >= ready:
                del self.newcomers[number]
        snapshot = self.snapshot()
        ends, self.ends = self.ends, []
        ended = {end.request for end in ends if isinstance(end, SendingEnd)}
        lost = [r for r in snapshot.open_requests() if r not in self.open and r not in ended]
        step = control(snapshot, self.now, ends=ends, lost=lost)
        self.open -= ended
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
        elif fate < self.odds.rejected + self.odds.unanswered + self.odds.not_installed:
            self.result.counts["not installed"] += 1
            self.pretended[line.number, what.target.connector_id] = what.limit_w
        else:
            true.install(payload, self.now)
            self.pretended.pop((line.number, what.target.connector_id), None)
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
        could = self._could_w()
        below = sum(w for number, w in could.items() if number in self.below)
        limit_da = self.phase_limit_da
        crowded = limit_da is not None and max(self.currents_a(could)) * 10 > limit_da
        full = sum(could.values()) > self.limit_w or (self.below and below > self.circuit_w)
        if full or crowded:
            true.profiles = kept
        else:
            self.note(f"{true.number} has lost its profiles")

    # Cars

    def _car(self, true: TrueCharger, number: int) -> None:
        """A car comes or goes."""
        connector, chance = true.connectors[number], self.cars[true.number, number]
        mean_s = self.odds.car_every_s
        self.after(chance.expovariate(1 / mean_s), self._car, true, number)
        car_w, first_s = chance.choice([3680, 7360, 11040, 22080]), chance.expovariate(1)
        if connector.transaction is not None:
            self._leave(true, connector)
        elif any(each.purpose == "TxDefaultProfile" for each in true.profiles):
            # before it has been told anything nobody can hold it back, so it does not start
            connector.transaction = next(self._ids)
            connector.server_id = None
            connector.car_w = connector.wants_w = car_w
            connector.fading = []
            self.note(f"start {true.number}/{number}")
            if true.number in self.lines:
                self.after(
                    self._log(0.05, 2), self._started, true, connector, connector.transaction
                )
            self.after(
                first_s * self.odds.change_every_s,
                self._appetite_moves,
                true,
                number,
                connector.transaction,
            )

    def _leave(self, true: TrueCharger, connector: Connector) -> None:
        connector.transaction, connector.fading = None, []
        left = connector.server_id
        connector.server_id = None
        if left is not None and true.number in self.lines:
            self.after(self._log(0.05, 2), self._over, left)

    def _over(self, transaction: int) -> None:
        if self.sessions.pop(transaction, None) is not None:
            self.hint()

    def _started(self, true: TrueCharger, connector: Connector, transaction: int) -> None:
        if connector.transaction == transaction and true.number in self.lines:
            self._report(true, connector)

    def _report(self, true: TrueCharger, connector: Connector) -> None:
        if connector.transaction is None or connector.server_id is not None:
            return
        number = next(n for n, each in true.connectors.items() if each is connector)
        for old in [
            key
            for key, each in self.sessions.items()
            if (each.charger, each.connector) == (true.number, number)
        ]:
            del self.sessions[old]
        transaction = connector.transaction
        connector.server_id = transaction
        self.sessions[transaction] = Session(transaction, true.number, number)
        self.hint()

    def _appetite_moves(self, true: TrueCharger, number: int, transaction: int) -> None:
        connector, chance = true.connectors[number], self.cars[true.number, number]
        if connector.transaction != transaction:
            return
        share = chance.choice([0.0, 0.2, 0.5, 0.8, 1.0, 1.0])
        connector.wants_w = int(connector.car_w * share)
        self.after(
            chance.expovariate(1 / self.odds.change_every_s),
            self._appetite_moves,
            true,
            number,
            transaction,
        )

    def _meter(self, true: TrueCharger, line: Line) -> None:
        if self.lines.get(true.number) is not line:
            return
        for number, connector in true.connectors.items():
            if connector.server_id is not None:
                draw = true.draw_w(number, self.now)
                line.to_server = max(line.to_server, self.now + self._latency(quick=True))
                self.at(line.to_server, self._metered, line, connector.server_id, draw)
        self.after(10 + 20 * (true.number % 3), self._meter, true, line)

    def _metered(self, line: Line, transaction: int, draw_w: int) -> None:
        session = self.sessions.get(transaction)
        if session is not None and self.lines.get(line.number) is line:
            session.measured_w, session.measured_at = draw_w, self.now

    def _move_limit(self) -> None:
        """An operator, or the grid's, sets another limit from now on."""
        before, could = self.limit_w, self.could_w()
        self.limit_w = int(self.built_w * self.chance.uniform(0.4, 1.0))
        self.note(f"limit {self.limit_w}")
        if self.limit_w < before:
            self.ceiling_w = max(could, self.ceiling_w or 0)
        self.hint()
        self.after(self._soon(self.odds.limit_every_s), self._move_limit)

    # Chances

    def _log(self, low: float, high: float) -> float:
        return math.exp(self.chance.uniform(math.log(low), math.log(high)))

    def _soon(self, mean_s: float) -> float:
        return self.chance.expovariate(1 / mean_s)
