"""The clock and the waiting that all other tests lean on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.fakes import FakeClock
from tests.waiting import wait_until


async def test_sleepers_wake_in_the_order_of_their_times():
    clock, woken = FakeClock(), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for name, seconds in (("late", 9), ("early", 1), ("middle", 5), ("as early", 1)):
            tasks.create_task(sleeper(name, seconds))
        await clock.advance(5)
        assert [name for name, _ in woken] == ["early", "as early", "middle"]
        assert clock.sleeping == 1
        await clock.advance(4)
    assert woken[-1] == ("late", 1009.0)


async def test_a_loop_wakes_at_each_of_its_times_within_one_advance():
    clock, times = FakeClock(), []

    async def loop() -> None:
        while True:
            await clock.sleep(0.1)
            times.append(clock.monotonic())

    task = asyncio.get_running_loop().create_task(loop())
    start = clock.now()
    await clock.advance(1)
    assert len(times) == 10
    assert clock.now() - start == timedelta(seconds=1)
    task.cancel()
    await clock.settle()
    assert clock.sleeping == 0


async def test_small_steps_add_up_exactly():
    clock = FakeClock()
    task = asyncio.get_running_loop().create_task(clock.sleep(1))
    for _ in range(9):
        await clock.advance(0.1)
    assert not task.done()
    await clock.advance(0.1)
    assert task.done()


async def test_wait_until_returns_the_answer_and_takes_async_predicates():
    answers = iter([None, [], "here"])

    async def ask() -> object:
        return next(answers)

    assert await wait_until(ask) == "here"


async def test_wait_until_says_what_did_not_happen():
    with pytest.raises(AssertionError, match=r"last answer 0\): the moon"):
        await wait_until(lambda: 0, 0.05, what="the moon")


async def test_wait_until_hides_no_failure():
    with pytest.raises(ZeroDivisionError):
        await wait_until(lambda: 1 / 0)
