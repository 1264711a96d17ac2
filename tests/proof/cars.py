"""Cars that come and go, what they want, and what charge points report of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.domain.phases import phases_seen
from tests.proof.observer import START, Observed
from tests.proof.truth import Connector, TrueCharger


@dataclass
class Session:
    """What the server's tables hold of a transaction."""

    transaction: int
    charger: int
    connector: int
    measured_w: int | None = None
    measured_at: datetime | None = None
    seen: list[tuple[int, int, int]] = field(default_factory=list)
    drawn: int | None = None
    clock_off_s: float | None = None


@dataclass(eq=False)
class Line:
    """One connection."""

    number: int
    epoch: int
    busy: bool = False
    queue: list[Any] = field(default_factory=list)
    to_charger: datetime = START  # when the newest frame arrives there
    to_server: datetime = START


class Cars(Observed):
    """The cars of a site; time, wires and the server are the world's."""

    cars: dict[tuple[int, int], random.Random]
    sessions: dict[int, Session]
    lines: dict[int, Line]
    _ids: Iterator[int]

    def after(self, seconds: float, do: Any, *what: Any) -> datetime:
        raise NotImplementedError

    def at(self, at: datetime, do: Any, *what: Any) -> None:
        raise NotImplementedError

    def note(self, text: str) -> None:
        raise NotImplementedError

    def hint(self) -> None:
        raise NotImplementedError

    def _latency(self, *, quick: bool = False) -> timedelta:
        raise NotImplementedError

    def _car(self, true: TrueCharger, number: int) -> None:
        """A car comes or goes."""
        connector, chance = true.connectors[number], self.cars[true.number, number]
        mean_s = self.odds.car_every_s
        self.after(chance.expovariate(1 / mean_s), self._car, true, number)
        car_w, first_s = chance.choice([3680, 7360, 11040, 22080]), chance.expovariate(1)
        if connector.transaction is not None:
            self._leave(true, connector)
            if self.more.random() < self.odds.swap:
                next_w, soon_s = self.more.choice([3680, 11040, 22080]), self.more.uniform(0.1, 5)
                self.after(soon_s, self._begins, true, number, next_w, first_s)
        else:
            self._begins(true, number, car_w, first_s)

    def _begins(self, true: TrueCharger, number: int, car_w: int, first_s: float) -> None:
        """A car starts, unless nothing holds it back yet and that is too much."""
        connector = true.connectors[number]
        is_told = any(each.purpose == "TxDefaultProfile" for each in true.profiles)
        if connector.transaction is None and (is_told or not self.is_crowded()):
            connector.transaction = next(self._ids)
            connector.server_id = None
            connector.car_w = connector.wants_w = car_w
            connector.car_phases = None
            if self.odd.random() < self.odds.few_phases:
                connector.car_phases = self.odd.choice([1, 1, 2])
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

    def _zero_ends(self, true: TrueCharger) -> None:
        for number, connector in true.connectors.items():
            is_zero = connector.transaction is not None and true.composite_w(number, self.now) == 0
            if true.zero_stops and is_zero:
                self.result.counts["ended by 0"] += 1
                self._leave(true, connector)

    def _leave(self, true: TrueCharger, connector: Connector) -> None:
        connector.transaction, connector.fading = None, []
        left = connector.server_id
        connector.server_id = None
        if left is not None and true.number in self.lines:
            late = self.more.random() < self.odds.late_stop
            self.after(self.more.uniform(2, 30) if late else self._log(0.05, 2), self._over, left)

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
        self.sessions[transaction].clock_off_s = true.clock_off.total_seconds() - 1
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
        if self.lines.get(true.number) is line:
            self._tell_meters(true, line)
            self.after(10 + 20 * (true.number % 3), self._meter, true, line)

    def _tell_meters(self, true: TrueCharger, line: Line) -> None:
        for number, connector in true.connectors.items():
            if connector.server_id is not None:
                draw, currents = true.draw_w(number, self.now), true.draw_ma(number, self.now)
                line.to_server = max(line.to_server, self.now + self._latency(quick=True))
                what = connector.server_id, draw, currents, self.now + true.clock_off
                self.at(line.to_server, self._metered, line, *what)

    def _clock(self, true: TrueCharger) -> None:
        """A clock jumps, and is set right again after a while; its charger says so at once."""
        self.after(self.more.expovariate(1 / self.odds.clock_every_s), self._clock, true)
        line = self.lines.get(true.number)
        if line is None:
            return  # nobody could know: see docs/power.md
        right = true.clock_off
        since_1970 = timedelta(minutes=5) - (self.now - datetime(1970, 1, 1, tzinfo=UTC))
        hours = timedelta(hours=self.more.choice([-1, 1]) * self.more.uniform(0.1, 3))
        true.clock_off = self.more.choice([hours, hours, since_1970])
        self.note(f"clock of {true.number} off by {true.clock_off}")
        self.after(self.more.uniform(60, 1800), self._clock_is_set, true, right)
        self._tell_meters(true, line)

    def _clock_is_set(self, true: TrueCharger, right: timedelta) -> None:
        true.clock_off = right

    def _metered(
        self,
        line: Line,
        transaction: int,
        draw_w: int,
        currents: tuple[int, int, int],
        told_at: datetime,
    ) -> None:
        session = self.sessions.get(transaction)
        if session is None or self.lines.get(line.number) is not line:
            return
        session.measured_w, session.measured_at = draw_w, self.now
        session.clock_off_s = (told_at - self.now).total_seconds()
        session.seen = [*session.seen[-2:], currents]
        seen = phases_seen(session.seen)
        if seen is not None:
            session.drawn = seen | (session.drawn or 0)
