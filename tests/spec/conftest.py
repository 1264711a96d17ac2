"""One csms a module; a station of its own, connected, for each playbook."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio

from tests.app.bench import system
from tests.pki.authority import Authority
from tests.postgres import fresh_database
from tests.spec import states
from tests.spec.playbook import Stage


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "octt(case, chapter, title): the certification case that a playbook plays"
    )


@pytest.fixture(scope="module")
def module_database(_server_url, _template):
    with fresh_database(_server_url, _template) as url:
        yield url


@pytest.fixture(scope="module")
def root():
    return Authority()


@pytest.fixture(scope="module")
def tls_folder(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("tls")
    root.write_pair(folder, "server-ec")
    root.write_pair(folder, "server-rsa")
    (folder / "client-ca.pem").write_bytes(root.pem)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def csms(module_database, tls_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csms")
    settings = {"tls_dir": tls_folder, "ocpp_tls_port": 0, "call_timeout_s": 5.0}
    async with system(module_database, folder, **settings) as s:
        for tag in (
            {"idTag": states.VALID},
            {"idTag": states.BLOCKED, "status": "Blocked"},
            {"idTag": states.EXPIRED, "expiresAt": "2020-01-01T00:00:00Z"},
            {"idTag": states.CHILD, "parentIdTag": states.GROUP},
        ):
            await s.ask("POST", "/api/id-tags", tag)
        yield s


@pytest.fixture
def identity(request):
    return re.sub(r"[^A-Za-z0-9_.-]", "-", request.node.name.removeprefix("test_"))[-60:]


@pytest_asyncio.fixture(loop_scope="module")
async def stage(csms, identity):
    """A station that is connected and has said nothing yet."""
    await csms.add(identity, connectors=2)
    stage = Stage(csms, identity)
    await stage.plug_in()
    yield stage
    await stage.close()
    await stage.check_the_log()
