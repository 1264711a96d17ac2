"""Security profiles, their upgrade and fall-back, keys and certificates, over real TLS."""

import asyncio
import ssl

import pytest

from tests.simulator.central import Central
from tests.simulator.pki import authority, ends_in, server_context

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
ROOT = "CentralSystemRootCertificate"
KEY = bytes(range(0xF0, 0x100)) + b"\xff" * 4


async def change(central: Central, key: str, value: str) -> str:
    answer = await central.call("CP1", "ChangeConfiguration", key=key, value=value)
    return answer["status"]


async def install(central: Central, pem: str, kind: str = ROOT) -> str:
    answer = await central.call("CP1", "InstallCertificate", certificateType=kind, certificate=pem)
    return answer["status"]


def events(central: Central) -> list[str]:
    return [one["type"] for one in central.of("SecurityEventNotification")]


async def test_upgrade_from_nothing_to_mutual_tls(central, make, tmp_path):
    """Key, root, certificate, and each profile in turn; each is used from then on."""
    root = authority()
    context = server_context(tmp_path, root)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=root.pem)
    async with (
        Central(tls=context).listening() as secure,
        make(
            serial_number="SN-1", secure_url=secure.url, configuration={"CpoName": "Power Ltd"}
        ) as station,
    ):
        await station.until_registered()
        for profile in "123":
            assert await change(central, "SecurityProfile", profile) == "Rejected", "no key yet"
        assert await change(central, "AuthorizationKey", KEY.hex()) == "Accepted"
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert await change(central, "SecurityProfile", "2") == "Rejected", "no root yet"
        assert await change(central, "SecurityProfile", "1") == "Accepted"
        await central.until(lambda: central.connections == 3)
        await station.until_registered()
        assert central.requests[-1].headers["Authorization"].startswith("Basic ")
        assert await install(central, root.pem) == "Accepted"
        assert await change(central, "SecurityProfile", "3") == "Rejected", "no certificate yet"
        assert await change(central, "SecurityProfile", "2") == "Accepted"
        await secure.until(lambda: secure.connections == 1)
        await station.until_registered()
        assert secure.requests[-1].headers["Authorization"].startswith("Basic ")
        assert secure.certificate("CP1") is None
        assert await change(secure, "SecurityProfile", "1") == "Rejected"
        assert await change(secure, "SecurityProfile", "2") == "Accepted"
        assert secure.connections == 1, "nothing has changed"
        await secure.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate"
        )
        (asked,) = await secure.until_calls("SignCertificate")
        chain = {"certificateChain": root.signed(asked["csr"])}
        assert await secure.call("CP1", "CertificateSigned", **chain) == ACCEPTED
        assert secure.connections == 1, "a certificate is of no use on profile 2"
        assert await change(secure, "SecurityProfile", "3") == "Accepted"
        await secure.until(lambda: secure.connections == 2)
        await station.until_registered()
        shown = secure.certificate("CP1")
        assert shown is not None
        assert (("commonName", "SN-1"),) in shown["subject"]
        assert "Authorization" not in secure.requests[-1].headers
        assert events(central)[-1:] != ["InvalidChargePointCertificate"]
        assert "ReconfigurationOfSecurityParameters" in events(secure)


async def test_a_renewed_certificate_is_shown_at_once(make, tmp_path):
    """The same on profile 3: the charge point comes back with the new certificate (TC_074)."""
    root = authority()
    own = root.issue("CP1", until=ends_in(400)).files(tmp_path)
    (server := tmp_path / "server").mkdir()
    async with (
        Central(tls=server_context(server, root, root)).listening() as central,
        make(url=central.url, identity_files=own, central_roots=(root.pem,)) as station,
    ):
        await station.until_registered()
        first = central.certificate("CP1")
        await central.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate"
        )
        (asked,) = await central.until_calls("SignCertificate")
        stranger = {"certificateChain": authority().signed(asked["csr"])}
        assert await central.call("CP1", "CertificateSigned", **stranger) == REJECTED
        await central.until(lambda: "InvalidChargePointCertificate" in events(central))
        assert central.connections == 1, "the old one stays in use"
        chain = {"certificateChain": root.signed(asked["csr"])}
        assert await central.call("CP1", "CertificateSigned", **chain) == ACCEPTED
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        second = central.certificate("CP1")
        assert first is not None
        assert second is not None
        assert first["serialNumber"] != second["serialNumber"]


