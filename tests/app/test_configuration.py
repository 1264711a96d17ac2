"""Configuration over the whole system: kept, desired, reconciled (OCPP 1.6 5.3, 5.8; N03, N08)."""

from __future__ import annotations

import pytest

from tests.app.bench import system
from tests.app.station import call, plugged
from tests.waiting import wait_until

READ = {
    "configurationKey": [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "AuthorizationKey", "readonly": False, "value": "c0ffee"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
    ],
    "unknownKey": ["Nonsense"],
}
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        await s.add("A")
        yield s


async def keys(s):
    items = (await s.ask("GET", "/api/stations/A/configuration"))["items"]
    return {item["key"]: item for item in items}


async def desire(s, key, value):
    return await s.ask("PUT", f"/api/stations/A/configuration/{key}", {"desired": value})


def changes(station):
    return [payload for action, payload in station.got if action == "ChangeConfiguration"]


async def until(s, key, drift):
    async def so():
        found = (await keys(s)).get(key)
        return found if found and found["drift"] == drift else None

    return await wait_until(so)


async def test_answers_are_kept_and_secrets_are_not(s):
    async with plugged(s) as station:
        station.replies["GetConfiguration"] = READ
        await call(s, "GetConfiguration", {})
        found = await keys(s)
        assert set(found) == {"HeartbeatInterval", "AuthorizationKey", "NumberOfConnectors"}
        interval = found["HeartbeatInterval"]
        assert (interval["value"], interval["readonly"], interval["desired"]) == (
            "300",
            False,
            None,
        )
        assert interval["readAt"]
        assert found["AuthorizationKey"]["value"] is None
        assert found["NumberOfConnectors"]["readonly"] is True
        stored = await s.sql.fetch("SELECT value FROM configuration_keys")
        assert "c0ffee" not in {row["value"] for row in stored}

        station.replies["ChangeConfiguration"] = {"status": "Rejected"}
        await call(s, "ChangeConfiguration", {"key": "heartbeatinterval", "value": "-1"})
        assert (await keys(s))["HeartbeatInterval"]["value"] == "300"
        station.replies["ChangeConfiguration"] = {"status": "Accepted"}
        await call(s, "ChangeConfiguration", {"key": "heartbeatinterval", "value": "60"})
        assert (await keys(s))["HeartbeatInterval"]["value"] == "60"

        url = {"key": "OcppUrl", "readonly": False, "value": "wss://me:c0ffee@host/o"}
        station.replies["GetConfiguration"] = {"configurationKey": [url]}
        await call(s, "GetConfiguration", {"key": ["OcppUrl"]})
        assert (await keys(s))["OcppUrl"]["value"] == "wss://***@host/o"

        station.replies["GetConfiguration"] = {"unknownKey": ["HeartbeatInterval"]}
        await call(s, "GetConfiguration", {"key": ["HeartbeatInterval"]})
        assert "HeartbeatInterval" not in await keys(s)


async def test_a_quiet_station_is_told_nothing_and_others_after_they_connect(s):
    put = await desire(s, "MeterValueSampleInterval", "30")
    assert (put["desired"], put["value"], put["drift"]) == ("30", None, "pending")
    async with plugged(s) as station:
        station.replies["GetConfiguration"] = {}
        await call(s, "GetConfiguration", {})
        assert changes(station) == []
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        await until(s, "MeterValueSampleInterval", "inSync")
        assert changes(station) == [{"key": "MeterValueSampleInterval", "value": "30"}]


