"""Playbooks of quirks of handshakes and boots."""

from __future__ import annotations

import asyncio
import base64
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from tests.quirks.bench import plugged

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}
PASSWORD = "0123456789abcdef0123456789abcdef"
KEY = bytes.fromhex(PASSWORD)
HEADERS = {
    "Host": "csms",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


async def status_line(csms, path: str, **changes: str | None) -> str:
    """Ask for a socket with headers of one's own and return the status line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", csms.running.ocpp_port)
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    async with asyncio.timeout(30):
        line = (await reader.readline()).decode()
    writer.close()
    return line


def basic(user: str | bytes, password: bytes) -> dict[str, str]:
    raw = user if isinstance(user, bytes) else user.encode()
    return {"Authorization": "Basic " + base64.b64encode(raw + b":" + password).decode()}


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": None},  # unnamed
        {"Upgrade": None},  # Cahors
        {"Connection": None, "Upgrade": None},
        {"Connection": "keep-alive"},
        {"Connection": "close", "Upgrade": "WebSockets"},
        {"Sec_WebSocket_Protocol": None},
        {"Sec_WebSocket_Protocol": "OCPP1.6"},
        {"Sec_WebSocket_Protocol": ""},
        {"Sec_WebSocket_Protocol": '"ocpp1.6"'},
        {"Sec_WebSocket_Protocol": "ocpp 1.6"},
        {"Sec_WebSocket_Protocol": 'ocpp1.6, "v 2"'},
        {"Sec_WebSocket_Protocol": "ocpp1.5;ocpp1.6"},
        {"Sec_WebSocket_Protocol": "ocpp1.5 ocpp1.6"},
        {"Sec_WebSocket_Protocol": "ocpp1.6.0"},
        {"Sec_WebSocket_Protocol": "ocppv1.6"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "13, 8"},
        {"Origin": "file://"},  # Enercab
        {"Origin": "http://elsewhere"},
        {"Host": "wrong"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"},
        {"Content_Length": "0"},
        {"Authorization": "Basic Og=="},  # a password field that must be there, empty: Wallbox
    ],
)
async def test_odd_requests_are_let_in(csms, identity, changes):
    await csms.add(identity)
    assert " 101 " in await status_line(csms, f"/ocpp/{identity}", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": None},
        {"Sec_WebSocket_Protocol": None},
        {"Sec_WebSocket_Protocol": ""},
        {"Sec_WebSocket_Protocol": '"ocpp1.6"'},
    ],
)
async def test_odd_requests_of_strict_stations_are_not(csms, identity, changes):
    await csms.add(identity, strict=True)
    assert " 101 " not in await status_line(csms, f"/ocpp/{identity}", **changes)


async def first_line(csms, raw: bytes) -> str:
    """Send bytes and return the first line of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", csms.running.ocpp_port)
    writer.write(raw)
    async with asyncio.timeout(30):
        line = (await reader.readline()).decode()
    writer.close()
    return line


def request(first: str, *, end: str = "\r\n", colon: str = ": ") -> bytes:
    lines = [f"{name}{colon}{value}" for name, value in HEADERS.items()]
    return end.join([first, *lines, "", ""]).encode()


@pytest.mark.parametrize(
    "raw",
    [
        lambda path: request(f"GET {path}  HTTP/1.1"),  # a blank behind the address
        lambda path: request(f"GET  {path} HTTP/1.1"),
        lambda path: request(f"GET {path} http/1.1"),
        lambda path: request(f"get {path} HTTP/1.1"),
        lambda path: request(f"GET {path} HTTP/1.1", end="\n"),
        lambda path: request(f"GET {path} HTTP/1.1", colon=" : "),
    ],
)
async def test_requests_that_are_not_quite_http(csms, identity, raw):
    await csms.add(identity)
    assert " 101 " in await first_line(csms, raw(f"/ocpp/{identity}"))
    strict = f"{identity}-S"
    await csms.add(strict, strict=True)
    assert " 400 " in await first_line(csms, raw(f"/ocpp/{strict}"))


async def test_a_blank_in_an_identity_that_is_not_encoded(csms, identity):
    await csms.add(f"{identity} A")
    assert " 101 " in await first_line(csms, request(f"GET /ocpp/{identity} A HTTP/1.1"))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_letters_in_an_identity_that_are_not_encoded(csms, identity, encoding):
    await csms.add(f"{identity} Zürich")
    raw = request(f"GET /ocpp/{identity} Zürich HTTP/1.1").decode().encode(encoding)
    assert " 101 " in await first_line(csms, raw)


async def test_an_empty_line_before_a_request(csms, identity):
    await csms.add(identity, strict=True)
    raw = request(f"GET /ocpp/{identity} HTTP/1.1")
    assert " 101 " in await first_line(csms, b"\r\n" + raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"GET /ocpp/X HTTP/2.0\r\n\r\n",
        b"GET /ocpp/X HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /ocpp/X HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"GET /ocpp/X HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_told_so(csms, raw):
    assert await first_line(csms, raw) == "HTTP/1.1 400 Bad Request\r\n"


@pytest.mark.parametrize(
    "path",
    [
        "//{id}",
        "/ocpp//{id}",
        "/ocpp/{id}/",
        "/ocpp/{id}//",
        "/{id}",
        "{id}",
        "/CentralSystemService/4/{id}",  # SETEC
        "/ocpp/{id}/1.6",
        "/ocpp/{id}/ocpp1.6j/",
        "/ocpp/{id}?token=1",
        "ws://csms:9000/ocpp/{id}",
        "/ocpp/{id}%20",
        "/ocpp/%22{id}%22",
        "/ocpp/%7B{id}%7D",
        "/ocpp/{id}#1",
    ],
)
async def test_odd_paths_name_the_station(csms, identity, path):
    await csms.add(identity)
    assert " 101 " in await status_line(csms, path.format(id=identity))


async def test_a_percent_encoded_identity(csms, identity):
    name = f"Ä {identity}/1"
    await csms.add(name)
    assert " 101 " in await status_line(csms, f"/ocpp/{quote(name, safe='')}")


async def test_a_repair_of_the_handshake_stands_at_the_first_message(csms, identity):
    await csms.add(identity)
    async with plugged(csms, identity, f"/ocpp/{identity}/16", subprotocols=None) as station:
        assert await station.alive()
        assert await station.alive()
        for name in ("missing_subprotocol", "path_after_identity"):
            assert len(await station.repairs(name)) == 1


@pytest.mark.parametrize("password", [KEY, PASSWORD.encode(), PASSWORD.upper().encode()])
async def test_a_key_as_bytes_or_as_hex(csms, identity, password):
    await csms.add(identity, password=PASSWORD)
    async with plugged(csms, identity, additional_headers=basic(identity, password)) as station:
        assert await station.alive()


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0", b"\r\n", b"\n"])
async def test_a_key_with_something_behind_it(csms, identity, padding):
    await csms.add(identity, password=PASSWORD)
    headers = basic(identity, KEY + padding)
    async with plugged(csms, identity, additional_headers=headers) as station:
        assert await station.alive()
        assert len(await station.repairs("key_padding")) == 1


async def test_a_key_in_latin_1(csms, identity):
    password = "Schlüssel-der-Säule"
    await csms.add(identity, password=password)
    for encoding, repairs in (("utf-8", 0), ("latin-1", 1)):
        headers = basic(identity, password.encode(encoding))
        async with plugged(csms, identity, additional_headers=headers) as station:
            assert await station.alive()
            assert len(await station.repairs("key_charset")) == repairs


@pytest.mark.parametrize("spelled", [str.lower, lambda name: f" {name} ", quote])
async def test_a_user_name_that_spells_the_identity_oddly(csms, identity, spelled):
    await csms.add(identity, password=PASSWORD)
    headers = basic(spelled(identity), KEY)
    async with plugged(csms, identity, additional_headers=headers) as station:
        assert await station.alive()


@pytest.mark.parametrize(
    ("user", "password"), [("admin", KEY), ("", KEY), (b"\xff", KEY), (None, b"wrong" * 4)]
)
async def test_what_is_no_repair_stays_refused(csms, identity, user, password):
    await csms.add(identity, password=PASSWORD)
    headers = basic(identity if user is None else user, password)
    with pytest.raises(InvalidStatus) as caught:
        async with plugged(csms, identity, additional_headers=headers):
            pass
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        ({"chargePointVendor": ""}, {"vendor": ""}),  # Huawei
        ({"chargePointModel": "M" * 30}, {"model": "M" * 20}),  # Grizzl-E
        ({"chargePointSerialNumber": "S" * 33}, None),  # Schneider EVlink
        ({"iccid": -67}, None),  # Grizzl-E
        ({"iccid": "null", "imsi": None}, None),  # ABB
        ({"chargePointVendor": None}, {"vendor": ""}),
        ({"firmwareVersion": 1.5, "meterType": "Internal NON compliant"}, None),
        ({"ChargeboxSerialNumber": "1", "extra": {"a": [1]}}, None),
        ({"firmwareVersion": ["1.0"]}, None),
        ({"chargePointVendor": "V\0\0", "firmwareVersion": "1\0"}, {"vendor": "V"}),
    ],
)
async def test_odd_boots_are_accepted(cp, payload, kept):
    answer = await cp.told("BootNotification", {**BOOT, **payload})
    assert answer["status"] == "Accepted"
    station = await cp.ask("")
    for name, value in (kept or {}).items():
        assert station[name] == value


async def test_reconnects_and_boots_in_bursts(csms, identity):
    await csms.add(identity)
    for _ in range(5):
        async with plugged(csms, identity) as station:
            answer = await station.told("BootNotification", BOOT)
            assert answer["status"] == "Accepted"
            await station.told("BootNotification", BOOT)


async def test_no_boot_at_all(cp):
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    assert await cp.told("StatusNotification", status) == {}
    assert (await cp.connector())["status"] == "Available"
