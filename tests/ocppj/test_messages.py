"""The messages of a charge point, over a real socket: rules M01-M60 and R07-R17, R29-R34."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.authorization import AuthorizationStatus, IdTagInfo
from csms.domain.charge_points import Registration
from csms.domain.connectors import StatusFact
from csms.domain.jobs import JobStatusFact
from csms.errors import BadFact, DatabaseAway
from csms.ocppj import repairs
from csms.ocppj.session import MOST_WAITING_CALLS
from tests.ocppj.playbook import ANY, ChargePoint, Closed, gets, plug_in, sends
from tests.ocppj.standins import record
from tests.waiting import wait_until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = "2026-03-01T12:00:00Z"
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}
START = {"connectorId": 1, "idTag": "A", "meterStart": 10, "timestamp": T}
STOP = {"transactionId": 1, "meterStop": 20, "timestamp": T}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
METER = {
    "connectorId": 1,
    "meterValue": [{"timestamp": T, "sampledValue": [{"value": "17"}]}],
}


@pytest.fixture
async def strict(server, connections) -> AsyncIterator[ChargePoint]:
    """Charge point CP1, connected, which gets no repairs."""
    connections.records["CP1"] = record(1, strict=True)
    charge_point = await plug_in(server.port)
    yield charge_point
    await charge_point.close()


async def code(cp: ChargePoint, action: str, payload: object) -> str:
    answer = await cp.call(action, payload)
    assert answer[0] == 4, answer
    assert len(answer) == 5
    return answer[2]


def wire(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


async def test_m01_boot_is_answered_with_status_time_and_interval(cp, intake):
    _, _, answer = await cp.call("BootNotification", {**BOOT, "firmwareVersion": "1.0"})
    assert list(answer) == ["status", "currentTime", "interval"]
    assert (answer["status"], answer["interval"]) == ("Accepted", 300)
    assert abs(wire(answer["currentTime"]) - datetime.now(UTC)) < timedelta(seconds=5)
    assert (intake.facts[0].vendor, intake.facts[0].firmware_version) == ("v", "1.0")


async def test_m06_boot_may_be_repeated(cp):
    for _ in range(3):
        assert (await cp.call("BootNotification", BOOT))[0] == 3


async def test_m08_fields_that_are_too_long_are_refused(strict):
    cp = strict
    long = {**BOOT, "chargePointVendor": "v" * 21}
    assert await code(cp, "BootNotification", long) == "PropertyConstraintViolation"


async def test_m10_heartbeat_tells_the_time_without_the_database(cp, intake):
    intake.hold()
    _, _, answer = await cp.call("Heartbeat", {})
    assert abs(wire(answer["currentTime"]) - datetime.now(UTC)) < timedelta(seconds=5)
    _, _, answer = await cp.call("Heartbeat", None)
    assert "currentTime" in answer
    assert intake.facts == []


async def test_m11_status_is_a_fact_and_answered_empty(cp, intake):
    assert await cp.call("StatusNotification", {**STATUS, "timestamp": T, "info": "x"}) == [
        3,
        ANY,
        {},
    ]
    fact = intake.facts[0]
    assert isinstance(fact, StatusFact)
    assert (fact.connector_id, fact.status, fact.reported_at, fact.info) == (
        1,
        "Available",
        NOON,
        "x",
    )


async def test_m11_a_negative_connector_is_refused(cp, intake):
    bad = {**STATUS, "connectorId": -1}
    assert await code(cp, "StatusNotification", bad) == "PropertyConstraintViolation"
    assert intake.facts == []


async def test_m20_authorize_answers_all_that_is_known_of_the_tag(cp, intake, monkeypatch):
    info = IdTagInfo(status=AuthorizationStatus.EXPIRED, expires_at=NOON, parent_id_tag="GROUP")

    async def submit(fact):
        return info

    monkeypatch.setattr(intake, "submit", submit)
    assert await cp.call("Authorize", {"idTag": ""}) == [
        3,
        ANY,
        {"idTagInfo": {"status": "Expired", "expiryDate": T, "parentIdTag": "GROUP"}},
    ]


async def test_m22_the_tag_is_taken_as_it_is(cp, intake):
    await cp.call("Authorize", {"idTag": " a;#\u0010é "})
    assert intake.facts[0].id_tag == " a;#\u0010é "


async def test_m30_start_is_answered_with_transaction_and_tag(cp, intake):
    answer = await cp.call("StartTransaction", {**START, "reservationId": 5})
    assert answer == [3, ANY, {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}]
    fact = intake.facts[0]
    assert (fact.meter_start_wh, fact.started_at, fact.reservation_id) == (10, NOON, 5)


async def test_m37_odd_starts_are_facts(cp, intake):
    odd = {**START, "connectorId": -1, "meterStart": -5}
    assert (await cp.call("StartTransaction", odd))[0] == 3
    assert intake.facts[0].meter_start_wh == -5


@pytest.mark.parametrize("transaction_id", [-1, 0, 2**31, 2**63 - 1])
async def test_m40_m44_r32_a_stop_of_any_id_is_answered(cp, intake, transaction_id):
    odd = {**STOP, "transactionId": transaction_id, "meterStop": -1}
    assert await cp.call("StopTransaction", odd) == [3, ANY, {}]
    assert intake.facts[0].transaction_id == transaction_id


async def test_m41_tag_information_only_for_a_stop_with_tag(cp):
    assert await cp.call("StopTransaction", {**STOP, "idTag": "A", "reason": "Remote"}) == [
        3,
        ANY,
        {"idTagInfo": {"status": "Accepted"}},
    ]


async def test_m48_the_data_of_a_stop_are_readings(cp, intake):
    sample = {"value": "50", "measurand": "Frequency"}
    data = [{"timestamp": T, "sampledValue": [{"value": "20"}, sample]}]
    await cp.call("StopTransaction", {**STOP, "transactionData": data})
    (reading,) = intake.facts[0].readings
    assert (reading.energy_wh, reading.rest, reading.measured_at) == (20, [sample], NOON)


async def test_hertz_in_a_stop_is_a_repair(server, connections, intake):
    sample = {"value": "50", "measurand": "Frequency", "unit": "Hertz"}
    payload = {**STOP, "transactionData": [{"timestamp": T, "sampledValue": [sample]}]}
    cp = await plug_in(server.port)
    assert (await cp.call("StopTransaction", payload))[0] == 3
    assert intake.frames[0].repairs == ("hertz_in_stop_transaction",)
    await cp.close()
    connections.records["CP1"] = record(1, strict=True)
    cp = await plug_in(server.port)
    assert await code(cp, "StopTransaction", payload) == "PropertyConstraintViolation"
    await cp.close()


async def test_m50_meter_values_are_answered_empty(cp, intake):
    assert await cp.call("MeterValues", {**METER, "transactionId": -1}) == [3, ANY, {}]
    fact = intake.facts[0]
    assert (fact.connector_id, fact.transaction_id, fact.readings[0].energy_wh) == (1, -1, 17)


@pytest.mark.parametrize("value", ["NaN", "1e999", "1e999999", "", "x", "9" * 5000, "-Infinity"])
async def test_m54_values_that_are_no_numbers_are_kept(cp, intake, value):
    sample = {"value": value, "unit": "kWh"}
    payload = {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": [sample]}]}
    assert await cp.call("MeterValues", payload) == [3, ANY, {}]
    assert intake.facts[0].readings[0].rest == [sample]


@pytest.mark.parametrize(
    "meter_value", [[], [{"timestamp": T, "sampledValue": []}]], ids=["values", "samples"]
)
async def test_m57_nothing_measured_is_a_repair(server, connections, intake, meter_value):
    payload = {"connectorId": 1, "meterValue": meter_value}
    cp = await plug_in(server.port)
    assert await cp.call("MeterValues", payload) == [3, ANY, {}]
    assert intake.frames[0].repairs == ("nothing_measured",)
    await cp.close()
    connections.records["CP1"] = record(1, strict=True)
    cp = await plug_in(server.port)
    assert await code(cp, "MeterValues", payload) == "OccurenceConstraintViolation"
    await cp.close()


async def test_m60_no_vendor_is_known(cp):
    assert await cp.call("DataTransfer", {"vendorId": "x", "messageId": "y", "data": "z"}) == [
        3,
        ANY,
        {"status": "UnknownVendorId"},
    ]


@pytest.mark.parametrize(
    ("action", "kind"),
    [("FirmwareStatusNotification", "firmware"), ("DiagnosticsStatusNotification", "diagnostics")],
)
async def test_m70_job_reports_are_facts(cp, intake, action, kind):
    assert await cp.call(action, {"status": "Idle"}) == [3, ANY, {}]
    fact = intake.facts[0]
    assert isinstance(fact, JobStatusFact)
    assert (fact.kind, fact.status) == (kind, "Idle")


@pytest.mark.parametrize("action", ["heartbeat", "Nonsense", "", "StatusNotification.req"])
async def test_r07_unknown_actions(cp, action):
    assert await code(cp, action, {}) == "NotImplemented"


@pytest.mark.parametrize("action", ["Reset", "CertificateSigned", "GetLog"])
async def test_r08_actions_that_are_not_served(cp, action):
    assert await code(cp, action, {}) == "NotSupported"


async def test_r11_to_r15_codes_and_the_connection_stays(strict):
    cp = strict
    assert await code(cp, "Authorize", {"idTag": "A", "x": 1}) == "FormationViolation"
    assert await code(cp, "Authorize", {}) == "ProtocolError"
    assert await code(cp, "Authorize", {"idTag": 1}) == "TypeConstraintViolation"
    assert await code(cp, "Authorize", {"idTag": "x" * 21}) == "PropertyConstraintViolation"
    assert (await cp.call("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StartTransaction", {**START, "timestamp": "2026-13-01T12:00:00Z"}),
        ("StopTransaction", {**STOP, "timestamp": "yesterday"}),
        ("StatusNotification", {**STATUS, "timestamp": "2026-03-01T25:61:00Z"}),
        (
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [{"timestamp": "?", "sampledValue": [{"value": "1"}]}],
            },
        ),
        ("StartTransaction", {**START, "connectorId": 2**63}),
        ("Authorize", {"idTag": "a\0b"}),
        (
            "MeterValues",
            {**METER, "meterValue": [{"timestamp": T, "sampledValue": [{"value": "\0"}]}]},
        ),
    ],
)
async def test_r15_r29_r30_r32_bad_values(cp, intake, action, payload):
    assert await code(cp, action, payload) == "PropertyConstraintViolation"
    assert intake.facts == []


WIDE = [
    ("StartTransaction", {**START, "meterStart": 2**63}, "meter_start_wh"),
    ("StopTransaction", {**STOP, "transactionId": 2**64 - 1}, "transaction_id"),
    ("StopTransaction", {**STOP, "meterStop": 2**64 - 1}, "meter_stop_wh"),
    ("MeterValues", {**METER, "transactionId": 2**64 - 1}, "transaction_id"),
]


@pytest.mark.parametrize(("action", "payload", "field"), WIDE)
async def test_ids_and_meters_of_64_bits_are_the_largest_ones(cp, intake, action, payload, field):
    assert (await cp.call(action, payload))[0] == 3
    assert getattr(intake.facts[0], field) == 2**63 - 1
    assert intake.frames[0].repairs == ("number_capped",)


@pytest.mark.parametrize(("action", "payload", "field"), WIDE)
async def test_r15_strict_stations_may_not_send_64_bits(strict, intake, action, payload, field):
    assert await code(strict, action, payload) == "PropertyConstraintViolation"
    assert intake.facts == []


async def test_an_escaped_backslash_before_u0000_is_no_nul(cp, intake):
    await cp.call("Authorize", {"idTag": "a\\u0000"})
    assert intake.facts[0].id_tag == "a\\u0000"


async def test_r29_a_time_without_zone_is_utc_and_a_repair(cp, intake):
    before = repairs.COUNTS[repairs.TIME_WITHOUT_ZONE]
    await cp.call("StartTransaction", {**START, "timestamp": "2026-03-01T12:00:00"})
    assert intake.facts[0].started_at == NOON
    assert intake.frames[0].repairs == (repairs.TIME_WITHOUT_ZONE,)
    assert repairs.COUNTS[repairs.TIME_WITHOUT_ZONE] == before + 1


async def test_r16_a_bad_fact_is_an_internal_error_and_kept(cp, intake):
    intake.error = BadFact("value out of range: secret detail")
    answer = await cp.call("StartTransaction", START)
    assert answer == [4, ANY, "InternalError", "the message could not be stored", {}]
    assert intake.quarantined[0][1] == "StartTransaction"
    intake.error = None
    assert (await cp.call("StartTransaction", START))[0] == 3


async def test_r16_a_failure_inside_is_an_internal_error_and_nobody_else_feels_it(
    server, cp, intake
):
    other = await plug_in(server.port, "/ocpp/CP2")
    intake.error = ZeroDivisionError("ours")
    answer = await cp.call("StatusNotification", STATUS)
    assert answer == [4, ANY, "InternalError", "the message could not be handled", {}]
    assert [kept[1] for kept in intake.quarantined] == ["StatusNotification"]
    intake.error = None
    assert (await cp.call("StatusNotification", STATUS))[0] == 3
    assert (await other.call("StatusNotification", STATUS))[0] == 3
    await other.close()


async def test_a_database_away_for_too_long_ends_in_1013_without_an_answer(cp, intake):
    intake.error = DatabaseAway("away")
    await cp.play(sends(2, "1", "StartTransaction", START), gets(Closed(1013)))
    assert intake.quarantined == []
    assert [frame.action for frame in intake.frames] == ["StartTransaction"]


@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
async def test_r17_only_boot_is_served_unless_accepted(server, connections, intake, registration):
    connections.records["CP1"] = record(1, registration=registration)
    intake.registration = registration
    cp = await plug_in(server.port)
    assert await code(cp, "StatusNotification", STATUS) == "SecurityError"
    assert await code(cp, "Heartbeat", {}) == "SecurityError"
    _, _, answer = await cp.call("BootNotification", BOOT)
    assert answer["status"] == registration
    assert await code(cp, "StatusNotification", STATUS) == "SecurityError"
    intake.registration = Registration.ACCEPTED
    _, _, answer = await cp.call("BootNotification", BOOT)
    assert answer["status"] == "Accepted"
    assert (await cp.call("StatusNotification", STATUS))[0] == 3
    await cp.close()


async def test_r17_h12_an_accepted_station_needs_no_boot(cp):
    assert (await cp.call("StatusNotification", STATUS))[0] == 3


async def test_r17_an_operator_accepts_a_connected_station(server, connections):
    connections.records["CP1"] = record(1, registration=Registration.PENDING)
    cp = await plug_in(server.port)
    assert await code(cp, "Heartbeat", {}) == "SecurityError"
    server.registry.refresh(record(1))
    assert (await cp.call("Heartbeat", {}))[0] == 3
    await cp.close()


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StartTransaction", {}),
        ("StopTransaction", {**STOP, "x": 1}),
        ("MeterValues", []),
    ],
)
async def test_r34_refused_transaction_messages_are_kept(strict, intake, action, payload):
    cp = strict
    await cp.call(action, payload)
    (kept,) = intake.quarantined
    assert kept[:2] == (1, action)
    assert json.loads(kept[2])[2:] == [action, payload]


async def test_r34_even_those_that_are_no_json(strict, intake):
    await strict.play(
        sends('[2,"1","StopTransaction",{"transactionId":,}]'),
        gets(4, "1", "FormationViolation", ANY, {}),
    )
    assert intake.quarantined[0][2] == '[2,"1","StopTransaction",{"transactionId":,}]'


async def test_other_refused_messages_are_not_kept(cp, intake):
    await cp.call("Authorize", {})
    assert intake.quarantined == []


async def test_r04_r05_ids_used_again(strict, intake):
    await strict.play(
        sends(2, "1", "StartTransaction", START),
        gets(3, "1", {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}),
        sends(2, "1", "StartTransaction", START),
        gets(3, "1", {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}),
        sends(2, "1", "StartTransaction", {**START, "idTag": "B"}),
        gets(4, "1", "ProtocolError", ANY, {}),
    )
    assert len(intake.facts) == 1


async def test_r09_ten_unreadable_frames_close_and_others_stay(server, cp):
    other = await plug_in(server.port, "/ocpp/CP2")
    for _ in range(10):
        await cp.send("[[[")
    assert await cp.get() == Closed(1008)
    assert (await other.call("Heartbeat", {}))[0] == 3
    await other.close()


async def test_r24_calls_sent_without_waiting_are_answered_in_order(cp):
    for n in range(200):
        await cp.send(
            [2, f"{n}", "StatusNotification" if n % 3 else "Heartbeat", STATUS if n % 3 else {}]
        )
    for n in range(200):
        assert (await cp.get())[:2] == [3, f"{n}"]


async def test_r24_a_flood_is_read_no_further_than_the_bound_and_answered_in_order(
    server, cp, intake, connections
):
    other = await plug_in(server.port, "/ocpp/CP2")
    intake.hold()
    for n in range(300):
        await cp.send([2, f"{n}", "StatusNotification", STATUS])
    assert (await other.call("Heartbeat", {}))[0] == 3
    session = server.registry.get(1)
    await wait_until(lambda: session._conversation.waiting >= MOST_WAITING_CALLS)
    assert (await other.call("Heartbeat", {}))[0] == 3
    # one more when the first was in work before the bound was reached
    assert session._conversation.waiting <= MOST_WAITING_CALLS + 1
    intake.release()
    for n in range(300):
        assert await cp.get() == [3, f"{n}", {}]
    await other.close()


async def test_a_flood_that_hangs_up_leaves_nothing_behind(server, intake, connections):
    cp = await plug_in(server.port)
    intake.hold()
    for n in range(300):
        await cp.send([2, f"{n}", "StatusNotification", STATUS])
    cp.socket.transport.abort()
    newcomer = await plug_in(server.port)
    await wait_until(lambda: (1, 1) in connections.ends)
    intake.release()
    assert (await newcomer.call("Heartbeat", {}))[0] == 3
    await newcomer.close()
