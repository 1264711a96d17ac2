"""What outlives a power cut: a charge point that is gone without a word and comes back."""

import os
import sqlite3
from contextlib import asynccontextmanager, suppress

import pytest

from simulator.charge_point import ChargePointSimulator
from simulator.errors import StateError
from simulator.flash import FILE, Flash
from simulator.settings import StationSettings
from simulator.vehicle import Vehicle
from tests.simulator.fast_clock import FastClock
from tests.simulator.files import http_files
from tests.simulator.pki import authority
from tests.simulator.quirks import charging, set_profile

ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def flash(tmp_path):
    with Flash(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def lives(central, flash):
    """Builds one charge point again and again, each time with what the one before has kept."""

    def build(**settings) -> ChargePointSimulator:
        quick = {
            "identity": "CP1",
            "url": central.url,
            "connectors": 2,
            "meter_interval_s": 1,
            "reconnect_min_s": 0.02,
            "reconnect_max_s": 0.05,
            "reboot_s": 0.02,
            "sets_clock": False,
            "configuration": {"TransactionMessageRetryInterval": "0"},
        }
        return ChargePointSimulator(
            StationSettings(**quick | settings), clock=FastClock(), memory=flash.of("CP1")
        )

    return build


def told(central) -> list[str]:
    return [one["status"] for one in central.of("FirmwareStatusNotification")]


class PowerCut(BaseException):
    """Ends a charge point as the death of its process does: nothing of it runs any more."""


@asynccontextmanager
async def until_the_power_fails(station):
    with suppress(PowerCut):
        async with station:
            yield station
            # Whatever is still done on the way out reaches nobody and is not kept.
            station.go_offline()
            station._keeper._is_up = False
            raise PowerCut


async def test_a_transaction_ends_with_power_loss_at_the_register_that_was_told(central, lives):
    async with until_the_power_fails(lives()) as station:
        await charging(station)
        await central.until_calls("MeterValues", 3)
        told = max(int(one) for one in central.measured("Energy.Active.Import.Register"))
        since = len(central.calls)
    assert central.of("StopTransaction") == []
    async with lives() as station:
        (stop,) = await central.until_calls("StopTransaction")
        await station.wait_for(lambda _: station.statuses.is_idle)
        assert (stop["transactionId"], stop["reason"]) == (1001, "PowerLoss")
        assert stop["meterStop"] >= told > 0
        assert station.state.connectors[1].register_wh == stop["meterStop"]
        assert station.main_meter.register_wh >= stop["meterStop"], "the main meter goes on too"
        again = [one for one in central.calls[since:] if one.connection == 2]
        assert [one.action for one in again][:4] == ["BootNotification"] + 3 * [
            "StatusNotification"
        ]
        assert station.state.connectors[1].status == "Available", "the vehicle has gone meanwhile"
        await charging(station)
        second = central.of("StartTransaction")[1]
        assert second["meterStart"] == stop["meterStop"]


async def test_messages_of_an_offline_session_are_told_after_the_boot(central, lives):
    async with until_the_power_fails(
        lives(configuration={"AllowOfflineTxForUnknownId": "true"})
    ) as station:
        await station.until_registered()
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.plug(1, Vehicle())
        await station.present_tag(1, "OFFLINE")
        await station.wait_for(lambda state: state.waiting_messages >= 4)
    assert central.of("StartTransaction") == []
    async with lives() as station:
        (stop,) = await central.until_calls("StopTransaction")
        assert (stop["transactionId"], stop["reason"]) == (1001, "PowerLoss")
        order = [
            one.action
            for one in central.calls
            if one.action in ("StartTransaction", "MeterValues", "StopTransaction")
        ]
        assert order[0] == "StartTransaction"
        assert order[-1] == "StopTransaction"
        assert order.count("MeterValues") >= 3
        (record,) = station.ledger.records()
        assert record["meterStop"] == stop["meterStop"]
    async with lives() as station:
        await station.until_registered()
        assert len(station.ledger) == 1
        assert len(station.queue) == 0, "nothing is told twice"
    assert len(central.of("StopTransaction")) == 1


async def test_what_the_central_system_has_set_is_there_after_a_power_cut(central, lives):
    until = "2036-01-01T00:00:00Z"
    entry = {"idTag": "LISTED", "idTagInfo": ACCEPTED | {"parentIdTag": "GROUP"}}
    calls = [
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "77"}),
        (
            "SendLocalList",
            {"listVersion": 5, "updateType": "Full", "localAuthorizationList": [entry]},
        ),
        ("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}),
        ("ReserveNow", {"connectorId": 1, "expiryDate": until, "idTag": "R", "reservationId": 9}),
        set_profile(11),
    ]
    async with until_the_power_fails(lives()) as station:
        await station.until_registered()
        for action, payload in calls:
            assert (await central.call("CP1", action, **payload))["status"] == "Accepted"
    central.boot_interval = 77
    async with lives() as station:
        await station.until_registered()
        assert station.configuration.text("HeartbeatInterval") == "77"
        assert (await central.call("CP1", "GetLocalListVersion"))["listVersion"] == 5
        assert station.tags.parent("listed") == "GROUP"
        await central.until(lambda: central.statuses(2)[-1:] == ["Unavailable"])
        await central.until(lambda: central.statuses(1)[-1:] == ["Reserved"])
        (installed,) = station.profiles.installed
        assert installed.profile.periods[0].limit == 11


