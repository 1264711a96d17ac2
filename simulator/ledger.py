"""The record of what charge points measured and what the central system acknowledged.

A test kills the server at will, and afterwards compares its database with this ledger: every
acknowledged start and stop must be there, once, with these numbers.
"""

from typing import Any

from simulator.clock import iso
from simulator.transactions import Transaction


class Ledger:
    """All transactions of a fleet, in the order in which they began."""

    def __init__(self) -> None:
        self._transactions: list[Transaction] = []

    def __len__(self) -> int:
        return len(self._transactions)

    def open(self, transaction: Transaction) -> None:
        """Take in a transaction; what becomes of it is read from the object itself."""
        self._transactions.append(transaction)

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """The transactions themselves."""
        return tuple(self._transactions)

    def records(self) -> list[dict[str, Any]]:
        """Return one JSON-ready object a transaction; stop fields are None while it runs."""
        return [record(transaction) for transaction in self._transactions]


def record(transaction: Transaction) -> dict[str, Any]:
    """Return one transaction as the ledger writes it; energies in Wh, times ISO 8601."""
    stop_wh = transaction.meter_stop_wh
    return {
        "chargePoint": transaction.charge_point,
        "connectorId": transaction.connector_id,
        "idTag": transaction.id_tag,
        "transactionId": transaction.transaction_id,
        "startTimestamp": iso(transaction.started_at),
        "meterStart": transaction.meter_start_wh,
        "stopTimestamp": iso(transaction.stopped_at) if transaction.stopped_at else None,
        "meterStop": stop_wh,
        "energyWh": stop_wh - transaction.meter_start_wh if stop_wh is not None else None,
        "reason": transaction.reason,
        "startAcknowledged": transaction.start_acknowledged,
        "stopAcknowledged": transaction.stop_acknowledged,
        "meterValuesAcknowledged": transaction.meter_values_acknowledged,
        "dropped": list(transaction.dropped),
    }
