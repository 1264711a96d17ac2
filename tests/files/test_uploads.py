"""Files that come by HTTP: whole, in parts, as forms, too large, by closed ways, twice at once."""

from __future__ import annotations

import asyncio
import urllib.request
from datetime import timedelta

import aiohttp
import pytest
from yarl import URL

from csms.errors import DatabaseAway
from csms.files import http_server, uploads
from tests.files.conftest import LARGEST
from tests.waiting import wait_until

DATA = bytes(range(256)) * 400  # 102,400 bytes


async def put(http, token, data, name="diag.zip", **more):
    async with http.client.put(f"{http.http}/{token}/{name}", data=data, **more) as answer:
        return answer.status


async def raw(http, text: bytes, *, stay: bool = False):
    """Send bytes over a socket of its own."""
    port = int(http.http.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    await writer.drain()
    if stay:
        return reader, writer
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.close()


def head(token, *lines, method="PUT", name="diag.zip"):
    return "\r\n".join([f"{method} /{token}/{name} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


@pytest.mark.smoke
async def test_a_file_is_kept_as_it_came(http):
    token = await http.upload()
    assert await put(http, token, DATA) == 201
    (file,) = await http.files()
    assert (file["data"], file["label"], file["complete"]) == (DATA, "diag.zip", True)
    assert (file["scheme"], file["address"]) == ("http", "127.0.0.1")


async def test_in_chunks_by_post_and_to_the_directory_itself(http):
    async def pieces():
        for start in range(0, len(DATA), 1000):
            yield DATA[start : start + 1000]

    token = await http.upload()
    async with http.client.post(f"{http.http}/{token}/", data=pieces()) as answer:
        assert answer.status == 200
    (file,) = await http.files()
    assert (file["data"], file["label"]) == (DATA, "")


async def test_a_form_brings_its_files_and_no_fields(http):
    token = await http.upload()
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("comment", "x" * 1000)
    form.add_field("upload", DATA, filename="C:\\logs\\a.zip", content_type="application/zip")
    form.add_field("upload", b"second", filename="b.txt")
    async with http.client.post(f"{http.http}/{token}", data=form) as answer:
        assert answer.status == 200
    first, second = await http.files()
    assert (first["data"], first["label"]) == (DATA, "a.zip")
    assert (second["data"], second["label"]) == (b"second", "b.txt")


async def test_a_form_without_a_whole_file_is_refused(http):
    token = await http.upload()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    url = f"{http.http}/{token}"
    for body in (
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nno file\r\n--x--\r\n",
        b"no form at all",
        b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\ncut o",
    ):
        async with http.client.post(url, data=body, headers=headers) as answer:
            assert answer.status in {400, 408}
    assert not [file for file in await http.files() if file["complete"]]


async def test_urllib_as_a_simple_charge_point_uses_it(http):
    token = await http.upload()
    url = f"{http.http}/{token}/a.log"

    def send():
        request = urllib.request.Request(url, data=DATA, method="PUT")  # noqa: S310  our own
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status

    assert await asyncio.to_thread(send) == 201


NAMES = [
    ("/{}/..%2f..%2f..%2fetc%2fpasswd", "passwd"),
    ("/{}/../../secret", "secret"),
    ("/{}/%00a%0d%0ab.zip", "ab.zip"),
    ("/{}/..", ""),
    ("//{}//", ""),
    ("/some/prefix/{}/x/y/z.tar.gz", "z.tar.gz"),
    ("/{}/" + "a" * 300, "a" * 255),
    ("/{}/%ff%fe.zip", "\N{REPLACEMENT CHARACTER}" * 2 + ".zip"),
]


async def test_names_from_the_wire_are_labels_and_never_paths(http):
    for path, _ in NAMES:
        token = await http.upload()
        text = f"PUT {path.format(token)} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
        answer = await raw(http, text.encode())
        assert answer.startswith(b"HTTP/1.1 201"), (path, answer)
    assert [file["label"] for file in await http.files()] == [label for _, label in NAMES]
    assert {entry.name for entry in http.path.iterdir()} == {"uploads", "firmware"}


@pytest.mark.smoke
async def test_closed_ways(http):
    open_one = await http.upload()
    for token in ("0" * 32, "x", "", open_one[:-1], open_one + "0", open_one.upper()):
        assert await put(http, token, b"x") == 404
    assert await put(http, open_one, b"x") == 201
    await http.report("running", "Uploading")
    assert await put(http, open_one, b"y") == 201
    await http.report("failed", "UploadFailed")  # it may try again
    assert await put(http, open_one, b"z") == 201
    await http.report("failed", "Canceled")
    assert await put(http, open_one, b"z") == 410
    await http.report("done", "Uploaded")
    assert await put(http, open_one, b"z") == 410
    (file,) = await http.files()
    assert file["data"] == b"z"


async def test_what_was_announced_may_come_late_and_then_the_way_is_closed(http):
    token = await http.upload()
    await http.report("done", "Uploaded")
    assert await put(http, token, b"x") == 201
    assert await put(http, token, b"x") == 410


async def test_a_way_ends_with_its_time_and_with_a_refused_call(http):
    late, refused = await http.upload(), await http.upload()
    await http.sql.execute("DELETE FROM jobs WHERE call_id = $1", http.calls[1])
    await http.sql.execute(
        "UPDATE file_ways SET expires_at = now() - $1::interval WHERE call_id = $2",
        timedelta(seconds=1),
        http.calls[0],
    )
    assert await put(http, late, b"x") == 410
    assert await put(http, refused, b"x") == 410
    assert await http.files() == []


async def test_other_methods_are_named(http):
    token = await http.upload()
    for method in ("GET", "HEAD", "DELETE", "PROPFIND"):
        async with http.client.request(method, f"{http.http}/{token}/") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST, PUT")


async def test_too_large_by_its_own_word_and_in_truth(http):
    token = await http.upload()
    answer = await raw(http, head(token, f"Content-Length: {LARGEST + 1}"))
    assert answer.startswith(b"HTTP/1.1 413")

    async def endless():
        while True:
            yield bytes(10_000)

    async with http.client.put(f"{http.http}/{token}/a", data=endless()) as answer:
        assert answer.status == 413
    assert await put(http, token, bytes(LARGEST)) == 201
    assert len(await http.files()) == 1


async def test_a_form_that_is_too_large(http):
    token = await http.upload()
    form = aiohttp.FormData()
    form.add_field("a", bytes(LARGEST + 1), filename="a")
    async with http.client.post(f"{http.http}/{token}", data=form) as answer:
        assert answer.status == 413
    assert await http.files() == []


async def test_expect_continue_is_answered_after_the_token(http):
    token = await http.upload()
    wanted = ("Content-Length: 5", "Expect: 100-continue")
    assert (await raw(http, head("0" * 32, *wanted))).startswith(b"HTTP/1.1 404")
    reader, writer = await raw(http, head(token, *wanted), stay=True)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hello")
    assert (await reader.read()).startswith(b"HTTP/1.1 201")
    writer.close()
    (file,) = await http.files()
    assert file["data"] == b"hello"


async def killed(http, token, data, total):
    """Send a part of what was announced; vanish when it is on the disk."""
    blobs = http.path / "uploads"
    before = set(blobs.iterdir())
    _, writer = await raw(http, head(token, f"Content-Length: {total}") + data, stay=True)

    def written():
        return sum(blob.stat().st_size for blob in set(blobs.iterdir()) - before) == len(data)

    await wait_until(written)
    writer.transport.abort()


async def test_a_transfer_that_is_cut_goes_on_where_it_stopped(http):
    token = await http.upload()
    await killed(http, token, DATA[:60_000], len(DATA))
    await wait_until(lambda: http.sql.fetch("SELECT 1 FROM station_files"))
    (file,) = await http.files()
    assert (file["complete"], file["data"]) == (False, DATA[:60_000])

    def part(start, end):
        return {"Content-Range": f"bytes {start}-{end - 1}/{len(DATA)}"}

    url = f"{http.http}/{token}/diag.zip"
    too_far = part(60_001, len(DATA))
    async with http.client.put(url, data=DATA[60_001:], headers=too_far) as answer:
        assert (answer.status, answer.headers["Upload-Offset"]) == (409, "60000")
    assert await put(http, token, DATA[50_000:70_000], headers=part(50_000, 70_000)) == 201
    (file,) = await http.files()
    assert (file["complete"], len(file["data"])) == (False, 70_000)
    assert await put(http, token, DATA[70_000:], headers=part(70_000, len(DATA))) == 201
    (file,) = await http.files()
    assert (file["complete"], file["data"]) == (True, DATA)


async def test_a_content_range_that_cannot_be(http):
    token = await http.upload()
    for value in ("bytes 0-9/5", "bytes 9-0/100", "pages 1-2/3", "bytes 0-1/100"):
        assert await put(http, token, b"0123456789", headers={"Content-Range": value}) == 400
    assert await http.files() == []


async def test_the_last_whole_file_stands_whatever_follows(http):
    token = await http.upload()
    assert await put(http, token, b"first") == 201
    assert await put(http, token, DATA) == 201
    await killed(http, token, b"a part", 1000)
    await wait_until(lambda: len(list((http.path / "uploads").iterdir())) == 1)
    (file,) = await http.files()
    assert (file["data"], file["complete"]) == (DATA, True)


async def test_the_newest_of_two_transfers_of_one_file_wins(http):
    token = await http.upload()
    begin = head(token, "Content-Length: 1000")
    reader, writer = await raw(http, begin + b"slow", stay=True)
    await wait_until(lambda: any((http.path / "uploads").iterdir()))
    assert await put(http, token, DATA) == 201
    writer.write(bytes(996))
    assert (await reader.read()).startswith(b"HTTP/1.1 409")
    writer.close()
    (file,) = await http.files()
    assert file["data"] == DATA


async def test_two_files_at_once(http):
    token = await http.upload()
    statuses = await asyncio.gather(
        put(http, token, DATA, name="a.zip"), put(http, token, DATA[::-1], name="b.zip")
    )
    assert statuses == [201, 201]
    files = {file["label"]: file["data"] for file in await http.files()}
    assert files == {"a.zip": DATA, "b.zip": DATA[::-1]}


async def test_a_way_holds_five_files(http):
    token = await http.upload()
    for number in range(7):
        assert await put(http, token, b"x", name=f"{number}.zip") == 201
    assert [file["label"] for file in await http.files()] == [f"{n}.zip" for n in range(2, 7)]


async def test_silent_and_stalling_clients_are_dropped(http, monkeypatch):
    monkeypatch.setattr(http_server, "_HEADERS_S", 0.1)
    monkeypatch.setattr(uploads, "_STALL_S", 0.1)
    token = await http.upload()
    for text in (b"", b"PUT /", head(token)[:-2]):
        async with asyncio.timeout(30):
            assert await raw(http, text) == b""
    monkeypatch.setattr(http_server, "_HEADERS_S", 30.0)  # those come in time
    reader, writer = await raw(http, head(token, "Content-Length: 10") + b"slow", stay=True)
    async with asyncio.timeout(30):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    (file,) = await http.files()
    assert (file["data"], file["complete"]) == (b"slow", False)


async def test_too_many_at_once(http, monkeypatch):
    monkeypatch.setattr(http_server, "_MOST_TRANSFERS", 1)
    token = await http.upload()
    _, writer = await raw(http, head(token, "Content-Length: 10"), stay=True)
    await wait_until(lambda: any((http.path / "uploads").iterdir()))
    async with http.client.put(f"{http.http}/{token}/b", data=b"x") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    writer.close()


async def test_a_full_disk_and_an_absent_database_are_no_file(http, monkeypatch):
    token = await http.upload()
    monkeypatch.setattr(http.folder, "_least_free", 2**62)
    assert await put(http, token, b"x") == 507
    monkeypatch.undo()

    async def away(*_):
        raise DatabaseAway("gone")

    monkeypatch.setattr(http.service, "came", away)
    assert await put(http, token, b"x") == 503
    assert await http.files() == []
    monkeypatch.undo()
    assert await put(http, token, b"x") == 201


async def test_guesses_are_answered_late_and_few_at_once(http, monkeypatch):
    monkeypatch.setattr(http_server, "_HOLD_S", 3.0)  # all of them come within that
    token = await http.upload()
    async with asyncio.TaskGroup() as tasks:
        guesses = [tasks.create_task(put(http, f"{n:032x}", b"x")) for n in range(8)]
        await wait_until(lambda: http.server._held["127.0.0.1"] == 8)
        assert await put(http, f"{9:032x}", b"x") == 429
    assert [guess.result() for guess in guesses] == [404] * 8
    assert await put(http, token, b"x") == 201


async def test_an_encoded_token_is_none(http):
    token = await http.upload()
    encoded = "".join(f"%{ord(letter):02x}" for letter in token)
    async with http.client.put(URL(f"{http.http}/{encoded}/a", encoded=True), data=b"x") as answer:
        assert answer.status == 404
