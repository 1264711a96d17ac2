"""The handshake rules H01-H09, H14, H16, over real sockets."""

from __future__ import annotations

import asyncio
import base64

import pytest
from websockets.exceptions import InvalidStatus

from csms.clock import SystemClock
from csms.domain.charge_points import Registration
from csms.errors import DatabaseAway, StartError
from csms.ocppj import repairs
from csms.ocppj.handshake import identity_of, password_of, subprotocol_of
from csms.ocppj.server import OcppServer
from tests.ocppj.playbook import ANY, Closed, gets, plug_in, sends
from tests.ocppj.standins import record
from tests.waiting import wait_until


def basic(user: str, password: bytes) -> dict[str, str]:
    token = base64.b64encode(user.encode() + b":" + password).decode()
    return {"Authorization": f"Basic {token}"}


async def refused(port: int, path: str = "/ocpp/CP1", **more) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        await plug_in(port, path, **more)
    return caught.value


async def status(port: int, path: str = "/ocpp/CP1", **more) -> int:
    return (await refused(port, path, **more)).response.status_code


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP1", "CP1"),
        ("/CP1", "CP1"),
        ("/ocpp/1.6/4/CP1", "CP1"),
        ("//CP1", "CP1"),
        ("/ocpp//CP1", "CP1"),
        ("/ocpp/CP1/", "CP1"),
        ("/ocpp/CP1//", "CP1"),
        ("/ocpp/CP1?a=b/c", "CP1"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/CP%2F1", "CP/1"),
        ("/ocpp/CP+1", "CP+1"),
        ("/ocpp/CP%252F1", "CP%2F1"),
        ("/ocpp/C%C3%A9", "Cé"),
        ("/ocpp/ocpp", "ocpp"),
        ("/ocpp/" + "x" * 255, "x" * 255),
    ],
)
def test_h01_the_identity_is_the_last_segment_decoded_once(path, identity):
    assert identity_of(path) == identity


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/ocpp",
        "/ocpp/",
        "/ocpp/%ZZ",
        "/ocpp/%F",
        "/ocpp/%FF",
        "/ocpp/a%00",
        "/ocpp/a%0A",
        "/ocpp/%C2%85",
        "/ocpp/" + "x" * 256,
        "/ocpp/" + "%C3%A9" * 128,
    ],
)
async def test_h01_bad_paths_are_refused(server, path):
    assert identity_of(path) is None
    if path:
        assert await status(server.port, path) == 404


