"""Power that a car does not take goes to others in two meter intervals, and is back in one."""

from __future__ import annotations

import asyncio

from tests.services.control_bench import HALF_A, limits
from tests.waiting import wait_until

INTERVAL_S = 10


async def test_what_a_car_leaves_is_given_on_and_returned(running):
    b = running
    wire_a, wire_b = await b.station("A"), await b.station("B")
    first, second = await b.start("A"), await b.start("B")

    async def interval(power_a, power_b):
        """Let both meters speak, and see what follows before they do again."""
        for number, power in ((first, power_a), (second, power_b)):
            await b.metered(number, power)
        await b.steps(3)
        for _ in range(INTERVAL_S):
            await b.clock.advance(1)
            await asyncio.sleep(0)
        await b.steps(2)

    async def are_told(limit_a, limit_b):
        """Wait, by steps and without the clock, for what is on its way."""

        async def there():
            await b.steps(1)
            return (limits(wire_a)[-1], limits(wire_b)[-1]) == (limit_a, limit_b)

        await wait_until(there, what=f"limits of {limit_a} and {limit_b} A")

    await interval(0, 0)
    for _ in range(6):  # both have settled at half the limit and take it
        await interval(10_971, 10_971)
    await are_told(HALF_A, HALF_A)

    await interval(4500, 10_971)  # A takes less from here on: its limit goes down
    await are_told(7.5, HALF_A)
    await interval(4500, 10_971)  # it is seen to hold: B has the rest
    await are_told(7.5, 24.3)

    await interval(5100, 16_767)  # A takes all that it may: its share is on its way back
    await are_told(7.5, HALF_A)
    await interval(5100, 10_971)
    await are_told(HALF_A, HALF_A)


async def test_a_site_can_keep_what_a_car_leaves(running):
    b = running
    await b.sql.execute("""UPDATE sites SET rules = '{"reclaim": false}'""")
    wire_a = await b.station("A")
    number = await b.start("A")
    await b.settled("A")
    sent = len(wire_a.calls)
    for _ in range(8):
        await b.metered(number, 4500)
        await b.clock.advance(INTERVAL_S)
        await b.steps(1)
    assert len(wire_a.calls) == sent
