"""New keys and higher profiles over the whole system, each outcome played by a station.

(OCPP-J 6.2.2, whitepaper A01 and A05; N03, TC_073, TC_083.)
"""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.app.bench import system
from tests.app.secure_station import Identity, entered, put_authority, status, trusting
from tests.app.station import call
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

OLD = b"the old password"


class Unanswered:
    """What a station does instead of answering: nothing, or leaving."""

    def __init__(self, *, leaves: bool) -> None:
        self.leaves = leaves


@pytest.fixture
async def s(database_url, tmp_path):
    put_authority(tmp_path / "data")
    async with system(database_url, tmp_path, ocpp_tls_port=0, call_timeout_s=2.0) as s:
        yield s


async def station_of(s, identity="A"):
    return await s.ask("GET", f"/api/stations/{identity}")


async def post(s, path, body=None):
    """Return status and body of an answer, good or bad."""
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/{path}"
    async with s.client.post(url, json={} if body is None else body) as answer:
        return answer.status, await answer.json()


def answering(station, how):
    """Let a station treat ChangeConfiguration so; the new key lands in the returned list."""
    keys = []

    async def read():
        async for text in station.socket:
            frame = json.loads(text)
            if frame[0] != 2:
                await station._answers.put(frame)
                continue
            keys.append(frame[3]["value"])
            if isinstance(how, Unanswered):
                if how.leaves:
                    await station.socket.close()
                continue
            reply = [4, frame[1], how, "", {}] if how.startswith("!") else None
            if reply is not None:
                reply[2] = how[1:]
            await station.socket.send(json.dumps(reply or [3, frame[1], {"status": how}]))

    return keys, read


async def told(s, how, path, body=None, **entry):
    """Send a call to a station that treats it so; returns what came of it, and what it was told."""
    async with entered(s, reads=False, **entry) as station:
        keys, read = answering(station, how)
        reading = asyncio.get_running_loop().create_task(read())
        try:
            answer = await post(s, path, body)
        finally:
            reading.cancel()
        return answer, keys


async def let_in(s, *passwords, **how) -> list[bool]:
    return [await status(s, password=each, **how) == 101 for each in passwords]


@pytest.mark.parametrize(
    ("how", "http", "old_is_right", "new_is_right"),
    [
        ("Accepted", 200, False, True),
        ("Rejected", 200, True, False),
        ("NotSupported", 200, True, False),
        ("RebootRequired", 200, True, True),
        ("!InternalError", 200, True, True),
        (Unanswered(leaves=False), 504, True, True),
        (Unanswered(leaves=True), 504, True, True),
    ],
    ids=["accepted", "rejected", "unsupported", "reboot", "callerror", "timeout", "lost"],
)
async def test_each_outcome_of_a_rotation(s, how, http, old_is_right, new_is_right):
    await s.add("A", password=OLD.decode())
    (code, answer), keys = await told(s, how, "password", password=OLD)
    assert code == http
    new = bytes.fromhex(keys[0])
    assert len(new) == 20
    assert keys[0] not in json.dumps(answer)
    assert (await station_of(s))["passwordPending"] is (old_is_right and new_is_right)
    # the new one first: whoever has it has settled the question
    order = [new, OLD] if new_is_right else [OLD, new]
    expected = [True, False]
    assert await let_in(s, *order) == expected
    assert (await station_of(s))["passwordPending"] is False


@pytest.mark.parametrize("how", ["!InternalError", Unanswered(leaves=True)], ids=["error", "lost"])
async def test_a_station_that_uses_the_old_key_has_not_taken_the_new_one(s, how):
    await s.add("A", password=OLD.decode())
    _, keys = await told(s, how, "password", password=OLD)
    assert await let_in(s, OLD, bytes.fromhex(keys[0])) == [True, False]


async def test_a_key_that_waits_for_a_reboot_is_let_in_after_it(s):
    await s.add("A", password=OLD.decode())
    _, keys = await told(s, "RebootRequired", "password", password=OLD)
    new = bytes.fromhex(keys[0])
    assert await let_in(s, OLD, OLD, new, OLD) == [True, True, True, False]


