"""How often limits change on a real day: `.venv/bin/python -m bench.limit_churn FOLDER`.

The sessions of a garage's day on a virtual clock: the control loop as it is, with its ledger, and
chargers that answer after 100 ms, follow after 3 s and send their power every minute. Counted is
what goes over the wire, message by message: a TxProfile with another limit than the session had is
a *change*, one with the same limit is a *renewal* of its lease, the rest are fallback shares and
questions which limit holds. FOLDER has `sessions-*.csv` and `network-*.json`.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_messages import limit_payload
from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.site_control import Sending, control
from csms.domain.site_observation import ReadBack, ReadBackEnd, SendingEnd
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, RowKey, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, Site

PERIOD = timedelta(minutes=5)
ANSWERS_S, FOLLOWS_S, METER_S = 0.1, 3.0, 60.0
POLL_S, PROOF_POLL_S, IDLE_POLL_S = 5.0, 1.0, 30.0
ASK_AGAIN = timedelta(seconds=60)
VOLTS = 208
OUT = Path(__file__).with_suffix(".json")


@dataclass
class Car:
    """A session: its charger, what it still needs, and what it is under."""

    transaction: TransactionId
    charger: Charger
    key: ChargePointKey
    left_wh: float
    limit_w: int = 0
    told_w: int | None = None
    drew_at: datetime | None = None
    measured_w: int | None = None
    measured_at: datetime | None = None

    def draw_w(self) -> int:
        """What it draws now."""
        return min(self.limit_w, self.charger.max_w) if self.left_wh > 0 else 0

    def pass_time(self, now: datetime) -> None:
        """Charge up to now."""
        if self.drew_at is not None:
            self.left_wh -= self.draw_w() * (now - self.drew_at) / timedelta(hours=1)
        self.drew_at = now


class Day:
    """One day of one garage under one limit."""

    def __init__(
        self, sessions: list[dict[str, str]], network: dict[str, Any], limit_w: int, day: str
    ) -> None:
        """Lay out the arrivals and departures."""
        self.now = self.start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.counts: Counter[str] = Counter()
        self.needed_wh = 1000 * sum(float(each["energy_kwh"]) for each in sessions)
        self.site = Site(id=SiteId("s"), name="s", grid_limit_w=limit_w)
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = []
        self._rows: dict[RowKey, LimitRow] = {}
        self._appetites: dict[RowKey, tuple[TransactionId, Appetite]] = {}
        self._cars: dict[TransactionId, Car] = {}
        self._gone: list[Car] = []
        self._ends: list[SendingEnd | ReadBackEnd] = []
        self._asked: dict[ReadBack, datetime] = {}
        self._turns: Any = {}
        self._hinted = False
        self._chargers = {
            name: (
                Charger(id=ChargerId(name), max_w=int(most * VOLTS), phases=1, voltage_v=VOLTS),
                ChargePointKey(number),
            )
            for number, (name, most) in enumerate(
                zip(network["stations"], network["maxA"], strict=True), 1
            )
        }
        for number, row in enumerate(sessions, 1):
            charger, key = self._chargers[row["station"]]
            car = Car(TransactionId(number), charger, key, 1000 * float(row["energy_kwh"]))
            self._at(self.start + int(row["arrival_period"]) * PERIOD, self._arrives, car)
            self._at(self.start + int(row["departure_period"]) * PERIOD, self._leaves, car)
        self._last = max(at for at, *_ in self._events)
        self._at(self.start, self._poll)

    def play(self) -> dict[str, float]:
        """Play the day and return what was counted."""
        while self._events and self._events[0][0] <= self._last:
            self.now, _, act, what = heapq.heappop(self._events)
            act(*what)
        sessions = len(self._gone) + len(self._cars)
        missed = sum(max(0.0, car.left_wh) for car in (*self._gone, *self._cars.values()))
        changes = self.counts["decreases"] + self.counts["raises"]
        return {
            "sessions": sessions,
            "servedPercent": round(100 * (1 - missed / self.needed_wh), 1),
            "changesASession": round(changes / sessions, 1),
            **{name: self.counts[name] for name in (*_TOLD, "floors", "questions")},
        }

    def _at(self, at: datetime, act: Callable[..., None], *what: Any) -> None:
        heapq.heappush(self._events, (at, next(self._order), act, what))

    def _after(self, seconds: float, act: Callable[..., None], *what: Any) -> None:
        self._at(self.now + timedelta(seconds=seconds), act, *what)

    # Cars

    def _arrives(self, car: Car) -> None:
        floor = self._rows.get(RowKey(car.key, 0, ProfilePurpose.TX_DEFAULT), NOTHING_KNOWN)
        car.limit_w, car.drew_at = floor.acknowledged_w or 0, self.now
        self._cars[car.transaction] = car
        self._after(METER_S, self._meters, car)
        self._hint()

    def _leaves(self, car: Car) -> None:
        car.pass_time(self.now)
        self._gone.append(self._cars.pop(car.transaction))
        self._hint()

    def _meters(self, car: Car) -> None:
        if car.transaction in self._cars:
            car.pass_time(self.now)
            car.measured_w, car.measured_at = car.draw_w(), self.now
            self._after(METER_S, self._meters, car)

    def _follows(self, car: Car, limit_w: int) -> None:
        car.pass_time(self.now)
        car.limit_w = limit_w

    # The server

    def _hint(self) -> None:
        if not self._hinted:
            self._hinted = True
            self._after(0, self._step)

    def _poll(self) -> None:
        is_waiting = self._step()
        pause = PROOF_POLL_S if is_waiting else POLL_S if self._cars else IDLE_POLL_S
        self._after(pause, self._poll)

    def _step(self) -> bool:
        self._hinted = False
        ends, self._ends = self._ends, []
        step = control(self._snapshot(), self.now, ends=ends)
        self._turns = step.decision.turns
        self._rows.update(step.rows)
        owners = {(car.key, 1): car.transaction for car in self._cars.values()}
        for place, appetite in step.appetites.items():
            self._appetites[place] = owners[place.key, place.connector_id], appetite
        for sending in step.sendings:
            limit_payload(sending, self.now)  # it can be said
            self._count(sending)
            self._after(ANSWERS_S, self._accepts, sending)
        for asking in step.askings:
            if self.now - self._asked.get(asking, self.start - ASK_AGAIN) >= ASK_AGAIN:
                self._asked[asking] = self.now
                self.counts["questions"] += 1
                self._after(ANSWERS_S, self._says, asking)
        return step.is_waiting

    def _snapshot(self) -> SiteSnapshot:
        return SiteSnapshot(
            site=self.site,
            rules=SiteRules(),
            turns=self._turns,
            chargers=tuple(
                ChargerState(
                    charger=charger,
                    key=key,
                    reads_back=True,
                    floor=self._row(key, 0, ProfilePurpose.TX_DEFAULT),
                )
                for charger, key in self._chargers.values()
            ),
            sessions=tuple(
                SessionState(
                    transaction_id=car.transaction,
                    charger_id=car.charger.id,
                    connector_id=1,
                    measured_w=car.measured_w,
                    measured_at=car.measured_at,
                    limit=self._row(car.key, 1, ProfilePurpose.TX),
                    appetite=self._appetite(car),
                )
                for car in self._cars.values()
            ),
        )

    def _row(self, key: ChargePointKey, connector: int, purpose: ProfilePurpose) -> LimitRow:
        return self._rows.get(RowKey(key, connector, purpose), NOTHING_KNOWN)

    def _appetite(self, car: Car) -> Appetite:
        place = RowKey(car.key, 1, ProfilePurpose.TX)
        owner, appetite = self._appetites.get(place, (None, HUNGRY))
        return appetite if owner == car.transaction else HUNGRY

    # The wire

    def _count(self, sending: Sending) -> None:
        transaction = sending.target.transaction_id
        if transaction is None:
            self.counts["floors"] += 1
            return
        car = self._cars[transaction]
        if car.told_w is None:
            self.counts["first"] += 1
        elif car.told_w == sending.limit_w:
            self.counts["renewals"] += 1
        else:
            self.counts["raises" if sending.limit_w > car.told_w else "decreases"] += 1
        car.told_w = sending.limit_w

    def _accepts(self, sending: Sending) -> None:
        self._ends.append(
            SendingEnd(
                request=sending.request,
                limit_w=sending.limit_w,
                status="Accepted",
                at=self.now,
                ends_at=sending.ends_at,
            )
        )
        if sending.target.transaction_id in self._cars:
            car = self._cars[sending.target.transaction_id]
            self._after(FOLLOWS_S, self._follows, car, sending.limit_w)
        self._hint()

    def _says(self, asking: ReadBack) -> None:
        row = self._rows[asking.row]
        self._ends.append(ReadBackEnd(asking=asking, limit_w=row.acknowledged_w, at=self.now))
        self._hint()


_TOLD = ("first", "decreases", "raises", "renewals")


def main() -> None:
    """Play the days that are asked for and write the figures down."""
    parser = argparse.ArgumentParser(prog="bench.limit_churn", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", nargs="*", default=["caltech-2019-09-09", "jpl-2019-11-20"])
    parser.add_argument("--kw", nargs="*", type=int, default=[40, 60, 150])
    given = parser.parse_args()
    found = []
    for day in given.days:
        garage, date = day.split("-", 1)
        with (given.folder / f"sessions-{day}.csv").open() as file:
            sessions = list(csv.DictReader(file))
        network = json.loads((given.folder / f"network-{garage}.json").read_text())
        for kilowatts in given.kw:
            counted = Day(sessions, network, kilowatts * 1000, date).play()
            found.append({"day": day, "kW": kilowatts, **counted})
            print(json.dumps(found[-1]), flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
