"""The ledger through real kills of the server, over real sockets."""

from __future__ import annotations

import pytest

from tests.proof.kills import STATIONS, play


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_no_instant_over_a_limit_through_real_kills(tmp_path):
    report = await play(tmp_path, kills=3, seed=3)
    assert report.violations == []
    assert report.limits >= 2 * STATIONS + 2
