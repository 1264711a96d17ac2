"""wss over real sockets: key types, suites, versions, reloads, client certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from websockets.exceptions import InvalidMessage, InvalidStatus

from csms.clock import SystemClock
from csms.ocppj.schemas import Schemas
from csms.ocppj.server import OcppServer
from csms.pki.contexts import TlsContexts
from tests.fakes import FakeClock
from tests.ocppj.playbook import Closed, plug_in
from tests.ocppj.standins import StandInConnections, StandInIntake, record
from tests.ocppj.test_handshake import basic
from tests.pki.authority import Authority, crl_of, ec_key, key_pem, named, pem, rsa_key
from tests.waiting import wait_until

PASSWORD = b"a long enough password"

# of TC_086, by the name of OpenSSL -> kind of the certificate that it needs
SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "server-ec",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "server-ec",
    "AES128-GCM-SHA256": "server-rsa",
    "AES256-GCM-SHA384": "server-rsa",
}


@pytest.fixture(scope="module")
def root():
    return Authority()


@pytest.fixture
def folder(tmp_path, root):
    root.write_pair(tmp_path, "server-rsa")
    root.write_pair(tmp_path, "server-ec")
    (tmp_path / "client-ca.pem").write_bytes(root.pem)
    return tmp_path


@pytest.fixture
def connections():
    made = StandInConnections(
        record(1, "CP1", security_profile=2),
        record(2, "CP2", security_profile=3),
        record(3, "CP3", security_profile=3, serial_number="SN 3"),
        record(4, "CP4", security_profile=0),
    )
    made.passwords = {"CP1": PASSWORD}
    return made


@pytest.fixture
def tls(folder):
    return TlsContexts(folder, SystemClock())


@pytest.fixture
async def server(tls, connections):
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=StandInIntake(),
        schemas=Schemas(),
        clock=SystemClock(),
        tls=tls.stations,
        verifier=tls,
    )
    await server.start()
    yield server
    await server.stop()


class Client:
    """A charge point's side of TLS."""

    def __init__(self, server, root, tmp_path) -> None:
        self.server, self.root, self.folder = server, root, tmp_path

    def context(self, **pinned) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.root.pem.decode())
        for name, value in pinned.items():
            setattr(context, name, value)
        return context

    def with_certificate(self, certificate: bytes, key: bytes) -> ssl.SSLContext:
        file = self.folder / "station.pem"
        file.write_bytes(certificate + key)
        context = self.context()
        context.load_cert_chain(file)
        return context

    async def enter(self, identity: str, context: ssl.SSLContext | None = None, **more):
        return await plug_in(
            self.server.tls_port,
            f"/ocpp/{identity}",
            ssl=context or self.context(),
            **more,
        )

    async def status(self, identity: str, context=None, **more) -> int:
        with pytest.raises(InvalidStatus) as caught:
            await self.enter(identity, context, **more)
        return caught.value.response.status_code

    async def is_refused_by_tls(self, identity: str, context: ssl.SSLContext) -> None:
        # in TLS 1.3 the refusal arrives only after the client thinks that it is through
        with pytest.raises((ssl.SSLError, ConnectionError, InvalidMessage)):
            await self.enter(identity, context)


@pytest.fixture
def client(server, root, tmp_path):
    return Client(server, root, tmp_path)


LOGIN = {"additional_headers": basic("CP1", PASSWORD)}


def tls_of(cp) -> ssl.SSLObject:
    return cp.socket.transport.get_extra_info("ssl_object")


async def works(cp) -> bool:
    return (await cp.call("Heartbeat", {}))[0] == 3


@pytest.mark.smoke
async def test_profile_2_is_wss_with_a_password(client, server):
    cp = await client.enter("CP1", **LOGIN)
    assert tls_of(cp).version() == "TLSv1.3"
    assert await works(cp)
    assert await client.status("CP1") == 401
    assert await client.status("CP1", additional_headers=basic("CP1", b"wrong")) == 401
    with pytest.raises(InvalidStatus) as caught:
        await plug_in(server.port, "/ocpp/CP1", **LOGIN)
    assert caught.value.response.status_code == 403
    await cp.close()


@pytest.mark.parametrize("suite", SUITES)
async def test_the_four_suites_of_tls_1_2(client, suite):
    context = client.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(suite)
    cp = await client.enter("CP1", context, **LOGIN)
    assert tls_of(cp).cipher()[:2] == (suite, "TLSv1.2")
    assert tls_of(cp).compression() is None
    assert await works(cp)
    await cp.close()


