"""What waiting for proof costs."""

from __future__ import annotations

import pytest

from tests.proof.energy import compare


@pytest.mark.slow
def test_waiting_costs_at_most_two_percent_of_the_energy():
    found = [compare(seed, hours=2) for seed in range(3)]
    real, ideal = sum(each[0] for each in found), sum(each[1] for each in found)
    assert ideal > 10_000
    assert real >= 0.98 * ideal
