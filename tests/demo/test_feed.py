"""Frames in, lines of a few words out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from csms.demo.feed import Feed
from csms.demo.picture import Answered
from csms.services.records import MessageRecord

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def frame(kind: int, direction: str, action: str, message_id: str, *content, second=0, raw=None):
    words = [kind, message_id, *([action] if kind == 2 else []), *content]
    return "CP-1", MessageRecord(
        key=1,
        at=AT + timedelta(seconds=second),
        direction=direction,
        type=kind,
        action=action,
        message_id=message_id,
        raw=json.dumps(words) if raw is None else raw,
        repairs=(),
        latency_ms=None,
    )


def profile(purpose: str, unit: str, limit: float, connector: int = 1) -> dict:
    return {
        "connectorId": connector,
        "csChargingProfiles": {
            "chargingProfilePurpose": purpose,
            "chargingSchedule": {
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        },
    }


def only_line(*frames):
    feed = Feed(UTC)
    feed.take(frames)
    (line,) = feed.newest()
    return line


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (profile("TxProfile", "A", 10.8), "#1 10.8 A"),
        (profile("TxProfile", "W", 62500.0, 2), "#2 62.5 kW"),
        (profile("TxDefaultProfile", "A", 0, 0), "0 A until a session has its own limit"),
    ],
)
def test_a_limit_and_its_answer_are_one_line(payload, text):
    line = only_line(
        frame(2, "out", "SetChargingProfile", "a", payload),
        frame(3, "in", "SetChargingProfile", "a", {"status": "Accepted"}),
    )
    assert (line.to_station, line.station, line.action) == (True, "CP-1", "SetChargingProfile")
    assert (line.text, line.answer, line.answered) == (text, "Accepted", Answered.WELL)


def test_only_accepted_limits_count():
    feed = Feed(UTC)
    limit = profile("TxProfile", "A", 6)
    for message_id, answer in (("a", "Accepted"), ("b", "Rejected"), ("c", "NotSupported")):
        feed.take([frame(2, "out", "SetChargingProfile", message_id, limit)])
        feed.take([frame(3, "in", "SetChargingProfile", message_id, {"status": answer})])
    feed.take([frame(2, "out", "SetChargingProfile", "open", limit)])
    feed.take([frame(3, "in", "ClearChargingProfile", "e", {"status": "Accepted"})])
    assert feed.limits == 1
    assert [line.answered for line in feed.newest()] == [
        Answered.WELL,
        Answered.BADLY,
        Answered.BADLY,
        Answered.OPEN,
    ]


def test_meter_values_tell_power_register_and_charge():
    sampled = [
        {"value": "7400", "measurand": "Power.Active.Import", "unit": "W"},
        {"value": "1234", "unit": "Wh"},
        {"value": "16", "measurand": "Current.Import", "phase": "L1"},
        {"value": "46", "measurand": "SoC", "unit": "Percent"},
    ]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "x", "sampledValue": sampled}]}
    line = only_line(
        frame(2, "in", "MeterValues", "m", payload), frame(3, "out", "MeterValues", "m", {})
    )
    assert (line.text, line.answer) == ("#1 7.4 kW 1.23 kWh 46 %", "")


def test_a_unit_of_thousands_is_not_divided_again():
    sampled = [{"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"}]
    payload = {"connectorId": 2, "meterValue": [{"timestamp": "x", "sampledValue": sampled}]}
    assert only_line(frame(2, "in", "MeterValues", "m", payload)).text == "#2 7.4 kW"


def test_a_start_tells_its_session_and_a_blocked_tag_is_bad():
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "x"}
    answer = {"transactionId": 17, "idTagInfo": {"status": "Accepted"}}
    line = only_line(
        frame(2, "in", "StartTransaction", "s", start),
        frame(3, "out", "StartTransaction", "s", answer),
    )
    assert (line.text, line.answer) == ("#1 TAG", "Accepted session 17")
    line = only_line(
        frame(2, "in", "Authorize", "s", {"idTag": "TAG"}),
        frame(3, "out", "Authorize", "s", {"idTagInfo": {"status": "Blocked"}}),
    )
    assert (line.text, line.answer, line.answered) == ("TAG", "Blocked", Answered.BADLY)


def test_an_error_is_told_by_its_code():
    line = only_line(
        frame(2, "out", "SetChargingProfile", "a", profile("TxProfile", "A", 6)),
        frame(4, "in", "SetChargingProfile", "a", "NotImplemented", "", {}),
    )
    assert (line.answer, line.answered) == ("NotImplemented", Answered.BADLY)


@pytest.mark.parametrize("raw", ["", "[2,", '[2,"m","MeterValues",{"meterValue":7}]', "[2]", "{}"])
def test_what_cannot_be_read_is_a_line_without_words(raw):
    assert only_line(frame(2, "in", "MeterValues", "m", raw=raw)).text == ""


def test_an_answer_to_a_call_that_is_not_known_any_more_is_no_line():
    feed = Feed(UTC)
    feed.take([frame(3, "in", "SetChargingProfile", "a", {"status": "Accepted"})])
    assert feed.newest() == ()


def test_the_rate_counts_frames_of_the_last_ten_seconds():
    feed = Feed(UTC)
    feed.take(frame(2, "in", "Heartbeat", str(n), {}, second=n) for n in range(20))
    assert feed.per_second(AT + timedelta(seconds=20)) == pytest.approx(1.0)
    assert feed.per_second(AT + timedelta(seconds=60)) == 0.0


def test_old_lines_go():
    feed = Feed(UTC)
    feed.take(frame(2, "in", "Heartbeat", str(n), {}) for n in range(1000))
    assert len(feed.newest()) == 200
