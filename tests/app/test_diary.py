"""The connection diary over the whole system: attempts, reasons, what would help."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from csms.ocppj import handshake
from csms.services import diary
from csms.services.ports.diary import Attempt
from csms.store.database import Database
from csms.store.diary import SqlDiaryStore
from tests.app.bench import system
from tests.app.station import plugged


@pytest.fixture
async def s(database_url, tmp_path):
    async with system(database_url, tmp_path) as s:
        yield s


async def attempts(s, identity):
    return (await s.ask("GET", f"/api/stations/{identity}/connections"))["items"]


async def refused(s, identity, **more):
    with pytest.raises(InvalidStatus) as error:
        await connect(f"{s.ocpp_url}/{identity}", **{"subprotocols": ["ocpp1.6"], **more})
    return error.value.response.status_code


async def test_a_station_that_is_not_there_yet_has_a_diary(s):
    assert await refused(s, "NEW") == 404
    (before,) = await attempts(s, "NEW")
    assert (before["outcome"], before["status"], before["reason"]) == (
        "refused",
        404,
        "no such station",
    )
    assert "Add a station" in before["fix"]
    assert before["address"] == "127.0.0.1"
    await s.add("NEW")
    async with plugged(s, "NEW"):
        after, first = await attempts(s, "new")
        assert first == before
        assert (after["outcome"], after["status"], after["fix"]) == ("connected", 101, None)
        async with plugged(s, "NEW"):
            assert (await attempts(s, "NEW"))[0]["outcome"] == "tookOver"
    events = (await s.ask("GET", "/api/stations/NEW/security-events"))["items"]
    assert [event["type"] for event in events] == ["ConnectionTakenOver"]


async def test_wrong_keys_are_told_once_a_minute_as_security_events(s):
    await s.add("A", password="0123456789abcdef")
    wrong = {"Authorization": "Basic " + b64encode(b"A:fedcba9876543210").decode()}
    assert await refused(s, "A", additional_headers=wrong) == 401
    assert await refused(s, "A") == 401
    none, bad = await attempts(s, "A")
    assert (bad["reason"], none["reason"]) == ("wrong password", "no password")
    assert "AuthorizationKey" in bad["fix"]
    assert "fedcba" not in str(bad)
    events = (await s.ask("GET", "/api/stations/A/security-events"))["items"]
    assert {event["type"] for event in events} == {"LoginRefused"}


async def test_other_subprotocols_and_nobody(s):
    await s.add("A", strict=True)
    assert await refused(s, "A", subprotocols=["ocpp2.0.1"]) == 400
    (attempt,) = await attempts(s, "A")
    assert "ocpp1.6" in attempt["fix"]
    url = f"http://127.0.0.1:{s.running.http_port}/api/stations/B/connections"
    async with s.client.get(url) as answer:
        assert answer.status == 404


async def test_the_diary_is_bounded(database_url, clock):
    database = Database(database_url)
    store = SqlDiaryStore(database)

    def attempt(identity, place):
        return Attempt(
            identity=identity,
            at=clock.now(),
            outcome="refused",
            status=404,
            reason=f"r{place}",
            address="::1",
        )

    try:
        await store.note([attempt("A", i) for i in range(150)])
        await store.note([attempt("a", i) for i in range(150, 300)])
        kept = await store.page("A", 1000)
        assert [each.reason for _, each in kept] == [f"r{i}" for i in range(299, 99, -1)]
        await store.note([attempt(f"X{i}", i) for i in range(999)])
        assert len(await store.page("A", 1000)) == 1  # 1,000 of unknown ones in all
    finally:
        await database.close()


def test_each_reason_of_a_handshake_has_its_fix():
    """A reason that is reworded would lose its advice."""
    folder = Path(handshake.__file__).parent
    text = "".join(path.read_text() for path in sorted(folder.glob("*.py")))
    assert [reason for reason in diary._FIXES if f'"{reason}"' not in text] == []
