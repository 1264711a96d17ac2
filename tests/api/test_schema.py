"""The real server against its own OpenAPI document: whatever fits or breaks it, no 500."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from csms.api.app import ApiConfig, Ports, create_api
from csms.api.server import ApiServer
from csms.bus.local import LocalBus
from csms.clock import SystemClock
from csms.ocppj.schemas import Schemas
from csms.store.database import Database
from csms.store.unit_of_work import SqlUnitsOfWork
from tests.api.bench import ADMIN, SECRET, FakeAllocator, FakeGateway, FakeRedelivery
from tests.postgres import fresh_database

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


HEADERS = {"Authorization": f"Bearer {ADMIN}"}
TRIES = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class ServerThread:
    """The server on a thread of its own: schemathesis is not asynchronous."""

    def __init__(self, url):
        self._url, self._ready = url, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        clock, database = SystemClock(), Database(self._url)
        ports = Ports(
            units=SqlUnitsOfWork(database),
            gateway=FakeGateway(clock),
            schemas=Schemas(),
            allocator=FakeAllocator(clock, self._url),
            bus=LocalBus(),
            clock=clock,
            redelivery=FakeRedelivery(),
        )
        api = create_api(ports, ApiConfig(version="1", secret=SECRET, admin_token=ADMIN))
        server = ApiServer(api.app, host="127.0.0.1", port=0)
        await server.start()
        self.url = f"http://127.0.0.1:{server.port}"
        self._ready.set()
        await self._stop.wait()
        await server.stop()
        await database.close()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


@pytest.fixture(scope="module")
def document(_server_url, _template):
    with fresh_database(_server_url, _template) as url, ServerThread(url) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")


@pytest.mark.slow
@pytest.mark.timeout(900)  # each operation of the whole contract
def test_no_request_breaks_the_server(document):
    operations = [result.ok() for result in document.get_all_operations()]
    assert len(operations) > 40
    failed = []
    for operation in operations:
        try:
            try_out(operation)
        except (FailureGroup, AssertionError) as error:
            failed.append(f"{operation.label}: {str(error)[:700]}")
    assert not failed, "\n=====".join(failed)


def try_out(operation):
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @TRIES
    def fits(case):
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @TRIES
    def breaks(case):
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    fits()
    with suppress(Unsatisfiable):  # an operation without parameters cannot be broken
        breaks()
