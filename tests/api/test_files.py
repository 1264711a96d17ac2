"""Firmware images and files of stations over the API; the bytes lie in a real folder."""

from __future__ import annotations

import base64
import hashlib
import os

import aiohttp
import asyncpg
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from csms.api.app import ApiConfig, Ports, create_api
from csms.api.server import ApiServer
from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.files.addresses import Addresses, Endpoint
from csms.files.folder import Folder
from csms.pki.firmware import signature_problem
from csms.services.audit import AuditTrail
from csms.services.credentials import token_digest
from csms.services.files import FileService, Keeping
from csms.services.ports.files import NewFile
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import ADMIN, SECRET, Bench, FakeAllocator, FakeGateway
from tests.pki.authority import Authority

LARGEST = 100_000
DATA = bytes(range(256)) * 300
PEM = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
async def bench(database_url, schemas, tmp_path):
    clock, bus, database = SystemClock(), LocalBus(), Database(database_url)
    gateway, allocator = FakeGateway(clock), FakeAllocator(clock, database_url)
    units, folder = SqlUnitsOfWork(database), Folder(tmp_path / "files", clock)
    service = FileService(
        units,
        folder,
        clock,
        AuditTrail(units, clock),
        secret=SECRET,
        keeping=Keeping(largest_bytes=LARGEST),
    )
    addresses = Addresses(lambda _: "files.example.org")
    addresses.endpoints = [Endpoint(scheme="http", port=80)]
    ports = Ports(
        units=units,
        gateway=gateway,
        schemas=schemas,
        allocator=allocator,
        bus=bus,
        clock=clock,
        files=service,
        addresses=addresses,
        check_signature=signature_problem,
    )
    api = create_api(ports, ApiConfig(version="1.2.3", secret=SECRET, admin_token=ADMIN))
    server = ApiServer(api.app, host="127.0.0.1", port=0)
    await server.start()
    sql = await asyncpg.connect(database_url)
    async with aiohttp.ClientSession() as client:
        made = Bench(
            url=f"http://127.0.0.1:{server.port}",
            client=client,
            sql=sql,
            gateway=gateway,
            allocator=allocator,
            bus=bus,
            clock=clock,
        )
        made.service, made.folder, made.path = service, folder, tmp_path / "files"
        yield made
    await sql.close()
    await server.stop()
    await database.close()


def blobs(bench, shelf="firmware"):
    return list((bench.path / shelf).iterdir())


async def add(bench, data=DATA, status=201, **query):
    reply = await bench.ask("POST", "/api/firmware", data=data, params=query)
    assert reply.status == status, reply
    return reply.json


async def fetched(bench, url):
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with bench.client.get(bench.url + url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "application/octet-stream"
        return answer.headers["Content-Disposition"], await answer.read()


async def test_an_image_is_brought_listed_described_handed_out_and_deleted(bench):
    image = await add(bench, name="Box 2.1.bin", version="2.1", vendor="ACME")
    digest = hashlib.sha256(DATA).hexdigest()
    assert (image["name"], image["version"], image["model"]) == ("Box_2.1.bin", "2.1", None)
    assert (image["sizeBytes"], image["sha256"]) == (len(DATA), digest)
    url = f"/api/firmware/{image['id']}"
    assert (await bench.get("/api/firmware"))["items"] == [image]
    change = {"signature": "c2ln", "signingCertificate": PEM, "vendor": None, "name": "b.bin"}
    reply = await bench.ask("PATCH", url, change)
    assert reply.json == {**image, **change, "signatureValid": False}
    assert await bench.get(url) == reply.json
    assert await fetched(bench, f"{url}/content") == ('attachment; filename="b.bin"', DATA)
    assert (await bench.ask("DELETE", url)).status == 204
    assert (await bench.ask("GET", url)).status == 404
    assert blobs(bench) == []
    actions = [entry["action"] for entry in (await bench.get("/api/audit"))["items"]]
    assert actions[:3] == ["delete", "update", "create"]


async def test_a_form_brings_the_image_with_what_describes_it(bench):
    form = aiohttp.FormData()
    form.add_field("model", "Box")
    form.add_field("signingCertificate", PEM)
    form.add_field("file", DATA, filename="fw.bin")
    image = await add(bench, form)
    assert (image["name"], image["model"]) == ("fw.bin", "Box")
    assert (image["signingCertificate"], image["sizeBytes"]) == (PEM, len(DATA))
    for fields, status in (
        ({"colour": "red"}, 400),
        ({"signature": "no base64!"}, 422),
        ({"version": "x" * 9000}, 400),
    ):
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, value)
        form.add_field("file", DATA, filename="fw.bin")
        await add(bench, form, status)
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("model", "Box")
    await add(bench, form, 400)
    assert len(blobs(bench)) == 1


