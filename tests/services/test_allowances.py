"""How often somebody may do something."""

from __future__ import annotations

from csms.services import allowances
from csms.services.allowances import Allowance


async def test_a_burst_then_as_fast_as_it_fills(clock):
    allowance = Allowance(clock, burst=2, per_s=0.5)
    assert [allowance.take("a"), allowance.take("a"), allowance.take("a")] == [0, 0, 2]
    assert allowance.take("b") == 0
    await clock.advance(1)
    assert allowance.wait_s("a") == 1
    await clock.advance(1)
    assert allowance.take("a") == 0
    assert allowance.take("a") == 2


async def test_what_is_refused_costs_nothing(clock):
    allowance = Allowance(clock, burst=1, per_s=1)
    for _ in range(10):
        allowance.take("a")
    await clock.advance(1)
    assert allowance.take("a") == 0


async def test_bounded_in_number(clock, monkeypatch):
    monkeypatch.setattr(allowances, "_MOST_KEYS", 2)
    allowance = Allowance(clock, burst=1, per_s=0.001)
    for key in "abc":
        assert allowance.take(key) == 0
    assert allowance.take("c") > 0
    assert allowance.take("a") == 0  # forgotten
