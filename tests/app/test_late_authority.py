"""An authority and certificates that are made while the system runs: no restart is needed."""

from __future__ import annotations

import pytest

from tests.app import bench
from tests.app.bench import system
from tests.app.secure_station import Identity, entered, put_authority, status, trusting
from tests.app.station import call
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PASSWORD = b"a password of a station"
TRIGGER = {"requestedMessage": "SignChargePointCertificate"}


@pytest.fixture
async def s(database_url, tmp_path, monkeypatch, free_port):
    monkeypatch.setattr("csms.certificates._LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("csms.pki.starting._LOOK_EVERY_S", 0.05)
    given = bench.settings_for

    def settings_for(*arguments, **changed):
        settings = given(*arguments, ocpp_tls_port=free_port, **changed)
        # as if nobody had asked for TLS: then it is off until there are certificates
        settings.model_fields_set.discard("ocpp_tls_port")
        return settings

    monkeypatch.setattr(bench, "settings_for", settings_for)
    async with system(database_url, tmp_path) as s:
        await s.add("A", password=PASSWORD.decode())
        assert s.running.ocpp_tls_port is None
        object.__setattr__(s.running, "ocpp_tls_port", free_port)
        yield s


async def wss_is_open(s) -> bool:
    try:
        return await status(s, tls=trusting(), password=PASSWORD) == 101
    except ConnectionError:
        return False


async def test_from_nothing(s, tmp_path):
    me = Identity("A", tmp_path)
    assert not await wss_is_open(s)
    async with entered(s, password=PASSWORD) as station:
        asking = await call(s, "ExtendedTriggerMessage", TRIGGER)
        assert asking["warnings"] == [
            "Nobody signs here: its SignCertificate will be answered Rejected."
        ]
        answer = await station.say("SignCertificate", {"csr": me.request()})
        assert answer == {"status": "Rejected"}

        put_authority(tmp_path / "data")
        asking = await call(s, "ExtendedTriggerMessage", TRIGGER)
        assert asking["warnings"] == []
        answer = await station.say("SignCertificate", {"csr": me.request()})
        assert answer == {"status": "Accepted"}
        await wait_until(lambda: station.got[-1][0] == "CertificateSigned")
        me.chain = station.got[-1][1]["certificateChain"]
    await wait_until(lambda: wss_is_open(s))
    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 3})
    async with entered(s, tls=me.context()) as station:
        path = f"/api/stations/A/certificates/{me.serial}/revoke"
        await s.ask("POST", path, {})
        await wait_until(lambda: station.socket.close_code == 1008)


async def test_a_bad_one_does_not_open_and_is_told_once(s, tmp_path, capsys):
    put_authority(tmp_path / "data")
    key = tmp_path / "data" / "tls" / "server-ec.key"
    good = key.read_bytes()
    key.write_text("rubbish")
    lines = []

    def told():
        lines.append(capsys.readouterr().out)
        return "the listener for wss cannot be opened" in "".join(lines)

    await wait_until(told)
    key.write_bytes(good)
    await wait_until(lambda: wss_is_open(s))
    assert "".join(lines).count("the listener for wss cannot be opened") == 1
