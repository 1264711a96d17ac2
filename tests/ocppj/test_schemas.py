from __future__ import annotations

import pytest

from csms.ocppj.schemas import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Schemas


def codes(schemas: Schemas, action: str, payload: object) -> list[str]:
    return [str(problem.code) for problem in schemas.request_problems(action, payload)]


STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


@pytest.mark.parametrize(
    ("rule", "action", "payload", "code"),
    [
        ("R11", "Authorize", {"idTag": "x", "more": 1}, "FormationViolation"),
        (
            "R11 nested",
            "MeterValues",
            {
                "connectorId": 1,
                "meterValue": [
                    {"timestamp": "t", "sampledValue": [{"value": "1", "more": 1}]},
                ],
            },
            "FormationViolation",
        ),
        ("R12", "Authorize", {}, "ProtocolError"),
        (
            "R13",
            "MeterValues",
            {"connectorId": 1, "meterValue": []},
            "OccurenceConstraintViolation",
        ),
        (
            "R14 text",
            "StatusNotification",
            {**STATUS, "connectorId": "1"},
            "TypeConstraintViolation",
        ),
        (
            "R14 bool",
            "StatusNotification",
            {**STATUS, "connectorId": True},
            "TypeConstraintViolation",
        ),
        (
            "R14 1.5",
            "StatusNotification",
            {**STATUS, "connectorId": 1.5},
            "TypeConstraintViolation",
        ),
        (
            "R14 1.0",
            "StatusNotification",
            {**STATUS, "connectorId": 1.0},
            "TypeConstraintViolation",
        ),
        ("R14 enum", "StatusNotification", {**STATUS, "status": 1}, "TypeConstraintViolation"),
        ("R14 null", "Authorize", {"idTag": None}, "TypeConstraintViolation"),
        ("R15", "StatusNotification", {**STATUS, "status": "X"}, "PropertyConstraintViolation"),
        ("R15 long", "Authorize", {"idTag": "x" * 21}, "PropertyConstraintViolation"),
        (
            "R31 draft 6",
            "LogStatusNotification",
            {"status": "Idle", "requestId": 1.0},
            "TypeConstraintViolation",
        ),
    ],
)
def test_each_kind_of_problem_has_its_code(schemas, rule, action, payload, code):
    assert codes(schemas, action, payload)[0] == code, rule


def test_the_worst_of_several_problems_comes_first(schemas):
    payload = {"connectorId": "1", "status": "X", "more": 1}
    assert codes(schemas, "StatusNotification", payload) == [
        "FormationViolation",
        "ProtocolError",
        "TypeConstraintViolation",
        "PropertyConstraintViolation",
    ]


def test_r27_lengths_count_characters(schemas):
    assert codes(schemas, "Authorize", {"idTag": "é" * 20}) == []
    assert codes(schemas, "Authorize", {"idTag": "😀" * 20}) == []


def test_descriptions_name_the_field_and_never_the_value(schemas):
    problem = schemas.request_problems("Authorize", {"idTag": "secret" * 10})[0]
    assert (problem.field, problem.text) == ("idTag", "must have at most 20 characters")


def test_m55_both_spellings_of_celsius(schemas):
    for unit in ("Celsius", "Celcius"):
        sample = {"value": "1", "unit": unit, "measurand": "Temperature"}
        value = {"timestamp": "t", "sampledValue": [sample]}
        assert codes(schemas, "MeterValues", {"connectorId": 1, "meterValue": [value]}) == []


def test_26_actions_are_ours_and_14_theirs(schemas):
    assert len(FROM_CENTRAL_SYSTEM) == 26
    assert len(FROM_CHARGE_POINT) == 14
    assert schemas.actions() == tuple(sorted(FROM_CENTRAL_SYSTEM))
    assert FROM_CENTRAL_SYSTEM.intersection(FROM_CHARGE_POINT) == {"DataTransfer"}


def test_each_request_has_a_schema_for_forms(schemas):
    for action in schemas.actions():
        assert schemas.request_schema(action)["type"] == "object"


@pytest.mark.parametrize("action", ["StartTransaction", "reset", "Nonsense"])
def test_no_schema_for_what_we_do_not_send(schemas, action):
    with pytest.raises(KeyError):
        schemas.request_schema(action)


PROFILE = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.15}],
        },
    },
}


@pytest.mark.parametrize(
    ("action", "payload", "problems"),
    [
        ("Reset", {"type": "Hard"}, {}),
        ("Reset", {"type": "Warm"}, {"type": "must be one of Hard, Soft"}),
        ("Reset", {}, {"type": "is missing"}),
        ("Reset", [], {"payload": "must be of type object"}),
        ("ClearCache", {"x": 1}, {"x": "is not a field of this message"}),
        ("RemoteStopTransaction", {"transactionId": 2**63 - 1}, {}),
        (
            "RemoteStopTransaction",
            {"transactionId": 2**63},
            {"transactionId": "must fit into 64 bits"},
        ),
        ("GetDiagnostics", {"location": "ftp://user:pw@host/logs"}, {}),
        ("GetDiagnostics", {"location": "logs"}, {"location": "must be a uri"}),
        (
            "ReserveNow",
            {"connectorId": 0, "expiryDate": "soon", "idTag": "x", "reservationId": 1},
            {"expiryDate": "must be a date-time, such as 2026-03-01T12:00:00Z"},
        ),
        (
            "SetChargingProfile",
            PROFILE,
            {
                "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit": (
                    "must be a multiple of 0.1"
                )
            },
        ),
    ],
)
def test_problems_of_our_calls_name_their_fields(schemas, action, payload, problems):
    assert schemas.problems(action, payload) == problems


def test_limits_in_steps_of_a_tenth_pass(schemas):
    validator = schemas.problems
    for tenths in range(0, 10000, 7):
        period = {"startPeriod": 0, "limit": tenths / 10}
        schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
        profile = {**PROFILE["csChargingProfiles"], "chargingSchedule": schedule}
        payload = {"connectorId": 1, "csChargingProfiles": profile}
        assert validator("SetChargingProfile", payload) == {}


def test_answers_are_checked_too(schemas):
    assert schemas.response_problems("Reset", {"status": "Accepted"}) == []
    assert schemas.response_problems("Reset", {"status": "Fine"})
    assert schemas.response_problems("Reset", [])
