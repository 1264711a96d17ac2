"""Charge points as they really are, and a ledger as the database keeps it, around `control`.

The charge points obey the limits that they have taken and nothing else; what flows through a node
at most is computed from them alone, so that the control loop is judged by what happens and not by
what it believes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.site_control import Sending, control
from csms.domain.site_snapshot import ChargerState, LimitRow, SessionState, SiteSnapshot
from csms.domain.sites import Charger, ChargerId, Circuit, CircuitId, Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class TrueConnector:
    """`transaction`: (id, its own limit or None); reported when the server knows of it."""

    transaction: tuple[int, int | None] | None = None
    reported: bool = False


@dataclass
class TrueCharger:
    charger: Charger
    key: int
    connected: bool = True
    floor_w: int | None = None
    connectors: dict[int, TrueConnector] = field(default_factory=dict)
    inbox: list[Message] = field(default_factory=list)

    def most_w(self) -> int:
        """What it may draw at most under the limits that it has taken."""
        total = 0
        for connector in self.connectors.values():
            if connector.transaction is not None:
                _, own = connector.transaction
                limit = self.floor_w if own is None else own
                total += self.charger.max_w if limit is None else limit
        return min(self.charger.max_w, total)

    def take(self, message: Message, *, willing: bool = True) -> None:
        target = message.sending.target
        message.taken = False
        if target.transaction_id is None:
            if willing:
                self.floor_w, message.taken = message.sending.limit_w, True
            return
        connector = self.connectors[target.connector_id]
        if connector.transaction and connector.transaction[0] == target.transaction_id and willing:
            connector.transaction = (target.transaction_id, message.sending.limit_w)
            message.taken = True


@dataclass(eq=False)
class Message:
    """A limit on its way; `taken` is None until the charge point has seen it."""

    sending: Sending
    taken: bool | None = None


class World:
    """A site; everything starts connected, without limits and without sessions."""

    def __init__(
        self,
        limit_w: int,
        chargers: list[tuple[int, int]],
        *,
        circuit: tuple[int, int] | None = None,
    ) -> None:
        """Make a site.

        Args:
            limit_w: Of the grid connection.
            chargers: Maximum in W and number of connectors of each.
            circuit: A limit in W and how many of the chargers are under it.
        """
        self.now = NOW
        below = 0 if circuit is None else circuit[1]
        circuits = () if circuit is None else (Circuit(id=CircuitId("c"), limit_w=circuit[0]),)
        self.site = Site(id=SiteId("s"), name="s", grid_limit_w=limit_w, circuits=circuits)
        self.chargers = [
            TrueCharger(
                charger=Charger(
                    id=ChargerId(f"CP{n}"),
                    max_w=max_w,
                    connectors=connectors,
                    circuit_id=CircuitId("c") if n < below else None,
                ),
                key=n + 1,
                connectors={c: TrueConnector() for c in range(1, connectors + 1)},
            )
            for n, (max_w, connectors) in enumerate(chargers)
        ]
        self.rows: dict[tuple[int, int], LimitRow] = {}
        self.open: list[Message] = []
        self.version = 0
        self._ids = 0

    # What the observer sees

    def overload(self) -> str | None:
        """Return which node may carry more than its limit, if any."""
        total = sum(c.most_w() for c in self.chargers)
        if total > self.site.grid_limit_w:
            return f"grid: {total} > {self.site.grid_limit_w}"
        for circuit in self.site.circuits:
            below = sum(c.most_w() for c in self.chargers if c.charger.circuit_id == circuit.id)
            if below > circuit.limit_w:
                return f"circuit {circuit.id}: {below} > {circuit.limit_w}"
        return None

    def snapshot(self) -> SiteSnapshot:
        return SiteSnapshot(
            site=self.site,
            chargers=tuple(
                ChargerState(
                    charger=c.charger,
                    key=ChargePointKey(c.key),
                    reachable=c.connected,
                    floor=self.rows.get((c.key, 0), LimitRow()),
                )
                for c in self.chargers
            ),
            sessions=tuple(
                SessionState(
                    transaction_id=TransactionId(connector.transaction[0]),
                    charger_id=c.charger.id,
                    connector_id=n,
                    measured_w=None,
                    limit=self.rows.get((c.key, n), LimitRow()),
                )
                for c in self.chargers
                for n, connector in c.connectors.items()
                if connector.transaction is not None and connector.reported
            ),
            version=self.version,
        )

    # What the server does

    def step(self, seconds: float = 1):
        """Decide, store and send; returns the step."""
        self.now += timedelta(seconds=seconds)
        step = control(self.snapshot(), self.now)
        self.version += 1
        for wish in step.wishes:
            self._wish(wish.target, wish.limit_w)
        for sending in step.sendings:
            place = (sending.target.key, sending.target.connector_id)
            row = self.rows[place]
            assert row.in_flight_w is None, "one open request a profile"
            assert row.desired_version == sending.version
            self.rows[place] = replace(
                row, in_flight_w=sending.limit_w, in_flight_version=sending.version
            )
            message = Message(sending)
            self.open.append(message)
            self._charger(sending).inbox.append(message)
        return step

    def _wish(self, target, limit_w) -> None:
        place = (target.key, target.connector_id)
        row = self.rows.get(place, LimitRow(transaction_id=target.transaction_id))
        version = row.desired_version + (row.desired_w != limit_w)
        if row.transaction_id != target.transaction_id:
            row = LimitRow(transaction_id=target.transaction_id)
        self.rows[place] = replace(row, desired_w=limit_w, desired_version=version)

    def end(self, message: Message, status: str) -> None:
        """Store how a sending ended."""
        self.open.remove(message)
        target, sending = message.sending.target, message.sending
        place = (target.key, target.connector_id)
        row = self.rows[place]
        if (row.transaction_id, row.in_flight_version) != (target.transaction_id, sending.version):
            return
        if status == "Accepted":
            self.rows[place] = LimitRow(
                transaction_id=row.transaction_id,
                desired_w=row.desired_w,
                desired_version=row.desired_version,
                acknowledged_w=sending.limit_w,
            )
        else:
            self.rows[place] = replace(
                _in_doubt(row),
                refused_w=sending.limit_w,
                refused_status=status,
                refused_at=self.now,
                refusals=row.refusals + 1,
            )

    def crash(self) -> None:
        """The server starts again: nobody waits for what is open."""
        self.open.clear()
        for place, row in self.rows.items():
            if row.in_flight_w is not None:
                self.rows[place] = _in_doubt(row)

    # What happens outside

    def start(self, n: int, connector: int, *, reported: bool = True) -> None:
        place = self.chargers[n].connectors[connector]
        assert place.transaction is None
        self._ids += 1
        place.transaction, place.reported = (self._ids, None), reported

    def stop(self, n: int, connector: int) -> None:
        place = self.chargers[n].connectors[connector]
        place.transaction, place.reported = None, False

    def take(self, n: int, *, willing: bool = True) -> None:
        """Let a charge point look at its oldest message."""
        true = self.chargers[n]
        if true.inbox:
            true.take(true.inbox.pop(0), willing=willing)

    def answer(self, n: int) -> None:
        """Let the oldest answer of a charge point arrive."""
        for message in self.open:
            if self._charger(message.sending) is self.chargers[n] and message.taken is not None:
                self.end(message, "Accepted" if message.taken else "Rejected")
                return

    def time_out(self, n: int) -> None:
        """Give the oldest open request up; the charge point may still come to it."""
        for message in self.open:
            if self._charger(message.sending) is self.chargers[n]:
                self.end(message, "call_timeout")
                return

    def disconnect(self, n: int, *, after_all: bool) -> None:
        """Cut a connection, after or before its messages have reached the charge point."""
        true = self.chargers[n]
        while true.inbox:
            message = true.inbox.pop(0)
            if after_all:
                true.take(message)
        true.connected = False
        for message in [m for m in self.open if self._charger(m.sending) is true]:
            self.end(message, "connection_lost")

    def reconnect(self, n: int) -> None:
        true = self.chargers[n]
        true.connected = True
        for place, row in self.rows.items():
            if place[0] == true.key:
                self.rows[place] = replace(
                    _in_doubt(row),
                    may_be_unlimited=True,
                    refused_w=None,
                    refused_status=None,
                    refused_at=None,
                    refusals=0,
                )

    def settle(self) -> None:
        """Let everything go well until nothing is left to do; AssertionError if that never ends."""
        for n, true in enumerate(self.chargers):
            if not true.connected:
                self.reconnect(n)
            for connector in true.connectors.values():
                connector.reported = connector.transaction is not None
        self.open, leftovers = [], self.open
        for message in leftovers:
            self.open.append(message)
        for _ in range(30):
            for n in range(len(self.chargers)):
                while self.chargers[n].inbox:
                    self.take(n)
                while any(self._charger(m.sending) is self.chargers[n] for m in self.open):
                    self.answer(n)
            if not self.step(seconds=600).sendings:
                return
            assert self.overload() is None
        raise AssertionError("it never settles")

    def _charger(self, sending: Sending) -> TrueCharger:
        return self.chargers[sending.target.key - 1]


def _in_doubt(row: LimitRow) -> LimitRow:
    earlier = {*row.earlier_w, *(() if row.in_flight_w is None else (row.in_flight_w,))}
    return replace(
        row,
        earlier_w=frozenset({min(earlier), max(earlier)} if earlier else ()),
        in_flight_w=None,
        in_flight_version=None,
        doubtful=True,
    )
