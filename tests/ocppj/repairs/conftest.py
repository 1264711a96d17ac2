from __future__ import annotations

import pytest

from tests.ocppj.standins import StandInConnections, record


@pytest.fixture
def connections() -> StandInConnections:
    known = StandInConnections(
        record(1, "CP1"),
        record(2, "SAFE", security_profile=1),
        record(3, "CP2"),
        record(4, "SESAM", security_profile=1),
    )
    known.passwords["SAFE"] = b"sesame"
    known.passwords["SESAM"] = "öffne".encode()
    return known