async def test_a_crash_between_sending_and_answer_leaves_both_keys(s, database_url, tmp_path):
    """What stands in the database while the call is open is what a restart finds."""
    await s.add("A", password=OLD.decode())
    async with entered(s, reads=False, password=OLD):
        sending = asyncio.get_running_loop().create_task(post(s, "password"))
        await wait_until(lambda: _pending(s))
        row = await s.sql.fetchrow("SELECT * FROM charge_points")
        assert row["password_digest"] is not None
        assert row["pending_password_digest"] is not None
        await sending


async def _pending(s) -> bool:
    return (await station_of(s))["passwordPending"]


async def test_tc073_hex_text_and_raw_bytes_are_let_in(s):
    await s.add("A", password=OLD.decode())
    _, keys = await told(s, "Accepted", "password", password=OLD)
    new = bytes.fromhex(keys[0])
    spellings = [new, keys[0].lower().encode(), keys[0].upper().encode()]
    assert await let_in(s, *spellings) == [True, True, True]
    assert await let_in(s, new[:-1], keys[0][:-2].encode(), b"") == [False] * 3


async def test_a_key_is_nowhere_to_be_read(s, capfd):
    await s.add("A", password=OLD.decode())
    _, keys = await told(s, "Accepted", "password", password=OLD)
    _, lost = await told(s, Unanswered(leaves=True), "password", password=bytes.fromhex(keys[0]))
    secrets = [*keys, *lost]
    for path in ("calls", "messages", "configuration", "security-events", "connections"):
        shown = json.dumps(await s.ask("GET", f"/api/stations/A/{path}")).upper()
        assert not any(key in shown for key in secrets), path
    audit = json.dumps(await s.ask("GET", "/api/audit")).upper()
    assert not any(key in audit for key in secrets)
    tables = await s.sql.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    for table in tables:
        rows = await s.sql.fetch(f'SELECT t::text AS row FROM "{table[0]}" t')
        content = "".join(row["row"] for row in rows).upper()
        assert not any(key in content for key in secrets), table[0]
    out, err = capfd.readouterr()
    assert not any(key in (out + err).upper() for key in secrets)


async def test_an_offline_station_keeps_its_key(s):
    await s.add("A", password=OLD.decode())
    code, answer = await post(s, "password")
    assert (code, answer["code"]) == (409, "station_offline")
    assert (await station_of(s))["passwordPending"] is False
    assert await let_in(s, OLD) == [True]


# -- profiles


async def raised(s, how, profile, **entry):
    (code, answer), _ = await told(
        s, how, "security-profile", {"securityProfile": profile}, **entry
    )
    found = await station_of(s)
    return code, answer, (found["securityProfile"], found["pendingSecurityProfile"])


async def test_tc083_from_1_to_2_with_a_fall_back_until_the_first_success(s):
    await s.add("A", password=OLD.decode())
    code, answer, profiles = await raised(s, "Accepted", 2, password=OLD)
    assert (code, profiles) == (200, (1, 2))
    assert any("CentralSystemRootCertificate" in each for each in answer["warnings"])
    # it cannot connect by TLS yet, and falls back
    assert await status(s, password=OLD) == 101
    assert (await station_of(s))["pendingSecurityProfile"] == 2
    assert await status(s, tls=trusting(), password=b"a wrong password") == 401
    assert await status(s, tls=trusting(), password=OLD) == 101
    found = await station_of(s)
    assert (found["securityProfile"], found["pendingSecurityProfile"]) == (2, None)
    assert await status(s, password=OLD) == 403  # never downwards
    audit = (await s.ask("GET", "/api/audit"))["items"]
    reached = [each for each in audit if each["action"] == "security profile reached"]
    assert [each["details"] for each in reached] == [{"from": 1, "to": 2}]


async def test_from_2_to_3_with_a_fall_back_until_the_first_success(s, tmp_path):
    await s.add("A", securityProfile=2, password=OLD.decode(), serialNumber="SN-A")
    me = Identity("SN-A", tmp_path)
    async with entered(s, tls=trusting(), password=OLD) as station:
        await station.say("SignCertificate", {"csr": me.request()})
        await wait_until(lambda: station.got)
        me.chain = station.got[0][1]["certificateChain"]
    entry = {"tls": trusting(), "password": OLD}
    code, answer, profiles = await raised(s, "RebootRequired", 3, **entry)
    assert (code, profiles) == (200, (2, 3))
    assert not any("No certificate of the station" in each for each in answer["warnings"])
    assert await status(s, **entry) == 101
    assert await status(s, tls=trusting()) == 401
    assert await status(s, tls=me.context()) == 101
    found = await station_of(s)
    assert (found["securityProfile"], found["pendingSecurityProfile"]) == (3, None)
    assert await status(s, **entry) == 403
    assert await status(s, password=OLD) == 403
    assert await status(s, tls=me.context()) == 101


