"""The ledger's file: whole or not at all."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.ledger import Ledger
from simulator.terminal import write_json
from simulator.transactions import Transaction
from tests.simulator.physics import NOW


def transaction(**fields) -> Transaction:
    return Transaction(
        **{
            "charge_point": "CP",
            "connector_id": 2,
            "id_tag": "T",
            "started_at": NOW,
            "meter_start_wh": 100,
            **fields,
        }
    )


def test_record_of_a_running_and_a_finished_transaction(tmp_path):
    ledger = Ledger()
    ledger.open(transaction())
    ledger.open(
        transaction(
            transaction_id=7,
            stopped_at=NOW + timedelta(minutes=1),
            meter_stop_wh=350,
            reason="Local",
            start_acknowledged=True,
            dropped=["StopTransaction"],
        )
    )
    path = tmp_path / "ledger.json"
    path.write_text("old")
    write_json(path, ledger.records())
    running, finished = json.loads(path.read_text())
    assert running["stopTimestamp"] is running["energyWh"] is running["transactionId"] is None
    assert finished == {
        "chargePoint": "CP",
        "connectorId": 2,
        "idTag": "T",
        "transactionId": 7,
        "startTimestamp": "2026-03-02T12:00:00.000Z",
        "meterStart": 100,
        "stopTimestamp": "2026-03-02T12:01:00.000Z",
        "meterStop": 350,
        "energyWh": 250,
        "reason": "Local",
        "startAcknowledged": True,
        "stopAcknowledged": False,
        "meterValuesAcknowledged": 0,
        "dropped": ["StopTransaction"],
    }
    assert [one.name for one in tmp_path.iterdir()] == ["ledger.json"]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("full")

    path = tmp_path / "ledger.json"
    write_json(path, [1])
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full"):
        write_json(path, [2])
    assert json.loads(path.read_text()) == [1]
    with pytest.raises(TypeError):
        write_json(path, [object()])
    assert json.loads(path.read_text()) == [1]