async def test_h01_a_path_that_is_no_ascii_does_no_harm(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write("GET /ocpp/é HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert not answer.startswith(b"HTTP/1.1 5")
    cp = await plug_in(server.port)
    assert (await cp.call("Heartbeat", {}))[0] == 3
    await cp.close()


async def test_h02_an_unknown_station_gets_404(server):
    answer = (await refused(server.port, "/ocpp/CP9")).response
    assert (answer.status_code, answer.body) == (404, b"")


async def test_h04_the_subprotocol_may_stand_anywhere(server):
    cp = await plug_in(server.port, subprotocols=["ocpp2.0.1", "ocpp1.6"])
    assert cp.socket.subprotocol == "ocpp1.6"
    await cp.close()


async def test_h05_only_others_are_refused(server):
    assert await status(server.port, subprotocols=["ocpp2.0.1", "ocpp1.5"]) == 400


async def test_h05_no_header_is_a_repair_that_is_counted_and_logged(server, intake):
    before = repairs.COUNTS[repairs.MISSING_SUBPROTOCOL]
    cp = await plug_in(server.port, subprotocols=None)
    assert cp.socket.subprotocol is None
    await cp.play(
        sends(2, "1", "Heartbeat", {}),
        gets(3, "1", ANY),
        sends(2, "2", "Heartbeat", {}),
        gets(3, "2", ANY),
    )
    await cp.close()
    assert repairs.COUNTS[repairs.MISSING_SUBPROTOCOL] == before + 1
    assert [frame.repairs for frame in intake.frames if frame.direction == "in"] == [
        (repairs.MISSING_SUBPROTOCOL,),
        None,
    ]


async def test_h05_wrong_case_is_a_repair(server):
    cp = await plug_in(server.port, subprotocols=["OCPP1.6"])
    assert cp.socket.subprotocol == "OCPP1.6"
    await cp.close()


@pytest.mark.parametrize("offered", [None, ["OCPP1.6"], ["ocpp2.0.1"]])
async def test_h05_strict_stations_get_no_repair(server, connections, offered):
    connections.records["CP1"] = record(1, "CP1", strict=True)
    assert await status(server.port, subprotocols=offered) == 400


def test_h05_sloppy_lists_are_read():
    assert subprotocol_of(["ocpp2.0.1,,", " ocpp1.6 "], strict=True) == ("ocpp1.6", ())


async def test_h06_an_unknown_station_is_refused_before_its_subprotocol(server):
    assert await status(server.port, "/ocpp/CP9", subprotocols=["x"]) == 404


class TestPasswords:
    KEY = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")

    @pytest.fixture(autouse=True)
    def station(self, connections):
        connections.records["AL1000"] = record(3, "AL1000", security_profile=1)
        connections.records["a:b"] = record(4, "a:b", security_profile=1)
        connections.passwords = {"AL1000": self.KEY, "a:b": b"c:d"}

    async def test_h07_none_is_401_with_a_challenge(self, server):
        answer = (await refused(server.port, "/ocpp/AL1000")).response
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    async def test_h06_the_password_is_checked_before_the_subprotocol(self, server):
        assert await status(server.port, "/ocpp/AL1000", subprotocols=["x"]) == 401

    async def test_bytes_that_are_no_text_are_a_password(self, server):
        header = {"Authorization": "Basic QUwxMDAwOgABAgMEBQYH////////////////"}
        cp = await plug_in(server.port, "/ocpp/AL1000", additional_headers=header)
        assert (await cp.call("Heartbeat", {}))[0] == 3
        await cp.close()

    async def test_identities_and_passwords_may_hold_colons(self, server):
        cp = await plug_in(server.port, "/ocpp/a:b", additional_headers=basic("a:b", b"c:d"))
        await cp.close()

    @pytest.mark.parametrize(
        "header",
        [
            basic("AL1000", b"wrong"),
            basic("AL1000", b""),
            basic("CP1", KEY),
            basic("AL100", KEY),
            {"Authorization": "Basic"},
            {"Authorization": "Basic !!!"},
            {"Authorization": "Basic " + base64.b64encode(b"AL1000").decode()},
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic ÿþ"},
        ],
    )
    async def test_h07_h08_anything_else_is_401(self, server, header):
        assert await status(server.port, "/ocpp/AL1000", additional_headers=header) == 401

    async def test_a_station_without_profile_needs_none(self, server):
        cp = await plug_in(server.port, additional_headers=basic("CP1", b""))
        await cp.close()

    def test_the_scheme_has_no_case(self):
        assert password_of("bAsIc " + base64.b64encode(b"x:y").decode(), ["x"]) == b"y"


@pytest.mark.parametrize("profile", [2, 3])
async def test_h09_stations_of_tls_profiles_are_refused_on_plain_ws(server, connections, profile):
    connections.records["CP1"] = record(1, "CP1", security_profile=profile)
    connections.passwords = {"CP1": b"x"}
    assert await status(server.port, additional_headers=basic("CP1", b"x")) == 403


async def test_h10_a_rejected_station_may_connect_and_is_told_by_its_boot(
    server, connections, intake
):
    connections.records["CP1"] = record(1, "CP1", registration=Registration.REJECTED)
    intake.registration = Registration.REJECTED
    cp = await plug_in(server.port)
    await cp.play(
        sends(2, "1", "Heartbeat", {}),
        gets(4, "1", "SecurityError", ANY, {}),
        sends(2, "2", "BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}),
        gets(3, "2", {"status": "Rejected", "currentTime": ANY, "interval": 300}),
    )
    await cp.close()


async def test_while_the_database_is_away_handshakes_get_503(server, connections):
    connections.away = True
    assert await status(server.port) == 503


async def test_who_is_in_has_settled_its_password_and_profile(server, connections):
    held = connections.settling = asyncio.get_running_loop().create_future()
    coming = asyncio.ensure_future(plug_in(server.port))
    await wait_until(lambda: connections.to_settle)
    assert connections.epochs == {}  # nor is it told that it is in: another would be let in too
    assert not coming.done()
    held.set_result(None)
    await (await coming).close()
    await refused(server.port, "/ocpp/CP1", subprotocols=["ocpp2.0"])
    assert connections.to_settle == [record(1).key]
    connections.settling = asyncio.get_running_loop().create_future()
    connections.settling.set_exception(DatabaseAway("away"))
    assert await status(server.port) == 503


async def test_while_the_server_is_not_ready_handshakes_get_503(intake, connections, schemas):
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
        ready=lambda: False,
    )
    await server.start()
    assert await status(server.port) == 503
    await server.stop()


async def test_a_database_that_goes_between_handshake_and_opening_ends_in_1013(
    server, connections, monkeypatch
):
    async def find(identity):
        connections.away = True
        return record()

    monkeypatch.setattr(connections, "find", find)
    cp = await plug_in(server.port)
    assert await cp.get() == Closed(1013)


async def test_h14_binary_frames_end_in_1003(cp):
    await cp.play(sends(b"\x00"), gets(Closed(1003)))


async def test_h14_text_that_is_no_utf8_ends_in_1007(cp):
    await cp.socket.send(b"\xff", text=True)
    assert await cp.get() == Closed(1007)


async def test_h14_fragments_are_one_message(cp):
    await cp.socket.send(['[2,"1",', '"Heartbeat"', ",{}]"])
    await cp.play(gets(3, "1", ANY))


async def test_h16_a_long_stop_transaction_passes_and_an_oversized_one_ends_in_1009(cp, intake):
    sample = {"value": "1234", "measurand": "Power.Active.Import", "unit": "W"}
    data = [
        {"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [sample] * 10} for _ in range(1000)
    ]
    stop = {
        "transactionId": 1,
        "meterStop": 1,
        "timestamp": "2026-03-01T12:00:00Z",
        "transactionData": data,
    }
    assert await cp.call("StopTransaction", stop) == [3, ANY, {}]
    assert len(intake.facts[-1].readings) == 1000
    await cp.send('[2,"x","Heartbeat",{"x":"' + "x" * 2**20 + '"}]')
    assert await cp.get() == Closed(1009)


async def test_no_compression_is_negotiated(server):
    cp = await plug_in(server.port)
    assert cp.socket.protocol.extensions == []
    await cp.close()


async def test_a_port_in_use_is_one_sentence(server, intake, connections, schemas):
    other = OcppServer(
        host="127.0.0.1",
        port=server.port,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
    )
    with pytest.raises(StartError, match=f"127.0.0.1:{server.port}: another program"):
        await other.start()
    await other.stop()


async def test_plain_http_does_no_harm(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 426")
    writer.close()


async def test_a_sign_of_life_is_noted_with_each_frame(cp, connections):
    await cp.call("Heartbeat", {})
    assert await wait_until(lambda: connections.seen_at.get(1))


@pytest.mark.parametrize("offered", ["OCPP1.6", "ocpp1.6j", "ocpp-1.6", "Ocpp16"])
def test_h05_spellings_of_the_subprotocol(offered):
    assert subprotocol_of([offered], strict=False) == (offered, ("subprotocol_case",))
    assert subprotocol_of([offered], strict=True) is None


@pytest.mark.parametrize("offered", ["ocpp1.5", "ocpp2.0.1", "mqtt", "ocpp"])
def test_h05_other_subprotocols_stay_refused(offered):
    assert subprotocol_of([offered], strict=False) is None
