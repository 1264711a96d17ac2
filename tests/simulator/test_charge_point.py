"""A charge point's life: registration, sessions, states, connections."""

import pytest

from simulator.supply import Supply
from simulator.vehicle import Vehicle
from tests.simulator.central import CallError, DropSocket
from tests.waiting import wait_until

DC = Supply(current_type="DC", phases=1, voltage_v=400, max_w=50_000)


async def charging(station, number: int = 1, tag: str = "TAG", vehicle: Vehicle | None = None):
    await station.until_registered()
    station.plug(number, vehicle or Vehicle())
    assert await station.present_tag(number, tag)
    return await station.wait_for(lambda state: state.connectors[number].status == "Charging")


async def test_boots_then_reports_all_connectors_and_beats(central, make):
    central.boot_interval = 1
    async with make(connectors=2) as station:
        await central.until_calls("Heartbeat")
        actions = [one.action for one in central.calls]
        assert actions[:4] == ["BootNotification"] + ["StatusNotification"] * 3
        told = [(one["connectorId"], one["status"]) for one in central.of("StatusNotification")]
        assert told == [(0, "Available"), (1, "Available"), (2, "Available")]
        assert station.state.registration == "Accepted"
        assert station.configuration.text("HeartbeatInterval") == "1"
    assert central.closes == [1000]


async def test_boot_tells_what_the_charge_point_is(central, make):
    facts = {
        "serial_number": "SN1",
        "charge_box_serial_number": "BOX1",
        "iccid": "8949",
        "imsi": "2620",
        "meter_type": "M",
        "meter_serial_number": "M1",
    }
    async with make(**facts):
        (boot,) = await central.until_calls("BootNotification")
    assert sorted(boot) == [
        "chargeBoxSerialNumber", "chargePointModel", "chargePointSerialNumber",
        "chargePointVendor", "firmwareVersion", "iccid", "imsi", "meterSerialNumber", "meterType",
    ]  # fmt: skip


async def test_pending_and_refused_boots_are_repeated_and_nothing_else_is_sent(central, make):
    central.once(
        "BootNotification",
        {"status": "Pending", "currentTime": "2026-01-01T00:00:00Z", "interval": 1},
    )
    async with make() as station:
        await central.until_calls("BootNotification")
        await station.wait_for(lambda state: state.registration == "Pending")
        station.plug(1, Vehicle())
        answer = await central.call("CP1", "RemoteStartTransaction", idTag="TAG")
        assert answer == {"status": "Rejected"}
        assert await central.call("CP1", "TriggerMessage", requestedMessage="Heartbeat")
        await central.until_calls("Heartbeat")
        await central.until_calls("StatusNotification")
        actions = [one.action for one in central.calls]
        assert actions[:3] == ["BootNotification", "Heartbeat", "BootNotification"]


async def test_session_in_the_order_of_the_specification(central, make):
    async with make() as station:
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        station.plug(1, Vehicle())
        await central.until(lambda: central.statuses()[-1:] == ["Preparing"])
        await station.present_tag(1, "TAG")
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
    session = [
        one.payload["status"] if one.action == "StatusNotification" else one.action
        for one in central.calls
        if one.payload.get("connectorId") != 0
    ]
    assert session == [
        "BootNotification",
        "Available",
        "Preparing",
        "Authorize",
        "StartTransaction",
        "Charging",
        "SuspendedEV",
        "StopTransaction",
        "Finishing",
        "Available",
    ]


async def test_tag_first_then_cable(central, make):
    async with make() as station:
        await station.until_registered()
        assert await station.present_tag(1, "TAG")
        assert station.state.connectors[1].status == "Preparing"
        station.plug(1, Vehicle())
        await central.until_calls("StartTransaction")


async def test_a_tag_without_cable_times_out(central, make):
    async with make(configuration={"ConnectionTimeOut": "0"}) as station:
        await station.until_registered()
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].status == "Available")
        station.plug(1, Vehicle())
        assert station.state.connectors[1].status == "Preparing"
        assert central.of("StartTransaction") == []


async def test_refused_tags_do_not_charge(central, make):
    async with make() as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "BAD")
        assert station.state.connectors[1].status == "Preparing"


async def test_same_tag_stops_and_another_does_not(central, make):
    async with make() as station:
        await charging(station)
        assert not await station.present_tag(1, "OTHER")
        assert station.state.connectors[1].status == "Charging"
        assert await station.present_tag(1, "tag")
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["reason"], stop["idTag"]) == ("Local", "tag")
        assert station.state.connectors[1].status == "Finishing"
        station.unplug(1)
        assert station.state.connectors[1].status == "Available"


async def test_tag_of_the_same_group_stops(central, make):
    group = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    central.once("Authorize", group, group)
    async with make() as station:
        await charging(station)
        assert await station.present_tag(1, "SPOUSE")
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["idTag"] == "SPOUSE"


