# ruff: noqa: S321  FTP is what is tested
"""FTP as charge points speak it: bring and fetch, go on after a cut, and nothing else."""

from __future__ import annotations

import asyncio
import ftplib
import io
import shutil
import socket
import struct
from pathlib import Path

import pytest

from csms.errors import DatabaseAway, StartError
from csms.files.ftp_server import FtpServer
from csms.files.ftp_session import JobSession
from tests.files.conftest import LARGEST
from tests.files.ftp_client import DATA, session, within
from tests.waiting import wait_until


@pytest.mark.smoke
@pytest.mark.parametrize("active", [False, True])
async def test_a_file_is_kept_before_the_reply(ftp, active):
    token = await ftp.upload()

    def bring():
        with session(ftp, token, active=active) as client:
            return client.storbinary("STOR diag.zip", io.BytesIO(DATA))

    assert (await within(bring)).startswith("226")
    (file,) = await ftp.files()
    assert (file["data"], file["label"], file["complete"]) == (DATA, "diag.zip", True)
    assert (file["scheme"], file["address"]) == ("ftp", "127.0.0.1")


async def test_extended_passive_mode_and_text_mode_change_no_byte(ftp):
    token = await ftp.upload()

    def bring():
        with session(ftp, token) as client:
            client.sendcmd("TYPE A")
            host, port = "127.0.0.1", int(client.sendcmd("EPSV").split("|")[3])
            client.putcmd("STOR a.zip")
            with socket.create_connection((host, port)) as data:
                data.sendall(b"a\r\nb\nc\r")
            assert client.getresp().startswith("150")
            assert client.getresp().startswith("226")

    await within(bring)
    (file,) = await ftp.files()
    assert file["data"] == b"a\r\nb\nc\r"


def cut(client, command, data):
    """Send a part and vanish, as a machine that loses its power and comes back."""
    client.voidcmd("TYPE I")
    connection = client.transfercmd(command)
    connection.sendall(data)
    client.close()  # as a process that ends: the control connection first
    connection.close()


async def part_of(ftp, size):
    async def there():
        return await ftp.sql.fetchval("SELECT 1 FROM station_files WHERE size = $1", size)

    await wait_until(there)
    (file,) = await ftp.files()
    assert not file["complete"]
    return file


@pytest.mark.parametrize("way", ["APPE", "REST"])
async def test_a_transfer_that_is_cut_goes_on_where_it_stopped(ftp, way):
    token = await ftp.upload()

    def begin():
        with session(ftp, token) as client:
            cut(client, "STOR diag.zip", DATA[:60_000])

    await within(begin)
    await part_of(ftp, 60_000)

    def go_on():
        with session(ftp, token) as client:
            assert client.size("diag.zip") == 60_000
            rest = io.BytesIO(DATA[60_000:])
            if way == "APPE":
                return client.storbinary("APPE diag.zip", rest)
            return client.storbinary("STOR diag.zip", rest, rest=60_000)

    assert (await within(go_on)).startswith("226")
    (file,) = await ftp.files()
    assert (file["data"], file["complete"]) == (DATA, True)


async def test_a_rest_within_what_stands_and_one_behind_it(ftp):
    token = await ftp.upload()

    def begin():
        with session(ftp, token) as client:
            cut(client, "STOR a", b"0123456789")

    await within(begin)
    await part_of(ftp, 10)

    def go_on():
        with session(ftp, token) as client:
            with pytest.raises(ftplib.error_perm, match="554"):
                client.storbinary("STOR a", io.BytesIO(b"x"), rest=11)
            with pytest.raises(ftplib.error_perm, match="55"):
                client.storbinary("STOR never", io.BytesIO(b"x"), rest=1)
            client.storbinary("STOR a", io.BytesIO(b"xyz"), rest=5)

    await within(go_on)
    (file,) = await ftp.files()
    assert file["data"] == b"01234xyz"