async def test_a_change_that_waits_for_the_reboot_acts_after_a_power_cut(central, lives):
    waits = {"reboot_keys": ("ConnectionTimeOut",)}
    change = {"key": "ConnectionTimeOut", "value": "17"}
    async with until_the_power_fails(lives(**waits)) as station:
        await station.until_registered()
        answer = await central.call("CP1", "ChangeConfiguration", **change)
        assert answer == {"status": "RebootRequired"}
        assert station.configuration.integer("ConnectionTimeOut") == 60
    async with lives(**waits) as station:
        await station.until_registered()
        assert station.configuration.integer("ConnectionTimeOut") == 17


async def test_a_new_password_counts_after_a_power_cut(central, lives):
    first, key = "first-password-16", "ab" * 16
    central.password = first.encode()
    async with until_the_power_fails(lives(password=first)) as station:
        await station.until_registered()
        wanted = {"key": "AuthorizationKey", "value": key}
        await central.call("CP1", "ChangeConfiguration", **wanted)
        central.password = bytes.fromhex(key)
        await central.until(lambda: central.connections == 2)
    async with lives(password=first) as station:
        await station.until_registered()
    assert central.connections == 3, "no attempt with the old one"


async def test_keys_certificates_roots_and_firmware_outlive_power_cuts(central, lives, tmp_path):
    root = authority()
    async with until_the_power_fails(lives()) as station:
        await station.until_registered()
        kind = {"certificateType": "CentralSystemRootCertificate", "certificate": root.pem}
        assert await central.call("CP1", "InstallCertificate", **kind) == ACCEPTED
        wanted = {"requestedMessage": "SignChargePointCertificate"}
        central.once("SignCertificate", ACCEPTED)
        assert await central.call("CP1", "ExtendedTriggerMessage", **wanted) == ACCEPTED
        (request,) = await central.until_calls("SignCertificate")
    chain = root.signed(request["csr"])
    async with until_the_power_fails(lives()) as station:
        await station.until_registered()
        answer = await central.call("CP1", "CertificateSigned", certificateChain=chain)
        assert answer == ACCEPTED, "the key that it was asked for has outlived the power cut"
        files = {"/v7.bin": b"new"}
        async with http_files(files) as url:
            at = {"retrieveDate": "2026-01-01T00:00:00Z"}
            await central.call("CP1", "UpdateFirmware", location=f"{url}/v7.bin", **at)
            await central.until(lambda: told(central)[-1:] == ["Installed"])
    async with lives() as station:
        await station.until_registered()
        assert central.of("BootNotification")[-1]["firmwareVersion"] == "v7.bin"
        assert station.security.own.identity.chain_pem.strip() == chain.strip()
        installed = {"certificateType": "CentralSystemRootCertificate"}
        answer = await central.call("CP1", "GetInstalledCertificateIds", **installed)
        assert len(answer["certificateHashData"]) == 1
        assert (
            await central.call(
                "CP1", "DeleteCertificate", certificateHashData=answer["certificateHashData"][0]
            )
        ) == ACCEPTED
    async with lives() as station:
        await station.until_registered()
        answer = await central.call("CP1", "GetInstalledCertificateIds", **installed)
        assert answer == {"status": "NotFound"}, "what was deleted does not come back"


async def test_an_update_that_the_power_has_interrupted_begins_anew(central, lives):
    at = {"retrieveDate": "2026-01-01T00:00:00Z"}
    async with http_files({"/v8.bin": b"new"}) as url:
        async with until_the_power_fails(lives(step_s=600)) as station:
            await station.until_registered()
            await central.call("CP1", "UpdateFirmware", location=f"{url}/v8.bin", **at)
            await central.until(lambda: told(central) == ["Downloading"])
            await station.clock.sleep(1)
            station.keep()
        async with lives(step_s=0.02) as station:
            await central.until(lambda: told(central)[-1:] == ["Installed"])
            statuses = ["Downloading", "Downloading", "Downloaded", "Installing", "Installed"]
            assert told(central) == statuses
            assert station.firmware.version == "v8.bin"