async def test_from_0_to_1(s):
    await s.add("A")
    _, keys = await told(s, "Accepted", "password")
    key = bytes.fromhex(keys[0])
    assert await status(s) == 101  # the key alone demands nothing
    _, _, profiles = await raised(s, "Accepted", 1)
    assert profiles == (0, 1)
    assert await status(s) == 101
    assert await status(s, password=key) == 101
    assert (await station_of(s))["securityProfile"] == 1
    assert await status(s) == 401


@pytest.mark.parametrize(
    ("how", "pending"),
    [
        ("Accepted", 2),
        ("RebootRequired", 2),
        ("Rejected", None),
        ("NotSupported", None),
        ("!InternalError", 2),
        (Unanswered(leaves=False), 2),
        (Unanswered(leaves=True), 2),
    ],
    ids=["accepted", "reboot", "rejected", "unsupported", "callerror", "timeout", "lost"],
)
async def test_each_outcome_of_an_upgrade(s, how, pending):
    await s.add("A", password=OLD.decode())
    _, _, profiles = await raised(s, how, 2, password=OLD)
    assert profiles == (1, pending)
    assert await status(s, password=OLD) == 101
    assert await status(s, tls=trusting(), password=OLD) == 101  # a better transport is welcome
    assert (await station_of(s))["securityProfile"] == (1 if pending is None else 2)


async def test_a_refused_upgrade_leaves_an_earlier_one(s):
    await s.add("A", password=OLD.decode())
    await raised(s, "Accepted", 2, password=OLD)
    _, _, profiles = await raised(s, "Rejected", 3, password=OLD)
    assert profiles == (1, 2)


async def test_an_upgrade_may_be_cancelled(s):
    await s.add("A", password=OLD.decode())
    await raised(s, "Accepted", 2, password=OLD)
    found = await s.ask("DELETE", "/api/stations/A/security-profile")
    assert found == {"securityProfile": 1, "pendingSecurityProfile": None}
    assert await status(s, tls=trusting(), password=OLD) == 101
    assert (await station_of(s))["securityProfile"] == 1
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/A/security-profile"
    async with s.client.delete(url) as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "no_upgrade")


@pytest.mark.parametrize("value", ["0", "1", "2", "-1", "x"])
async def test_a_profile_that_is_not_higher_is_never_sent(s, value):
    await s.add("A", securityProfile=2, password=OLD.decode())
    async with entered(s, tls=trusting(), password=OLD) as station:
        payload = {"key": "securityPROFILE", "value": value}
        code, answer = await post(s, "calls/ChangeConfiguration", payload)
        assert (code, answer["code"]) == (403, "refused_locally")
        assert station.got == []


async def test_only_an_operator_lowers_a_profile_and_that_is_audited(s):
    await s.add("A", securityProfile=2, password=OLD.decode())
    await s.ask("PATCH", "/api/stations/A", {"securityProfile": 1})
    assert await status(s, password=OLD) == 101
    audit = (await s.ask("GET", "/api/audit"))["items"]
    lowered = [each for each in audit if each["action"] == "lower security profile"]
    assert [(each["actor"], each["details"]) for each in lowered] == [
        ("administrator", {"from": 2, "to": 1})
    ]


async def test_what_an_upgrade_needs_is_told(s):
    await s.add("A")
    async with entered(s):
        payload = {"key": "SecurityProfile", "value": "3"}
        told = await call(s, "ChangeConfiguration", payload)
    text = " ".join(told["warnings"])
    for missing in ("CentralSystemRootCertificate", "No certificate", "serialNumber", "CpoName"):
        assert missing in text
    assert "listener" not in text
    assert "client-ca.pem" not in text
