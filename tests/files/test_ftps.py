# ruff: noqa: S321  FTP is what is tested
"""FTP over TLS, explicit and implicit, beside plain FTP on the same port."""

from __future__ import annotations

import asyncio
import ftplib
import io
import shutil
import ssl

import pytest

from csms.files.ftp_server import FtpServer
from csms.pki.contexts import TlsContexts
from tests.files.ftp_client import DATA, session, within
from tests.pki.authority import Authority


@pytest.fixture
async def ftps(bench, tmp_path):
    """The FTP server with a certificate."""
    root, folder = Authority(), tmp_path / "tls"
    folder.mkdir()
    root.write_pair(folder, "server-ec")
    contexts = TlsContexts(folder, bench.clock)
    server = FtpServer(
        bench.service,
        bench.folder,
        bench.clock,
        host="127.0.0.1",
        port=0,
        public=None,
        tls=contexts.transfers.newest,
    )
    await server.start()
    bench.ftp_port, bench.root = server.port, root
    yield bench
    await server.stop()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_ftps_both_ways_with_data_in_the_clear_or_not(ftps, newest):
    up, down = await ftps.upload(), await ftps.download(DATA)
    context = ssl.create_default_context(cadata=ftps.root.pem.decode())
    context.maximum_version = newest

    def use(token, work):
        with ftplib.FTP_TLS(timeout=60, context=context) as client:
            client.connect("127.0.0.1", ftps.ftp_port)
            client.login(token[:12], token[12:])
            for protect in (client.prot_p, client.prot_c):
                protect()
                work(client)

    def bring(client):
        client.storbinary(f"STOR {client.voidcmd('NOOP')[:1]}.zip", io.BytesIO(DATA))

    def fetch(client):
        got = io.BytesIO()
        client.retrbinary("RETR fw.bin", got.write, rest=7)
        assert got.getvalue() == DATA[7:]

    await within(use, up, bring)
    await within(use, down, fetch)
    (file,) = await ftps.files()
    assert (file["data"], file["scheme"]) == (DATA, "ftps")


async def test_plain_clients_are_served_beside_ftps_and_nothing_is_slipped_in(ftps):
    token = await ftps.upload()

    def bring():
        with session(ftps, token) as client:
            client.storbinary("STOR a", io.BytesIO(DATA))
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", ftps.ftp_port)
            assert "AUTH TLS" in client.sendcmd("FEAT")
            for command in ("PBSZ 0", "PROT P", "AUTH KERBEROS"):
                with pytest.raises(ftplib.error_perm):
                    client.sendcmd(command)
            client.sock.sendall(f"AUTH TLS\r\nUSER {token[:12]}\r\n".encode())
            assert client.getresp().startswith("234")
            context = ssl.create_default_context(cadata=ftps.root.pem.decode())
            with context.wrap_socket(client.sock, server_hostname="127.0.0.1") as secure:
                secure.sendall(f"PASS {token[12:]}\r\n".encode())
                assert secure.recv(100).startswith(b"503")
            client.close()

    await within(bring)
    (file,) = await ftps.files()
    assert (file["data"], file["scheme"]) == (DATA, "ftp")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_curl_with_explicit_and_with_implicit_tls(ftps, tmp_path):
    token = await ftps.upload()
    (tmp_path / "root.pem").write_bytes(ftps.root.pem)
    (tmp_path / "d").write_bytes(DATA)
    user = f"{token[:12]}:{token[12:]}@127.0.0.1:{ftps.ftp_port}"
    for name, options in (
        ("a", (f"ftp://{user}/a", "--ssl-reqd")),
        ("b", (f"ftps://{user}/b",)),
    ):
        common = ("-sS", "--cacert", str(tmp_path / "root.pem"), "-T", str(tmp_path / "d"))
        process = await asyncio.create_subprocess_exec("curl", *common, *options)
        assert await process.wait() == 0, name
    files = [(file["label"], file["data"], file["scheme"]) for file in await ftps.files()]
    assert files == [("a", DATA, "ftps"), ("b", DATA, "ftps")]
