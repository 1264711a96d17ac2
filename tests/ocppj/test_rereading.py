"""Logged frames decoded once more: as a strict station's, and with the repairs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from csms.clock import SystemClock
from csms.ocppj import repairs
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.repairs.tolerance import Repairs
from csms.ocppj.rereading import Rereading
from csms.ocppj.schemas import Schemas
from csms.services.records import MessageRecord

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def reader() -> Rereading:
    return Rereading(Repairs(Schemas()), SystemClock())


def record(raw, *, kind=2, action=None, message_id="1") -> MessageRecord:
    raw = raw if isinstance(raw, str) else json.dumps(raw)
    return MessageRecord(
        key=1,
        at=AT,
        direction="in",
        type=kind,
        action=action,
        message_id=message_id,
        raw=raw,
        repairs=(),
        latency_ms=None,
    )


def call(action, payload) -> MessageRecord:
    return record([2, "1", action, payload], action=action)


STATUS = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}


def test_a_good_call_is_taken_either_way(reader):
    for strict in (True, False):
        found = reader.read(call("StatusNotification", STATUS), strict=strict)
        assert (found.verdict, found.action, found.payload) == (
            "taken",
            "StatusNotification",
            STATUS,
        )
        assert (found.repairs, found.problems, found.text) == ((), (), None)


def test_what_is_repaired_is_refused_strictly_with_all_that_is_wrong(reader):
    odd = call("StatusNotification", STATUS | {"connectorId": "1", "status": "available"})
    strict = reader.read(odd, strict=True)
    assert (strict.verdict, strict.code) == ("refused", "TypeConstraintViolation")
    assert {each.field for each in strict.problems} == {"connectorId", "status"}
    assert strict.payload["connectorId"] == "1"
    mended = reader.read(odd, strict=False)
    assert (mended.verdict, mended.payload) == ("taken", STATUS)
    assert set(mended.repairs) == {"number_from_text", "choice_spelling"}


def test_nearly_json(reader):
    broken = record('[2,"1","Heartbeat",{}', action="Heartbeat")
    strict = reader.read(broken, strict=True)
    assert (strict.verdict, strict.code) == ("refused", "FormationViolation")
    mended = reader.read(broken, strict=False)
    assert (mended.verdict, mended.repairs) == ("taken", ("json_unclosed",))


def test_no_repairs_but_those_that_are_on():
    off = Rereading(Repairs(Schemas(), Switches(off=["json_unclosed"])), SystemClock())
    assert off.read(record('[2,"1","Heartbeat",{}'), strict=False).verdict == "refused"


def test_times_and_doubts_are_looked_at_too(reader):
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2026-03-01 12:00"}
    strict = reader.read(call("StartTransaction", start), strict=True)
    assert (strict.verdict, strict.code) == ("refused", "PropertyConstraintViolation")
    mended = reader.read(call("StartTransaction", start), strict=False)
    assert mended.verdict == "taken"
    assert mended.repairs[0].startswith("time_")
    missing = {key: value for key, value in start.items() if key != "meterStart"}
    found = reader.read(call("StartTransaction", missing), strict=False)
    assert found.verdict == "taken"
    assert "meterSuspect" in found.doubts or "meter_suspect" in found.doubts, found.doubts


@pytest.mark.parametrize(
    ("action", "code"), [("Reset", "NotSupported"), ("Dance", "NotImplemented")]
)
def test_actions_that_are_not_a_stations(reader, action, code):
    found = reader.read(call(action, {}), strict=False)
    assert (found.verdict, found.code) == ("refused", code)


def test_answers_are_read_as_answers_to_our_call(reader):
    good = record([3, "x", {"status": "Accepted"}], kind=3, action="Reset", message_id="x")
    assert reader.read(good, strict=True).verdict == "taken"
    odd = record([3, "x", {"status": "accepted"}], kind=3, action="Reset", message_id="x")
    strict, mended = (reader.read(odd, strict=strict) for strict in (True, False))
    assert (strict.verdict, strict.problems[0].field) == ("refused", "status")
    assert (mended.verdict, mended.payload) == ("taken", {"status": "Accepted"})
    error = record([4, "x", "NotSupported", "no", {}], kind=4, action="Reset", message_id="x")
    assert reader.read(error, strict=True).payload == {
        "errorCode": "NotSupported",
        "errorDescription": "no",
    }
    stray = record([3, "x", {}], kind=3, message_id="x")
    assert reader.read(stray, strict=False).verdict == "dropped"


def test_it_counts_nothing(reader):
    before = dict(repairs.COUNTS)
    reader.read(call("StatusNotification", STATUS | {"connectorId": "1"}), strict=False)
    assert dict(repairs.COUNTS) == before


@pytest.mark.parametrize("raw", ["", "   ", "nonsense", "[]", "{}", "[9,1]", "\x00", "[2]"])
def test_any_text_gives_a_reading(reader, raw):
    for strict in (True, False):
        assert reader.read(record(raw, kind=None), strict=strict).verdict in ("dropped", "refused")
