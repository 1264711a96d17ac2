"""Every quirk by name: what it puts on the wire, or how the charge point behaves with it.

Most rows play one short session (boot, plug, tag, samples, stop) and look at what came; the others
ask the charge point something and look at the answer.
"""

from pathlib import Path

import pytest

from simulator.oddities.catalogue import ALL
from simulator.vehicle import Vehicle
from tests.simulator.quirks import (
    AT_REST,
    IN_A_SESSION,
    LIMITS,
    SPECS,
    charging,
    set_profile,
    values,
)


@pytest.mark.parametrize("name", IN_A_SESSION)
async def test_quirk_in_a_session(central, make, name):
    central.boot_interval = 1 if name == "null-payload" else 300
    async with make(
        oddities=(SPECS.get(name, name),),
        meter_interval_s=1,
        meter_start_wh=5000,
        serial_number="SERIAL",
        configuration={"StopTxnSampledData": "Energy.Active.Import.Register"},
        response_timeout_s=0.4 if name in ("leading-comma", "empty-transaction-id") else 20,
    ) as station:
        station.link._random.seed(1)
        await station.until_registered()
        station.plug(1, Vehicle(onboard_a=32))
        await station.present_tag(1, "TAG")
        await central.until(lambda: bool(values(central)) or bool(central.unreadable))
        await station.sessions[1].send_triggered_sample()
        station.sessions[1].end_transaction("Local", "TAG")
        check = IN_A_SESSION[name]
        if name == "leading-comma" or name == "empty-transaction-id":
            await central.until(lambda: check(central))
            station.stop(patience_s=0)
        else:
            await central.until_calls("StopTransaction")
            await central.until(lambda: check(central))
    central.faults.clear()  # breaking the schema is what many quirks do


@pytest.mark.parametrize("name", AT_REST)
async def test_quirk_in_an_answer(central, make, name):
    (action, payload), check = AT_REST[name]
    async with make(oddities=(name,)) as station:
        await station.until_registered()
        frame = await central.call_raw("CP1", action, payload)
        assert frame[0] == 3
        assert check(frame[2]), frame[2]
        station.temper.switch_off(name)
        if name != "slow-pings":
            frame = await central.call_raw("CP1", action, payload)
            assert not check(frame[2]), "the same without the quirk"
    central.faults.clear()


@pytest.mark.parametrize("name", LIMITS)
async def test_quirk_of_limits(central, make, name):
    limits, offer = LIMITS[name]
    async with make(oddities=(name,)) as station:
        await charging(station)
        for limit in limits:
            action, payload = set_profile(limit)
            answer = await central.call("CP1", action, **payload)
            assert answer == {"status": "Accepted"}
        assert station.state.connectors[1].offer == offer


PLAYED_ELSEWHERE = {
    "truncated-json", "unasked-compression", "silent-boot", "late-boot", "boot-bursts",
    "stuck-on-boot-trigger", "reboots-on-configuration", "no-connection-header", "no-subprotocol",
    "no-upgrade-header", "hex-password", "foreign-user", "empty-password", "binary-password",
    "needs-own-ca", "tls-1.0", "deaf-to-pings", "charges-after-refusal", "preparing-gives-up",
    "unplug-before-restart", "creeping-register", "clock-1970", "clock-late", "local-time-as-utc",
    "no-samples", "aligned-only", "chattering-data-transfer", "forgets-on-disconnect",
    "forgets-on-reboot", "zero-stops", "zero-outlives-session", "drops-while-suspended",
    "no-session-profile", "text-error-details", "short-call-errors", "available-before-unavailable",
    "register-lost-at-boot", "blocked-by-triggers", "ignores-boot-interval", "plain-dates-only",
    "suspends-first", "last-limit-stays-offline", "needs-remote-start", "absolute-needs-start",
}  # fmt: skip


def test_every_quirk_has_a_test_and_a_source():
    quirks = {one.name for one in ALL if not one.is_fault}
    assert quirks == PLAYED_ELSEWHERE | set(IN_A_SESSION) | set(AT_REST) | (
        set(LIMITS) - {"ignores-limits"}
    )
    assert len({one.name for one in ALL}) == len(ALL)
    book = Path("docs/simulator.md").read_text(encoding="utf-8")
    assert [one.name for one in ALL if f"| `{one.name}` | {one.does}" not in book] == []
    assert all(one.source and one.who for one in ALL if not one.is_fault)
