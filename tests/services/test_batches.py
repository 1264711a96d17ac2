from __future__ import annotations

import asyncio

import pytest

from csms.errors import DatabaseAway
from csms.services.batches import Batches


class Work:
    """Doubles numbers when it is let; keeps its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.errors: list[BaseException | None] = []  # of the next batches
        self.gate = asyncio.Event()

    async def __call__(self, items):
        self.batches.append(list(items))
        await self.gate.wait()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return [item * 2 for item in items]


@pytest.fixture
async def work():
    return Work()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def come(batches, *items):
    return [asyncio.ensure_future(batches.submit(item)) for item in items]


async def test_what_comes_meanwhile_goes_together_and_each_gets_its_own(work):
    batches = Batches(work, most=10)
    asked = come(batches, *range(5))
    await settle()
    assert work.batches == [[0]]
    work.gate.set()
    assert await asyncio.gather(*asked) == [0, 2, 4, 6, 8]
    assert work.batches == [[0], [1, 2, 3, 4]]
    assert await batches.submit(7) == 14


async def test_batches_are_bounded(work):
    batches = Batches(work, most=2)
    asked = come(batches, *range(6))
    await settle()
    work.gate.set()
    assert await asyncio.gather(*asked) == [0, 2, 4, 6, 8, 10]
    assert work.batches == [[0], [1, 2], [3, 4], [5]]


async def test_a_database_that_is_away_is_away_for_the_batch_not_for_the_next(work):
    batches = Batches(work, most=10)
    asked = come(batches, 1, 2, 3)
    await settle()
    work.errors = [None, DatabaseAway("x")]
    work.gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert answers[0] == 2
    assert [type(answer) for answer in answers[1:]] == [DatabaseAway] * 2
    assert await batches.submit(4) == 8


async def test_another_error_is_told_to_the_first_alone(work):
    batches = Batches(work, most=10)
    (first,) = come(batches, 1)
    await settle()
    others = come(batches, 2, 3)
    await settle()
    work.errors = [ValueError("x"), ValueError("y")]
    work.gate.set()
    with pytest.raises(ValueError, match="x"):
        await first
    with pytest.raises(ValueError, match="y"):
        await others.pop(0)
    assert await asyncio.gather(*others) == [6]


@pytest.mark.parametrize("victim", range(4))
async def test_one_that_is_cancelled_holds_up_nobody(work, victim):
    """0 runs a batch, 1 will run the next one, the others wait."""
    batches = Batches(work, most=10)
    asked = come(batches, *range(4))
    await settle()
    asked[victim].cancel()
    await settle()
    work.gate.set()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
    assert isinstance(answers.pop(victim), asyncio.CancelledError)
    assert answers == [number * 2 for number in range(4) if number != victim]
    assert victim == 0 or all(victim not in batch for batch in work.batches)
    assert await batches.submit(9) == 18


async def test_a_turn_that_comes_together_with_the_cancellation_is_handed_on(work):
    batches = Batches(work, most=10)
    asked = come(batches, 0, 1, 2)
    await settle()
    work.gate.set()
    batches._waiting[0].turn.add_done_callback(lambda _: asked[1].cancel())
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
    assert [answers[0], answers[2]] == [0, 4]
    assert await batches.submit(9) == 18
