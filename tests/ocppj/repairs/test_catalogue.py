"""Each repair of the catalogue over a real socket: done, counted, logged, switched off, strict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from csms.clock import SystemClock
from csms.errors import StartError
from csms.ocppj import repairs
from csms.ocppj.repairs.catalogue import CATALOGUE
from csms.ocppj.repairs.switches import Switches
from csms.ocppj.repairs.table import table
from csms.ocppj.repairs.tolerance import Repairs
from csms.ocppj.server import OcppServer
from tests.ocppj.playbook import plug_in
from tests.ocppj.repairs.cases import CASES, OF_ANSWERS, OF_SOCKETS, FrameCase, RequestCase
from tests.ocppj.standins import StandInConnections

FRAMES = [name for name, case in CASES.items() if isinstance(case, FrameCase)]
REQUESTS = [name for name, case in CASES.items() if isinstance(case, RequestCase)]
_HEADERS = {
    "Host": "localhost",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


@asynccontextmanager
async def serving(
    intake, connections, schemas, switches: Switches, **more
) -> AsyncIterator[OcppServer]:
    server = OcppServer(
        host="127.0.0.1",
        port=0,
        connections=connections,
        intake=intake,
        schemas=schemas,
        clock=SystemClock(),
        notices=intake,
        known_repairs=Repairs(schemas, switches),
        **more,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def wanted(name: str) -> Switches:
    return Switches(on=() if CATALOGUE[name].on else (name,))


def make_strict(connections: StandInConnections) -> None:
    for identity, known in connections.records.items():
        connections.records[identity] = replace(known, strict=True)


async def played(server: OcppServer, case: FrameCase) -> list | None:
    """Play a case and return the last answer; None when nothing came for it."""
    cp = await plug_in(server.port)
    for frame in case.before:
        await cp.send(frame)
        await cp.get()
    await cp.send(case.raw)
    await cp.send([2, "after", "Heartbeat", {}])
    answer = await cp.get()
    last = None
    while answer[1] != "after":
        last, answer = answer, await cp.get()
    await cp.close()
    return last


async def asked(server: OcppServer, case: RequestCase) -> str:
    """Send a request and return the status line of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    headers = {**_HEADERS, **case.headers}
    lines = [f"GET {case.path} {case.version}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(30):
        line = (await reader.readline()).decode().strip()
    writer.close()
    return line


def test_each_repair_has_a_case():
    assert set(CASES) | OF_ANSWERS | OF_SOCKETS == set(CATALOGUE)


@pytest.mark.parametrize("name", FRAMES)
async def test_a_frame_is_repaired_answered_counted_and_logged(intake, connections, schemas, name):
    case = CASES[name]
    counted = repairs.COUNTS[name]
    async with serving(intake, connections, schemas, wanted(name)) as server:
        answer = await played(server, case)
        assert answer is not None
        assert answer[:2] == [3, "1"]
    assert repairs.COUNTS[name] == counted + 1
    facts = [fact for fact in intake.facts if type(fact).__name__ != "HeartbeatFact"]
    if facts:
        assert case.fact(facts[-1]), facts[-1]
    logged = next(frame for frame in intake.frames if name in (frame.repairs or ()))
    assert logged.raw == case.raw.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert isinstance(json.loads(logged.repaired), dict)
    assert intake.quarantined == []


@pytest.mark.parametrize("name", [name for name in FRAMES if CASES[name].needed])
async def test_a_frame_is_refused_when_its_repair_is_off(intake, connections, schemas, name):
    async with serving(intake, connections, schemas, Switches(off=[name])) as server:
        answer = await played(server, CASES[name])
    assert answer is None or answer[0] == 4
    assert not any(name in (frame.repairs or ()) for frame in intake.frames)


@pytest.mark.parametrize("name", [name for name in FRAMES if CASES[name].needed])
async def test_a_frame_of_a_strict_station_is_refused(intake, connections, schemas, name):
    make_strict(connections)
    async with serving(intake, connections, schemas, wanted(name)) as server:
        answer = await played(server, CASES[name])
    assert answer is None or answer[0] == 4
    assert not any(frame.repairs for frame in intake.frames)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_repaired_and_counted(intake, connections, schemas, name):
    counted = repairs.COUNTS[name]
    async with serving(intake, connections, schemas, wanted(name)) as server:
        assert await asked(server, CASES[name]) == "HTTP/1.1 101 Switching Protocols"
    assert repairs.COUNTS[name] == counted + 1


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_refused_when_its_repair_is_off(intake, connections, schemas, name):
    async with serving(intake, connections, schemas, Switches(off=[name])) as server:
        assert " 4" in await asked(server, CASES[name]) or name == "http_version"


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_of_a_strict_station_is_refused(intake, connections, schemas, name):
    make_strict(connections)
    async with serving(intake, connections, schemas, wanted(name)) as server:
        assert " 101 " not in await asked(server, CASES[name])


async def test_nothing_is_upgraded_that_has_no_key(intake, connections, schemas):
    plain = RequestCase(headers={"Connection": None, "Upgrade": None, "Sec-WebSocket-Key": None})
    async with serving(intake, connections, schemas, Switches()) as server:
        assert " 426 " in await asked(server, plain)


async def test_another_station_behind_the_identity_is_no_repair(intake, connections, schemas):
    async with serving(intake, connections, schemas, Switches()) as server:
        assert " 404 " in await asked(server, RequestCase(path="/ocpp/CP1/CP3"))


@pytest.mark.parametrize(("off", "on"), [(["json_coma"], []), ([], ["nothing"])])
def test_a_switch_for_no_repair_is_refused(off, on):
    with pytest.raises(StartError, match="no repair called"):
        Switches(off=off, on=on)


def test_the_table_in_the_documentation_is_that_of_the_catalogue():
    text = (Path(__file__).parents[3] / "docs" / "repairs.md").read_text()
    assert table() in text
