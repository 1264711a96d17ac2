"""Replaying a bundle against a central system on a real socket."""

import asyncio
import json
import socket
from datetime import datetime

import pytest

from simulator.answers import compare
from simulator.bundle import parse_bundle
from simulator.clock import RealClock
from simulator.replay import Replay, ReplayPlan
from tests.simulator.bundles import ACCEPTED, BOOT, BOOTED, Recording, start, stop
from tests.simulator.central import NOW, CallError, Central, DropSocket, FollowedBy, Silence

HEARTBEAT = ({}, {"currentTime": "2020-01-01T00:00:00Z"})


def replay(recording: Recording, central: Central, **plan) -> Replay:
    plan = {"speed": 0.0, "timeout_s": 1.0, "linger_s": 0.0, **plan}
    bundle = parse_bundle(recording.lines())
    return Replay(bundle, ReplayPlan(url=central.url, **plan), RealClock())


def differing(report) -> list[tuple]:
    return [(one.line, one.place, one.why, one.recorded, one.got) for one in report.differences]


async def test_a_session_is_played_with_the_ids_of_the_other_central_system(central):
    recording = (
        Recording()
        .asks("1", "BootNotification", BOOT, BOOTED)
        .asks("2", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
        .asks("3", "MeterValues", {"connectorId": 1, "transactionId": 5, "meterValue": []}, {})
        .asks("4", "StartTransaction", start(7), {"transactionId": 6, **ACCEPTED})
        .asks("5", "StopTransaction", stop(5, 900), {})
        .asks("6", "StopTransaction", stop(6, 900), {})
    )
    report = await replay(recording, central, identity="OTHER").run()
    assert report.differences == []
    assert (report.sent, report.answered, report.connections) == (6, 6, 1)
    assert report.transactions == {5: 1001, 6: 1002}
    assert [one["transactionId"] for one in central.of("StopTransaction")] == [1001, 1002]
    assert [one["transactionId"] for one in central.of("MeterValues")] == [1001]
    assert [one.message_id for one in central.calls] == ["1", "2", "3", "4", "5", "6"]
    assert central.requests[0].path.endswith("/OTHER")
    central.faults.clear()  # the empty meterValue above


async def test_differences_are_named_with_line_and_place(central):
    central.boot_interval = 60
    central.once("Authorize", {"idTagInfo": {"status": "Blocked"}}, CallError("FormationViolation"))
    central.once("Heartbeat", Silence())
    recording = (
        Recording()
        .asks("1", "BootNotification", BOOT, BOOTED)
        .asks("2", "Authorize", {"idTag": "T"}, ACCEPTED)
        .asks("3", "Authorize", {"idTag": "T"}, ACCEPTED)
        .asks("4", "Heartbeat", *HEARTBEAT)
        .frame("in", [2, "5", "Heartbeat", {}])
    )
    report = await replay(recording, central, timeout_s=0.2).run()
    assert differing(report) == [
        (2, "BootNotification.interval", "field", 300, 60),
        (4, "Authorize.idTagInfo.status", "field", "Accepted", "Blocked"),
        (6, "Authorize", "kind", [3, ACCEPTED], [4, "FormationViolation", "scripted", {}]),
        (8, "Heartbeat", "missing", [3, "4", HEARTBEAT[1]], None),
        (10, "Heartbeat", "unrecorded", None, [3, "5", {"currentTime": NOW}]),
    ]
    assert "BootNotification.interval (field, 1 times, line 2): 300 -> 60" in str(report)
    again = replay(recording, central, ignored={"BootNotification.interval"})
    assert all(one.line != 2 for one in (await again.run()).differences)


async def test_calls_of_the_central_system_are_answered_as_recorded(central):
    limit = {"connectorId": 1, "csChargingProfiles": {"transactionId": 5}}
    recording = (
        Recording()
        .asks("1", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
        .asked("s", "SetChargingProfile", limit, {"status": "Rejected"})
        .asked("t", "Reset", {"type": "Soft"}, {"status": "Accepted"})
        .asks("2", "Heartbeat", *HEARTBEAT)
    )
    mapped = {"connectorId": 1, "csChargingProfiles": {"transactionId": 1001}}
    heartbeat = FollowedBy(HEARTBEAT[1], "SetChargingProfile", mapped)
    central.once("Heartbeat", heartbeat)
    playing = replay(recording, central, linger_s=10.0)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(playing.run())
        assert (await central.follower)[2] == {"status": "Rejected"}
        unknown = await central.call_raw("CP1", "ClearCache", {})
        assert unknown[:3] == [4, unknown[1], "NotImplemented"]
        playing.stop()
    report = running.result()
    assert report.called == {"SetChargingProfile": 1, "ClearCache": 1}
    assert (report.unexpected, report.never_called) == ({"ClearCache": 1}, {"Reset": 1})


async def test_timing_is_kept_and_made_faster(central):
    recording = Recording(every_s=0.5)
    for number in range(3):
        recording.asks(str(number), "Heartbeat", *HEARTBEAT)
    slow = await replay(recording, central, speed=4.0).run()
    quick = await replay(recording, central, speed=0.0).run()
    assert slow.seconds - quick.seconds == pytest.approx(2 / 4, abs=0.2)


async def test_lost_connections_do_not_lose_calls(central):
    central.once("StartTransaction", DropSocket())
    recording = (
        Recording()
        .asks("1", "BootNotification", BOOT, BOOTED)
        .asks("2", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
        .asks("3", "BootNotification", BOOT, BOOTED)
        .frame("in", "[2,")
        .asks("4", "Heartbeat", *HEARTBEAT)
    )
    report = await replay(recording, central).run()
    assert report.differences == []
    assert len(central.of("StartTransaction")) == 2
    assert report.connections == central.connections == 3
    assert central.unreadable == ["[2,"]
    central.connections = 0
    await replay(recording, central, boots_anew=False).run()
    assert central.connections == 1


async def test_times_move_to_now(central):
    recording = Recording().asks("1", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
    await replay(recording, central, shifts_times=True).run()
    (moved,) = central.of("StartTransaction")
    lag = RealClock().now() - datetime.fromisoformat(moved["timestamp"])
    assert 0 <= lag.total_seconds() < 600


async def test_frames_go_out_byte_for_byte(central):
    raw = '[2, "1","Heartbeat" , { } ]'
    recording = Recording().frame("in", [2, "1", "Heartbeat", {}])
    lines = recording.lines()
    item = json.loads(lines[1]) | {"raw": raw}
    bundle = parse_bundle([lines[0], json.dumps(item) + "\n", lines[2]])
    await Replay(bundle, ReplayPlan(url=central.url, speed=0, linger_s=0), RealClock()).run()
    assert central.raw == [raw]


async def test_ids_are_mapped_in_frames_that_are_no_json_too(central):
    odd = '[2,"2","MeterValues",{"connectorId":1,"transactionId" : 5,"meterValue":[,]}]'
    recording = Recording().asks("1", "StartTransaction", start(), {"transactionId": 5, **ACCEPTED})
    recording.frame("in", [2, "2", "MeterValues", {}])
    lines = recording.lines()
    lines[3] = json.dumps(json.loads(lines[3]) | {"raw": odd}) + "\n"
    plan = ReplayPlan(url=central.url, speed=0, linger_s=0, timeout_s=0.1)
    await Replay(parse_bundle(lines), plan, RealClock()).run()
    assert central.unreadable == [odd.replace(" 5", " 1001")]


async def test_nobody_there():
    bundle = parse_bundle(Recording().asks("1", "Heartbeat", *HEARTBEAT).lines())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{unused.getsockname()[1]}/ocpp"
        report = await Replay(bundle, ReplayPlan(url=url, speed=0), QuickClock()).run()
    assert report.broken_off.startswith("cannot connect")
    assert report.answered == 0


class QuickClock(RealClock):
    """Does not wait between attempts."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


@pytest.mark.parametrize(
    ("recorded", "got", "places"),
    [
        ([3, "1", {"a": [1, {"b": 2}]}], [3, "2", {"a": [1, {"b": 2}]}], []),
        ([3, "1", {"a": [1, {"b": 2}]}], [3, "2", {"a": [1, {"b": 3}]}], ["X.a.b"]),
        ([3, "1", {"a": [1]}], [3, "2", {"a": [1, 2]}], ["X.a"]),
        ([3, "1", {"a": 1}], [3, "2", {"b": 1}], ["X.a", "X.b"]),
        ([3, "1", {}], [3, "2"], ["X"]),
        ([4, "1", "InternalError", "so", {}], [4, "2", "InternalError", "thus", {}], []),
        ([4, "1", "InternalError"], [4, "2", "GenericError"], ["X.errorCode"]),
    ],
)
def test_answers_compared(recorded, got, places):
    assert [one.place for one in compare(1, "X", recorded, got)] == places
