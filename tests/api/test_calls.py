"""Calls: outcomes, refusals, what is recorded and when, idempotency."""

from __future__ import annotations

import asyncio
import json

import pytest

from csms.errors import CallFailed
from csms.services.ports.gateway import Answer
from tests.waiting import wait_until

RESET = "/api/stations/CP1/calls/Reset"


@pytest.mark.parametrize(
    ("response", "outcome", "status"),
    [
        ({"status": "Accepted"}, "accepted", "Accepted"),
        ({"status": "Rejected"}, "rejected", "Rejected"),
    ],
)
async def test_outcomes_follow_the_status(bench, response, outcome, status):
    await bench.station()
    await bench.online()
    bench.gateway.answers["Reset"] = response
    result = await bench.post(RESET, {"type": "Hard"})
    call_id = result.pop("callId")
    assert result == {
        "outcome": outcome,
        "status": status,
        "response": response,
        "errorCode": None,
        "errorDescription": None,
        "warnings": [],
    }
    calls = await bench.get("/api/stations/CP1/calls")
    assert calls["items"][0]["callId"] == call_id
    assert calls["items"][0]["outcome"] == outcome
    assert calls["items"][0]["operator"] == "administrator"
    assert calls["items"][0]["endedAt"] >= calls["items"][0]["sentAt"]


async def test_an_answer_without_status_is_accepted(bench):
    await bench.station()
    await bench.online()
    bench.gateway.answers["GetConfiguration"] = {
        "configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": "c0ffee"}]
    }
    result = await bench.post("/api/stations/CP1/calls/GetConfiguration", {})
    assert (result["outcome"], result["status"]) == ("accepted", None)
    assert "c0ffee" not in json.dumps(result)


async def test_a_call_error_is_an_outcome(bench):
    await bench.station()
    await bench.online()
    now = bench.clock.now()
    bench.gateway.answers["Reset"] = Answer(
        payload={},
        sent_at=now,
        answered_at=now,
        error_code="NotSupported",
        error_description="no",
    )
    result = await bench.post(RESET, {"type": "Soft"})
    assert result["outcome"] == "callError"
    assert (result["errorCode"], result["errorDescription"]) == ("NotSupported", "no")
    assert result["response"] is None


@pytest.mark.parametrize(
    ("code", "status"),
    [("call_timeout", 504), ("connection_lost", 504), ("invalid_response", 502)],
)
async def test_no_usable_answer(bench, code, status):
    await bench.station()
    await bench.online()
    bench.gateway.answers["Reset"] = CallFailed(code, "Something about it.")
    reply = await bench.ask("POST", RESET, {"type": "Hard"})
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    [call] = (await bench.get("/api/stations/CP1/calls"))["items"]
    assert call["outcome"] == code


async def test_offline_unknown_and_invalid(bench):
    await bench.station()
    offline = await bench.ask("POST", RESET, {"type": "Hard"})
    assert (offline.status, offline.json["code"]) == (409, "station_offline")
    await bench.online()
    no_action = await bench.ask("POST", "/api/stations/CP1/calls/BootNotification", {})
    assert no_action.status == 404
    no_station = await bench.ask("POST", "/api/stations/CP2/calls/Reset", {"type": "Hard"})
    assert no_station.status == 404
    invalid = await bench.ask("POST", RESET, {"type": "Warm", "odd": 1})
    assert (invalid.status, invalid.json["code"]) == (422, "invalid_payload")
    assert "type" in invalid.json["fields"]
    for raw, status in (("[]", 422), ("{", 400), ("", 415), ('{"type": NaN}', 400)):
        headers = {"Content-Type": "application/json"} if raw else {}
        reply = await bench.ask("POST", RESET, data=raw, headers=headers)
        assert reply.status == status, raw
    assert bench.gateway.sent == []


@pytest.mark.parametrize(
    ("fields", "action", "payload", "refused"),
    [
        ({"registration": "Rejected"}, "Reset", {"type": "Hard"}, True),
        ({"registration": "Pending"}, "RemoteStartTransaction", {"idTag": "A"}, True),
        ({"registration": "Pending"}, "RemoteStopTransaction", {"transactionId": 1}, True),
        ({"registration": "Pending"}, "Reset", {"type": "Hard"}, False),
        ({}, "ChangeConfiguration", {"key": "securityPROFILE", "value": "0"}, True),
        ({}, "ChangeConfiguration", {"key": "SecurityProfile", "value": "x"}, True),
        ({}, "ChangeConfiguration", {"key": "SecurityProfile", "value": "1"}, False),
        ({}, "ChangeConfiguration", {"key": "Nonsense", "value": "-1"}, False),
        ({}, "RemoteStopTransaction", {"transactionId": -7}, False),
    ],
)
async def test_refused_locally_exactly_then(bench, fields, action, payload, refused):
    await bench.station(**fields)
    await bench.online()
    reply = await bench.ask("POST", f"/api/stations/CP1/calls/{action}", payload)
    if refused:
        assert (reply.status, reply.json["code"]) == (403, "refused_locally")
        assert bench.gateway.sent == []
    else:
        assert reply.status == 200
        assert len(bench.gateway.sent) == 1