async def test_nothing_stays_of_an_image_that_is_not_taken(bench, monkeypatch):
    for data, status, code in (
        (b"", 422, "empty_file"),
        (bytes(LARGEST + 1), 413, "file_too_large"),
    ):
        assert (await add(bench, data, status))["code"] == code
    monkeypatch.setattr(bench.folder, "_least_free", 2**62)
    assert (await add(bench, DATA, 507))["code"] == "disk_full"
    assert blobs(bench) == []
    assert (await bench.get("/api/firmware"))["items"] == []


async def test_viewers_see_and_do_not_touch(bench):
    await add(bench)
    key = await bench.post("/api/api-keys", {"name": "v", "role": "viewer"}, status=201)
    bench.token = key["token"]
    (image,) = (await bench.get("/api/firmware"))["items"]
    for method, path in (
        ("POST", ""),
        ("PATCH", "/1"),
        ("DELETE", f"/{image['id']}"),
        ("GET", f"/{image['id']}/content"),
    ):
        assert (await bench.ask(method, f"/api/firmware{path}")).status == 403
    assert len(blobs(bench)) == 1


async def test_what_is_not_there(bench):
    for path in ("/api/firmware/1", "/api/firmware/x", f"/api/files/{'9' * 30}", "/api/files/1"):
        for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
            assert (await bench.ask(method, path + tail)).status == 404, (method, path)


async def brought(bench, data=DATA, *, whole=True, label="a.zip"):
    """Let the station bring a file of its newest job."""
    location = bench.gateway.sent[-1][2]["location"]
    token = location.split("/")[-2]
    way = await bench.service.way(token)
    writing = bench.folder.begin("uploads", largest=LARGEST, resume=None)
    writing.write(data)
    digest = writing.finish() if whole else None
    writing.stop()
    await bench.service.came(
        way,
        NewFile(
            grant=way.key,
            label=label,
            blob=writing.blob,
            size=len(data),
            sha256=digest,
            complete=whole,
            scheme="http",
            address="192.0.2.1",
            received_at=bench.clock.now(),
        ),
    )


async def newest(bench):
    return (await bench.get("/api/stations/CP1/jobs"))["items"][0]


async def test_files_stand_beside_their_job_and_a_missing_one_is_flagged(bench):
    await bench.station()
    await bench.online()
    bench.gateway.answers["GetDiagnostics"] = {"fileName": "<b>../x.zip"}
    await bench.post("/api/stations/CP1/calls/GetDiagnostics", {})
    job = await newest(bench)
    assert (job["files"], job["fileMissing"], job["fileName"]) == ([], False, "<b>../x.zip")
    await bench.sql.execute("UPDATE jobs SET state = 'done', status = 'Uploaded'")
    assert (await newest(bench))["fileMissing"] is True
    await brought(bench, b"part", whole=False)
    job = await newest(bench)
    assert (job["fileMissing"], job["files"][0]["complete"]) == (True, False)
    await brought(bench)
    job = await newest(bench)
    (file,) = job["files"]
    assert (job["fileMissing"], file["complete"], file["label"]) == (False, True, "a.zip")
    assert file["name"] == f"diagnostics-{file['id']}.zip"
    assert (await bench.get("/api/files?stationId=CP1"))["items"] == [file]
    assert (await bench.get("/api/files?stationId=CP2"))["items"] == []
    assert await bench.get(f"/api/files/{file['id']}") == file
    disposition, data = await fetched(bench, file["url"])
    assert (disposition, data) == (f'attachment; filename="{file["name"]}"', DATA)
    for blob in blobs(bench, "uploads"):
        blob.unlink()
    reply = await bench.ask("GET", file["url"])
    assert (reply.status, reply.json["code"]) == (404, "file_lost")
    assert (await bench.ask("DELETE", f"/api/files/{file['id']}")).status == 204
    assert (await newest(bench))["fileMissing"] is True


async def test_a_location_of_the_operators_own_is_never_missed(bench):
    await bench.station()
    await bench.online()
    bench.gateway.answers["GetDiagnostics"] = {"fileName": "x"}
    body = {"retries": 1, "location": "ftp://u:secret@host/d"}
    await bench.post("/api/stations/CP1/calls/GetDiagnostics", body)
    assert list(bench.gateway.sent[-1][2].items()) == list(body.items())
    await bench.sql.execute("UPDATE jobs SET state = 'done', status = 'Uploaded'")
    assert (await newest(bench))["fileMissing"] is False