async def test_a_certificate_that_ends_is_renewed_by_itself(make, tmp_path):
    root = authority()
    own = root.issue("CP1", until=ends_in(10)).files(tmp_path)
    (server := tmp_path / "server").mkdir()
    async with (
        Central(tls=server_context(server, root, root)).listening() as central,
        make(url=central.url, identity_files=own, central_roots=(root.pem,)),
    ):
        (asked,) = await central.until_calls("SignCertificate")
        chain = {"certificateChain": root.signed(asked["csr"])}
        assert await central.call("CP1", "CertificateSigned", **chain) == ACCEPTED
        await central.until(lambda: central.connections == 2)
        await central.until_calls("StatusNotification", 2)
        assert len(central.of("SignCertificate")) == 1


async def test_a_profile_that_does_not_work_is_left_again(central, make):
    """The server of the new profile is of an authority that was never installed (A05.FR.08)."""
    root = authority()
    events_seen = []
    station = make(password="first password 12", central_roots=(root.pem,))
    station._on_event = lambda event: events_seen.append((event.name, dict(event.data)))
    async with station:
        await station.until_registered()
        assert await change(central, "SecurityProfile", "2") == "Accepted"
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert ("fell_back", {"profile": 1}) in events_seen
        assert station.configuration.text("SecurityProfile") == "1"
        refused = [data for name, data in events_seen if name == "not_connected"]
        assert len(refused) == station.settings.profile_attempts


async def test_a_server_under_an_unknown_authority_is_refused(make, tmp_path):
    async with Central(tls=server_context(tmp_path, authority())).listening() as central:
        station = make(
            url=central.url, password="first password 12", central_roots=(authority().pem,)
        )
        async with station:
            await station.wait_for(lambda _: len(station.security_log) > 1)
            kept = {one.type for one in station.security_log.kept}
            assert "InvalidCentralSystemCertificate" in kept
            assert "CentralSystemFailedToAuthenticate" in kept
            assert central.requests == []
            await station.clock.sleep(1)
            types = [one.type for one in station.security_log.kept]
            assert types.count("InvalidCentralSystemCertificate") == 1, "not at each try"
            station.stop(patience_s=0)


async def test_a_server_of_another_name_is_refused(make, tmp_path):
    root = authority()
    async with Central(tls=server_context(tmp_path, root)).listening() as central:
        url = central.url.replace("127.0.0.1", "127.0.0.2")
        async with make(url=url, central_roots=(root.pem,)) as station:
            await station.wait_for(lambda _: bool(station.security_log.kept))
            assert not station.state.is_connected
            station.stop(patience_s=0)
    assert central.requests == []


