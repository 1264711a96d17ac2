from __future__ import annotations

import asyncio
import itertools

from csms import aio
from csms.aio import Hint, supervise
from csms.errors import DatabaseAway


async def test_hints_coalesce_and_are_not_lost_before_somebody_waits():
    hint = Hint()
    hint.give()
    hint.give()
    assert await hint.taken(1)
    assert not await hint.taken(0.001)


async def test_a_cancelled_wait_keeps_the_hint():
    hint = Hint()
    waiting = asyncio.get_running_loop().create_task(hint.taken())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    hint.give()
    assert await hint.taken(1)


async def test_a_supervised_loop_starts_again_with_growing_pauses_until_it_ends(clock):
    starts = []

    async def body():
        starts.append(clock.monotonic())
        if len(starts) < 5:
            raise ValueError("fault")

    task = asyncio.get_running_loop().create_task(supervise("test", body, clock, pause_s=1))
    await clock.advance(30)
    assert task.done()
    pauses = [b - a for a, b in itertools.pairwise(starts)]
    assert pauses == [1, 2, 4, 8]


async def test_a_supervised_loop_tries_often_while_the_database_is_away(clock):
    starts = []

    async def body():
        starts.append(clock.monotonic())
        if len(starts) < 6:
            raise DatabaseAway("away")

    task = asyncio.get_running_loop().create_task(supervise("test", body, clock))
    await clock.advance(10)
    assert task.done()
    pauses = [round(b - a, 3) for a, b in itertools.pairwise(starts)]
    assert pauses == [0.2, 0.4, 0.5, 0.5, 0.5]


async def test_a_supervised_loop_passes_its_cancellation_on(clock):
    task = asyncio.get_running_loop().create_task(
        supervise("test", lambda: clock.sleep(1000), clock)
    )
    await clock.settle()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_between_the_pieces_of_a_long_computation_everybody_has_a_turn(monkeypatch):
    monkeypatch.setattr(aio, "TURN_S", 0.0)
    seen = []

    def pieces():
        for number in range(3):
            seen.append(number)
            yield
        return "done"

    async def others():
        while len(seen) < 6:
            seen.append("others")
            await asyncio.sleep(0)

    beside = asyncio.get_running_loop().create_task(others())
    assert await aio.in_turns(pieces()) == "done"
    await beside
    assert seen.index("others") < seen.index(2)


async def test_a_long_computation_that_is_given_up_is_closed(monkeypatch):
    monkeypatch.setattr(aio, "TURN_S", 0.0)
    ended = []

    def pieces():
        try:
            while True:
                yield
        finally:
            ended.append(True)

    task = asyncio.get_running_loop().create_task(aio.in_turns(pieces()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    del task
    assert ended