async def test_drift_is_shown_and_put_right(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        await desire(s, "HeartbeatInterval", "900")
        await until(s, "HeartbeatInterval", "inSync")
        await s.sql.execute("UPDATE configuration_keys SET tried_at = NULL")
        station.replies["GetConfiguration"] = READ
        await call(s, "GetConfiguration", {})
        drifted = (await keys(s))["HeartbeatInterval"]
        assert (drifted["value"], drifted["drift"]) == ("300", "pending")
        await desire(s, "Another", "1")  # wakes the loop
        await until(s, "HeartbeatInterval", "inSync")
        sent = [change for change in changes(station) if change["key"] == "HeartbeatInterval"]
        assert sent == [{"key": "HeartbeatInterval", "value": "900"}] * 2
        cleared = await desire(s, "HeartbeatInterval", None)
        assert (cleared["desired"], cleared["drift"]) == (None, None)


async def test_a_refused_value_is_not_told_again_until_it_changes(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        station.replies["ChangeConfiguration"] = {"status": "NotSupported"}
        await desire(s, "Odd", "1")
        refused = await until(s, "Odd", "refused")
        assert refused["refusedStatus"] == "NotSupported"
        await s.sql.execute("UPDATE configuration_keys SET tried_at = NULL")
        station.replies["ChangeConfiguration"] = {"status": "Accepted"}
        await desire(s, "Other", "1")
        await until(s, "Other", "inSync")
        assert [change["key"] for change in changes(station)] == ["Odd", "Other"]
        await desire(s, "Odd", "2")
        await until(s, "Odd", "inSync")


MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "SoC", "Voltage")


def refusing(station, *refused, most=22):
    """Let a station refuse lists with these measurands, and longer ones than it takes."""

    def choose(action, payload):
        if action != "ChangeConfiguration":
            return {}
        names = [name.strip() for name in payload["value"].split(",")]
        bad = len(names) > most or not set(names).isdisjoint(refused)
        return {"status": "Rejected" if bad else "Accepted"}

    station.choose = choose


async def test_of_a_refused_list_of_measurands_the_station_gets_what_it_takes(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        refusing(station, "SoC")
        await desire(s, "MeterValuesSampledData", ", ".join(MEASURANDS))
        taken = ",".join(name for name in MEASURANDS if name != "SoC")

        async def told():
            found = (await keys(s)).get("MeterValuesSampledData")
            return found if found and found["value"] == taken else None

        found = await wait_until(told)
        assert (found["drift"], found["refusedStatus"]) == ("refused", "Rejected")
        values = [change["value"] for change in changes(station)]
        assert values == [", ".join(MEASURANDS), *MEASURANDS, taken]


async def test_measurands_that_are_too_many_together_are_cut_at_the_end(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        refusing(station, most=2)
        await desire(s, "StopTxnSampledData", ",".join(MEASURANDS))

        async def told():
            return (await keys(s))["StopTxnSampledData"]["value"] == ",".join(MEASURANDS[:2])

        await wait_until(told)


async def test_other_lists_and_single_measurands_are_not_told_piecewise(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        station.replies["ChangeConfiguration"] = {"status": "Rejected"}
        await desire(s, "ConnectorPhaseRotation", "1.RST,2.RST")
        await until(s, "ConnectorPhaseRotation", "refused")
        await desire(s, "MeterValuesSampledData", "SoC")
        await until(s, "MeterValuesSampledData", "refused")
        assert len(changes(station)) == 2


async def test_what_needs_a_reboot_is_read_back_after_it(s):
    await s.ask("PATCH", "/api/stations/A", {"quiet": False})
    async with plugged(s) as station:
        station.replies["ChangeConfiguration"] = {"status": "RebootRequired"}
        station.replies["GetConfiguration"] = {
            "configurationKey": [{"key": "Odd", "readonly": False, "value": "1"}]
        }
        await desire(s, "Odd", "1")
        await until(s, "Odd", "rebootRequired")
        await s.sql.execute("UPDATE configuration_keys SET tried_at = NULL")
        await station.say("BootNotification", BOOT)
        await until(s, "Odd", "inSync")
        assert [action for action, _ in station.got] == ["ChangeConfiguration", "GetConfiguration"]


@pytest.mark.parametrize("key", ["AuthorizationKey", "SecurityProfile", "SomePassword"])
async def test_keys_with_a_procedure_of_their_own_are_refused(s, key):
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/configuration/{key}"
    async with s.client.put(url, json={"desired": "1"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, "own_procedure")


async def test_a_url_with_a_password_is_not_kept_as_desired(s):
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/configuration/OcppUrl"
    for desired, status in (("wss://me:secret@host/o", 422), ("wss://host/o", 200)):
        async with s.client.put(url, json={"desired": desired}) as answer:
            assert answer.status == status


async def test_a_station_that_invents_keys_does_not_fill_the_table(s):
    async with plugged(s) as station:
        await desire(s, "Mine", "1")
        for turn in range(2):
            station.replies["GetConfiguration"] = {
                "configurationKey": [{"key": f"k{turn}-{i}", "readonly": False} for i in range(600)]
            }
            await call(s, "GetConfiguration", {})
        found = await keys(s)
        assert len(found) == 501
        assert "Mine" in found
        assert "k1-0" in found
