"""What a charge point keeps without power, and how it comes up with it (OCPP 1.6 3.7.1, 4.2, 5.14).

Kept are what real ones have in their flash: configuration, profiles, local list and cache,
reservations and availability, registers, the transactions with their queue of messages, keys and
certificates, the security log, and the installed firmware. It is written before each frame leaves
and after each change of a connector, so nobody was ever told what is not there after a power cut.
An update of the firmware under way begins anew, or is told to have come to its end. Vehicles are
not kept, who was plugged in has gone meanwhile; nor are uploads under way.

Storage stands in :mod:`simulator.flash`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call, enums

from simulator import key_effects
from simulator.certificates import CertificateError
from simulator.clock import iso, parse_iso
from simulator.connector import Reservation
from simulator.errors import StateError
from simulator.flash import Memory
from simulator.meter import MS_PER_HOUR
from simulator.physics import EnergyAccount
from simulator.profiles import Installed
from simulator.schedule import ProfileError, parse_profile, payload_of
from simulator.transactions import Message, Transaction

if TYPE_CHECKING:
    from simulator.charge_point import ChargePointSimulator
    from simulator.session import ConnectorSession

PAYLOADS = {
    one.__name__: one for one in (call.StartTransaction, call.MeterValues, call.StopTransaction)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One fact: ``mark`` is another value whenever ``memo`` may be."""

    name: str
    mark: Callable[[], object]
    memo: Callable[[], Any]
    recall: Callable[[Any], None]