async def test_a_whole_file_stands_when_a_later_try_is_cut(ftp):
    token = await ftp.upload()

    def bring():
        with session(ftp, token) as client:
            client.storbinary("STOR a", io.BytesIO(DATA))
            cut(client, "STOR a", b"part")

    await within(bring)
    await wait_until(lambda: len(list((ftp.path / "uploads").iterdir())) == 1)
    (file,) = await ftp.files()
    assert file["data"] == DATA


async def test_firmware_whole_and_from_the_middle(ftp):
    token = await ftp.download(DATA)

    def fetch():
        whole, rest = io.BytesIO(), io.BytesIO()
        with session(ftp, token) as client:
            assert client.size("fw.bin") == len(DATA)
            client.retrbinary("RETR fw.bin", whole.write)
            client.retrbinary("RETR fw.bin", rest.write, rest=1000)
            with pytest.raises(ftplib.error_perm):
                client.storbinary("STOR fw.bin", io.BytesIO(b"evil"))
        return whole.getvalue(), rest.getvalue()

    assert await within(fetch) == (DATA, DATA[1000:])


async def test_only_open_ways_log_in(ftp, monkeypatch):
    monkeypatch.setattr("csms.files.ftp_session.JobSession.auth_failed_timeout", 0)
    token = await ftp.upload()

    def refused(user, password):
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", ftp.ftp_port)
            with pytest.raises(ftplib.error_perm, match="530"):
                client.login(user, password)
            with pytest.raises(ftplib.error_perm, match="530"):
                client.storbinary("STOR a", io.BytesIO(b"x"))

    for user, password in (
        ("anonymous", "a@b"),
        (token[:12], token[12:-1] + "g"),
        ("0" * 12, "0" * 20),
    ):
        await within(refused, user, password)
    await ftp.report("failed", "Canceled")
    await within(refused, token[:12], token[12:])
    assert await ftp.files() == []


async def test_a_session_does_not_outlive_its_job(ftp):
    token, loop = await ftp.upload(), asyncio.get_running_loop()

    def bring():
        with session(ftp, token) as client:
            client.storbinary("STOR a", io.BytesIO(DATA))
            over = asyncio.run_coroutine_threadsafe(ftp.report("done", "Uploaded"), loop)
            over.result(5)
            with pytest.raises(ftplib.error_perm, match="550"):
                client.storbinary("STOR a", io.BytesIO(b"late"))

    await within(bring)
    (file,) = await ftp.files()
    assert file["data"] == DATA


async def test_names_are_labels_and_directories_are_none(ftp):
    names = ("../../etc/passwd", "/etc/passwd", "C:\\etc\\passwd", "a/passwd")
    tokens = [await ftp.upload() for _ in names]

    def bring(name, token):
        with session(ftp, token) as client:
            client.cwd("/some/where/..")
            assert client.pwd() == "/"
            client.storbinary(f"STOR {name}", io.BytesIO(b"x"))
            assert client.nlst() == []
            lines = []
            client.retrlines("LIST /", lines.append)
            assert lines == []
            for command in ("RETR passwd", "DELE passwd", "MKD a", "RNFR passwd", "STAT /", "MLSD"):
                with pytest.raises(ftplib.error_perm):
                    client.sendcmd(command)

    for name, token in zip(names, tokens, strict=True):
        await within(bring, name, token)
    assert [file["label"] for file in await ftp.files()] == ["passwd"] * len(names)
    assert {entry.name for entry in ftp.path.iterdir()} == {"uploads", "firmware"}


async def test_too_large_a_full_disk_and_an_absent_database(ftp, monkeypatch):
    token = await ftp.upload()

    def refused(code, size):
        with session(ftp, token) as client, pytest.raises(ftplib.Error, match=code):
            client.storbinary("STOR a", io.BytesIO(bytes(size)))

    await within(refused, "552", LARGEST + 1)
    monkeypatch.setattr(ftp.folder, "_least_free", 2**62)
    await within(refused, "550", 10)
    monkeypatch.undo()

    async def away(*_):
        raise DatabaseAway("gone")

    monkeypatch.setattr(ftp.service, "came", away)
    await within(refused, "451", 10)
    assert await ftp.files() == []


