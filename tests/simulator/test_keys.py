"""What configuration keys do, beyond being kept."""

from datetime import UTC, datetime, timedelta

from simulator.transactions import Transaction
from simulator.vehicle import Vehicle
from tests.simulator.quirks import charging


async def test_minimum_status_duration_swallows_what_does_not_last(central, make):
    async with make(configuration={"MinimumStatusDuration": "1"}) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        station.unplug(1)
        station.plug(1, Vehicle())
        await central.until(lambda: "Preparing" in central.statuses())
        assert central.statuses().count("Preparing") == 1
        assert "Available" not in central.statuses()[1:]


async def test_transaction_data_holds_begin_samples_and_end(central, make):
    keys = {
        "StopTxnSampledData": "Energy.Active.Import.Register,Power.Active.Import",
        "StopTxnAlignedData": "Voltage",
        "ClockAlignedDataInterval": "1",
    }
    async with make(configuration=keys, meter_interval_s=1) as station:
        await charging(station)
        await central.until_calls("MeterValues", 3)
        station.sessions[1].end_transaction("Local")
        (stop,) = await central.until_calls("StopTransaction")
    contexts = [value["sampledValue"][0]["context"] for value in stop["transactionData"]]
    assert contexts[0] == "Transaction.Begin"
    assert contexts[-1] == "Transaction.End"
    assert {"Sample.Periodic", "Sample.Clock"} <= set(contexts)
    times = [value["timestamp"] for value in stop["transactionData"]]
    assert times[0] == min(times)


async def test_an_aligned_moment_that_was_missed_is_not_of_the_transaction_after_it(make):
    station = make(configuration={"StopTxnAlignedData": "Voltage", "ClockAlignedDataInterval": "9"})
    session, noon = station.sessions[1], datetime(2026, 3, 1, 12, tzinfo=UTC)
    session.sampler.take_due(noon, 0)  # the next aligned moment is 9 s later
    begins = noon + timedelta(seconds=10)
    session.connector.transaction = Transaction(
        charge_point="CP1", connector_id=1, id_tag="TAG", started_at=begins, meter_start_wh=0
    )
    session.sampler.begin(begins)
    for seconds in (11, 18):
        session.sampler.take_due(noon + timedelta(seconds=seconds), 0)
    data = session.sampler.end(noon + timedelta(seconds=20))
    clocks = [value for value in data if value["sampled_value"][0]["context"] == "Sample.Clock"]
    assert [value["timestamp"] for value in clocks] == ["2026-03-01T12:00:18.000Z"]


async def test_max_energy_on_invalid_id(central, make):
    refused = {"transactionId": 5, "idTagInfo": {"status": "Blocked"}}
    central.once("StartTransaction", refused)
    keys = {"StopTransactionOnInvalidId": "false", "MaxEnergyOnInvalidId": "2"}
    async with make(configuration=keys) as station:
        await charging(station)
        state = await station.wait_for(
            lambda state: state.connectors[1].status == "SuspendedEVSE", timeout_s=8
        )
        # Some over what is allowed: the charger looks every few seconds.
        assert 2 <= state.connectors[1].register_wh < 60
        assert central.of("StopTransaction") == []


async def test_reservation_of_connector_zero_can_be_unsupported(central, make):
    async with make(configuration={"ReserveConnectorZeroSupported": "false"}) as station:
        await station.until_registered()
        wanted = {"connectorId": 0, "expiryDate": "2100-01-01T00:00:00Z", "idTag": "T"}
        answer = await central.call("CP1", "ReserveNow", reservationId=1, **wanted)
        assert answer == {"status": "Rejected"}
