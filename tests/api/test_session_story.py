"""What has happened to a session, and why it got what it got."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from csms.domain.session_messages import About, belongs, words
from csms.domain.transactions import Finding
from csms.services.session_story import FLAG_TEXTS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ABOUT = About(transaction_id=7, connector_id=1, id_tag="Tag1")


async def log(bench, seconds, frame, action, direction="in"):
    at = NOON + timedelta(seconds=seconds)
    await bench.sql.execute(
        f"CREATE TABLE IF NOT EXISTS ocpp_messages_{at:%Y%m%d} PARTITION OF ocpp_messages"
        f" FOR VALUES FROM ('{at:%Y-%m-%d}') TO ('{at + timedelta(days=1):%Y-%m-%d}')"
    )
    await bench.sql.execute(
        "INSERT INTO ocpp_messages (at, charge_point_id, direction, type, action, message_id, raw)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        at,
        await bench.key(),
        direction,
        frame[0],
        action,
        frame[1],
        orjson.dumps(frame).decode(),
    )


async def played(bench):
    """A session with its messages, among those of another connector."""
    await bench.post("/api/sites", {"id": "S1", "name": "A", "gridCapacityKw": 50}, status=201)
    await bench.station(connectors=2, siteId="S1")
    await bench.post("/api/id-tags", {"idTag": "TAG1", "name": "Ann"}, status=201)
    number = await bench.session(
        site_id="S1", start_received_at=NOON, started_at=NOON, findings=["offline"]
    )
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
    start = {"connectorId": 1, "idTag": "TAG1", "meterStart": 1000, "timestamp": "x"}
    values = {"connectorId": 1, "transactionId": number, "meterValue": []}
    stop = {"transactionId": number, "meterStop": 11_000, "timestamp": "x", "reason": "Remote"}
    for seconds, frame, action, direction in (
        (-400, [2, "0", "StatusNotification", status], "StatusNotification", "in"),  # before it
        (-10, [2, "1", "StatusNotification", status | {"status": "Preparing"}],
         "StatusNotification", "in"),
        (-5, [2, "2", "StatusNotification", status | {"connectorId": 2}],
         "StatusNotification", "in"),
        (-4, [3, "2", {}], "StatusNotification", "out"),
        (-2, [2, "hb", "Heartbeat", {}], "Heartbeat", "in"),
        (0, [2, "3", "StartTransaction", start], "StartTransaction", "in"),
        (1, [3, "3", {"transactionId": number, "idTagInfo": {"status": "Accepted"}}],
         "StartTransaction", "out"),
        (60, [2, "4", "MeterValues", values], "MeterValues", "in"),
        (90, [2, "5", "StopTransaction", stop | {"transactionId": number + 1}],
         "StopTransaction", "in"),
        (120, [2, "6", "StopTransaction", stop], "StopTransaction", "in"),
        (400, [2, "7", "StatusNotification", status], "StatusNotification", "in"),  # after it
    ):  # fmt: skip
        await log(bench, seconds, frame, action, direction)
    await bench.sql.execute(
        "INSERT INTO limit_decisions (site_id, charge_point_id, connector_id, transaction_id,"
        " limit_w, reason, decided_at) VALUES ('S1', $1, 1, $2, 7000, 'its fair share', $3)",
        await bench.key(),
        number,
        NOON + timedelta(seconds=30),
    )
    end = NOON + timedelta(seconds=120)
    await bench.stop(number, stopped_at=end, stop_received_at=end, stop_reason="Remote")
    return number


async def test_the_timeline_tells_of_this_session_alone(bench):
    number = await played(bench)
    page = await bench.get(f"/api/sessions/{number}/timeline")
    assert [(item["kind"], item["text"]) for item in page["items"]] == [
        ("message", "Connector 1 is Preparing"),
        ("message", "The session starts at 1000 Wh"),
        ("session", f"Session {number} begins at connector 1"),
        ("message", "Answer to StartTransaction: Accepted"),
        ("decision", "7 kW: its fair share"),
        ("message", "The session stops at 11000 Wh: Remote"),
        ("session", "It ends after 10 kWh: Remote"),
    ]
    assert page["nextCursor"] is None
    assert page["items"][1]["message"]["messageId"] == "3"
    assert page["items"][4]["decision"] == {
        "at": "2026-11-01T12:00:30.000Z", "limitKw": 7, "reason": "its fair share",
    }  # fmt: skip
    page = await bench.get(f"/api/sessions/{number}/timeline?meterValues=true")
    assert "Values are metered" in [item["text"] for item in page["items"]]


async def test_pages_of_a_timeline_are_the_whole(bench):
    number = await played(bench)
    whole = (await bench.get(f"/api/sessions/{number}/timeline"))["items"]
    items, cursor = [], ""
    while cursor is not None:
        page = await bench.get(
            f"/api/sessions/{number}/timeline?limit=2" + (f"&cursor={cursor}" if cursor else "")
        )
        items += page["items"]
        cursor = page["nextCursor"]
    assert items == whole


async def test_a_running_session_without_any_message(bench):
    await bench.station()
    number = await bench.session()
    page = await bench.get(f"/api/sessions/{number}/timeline")
    assert [item["kind"] for item in page["items"]] == ["session"]


async def test_the_explanation(bench):
    number = await played(bench)
    found = await bench.get(f"/api/sessions/{number}/explanation")
    assert found["authorization"] == {
        "idTag": "TAG1", "told": "Accepted", "text": "The tag was accepted.",
        "tag": {"idTag": "TAG1", "status": "Accepted", "expiresAt": None, "parentIdTag": None,
                "name": "Ann"},
    }  # fmt: skip
    assert found["limits"]["reason"] == "its fair share"
    assert found["limits"]["decisions"][0]["limitKw"] == 7
    assert found["price"] == {
        "currency": "EUR", "amount": 3, "billable": True,
        "components": [
            {"component": "energy", "quantity": 10, "unit": "kWh", "price": 0.3, "amount": 3}
        ],
    }  # fmt: skip
    assert found["flags"] == [{"flag": "offline", "text": FLAG_TEXTS["offline"]}]


async def test_what_is_not_billable_says_so(bench):
    await bench.station()
    number = await bench.session(
        id_tag="NOBODY", id_tag_status="Invalid", findings=["unauthorised"]
    )
    await bench.stop(number, cost=None, findings=["unauthorised", "stopMissing"])
    found = await bench.get(f"/api/sessions/{number}/explanation")
    assert (found["authorization"]["text"], found["authorization"]["tag"]) == (
        "The tag was not known.", None,
    )  # fmt: skip
    assert (found["price"]["billable"], found["price"]["amount"]) == (False, None)
    assert [flag["flag"] for flag in found["flags"]] == ["unauthorised", "stopMissing"]


@pytest.mark.parametrize("path", ["timeline", "explanation"])
@pytest.mark.parametrize("number", ["0", "x", "99", "99999999999"])
async def test_unknown_sessions(bench, path, number):
    reply = await bench.ask("GET", f"/api/sessions/{number}/{path}")
    assert (reply.status, reply.json["code"]) == (404, "session_not_found")


def test_every_flag_has_words():
    assert set(FLAG_TEXTS) == set(Finding)


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("Heartbeat", {}, False),
        ("MeterValues", {"connectorId": 1, "transactionId": 8}, False),
        ("MeterValues", {"connectorId": 1}, True),
        ("MeterValues", {"connectorId": 2}, False),
        ("Authorize", {"idTag": "tag1"}, True),
        ("Authorize", {"idTag": "other"}, False),
        ("BootNotification", {"chargePointVendor": "V"}, True),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {"transactionId": 8}},
         False),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {}}, True),
        ("RemoteStartTransaction", {"idTag": "TAG1"}, True),
        (None, None, True),
        ("StatusNotification", [], True),
        ("StopTransaction", {"transactionId": "7"}, True),
    ],
)  # fmt: skip
def test_what_belongs_to_a_session(action, payload, expected):
    assert belongs(action, payload, ABOUT) is expected


@pytest.mark.parametrize(
    ("action", "kind", "direction", "payload", "expected"),
    [
        (None, None, "in", None, "a frame that cannot be read comes"),
        ("Reset", "callError", "in", {"errorCode": "InternalError"},
         "Answer to Reset: error InternalError"),
        ("SetChargingProfile", "call", "out",
         {"csChargingProfiles": {"chargingSchedule": {
             "chargingRateUnit": "A", "chargingSchedulePeriod": [{"limit": 16.0}]}}},
         "A limit is told: 16 A"),
        ("SetChargingProfile", "call", "out", {"csChargingProfiles": []}, "A limit is told"),
        ("StatusNotification", "call", "in",
         {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"},
         "Connector 1 is Faulted: GroundFailure"),
        ("UnlockConnector", "call", "out", {"connectorId": 1}, "UnlockConnector is sent"),
    ],
)  # fmt: skip
def test_words(action, kind, direction, payload, expected):
    assert words(action, kind, direction, payload) == expected
