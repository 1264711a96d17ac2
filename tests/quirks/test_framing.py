"""Playbooks of quirks of frames: what each ends in, over a real socket and the operator's API."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.quirks.bench import START_AT, STOP_AT, plugged
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BOOT = '{"chargePointVendor":"v","chargePointModel":"m"}'


async def test_grizzl_e_a_truncated_call_is_answered_under_its_id(cp):
    assert (await cp.send('[2,"77","Heartbeat",{'))[:2] == [3, "77"]
    (logged,) = await cp.repairs("json_unclosed")
    assert logged["raw"] == '[2,"77","Heartbeat",{'
    assert (logged["messageId"], logged["payload"]) == ("77", {})


async def test_grizzl_e_a_truncated_answer_is_taken(csms, cp):
    async def operator():
        return await csms.ask("POST", f"/api/stations/{cp.identity}/calls/GetConfiguration", {})

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(operator())
        call = json.loads(await cp.socket.recv())
        await cp.socket.send(f'[3,"{call[1]}",{{"configurationKey":[]')
    assert asked.result()["outcome"] == "accepted"
    (logged,) = await cp.repairs("json_unclosed")
    assert logged["type"] == "callResult"
    assert await cp.alive()


@pytest.mark.parametrize(
    "answer",
    [
        lambda number: [3, number.upper(), {"status": "Accepted"}],
        lambda number: [3, number.replace("-", ""), {"status": "Accepted"}],
        lambda number: [3, number[:20], {"status": "Accepted"}],
        lambda number: [3, f" {{{number}}}", {"status": "Accepted"}],
        lambda number: [3, number, '{"status":"Accepted"}'],
        lambda number: [3, number, "Reset", {"status": "Accepted"}],
        lambda number: [3, number[:8], "Reset", {"status": "OK"}],
        lambda number: [3, number, {"result": "Success"}],
        lambda number: [3, number, {"status": True}],
    ],
)
async def test_answers_under_odd_ids_and_in_odd_shapes_are_those_to_our_call(csms, cp, answer):
    async with asyncio.TaskGroup() as group:
        path = f"/api/stations/{cp.identity}/calls/Reset"
        asked = group.create_task(csms.ask("POST", path, {"type": "Soft"}))
        call = json.loads(await cp.socket.recv())
        await cp.socket.send(json.dumps(answer(call[1])))
    assert asked.result()["status"] == "Accepted"
    (logged,) = await cp.repairs("any")
    assert (logged["type"], logged["action"]) == ("callResult", "Reset")


async def test_an_answer_to_another_call_is_none_to_ours(csms, cp):
    async with asyncio.TaskGroup() as group:
        path = f"/api/stations/{cp.identity}/calls/Reset"
        asked = group.create_task(csms.ask("POST", path, {"type": "Soft"}))
        call = json.loads(await cp.socket.recv())
        for number in (call[1][:7], call[1][1:], "x" * 36, ""):
            await cp.socket.send(json.dumps([3, number, {"status": "Rejected"}]))
        await cp.socket.send(json.dumps([3, call[1], {"status": "Accepted"}]))
    assert asked.result()["status"] == "Accepted"
    assert await cp.repairs("answer_id") == []


KEY = {"key": "HeartbeatInterval", "value": "60"}


@pytest.mark.parametrize(
    ("action", "payload", "reply", "status"),
    [
        ("ClearCache", {}, '{"status":"ACCEPTED"}', "Accepted"),
        ("UnlockConnector", {"connectorId": 1}, '{"status":"Accepted"}', "Unlocked"),
        ("UnlockConnector", {"connectorId": 1}, '{"status":"Rejected"}', "UnlockFailed"),
        ("ClearCache", {}, '{"Status":"rejected","reason":"x"}', "Rejected"),
        ("UnlockConnector", {"connectorId": 1}, '{"status":"unlock_failed"}', "UnlockFailed"),
        ("GetLocalListVersion", {}, '{"listVersion":"3"}', None),
        ("GetLocalListVersion", {}, '{"version":3}', None),
        ("ChangeConfiguration", KEY, '{"status":"Reboot"}', "RebootRequired"),
        ("ChangeConfiguration", KEY, '{"status":"ReadOnly"}', "Rejected"),
        ("ChangeConfiguration", KEY, '{"status":"NotImplemented"}', "NotSupported"),
        (
            "TriggerMessage",
            {"requestedMessage": "MeterValues"},
            '{"status":"NotSupported"}',
            "NotImplemented",
        ),
        (
            "GetInstalledCertificateIds",
            {"certificateType": "CentralSystemRootCertificate"},
            '{"status":"NotFound","certificateHashData":[]}',
            "NotFound",
        ),
        (
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 60},
            '{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"Amps",'
            '"chargingSchedulePeriod":{"startPeriod":0,"limit":"16"}}}',
            "Accepted",
        ),
        ("GetConfiguration", {}, "[]", None),
        ("GetConfiguration", {}, '{"configurationKey":[{"key":"A","value":5}]}', None),
        ("GetConfiguration", {}, '{"configurationKey":[{"name":"A","value":"5"}]}', None),
        (
            "GetConfiguration",
            {},
            '{"configurationKey":[{"key":"A","readOnly":"true","value":"x"},{"key":null}],}',
            None,
        ),
    ],
)
async def test_odd_answers_to_us_are_understood(csms, cp, action, payload, reply, status):
    async with asyncio.TaskGroup() as group:
        path = f"/api/stations/{cp.identity}/calls/{action}"
        asked = group.create_task(csms.ask("POST", path, payload))
        call = json.loads(await cp.socket.recv())
        await cp.socket.send(f'[3,"{call[1]}",{reply}]')
    assert asked.result()["status"] == status
    (logged,) = await cp.repairs("any")
    assert (logged["type"], logged["action"]) == ("callResult", action)


async def test_zj_beny_a_leading_comma_in_a_list_of_samples(cp):
    text = (
        f'{{"connectorId":1,"meterValue":[{{"timestamp":"{START_AT}","sampledValue":'
        '[,{"value":"7000","unit":"Wh"}]}]}'
    )
    assert await cp.told("MeterValues", text) == {}
    assert (await cp.values())[0]["energyKwh"] == 7
    (logged,) = await cp.repairs("json_comma")
    assert "[,{" in logged["raw"]
    assert logged["payload"]["meterValue"][0]["sampledValue"] == [{"value": "7000", "unit": "Wh"}]


async def test_aefa_a_transaction_id_without_a_value_stops_the_only_session(cp):
    number = await cp.start()
    text = f'{{"transactionId":,"meterStop":8000,"timestamp":"{STOP_AT}","idTag":"TAG"}}'
    assert "idTagInfo" in await cp.told("StopTransaction", text)
    session = await cp.session(number)
    assert (session["status"], session["meterStopWh"]) == ("completed", 8000)
    assert "idMissing" in session["flags"]
    (logged,) = await cp.repairs("json_missing_value")
    assert logged["payload"]["transactionId"] == -1


async def test_micro_ocpp_the_same_boot_id_again_and_again_is_answered_each_time(cp):
    for _ in range(4):
        answer = await cp.send(f'[2,"1000001","BootNotification",{BOOT}]')
        assert (answer[:2], answer[2]["status"]) == ([3, "1000001"], "Accepted")


async def test_grizzl_e_one_id_for_all_calls(cp):
    first = await cp.send(
        '[2,"SN1","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":0,'
        f'"timestamp":"{START_AT}"}}]'
    )
    number = first[2]["transactionId"]
    assert (await cp.send('[2,"SN1","Heartbeat",{}]'))[0] == 3
    stop = (
        f'[2,"SN1","StopTransaction",{{"transactionId":{number},"meterStop":5000,'
        f'"timestamp":"{STOP_AT}"}}]'
    )
    assert await cp.send(stop) == [3, "SN1", {}]
    assert await cp.send(stop) == [3, "SN1", {}]
    assert (await cp.session(number))["energyKwh"] == 5
    assert len(await cp.repairs("message_id_reused")) >= 2


async def test_null_payloads_and_empty_frames(cp):
    await cp.socket.send("")
    await cp.socket.send("  ")
    assert "currentTime" in await cp.told("Heartbeat", "null")


async def test_quotes_inside_a_list_of_measurands(csms, cp):
    text = '{"vendorId":"v","data":""Energy.Active.Import.Register,Power""}'
    assert (await cp.told("DataTransfer", text))["status"] == "UnknownVendorId"
    (logged,) = await cp.repairs("json_inner_quotes")
    assert logged["payload"]["data"] == '"Energy.Active.Import.Register,Power"'


@pytest.mark.parametrize(
    "raw",
    [
        '\ufeff[2,"9","Heartbeat",{}]',
        '[2,"9","Heartbeat",{}]\x00',
        "[2,'9','Heartbeat',{}]",
        '[2,"9","Heartbeat",{},]',
        '["2","9","Heartbeat",{}]',
        '[2,"9","Heartbeat",null]',
        '[2 , "9" , "Heartbeat" , { } ] \r\n',
        '[2,"9","Heartbeat",{"odd":NaN}]',
    ],
)
async def test_frames_that_are_nearly_right(cp, raw):
    assert (await cp.send(raw))[:2] == [3, "9"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ('[2,"9","Heartbeat"]', "FormationViolation"),  # R10
        ('[2,"9","Heartbeat",[]]', "FormationViolation"),
        ('[2,9,"Heartbeat",{}]', "FormationViolation"),  # R03
        ('[2,"9","heartbeat",{}]', "NotImplemented"),  # R07
        ('[2,"9","Heartbeat",:::', "FormationViolation"),
    ],
)
async def test_what_is_wrong_for_all_stations_is_answered_with_its_id_and_code(cp, raw, code):
    answer = await cp.send(raw)
    assert (answer[0], answer[1], answer[2]) == (4, "9", code)
    assert await cp.alive()


async def test_a_strict_station_gets_the_codes_and_the_raw_text_is_kept(csms, identity):
    await csms.add(identity, strict=True)
    async with plugged(csms, identity) as station:
        raw = '[2,"1","StopTransaction",{"transactionId":,"meterStop":1}]'
        assert (await station.send(raw))[2] == "FormationViolation"
        assert (await station.say("Authorize", {"idTag": 1}))[2] == "TypeConstraintViolation"
        assert (await station.say("Authorize", {}))[2] == "ProtocolError"
        assert (await station.say("Authorize", {"idTag": "A", "x": 1}))[2] == "FormationViolation"
        long = await station.say("Authorize", {"idTag": "A" * 21})
        assert long[2] == "PropertyConstraintViolation"
        assert await station.repairs("any") == []

        (item,) = await wait_until(station.quarantined)
        assert item["raw"] == raw


async def test_a_broken_stop_that_was_refused_is_stored_once_its_station_gets_repairs(
    csms, identity
):
    await csms.add(identity, strict=True)
    async with plugged(csms, identity) as station:
        number = await station.start()
        raw = f'{{"transactionId":{number},"meterStop":8000,"timestamp":"{STOP_AT}",}}'
        assert (await station.say("StopTransaction", raw))[2] == "FormationViolation"
        (item,) = await wait_until(station.quarantined)
        await csms.ask("PATCH", f"/api/stations/{identity}", {"strict": False})
        await csms.ask("POST", f"/api/quarantine/{item['id']}/retry")
        assert (await station.session(number))["meterStopWh"] == 8000


async def test_repairs_are_counted_in_the_metrics(csms, cp):
    await cp.send('[2,"1","Heartbeat",{"x":1,}]')
    url = f"http://127.0.0.1:{csms.running.http_port}/metrics"
    async with csms.client.get(url) as answer:
        text = await answer.text()
    assert 'csms_repairs_total{repair="json_comma"}' in text
    assert 'csms_repairs_total{repair="unknown_field"}' in text


async def test_repairs_are_found_in_the_log(cp):
    await cp.send('[2,"1","Heartbeat",{"x":1,}]')
    await cp.told("Authorize", {"idTag": 5})
    await cp.told("Heartbeat", {})
    assert [item["action"] for item in await cp.repairs("any")] == ["Authorize", "Heartbeat"]
    assert [item["action"] for item in await cp.repairs("json_comma")] == ["Heartbeat"]
    assert await cp.repairs("text_cut") == []