@pytest.mark.parametrize(("stops", "status"), [("true", "Finishing"), ("false", "SuspendedEVSE")])
async def test_tag_refused_at_the_start_gets_no_energy(central, make, stops, status):
    refusal = {"transactionId": 5, "idTagInfo": {"status": "ConcurrentTx"}}
    central.once("StartTransaction", refusal)
    async with make(configuration={"StopTransactionOnInvalidId": stops}) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        state = await station.wait_for(lambda state: state.connectors[1].status == status)
        assert state.connectors[1].register_wh == 0
        if stops == "true":
            (stop,) = await central.until_calls("StopTransaction")
            assert (stop["transactionId"], stop["reason"]) == (5, "DeAuthorized")


async def test_full_vehicle_suspends_and_keeps_its_transaction(central, make):
    async with make(speed=1000) as station:
        await station.until_registered()
        station.plug(1, Vehicle.needing(50))
        await station.present_tag(1, "TAG")
        await central.until(lambda: central.statuses()[-1:] == ["SuspendedEV"])
        state = station.state.connectors[1]
        assert (state.power_w, state.transaction_id) == (0, 1001)


async def test_pulled_cable_may_leave_the_transaction_running(central, make):
    settings = {"StopTransactionOnEVSideDisconnect": "false"}
    async with make(configuration=settings) as station:
        await charging(station)
        station.unplug(1)
        assert station.state.connectors[1].status == "SuspendedEV"
        await station.present_tag(1, "TAG")
        assert station.state.connectors[1].status == "Available"


async def test_meter_values_carry_power_current_voltage_and_energy(central, make):
    async with make(meter_interval_s=1) as station:
        await charging(station, vehicle=Vehicle(onboard_a=16, onboard_phases=1))
        (values,) = (await central.until_calls("MeterValues"))[:1]
        assert values["transactionId"] == 1001
        assert central.measured("Power.Active.Import")[0] == 16 * 230
        currents = [central.measured("Current.Import", phase)[0] for phase in ("L1", "L2", "L3")]
        assert currents == [16, 0, 0]
        assert central.measured("Voltage", "L1-N")[0] == 230
        assert central.measured("Current.Offered")[0] == 32
        assert central.measured("SoC") == []
        await central.until_calls("MeterValues", 4)
        energy = central.measured("Energy.Active.Import.Register")
        assert energy == sorted(energy)
        assert energy[-1] >= 1


async def test_dc_tells_the_state_of_charge(central, make):
    async with make(supply=DC, meter_interval_s=1, meter_start_wh=5000) as station:
        await charging(station)
        assert central.of("StartTransaction")[0]["meterStart"] == 5000
        await central.until_calls("MeterValues")
        assert central.measured("Power.Active.Import")[0] == 50_000
        assert 20 <= central.measured("SoC")[0] < 21


async def test_clock_aligned_values_without_a_transaction(central, make):
    async with make(configuration={"ClockAlignedDataInterval": "1"}):
        (values,) = (await central.until_calls("MeterValues"))[:1]
        (value,) = values["meterValue"]
        assert "transactionId" not in values
        assert value["timestamp"].endswith(".000Z")
        assert value["sampledValue"][0]["context"] == "Sample.Clock"


async def test_stop_carries_its_readings_when_configured(central, make):
    settings = {"StopTxnSampledData": "Energy.Active.Import.Register"}
    async with make(configuration=settings) as station:
        await charging(station)
        station.unplug(1)
        (stop,) = await central.until_calls("StopTransaction")
        contexts = [one["sampledValue"][0]["context"] for one in stop["transactionData"]]
        assert contexts == ["Transaction.Begin", "Transaction.End"]


async def test_reconnects_without_boot_and_tells_only_what_changed(central, make):
    async with make(connectors=2) as station:
        await charging(station)
        await central.until(lambda: central.statuses()[-1:] == ["Charging"])
        station.drop_connection()
        await central.until(lambda: central.connections == 2)
        station.unplug(1)
        await central.until(lambda: central.statuses()[-1:] == ["Available"])
        second = [one for one in central.calls if one.connection == 2]
        assert {one.payload.get("connectorId", 1) for one in second} == {1}
        assert len(central.of("BootNotification")) == 1


async def test_offline_keeps_charging_and_authorizes_by_what_it_knows(central, make):
    async with make(connectors=2) as station:
        await charging(station)
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        assert station.state.connectors[1].status == "Charging"
        station.plug(2, Vehicle())
        assert not await station.present_tag(2, "NEVERSEEN")
        assert await station.present_tag(2, "TAG")
        station.go_online()
        await central.until_calls("StartTransaction", 2)


async def test_offline_start_that_is_refused_later_is_stopped(central, make):
    async with make() as station:
        await station.until_registered()
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.tags.remember("TAG", {"status": "Accepted"})
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        assert station.state.connectors[1].status == "Charging"
        refusal = {"transactionId": 9, "idTagInfo": {"status": "Blocked"}}
        central.once("StartTransaction", refusal)
        station.go_online()
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["transactionId"], stop["reason"]) == (9, "DeAuthorized")


