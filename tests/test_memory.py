from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from csms import memory


class Circle:
    """Holds itself: only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)
    if memory._leave_out in gc.callbacks:
        gc.callbacks.remove(memory._leave_out)
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # as it was: see tests/conftest.py


@pytest.fixture
def old() -> weakref.ref[Circle]:
    """Return a circle that had outlived two looks when it was given up."""
    memory.bound_pauses()
    circle = Circle()
    gc.collect(1)
    return weakref.ref(circle)


def test_what_is_old_is_not_looked_at_again(old):
    gc.collect()
    assert old() is not None


def test_what_is_young_is_freed():
    memory.bound_pauses()
    young = weakref.ref(Circle())
    gc.collect(1)
    assert young() is None


@pytest.mark.parametrize(("grown", "freed"), [(1.2, False), (1.3, True)])
async def test_all_is_looked_through_when_memory_has_grown(clock, old, grown, freed):
    rest = 2**30
    sizes = iter([rest, int(rest * grown), rest])
    ended = asyncio.Event()

    async def work() -> str:
        await ended.wait()
        return "done"

    task = asyncio.get_running_loop().create_task(
        memory.looked_after(work(), clock=clock, resident=lambda: next(sizes))
    )
    for _ in range(2 * memory.LOOK_AT_ALL_EVERY_S):
        await clock.advance(memory.LOOK_EVERY_S)
    assert (old() is None) is freed
    ended.set()
    assert await task == "done"


async def test_what_has_outlived_a_second_is_old(clock):
    memory.bound_pauses()
    frozen = gc.get_freeze_count()
    ended = asyncio.Event()
    looking = asyncio.get_running_loop().create_task(
        memory.looked_after(ended.wait(), clock=clock, resident=lambda: 0)
    )
    kept = [Circle() for _ in range(100)]
    await clock.advance(memory.LOOK_EVERY_S)
    assert gc.get_freeze_count() - frozen > len(kept)
    ended.set()
    assert await looking


def test_memory_is_told():
    before = memory.resident_bytes()
    block = bytearray(2**26)
    assert memory.resident_bytes() - before > len(block) // 2
