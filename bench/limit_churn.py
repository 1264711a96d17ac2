"""How often limits change on a real day: `.venv/bin/python -m bench.limit_churn FOLDER`.

The sessions of a garage's day on a virtual clock: the control loop as it is, with its ledger, and
chargers that answer after 100 ms, follow after 3 s and send their power every minute. Counted is
what goes over the wire, message by message: a TxProfile with another limit than the session had is
a *change*, one with the same limit is a *renewal* of its lease, the rest are fallback shares and
questions which limit holds. FOLDER has `sessions-*.csv` and `network-*.json`.

Beside it what the changes bought: energy, the worst tenth of the sessions, how much of the site's
limit was drawn while cars wanted more than it, and the energy that waiting costs, against the same
day with a wire and chargers that are at once where they are told to be (`--no-ideal` leaves that
out). `--taper` gives the cars batteries whose power falls over the last fifth. `--steady` keeps
limits near the fair share, as the rule of that name does.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from csms.domain import obedience, site_wishes
from csms.domain.charging_profiles import ProfilePurpose
from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_messages import limit_payload
from csms.domain.limit_rows import NOTHING_KNOWN, LimitRow
from csms.domain.reclaim import HUNGRY, Appetite
from csms.domain.site_control import Sending, control
from csms.domain.site_entries import session_load
from csms.domain.site_observation import ReadBack, ReadBackEnd, SendingEnd
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, RowKey, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, Site

PERIOD = timedelta(minutes=5)
ANSWERS_S, FOLLOWS_S, METER_S = 0.1, 3.0, 60.0
POLL_S, PROOF_POLL_S, IDLE_POLL_S = 5.0, 1.0, 30.0
ASK_AGAIN = timedelta(seconds=60)
VOLTS = 208
AMPERE_W = VOLTS
OUT = Path(__file__).with_suffix(".json")
CASES = (
    ("caltech-2019-05-13", (40,)),
    ("caltech-2019-06-14", (40,)),
    ("caltech-2019-09-09", (25, 40, 60, 150)),
    ("caltech-2019-10-29", (40,)),
    ("caltech-2019-11-12", (40,)),
    ("jpl-2019-11-20", (60, 80, 120)),
)
_CASE = ("day", "steady", "taper", "kW")
_TAPERS_FROM = 0.2
_TAPERS_TO_W = 2 * AMPERE_W


@dataclass
class Car:
    """A session: its charger, what it still needs, and what it is under."""

    transaction: TransactionId
    charger: Charger
    key: ChargePointKey
    needs_wh: float
    left_wh: float
    tapers: bool = False
    limit_w: int = 0
    told_w: int | None = None
    drew_at: datetime | None = None
    measured_w: int | None = None
    measured_at: datetime | None = None
    short_since: datetime | None = None

    def takes_w(self) -> int:
        """What it would take now."""
        if self.left_wh <= 0:
            return 0
        if not self.tapers:
            return self.charger.max_w
        part = self.left_wh / self.needs_wh / _TAPERS_FROM
        return min(self.charger.max_w, max(_TAPERS_TO_W, int(self.charger.max_w * part)))

    def draw_w(self) -> int:
        """What it draws now."""
        return min(self.limit_w, self.takes_w())

    def pass_time(self, now: datetime) -> None:
        """Charge up to now."""
        if self.drew_at is not None:
            self.left_wh -= self.draw_w() * (now - self.drew_at) / timedelta(hours=1)
        self.drew_at = now


@dataclass
class Busy:
    """The time in which cars wanted more than the site may have, in Wh."""

    drawn: float = 0.0
    allowed: float = 0.0
    longest_wait: timedelta = timedelta(0)
    causes: Counter[str] = field(default_factory=Counter)


class Day:
    """One day of one garage under one limit."""

    def __init__(
        self,
        sessions: list[dict[str, str]],
        network: dict[str, Any],
        limit_w: int,
        day: str,
        *,
        tapers: bool = False,
        wire_s: tuple[float, float] = (ANSWERS_S, FOLLOWS_S),
        poll_s: float = POLL_S,
        steady: bool = False,
    ) -> None:
        """Lay out the arrivals and departures."""
        self.now = self.start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.counts: Counter[str] = Counter()
        self.busy = Busy()
        self.answers_s, self.follows_s = wire_s
        self.poll_s = poll_s
        self.rules = SiteRules(steady=steady)
        self._looked_at = self.now
        self.needed_wh = 1000 * sum(float(each["energy_kwh"]) for each in sessions)
        self.site = Site(id=SiteId("s"), name="s", grid_limit_w=limit_w)
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, Callable[..., object], tuple[Any, ...]]] = []
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
            needs_wh = 1000 * float(row["energy_kwh"])
            car = Car(TransactionId(number), charger, key, needs_wh, needs_wh, tapers)
            self._at(self.start + int(row["arrival_period"]) * PERIOD, self._arrives, car)
            self._at(self.start + int(row["departure_period"]) * PERIOD, self._leaves, car)
        self._last = max(at for at, *_ in self._events)
        self._at(self.start, self._poll)

    def play(self) -> dict[str, Any]:
        """Play the day and return what was counted."""
        while self._events and self._events[0][0] <= self._last:
            self.now, _, act, what = heapq.heappop(self._events)
            act(*what)
        cars = (*self._gone, *self._cars.values())
        served = sorted(1 - max(0.0, car.left_wh) / car.needs_wh for car in cars)
        missed = sum(max(0.0, car.left_wh) for car in cars)
        worst = served[: max(1, len(served) // 10)]
        changes = self.counts["decreases"] + self.counts["raises"]
        busy = self.busy
        return {
            "sessions": len(cars),
            "servedWh": round(self.needed_wh - missed),
            "servedPercent": round(100 * (1 - missed / self.needed_wh), 2),
            "worstDecilePercent": round(100 * sum(worst) / len(worst), 1),
            "jain": round(sum(served) ** 2 / len(served) / sum(one * one for one in served), 3),
            "changesASession": round(changes / len(cars), 2),
            "usedWhileShortPercent": round(100 * busy.drawn / busy.allowed, 1)
            if busy.allowed
            else None,
            "longestWaitS": round(busy.longest_wait.total_seconds()),
            **{name: self.counts[name] for name in (*_TOLD, "floors", "questions")},
            "causes": dict(busy.causes.most_common()),
        }

    def _at(self, at: datetime, act: Callable[..., object], *what: Any) -> None:
        heapq.heappush(self._events, (at, next(self._order), act, what))

    def _after(self, seconds: float, act: Callable[..., object], *what: Any) -> None:
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

    def _look(self) -> None:
        """Note how much of the limit is drawn while cars want more."""
        hours = (self.now - self._looked_at) / timedelta(hours=1)
        self._looked_at = self.now
        for car in self._cars.values():
            car.pass_time(self.now)
        if sum(car.takes_w() for car in self._cars.values()) > self.site.grid_limit_w:
            self.busy.drawn += hours * sum(car.draw_w() for car in self._cars.values())
            self.busy.allowed += hours * self.site.grid_limit_w

    # The server

    def _hint(self) -> None:
        if not self._hinted:
            self._hinted = True
            self._after(0, self._step)

    def _poll(self) -> None:
        self._look()
        is_waiting = self._step()
        pause = PROOF_POLL_S if is_waiting else self.poll_s if self._cars else IDLE_POLL_S
        self._after(pause, self._poll)

    def _step(self) -> bool:
        self._hinted = False
        ends, self._ends = self._ends, []
        step = control(self._snapshot(), self.now, ends=ends)
        self._turns = step.decision.turns
        self._rows.update(step.rows)
        self._note_waits({share.load_id: share.limit_w for share in step.decision.shares})
        owners = {(car.key, 1): car.transaction for car in self._cars.values()}
        for place, appetite in step.appetites.items():
            self._appetites[place] = owners[place.key, place.connector_id], appetite
        for sending in step.sendings:
            limit_payload(sending, self.now)  # it can be said
            self._count(sending)
            self._after(self.answers_s, self._accepts, sending)
        for asking in step.askings:
            if self.now - self._asked.get(asking, self.start - ASK_AGAIN) >= ASK_AGAIN:
                self._asked[asking] = self.now
                self.counts["questions"] += 1
                self._after(self.answers_s, self._says, asking)
        return step.is_waiting

    def _snapshot(self) -> SiteSnapshot:
        return SiteSnapshot(
            site=self.site,
            rules=self.rules,
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
                    charged_wh=int(car.needs_wh - car.left_wh),
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

    def _note_waits(self, decided_w: dict[Any, int]) -> None:
        """Note how long it takes until somebody has what was decided for him, but for 1 A."""
        for car in self._cars.values():
            share_w = decided_w.get(session_load(car.transaction), 0)
            if (car.told_w or 0) >= share_w - AMPERE_W:
                car.short_since = None
            elif car.short_since is None:
                car.short_since = self.now
            else:
                waited = self.now - car.short_since
                self.busy.longest_wait = max(self.busy.longest_wait, waited)

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
            self.busy.causes[self._cause(car, car.told_w, sending.limit_w)] += 1
        car.told_w = sending.limit_w

    def _cause(self, car: Car, before_w: int, after_w: int) -> str:
        """Return what a change is for."""
        way = "raise" if after_w > before_w else "decrease"
        if self._appetite(car).cap_w is not None:
            return f"reclaim: {way} of a car that takes less"
        if not before_w or not after_w:
            return f"turns: {way} from or to 0 A"
        size = "less than 1 A" if abs(after_w - before_w) < AMPERE_W else "1 A and more"
        return f"shares: {way}, {size}"

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
            self._after(self.follows_s, self._follows, car, sending.limit_w)
        self._hint()

    def _says(self, asking: ReadBack) -> None:
        row = self._rows[asking.row]
        self._ends.append(ReadBackEnd(asking=asking, limit_w=row.acknowledged_w, at=self.now))
        self._hint()


_TOLD = ("first", "decreases", "raises", "renewals")


def _ideal() -> ExitStack:
    """Return what makes limits hold at once: nothing has to be waited for."""
    patches = ExitStack()
    for module, name, value in (
        (obedience, "FOLLOWS_WITHIN_S", 0.01),
        (obedience, "QUICKEST_S", 0.01),
        (obedience, "WAIT_FOR_METER", timedelta(0)),
        (site_wishes, "RAISES_APART", timedelta(0)),
        (site_wishes, "CALM", timedelta(0)),
    ):
        patches.enter_context(mock.patch.object(module, name, value))
    return patches


def table(found: list[dict[str, Any]]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| day | kW | sessions | changes a session | served % | worst tenth % | used % | "
        "lost to waiting % | longest wait s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        cells = (
            *(row[name] for name in ("day", "kW", "sessions", "changesASession", "servedPercent")),
            *(row[name] for name in ("worstDecilePercent", "usedWhileShortPercent")),
            row.get("lostToWaitingPercent"),
            row["longestWaitS"],
        )
        shown = ("-" if cell is None else str(cell) for cell in cells)
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    """Play the days that are asked for and write the figures down."""
    parser = argparse.ArgumentParser(
        prog="bench.limit_churn", description="How often limits change on a real day."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", nargs="*", help="such as jpl-2019-11-20")
    parser.add_argument("--kw", nargs="*", type=int, help="other limits than the usual ones")
    parser.add_argument("--taper", action="store_true", help="batteries that take less in the end")
    parser.add_argument("--steady", action="store_true", help="limits near the fair share stay")
    parser.add_argument("--no-ideal", action="store_true", help="only the real wire")
    parser.add_argument("--poll", type=float, default=POLL_S, help="seconds; more is quicker")
    parser.add_argument("--keep", action="store_true", help="do not write the result down")
    given = parser.parse_args()
    found = []
    for day, usual in CASES:
        if given.days and day not in given.days:
            continue
        garage, date = day.split("-", 1)
        with (given.folder / f"sessions-{day}.csv").open() as file:
            sessions = list(csv.DictReader(file))
        network = json.loads((given.folder / f"network-{garage}.json").read_text())
        for kilowatts in given.kw or usual:
            play = partial(
                Day,
                sessions,
                network,
                kilowatts * 1000,
                date,
                tapers=given.taper,
                poll_s=given.poll,
                steady=given.steady,
            )
            real = play().play()
            if not given.no_ideal:
                with _ideal():
                    ideal = play(wire_s=(0.001, 0.001)).play()
                lost = 100 * (1 - real["servedWh"] / ideal["servedWh"])
                real["lostToWaitingPercent"] = round(lost, 2)
            asked = {"day": day, "kW": kilowatts, "steady": given.steady, "taper": given.taper}
            found.append(asked | real)
            print(json.dumps(found[-1]), flush=True)
    print(table(found))
    if not given.keep:
        OUT.write_text(json.dumps(merged(json.loads(OUT.read_text()), found), indent=1) + "\n")


def merged(before: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results with those of the same case replaced."""
    by_case = {tuple(row[name] for name in _CASE): row for row in (*before, *found)}
    return [by_case[case] for case in sorted(by_case)]


if __name__ == "__main__":
    main()