async def test_no_token_is_shown_and_a_refused_call_leaves_no_way(bench):
    await bench.station()
    await bench.online()
    image = await add(bench, name="fw.bin")
    body = {"firmwareId": image["id"]}
    for action in ("GetDiagnostics", "UpdateFirmware"):
        sent = {} if action == "GetDiagnostics" else body
        bench.gateway.answers[action] = {}
        await bench.post(f"/api/stations/CP1/calls/{action}", sent)
    bench.gateway.answers["GetLog"] = {"status": "Rejected"}
    await bench.post("/api/stations/CP1/calls/GetLog", {"logType": "SecurityLog"})
    tokens = []
    for _, action, payload, _ in bench.gateway.sent:
        location = payload.get("location") or payload["log"]["remoteLocation"]
        tokens.append(next(part for part in location.split("/") if len(part) == 32))
        digest = token_digest(SECRET, tokens[-1])
        count = "SELECT count(*) FROM file_ways WHERE token_digest = $1"
        assert await bench.sql.fetchval(count, digest) == 1, action
    assert await bench.service.way(tokens[2]) == "spent"
    shown = (await bench.ask("GET", "/api/stations/CP1/calls")).text
    shown += (await bench.ask("GET", "/api/audit")).text
    assert "***" in shown
    assert not any(token in shown for token in tokens)
    # an invalid call leaves nothing at all
    before = await bench.sql.fetchval("SELECT count(*) FROM file_ways")
    reply = await bench.ask("POST", "/api/stations/CP1/calls/GetDiagnostics", {"retries": "x"})
    assert reply.status == 422
    assert await bench.sql.fetchval("SELECT count(*) FROM file_ways") == before


async def test_sweeping(bench):
    await bench.station()
    await bench.online()
    for _ in range(3):
        await bench.post("/api/stations/CP1/calls/GetDiagnostics", {})
        await brought(bench, bytes(1000))
    (bench.path / "uploads" / ("f" * 32)).write_bytes(b"begun, and nobody ended it")
    await bench.service.sweep_strays()
    assert len(blobs(bench, "uploads")) == 4
    now = bench.clock.now().timestamp()
    os.utime(bench.path / "uploads" / ("f" * 32), (now - 90_000, now - 90_000))
    (bench.path / "uploads" / "not-ours").write_bytes(b"x")
    bench.service.keeping = Keeping(most_bytes=2000)
    await bench.service.sweep()
    await bench.service.sweep_strays()
    assert len((await bench.get("/api/files"))["items"]) == 2
    assert len(blobs(bench, "uploads")) == 3
    await bench.sql.execute("UPDATE station_files SET received_at = now() - interval '91 days'")
    await bench.service.sweep()
    assert [blob.name for blob in blobs(bench, "uploads")] == ["not-ours"]


async def test_a_signature_that_does_not_fit_is_told_and_sent(bench, tmp_path):
    await bench.station()
    await bench.online()
    bench.gateway.answers["SignedUpdateFirmware"] = {"status": "Accepted"}
    Authority().write_pair(tmp_path, "server-ec")
    certificate = (tmp_path / "server-ec.pem").read_text()
    key = load_pem_private_key((tmp_path / "server-ec.key").read_bytes(), None)
    for signed, valid in ((DATA, True), (b"another", False)):
        raw = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        signature = base64.b64encode(raw).decode()
        image = await add(bench, signature=signature, signingCertificate=certificate)
        assert image["signatureValid"] is valid
        path = "/api/stations/CP1/calls/SignedUpdateFirmware"
        answer = await bench.post(path, {"firmwareId": image["id"]})
        assert (answer["outcome"], bool(answer["warnings"])) == ("accepted", not valid)
        firmware = bench.gateway.sent[-1][2]["firmware"]
        assert (firmware["signature"], firmware["signingCertificate"]) == (signature, certificate)


async def test_the_document_tells_of_the_image_and_jobs_are_to_be_had_as_csv(bench):
    paths = (await bench.get("/api/openapi.json"))["paths"]
    content = paths["/api/firmware"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/octet-stream", "multipart/form-data"}
    await bench.station()
    await bench.online()
    await bench.post("/api/stations/CP1/calls/GetDiagnostics", {})
    await brought(bench)
    for path in ("/api/stations/CP1/jobs", "/api/files", "/api/firmware"):
        reply = await bench.ask("GET", f"{path}?format=csv")
        assert (reply.status, reply.headers["Content-Type"][:8]) == (200, "text/csv")
