"""Compares a ledger with the sessions of a central system.

Pure. The ledger says what the charge points' meters showed and what the central system has
acknowledged; every acknowledged start and stop must be there, once, with these numbers. What was
not acknowledged may be there or not; if it is, its numbers count.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from simulator.books import Entry, StoredSession

Kind = Literal[
    "missing session",
    "extra session",
    "start differs",
    "stop differs",
    "energy differs",
    "still open",
    "ended though running",
    "id used twice",
    "meter values missing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference; ``ledger`` and ``stored`` are the two values, None where there is none."""

    kind: Kind
    charge_point: str
    transaction_id: int | None
    what: str
    ledger: Any = None
    stored: Any = None

    def __str__(self) -> str:
        number = "?" if self.transaction_id is None else self.transaction_id
        values = f": {self.ledger} in the ledger, {self.stored} stored" if self.what else ""
        return (
            f"{self.charge_point} transaction {number}: {self.kind} {self.what}".rstrip() + values
        )


@dataclass(slots=True, kw_only=True)
class Delivered:
    """What one charge point has delivered, in Wh of transactions that both sides have ended."""

    transactions: int = 0
    ledger_wh: int = 0
    stored_wh: int = 0


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What the comparison came to; ``delivered`` by charge point as the ledger spells it."""

    entries: int = 0
    sessions: int = 0
    matched: int = 0
    not_acknowledged: int = 0
    delivered: dict[str, Delivered] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ledger_wh(self) -> int:
        """All that the ledger says was delivered."""
        return sum(one.ledger_wh for one in self.delivered.values())

    @property
    def stored_wh(self) -> int:
        """All that the central system says was delivered."""
        return sum(one.stored_wh for one in self.delivered.values())

    def as_json(self) -> dict[str, Any]:
        """Return the verdict, JSON-ready."""
        return {
            "same": not self.findings,
            "transactions": self.entries,
            "sessions": self.sessions,
            "matched": self.matched,
            "notAcknowledged": self.not_acknowledged,
            "ledgerWh": self.ledger_wh,
            "storedWh": self.stored_wh,
            "chargePoints": [
                {
                    "chargePoint": name,
                    "transactions": one.transactions,
                    "ledgerWh": one.ledger_wh,
                    "storedWh": one.stored_wh,
                }
                for name, one in self.delivered.items()
            ],
            "kinds": dict(Counter(one.kind for one in self.findings)),
            "differences": [asdict(one) for one in self.findings],
        }

    def __str__(self) -> str:
        lines = [str(one) for one in self.findings]
        lines.append(
            f"{self.entries} transactions in the ledger, {self.sessions} sessions stored, "
            f"{self.matched} matched, {self.not_acknowledged} starts not acknowledged, "
            f"{self.ledger_wh} Wh and {self.stored_wh} Wh"
        )
        lines.append(f"{len(self.findings)} differences" if self.findings else "no difference")
        return "\n".join(lines)


def verify(
    entries: Sequence[Entry],
    sessions: Iterable[StoredSession],
    *,
    tolerance_wh: int = 0,
    registers: bool = True,
) -> Verdict:
    """Return how ``sessions`` differ from ``entries``.

    Args:
        entries: the ledger.
        sessions: all of the ledger's charge points since the ledger's first transaction; others
            are passed over.
        tolerance_wh: how far energies and registers may be apart.
        registers: whether registers count, or energies alone: some quirks bend what is told.
    """
    stations = {_same(entry.charge_point) for entry in entries}
    left = {one.transaction_id: one for one in sessions if _same(one.charge_point) in stations}
    verdict = Verdict(entries=len(entries), sessions=len(left))
    taken: set[int] = set()
    for entry in entries:
        number = entry.transaction_id
        if not entry.start_acknowledged or number is None:
            continue
        if number in taken:
            verdict.findings.append(_found(entry, "id used twice"))
            continue
        taken.add(number)
        session = left.pop(number, None)
        if session is None:
            verdict.findings.append(_found(entry, "missing session"))
            continue
        verdict.matched += 1
        verdict.findings += [
            one
            for one in _differences(entry, session, tolerance_wh)
            if registers or one.what not in ("meterStart", "meterStop")
        ]
        if entry.energy_wh is not None and not session.is_active:
            sums = verdict.delivered.setdefault(entry.charge_point, Delivered())
            sums.transactions += 1
            sums.ledger_wh += entry.energy_wh
            sums.stored_wh += session.energy_wh
    for entry in entries:
        if entry.start_acknowledged and entry.transaction_id is not None:
            continue
        verdict.not_acknowledged += 1
        # Its answer was lost: it may be there. Twice it may not, so one session is taken.
        for number, session in left.items():
            if _is_start_of(entry, session):
                del left[number]
                break
    for session in left.values():
        verdict.findings.append(
            Finding(
                kind="extra session",
                charge_point=session.charge_point,
                transaction_id=session.transaction_id,
                what="",
            )
        )
    return verdict


def _found(
    entry: Entry, kind: Kind, what: str = "", ledger: Any = None, stored: Any = None
) -> Finding:
    return Finding(
        kind=kind,
        charge_point=entry.charge_point,
        transaction_id=entry.transaction_id,
        what=what,
        ledger=ledger,
        stored=stored,
    )


def _is_start_of(entry: Entry, session: StoredSession) -> bool:
    return all(was == now for _, was, now in _starts(entry, session))


def _starts(entry: Entry, session: StoredSession) -> Iterator[tuple[str, Any, Any]]:
    yield "chargePoint", _same(entry.charge_point), _same(session.charge_point)
    yield "connectorId", entry.connector_id, session.connector_id
    yield "idTag", entry.id_tag, session.id_tag
    yield "startTimestamp", _second(entry.started_at), _second(session.started_at)
    yield "meterStart", entry.meter_start_wh, session.meter_start_wh


def _differences(entry: Entry, session: StoredSession, tolerance_wh: int) -> Iterator[Finding]:
    def close(one: int | None, other: int | None) -> bool:
        if one is None or other is None:
            return one is other
        return abs(one - other) <= tolerance_wh

    for what, was, now in _starts(entry, session):
        if was != now and not (what == "meterStart" and close(was, now)):
            yield _found(entry, "start differs", what, was, now)
    if entry.stopped_at is None:
        if not session.is_active:
            yield _found(entry, "ended though running")
        return
    if session.is_active:
        if entry.stop_acknowledged:
            yield _found(entry, "still open")
        return
    if session.meter_stop_wh is None and not entry.stop_acknowledged:
        return  # ended without its stop, which the central system may not have got
    yield from _stops(entry, session, close)


def _stops(
    entry: Entry, session: StoredSession, close: Callable[[int | None, int | None], bool]
) -> Iterator[Finding]:
    if not close(entry.meter_stop_wh, session.meter_stop_wh):
        yield _found(entry, "stop differs", "meterStop", entry.meter_stop_wh, session.meter_stop_wh)
    was, now = _second(entry.stopped_at), _second(session.stopped_at)
    if was != now:
        yield _found(entry, "stop differs", "stopTimestamp", was, now)
    if (entry.reason or "Local") != (session.reason or "Local"):
        yield _found(entry, "stop differs", "reason", entry.reason, session.reason)
    # A register that ran backwards has delivered nothing.
    delivered = max(0, entry.energy_wh or 0)
    if not close(delivered, session.energy_wh):
        yield _found(entry, "energy differs", "Wh", delivered, session.energy_wh)


def _same(identity: str) -> str:
    return identity.lower()


def _second(moment: datetime | None) -> str | None:
    """Return a moment to the second, which is how exactly the API tells it."""
    return None if moment is None else moment.replace(microsecond=0).isoformat()
