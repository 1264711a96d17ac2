"""Quirks of transactions, meter values and smart charging that take more than one look."""

from simulator.reboots import reboot
from simulator.vehicle import Vehicle
from tests.simulator.quirks import REJECTED, boots, charging, profile, set_profile, values


async def test_absolute_needs_a_start(central, make):
    wanted = profile()
    del wanted["chargingSchedule"]["startSchedule"]
    call = {"connectorId": 1, "csChargingProfiles": wanted}
    async with make(oddities=("absolute-needs-start",)) as station:
        await station.until_registered()
        assert await central.call("CP1", "SetChargingProfile", **call) == REJECTED
        station.temper.switch_off("absolute-needs-start")
        assert await central.call("CP1", "SetChargingProfile", **call) != REJECTED


async def test_profiles_are_forgotten_on_disconnect_and_on_reboot(central, make):
    for name, trouble in (
        ("forgets-on-disconnect", "drop_connection"),
        ("forgets-on-reboot", "reboot"),
    ):
        async with make(name, oddities=(name,)) as station:
            await charging(station)
            action, payload = set_profile(10)
            await central.call(name, action, **payload)
            assert station.state.connectors[1].offer == 10
            if trouble == "reboot":
                await reboot(station)
            else:
                station.drop_connection()
            await station.wait_for(lambda state: state.connectors[1].offer == 32)


async def test_no_profile_of_a_session_s_own(central, make):
    async with make(oddities=("no-session-profile",)) as station:
        await charging(station)
        wanted = set_profile(10, chargingProfilePurpose="TxProfile", transactionId=1001)
        assert await central.call("CP1", wanted[0], **wanted[1]) == REJECTED
        station.temper.switch_off("no-session-profile")
        assert await central.call("CP1", wanted[0], **wanted[1]) != REJECTED


async def test_zero_stops_the_transaction(central, make):
    async with make(oddities=("zero-stops",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await central.until_calls("StopTransaction")


async def test_zero_outlives_the_session_until_a_higher_limit(central, make):
    async with make(oddities=("zero-outlives-session",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await central.call("CP1", "ClearChargingProfile")
        assert station.state.connectors[1].offer == 0
        action, payload = set_profile(10)
        await central.call("CP1", action, **payload)
        assert station.state.connectors[1].offer == 10


async def test_tx_profile_is_dropped_while_suspended(central, make):
    async with make(oddities=("drops-while-suspended",)) as station:
        await charging(station)
        action, payload = set_profile(0)
        await central.call("CP1", action, **payload)
        await station.wait_for(lambda state: state.connectors[1].status == "SuspendedEVSE")
        action, payload = set_profile(
            16, chargingProfileId=2, chargingProfilePurpose="TxProfile", transactionId=1001
        )
        assert await central.call("CP1", action, **payload) == {"status": "Accepted"}
        assert len(station.profiles) == 1


async def test_suspends_first(central, make):
    async with make(oddities=({"name": "suspends-first", "forS": 10},)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await central.until(lambda: "SuspendedEVSE" in central.statuses())
        await central.until(lambda: "Charging" in central.statuses())


async def test_last_limit_stays_offline(central, make):
    async with make(oddities=("last-limit-stays-offline",)) as station:
        await charging(station)
        action, payload = set_profile(10)
        await central.call("CP1", action, **payload)
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.profiles.clear()
        station.refresh_all()
        assert station.state.connectors[1].offer == 10
        station.go_online()
        await station.wait_for(lambda state: state.is_connected)
        station.refresh_all()
        assert station.state.connectors[1].offer == 32


async def test_needs_remote_start(central, make):
    async with make(oddities=("needs-remote-start",)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        assert not await station.present_tag(1, "TAG")
        await central.call("CP1", "RemoteStartTransaction", idTag="TAG")
        await central.until_calls("StartTransaction")


async def test_charges_after_refusal(central, make):
    central.once("StartTransaction", {"transactionId": 0, "idTagInfo": {"status": "ConcurrentTx"}})
    async with make(oddities=("charges-after-refusal",)) as station:
        await charging(station)
        assert central.of("StopTransaction") == []


async def test_preparing_gives_up(central, make):
    oddity = {"name": "preparing-gives-up", "afterS": 0.05}
    async with make(oddities=(oddity,)) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await central.until(lambda: central.statuses()[-1:] == ["Finishing"])


async def test_unplug_before_restart(central, make):
    async with make(oddities=("unplug-before-restart",)) as station:
        await charging(station)
        station.sessions[1].end_transaction("Local")
        assert await central.call("CP1", "RemoteStartTransaction", idTag="TAG") == REJECTED
        station.unplug(1)
        answer = await central.call("CP1", "RemoteStartTransaction", idTag="TAG")
        assert answer == {"status": "Accepted"}


async def test_creeping_register(central, make):
    async with make(oddities=({"name": "creeping-register", "wh": 7},)) as station:
        await charging(station)
        station.sessions[1].end_transaction("Local")
        station.unplug(1)
        await charging(station)
        station.sessions[1].end_transaction("Local")
        first, second = await central.until_calls("StopTransaction", 2)
        again = central.of("StartTransaction")[1]
        assert again["meterStart"] == first["meterStop"] + 7
        assert second["meterStop"] < again["meterStart"]


async def test_no_samples_and_aligned_only(central, make):
    for name in ("no-samples", "aligned-only"):
        async with make(
            name,
            oddities=(name,),
            meter_interval_s=1,
            configuration={"ClockAlignedDataInterval": "1"},
        ) as station:
            await charging(station)
            moment = station.clock.monotonic()
            await station.wait_for(
                lambda _, since=moment, of=station: of.clock.monotonic() > since + 1.3
            )
    contexts = {one["context"] for one in values(central)}
    assert contexts == {"Sample.Clock"}
    assert boots(central)["meterType"] == "Internal NON compliant"