@pytest.mark.parametrize("pair", ["server-rsa", "server-ec"])
async def test_one_certificate_serves_its_suites_alone(folder, tls, client, pair):
    other = "server-ec" if pair == "server-rsa" else "server-rsa"
    for ending in ("pem", "key"):
        (folder / f"{other}.{ending}").unlink()
    assert tls.reload()
    for suite, needs in SUITES.items():
        context = client.context(maximum_version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(suite)
        if needs == pair:
            await (await client.enter("CP1", context, **LOGIN)).close()
        else:
            await client.is_refused_by_tls("CP1", context)


async def test_tls_1_1_is_refused(client):
    context = client.context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    await client.is_refused_by_tls("CP1", context)


@pytest.mark.parametrize("listener", ["stations", "browsers"])
def test_no_renegotiation_and_no_compression(tls, listener):
    options = getattr(tls, listener).current.options
    assert options & ssl.OP_NO_RENEGOTIATION
    assert options & ssl.OP_NO_COMPRESSION


async def test_plain_words_at_the_tls_port_do_no_harm(client, server):
    with pytest.raises((ConnectionError, InvalidMessage)):
        await plug_in(server.tls_port, "/ocpp/CP4")
    await (await client.enter("CP4")).close()


class TestReload:
    async def test_new_connections_see_the_new_certificate_and_old_ones_stay(
        self, folder, tls, client, root
    ):
        old = await client.enter("CP1", **LOGIN)
        first = tls_of(old).getpeercert(binary_form=True)
        assert not tls.reload()
        root.write_pair(folder, "server-ec")
        root.write_pair(folder, "server-rsa", rsa_key(1))
        assert tls.reload()
        new = await client.enter("CP4")
        assert tls_of(new).getpeercert(binary_form=True) != first
        assert await works(old)
        assert await works(new)
        await old.close()
        await new.close()

    async def test_a_broken_one_is_refused_and_the_old_one_serves_on(
        self, folder, tls, client, root, capsys
    ):
        before = (folder / "server-ec.pem").read_bytes()
        (folder / "server-ec.pem").write_bytes(before[:200])
        assert not tls.reload()
        assert "server-ec.pem holds no certificate in PEM form" in capsys.readouterr().out
        await (await client.enter("CP4")).close()
        assert not tls.reload()
        assert "PEM form" not in capsys.readouterr().out  # told once
        root.write_pair(folder, "server-ec")
        assert tls.reload()

    async def test_the_files_are_looked_at_by_themselves(self, folder, root):
        clock = FakeClock()
        clock.set_wall(SystemClock().now())
        tls = TlsContexts(folder, clock)
        first = tls.stations.current
        looking = asyncio.create_task(tls.run())
        root.write_pair(folder, "server-ec")
        await clock.advance(4)
        assert tls.stations.current is first
        await clock.advance(2)
        assert tls.stations.current is not first
        looking.cancel()

    async def test_a_root_that_is_taken_out_lets_nobody_in_any_more(
        self, folder, tls, client, root
    ):
        context = client.with_certificate(*root.client("CP2"))
        await (await client.enter("CP2", context)).close()
        (folder / "client-ca.pem").write_bytes(Authority("Other").pem)
        assert tls.reload()
        await client.is_refused_by_tls("CP2", context)


class TestClientCertificates:
    @pytest.mark.smoke
    async def test_profile_3_needs_no_password(self, client, root):
        cp = await client.enter("CP2", client.with_certificate(*root.client("CP2")))
        assert await works(cp)
        await cp.close()

    async def test_rsa_keys_work_too(self, client, root):
        certificate = root.client("CP2", rsa_key(2))
        await (await client.enter("CP2", client.with_certificate(*certificate))).close()

    async def test_the_serial_number_counts_when_there_is_one(self, client, root):
        right = client.with_certificate(*root.client("SN 3"))
        await (await client.enter("CP3", right)).close()
        assert await client.status("CP3", client.with_certificate(*root.client("CP3"))) == 403

    async def test_none_is_refused(self, client):
        assert await client.status("CP2") == 403

    async def test_a23_another_stations_is_refused(self, client, root):
        assert await client.status("CP2", client.with_certificate(*root.client("SN 3"))) == 403

    async def test_h09_a_certificate_alone_is_not_enough_for_profile_2(self, client, root):
        assert await client.status("CP1", client.with_certificate(*root.client("CP1"))) == 401

    @pytest.mark.parametrize(
        "span",
        [
            {"starts": timedelta(days=-9), "ends": timedelta(days=-1)},
            {"starts": timedelta(days=1)},
        ],
    )
    async def test_a24_an_expired_or_early_one_is_refused(self, client, root, span, capsys):
        certificate = root.client("CP2", **span)
        await client.is_refused_by_tls("CP2", client.with_certificate(*certificate))
        told = capsys.readouterr().out
        assert "the client certificate is refused: " in told
        assert ("expired" if "ends" in span else "not yet valid") in told

    async def test_a24_one_of_another_root_is_refused(self, client):
        certificate = Authority("Root").client("CP2")
        await client.is_refused_by_tls("CP2", client.with_certificate(*certificate))

    async def test_a24_a_leaf_signs_nothing(self, client, root):
        leaf = Authority("x")
        leaf.name = root.name
        stranger = Authority("CP9")
        key = ec_key()
        stranger.key, stranger.certificate = key, root.issue("CP9", key)
        certificate, own_key = stranger.client("CP2")
        chain = certificate + pem(stranger.certificate)
        await client.is_refused_by_tls("CP2", client.with_certificate(chain, own_key))

    async def test_a24_a_servers_certificate_is_no_clients(self, client, root):
        key = ec_key()
        context = client.with_certificate(pem(root.issue("CP2", key)), key_pem(key))
        await client.is_refused_by_tls("CP2", context)

    async def test_a_weak_key_is_refused(self, client, root):
        certificate, key = root.client("CP2", rsa_key(bits=1024))
        context = client.context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        (client.folder / "weak.pem").write_bytes(certificate + key)
        context.load_cert_chain(client.folder / "weak.pem")
        await client.is_refused_by_tls("CP2", context)

    async def test_a_certificate_of_two_names_is_nobodys(self, client, root):
        key = ec_key()
        two = x509.Name([*named("CP2"), *named("CP2")])
        made = root.issue("CP2", key, usage=ExtendedKeyUsageOID.CLIENT_AUTH, subject=two)
        assert await client.status("CP2", client.with_certificate(pem(made), key_pem(key))) == 403

    async def test_on_plain_ws_profile_3_is_refused(self, server):
        with pytest.raises(InvalidStatus) as caught:
            await plug_in(server.port, "/ocpp/CP2")
        assert caught.value.response.status_code == 403

    async def test_a_resumed_session_keeps_its_certificate(self, client, root, connections):
        context = client.with_certificate(*root.client("CP2"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for _ in range(2):
            cp = await client.enter("CP2", context)
            assert await works(cp)
            await cp.close()
            await wait_until(lambda: client.server.gateway.online() == 0)


class TestRevokedCertificates:
    """A24; revocation is looked at here, because TLS looks once a session only."""

    @pytest.fixture
    def revoke(self, folder, tls, root):
        def revoke(certificate: bytes) -> None:
            number = x509.load_pem_x509_certificate(certificate).serial_number
            (folder / "client-crl.pem").write_bytes(crl_of(root, [number], SystemClock().now()))
            assert tls.reload()

        return revoke

    async def test_it_is_refused_from_a_reload_on(self, client, root, revoke):
        certificate, key = root.client("CP2")
        other = client.with_certificate(*root.client("CP2"))
        context = client.with_certificate(certificate, key)
        await (await client.enter("CP2", context)).close()
        revoke(certificate)
        assert await client.status("CP2", context) == 403
        await (await client.enter("CP2", other)).close()

    async def test_a_session_that_is_resumed_is_refused_too(self, client, root, revoke):
        certificate, key = root.client("CP2")
        context = client.with_certificate(certificate, key)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for _ in range(2):
            await (await client.enter("CP2", context)).close()
        revoke(certificate)
        assert await client.status("CP2", context) == 403

    async def test_whoever_proves_himself_by_it_is_sent_away(self, client, root, revoke, server):
        certificate, key = root.client("CP2")
        with_it = await client.enter("CP2", client.with_certificate(certificate, key))
        by_password = await client.enter("CP1", client.with_certificate(certificate, key), **LOGIN)
        watching = asyncio.create_task(server.certificates.run())
        revoke(certificate)
        server.certificates.look()
        assert await with_it.get() == Closed(1008)
        assert await works(by_password)
        watching.cancel()
        await by_password.close()

    async def test_a_certificate_is_not_asked_of_other_profiles(self, client, root, revoke):
        certificate, key = root.client("CP1")
        revoke(certificate)
        context = client.with_certificate(certificate, key)
        await (await client.enter("CP1", context, **LOGIN)).close()


class TestSlowTls:
    @pytest.fixture
    def patience_s(self) -> float:
        return 0.3

    @pytest.fixture
    async def quick(self, tls, connections, patience_s):
        server = OcppServer(
            host="127.0.0.1",
            port=0,
            connections=connections,
            intake=StandInIntake(),
            schemas=Schemas(),
            clock=SystemClock(),
            tls=tls.stations,
            open_timeout_s=patience_s,
        )
        await server.start()
        yield server
        await server.stop()

    @pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\xff\xff"])
    async def test_a10_a_handshake_that_stops_is_dropped_in_time(self, quick, said):
        reader, writer = await asyncio.open_connection("127.0.0.1", quick.tls_port)
        writer.write(said)
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
        await wait_until(lambda: len(quick._door) == 0)

    @pytest.mark.parametrize("patience_s", [2.0])  # the handshake itself is well within
    async def test_a10_tls_and_request_share_one_limit(self, quick, root):
        context = ssl.create_default_context(cadata=root.pem.decode())
        reader, writer = await asyncio.open_connection("127.0.0.1", quick.tls_port, ssl=context)
        writer.write(b"GET /ocpp/CP4 HTTP/1.1\r\n")
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        await wait_until(lambda: len(quick._door) == 0)

    @pytest.mark.parametrize("patience_s", [30.0])  # it is the count that drops them
    async def test_strangers_in_a_tls_handshake_are_counted(self, quick, monkeypatch):
        monkeypatch.setattr("csms.ocppj.gate.MOST_OPENING_OF_STRANGER", 5)
        slow = [await asyncio.open_connection("127.0.0.1", quick.tls_port) for _ in range(20)]
        await wait_until(lambda: quick._gate.dropped == 15)
        for _, writer in slow:
            writer.close()
