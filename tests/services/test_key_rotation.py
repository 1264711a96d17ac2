"""A station's new password: which ones are let in after which outcome, over the real database."""

from __future__ import annotations

import random

import pytest

from csms.bus.local import LocalBus
from csms.services import credentials, key_rotation
from csms.services.connections import Connections
from csms.store.connections import SqlConnectionStore
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork

SECRET = b"s" * 32
OLD, NEW = b"the old password", b"the new password"


@pytest.fixture
async def store(database_url):
    database = Database(database_url)
    yield SqlUnitsOfWork(database), SqlConnectionStore(database)
    await database.close()


async def let_in(connections, password) -> bool:
    record = await connections.find("CP1")
    if not connections.check_password(record, password):
        return False
    await connections.settle(record.key)
    return True


async def end(unit, key, digest, outcome, status=None) -> None:
    verdict = key_rotation.verdict(outcome, status)
    if verdict is not None:
        await unit.charge_points.end_rotation(key, digest, verdict)


@pytest.mark.parametrize(
    ("outcome", "status", "first", "after_old", "after_new"),
    [
        # who is let in at first (old, new), then after the old one was used, after the new one
        ("accepted", "Accepted", (False, True), None, (False, True)),
        ("rejected", "Rejected", (True, False), (True, False), None),
        ("rejected", "NotSupported", (True, False), (True, False), None),
        ("station_offline", None, (True, False), (True, False), None),
        ("call_timeout", None, (True, True), (True, False), (False, True)),
        ("connection_lost", None, (True, True), (True, False), (False, True)),
        ("callError", None, (True, True), (True, False), (False, True)),
        ("accepted", "RebootRequired", (True, True), (True, True), (False, True)),
    ],
)
async def test_who_is_let_in(store, clock, outcome, status, first, after_old, after_new):
    units, connection_store = store
    connections = Connections(
        connection_store,
        LocalBus(),
        clock,
        node="n",
        secret=SECRET,
        accept_unknown=False,
        quiet=True,
    )
    old, new = (credentials.digest(SECRET, password) for password in (OLD, NEW))
    for used, expected in ((None, first), (OLD, after_old), (NEW, after_new)):
        if expected is None:
            continue
        async with units() as unit:
            key = await unit.charge_points.insert(
                {"identity": "CP1", "name": "CP1", "password_digest": old}
            )
            await unit.charge_points.begin_rotation(key, new)
            await end(unit, key, new, outcome, status)
        if used is not None:
            assert await let_in(connections, used)
        record = await connections.find("CP1")
        known = tuple(connections.check_password(record, password) for password in (OLD, NEW))
        assert known == expected, used
        assert not connections.check_password(record, b"some other password")
        async with units() as unit:
            await unit.charge_points.delete(key, clock.now())


