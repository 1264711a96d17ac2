"""A central system on a free port, and charge points that talk to it."""

from collections.abc import AsyncIterator, Callable

import pytest

from simulator.charge_point import ChargePointSimulator
from simulator.clock import Clock
from simulator.settings import StationSettings
from tests.simulator.central import Central
from tests.simulator.fast_clock import FastClock


@pytest.fixture
async def central() -> AsyncIterator[Central]:
    async with Central().listening() as listening:
        yield listening
    assert listening.faults == [], "the simulator sent what breaks a schema"


@pytest.fixture
def make(central: Central) -> Callable[..., ChargePointSimulator]:
    """Builds a charge point with short waits, whose time passes fast."""

    def build(
        identity: str = "CP1", *, clock: Clock | None = None, **settings
    ) -> ChargePointSimulator:
        settings.setdefault("configuration", {})
        settings["configuration"] = {
            "TransactionMessageRetryInterval": "0",
            **settings["configuration"],
        }
        quick = {
            "url": central.url,
            "meter_interval_s": 0,
            "reconnect_min_s": 0.02,
            "reconnect_max_s": 0.05,
            "reboot_s": 0.02,
            "step_s": 0.02,
            "response_timeout_s": 20.0,
            # The scripted central system says that it is always the same moment.
            "sets_clock": False,
        }
        kept = StationSettings(identity=identity, **{**quick, **settings})
        return ChargePointSimulator(kept, clock=clock or FastClock())

    return build