async def test_wrong_password_is_refused_and_right_one_connects(central, make):
    central.password = b"correct horse battery"
    events = []
    async with make(password="wrong password 1234") as station:
        station._on_event = events.append
        refusal = await wait_until(lambda: [one for one in events if one.name == "not_connected"])
        assert "401" in str(refusal[0].data["why"])
        assert not station.state.is_connected
        station.security.password = central.password
        await station.until_registered()


async def test_new_authorization_key_is_used_at_once(central, make):
    central.password = b"first password 12"
    async with make(password="first password 12") as station:
        await station.until_registered()
        key = bytes(range(0xF0, 0x100)) + b"\xff" * 4
        central.password = key
        answer = await central.call(
            "CP1", "ChangeConfiguration", key="AuthorizationKey", value=key.hex()
        )
        assert answer == {"status": "Accepted"}
        await central.until(lambda: central.connections == 2)
        await station.until_registered()


async def test_identity_is_percent_encoded_in_the_path(central, make):
    async with make("RDAM 1/2") as station:
        await station.until_registered()
        assert await central.call("RDAM%201%2F2", "ClearCache") == {"status": "Accepted"}


async def test_fault_and_repair(central, make):
    async with make() as station:
        await station.until_registered()
        station.set_error(1, "GroundFailure")
        await central.until(lambda: central.statuses()[-1:] == ["Faulted"])
        assert central.of("StatusNotification")[-1]["errorCode"] == "GroundFailure"
        assert not await station.present_tag(1, "TAG")
        station.set_error(1, "NoError")
        await central.until(lambda: central.statuses()[-1:] == ["Available"])


async def test_odd_frames_do_not_end_the_connection(central, make, caplog):
    async with make() as station:
        await station.until_registered()
        for text in ("not json", "[]", "{}", '[2,"1",["x"],{}]', "[3]", "[" * 100_000, "9" * 5000):
            await central.send_raw("CP1", text)
        assert await central.call("CP1", "ClearCache") == {"status": "Accepted"}
        assert central.connections == 1


async def test_refused_authorize_and_lost_one_do_not_start(central, make):
    central.once("Authorize", CallError(), DropSocket())
    async with make() as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG")
        assert not await station.present_tag(1, "TAG")
        await central.until(lambda: central.connections == 2)
        assert central.of("StartTransaction") == []


async def test_a_taken_connector_takes_no_second_vehicle(make):
    station = make()
    station.plug(1, Vehicle())
    with pytest.raises(ValueError, match="taken"):
        station.plug(1, Vehicle())


async def test_a_fault_stops_the_power_and_repair_brings_it_back(central, make):
    async with make() as station:
        await charging(station)
        station.set_error(1, "HighTemperature")
        state = station.state.connectors[1]
        assert (state.status, state.power_w) == ("Faulted", 0)
        station.set_error(1, "NoError")
        state = station.state.connectors[1]
        assert (state.status, state.power_w > 0) == ("Charging", True)


async def test_answers_that_break_the_schema_count_as_errors_and_are_retried(central, make):
    central.once("StartTransaction", {"transactionId": "five"}, {"idTagInfo": {}})
    async with make() as station:
        await charging(station)
        await station.wait_for(lambda state: state.connectors[1].transaction_id == 1001)
        assert len(central.of("StartTransaction")) == 3


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Reset", {"type": "Medium"}, "FormationViolation"),
        ("Reset", {"type": "Soft", "extra": 1}, "FormationViolation"),
        ("Reset", {}, "ProtocolError"),
        ("Reset", {"type": 7}, "TypeConstraintViolation"),
        (
            "UpdateFirmware",
            {"location": "http://h/", "retrieveDate": "soon"},
            "PropertyConstraintViolation",
        ),
        ("Dance", {}, "NotSupported"),
        ("Heartbeat", {}, "NotImplemented"),
    ],
)
async def test_bad_calls_get_errors_in_the_spelling_of_16(
    central, make, caplog, action, payload, code
):
    async with make() as station:
        await station.until_registered()
        frame = await central.call_raw("CP1", action, payload)
        assert (frame[0], frame[2], frame[4]) == (4, code, {})


async def test_errors_of_the_body_pass_as_they_are(make):
    async def break_off() -> None:
        async with make() as station:
            await station.until_registered()
            raise LookupError

    with pytest.raises(LookupError):
        await break_off()


async def test_unacknowledged_messages_bound_the_leave(central, make):
    events = []
    station = make()
    station._on_event = events.append
    async with station:
        await charging(station)
        station.go_offline()
        station.stop(patience_s=0.1)
    assert [one.data for one in events if one.name == "left_behind"] == [{"messages": 1}]