@pytest.mark.parametrize("number", [1, 2])
async def test_power_that_fails_while_it_is_installed_closes_no_connector(central, lives, number):
    at = {"retrieveDate": "2026-01-01T00:00:00Z"}
    async with http_files({"/v8.bin": b"new"}) as url:
        async with until_the_power_fails(lives(step_s=0.02, reboot_s=600)) as station:
            await station.until_registered()
            await central.call("CP1", "ChangeAvailability", connectorId=number, type="Inoperative")
            await central.call("CP1", "UpdateFirmware", location=f"{url}/v8.bin", **at)
            await station.wait_for(lambda _: station.firmware.version == "v8.bin")
            station.keep()
        async with lives() as station:
            await central.until(lambda: told(central)[-1:] == ["Installed"])
            assert told(central).count("Downloading") == 1
            assert central.of("BootNotification")[-1]["firmwareVersion"] == "v8.bin"
            await central.until(lambda: central.statuses(3 - number)[-1:] == ["Available"])
            assert central.statuses(number)[-1:] == ["Unavailable"]


async def test_security_events_that_nobody_has_heard_of_are_told_after_a_power_cut(central, lives):
    async with until_the_power_fails(lives()) as station:
        await station.until_registered()
        station.go_offline()
        await station.wait_for(lambda state: not state.is_connected)
        station.tamper()
        station.keep()
    assert central.of("SecurityEventNotification") == []
    async with lives():
        (event,) = await central.until_calls("SecurityEventNotification")
        assert event["type"] == "TamperDetectionActivated"


async def test_a_quirk_forgets_its_profiles_at_a_power_cut(central, lives):
    async with until_the_power_fails(lives(oddities=("forgets-on-reboot",))) as station:
        await station.until_registered()
        action, payload = set_profile(11)
        await central.call("CP1", action, **payload)
    async with lives(oddities=("forgets-on-reboot",)) as station:
        await station.until_registered()
        assert len(station.profiles) == 0


async def test_settings_that_nobody_has_changed_may_be_others_the_next_time(central, lives):
    async with lives(configuration={"BlinkRepeat": "5"}) as station:
        await station.until_registered()
    async with lives(configuration={"BlinkRepeat": "6"}) as station:
        assert station.configuration.text("BlinkRepeat") == "6"


async def test_fewer_connectors_than_before_end_what_ran_on_those_that_are_gone(central, lives):
    async with until_the_power_fails(lives()) as station:
        await station.until_registered()
        station.plug(2, Vehicle())
        await station.present_tag(2, "TAG")
        await central.until_calls("MeterValues", 2)
    for _ in range(2):
        async with lives(connectors=1) as station:
            await station.until_registered()
            await central.until_calls("StopTransaction")
    (stop,) = central.of("StopTransaction")
    assert stop["reason"] == "PowerLoss"


def test_a_folder_is_used_by_one_simulator_and_read_by_its_user_alone(tmp_path):
    with Flash(tmp_path / "state"):
        assert os.stat(tmp_path / "state" / FILE).st_mode & 0o077 == 0
        with pytest.raises(StateError, match="another simulator"):
            Flash(tmp_path / "state")
    with Flash(tmp_path / "state") as again:
        again.write("CP1", {"a": "1"})
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError, match="file"):
        Flash(tmp_path / "file")


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 50)
    with pytest.raises(StateError, match="not a database"):
        Flash(tmp_path)


def test_a_write_that_fails_leaves_all_as_it_was(tmp_path):
    with Flash(tmp_path) as flash:
        memory = flash.of("CP1")
        memory.write({"a": 1, "b": 2})
        with pytest.raises(StateError):
            flash.write("CP1", {"a": "3", "b": object()})  # type: ignore[dict-item]  # no text
        assert flash.of("CP1").read() == {"a": 1, "b": 2}
        memory.write({"a": None, "b": 2})
        assert memory.read() == {"b": 2}


async def test_what_cannot_be_read_ends_the_life_before_it_begins(central, lives, flash):
    flash.write("CP1", {"tags": '{"version": 1}'})
    with pytest.raises(ExceptionGroup) as raised:
        async with lives() as station:
            await station.until_registered()
    assert raised.group_contains(StateError, match="CP1")
    assert central.connections == 0
    assert sqlite3.sqlite_version_info >= (3, 24), "for ON CONFLICT"
