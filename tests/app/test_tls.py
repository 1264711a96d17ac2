"""The whole system over TLS and behind a proxy, with certificates of the test."""

from __future__ import annotations

import ssl

import aiohttp
import pytest

from tests.app.bench import TOKEN, system
from tests.app.test_start_errors import serve
from tests.ocppj.playbook import plug_in
from tests.ocppj.test_handshake import basic, status
from tests.pki.authority import Authority, key_pem, rsa_key

PASSWORD = "a password of a station"


@pytest.fixture
def root():
    return Authority()


@pytest.fixture
def folder(tmp_path, root):
    folder = tmp_path / "tls"
    folder.mkdir()
    root.write_pair(folder, "server-ec")
    root.write_pair(folder, "server-rsa")
    (folder / "client-ca.pem").write_bytes(root.pem)
    return folder


def trusting(root) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=root.pem.decode())


async def test_wss_beside_ws(database_url, tmp_path, folder, root):
    async with system(database_url, tmp_path, tls_dir=folder, ocpp_tls_port=0) as s:
        port = s.running.ocpp_tls_port
        await s.add("CP1", securityProfile=2, password=PASSWORD)
        await s.add("CP2", securityProfile=3, serialNumber="SN2")
        await s.add("CP3")
        login = {"additional_headers": basic("CP1", PASSWORD.encode())}
        cp1 = await plug_in(port, "/ocpp/CP1", ssl=trusting(root), **login)
        assert await status(s.running.ocpp_port, "/ocpp/CP1", **login) == 403
        assert await status(port, "/ocpp/CP2", ssl=trusting(root)) == 403
        own = trusting(root)
        (tmp_path / "cp2.pem").write_bytes(b"".join(root.client("SN2")))
        own.load_cert_chain(tmp_path / "cp2.pem")
        cp2 = await plug_in(port, "/ocpp/CP2", ssl=own)
        cp3 = await plug_in(s.running.ocpp_port, "/ocpp/CP3")
        boot = {"chargePointVendor": "v", "chargePointModel": "m"}
        for cp in (cp1, cp2, cp3):
            assert (await cp.call("BootNotification", boot))[2]["status"] == "Accepted"
            await cp.close()


async def sign_in(port: int, scheme: str, connector=None, **headers) -> str:
    url = f"{scheme}://127.0.0.1:{port}/sign-in?token={TOKEN}"
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        assert answer.status == 303
        return answer.headers["Set-Cookie"]


async def test_https_for_operators(database_url, tmp_path, folder, root):
    async with system(database_url, tmp_path, tls_dir=folder, ocpp_tls_port=0, http_tls=True) as s:
        port = s.running.http_port
        connector = aiohttp.TCPConnector(ssl=trusting(root))
        assert "; Secure" in await sign_in(port, "https", connector)
        with pytest.raises(aiohttp.ClientError):
            await sign_in(port, "http")


async def test_a25_behind_a_proxy_cookies_are_secure_and_profile_2_is_served(
    database_url, tmp_path
):
    said = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    login = basic("CP1", PASSWORD.encode())
    async with system(database_url, tmp_path, trusted_proxies="127.0.0.0/8") as s:
        assert "; Secure" in await sign_in(s.running.http_port, "http", **said)
        assert "; Secure" not in await sign_in(s.running.http_port, "http")
        await s.add("CP1", securityProfile=2, password=PASSWORD)
        port = s.running.ocpp_port
        cp = await plug_in(port, "/ocpp/CP1", additional_headers={**login, **said})
        await cp.close()
        assert await status(port, "/ocpp/CP1", additional_headers=login) == 403


async def test_a25_nobody_else_is_believed(database_url, tmp_path):
    said = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    login = basic("CP1", PASSWORD.encode())
    async with system(database_url, tmp_path, trusted_proxies="10.0.0.1") as s:
        assert "; Secure" not in await sign_in(s.running.http_port, "http", **said)
        await s.add("CP1", securityProfile=2, password=PASSWORD)
        headers = {**login, **said, "Forwarded": "for=1.1.1.1;proto=https"}
        assert await status(s.running.ocpp_port, "/ocpp/CP1", additional_headers=headers) == 403


@pytest.mark.parametrize(
    "setting", [{"ocpp_tls_port": 9443}, {"http_tls": "true"}, {"tls_dir": "/nowhere"}]
)
async def test_tls_without_certificates(database_url, tmp_path, setting):
    end = await serve(tmp_path, database_url=database_url, **setting)
    assert end.code == 1
    (line,) = end.errors
    assert line.startswith(f"CSMS_{next(iter(setting)).upper()} asks for TLS, but ")
    assert "holds no server certificate" in line


async def test_a_key_that_does_not_fit(database_url, tmp_path, folder):
    (folder / "server-rsa.key").write_bytes(key_pem(rsa_key(3)))
    end = await serve(tmp_path, database_url=database_url, tls_dir=folder)
    assert end.code == 1
    (line,) = end.errors
    assert line.endswith("server-rsa.pem.")
    assert "is not the key of" in line