@pytest.mark.parametrize(
    ("alert", "event"), [(70, "InvalidTLSVersion"), (40, "InvalidTLSCipherSuite")]
)
async def test_a_server_that_knows_no_tls_of_ours_is_told(make, alert, event):
    """Played by its alert alone: protocol_version, handshake_failure (RFC 5246 7.2)."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes([21, 3, 3, 0, 2, 2, alert]))
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
    async with server, make(url=url, central_roots=(authority().pem,)) as station:
        await station.wait_for(lambda _: event in {one.type for one in station.security_log.kept})
        station.stop(patience_s=0)


async def test_the_old_root_serves_until_the_new_one_has_worked(make, tmp_path):
    """AdditionalRootCertificateCheck: the server still shows a certificate under the old root."""
    old = authority("Old")
    new = old.issue("New", ca=True)
    async with (
        Central(tls=server_context(tmp_path, old)).listening() as central,
        make(
            url=central.url,
            central_roots=(old.pem,),
            password="first password 12",
            configuration={"AdditionalRootCertificateCheck": "true"},
        ) as station,
    ):
        await station.until_registered()
        assert await install(central, authority("Stranger").pem) == "Rejected"
        await central.until(lambda: "InvalidCentralSystemCertificate" in events(central))
        assert await install(central, new.pem) == "Accepted"
        station.drop_connection()
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert len(station.security.roots.of(ROOT, fallback=True)) == 1
        # Now the server has moved too.
        context = central.tls
        assert context is not None
        (moved := tmp_path / "moved").mkdir()
        context.load_cert_chain(*new.issue("127.0.0.1").files(moved))
        station.drop_connection()
        await central.until(lambda: central.connections == 3)
        await station.until_registered()


async def test_roots_over_the_wire(central, make):
    root = authority()
    async with make(configuration={"CertificateStoreMaxLength": "1"}) as station:
        await station.until_registered()

        async def ids() -> dict:
            return await central.call("CP1", "GetInstalledCertificateIds", certificateType=ROOT)

        assert await ids() == {"status": "NotFound"}
        assert await install(central, root.pem) == "Accepted"
        assert await install(central, authority().pem) == "Rejected"
        answer = await ids()
        (data,) = answer["certificateHashData"]
        assert answer["status"] == "Accepted"
        nobody = {**data, "serialNumber": "1"}
        assert await central.call("CP1", "DeleteCertificate", certificateHashData=nobody) == {
            "status": "NotFound"
        }
        assert await central.call("CP1", "DeleteCertificate", certificateHashData=data) == ACCEPTED
        assert await ids() == {"status": "NotFound"}


async def test_the_last_root_in_use_is_not_deleted(make, tmp_path):
    root = authority()
    async with (
        Central(tls=server_context(tmp_path, root)).listening() as central,
        make(url=central.url, central_roots=(root.pem,), password="first password 12") as station,
    ):
        await station.until_registered()
        answer = await central.call("CP1", "GetInstalledCertificateIds", certificateType=ROOT)
        (data,) = answer["certificateHashData"]
        assert await central.call("CP1", "DeleteCertificate", certificateHashData=data) == {
            "status": "Failed"
        }


async def test_a_new_key_while_pending(central, make):
    """J 6.2.2: the key of the factory is replaced before the charge point is let in."""
    central.boot_status, central.password = "Pending", b"factory key 1234"
    async with make(password="factory key 1234") as station:
        await station.wait_for(lambda state: state.registration == "Pending")
        central.password = KEY
        assert await change(central, "AuthorizationKey", KEY.hex()) == "Accepted"
        central.boot_status = "Accepted"
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert {one.action for one in central.calls if one.connection == 1} == {"BootNotification"}


async def test_a_chain_longer_than_allowed_is_rejected(central, make):
    async with make(configuration={"CertificateSignedMaxChainSize": "100"}) as station:
        await station.until_registered()
        await central.call(
            "CP1", "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate"
        )
        (asked,) = await central.until_calls("SignCertificate")
        chain = {"certificateChain": authority().signed(asked["csr"])}
        assert await central.call("CP1", "CertificateSigned", **chain) == REJECTED


async def test_a_profile_can_wait_for_the_reboot(central, make):
    async with make(reboot_keys=("SecurityProfile",), password=None) as station:
        await station.until_registered()
        await change(central, "AuthorizationKey", KEY.hex())
        await central.until(lambda: central.connections == 2)
        await station.until_registered()
        assert await change(central, "SecurityProfile", "1") == "RebootRequired"
        assert station.security.profile == 0
        await central.call("CP1", "Reset", type="Hard")
        await central.until_calls("BootNotification", 2)
        assert station.security.profile == 1
