"""Payloads of any kind of wrong: what is taken is valid, and nothing is invented."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.ocppj.repairs import catalogue as names
from csms.ocppj.repairs.payloads import PayloadRepairs
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.schemas import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Schemas
from tests.many import many
from tests.ocppj.test_handlers_fuzz import VALID, payloads

SCHEMAS = Schemas()
REPAIRS = PayloadRepairs(SCHEMAS, Switches())
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = "2026-03-01T12:00:00Z"


def of_schema(schema) -> st.SearchStrategy:
    """What a valid value of a schema may be."""
    match schema.get("type"):
        case "object":
            fields = {name: of_schema(part) for name, part in schema.get("properties", {}).items()}
            needed = {name: fields.pop(name) for name in schema.get("required", [])}
            return st.fixed_dictionaries(needed, optional=fields)
        case "array":
            return st.lists(
                of_schema(schema["items"]), min_size=schema.get("minItems", 0), max_size=3
            )
        case "string" if "enum" in schema:
            return st.sampled_from(schema["enum"])
        case "string" if schema.get("format") == "date-time":
            return st.just(T)
        case "string":
            return st.text(max_size=min(20, schema.get("maxLength", 20)))
        case "integer":
            return st.integers(-(2**31), 2**31)
        case "number":
            return st.integers(0, 1000).map(lambda tenths: tenths / 10)
        case "boolean":
            return st.booleans()
    return st.none()


@pytest.mark.parametrize("action", sorted(FROM_CHARGE_POINT))
@given(st.data())
@many(40)
def test_a_valid_request_stays_as_it_is(action, data):
    payload = data.draw(of_schema(SCHEMAS.document(action)))
    assert SCHEMAS.request_problems(action, payload) == []
    repaired = REPAIRS.request(action, copy.deepcopy(payload), NOW)
    assert repaired.payload == payload
    assert repaired.names == ()


@pytest.mark.parametrize("action", sorted(FROM_CENTRAL_SYSTEM))
@given(st.data())
@many(20)
def test_a_valid_answer_stays_as_it_is(action, data):
    payload = data.draw(of_schema(SCHEMAS.answer_document(action)))
    if SCHEMAS.response_problems(action, payload):
        return  # multiples of 0.1 that a float does not hit
    repaired = REPAIRS.answer(action, copy.deepcopy(payload), NOW)
    assert repaired.payload == payload
    assert repaired.names == ()


@given(payloads())
@many(500)
def test_what_is_taken_is_valid_or_kept_text_and_a_second_repair_changes_nothing(odd):
    action, payload = odd
    before = copy.deepcopy(payload)
    repaired = REPAIRS.request(action, payload, NOW)
    assert payload == before
    if SCHEMAS.request_problems(action, payload) and not repaired.problems:
        assert repaired.names
    for problem in SCHEMAS.request_problems(action, repaired.payload):
        if problem not in repaired.problems:
            assert problem.keyword in ("Enum", "MinItems")
    if not repaired.problems:
        again = REPAIRS.request(action, repaired.payload, NOW)
        assert again.payload == repaired.payload


@given(payloads())
@many(200)
def test_switched_off_nothing_is_changed(odd):
    action, payload = odd
    off = PayloadRepairs(SCHEMAS, Switches(off=list(names.CATALOGUE)))
    repaired = off.request(action, copy.deepcopy(payload), NOW)
    assert repaired.names == ()
    assert repaired.problems == SCHEMAS.request_problems(action, payload)


@pytest.mark.parametrize("action", sorted(VALID))
@pytest.mark.parametrize("spelled", [str.lower, str.upper, lambda name: f"{name[0]}_{name[1:]} "])
def test_any_spelling_of_the_fields_is_read(action, spelled):
    payload = {spelled(name): value for name, value in VALID[action].items()}
    repaired = REPAIRS.request(action, payload, NOW)
    assert repaired.payload == VALID[action]
    assert set(repaired.names) <= {names.FIELD_SPELLING}


def test_every_value_of_every_enumeration_is_read_in_any_case():
    for action in sorted(FROM_CHARGE_POINT):
        for name, choices in enumerations(SCHEMAS.document(action)):
            for choice in choices:
                for odd in (choice.lower(), choice.upper(), choice.replace(".", "_")):
                    payload = put(VALID[action], name, odd)
                    if payload is None:
                        continue
                    repaired = REPAIRS.request(action, payload, NOW)
                    assert repaired.payload == put(VALID[action], name, choice), (name, odd)


def enumerations(schema, path=()):
    if "enum" in schema:
        yield path, schema["enum"]
    for name, part in schema.get("properties", {}).items():
        yield from enumerations(part, (*path, name))
    if "items" in schema:
        yield from enumerations(schema["items"], (*path, 0))


def put(payload, path, value):
    made = copy.deepcopy(payload)
    target = made
    for part in path[:-1]:
        if not isinstance(target, list) and part not in target:
            return None
        target = target[part]
    target[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("action", "payload", "made"),
    [
        # OCPP 1.5 names
        (
            "MeterValues",
            {"connectorId": 1, "values": [{"timestamp": T, "values": [{"value": 1}]}]},
            {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": [{"value": "1"}]}]},
        ),
        # samples without a value are left out, not the message
        (
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [{"timestamp": T, "sampledValue": [{"value": None}, {"value": "1"}]}],
            },
            {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": [{"value": "1"}]}]},
        ),
        # a list as some languages write it
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": {"0": {"timestamp": T, "sampledValue": []}}},
            {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": []}]},
        ),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "GroundFault"},
            {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"},
        ),
        (
            "BootNotification",
            {"chargePointVendor": "", "chargePointModel": "M", "iccid": -67, "imsi": None},
            {"chargePointVendor": "", "chargePointModel": "M", "iccid": "-67"},
        ),
        (
            "StopTransaction",
            {"meterStop": "12.6", "timestamp": None, "reason": "Unplug", "transactionData": None},
            {
                "transactionId": -1,
                "meterStop": 13,
                "timestamp": NOW.isoformat(),
                "reason": "Other",
            },
        ),
        # nonsense where a default exists
        (
            "StopTransaction",
            {"transactionId": {}, "meterStop": "", "timestamp": T, "reason": "  "},
            {"meterStop": -1, "timestamp": T, "transactionId": -1},
        ),
        (
            "StartTransaction",
            {"connectorId": 1, "idTag": {"idToken": "A"}, "meterStart": "1,234", "timestamp": T},
            {"connectorId": 1, "idTag": "A", "timestamp": T, "meterStart": -1},
        ),
        # wrapped, and as OCPP 2.0 has it
        ("Authorize", {"authorize": {"idTag": "A"}}, {"idTag": "A"}),
        (
            "BootNotification",
            {"reason": "PowerUp", "chargingStation": {"vendorName": "v", "model": "m"}},
            {"chargePointVendor": "v", "chargePointModel": "m"},
        ),
        ("Authorize", {"idToken": {"idToken": "A", "type": "ISO14443"}}, {"idTag": "A"}),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": ["5", 6]}]},
            {
                "connectorId": 1,
                "meterValue": [{"timestamp": T, "sampledValue": [{"value": "5"}, {"value": "6"}]}],
            },
        ),
        # nobody knows what an empty measurand measures
        (
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [
                    {
                        "timestamp": T,
                        "sampledValue": [
                            {"value": "230", "measurand": "", "unit": "", "phase": ""}
                        ],
                    }
                ],
            },
            {
                "connectorId": 1,
                "meterValue": [
                    {"timestamp": T, "sampledValue": [{"value": "230", "measurand": ""}]}
                ],
            },
        ),
        ("LogStatusNotification", {"status": "UploadFailed"}, {"status": "UploadFailure"}),
        ("DataTransfer", {"vendorId": "x", "data": {"a": 1}}, {"vendorId": "x", "data": '{"a":1}'}),
        (  # OCPP 2.0
            "StatusNotification",
            {"timestamp": T, "connectorStatus": "Available", "evseId": 2, "connectorId": 1},
            {"timestamp": T, "status": "Available", "connectorId": 1, "errorCode": "NoError"},
        ),
        (
            "StatusNotification",
            {"state": "Faulted", "evseId": 2},
            {"status": "Faulted", "connectorId": 2, "errorCode": "OtherError"},
        ),
        (
            "StopTransaction",
            {"transactionId": 1, "meterStop": 1, "timestamp": T, "stoppedReason": "Remote"},
            {"transactionId": 1, "meterStop": 1, "timestamp": T, "reason": "Remote"},
        ),
    ],
)
def test_what_payloads_mean(action, payload, made):
    repaired = REPAIRS.request(action, payload, NOW)
    assert repaired.payload == made
    assert repaired.names


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError"}),
        ("StatusNotification", {"connectorId": "front", "errorCode": "NoError", "status": "x"}),
        ("SignCertificate", {}),
        ("FirmwareStatusNotification", {}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": ""}),
        ("StatusNotification", {"connectorId": {}, "errorCode": "NoError", "status": "Available"}),
        ("StartTransaction", {"connectorId": 1e30, "idTag": "A", "meterStart": 1, "timestamp": T}),
    ],
)
def test_what_cannot_be_guessed_is_refused(action, payload):
    assert REPAIRS.request(action, payload, NOW).problems


@pytest.mark.parametrize(
    ("action", "given", "name"),
    [
        ("StopTransaction", {"meterStop": 1, "timestamp": T}, "transactionId"),
        ("StopTransaction", {"transactionId": 7, "timestamp": T}, "meterStop"),
        ("StartTransaction", {"connectorId": 1, "idTag": "A", "timestamp": T}, "meterStart"),
    ],
)
@pytest.mark.parametrize("number", [2.0**70, 1e300, -(2.0**70)])
def test_ids_and_meters_of_more_than_63_bits_are_answered(action, given, name, number):
    repaired = REPAIRS.request(action, {**given, name: number}, NOW)
    assert repaired.problems == []
    assert repaired.payload[name] == (2**63 - 1 if number > 0 else -(2**63))
    assert repaired.names == (names.NUMBER_CAPPED,)
    off = PayloadRepairs(SCHEMAS, Switches(off=[names.NUMBER_CAPPED]))
    assert off.request(action, {**given, name: number}, NOW).problems


def test_answers_to_us():
    odd = {"configurationKey": [{"key": "a", "readOnly": "true", "value": 5}, {"key": "b"}, {}]}
    repaired = REPAIRS.answer("GetConfiguration", odd, NOW)
    assert repaired.payload == {
        "configurationKey": [
            {"key": "a", "value": "5", "readonly": True},
            {"key": "b", "readonly": False},
        ]
    }
    assert names.BOOLEAN_FROM_VALUE in repaired.names
    assert repaired.problems == []
    assert REPAIRS.answer("Reset", {"status": "Perhaps"}, NOW).problems


def test_a_composite_schedule_as_stations_write_it():
    period = {"startPeriod": "0", "limit": 13.333, "numberPhases": 3.0}
    odd = {
        "status": "accepted",
        "connectorId": "1",
        "scheduleStart": None,
        "chargingSchedule": {"chargingRateUnit": "a", "chargingSchedulePeriod": period},
    }
    repaired = REPAIRS.answer("GetCompositeSchedule", odd, NOW)
    assert repaired.problems == []
    assert repaired.payload == {
        "status": "Accepted",
        "connectorId": 1,
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 13.3, "numberPhases": 3}],
        },
    }


def test_a_payload_of_thousands_of_odd_words_takes_no_longer_than_a_few():
    fields = {f"fjeld{n}": n for n in range(20_000)}
    repaired = REPAIRS.request("Authorize", {"idTag": "A", **fields}, NOW)
    assert repaired.payload == {"idTag": "A"}
    sample = [{"value": n, "measurand": f"Power.Aktive{n}"} for n in range(5_000)]
    value = {"timestamp": T, "sampledValue": sample}
    repaired = REPAIRS.request("MeterValues", {"connectorId": 1, "meterValue": [value]}, NOW)
    assert repaired.problems == []