async def test_two_at_once(ftp):
    tokens = [await ftp.upload(), await ftp.upload()]

    def bring(token, data):
        with session(ftp, token) as client:
            client.storbinary("STOR a", io.BytesIO(data))

    await asyncio.gather(within(bring, tokens[0], DATA), within(bring, tokens[1], DATA[::-1]))
    assert sorted(file["data"] for file in await ftp.files()) == sorted([DATA, DATA[::-1]])


async def test_data_connections_to_others_are_refused(ftp):
    token = await ftp.upload()

    def ask():
        with session(ftp, token) as client:
            for command in (
                "PORT 192,0,2,1,200,200",
                "EPRT |1|192.0.2.1|40000|",
                "PORT 127,0,0,1,0,22",
            ):
                with pytest.raises(ftplib.error_perm, match="501"):
                    client.sendcmd(command)

    await within(ask)


async def test_the_range_of_passive_ports_and_the_public_address(bench, free_port):
    server = FtpServer(
        bench.service,
        bench.folder,
        bench.clock,
        host="127.0.0.1",
        port=0,
        public="192.0.2.7",
        passive_ports=[free_port],
    )
    await server.start()
    bench.ftp_port = server.port
    token = await bench.upload()

    def ask():
        with session(bench, token) as first, session(bench, token) as second:
            numbers = first.sendcmd("PASV").partition("(")[2].partition(")")[0].split(",")
            assert numbers[:4] == ["192", "0", "2", "7"]
            assert int(numbers[4]) * 256 + int(numbers[5]) == free_port
            with pytest.raises(ftplib.error_temp, match="425"):
                second.sendcmd("PASV")

    try:
        await within(ask)
    finally:
        await server.stop()


async def test_a_stop_in_the_middle_keeps_what_has_come_and_frees_the_port(bench):
    def server():
        return FtpServer(
            bench.service, bench.folder, bench.clock, host="127.0.0.1", port=port, public=None
        )

    port = 0
    running = server()
    await running.start()
    port = bench.ftp_port = running.port
    with pytest.raises(StartError, match="CSMS_FTP_PORT"):
        await server().start()
    token = await bench.upload()

    def begin():
        client = ftplib.FTP(timeout=60)
        client.connect("127.0.0.1", port)
        client.login(token[:12], token[12:])
        client.voidcmd("TYPE I")
        data = client.transfercmd("STOR a")
        data.sendall(b"so far")
        return client, data

    client, data = await within(begin)
    blobs = bench.path / "uploads"
    await wait_until(lambda: any(blob.stat().st_size for blob in Path(blobs).iterdir()))
    await running.stop()
    client.close()
    data.close()
    (file,) = await bench.files()
    assert (file["data"], file["complete"]) == (b"so far", False)
    again = server()
    await again.start()
    await again.stop()


async def test_a_client_that_stalls_is_dropped_and_its_part_is_kept(ftp, monkeypatch):
    monkeypatch.setattr("csms.files.ftp_transfer.JobTransfer.timeout", 0.2)
    token = await ftp.upload()

    def stall():
        with session(ftp, token) as client:
            client.voidcmd("TYPE I")
            with client.transfercmd("STOR a") as data:
                data.sendall(b"and then")
                return client.getresp()

    with pytest.raises(ftplib.error_temp, match="421"):
        await within(stall)
    (file,) = await ftp.files()
    assert (file["data"], file["complete"]) == (b"and then", False)


