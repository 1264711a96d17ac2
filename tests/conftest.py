"""What every test may ask for: databases on one Postgres that is started only if a test asks."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import hypothesis
import pytest

from tests.fakes import FakeClock
from tests.ports import steady_port
from tests.postgres import OwnPostgres, Postgres, RemotePostgres, SharedPostgres, fresh_database

# how long an example takes, or making one, says nothing on a shared machine; figures live in bench/
_ANY_MACHINE = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("csms", **_ANY_MACHINE)
hypothesis.settings.register_profile("quick", **_ANY_MACHINE, max_examples=20)
hypothesis.settings.load_profile("csms")

# What starts a whole csms, processes or a Postgres of its own, or crashes, makes RSA keys or shakes
# hands by the dozen, or asks a server or a charge point over its sockets, is for `make test`; the
# tests in it marked `smoke` are for `make check` too.
_LARGE = (
    "tests/api/test_[!h]*.py",
    "tests/app/*.py",
    "tests/files/test_[!r]*.py",
    "tests/pki/test_ca.py",
    "tests/pki/test_chains.py",
    "tests/pki/test_command.py",
    "tests/pki/test_tls.py",
    "tests/services/test_intake_lost_answers.py",
    "tests/services/test_smart_charging_crashes.py",
    "tests/fuzz/*.py",
    "tests/simulator/test_[!bcopv]*.py",
    "tests/simulator/test_cli.py",
    "tests/store/test_embedded*.py",
    "tests/store/test_migrate.py",
    "tests/test_backups.py",
    "tests/test_checkup.py",
    "tests/test_memory.py",
    "tests/test_postgres.py",
    "tests/test_sealed_keys.py",
)
_POSTGRES = pytest.StashKey[Postgres]()
_WORKER_KEY = "csms_postgres"


class _TellWorkers:
    """Exists only with xdist, whose hook this is."""

    def pytest_configure_node(self, node) -> None:
        stash = node.config.stash
        if _POSTGRES not in stash:
            stash[_POSTGRES] = SharedPostgres()
        node.workerinput[_WORKER_KEY] = str(stash[_POSTGRES].path)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[_POSTGRES] = RemotePostgres(config.workerinput[_WORKER_KEY])
    elif config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_TellWorkers())


@pytest.hookimpl(tryfirst=True)  # before the items are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        large = any(item.path.match(pattern) for pattern in _LARGE)
        if large and item.get_closest_marker("smoke") is None:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Leave what lives for the whole run out of garbage collections.

    Modules and some thousand tests are half a million objects: looking through them stops a test
    for up to a second on a busy machine, and what it measures or waits for with it.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres = config.stash.get(_POSTGRES, None)
    if isinstance(postgres, OwnPostgres | SharedPostgres):
        postgres.close()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The Postgres of this run; `postgres_url` and `database_url` are what tests want."""
    if _POSTGRES not in pytestconfig.stash:
        pytestconfig.stash[_POSTGRES] = OwnPostgres()
    return pytestconfig.stash[_POSTGRES]


@pytest.fixture(scope="session")
def _server_url(postgres: Postgres) -> str:
    return postgres.server_url()


@pytest.fixture(scope="session")
def _template(postgres: Postgres) -> str:
    return postgres.migrated_template()


@pytest.fixture
def postgres_url(_server_url: str) -> Iterator[str]:
    """Address of an empty database of this test's own."""
    with fresh_database(_server_url) as url:
        yield url


@pytest.fixture
def database_url(_server_url: str, _template: str) -> Iterator[str]:
    """Address of a database of this test's own, at the newest revision, without rows."""
    with fresh_database(_server_url, _template) as url:
        yield url


@pytest.fixture
def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens."""
    return steady_port()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test advances it."""
    return FakeClock()