class Keeper:
    """Keeps one charge point's facts.

    Args:
        station: the charge point, with what its settings give it.
        memory: where to; None keeps nothing.
    """

    def __init__(self, station: "ChargePointSimulator", memory: Memory | None) -> None:
        self._station = station
        self._memory = memory
        self._marks: dict[str, object] = {}
        self._transactions: dict[Transaction, int] = {}
        self._messages: dict[Message, int] = {}
        self._next_transaction = self._next_message = 1
        self._queue_revision = -1
        self._first_values: Mapping[str, str] = {}
        self._is_up = False
        # Thousands that keep nothing need no parts.
        self._parts = _parts(self, station) if memory is not None else ()

    def come_up(self) -> bool:
        """Take over what was kept; tell whether there was anything.

        Transactions that were running end with PowerLoss, at the last moment that was kept.

        Raises:
            StateError: what was kept cannot be read.
        """
        self._is_up = self._memory is not None
        if self._memory is None:
            return False
        self._first_values = dict(self._station.configuration.values)
        self._marks = {part.name: part.mark() for part in self._parts}
        facts = self._memory.read()
        if not facts:
            return False
        try:
            for part in self._parts:
                if part.name in facts:
                    part.recall(facts[part.name])
            self._recall_transactions(facts)
        except (KeyError, TypeError, ValueError, ProfileError, CertificateError) as error:
            msg = f"what {self._station.identity} kept cannot be read: {error!r}"
            raise StateError(msg) from error
        key_effects.reboot(self._station)
        self._station.firmware.reopen()
        return True

    def keep(self) -> None:
        """Write what has changed since the last time; before ``come_up`` nothing.

        Raises:
            StateError: it cannot be written.
        """
        if self._memory is None or not self._is_up:
            return
        facts: dict[str, Any] = {}
        for part in self._parts:
            mark = part.mark()
            if mark != self._marks.get(part.name):
                facts[part.name] = part.memo()
                self._marks[part.name] = mark
        if self._station.queue.revision != self._queue_revision:
            self._note_queue(facts)
        for number, session in self._station.sessions.items():
            facts[f"connector {number}"] = self._connector_memo(session)
        self._note_transactions(facts)
        self._memory.write(facts)

    # Configuration

    def changed_values(self) -> dict[str, str]:
        """Return the keys that were changed after the settings had been read."""
        values = self._station.configuration.values
        return {
            name: value for name, value in values.items() if self._first_values.get(name) != value
        }

    # Connectors

    def _connector_memo(self, session: "ConnectorSession") -> dict[str, Any]:
        connector = session.connector
        transaction, held = connector.transaction, connector.reservation
        memo: dict[str, Any] = {
            "startWh": connector.meter.start_wh,
            "wms": connector.meter.accumulated_wms,
            "account": {name: round(ws) for name, ws in asdict(connector.account).items()},
            "operative": connector.operative and not session.becomes_inoperative,
        }
        if held is not None:
            memo["reservation"] = {
                "reservation_id": held.reservation_id,
                "id_tag": held.id_tag,
                "expires_at": held.expires_at.isoformat(),
                "parent_id_tag": held.parent_id_tag,
                "of_any": held.of_any,
            }
        if transaction is not None:
            memo["transaction"] = self._number_of(transaction)
            memo["at"] = iso(self._station.clock.now())
            memo["stopData"] = session.sampler.stop_data
        return memo

    def _recall_connector(self, session: "ConnectorSession", memo: Mapping[str, Any]) -> None:
        connector = session.connector
        connector.meter.start_wh = memo["startWh"]
        connector.meter.accumulated_wms = memo["wms"]
        connector.account = EnergyAccount(**memo["account"])
        connector.operative = memo["operative"]
        held = memo.get("reservation")
        if held is not None:
            until = parse_iso(held["expires_at"])
            connector.reservation = Reservation(**held | {"expires_at": until})

    # Transactions and their messages

    def _number_of(self, transaction: Transaction) -> int:
        """Return a transaction's number here; it gets one when it is new."""
        if transaction not in self._transactions:
            self._transactions[transaction] = self._next_transaction
            self._next_transaction += 1
        return self._transactions[transaction]

    def _note_queue(self, facts: dict[str, Any]) -> None:
        queue = self._station.queue
        self._queue_revision = queue.revision
        waiting = queue.messages
        for message in waiting:
            if message not in self._messages:
                self._messages[message] = self._next_message
                self._next_message += 1
            self._number_of(message.transaction)
        for message in set(self._messages) - set(waiting):
            facts[_message_name(self._messages.pop(message))] = None
        for message, number in self._messages.items():
            facts[_message_name(number)] = {
                "transaction": self._transactions[message.transaction],
                "action": message.action,
                "payload": _fields_of(message.payload),
                "refusals": message.refusals,
            }

    def _note_transactions(self, facts: dict[str, Any]) -> None:
        told_of = {message.transaction for message in self._messages}
        for transaction, number in list(self._transactions.items()):
            facts[_transaction_name(number)] = _transaction_memo(transaction)
            if transaction.stopped_at is not None and transaction not in told_of:
                # All is said; it stays in the memory for the ledger.
                del self._transactions[transaction]

    def _recall_transactions(self, facts: Mapping[str, Any]) -> None:
        station = self._station
        found: dict[int, Transaction] = {}
        for name in sorted(one for one in facts if one.startswith("transaction ")):
            transaction = _transaction_of(facts[name], station.identity)
            found[int(name.rpartition(" ")[2])] = transaction
            station.ledger.open(transaction)
        self._next_transaction = max(found, default=0) + 1
        for name in sorted(one for one in facts if one.startswith("message ")):
            number, memo = int(name.rpartition(" ")[2]), facts[name]
            transaction = found[memo["transaction"]]
            self._transactions[transaction] = memo["transaction"]
            message = Message(transaction, _payload_of(memo), refusals=memo["refusals"])
            self._messages[message] = number
            self._next_message = number + 1
            station.queue.put_back(message)
        for name in sorted(one for one in facts if one.startswith("connector ")):
            session = station.sessions.get(int(name.rpartition(" ")[2]))
            memo = facts[name]
            if session is not None:
                self._recall_connector(session, memo)
            open_one = found.get(memo.get("transaction", 0))
            if open_one is not None and open_one.stopped_at is None:
                self._transactions[open_one] = memo["transaction"]
                self._end(open_one, session, memo)

    def _end(
        self, transaction: Transaction, session: "ConnectorSession | None", memo: Mapping[str, Any]
    ) -> None:
        """Stop what was running when the power was lost."""
        transaction.stopped_at = parse_iso(memo["at"])
        transaction.meter_stop_wh = memo["startWh"] + memo["wms"] // MS_PER_HOUR
        transaction.reason = "PowerLoss"
        data = memo["stopData"] or None
        if session is not None:
            session.sampler.recall(memo["stopData"])
            data = session.sampler.end(transaction.stopped_at)
        self._station.profiles.end_transaction(transaction.connector_id)
        self._station.queue.put_stop(transaction, id_tag=None, data=data)