async def test_a_reset_is_no_end_of_a_file(ftp):
    token = await ftp.upload()

    def bring():
        with session(ftp, token) as client:
            client.voidcmd("TYPE I")
            data = client.transfercmd("STOR a")
            data.sendall(b"so far")
            while b"so far" not in [blob.read_bytes() for blob in (ftp.path / "uploads").iterdir()]:
                pass
            data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            data.close()
            with pytest.raises(ftplib.error_temp, match="451"):
                client.voidresp()

    await within(bring)
    (file,) = await ftp.files()
    assert (file["data"], file["complete"]) == (b"so far", False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_curl_brings_goes_on_and_fetches(ftp, tmp_path):
    up, down = await ftp.upload(), await ftp.download(DATA)
    (tmp_path / "d.zip").write_bytes(DATA)

    async def curl(token, path, *options):
        url = f"ftp://{token[:12]}:{token[12:]}@127.0.0.1:{ftp.ftp_port}/{path}"
        process = await asyncio.create_subprocess_exec("curl", "-sS", *options, url)
        return await process.wait()

    def begin():
        with session(ftp, up) as client:
            cut(client, "STOR d.zip", DATA[:1000])

    await within(begin)
    await part_of(ftp, 1000)
    assert await curl(up, "", "-C", "-", "-T", str(tmp_path / "d.zip")) == 0
    assert await curl(up, "some/dir/e.zip", "--ftp-create-dirs", "-T", str(tmp_path / "d.zip")) == 0
    assert await curl(up, "f.zip", "-P", "-", "-T", str(tmp_path / "d.zip")) == 0
    files = {file["label"]: file["data"] for file in await ftp.files()}
    assert files == dict.fromkeys(("d.zip", "e.zip", "f.zip"), DATA)
    half = tmp_path / "fw.bin"
    half.write_bytes(DATA[:500])
    assert await curl(down, "fw.bin", "-C", "-", "-o", str(half)) == 0
    assert half.read_bytes() == DATA


NONSENSE = [
    b"\xff\xf4\xff\xf2ABOR",
    b"\x00\x01\x02",
    b"",
    b"A" * 100_000,
    b"STOR",
    b"REST -1",
    b"REST 99999999999999999999999",
    b"PORT",
    b"PORT 1,2,3",
    b"PORT 999,1,1,1,1,1",
    b"EPRT |",
    b"EPRT |9|x|y|",
    b"EPSV 9",
    b"TYPE Q",
    b"MODE B",
    b"STRU R",
    b"ALLO x",
    b"OPTS UTF8 ON",
    b"OPTS MLST type;",
    b"SITE EXEC /bin/sh",
    b"RNTO x",
    b"SIZE \xff\xfe",
    b"STOR \xff\xfe/../\x00",
    b"REIN",
    b"USER",
    b"PASS",
    b"EPSV ALL",
    b"PASV",
    b"QUIT x",
]


async def test_nonsense_ends_no_server(ftp):
    tokens = [await ftp.upload() for _ in range(3)]

    def talk(lines, *login):
        with socket.create_connection(("127.0.0.1", ftp.ftp_port), timeout=60) as client:
            client.sendall(b"".join(line + b"\r\n" for line in (*login, *lines, b"QUIT")))
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return answer

    def named(token):
        return f"USER {token[:12]}".encode(), f"PASS {token[12:]}".encode()

    assert b"530" in await within(talk, NONSENSE)
    answer = await within(talk, NONSENSE, *named(tokens[0]))
    assert b"230" in answer
    for line in NONSENSE:  # each alone, so that none hides behind another
        await within(talk, [line], *named(tokens[1]))

    def bring():
        with session(ftp, tokens[2]) as client:
            return client.storbinary("STOR a", io.BytesIO(DATA))

    assert (await within(bring)).startswith("226")
    assert [file["label"] for file in await ftp.files()] == ["a"]


async def test_who_hangs_up_while_a_refused_log_in_is_held_up(ftp, monkeypatch):
    """The socket's number may be another session's by then: it must not be listened to again."""
    told = []
    monkeypatch.setattr(JobSession, "auth_failed_timeout", 0.1)
    monkeypatch.setattr(JobSession, "on_login_failed", lambda session, *_: told.append(session))

    def knock():
        with socket.create_connection(("127.0.0.1", ftp.ftp_port)) as client:
            client.sendall(b"USER x\r\nPASS y\r\nQUIT\r\n")
            while client.recv(1000):
                pass

    await within(knock)
    await wait_until(lambda: told)  # nothing has failed before that
