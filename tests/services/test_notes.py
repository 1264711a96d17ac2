"""Notes on their way to the database."""

from __future__ import annotations

import pytest

from csms.errors import BadFact, DatabaseAway
from csms.services import notes as module
from csms.services.notes import MOST_AT_ONCE, Notes
from tests.fakes import FakeClock


class Store:
    def __init__(self):
        self.written, self.fails, self.meanwhile = [], [], lambda: None

    async def write(self, batch):
        self.meanwhile()
        if self.fails:
            raise self.fails.pop()
        self.written.append(list(batch))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def notes(store):
    return Notes("things", store.write, FakeClock())


async def test_all_are_written_in_order_so_many_at_once(notes, store):
    count = 2 * MOST_AT_ONCE + 1
    for number in range(count):
        notes.add(number)
    await notes.flush()
    assert [len(batch) for batch in store.written] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]
    assert [number for batch in store.written for number in batch] == list(range(count))


async def test_what_could_not_be_written_waits(notes, store):
    notes.add(1)
    store.fails = [DatabaseAway("away")]
    with pytest.raises(DatabaseAway):
        await notes.flush()
    notes.add(2)
    await notes.flush()
    assert store.written == [[1, 2]]


async def test_what_cannot_be_kept_does_not_hold_up_the_rest(notes, store):
    notes.add("poison")
    store.fails = [BadFact("poison")]
    await notes.flush()
    notes.add("fine")
    await notes.flush()
    assert store.written == [["fine"]]


async def test_a_storm_loses_the_oldest_and_nothing_that_came_while_others_were_written(
    monkeypatch, store
):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    notes = Notes("things", store.write, FakeClock())
    for number in range(5):
        notes.add(number)
    news = iter(["a", "b"])
    store.meanwhile = lambda: [notes.add(each) for each in [next(news, None)] if each]
    await notes.flush()
    assert store.written == [[2, 3, 4], ["a"], ["b"]]
