"""Which location a call gets, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.clock import SystemClock
from csms.errors import Conflict, Invalid, NotFound, Refusal
from csms.files.addresses import Addresses, Endpoint
from csms.ocppj.schemas import Schemas
from csms.services.credentials import token_digest
from csms.services.locations import Locations
from csms.services.ports.files import Image
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

SECRET = b"a secret of the tests, 32 bytes."
SCHEMAS = Schemas()
HTTP = Endpoint(scheme="http", port=8081)
HTTPS = Endpoint(scheme="https", port=443, public="https://files.example.org/in")
FTP = Endpoint(scheme="ftp", port=21)
FTP_TOO = Endpoint(scheme="ftp", port=2121, public="ftp://f.example.org:2121")


class Filling:
    def __init__(self, units):
        self.units, self.clock, self.key, self.calls = units, SystemClock(), 0, 0
        self.addresses = Addresses({}.get)
        self.locations = Locations(self.addresses, secret=SECRET)

    async def __call__(self, action, payload):
        self.calls += 1
        now = self.clock.now()
        async with self.units() as unit:
            station = await unit.charge_points.get("CP1")
            return await self.locations.fill(
                unit, station, action, payload, call_id=f"call {self.calls}", now=now
            )

    async def image(self, **fields):
        values = {"signature": None, "signing_certificate": None, "vendor": None, "model": None}
        image = Image(
            **{
                **values,
                "key": 0,
                "blob": "0" * 32,
                "name": "fw.bin",
                "version": None,
                "size": 1,
                "sha256": "00",
                "created_at": self.clock.now(),
                "actor": "tests",
                **fields,
            }
        )
        async with self.units() as unit:
            return await unit.firmware_images.add(image)

    async def way(self, token):
        async with self.units() as unit:
            return await unit.files.way(token_digest(SECRET, token))


@pytest.fixture
async def fill(database_url):
    database = Database(database_url)
    filling = Filling(SqlUnitsOfWork(database))
    async with filling.units() as unit:
        filling.key = await unit.charge_points.insert({"identity": "CP1", "name": "CP1"})
    filling.addresses._reached_at = {filling.key: "csms.example.org:9000"}.get
    filling.addresses.endpoints = [HTTP]
    yield filling
    await database.close()


async def test_what_has_a_location_goes_out_as_it_came(fill):
    for action, payload in (
        ("GetDiagnostics", {"retries": 1, "location": "ftp://other/"}),
        ("GetLog", {"requestId": 1, "log": {"remoteLocation": "http://other/"}}),
        ("GetLog", {"log": "no object"}),
        ("UpdateFirmware", {"retrieveDate": "x", "location": ""}),
        ("Reset", {"type": "Hard"}),
    ):
        filled = await fill(action, payload)
        assert (filled.payload, list(filled.payload)) == (payload, list(payload))


async def test_nothing_is_filled_in_where_nothing_is_on(fill):
    fill.addresses.endpoints = []
    assert (await fill("GetDiagnostics", {})).payload == {}
    with pytest.raises(Conflict, match="CSMS_FILES_PORT"):
        await fill("UpdateFirmware", {"firmwareId": 1})


async def test_an_upload_gets_a_directory_of_its_own(fill):
    seen = set()
    for action, payload in (("GetDiagnostics", {}), ("GetLog", {"logType": "SecurityLog"})):
        filled = (await fill(action, payload)).payload
        assert SCHEMAS.problems(action, filled) == {}
        location = filled.get("location") or filled["log"]["remoteLocation"]
        base, _, token = location[:-1].rpartition("/")
        assert (base, location[-1]) == ("http://csms.example.org:8081", "/")
        way = await fill.way(token)
        assert (way.direction, way.charge_point, way.image) == ("upload", fill.key, None)
        assert timedelta(hours=23) < way.expires_at - fill.clock.now() < timedelta(hours=25)
        seen.add(token)
    assert len(seen) == 2


async def test_request_ids_are_new_ones_for_the_station(fill):
    async with fill.units() as unit:
        for number in (7, 2**31 - 1, -3):
            await unit.jobs.begin(
                fill.key, "log", call_id=f"old {number}", request_id=number, at=fill.clock.now()
            )
    assert (await fill("GetLog", {"logType": "SecurityLog"})).payload["requestId"] == 8
    own = await fill("GetLog", {"logType": "SecurityLog", "requestId": 3})
    assert own.payload["requestId"] == 3


@pytest.mark.parametrize(
    ("endpoints", "said", "begins", "warns"),
    [
        ([HTTPS, FTP], None, "https://files.example.org/in/", False),
        ([HTTPS, FTP], "FTP", "ftp://", False),
        ([HTTPS, FTP_TOO], "FTP,FTPS", "ftp://", False),
        ([HTTP, FTP], "HTTP,FTP", "http://csms.example.org:8081/", False),
        ([HTTPS], "FTP", "https://", True),
        ([FTP], "HTTP", "ftp://", True),
    ],
)
async def test_the_protocol_that_the_station_speaks(fill, endpoints, said, begins, warns):
    fill.addresses.endpoints = endpoints
    if said is not None:
        async with fill.units() as unit:
            await unit.configurations.changed(
                fill.key, "SupportedFileTransferProtocols", said, said, "Accepted", fill.clock.now()
            )
    filled = await fill("GetDiagnostics", {})
    assert filled.payload["location"].startswith(begins)
    assert bool(filled.warnings) is warns


async def test_ftp_names_its_user_in_the_address(fill):
    fill.addresses.endpoints = [FTP]
    location = (await fill("GetDiagnostics", {})).payload["location"]
    user, _, password = location.removeprefix("ftp://").partition("@")[0].partition(":")
    assert location == f"ftp://{user}:{password}@csms.example.org/"
    assert (await fill.way(user + password)).direction == "upload"
    fill.addresses.endpoints = [FTP_TOO]
    location = (await fill("GetDiagnostics", {})).payload["location"]
    assert location.endswith("@f.example.org:2121/")


async def test_firmware_that_alone_fits_is_taken_and_else_the_operator_chooses(fill):
    with pytest.raises(Invalid, match="api/firmware"):
        await fill("UpdateFirmware", {})
    await fill.image(vendor="Other")
    await fill.image(model="Other")
    with pytest.raises(Invalid, match="api/firmware"):
        await fill("UpdateFirmware", {})
    first = await fill.image(name="one.bin")
    filled = (await fill("UpdateFirmware", {"retries": 2})).payload
    assert SCHEMAS.problems("UpdateFirmware", filled) == {}
    assert filled["location"].endswith("/one.bin")
    way = await fill.way(filled["location"].split("/")[-2])
    assert (way.direction, way.image.key) == ("download", first)
    second = await fill.image(name="two.bin")
    with pytest.raises(Invalid, match="firmwareId"):
        await fill("UpdateFirmware", {})
    for number in (second, str(second)):
        chosen = (await fill("UpdateFirmware", {"firmwareId": number})).payload
        assert chosen["location"].endswith("/two.bin")
        assert "firmwareId" not in chosen


async def test_firmware_for_just_this_kind_of_station(fill, database_url):
    async with fill.units() as unit:
        await unit.files._connection.exec_driver_sql(
            "UPDATE charge_points SET vendor = 'ACME', model = 'Box'"
        )
    await fill.image(vendor="Other")
    await fill.image(vendor="acme", model="BOX", name="own.bin")
    filled = await fill("UpdateFirmware", {})
    assert filled.payload["location"].endswith("/own.bin")


async def test_signed_firmware_brings_signature_and_certificate(fill):
    unsigned = await fill.image()
    with pytest.raises(Invalid, match="signature"):
        await fill("SignedUpdateFirmware", {"firmwareId": unsigned})
    pem = "-----BEGIN CERTIFICATE-----\r\nAA\r\n-----END CERTIFICATE-----\r\n"
    signed = await fill.image(signature="c2ln", signing_certificate=pem)
    at = "2030-01-01T00:00:00Z"
    payload = {"firmwareId": signed, "firmware": {"retrieveDateTime": at}, "retries": 1}
    filled = (await fill("SignedUpdateFirmware", payload)).payload
    assert SCHEMAS.problems("SignedUpdateFirmware", filled) == {}
    firmware = filled["firmware"]
    assert next(iter(firmware)) == "location"
    assert (firmware["signature"], firmware["retrieveDateTime"]) == ("c2ln", at)
    assert "\r" not in firmware["signingCertificate"]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"firmwareId": 99}, NotFound),
        ({"firmwareId": "x"}, Invalid),
        ({"firmwareId": 10**30}, Invalid),
        ({"firmwareId": None}, Invalid),
        ({"firmwareId": 1, "location": "http://other/"}, Invalid),
    ],
)
async def test_choices_that_cannot_be(fill, payload, error):
    with pytest.raises(Refusal) as caught:
        await fill("UpdateFirmware", payload)
    assert type(caught.value) is error
    async with fill.units() as unit:
        assert await unit.files.of_calls([f"call {n}" for n in range(5)]) == {}
