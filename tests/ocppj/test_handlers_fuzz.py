"""Whatever a payload holds: an answer with a code of the list, and facts that fit the database."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from csms.clock import SystemClock
from csms.domain.metering import Reading
from csms.ocppj.call_errors import ErrorCode, Refused
from csms.ocppj.conversation import Call
from csms.ocppj.handlers import Handlers
from csms.ocppj.schemas import FROM_CHARGE_POINT, Schemas
from csms.ocppj.serving import Station
from tests.many import many
from tests.ocppj.standins import StandInIntake, record

T = "2026-03-01T12:00:00Z"
SAMPLE = {
    "value": "1",
    "context": "Sample.Periodic",
    "format": "Raw",
    "measurand": "Voltage",
    "phase": "L1",
    "location": "Outlet",
    "unit": "V",
}
VALUE = {"timestamp": T, "sampledValue": [SAMPLE, {"value": "2"}]}
VALID: dict[str, Any] = {
    "Authorize": {"idTag": "A"},
    "BootNotification": {"chargePointVendor": "v", "chargePointModel": "m", "imsi": "1"},
    "DataTransfer": {"vendorId": "v", "data": "x"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Idle", "requestId": 1},
    "MeterValues": {"connectorId": 1, "transactionId": 1, "meterValue": [VALUE, VALUE]},
    "SecurityEventNotification": {"type": "Odd", "timestamp": T, "techInfo": "x"},
    "SignCertificate": {"csr": "x"},
    "SignedFirmwareStatusNotification": {"status": "Idle", "requestId": 1},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "A",
        "meterStart": 0,
        "reservationId": 1,
        "timestamp": T,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
        "info": "x",
        "timestamp": T,
    },
    "StopTransaction": {
        "transactionId": 1,
        "idTag": "A",
        "meterStop": 1,
        "reason": "Local",
        "timestamp": T,
        "transactionData": [VALUE],
    },
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=60),
    st.sampled_from(["\0", T, "2026-03-01T12:00:00", "1e999999", "-1e-999999", "NaN", "9" * 400]),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=2),
)
SCHEMAS = Schemas()


def places(value: Any, path: tuple = ()) -> list[tuple]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*path, index))
    return found


@st.composite
def payloads(draw: st.DrawFn) -> tuple[str, Any]:
    """A valid payload with up to three places replaced, removed or added to."""
    action = draw(st.sampled_from(sorted(VALID)))
    payload = copy.deepcopy(VALID[action])
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([*places(payload), ("more",)]))
        target = payload
        for part in path[:-1]:
            target = target[part]
        if draw(st.booleans()) or not isinstance(target, dict):
            target[path[-1]] = draw(ODD)
        else:
            target.pop(path[-1], None)
    return action, payload


def fits(value: Any) -> bool:
    """Whether Postgres takes it: integers of 64 bits, aware times, no NUL."""
    match value:
        case bool() | None:
            return True
        case int():
            return -(2**63) <= value < 2**63
        case str():
            return "\0" not in value
        case datetime():
            return value.tzinfo is UTC
        case list() | tuple():
            return all(map(fits, value))
        case dict():
            return all(map(fits, [*value, *value.values()]))
        case _ if dataclasses.is_dataclass(value):
            return all(fits(getattr(value, f.name)) for f in dataclasses.fields(value))
    return True


@pytest.mark.parametrize("strict", [False, True])
@given(payloads())
@example(("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": T, "sampledValue": []}]}))
@many(300)
async def test_any_payload_gets_an_answer_and_facts_fit(strict, odd):
    action, payload = odd
    raw = json.dumps([2, "1", action, payload])
    intake = StandInIntake()
    handlers = Handlers(intake, SCHEMAS, SystemClock(), intake)
    answered = asyncio.get_running_loop().create_future()
    slow = handlers.handle(
        Station(record(strict=strict)),
        Call("1", action, orjson.loads(raw)[3], raw),
        datetime.now(UTC),
        lambda answer, repairs: answered.set_result(answer),
    )
    if slow is not None:
        await slow()
    answer = await answered
    if isinstance(answer, Refused):
        assert answer.code is not ErrorCode.INTERNAL_ERROR
        assert intake.facts == []
        assert len(answer.description) < 2000
    else:
        assert SCHEMAS.response_problems(action, dict(answer)) == []
        for fact in intake.facts:
            assert fits(fact), fact
            assert all(isinstance(r, Reading) for r in getattr(fact, "readings", ()))


def test_each_action_that_is_served_has_a_valid_example():
    handlers = Handlers(None, SCHEMAS, SystemClock(), StandInIntake())
    assert set(VALID) == set(handlers._handlers)
    assert set(VALID) == FROM_CHARGE_POINT
    for action, payload in VALID.items():
        assert SCHEMAS.request_problems(action, payload) == []
