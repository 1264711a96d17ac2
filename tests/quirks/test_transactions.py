"""Playbooks of quirks of transactions and of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.quirks.bench import START_AT, STOP_AT, plugged

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

NO_IDS = [0, -1, 2**63 - 1, 2**64 - 1, 2**70]


def at(**shift: float) -> str:
    return (datetime.now(UTC) + timedelta(**shift)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stop(transaction_id, **changes):
    given = {"transactionId": transaction_id, "meterStop": 8000, "timestamp": STOP_AT}
    return {**given, **changes}


def values(transaction_id, energy, **changes):
    sample = {"value": str(energy), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    element = {"timestamp": START_AT, "sampledValue": [sample]}
    given = {"connectorId": 1, "transactionId": transaction_id, "meterValue": [element]}
    return {**given, **changes}


@pytest.mark.parametrize("number", NO_IDS)
async def test_delta_a_stop_with_no_id_ends_the_only_session(cp, number):
    started = await cp.start()
    assert await cp.told("StopTransaction", stop(number)) == {}
    session = await cp.session(started)
    assert (session["status"], session["energyKwh"]) == ("completed", 7)
    assert session["flags"][-1] == "idMissing" or "idMissing" in session["flags"]


@pytest.mark.parametrize("number", NO_IDS)
async def test_a_repeated_stop_with_no_id_never_ends_the_session_of_the_other_connector(cp, number):
    first = await cp.start()
    second = await cp.start(connectorId=2, meterStart=500_000)
    payload = stop(number, idTag="TAG")
    for _ in range(3):  # its answer was lost
        assert (await cp.told("StopTransaction", payload))["idTagInfo"]["status"] == "Accepted"
    assert (await cp.session(first))["status"] == "completed"
    other = await cp.session(second)
    assert (other["status"], other["meterStopWh"]) == ("active", None)


async def test_two_sessions_and_a_stop_with_no_id_the_tag_decides(cp):
    first = await cp.start(idTag="A")
    second = await cp.start(idTag="B", connectorId=2)
    await cp.told("StopTransaction", stop(-1, idTag="b"))
    assert (await cp.session(first))["status"] == "active"
    assert (await cp.session(second))["status"] == "completed"


async def test_two_equal_sessions_and_a_stop_with_no_id_nothing_is_guessed(cp):
    numbers = [await cp.start(), await cp.start(connectorId=2)]
    assert await cp.told("StopTransaction", stop(-1)) == {}
    for number in numbers:
        assert (await cp.session(number))["status"] == "active"


async def unmatched(cp) -> list[tuple[str, int, int]]:
    path = f"/api/unmatched-stops?stationId={cp.identity}"
    return [
        (item["reason"], item["payload"]["transactionId"], item["payload"]["meterStop"])
        for item in (await cp.system.ask("GET", path))["items"]
    ]


async def test_stops_that_fit_no_session_are_kept_for_the_operator(cp):
    number = await cp.start()
    for _ in range(3):  # a session that the station has given away by itself (Wallbox)
        await cp.told("StopTransaction", stop(2**31 - 7, timestamp=STOP_AT))
    await cp.told("StopTransaction", stop(number))
    await cp.told("StopTransaction", stop(number))
    await cp.told("StopTransaction", stop(number, meterStop=9000))
    assert await unmatched(cp) == [
        ("duplicateStop", number, 9000),
        ("unknownTransaction", 2**31 - 7, 8000),
    ]
    assert await cp.quarantined() == []


async def test_the_transaction_of_another_station_is_answered_and_untouched(csms, cp, identity):
    other = f"{identity}-B"
    await csms.add(other)
    async with plugged(csms, other) as theirs:
        number = await theirs.start()
        assert await cp.told("StopTransaction", stop(number)) == {}
        assert await cp.told("MeterValues", values(number, 5000)) == {}
        session = await cp.session(number)
        assert (session["status"], session["energyKwh"]) == ("active", 0)


@pytest.mark.parametrize("number", NO_IDS)
async def test_alfen_values_with_no_id_belong_to_the_session_of_their_connector(cp, number):
    started = await cp.start()
    await cp.start(connectorId=2, meterStart=0)
    assert await cp.told("MeterValues", values(number, 4000)) == {}
    assert (await cp.session(started))["energyKwh"] == 3


async def test_zaptec_values_of_connector_0_with_no_id_belong_to_the_only_session(cp):
    started = await cp.start()
    await cp.told("MeterValues", values(0, 4000, connectorId=0))
    assert (await cp.session(started))["energyKwh"] == 3


async def test_keba_values_of_connector_0_with_the_id(cp):
    started = await cp.start()
    await cp.told("MeterValues", values(started, 4000, connectorId=0))
    assert (await cp.session(started))["energyKwh"] == 3


@pytest.mark.parametrize(
    ("start", "end", "flag", "billed"),
    [
        (1000, 999, "meterSuspect", False),  # Huawei
        (0, 7000, None, True),  # the register of the session: ABB, Vestel, Grizzl-E
        (500_000, 1200, "meterSuspect", False),  # a register that was reset
        (1000, 1000, None, True),  # nothing was taken
        (-5, 100, "meterSuspect", False),
    ],
)
async def test_odd_registers(cp, start, end, flag, billed):
    number = await cp.start(meterStart=start, timestamp=at(seconds=-30))
    await cp.told("StopTransaction", stop(number, meterStop=end, timestamp=at()))
    session = await cp.session(number)
    assert session["status"] == "completed"
    assert session["energyKwh"] >= 0
    assert (session["cost"] is not None) == billed
    assert ([flag] if flag else []) == session["flags"]


async def test_grizzl_e_a_lifetime_register_at_the_ends_and_that_of_the_session_between(cp):
    number = await cp.start(meterStart=1_000_000)
    for energy in (0, 2500, 5000):
        await cp.told("MeterValues", values(number, energy))
    assert (await cp.session(number))["energyKwh"] == 5
    await cp.told("StopTransaction", stop(number, meterStop=1_006_000))
    session = await cp.session(number)
    assert (session["energyKwh"], session["cost"]) == (6, 1.8)
    assert "registerSuspect" in session["flags"]


async def test_wallbox_a_register_that_is_a_little_behind_its_start(cp):
    number = await cp.start(meterStart=1_000_000)
    await cp.told("MeterValues", values(number, 999_990))
    assert (await cp.session(number))["energyKwh"] == 0


async def test_zaptec_a_register_that_is_two_to_the_32_too_high(cp):
    number = await cp.start(meterStart=1_977_000)
    await cp.told("MeterValues", values(number, 4_296_944_685))
    assert (await cp.session(number))["energyKwh"] == 0.389


async def test_fronius_the_start_value_again_at_the_end_though_energy_was_metered(cp):
    number = await cp.start()
    await cp.told("MeterValues", values(number, 9000))
    await cp.told("StopTransaction", stop(number, meterStop=1000))
    session = await cp.session(number)
    assert "meterSuspect" in session["flags"]
    assert (session["energyKwh"], session["cost"]) == (8, None)


@pytest.mark.parametrize(
    ("start", "seen", "end", "energy"),
    [
        (1000, 5000, 0, 4),
        (1000, 5000, -1, 4),
        (1_000_000, 4000, 5000, 5),  # both of the session alone
        (0, 12_300, 12, 12),  # kWh
    ],
)
async def test_a_meter_at_the_end_that_cannot_be_loses_no_energy_and_bills_none(
    cp, start, seen, end, energy
):
    number = await cp.start(meterStart=start, timestamp=at(seconds=-30))
    await cp.told("MeterValues", values(number, seen))
    message = stop(number, meterStop=end, timestamp=at())
    for _ in range(2):  # the second is a repetition
        await cp.told("StopTransaction", message)
    session = await cp.session(number)
    assert (session["energyKwh"], session["cost"]) == (energy, None)
    assert "meterSuspect" in session["flags"]


async def test_a_blank_tag_in_a_stop_is_nobodys(cp):
    number = await cp.start(timestamp=at(seconds=-30))
    await cp.told("StopTransaction", stop(number, idTag="", timestamp=at()))
    assert (await cp.session(number))["flags"] == []


async def test_power_that_is_told_of_the_inlet_alone(cp):
    number = await cp.start()
    power = {"value": "6407.0", "measurand": "Power.Active.Import", "location": "Inlet"}
    energy = {"value": "18.08", "unit": "kWh", "location": "Outlet"}
    element = {"timestamp": START_AT, "sampledValue": [power, energy]}
    payload = {"connectorId": 1, "transactionId": number, "meterValue": [element]}
    await cp.told("MeterValues", payload)
    session = await cp.session(number)
    assert (session["powerKw"], session["energyKwh"]) == (6.407, 17.08)


async def test_fractions_texts_and_padding_in_numbers(cp):
    number = await cp.start(meterStart="  1000.4 ", connectorId="1", idTag=1234)
    assert number > 0
    await cp.told("StopTransaction", stop(f" {number} ", meterStop=8000.7))
    session = await cp.session(number)
    assert (session["meterStartWh"], session["meterStopWh"], session["idTag"]) == (
        1000,
        8001,
        "1234",
    )


async def test_available_comes_before_the_stop(cp):
    number = await cp.start()
    available = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    await cp.told("StatusNotification", available)
    assert (await cp.session(number))["status"] == "active"
    await cp.told("StopTransaction", stop(number))
    assert (await cp.session(number))["status"] == "completed"


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("\x10\x0e12345678901234567890", "12345678901234567890"),  # Ocular/BS
        ("123456789012345678901", "12345678901234567890"),  # Sigenergy
        ("a;b;c", "a;b;c"),  # payment terminals
        ("#FreeCharging", "#FreeCharging"),  # Webasto Next
        ("", ""),
        (None, ""),
        (4711, "4711"),
    ],
)
async def test_odd_tags(cp, tag, kept):
    number = await cp.start(idTag=tag)
    assert (await cp.session(number))["idTag"] == kept


async def test_a_tag_comes_back_with_control_characters_and_is_the_same_tag(cp):
    answer = await cp.told("Authorize", {"idTag": "\x10\x0eTAG"})
    assert answer["idTagInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("missing", ["idTag", "meterStart", "timestamp", "connectorId"])
async def test_a_start_without_one_of_its_fields_is_stored(cp, missing):
    payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": at()}
    del payload[missing]
    answer = await cp.told("StartTransaction", payload)
    session = await cp.session(answer["transactionId"])
    assert session["status"] == "active"
    assert session["flags"]


@pytest.mark.parametrize("missing", ["transactionId", "meterStop", "timestamp"])
async def test_a_stop_without_one_of_its_fields_ends_the_session(cp, missing):
    number = await cp.start(timestamp=at(seconds=-60))
    await cp.told("MeterValues", values(number, 4000))
    payload = stop(number, timestamp=at())
    del payload[missing]
    assert await cp.told("StopTransaction", payload) == {}
    session = await cp.session(number)
    assert session["status"] == "completed"
    assert session["meterStopWh"] == (4000 if missing == "meterStop" else 8000)
    flag = {"transactionId": "idMissing", "meterStop": "meterSuspect", "timestamp": "timeSuspect"}
    assert session["flags"] == [flag[missing]]


async def test_unknown_reasons_are_other(cp):
    number = await cp.start()
    await cp.told("StopTransaction", stop(number, reason="BatteryFull"))
    assert (await cp.session(number))["stopReason"] == "Other"


# -- clock


@pytest.mark.parametrize(
    ("timestamp", "flags"),
    [
        ("1970-01-01T00:00:07Z", ["timeSuspect"]),  # MicroOcpp
        ("2000-01-01T00:00:00.000Z", ["timeSuspect"]),
        ("0001-01-01T00:00:00", ["timeSuspect"]),  # .NET's time that was never set
        ("0001-01-01T00:00:00+02:00", ["timeSuspect"]),
        ("2069-12-31T23:59:59Z", ["timeSuspect"]),
        (lambda: at(minutes=-4), []),  # Hager
        (lambda: at(hours=2), ["timeSuspect", "localTime"]),  # Chago
        (lambda: at(minutes=9), ["timeSuspect"]),
        (lambda: at(hours=-5), ["offline"]),
        (lambda: at().replace("Z", ""), []),
        (lambda: at().replace("T", " "), []),
        (lambda: at().replace("Z", "+00:00"), []),
        (lambda: at().replace("Z", ".1234567891Z"), []),
        (lambda: str(int(datetime.now(UTC).timestamp())), []),
        (lambda: int(datetime.now(UTC).timestamp()), []),
        ("", ["timeSuspect"]),
        (None, ["timeSuspect"]),
    ],
)
async def test_odd_clocks_are_taken_with_findings(cp, timestamp, flags):
    text = timestamp() if callable(timestamp) else timestamp
    number = await cp.start(timestamp=text)
    assert (await cp.session(number))["flags"] == flags


async def test_two_sessions_with_one_time_of_1970_are_two(cp):
    epoch = "1970-01-01T00:00:00Z"
    first = await cp.start(timestamp=epoch, meterStart=0)
    await cp.told("StopTransaction", stop(first, timestamp=epoch, meterStop=500))
    second = await cp.start(timestamp=epoch, meterStart=0)
    assert second != first
    await cp.told("StopTransaction", stop(second, timestamp=epoch, meterStop=700))
    assert (await cp.session(first))["energyKwh"] == 0.5
    assert (await cp.session(second))["energyKwh"] == 0.7


@pytest.mark.parametrize("timestamp", ["2026-13-01T00:00:00Z", "yesterday", "0000-00-00T00:00:00Z"])
async def test_what_is_no_time_is_refused_and_kept(csms, cp, timestamp):
    answer = await cp.say(
        "StartTransaction",
        {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": timestamp},
    )
    assert answer[2] == "PropertyConstraintViolation"
    assert await cp.alive()
