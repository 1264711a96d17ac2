"""Quirks of frames, handshakes, boots and clocks that take more than one look."""

import base64
import json

import pytest

from simulator.basic_auth import basic
from simulator.clock import iso
from simulator.events import Event
from simulator.oddities.catalogue import BY_NAME
from simulator.oddities.model import Door, Played
from simulator.reboots import lose_power
from simulator.vehicle import Vehicle


async def test_truncated_json(central, make):
    async with make(oddities=("truncated-json",)) as station:
        await station.until_registered()
        await central.send_raw("CP1", json.dumps([2, "g", "GetConfiguration", {}]))
        await central.until(lambda: bool(central.unreadable))
        assert central.unreadable == ['[3,"g",{"configurationKey":[]']


async def test_unasked_compression_ends_the_connection(central, make):
    async with make(oddities=("unasked-compression",)) as station:
        await central.until(lambda: central.closes != [])
        assert central.raw == []
        station.stop(patience_s=0)


async def test_chattering_data_transfer(central, make):
    oddity = {"name": "chattering-data-transfer", "everyS": 0.02}
    async with make(oddities=(oddity,)):
        assert (await central.until_calls("DataTransfer", 3))[0]["vendorId"] == "EN+"


async def test_silent_and_late_boot(central, make):
    late = {"name": "late-boot", "afterS": 10}
    async with make(oddities=(late,)) as station:
        await station.wait_for(lambda state: state.is_connected)
        assert central.calls == []
        await central.until_calls("BootNotification")
    async with make("CP2", oddities=("silent-boot",)) as station:
        await station.wait_for(lambda state: state.is_connected)
        assert len(central.of("BootNotification")) == 1
        await central.call("CP2", "TriggerMessage", requestedMessage="BootNotification")
        await central.until_calls("BootNotification", 2)


async def test_stuck_on_boot_trigger(central, make):
    async with make(oddities=("stuck-on-boot-trigger",)) as station:
        await station.until_registered()
        await central.until(lambda: len(central.statuses()) == 1)
        answer = await central.call("CP1", "TriggerMessage", requestedMessage="BootNotification")
        assert answer == {"status": "Accepted"}
        seen = len(central.raw)
        await central.send_raw("CP1", json.dumps([2, "x", "GetConfiguration", {}]))
        await station.clock.sleep(2)
        assert len(central.raw) == seen
        station.drop_connection()
        await station.wait_for(lambda state: state.is_registered and central.connections == 2)


async def test_reboots_on_configuration_and_boot_bursts(central, make):
    async with make(oddities=("reboots-on-configuration",)) as station:
        await station.until_registered()
        await central.call("CP1", "GetConfiguration")
        await central.until_calls("BootNotification", 2)
    burst = {"name": "boot-bursts", "everyS": 0.01, "count": 3}
    async with make("CP2", oddities=(burst,)) as station:
        await central.until_calls("BootNotification", 5)
        station.stop(patience_s=0)


async def test_clocks(central, make):
    async with make(oddities=("clock-1970",)) as station:
        assert station.clock.now().year == 1970
        await station.until_registered()
        assert station.clock.now().year > 2000
    async with make("CP2") as right:
        for name, seconds in (("clock-late", -240), ("local-time-as-utc", 7200)):
            right.temper.switch_on(name)
            before = right.temper.shift(right.clock.now()).total_seconds()
            assert before == seconds
            right.temper.switch_off(name)
        right.temper.switch_on({"name": "clock-skew", "seconds": 30, "late": 1})
        assert right.temper.shift(right.clock.now()).total_seconds() == pytest.approx(-30, abs=0.1)
        assert iso(right.clock.now()).endswith("Z")


def test_doors():
    """What a server of this library would never let in is looked at before it is sent."""

    class Station:
        identity = "CP1"

        class security:
            password = b"\x01\x02"

    def opened(name: str, url: str = "wss://h/ocpp/CP1") -> Door:
        door = Door(url=url, headers={}, tls=None)
        hook = BY_NAME[name].door
        assert hook is not None
        hook(Played(Station(), None, {}), door)
        return door

    assert opened("no-connection-header").headers == {"Connection": None}
    assert opened("no-upgrade-header").headers == {"Upgrade": None}
    assert opened("hex-password").headers["Authorization"] == basic("CP1", b"0102")
    assert opened("foreign-user").headers["Authorization"] == basic("ocpp", b"\x01\x02")
    assert opened("empty-password").headers["Authorization"] == basic("CP1", b"")
    binary = opened("binary-password").headers["Authorization"]
    assert b"\xf0" in base64.b64decode(binary.removeprefix("Basic "))
    assert opened("needs-own-ca").tls.get_ca_certs() == []
    assert opened("needs-own-ca", "ws://h/CP1").tls is None
    old = opened("tls-1.0").tls
    assert old.get_ciphers()
    assert old.maximum_version.name == "TLSv1"
    assert opened("deaf-to-pings").answers_pings is False