def _parts(keeper: Keeper, station: "ChargePointSimulator") -> tuple[_Part, ...]:
    configuration, profiles, tags = station.configuration, station.profiles, station.tags

    def set_operative(operative: bool) -> None:
        station.whole.operative = operative

    return (
        _Part(
            name="configuration",
            mark=lambda: (keeper.changed_values(), dict(configuration.waiting)),
            memo=lambda: {
                "values": keeper.changed_values(),
                "waiting": dict(configuration.waiting),
            },
            recall=lambda memo: configuration.recall(memo["values"], memo["waiting"]),
        ),
        _Part(
            name="firmware",
            mark=lambda: station.firmware.mark,
            memo=station.firmware.memo,
            recall=station.firmware.recall,
        ),
        _Part(
            name="operative",
            mark=lambda: station.whole.operative,
            memo=lambda: station.whole.operative,
            recall=set_operative,
        ),
        _Part(
            name="profiles",
            mark=lambda: profiles.installed,
            memo=lambda: [
                [one.connector_id, one.received_at.isoformat(), payload_of(one.profile)]
                for one in profiles.installed
            ],
            recall=lambda memo: profiles.recall(
                Installed(
                    connector_id=number, received_at=parse_iso(at), profile=parse_profile(payload)
                )
                for number, at, payload in memo
            ),
        ),
        _Part(
            name="security",
            mark=lambda: station.security.mark,
            memo=station.security.memo,
            recall=station.security.recall,
        ),
        _Part(
            name="security log",
            mark=lambda: station.security_log.revision,
            memo=station.security_log.memo,
            recall=station.security_log.recall,
        ),
        _Part(name="tags", mark=lambda: tags.revision, memo=tags.memo, recall=tags.recall),
    )


def _message_name(number: int) -> str:
    return f"message {number:09}"


def _transaction_name(number: int) -> str:
    return f"transaction {number:09}"


def _fields_of(payload: Any) -> dict[str, Any]:
    """Return a payload's fields, JSON-ready; those without a value are left out."""
    pairs = ((one.name, getattr(payload, one.name)) for one in fields(payload))
    return {name: value for name, value in pairs if value is not None}


def _payload_of(memo: Mapping[str, Any]) -> Any:
    given = dict(memo["payload"])
    if "reason" in given:
        given["reason"] = enums.Reason(given["reason"])
    return PAYLOADS[memo["action"]](**given)


def _transaction_memo(transaction: Transaction) -> dict[str, Any]:
    stopped_at = transaction.stopped_at
    return {
        "connectorId": transaction.connector_id,
        "idTag": transaction.id_tag,
        "startedAt": transaction.started_at.isoformat(),
        "meterStartWh": transaction.meter_start_wh,
        "reservationId": transaction.reservation_id,
        "transactionId": transaction.transaction_id,
        "idTagStatus": transaction.id_tag_status,
        "stoppedAt": stopped_at.isoformat() if stopped_at is not None else None,
        "meterStopWh": transaction.meter_stop_wh,
        "reason": transaction.reason,
        "startAcknowledged": transaction.start_acknowledged,
        "stopAcknowledged": transaction.stop_acknowledged,
        "meterValuesAcknowledged": transaction.meter_values_acknowledged,
        "dropped": list(transaction.dropped),
    }


def _transaction_of(memo: Mapping[str, Any], charge_point: str) -> Transaction:
    stopped_at: datetime | None = parse_iso(memo["stoppedAt"]) if memo["stoppedAt"] else None
    return Transaction(
        charge_point=charge_point,
        connector_id=memo["connectorId"],
        id_tag=memo["idTag"],
        started_at=parse_iso(memo["startedAt"]),
        meter_start_wh=memo["meterStartWh"],
        reservation_id=memo["reservationId"],
        transaction_id=memo["transactionId"],
        id_tag_status=memo["idTagStatus"],
        stopped_at=stopped_at,
        meter_stop_wh=memo["meterStopWh"],
        reason=memo["reason"],
        start_acknowledged=memo["startAcknowledged"],
        stop_acknowledged=memo["stopAcknowledged"],
        meter_values_acknowledged=memo["meterValuesAcknowledged"],
        dropped=list(memo["dropped"]),
    )