@pytest.mark.parametrize(
    ("outcomes", "used", "expected"),
    [
        # outcomes of three rotations -> who is let in: old, then the three new ones
        (["call_timeout", "connection_lost", "call_timeout"], None, "1111"),
        (["call_timeout", "rejected", "call_timeout"], None, "1101"),
        (["call_timeout", "call_timeout", "accepted"], None, "0001"),
        (["accepted", "call_timeout", "rejected"], None, "0110"),
        (["call_timeout", "station_offline", "queue_full"], None, "1100"),
        (["RebootRequired", "call_timeout", "rejected"], None, "1110"),
        # and once the first of them was used
        (["call_timeout", "connection_lost", "call_timeout"], 1, "0100"),
        (["call_timeout", "connection_lost", "call_timeout"], 0, "1000"),
        (["RebootRequired", "call_timeout", "call_timeout"], 0, "1111"),
        (["call_timeout", "call_timeout", "RebootRequired"], 1, "0101"),
        (["call_timeout", "call_timeout", "RebootRequired"], 3, "0001"),
    ],
)
async def test_rotations_that_follow_each_other(store, clock, outcomes, used, expected):
    units, connection_store = store
    connections = Connections(
        connection_store,
        LocalBus(),
        clock,
        node="n",
        secret=SECRET,
        accept_unknown=False,
        quiet=True,
    )
    passwords = [OLD, *(b"new password no %d" % number for number in (1, 2, 3))]
    digests = [credentials.digest(SECRET, password) for password in passwords]
    async with units() as unit:
        key = await unit.charge_points.insert(
            {"identity": "CP1", "name": "CP1", "password_digest": digests[0]}
        )
        for digest, outcome in zip(digests[1:], outcomes, strict=True):
            await unit.charge_points.begin_rotation(key, digest)
            if outcome == "RebootRequired":
                await end(unit, key, digest, "accepted", outcome)
            else:
                await end(unit, key, digest, outcome)
    if used is not None:
        assert await let_in(connections, passwords[used])
    record = await connections.find("CP1")
    known = [connections.check_password(record, password) for password in passwords]
    assert "".join("01"[each] for each in known) == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_the_station_is_let_in(store, clock, seed):
    """Random rotations with all their outcomes: the key that the station holds is let in."""
    chance = random.Random(seed)
    units, connection_store = store
    connections = Connections(
        connection_store,
        LocalBus(),
        clock,
        node="n",
        secret=SECRET,
        accept_unknown=False,
        quiet=True,
    )
    holds, after_reboot, lost = OLD, None, 0
    async with units() as unit:
        key = await unit.charge_points.insert(
            {
                "identity": "CP1",
                "name": "CP1",
                "password_digest": credentials.digest(SECRET, OLD),
            }
        )
    for step in range(25):
        happens = chance.choice(["login", "reboot", *_OUTCOMES])
        if happens == "login" or (happens == "reboot" and after_reboot is None) or lost == 4:
            assert await let_in(connections, holds), (step, happens)
            lost = 0
            continue
        if happens == "reboot":
            holds, after_reboot = after_reboot, None
            continue
        new = b"password of step %3d" % step
        digest = credentials.digest(SECRET, new)
        outcome, station_has_it = _OUTCOMES[happens]
        async with units() as unit:
            await unit.charge_points.begin_rotation(key, digest)
        if happens == "RebootRequired":
            after_reboot = new
        elif station_has_it or (station_has_it is None and chance.random() < 0.5):
            holds, after_reboot = new, None
        if station_has_it is None:
            lost += 1
        if outcome is not None:
            async with units() as unit:
                await end(unit, key, digest, outcome, happens)
    assert await let_in(connections, holds)


# what is recorded (None: csms has crashed), and whether the station has the key (None: perhaps)
_OUTCOMES = {
    "Accepted": ("accepted", True),
    "RebootRequired": ("accepted", False),
    "Rejected": ("rejected", False),
    "NotSupported": ("rejected", False),
    "offline": ("station_offline", False),
    "timeout": ("call_timeout", None),
    "lost": ("connection_lost", None),
    "error": ("callError", None),
    "crash": (None, None),
}


async def test_many_lost_rotations_leave_the_newest(store, clock):
    units, connection_store = store
    digests = [credentials.digest(SECRET, b"%d" % number) for number in range(9)]
    async with units() as unit:
        key = await unit.charge_points.insert({"identity": "CP1", "name": "CP1"})
        for digest in digests:
            await unit.charge_points.begin_rotation(key, digest)
    found = (await connection_store.find({"CP1"}))["CP1"]
    assert found.pending_password_digest == digests[8]
    assert found.other_password_digests == tuple(digests[4:8])


def test_only_usable_keys_rotate():
    def key(value, name="authorizationKEY", action="ChangeConfiguration"):
        return key_rotation.new_key(action, {"key": name, "value": value})

    assert key("00" * 16) == bytes(16)
    assert key("short") is None
    assert key("00" * 16, name="HeartbeatInterval") is None
    assert key("00" * 16, action="DataTransfer") is None