async def test_the_payload_goes_out_as_it_came(bench):
    await bench.station()
    await bench.online()
    raw = '{"vendorId": "v", "data": "x\\r\\n", "messageId": "m"}'
    await bench.ask(
        "POST",
        "/api/stations/CP1/calls/DataTransfer",
        data=raw,
        headers={"Content-Type": "application/json"},
    )
    pem = "-----BEGIN CERTIFICATE-----\r\nAA\r\n-----END CERTIFICATE-----\r\n"
    await bench.post(
        "/api/stations/CP1/calls/InstallCertificate",
        {"certificateType": "CentralSystemRootCertificate", "certificate": pem},
    )
    first, second = [payload for _, _, payload, _ in bench.gateway.sent]
    assert list(first.items()) == [("vendorId", "v"), ("data", "x\r\n"), ("messageId", "m")]
    assert second["certificate"] == pem.replace("\r\n", "\n")


async def test_odd_calls_are_sent_with_warnings(bench):
    await bench.station(connectors=1)
    await bench.online()
    result = await bench.post("/api/stations/CP1/calls/UnlockConnector", {"connectorId": 9})
    assert any("connector 9" in text for text in result["warnings"])
    result = await bench.post(
        "/api/stations/CP1/calls/RemoteStopTransaction", {"transactionId": 4711}
    )
    assert any("4711" in text for text in result["warnings"])
    calls = await bench.get("/api/stations/CP1/calls")
    assert [bool(call["warnings"]) for call in calls["items"]] == [True, True]


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**63 - 1, -(2**63)])
async def test_any_integer_may_be_a_transaction_id(bench, number):
    """N12, Q5: wrong ones are sent too, with a warning."""
    await bench.station()
    await bench.online()
    profile = {
        "chargingProfileId": 1,
        "transactionId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
        },
    }
    for action, payload in (
        ("RemoteStopTransaction", {"transactionId": number}),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}),
    ):
        result = await bench.post(f"/api/stations/CP1/calls/{action}", payload)
        assert any(str(number) in text for text in result["warnings"])
    assert len(bench.gateway.sent) == 2


async def test_the_call_is_committed_before_it_is_sent_and_masked(bench):
    await bench.station()
    await bench.online()
    seen = []

    async def look(payload):
        seen.append(await bench.sql.fetchrow("SELECT payload, outcome, ended_at FROM calls"))
        seen.append(await bench.sql.fetchval("SELECT count(*) FROM audit WHERE action = 'call'"))
        assert payload["value"] == "0123456789abcdef0123456789abcdef"
        return {"status": "Accepted"}

    bench.gateway.answers["ChangeConfiguration"] = look
    await bench.post(
        "/api/stations/CP1/calls/ChangeConfiguration",
        {"key": "AuthorizationKey", "value": "0123456789abcdef0123456789abcdef"},
    )
    row, audited = seen
    assert row["outcome"] is None
    assert row["ended_at"] is None
    assert "0123456789abcdef" not in row["payload"]
    assert audited == 1


async def test_a_complaint_that_repeats_a_secret_is_not_kept(bench):
    await bench.station()
    await bench.online()

    now = bench.clock.now()
    for key, value, kept in (("AuthorizationKey", "0123456789abcdef" * 2, "***"), ("A", "b", None)):
        said = f"too long: {value}"
        bench.gateway.answers["ChangeConfiguration"] = Answer(
            payload={},
            sent_at=now,
            answered_at=now,
            error_code="InternalError",
            error_description=said,
        )
        result = await bench.post(
            "/api/stations/CP1/calls/ChangeConfiguration", {"key": key, "value": value}
        )
        assert result["errorDescription"] == (kept or said)


