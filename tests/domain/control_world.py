"""Charge points as they really are, and a ledger as the database keeps it, around `control`.

The charge points obey the limits that they have taken and nothing else; what flows through a node
at most is computed from them alone, so that the control loop is judged by what happens and not by
what it believes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from csms.domain.ids import ChargePointKey, SiteId, TransactionId
from csms.domain.limit_rows import LimitRow, forgotten
from csms.domain.site_control import Sending, control
from csms.domain.site_observation import SendingEnd
from csms.domain.site_rules import SiteRules
from csms.domain.site_snapshot import ChargerState, RowKey, SessionState, SiteSnapshot
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
        self.rows: dict[RowKey, LimitRow] = {}
        self.open: list[Message] = []
        self.ends: list[SendingEnd] = []
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
                    occupied=sum(
                        each.transaction is not None and not each.reported
                        for each in c.connectors.values()
                    ),
                    floor=self._row(c.key, 0, "TxDefaultProfile"),
                )
                for c in self.chargers
            ),
            sessions=tuple(
                SessionState(
                    transaction_id=TransactionId(connector.transaction[0]),
                    charger_id=c.charger.id,
                    connector_id=n,
                    measured_w=None,
                    limit=self._row(c.key, n, "TxProfile"),
                )
                for c in self.chargers
                for n, connector in c.connectors.items()
                if connector.transaction is not None and connector.reported
            ),
            version=self.version,
            rules=SiteRules(lease_s=0),
        )

    # What the server does

    def step(self, seconds: float = 1):
        """Decide, store and send; returns the step."""
        self.now += timedelta(seconds=seconds)
        snapshot = self.snapshot()
        ends, self.ends = self.ends, []
        known = {m.sending.request for m in self.open} | {end.request for end in ends}
        lost = [request for request in snapshot.open_requests() if request not in known]
        step = control(snapshot, self.now, ends=ends, lost=lost)
        self.version += 1
        for sending in step.sendings:
            before = self.rows.get(sending.target.row, LimitRow())
            after = step.rows[sending.target.row]
            still = [m for m in self.open if m.sending.request == sending.request]
            assert not still or before.in_flight_w is None, "one open request a profile"
            assert after.desired_version == sending.version == after.in_flight_version
            message = Message(sending)
            self.open.append(message)
            self._charger(sending).inbox.append(message)
        self.rows.update(step.rows)
        return step

    def _row(self, key: int, connector: int, purpose: str) -> LimitRow:
        return self.rows.get(RowKey(ChargePointKey(key), connector, purpose), LimitRow())

    def end(self, message: Message, status: str) -> None:
        """Note how a sending ended; the next step stores it."""
        self.open.remove(message)
        sending = message.sending
        self.ends.append(
            SendingEnd(
                request=sending.request,
                limit_w=sending.limit_w,
                status=status,
                at=self.now,
                ends_at=sending.ends_at,
            )
        )

    def crash(self) -> None:
        """The server starts again: nobody waits for what is open."""
        self.open.clear()
        self.ends.clear()

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
            if place.key == true.key:
                self.rows[place] = forgotten(row)

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
