"""One central system for all playbooks of a module, a new station for each playbook."""

from __future__ import annotations

import itertools

import pytest
import pytest_asyncio

from tests.app.bench import system
from tests.postgres import fresh_database
from tests.quirks.bench import plugged

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def module_database(_server_url, _template):
    with fresh_database(_server_url, _template) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def csms(module_database, tmp_path_factory):
    async with system(module_database, tmp_path_factory.mktemp("csms")) as made:
        for tag in ("TAG", "A", "B"):
            await made.ask("POST", "/api/id-tags", {"idTag": tag})
        yield made


@pytest.fixture
def identity() -> str:
    return f"ODD-{next(_NUMBERS)}"


@pytest_asyncio.fixture(loop_scope="module")
async def cp(csms, identity):
    """A tolerant station, connected."""
    await csms.add(identity, connectors=2)
    async with plugged(csms, identity) as station:
        yield station
