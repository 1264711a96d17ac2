"""A control loop for those tests of services that ask for it."""

from __future__ import annotations

import pytest

from tests.services.control_bench import bench


@pytest.fixture
async def b(database_url):
    async with bench(database_url) as made:
        yield made


@pytest.fixture
async def running(b):
    """A bench with a site of 22 kW and one node that runs it."""
    await b.run(b.node())
    await b.site()
    return b
