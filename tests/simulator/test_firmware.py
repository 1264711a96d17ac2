"""Firmware with and without signatures, as real files (OCPP 1.6 5.19, whitepaper L01)."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulator.clock import iso
from simulator.firmware import is_signed_by
from simulator.vehicle import Vehicle
from tests.simulator.files import http_files
from tests.simulator.pki import SINCE, UNTIL, Pair, authority, name

PAST = "2026-01-01T00:00:00Z"
DATA = b"firmware of tomorrow" * 1000
MAKER = authority("Maker")
SIGNER = MAKER.issue("Signer")
WITH_MAKER = {"makers": (MAKER.pem,)}


def firmware(url: str, signer: Pair = SIGNER, **changes) -> dict:
    return {
        "location": f"{url}/v2.bin",
        "retrieveDateTime": PAST,
        "signingCertificate": signer.pem,
        "signature": signer.sign(DATA),
        **changes,
    }


def told(central) -> list[str]:
    return [one["status"] for one in central.of("SignedFirmwareStatusNotification")]


def events(central) -> list[str]:
    return [one["type"] for one in central.of("SecurityEventNotification")]


async def update(central, request_id: int = 7, **wanted) -> str:
    answer = await central.call(
        "CP1", "SignedUpdateFirmware", requestId=request_id, firmware=firmware(**wanted)
    )
    return answer["status"]


async def test_a_signed_update_from_download_to_installed(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        assert await update(central, url=url) == "Accepted"
        await central.until(lambda: told(central)[-1:] == ["Installed"])
        assert told(central) == [
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "Installing",
            "InstallRebooting",
            "Installed",
        ]
        ids = {one["requestId"] for one in central.of("SignedFirmwareStatusNotification")}
        assert ids == {7}
        assert "Unavailable" in central.statuses()
        assert central.of("BootNotification")[-1]["firmwareVersion"] == "v2.bin"
        await central.until(lambda: "FirmwareUpdated" in events(central))
        await central.until(lambda: central.statuses()[-1:] == ["Available"])


async def test_a_wrong_signature_installs_nothing(central, make):
    async with http_files({"/v2.bin": DATA + b"!"}) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        assert await update(central, url=url) == "Accepted"
        await central.until(lambda: "InvalidFirmwareSignature" in events(central))
        assert told(central) == ["Downloading", "Downloaded", "InvalidSignature"]
        assert len(central.of("BootNotification")) == 1
        assert station.firmware.version == "1.0.0"


@pytest.mark.parametrize(
    "signer",
    [
        authority("Stranger").issue("Signer"),
        MAKER.issue("Old", until=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
async def test_a_signer_without_a_maker_is_refused(central, make, signer):
    async with make(**WITH_MAKER) as station:
        await station.until_registered()
        status = await update(central, url="http://127.0.0.1:1", signer=signer)
        assert status == "InvalidCertificate"
        await central.until(lambda: "InvalidFirmwareSigningCertificate" in events(central))
        assert told(central) == []


@pytest.mark.slow
async def test_dates_are_kept_and_told(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        now = station.clock.now()
        retrieve, install = iso(now + timedelta(seconds=20)), iso(now + timedelta(seconds=30))
        await update(central, url=url, retrieveDateTime=retrieve, installDateTime=install)
        await central.until_calls("SignedFirmwareStatusNotification")
        answer = await central.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="FirmwareStatusNotification"
        )
        assert answer == {"status": "Accepted"}
        await central.until(lambda: told(central)[-1:] == ["Installed"])
        assert station.clock.now() >= now + timedelta(seconds=30)
        assert told(central) == [
            "DownloadScheduled",
            "DownloadScheduled",
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "InstallScheduled",
            "Installing",
            "InstallRebooting",
            "Installed",
        ]


async def test_a_newer_request_cancels_an_older_one_until_it_installs(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        later = iso(station.clock.now() + timedelta(hours=1))
        assert await update(central, 1, url=url, retrieveDateTime=later) == "Accepted"
        await central.until_calls("SignedFirmwareStatusNotification")
        assert await update(central, 2, url=url) == "AcceptedCanceled"
        await central.until(lambda: told(central)[-1:] == ["Installed"])
        ids = [one["requestId"] for one in central.of("SignedFirmwareStatusNotification")]
        assert ids == [1] + [2] * 6


async def test_an_update_that_installs_is_not_cancelled(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(step_s=4, **WITH_MAKER) as station:
        await station.until_registered()
        await update(central, 1, url=url)
        await central.until(lambda: told(central)[-1:] == ["Installing"])
        assert await update(central, 2, url=url) == "Rejected"
        await central.until(lambda: told(central)[-1:] == ["Installed"])


async def test_a_download_that_fails_is_tried_again_and_told(central, make):
    async with http_files({}) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        await update(central, url=url)
        await central.until(lambda: told(central)[-1:] == ["DownloadFailed"])
        assert told(central) == ["Downloading", "DownloadFailed"]


async def test_a_download_is_paused_between_its_tries(central, make):
    files: dict[str, bytes] = {}
    async with http_files(files) as url, make(**WITH_MAKER) as station:
        await station.until_registered()
        wanted = {"requestId": 7, "retries": 5, "retryInterval": 2, "firmware": firmware(url)}
        await central.call("CP1", "SignedUpdateFirmware", **wanted)
        await central.until(lambda: "DownloadPaused" in told(central))
        files["/v2.bin"] = DATA
        await central.until(lambda: told(central)[-1:] == ["Installed"])
        assert told(central)[:3] == ["Downloading", "DownloadPaused", "Downloading"]


async def test_a_revoked_signer(central, make):
    async with make(oddities=("revoked-signer",), **WITH_MAKER) as station:
        await station.until_registered()
        assert await update(central, url="http://127.0.0.1:1") == "RevokedCertificate"


async def test_an_update_waits_for_transactions_and_starts_none(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(connectors=2, **WITH_MAKER) as station:
        await station.until_registered()
        station.plug(1, Vehicle())
        await station.present_tag(1, "TAG")
        await station.wait_for(lambda state: state.connectors[1].status == "Charging")
        await update(central, url=url)
        await central.until(lambda: central.statuses(2)[-1:] == ["Unavailable"])
        answer = await central.call("CP1", "RemoteStartTransaction", idTag="T", connectorId=2)
        assert answer == {"status": "Rejected"}
        assert "Installing" not in told(central)
        station.unplug(1)
        await central.until(lambda: told(central)[-1:] == ["Installed"])
        await central.until(lambda: central.statuses(2)[-1:] == ["Available"])


async def test_an_installation_that_fails(central, make):
    async with http_files({"/v2.bin": DATA}) as url, make(oddities=("firmware-fails",)) as station:
        await station.until_registered()
        await central.call("CP1", "UpdateFirmware", location=f"{url}/v2.bin", retrieveDate=PAST)
        await central.until_calls("FirmwareStatusNotification", 4)
        statuses = [one["status"] for one in central.of("FirmwareStatusNotification")]
        assert statuses == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
        assert len(central.of("BootNotification")) == 1
        await central.until(lambda: central.statuses()[-1:] == ["Available"])


async def test_signed_firmware_only(central, make):
    async with make(signed_firmware_only=True) as station:
        await station.until_registered()
        wanted = {"location": "http://h/v", "retrieveDate": PAST}
        frame = await central.call_raw("CP1", "UpdateFirmware", wanted)
        assert (frame[0], frame[2]) == (4, "NotSupported")


async def test_triggers_tell_idle_of_either_kind(central, make):
    async with make() as station:
        await station.until_registered()
        for action in ("TriggerMessage", "ExtendedTriggerMessage"):
            await central.call("CP1", action, requestedMessage="FirmwareStatusNotification")
        assert await central.until_calls("FirmwareStatusNotification") == [{"status": "Idle"}]
        assert await central.until_calls("SignedFirmwareStatusNotification") == [{"status": "Idle"}]


@pytest.mark.parametrize(
    "how", [padding.PKCS1v15(), padding.PSS(padding.MGF1(hashes.SHA256()), 32)]
)
def test_signatures_of_rsa_keys(how):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = (
        x509.CertificateBuilder()
        .subject_name(name("Signer"))
        .issuer_name(name("Maker"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(SINCE)
        .not_valid_after(UNTIL)
        .sign(key, hashes.SHA256())
    )

    signature = base64.b64encode(key.sign(DATA, how, hashes.SHA256())).decode()
    assert is_signed_by(DATA, signature, signer)
    assert not is_signed_by(DATA + b"!", signature, signer)
    assert not is_signed_by(DATA, "no base64!", signer)