async def test_an_idempotency_key_sends_once(bench):
    await bench.station()
    await bench.online()
    headers = {"Idempotency-Key": "button-1"}
    first = await bench.ask("POST", RESET, {"type": "Hard"}, headers=headers)
    again = await bench.ask("POST", RESET, {"type": "Hard"}, headers=headers)
    assert (again.status, again.json) == (first.status, first.json)
    assert len(bench.gateway.sent) == 1
    other = await bench.ask("POST", RESET, {"type": "Soft"}, headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(bench.gateway.sent) == 1


async def test_a_failed_call_is_not_repeated_by_its_key(bench):
    await bench.station()
    await bench.online()
    bench.gateway.answers["Reset"] = CallFailed("call_timeout", "No answer.")
    headers = {"Idempotency-Key": "button-1"}
    first = await bench.ask("POST", RESET, {"type": "Hard"}, headers=headers)
    again = await bench.ask("POST", RESET, {"type": "Hard"}, headers=headers)
    assert first.status == again.status == 504
    assert again.json == first.json
    assert again.headers["Content-Type"].startswith("application/problem+json")
    assert len(bench.gateway.sent) == 1


async def test_a_key_whose_first_request_is_at_work(bench):
    await bench.station()
    await bench.online()
    release = asyncio.Event()

    async def slow(payload):
        await release.wait()
        return {"status": "Accepted"}

    bench.gateway.answers["Reset"] = slow
    headers = {"Idempotency-Key": "k"}
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(bench.ask("POST", RESET, {"type": "Hard"}, headers=headers))
        await wait_until(lambda: bench.gateway.sent)
        second = await bench.ask("POST", RESET, {"type": "Hard"}, headers=headers)
        assert (second.status, second.json["code"]) == (409, "request_in_progress")
        release.set()
    assert first.result().status == 200


async def test_messages_show_payload_and_filters(bench):
    await bench.station()
    key = await bench.key()
    frames = [
        ("in", 2, "BootNotification", '[2,"1","BootNotification",{"chargePointModel":"M"}]'),
        ("out", 3, "BootNotification", '[3,"1",{"status":"Accepted"}]'),
        ("in", 4, "Reset", '[4,"2","NotSupported","no",{}]'),
        ("in", None, None, "[2,"),
    ]
    for direction, kind, action, raw in frames:
        await bench.sql.execute(
            "INSERT INTO ocpp_messages (at, charge_point_id, direction, type, action, message_id,"
            " raw, latency_ms) VALUES (now(), $1, $2, $3, $4, '1', $5, 1.5)",
            key,
            direction,
            kind,
            action,
            raw,
        )
    page = await bench.get("/api/stations/CP1/messages?limit=3")
    broken, error, result = page["items"]
    assert (broken["type"], broken["payload"], broken["raw"]) == (None, None, "[2,")
    assert (error["type"], error["payload"]["errorCode"]) == ("callError", "NotSupported")
    assert (result["type"], result["payload"]) == ("callResult", {"status": "Accepted"})
    assert result["latencyMs"] == 1.5
    rest = await bench.get(f"/api/stations/CP1/messages?limit=3&cursor={page['nextCursor']}")
    assert [item["payload"] for item in rest["items"]] == [{"chargePointModel": "M"}]
    outs = await bench.get("/api/stations/CP1/messages?direction=out&action=BootNotification")
    assert [item["raw"] for item in outs["items"]] == ['[3,"1",{"status":"Accepted"}]']
    none = await bench.get("/api/stations/CP1/messages?to=2020-01-01T00:00:00Z")
    assert none["items"] == []


@pytest.mark.parametrize(
    ("answer", "adopted", "pending"),
    [
        ({"status": "Accepted"}, True, False),
        ({"status": "Rejected"}, False, False),
        (CallFailed("call_timeout", "No answer."), False, True),
    ],
)
async def test_a_new_authorization_key_is_stored_before_it_is_sent(bench, answer, adopted, pending):
    await bench.station(password="the old password")
    await bench.online()
    columns = "SELECT password_digest, pending_password_digest FROM charge_points"
    before = await bench.sql.fetchrow(columns)
    seen = []

    async def look(payload):
        seen.append(await bench.sql.fetchrow(columns))
        return answer

    bench.gateway.answers["ChangeConfiguration"] = look
    await bench.ask(
        "POST",
        "/api/stations/CP1/calls/ChangeConfiguration",
        {"key": "AuthorizationKey", "value": "ab" * 20},
    )
    [during] = seen
    assert during["password_digest"] == before["password_digest"]
    assert during["pending_password_digest"] is not None
    after = await bench.sql.fetchrow(columns)
    new, old = during["pending_password_digest"], before["password_digest"]
    assert after["password_digest"] == (new if adopted else old)
    assert (after["pending_password_digest"] is not None) is pending


async def test_what_the_station_has_said_of_itself_is_minded(bench):
    await bench.station()
    key = await bench.online()
    await bench.sql.execute(
        "INSERT INTO configuration_keys (charge_point_id, key_folded, key, value, read_at)"
        " VALUES ($1, 'getconfigurationmaxkeys', 'GetConfigurationMaxKeys', '1', now())",
        key,
    )
    path = "/api/stations/CP1/calls"
    bench.gateway.answers["GetConfiguration"] = {}
    answer = await bench.post(f"{path}/GetConfiguration", {"key": ["A", "B"]})
    assert answer["warnings"] == [
        "The station takes 1 keys a call (GetConfigurationMaxKeys); these are 2."
    ]
    boot = {"requestedMessage": "BootNotification"}
    assert (await bench.post(f"{path}/TriggerMessage", boot))["warnings"] == []
    await bench.sql.execute("UPDATE charge_points SET booted_at = now()")
    (warning,) = (await bench.post(f"{path}/TriggerMessage", boot))["warnings"]
    assert "should boot before" in warning
    await bench.ask("PATCH", "/api/stations/CP1", {"registration": "Pending"})
    assert (await bench.post(f"{path}/TriggerMessage", boot))["warnings"] == []