async def test_headers_are_really_taken_away(central, make):
    """This server lets neither in: without Upgrade it is no WebSocket at all."""
    for name, missing in (
        ("no-subprotocol", "Sec-WebSocket-Protocol"),
        ("no-upgrade-header", "Upgrade"),
        ("no-connection-header", "Connection"),
    ):
        refusals: list[Event] = []
        station = make(name, oddities=(name,))
        station._on_event = refusals.append
        async with station:
            await station.wait_for(
                lambda _, found=refusals: any(one.name == "not_connected" for one in found)
            )
            station.stop(patience_s=0)
        assert missing not in central.requests[-1].headers
        assert "Sec-WebSocket-Key" in central.requests[-1].headers


async def test_deaf_to_pings(central, make):
    async with make(oddities=("deaf-to-pings",)) as station:
        await station.until_registered()
        pong = await central._sockets["CP1"].ping()
        await station.clock.sleep(2)
        assert not pong.done()
        station.stop(patience_s=0)


@pytest.mark.parametrize(
    ("name", "tail"), [("text-error-details", ["", ""]), ("short-call-errors", None)]
)
async def test_call_errors_of_another_shape(central, make, name, tail):
    async with make(oddities=(name,)) as station:
        await station.until_registered()
        frame = await central.call_raw("CP1", "Reset", {"type": "Medium"})
        assert frame[0] == 4
        assert frame[3:] == tail if tail is not None else len(frame) == 4


async def test_available_just_before_unavailable(central, make):
    async with make(oddities=("available-before-unavailable",)) as station:
        await station.until_registered()
        await central.until(lambda: central.statuses() == ["Available"])
        await central.call("CP1", "ChangeAvailability", connectorId=1, type="Inoperative")
        told = ["Available", "Available", "Unavailable"]
        await central.until(lambda: central.statuses() == told)


async def test_a_register_that_is_lost_at_each_boot(central, make):
    async with make(oddities=("register-lost-at-boot",), meter_start_wh=5000) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].register_wh > 5000)
        await lose_power(station)
        await central.until_calls("BootNotification", 2)
        (stop,) = await central.until_calls("StopTransaction")
        assert stop["meterStop"] > 5000, "read off before"
        await station.wait_for(lambda state: state.connectors[1].register_wh == 0)


async def test_blocked_by_triggers(central, make):
    async with make(oddities=({"name": "blocked-by-triggers", "count": 2},)) as station:
        await station.until_registered()
        for _ in range(2):
            await central.call("CP1", "TriggerMessage", requestedMessage="Heartbeat")
        await central.until_calls("Heartbeat", 2)
        seen = len(central.raw)
        frame = [2, "x", "TriggerMessage", {"requestedMessage": "Heartbeat"}]
        await central.send_raw("CP1", json.dumps(frame))
        await station.clock.sleep(2)
        assert len(central.raw) == seen
        station.drop_connection()
        await station.wait_for(lambda state: state.is_registered and central.connections == 2)
        await central.call("CP1", "TriggerMessage", requestedMessage="Heartbeat")


@pytest.mark.parametrize("is_ignored", [True, False])
async def test_the_interval_of_the_boot(central, make, is_ignored):
    central.boot_interval = 77
    async with make(oddities=("ignores-boot-interval",) if is_ignored else ()) as station:
        await station.until_registered()
        interval = station.configuration.integer("HeartbeatInterval")
        assert interval == (300 if is_ignored else 77)


@pytest.mark.parametrize(
    ("told", "is_set"), [("2026-01-01T00:00:00Z", True), ("2026-01-01T00:00:00.000Z", False)]
)
async def test_a_clock_that_reads_plain_dates_only(central, make, told, is_set):
    answer = {"status": "Accepted", "currentTime": told, "interval": 300}
    central.once("BootNotification", answer)
    async with make(oddities=("plain-dates-only",), sets_clock=True) as station:
        await station.until_registered()
        assert (station.clock.now().isoformat()[:13] == told[:13]) is is_set
